/**
 * Ten clients, each with digits of its own kinds, make one network and keep their digits: by means, by server optimizers, by
 * rules that liars cannot move, and by sums that show no single client.
 */
import { setSeed, type Tensor } from '@nn/core';
import { type Classified, DataLoader, fitNormalization } from '@nn/data';
import { crossEntropy, Linear, relu, Sequential } from '@nn/layers';
import { SGD } from '@nn/optim';
import {
  coordinateMedian,
  dirichletSplit,
  type FederatedClient,
  FederatedServer,
  type FederatedStrategy,
  fedAdagrad,
  fedAdam,
  fedAvg,
  fedAvgM,
  fedYogi,
  krum,
  loadModelVector,
  maskedClient,
  modelVector,
  proximalTerm,
  trimmedMean,
} from '@nn/privacy';
import { padText } from '@nn/train';
import type { Context } from '../context.ts';
import { drawnDigits } from '../digit-data.ts';
import { count, percent, seconds } from '../format.ts';
import { tellStopped } from '../run.ts';

const clientCount = 10;

/** One way to make one model of ten. */
interface Way {
  readonly name: string;
  readonly strategy: FederatedStrategy;
  /** How much a client is held near the model it was sent. */
  readonly mu?: number;
  /** Whether two clients send the opposite of what they learned, tenfold. */
  readonly liars?: boolean;
  readonly secure?: boolean;
}

const ways = (): Way[] => [
  { name: 'FedAvg', strategy: fedAvg() },
  { name: 'FedAvg, sums in secret', strategy: fedAvg(), secure: true },
  { name: 'FedProx', strategy: fedAvg(), mu: 0.1 },
  { name: 'FedAvgM', strategy: fedAvgM({ momentum: 0.6 }) },
  { name: 'FedAdam', strategy: fedAdam({ learningRate: 0.01 }) },
  { name: 'FedYogi', strategy: fedYogi({ learningRate: 0.01 }) },
  { name: 'FedAdagrad', strategy: fedAdagrad({ learningRate: 0.03 }) },
  { name: 'FedAvg, two liars', strategy: fedAvg(), liars: true },
  { name: 'median, two liars', strategy: coordinateMedian(), liars: true },
  { name: 'trimmed mean, two liars', strategy: trimmedMean(0.2), liars: true },
  { name: 'Krum, two liars', strategy: krum({ malicious: 2, keep: 5 }), liars: true },
];

