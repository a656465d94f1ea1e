/**
 * What `Training`, its progress and its watches add to a compiled step: the same step in a loop by hand and in `Training`, in
 * turns, medians of many rounds of processor time. Each way has a process of its own, as it has with users: in one process
 * the engine of JavaScript prepares each function for all of them. Three in all, for memory lies elsewhere in each. Run bundled, because loaders that keep the names of functions
 * cost a small step a third of its time:
 * npx esbuild packages/train/bench/overhead.ts --bundle --platform=node --format=esm --conditions=@nn/source --outfile=overhead.mjs
 * node overhead.mjs [SUBJECT]
 */
import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { cpu } from '@nn/backend-cpu';
import { compile, setDefaultBackend, setSeed, type Tensor, uniform } from '@nn/core';
import { bceWithLogits, crossEntropy, Linear, relu, Sequential, tanh } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { Adam, SGD } from '@nn/optim';
import {
  type Callback,
  gradientStatistics,
  lossWatch,
  progress,
  Terminal,
  Training,
  throughput,
} from '../src/index.ts';

setDefaultBackend(cpu());
setSeed(1);

type Sample = { readonly x: Tensor; readonly y: Tensor };
type Run = () => Promise<void>;
interface Subject {
  readonly name: string;
  readonly steps: number;
  readonly batch: Sample;
  readonly make: () => {
    readonly model: Sequential;
    readonly optimizer: Adam | SGD;
    readonly lossOf: (logits: Tensor, y: Tensor) => Tensor;
    readonly accuracy: Accuracy;
  };
}

function smallSubject(batch: number): Subject {
  return {
    name: `2-4-1, batch ${batch}, SGD`,
    steps: 40_000,
    batch: { x: uniform([batch, 2]), y: uniform([batch, 1]).greater(0.5).cast('float32') },
    make: () => {
      const model = new Sequential(new Linear(2, 4), tanh, new Linear(4, 1));
      const optimizer = new SGD(model, { learningRate: 0.1 });
      return { model, optimizer, lossOf: bceWithLogits, accuracy: new Accuracy({ from: 'logits' }) };
    },
  };
}

const subjects: readonly Subject[] = [
  {
    name: 'MLP 784-128-10, batch 64, Adam',
    steps: 150,
    batch: { x: uniform([64, 784]), y: uniform([64]).mul(10).floor().cast('int32') },
    make: () => {
      const model = new Sequential(new Linear(784, 128), relu, new Linear(128, 10));
      return {
        model,
        optimizer: new Adam(model, { learningRate: 1e-3 }),
        lossOf: crossEntropy,
        accuracy: new Accuracy(),
      };
    },
  },
  smallSubject(100),
  smallSubject(4),
];

const terminal = new Terminal({ isTTY: true, columns: 100, rows: 30, write: () => true, getColorDepth: () => 8 }, {});

/** A loop that knows nothing of its losses, or has the tensor of each and does not read it. */
function byHand({ batch, steps, make }: Subject, hasLosses: boolean): Run {
  const { model, optimizer, lossOf } = make();
  const step = compile((x: Tensor, y: Tensor) => {
    const loss = lossOf(model.forward(x), y);
    void optimizer.step(loss);
    return hasLosses ? loss : null;
  });
  return async () => {
    for (let k = 0; k < steps; k++) await step(batch.x, batch.y);
  };
}

type Watches = (optimizer: Adam | SGD) => readonly Callback[];

function inTraining({ batch, steps, make }: Subject, withMetric: boolean, watches: Watches, readEvery = 50): Run {
  const { model, optimizer, lossOf, accuracy } = make();
  const data = {
    length: steps,
    *[Symbol.iterator]() {
      for (let k = 0; k < steps; k++) yield batch;
    },
  };
  const callbacks = watches(optimizer);
  const options = {
    model,
    optimizer,
    data,
    step: ({ x, y }: Sample) => {
      const logits = model.forward(x);
      if (withMetric) accuracy.update(logits, y);
      return lossOf(logits, y);
    },
    compile: true,
    readEvery,
    ...(withMetric && { metrics: { accuracy } }),
  };
  const training = new Training({
    ...options,
    epochs: 1e9,
    callbacks: [...callbacks, { hears: ['epoch'], handle: (_, controls) => controls.stop() }],
  });
  return async () => void (await training.run());
}

const kinds: readonly (readonly [string, (subject: Subject) => Run])[] = [
  ['by hand', (subject) => byHand(subject, false)],
  ['by hand, with its losses', (subject) => byHand(subject, true)],
  ['Training, a read in 1,000 steps', (subject) => inTraining(subject, false, () => [], 1000)],
  [
    'the same with accuracy and progress',
    (subject) => inTraining(subject, true, () => [progress({ terminal, epochs: false })], 1000),
  ],
  ['Training, a read in 50 steps', (subject) => inTraining(subject, false, () => [])],
  ['with accuracy and progress', (subject) => inTraining(subject, true, () => [progress({ terminal, epochs: false })])],
  [
    'and lossWatch, throughput',
    (subject) => inTraining(subject, true, () => [progress({ terminal, epochs: false }), lossWatch(), throughput()]),
  ],
  [
    'and gradientStatistics',
    (subject) =>
      inTraining(subject, true, (optimizer) => [progress({ terminal, epochs: false }), gradientStatistics(optimizer)]),
  ],
];

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/** A process with one way: it warms up, and answers each message with the microseconds of a step. */
async function answer(subject: Subject, kind: number): Promise<void> {
  const run = kinds[kind]![1](subject);
  // V8 goes on compiling until some 400,000 steps; large ones are ready sooner
  const warm = performance.now() + 3000;
  for (let steps = 0; steps < 600_000 && performance.now() < warm; steps += subject.steps) await run();
  process.on('message', async () => {
    const start = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(start);
    process.send!((user + system) / subject.steps);
  });
  process.send!(0);
}

const reply = (child: ChildProcess): Promise<number> => new Promise((resolve) => child.once('message', resolve));

/** Microseconds of a step: a list for each way, with the same rounds in all of them. */
async function timesOf(at: number): Promise<number[][]> {
  const times: number[][] = kinds.map(() => []);
  for (let again = 0; again < 3; again++) {
    const children: ChildProcess[] = [];
    for (let kind = 0; kind < kinds.length; kind++) {
      const child = fork(fileURLToPath(import.meta.url), ['way', String(at), String(kind)]);
      children.push(child);
      await reply(child);
    }
    for (let round = 0; round < 9; round++) {
      for (const [kind, child] of children.entries()) {
        const time = reply(child);
        child.send('again');
        times[kind]!.push(await time);
      }
    }
    for (const child of children) child.kill();
  }
  return times;
}

async function compare(at: number): Promise<void> {
  const times = await timesOf(at);
  process.stdout.write(`${subjects[at]!.name}: ${median(times[0]!).toFixed(2)} us of CPU a step\n`);
  for (const [k, [name]] of kinds.entries()) {
    if (k === 0) continue;
    // the ratio of neighbours in time, so that what disturbs the machine disturbs both
    const ratios = times[k]!.map((time, round) => time / times[0]![round]!);
    process.stdout.write(
      `  ${name}: ${median(times[k]!).toFixed(2)} us, ${((median(ratios) - 1) * 100).toFixed(1)} %\n`,
    );
  }
}

const [role = '', subjectAt = '', kindAt = ''] = process.argv.slice(2);
if (role === 'way') await answer(subjects[Number(subjectAt)]!, Number(kindAt));
else for (const [at, { name }] of subjects.entries()) if (name.includes(role)) await compare(at);
