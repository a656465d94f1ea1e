/**
 * The same task for less: a network that reads digits beside itself made ready for inference, in half floats, on bytes, in four bits,
 * with half of its channels, and a small student, alone and taught by it. Accuracy, size, work, time and energy side by side.
 */
import {
  cost,
  distillationLoss,
  EnergyMeter,
  energy as energyOf,
  quantise,
  readyForInference,
  shrink,
} from '@nn/compress';
import { castParameters, compile, evaluate, namedParameters, noGradient, setSeed, type Tensor, tensor } from '@nn/core';
import { DataLoader, fitNormalization } from '@nn/data';
import { BatchNorm2d, Conv2d, crossEntropy, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '@nn/layers';
import { Adam, oneCycle } from '@nn/optim';
import { encodeModel } from '@nn/serialize';
import { padText, Training } from '@nn/train';
import type { Context } from '../context.ts';
import { drawnDigits } from '../digit-data.ts';
import { count, percent, seconds } from '../format.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';

/** Two convolutions with batch normalisation, relu and pooling, then a linear layer: [N, 1, size, size] to logits [N, 10]. */
function network(size: number, first: number, second: number): Sequential {
  const left = Math.floor((Math.floor((size - 4) / 2) - 4) / 2);
  return new Sequential(
    ...[new Conv2d(1, first, 5), new BatchNorm2d(first), new ReLU(), new MaxPool2d(2)],
    ...[new Conv2d(first, second, 5), new BatchNorm2d(second), new ReLU(), new MaxPool2d(2)],
    ...[new Flatten(), new Linear(second * left ** 2, 10)],
  );
}

/** A copy with the same numbers. */
function copyOf(model: Sequential, size: number): Sequential {
  const [first, second] = [model.at(0) as Conv2d, model.at(4) as Conv2d];
  const copy = network(size, first.outputs, second.outputs);
  const values = namedParameters(model);
  for (const [name, own] of namedParameters(copy)) own.assign(values.get(name)!.stopGradient());
  return copy;
}

interface Row {
  readonly name: string;
  readonly accuracy: number;
  readonly bytes: number;
  readonly multiplyAdds: number;
  readonly call: (x: Tensor) => Promise<Tensor>;
  readonly milliseconds: number[];
  joules: number;
}

/** Grams of CO2 for a kilowatt hour, about the mean of the European Union; yours may be a tenth of it, or the double. */
const gridFactor = 250;

/** Calls in a round, and rounds in which the networks take turns, so that what else the machine does meets all of them. */
const [calls, rounds] = [300, 9];

export async function runEnergy(context: Context): Promise<boolean> {
  const { terminal, settings, interrupt } = context;
  const { seed, batchSize = 50, learningRate = 0.01, epochs = 3 } = settings;
  const data = context.digits ?? drawnDigits(seed, 4000, 1000);
  const { size } = data;
  const shape = [1, 1, size, size];
  setSeed(seed);
  const normalize = { inputs: fitNormalization(data.train.fields.inputs, { per: 'array' }) };
  const test = new DataLoader(data.test, { batchSize: 250, normalize });
  terminal.line(terminal.paint('  The same for less', 'bold'));
  terminal.text(`  ${count(data.train.size)} ${data.name} to train, ${count(data.test.size)} others to test.`);

  const learn = async (title: string, model: Sequential, passes: number, teacher?: Sequential): Promise<boolean> => {
    const train = new DataLoader(data.train, { batchSize, shuffle: true, seed, normalize });
    const schedule = oneCycle(teacher || passes === epochs ? learningRate : learningRate / 4, {
      steps: passes * train.length,
    });
    const training = new Training({
      model,
      optimizer: new Adam(model, { learningRate: schedule }),
      data: train,
      step: ({ inputs, targets }) => {
        const logits = model.forward(inputs);
        if (teacher === undefined) return crossEntropy(logits, targets);
        const answer = evaluate(() => noGradient(() => teacher.forward(inputs)));
        return distillationLoss(logits, answer, { temperature: 4, targets, alpha: 0.3 });
      },
      epochs: passes,
      compile: true,
      signal: interrupt.signal,
      callbacks: shownBy({ task: 'energy', title, epochs: false, report: { energy: new EnergyMeter() } }, context),
    });
    terminal.text(`  ${terminal.paint(title, 'bold')}`);
    const { why } = await training.run();
    terminal.clear();
    return why !== 'aborted';
  };

  const rows: Row[] = [];
  const add = async (name: string, model: Sequential): Promise<void> => {
    const { multiplyAdds } = await cost(model, shape);
    let right = 0;
    for (const { inputs, targets } of test) {
      const answers = evaluate(() => model.forward(inputs)).argMax(1);
      right += await answers.equal(targets).cast('float32').sum().item();
    }
    const bytes = (await encodeModel(model)).length;
    const call = compile((x: Tensor) => evaluate(() => model.forward(x)));
    rows.push({
      name,
      accuracy: right / data.test.size,
      bytes,
      multiplyAdds,
      call,
      milliseconds: [],
      joules: 0,
    });
  };

  const started = performance.now();
  const large = network(size, 16, 32);
  if (!(await learn('the network', large, epochs))) return tellStopped(context);
  await add('as trained', copyOf(large, size));
  const ready = copyOf(large, size);
  await readyForInference(ready, shape);
  await add('ready for inference', ready);
  const seen = new DataLoader(data.train.take([...Array(200).keys()]), { batchSize: 50, normalize });
  const onBytes = async (name: string, model: Sequential): Promise<void> => {
    await quantise(model, { mode: 'static', calibration: [...seen].map(({ inputs }) => inputs) });
    await add(name, model);
  };
  for (const dtype of ['float16', 'bfloat16'] as const) {
    const half = copyOf(large, size);
    await readyForInference(half, shape);
    castParameters(half, dtype);
    await add(`ready, in ${dtype}`, half);
  }
  const fourBits = copyOf(large, size);
  await readyForInference(fourBits, shape);
  await quantise(fourBits, { mode: 'weights', bits: 4 });
  await add('ready, Linear in 4 bits', fourBits);
  const bytes = copyOf(large, size);
  await readyForInference(bytes, shape);
  await onBytes('ready, on bytes', bytes);
  const pruned = copyOf(large, size);
  await shrink(pruned, shape, { amount: 0.5 });
  if (!(await learn('the same with half of its channels', pruned, 1))) return tellStopped(context);
  const both = copyOf(pruned, size);
  await readyForInference(pruned, shape);
  await add('pruned by half', pruned);
  await readyForInference(both, shape);
  await onBytes('pruned, on bytes', both);
  for (const [name, teacher] of [
    ['student alone', undefined],
    ['student, distilled', large],
  ] as const) {
    setSeed(seed + 1);
    const student = network(size, 4, 8);
    if (!(await learn(name, student, epochs, teacher))) return tellStopped(context);
    await readyForInference(student, shape);
    await add(name, student);
  }

  const picture = tensor(new Float32Array(size * size), { shape });
  let method = '';
  for (let round = 0; round <= rounds; round++) {
    for (const row of rows) {
      const begun = performance.now();
      const spent = await energyOf(async () => {
        for (let k = 0; k < calls; k++) await (await row.call(picture)).data();
      });
      if (round === 0) continue; // it was compiled
      row.milliseconds.push((performance.now() - begun) / calls);
      row.joules += spent.joules / (calls * rounds);
      method = spent.method;
      if (interrupt.signal.aborted) return tellStopped(context);
    }
  }
  print(context, rows, method);
  const took = performance.now() - started;
  terminal.text(`  ${seconds(took)}.`);
  tellReport('energy', terminal, context);
  const figures = rows.flatMap((row) => [
    [`${row.name}, accuracy`, row.accuracy],
    [`${row.name}, bytes`, row.bytes],
    [`${row.name}, multiply-adds`, row.multiplyAdds],
    [`${row.name}, ms`, median(row.milliseconds)],
    [`${row.name}, mJ`, 1000 * row.joules],
    [`${row.name}, mg of CO2 a million`, milligramsOf(row)],
  ]);
  context.tell({
    task: 'energy',
    data: data.name,
    figures: Object.fromEntries(figures),
    baselines: { 'student alone, accuracy': rows.find(({ name }) => name === 'student alone')?.accuracy ?? 0 },
    seconds: took / 1000,
  });
  return true;
}

/** Of CO2, for a million pictures. */
const milligramsOf = ({ joules }: Row): number => 1000 * ((joules * 1e6) / 3.6e6) * gridFactor;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function print({ terminal }: Context, rows: readonly Row[], method: string): void {
  terminal.line();
  const head = ['accuracy', 'file', 'multiply-adds', 'ms a picture', 'mJ a picture', 'mg a million'];
  terminal.text(`  ${padText('', 24)} ${head.map((name) => name.padStart(13)).join(' ')}`);
  for (const row of rows) {
    const cells = [
      percent(row.accuracy),
      `${(row.bytes / 1000).toFixed(1)} kB`,
      count(row.multiplyAdds),
      median(row.milliseconds).toFixed(3),
      (1000 * row.joules).toFixed(2),
      milligramsOf(row).toFixed(0),
    ];
    terminal.text(`  ${padText(row.name, 24)} ${cells.map((cell) => cell.padStart(13)).join(' ')}`);
  }
  terminal.text(
    `  One picture at a time, median of ${rounds} rounds that the networks took in turns. Energy: ${method}. CO2: at ${gridFactor} g a kilowatt hour.`,
  );
}