export async function runFederated(context: Context): Promise<boolean> {
  const { terminal, settings, interrupt } = context;
  const { seed, epochs: rounds = 20, batchSize = 50, learningRate = 0.1 } = settings;
  const data = context.digits ?? drawnDigits(seed, 3000, 1000);
  const started = performance.now();
  const labels = data.train.fields.targets.data;
  const parts = dirichletSplit(labels, clientCount, { concentration: 0.3, seed });
  const normalize = { inputs: fitNormalization(data.train.fields.inputs, { per: 'array' }) };
  const loaderOf = (part: Classified<Uint8Array>) =>
    new DataLoader(part, { batchSize, shuffle: true, seed, normalize });
  const build = (): Sequential =>
    new Sequential((x: Tensor) => x.flatten(1), new Linear(data.size ** 2, 32), relu, new Linear(32, 10));
  const test = new DataLoader(data.test, { batchSize: 500, normalize });

  terminal.line(terminal.paint('  Ten clients, one network', 'bold'));
  terminal.text(
    `  ${count(labels.length)} ${data.name} at ${clientCount} clients, ${count(data.test.size)} to test. What each has of the digits 0 to 9:`,
  );
  for (const [k, part] of parts.entries()) {
    const of = Array.from({ length: 10 }, (_, digit) => part.filter((i) => labels[i] === digit).length);
    terminal.text(`  ${padText(`client ${k}`, 10)} ${of.map((each) => String(each || '').padStart(5)).join('')}`);
  }
  terminal.line();

  /** One pass over the loader; false where it was stopped. */
  const pass = async (
    model: Sequential,
    loader: ReturnType<typeof loaderOf>,
    term?: () => Tensor,
  ): Promise<boolean> => {
    const optimizer = new SGD(model, { learningRate });
    for (const { inputs, targets } of loader) {
      if (interrupt.signal.aborted) return false;
      const loss = crossEntropy(model.forward(inputs), targets);
      await optimizer.step(term === undefined ? loss : loss.add(term()));
    }
    return true;
  };
  const clientOf = (k: number, { mu, liars }: Way): FederatedClient => {
    const [model, loader] = [build(), loaderOf(data.train.take(parts[k]!))];
    const isLiar = liars === true && k < 2;
    return {
      async train({ vector }) {
        loadModelVector(model, vector);
        await pass(model, loader, mu === undefined ? undefined : () => proximalTerm(model, vector, mu));
        const learned = await modelVector(model);
        const told = isLiar ? learned.map((value, i) => vector[i]! - 10 * (value - vector[i]!)) : learned;
        return { vector: told, examples: parts[k]!.length };
      },
    };
  };

  const figures: Record<string, number> = {};
  const model = build();
  const half = Math.ceil(rounds / 2);
  terminal.text(
    `  ${padText('one model by', 26)} ${`${half} rounds`.padStart(10)} ${`${rounds} rounds`.padStart(10)} ${'worst digit'.padStart(12)}`,
  );
  const tell = (name: string, first: string, { accuracy, worst }: Reading): void => {
    figures[name] = accuracy;
    terminal.text(
      `  ${padText(name, 26)} ${first.padStart(10)} ${percent(accuracy).padStart(10)} ${percent(worst).padStart(12)}`,
    );
  };
  setSeed(seed);
  const start = await modelVector(build());
  for (const way of ways()) {
    const plain = Array.from({ length: clientCount }, (_, k) => clientOf(k, way));
    const mostExamples = Math.max(...parts.map(({ length }) => length));
    const server = way.secure
      ? new FederatedServer(start, plain.map(maskedClient), { strategy: way.strategy, secure: { mostExamples } })
      : new FederatedServer(start, plain, { strategy: way.strategy });
    let first = '';
    for (let round = 1; round <= rounds; round++) {
      await server.round();
      if (interrupt.signal.aborted) return tellStopped(context);
      if (round !== half) continue;
      loadModelVector(model, server.vector);
      first = percent((await readingOf(model, test)).accuracy);
    }
    loadModelVector(model, server.vector);
    tell(way.name, first, await readingOf(model, test));
  }

  const alone: number[] = [];
  for (const part of parts) {
    loadModelVector(model, start);
    const loader = loaderOf(data.train.take(part));
    for (let round = 0; round < rounds; round++) if (!(await pass(model, loader))) return tellStopped(context);
    alone.push((await readingOf(model, test)).accuracy);
  }
  loadModelVector(model, start);
  const all = loaderOf(data.train);
  for (let round = 0; round < rounds; round++) if (!(await pass(model, all))) return tellStopped(context);
  const together = await readingOf(model, test);
  const mean = alone.reduce((a, b) => a + b, 0) / alone.length;
  terminal.line();
  terminal.text(
    `  Each client alone: ${percent(mean)} on average, ${percent(Math.max(...alone))} the best. All digits in one place: ${percent(together.accuracy)}.`,
  );
  const took = (performance.now() - started) / 1000;
  terminal.text(
    `  A round with sums in secret gives the model that plain ones give; the server sees masks. ${seconds(1000 * took)}.`,
  );
  context.tell({
    task: 'federated',
    data: data.name,
    figures,
    baselines: {
      'each alone, mean': mean,
      'each alone, best': Math.max(...alone),
      'all in one place': together.accuracy,
    },
    seconds: took,
  });
  return true;
}

interface Reading {
  readonly accuracy: number;
  /** Of the digit that is read worst. */
  readonly worst: number;
}

async function readingOf(
  model: Sequential,
  test: Iterable<{ readonly inputs: Tensor; readonly targets: Tensor }>,
): Promise<Reading> {
  const [right, seen] = [new Float64Array(10), new Float64Array(10)];
  for (const { inputs, targets } of test) {
    const guesses = await model.forward(inputs).argMax(1).data();
    for (const [i, target] of (await targets.data()).entries()) {
      seen[target]!++;
      right[target]! += Number(guesses[i] === target);
    }
  }
  const sum = (of: Float64Array): number => of.reduce((a, b) => a + b, 0);
  return { accuracy: sum(right) / sum(seen), worst: Math.min(...right.map((each, k) => each / Math.max(1, seen[k]!))) };
}
