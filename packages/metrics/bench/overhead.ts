/**
 * What metrics add to a training step: the same compiled step with and without them, in turns, medians of many rounds.
 * Run as users run it, bundled, because loaders that keep the names of functions cost a small step a third of its time:
 * npx esbuild packages/metrics/bench/overhead.ts --bundle --platform=node --format=esm --conditions=@nn/source | node --input-type=module
 */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { compile, setDefaultBackend, setSeed, type Tensor, uniform } from '@nn/core';
import { bceWithLogits, crossEntropy, Linear, relu, Sequential, tanh } from '@nn/layers';
import { Adam, SGD } from '@nn/optim';
import { Accuracy, F1Score, Mean, type Metric, read } from '../src/index.ts';

setDefaultBackend(cpu());
setSeed(1);

type Watch = (logits: Tensor, targets: Tensor, loss: Tensor) => void;
type Step = (x: Tensor, y: Tensor) => unknown;
interface Subject {
  readonly name: string;
  readonly make: (watch: Watch) => Step;
  readonly batch: readonly [Tensor, Tensor];
  readonly from: 'logits' | undefined;
  readonly steps: number;
}

const mlpBatch = [uniform([64, 784]), uniform([64]).mul(10).floor().cast('int32')] as const;
const smallBatch = [uniform([4, 2]), uniform([4, 1]).greater(0.5).cast('float32')] as const;

function mlp(watch: Watch): Step {
  const model = new Sequential(new Linear(784, 128), relu, new Linear(128, 10));
  const optimizer = new Adam(model, { learningRate: 1e-3 });
  return (x, y) => {
    const logits = model.forward(x);
    const loss = crossEntropy(logits, y);
    watch(logits, y, loss);
    optimizer.step(loss);
    return loss;
  };
}

function small(watch: Watch): Step {
  const model = new Sequential(new Linear(2, 4), tanh, new Linear(4, 1));
  const optimizer = new SGD(model, { learningRate: 0.1 });
  return (x, y) => {
    const logits = model.forward(x);
    const loss = bceWithLogits(logits, y);
    watch(logits, y, loss);
    optimizer.step(loss);
    return loss;
  };
}

const subjects: readonly Subject[] = [
  { name: 'MLP 784-128-10, batch 64, Adam, compiled', make: mlp, batch: mlpBatch, from: undefined, steps: 50 },
  { name: '2-4-1, batch 4, SGD, compiled', make: small, batch: smallBatch, from: 'logits', steps: 2000 },
];

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;
const readEvery = 1000;

for (const { name, make, batch, from, steps } of subjects) {
  const sets: readonly Readonly<Record<string, Metric<number>>>[] = [
    {},
    { loss: new Mean() },
    { accuracy: new Accuracy({ ...(from && { from }) }) },
    { loss: new Mean(), accuracy: new Accuracy({ ...(from && { from }) }) },
    {
      loss: new Mean(),
      accuracy: new Accuracy({ ...(from && { from }) }),
      f1: new F1Score({ ...(from ? { from } : { average: 'macro' as const }) }),
    },
  ];
  const runs = sets.map((metrics) => {
    const watch: Watch = (logits, targets, loss) => {
      const { loss: mean, ...others } = metrics;
      if (mean instanceof Mean) mean.update(loss);
      for (const metric of Object.values(others)) {
        if (metric instanceof Accuracy || metric instanceof F1Score) metric.update(logits, targets);
      }
    };
    const step = compile(make(watch));
    return async (count: number): Promise<number> => {
      // time of the processor, not of the clock: neighbours on the machine take turns with us
      const start = process.cpuUsage();
      for (let k = 1; k <= count; k++) {
        await step(...batch);
        if (k % readEvery === 0 && Object.keys(metrics).length > 0) await read(metrics);
      }
      const { user, system } = process.cpuUsage(start);
      return (user + system) / count;
    };
  });
  for (const run of runs) await run(steps);
  const times: number[][] = runs.map(() => []);
  for (let round = 0; round < 31; round++) for (const [k, run] of runs.entries()) times[k]?.push(await run(steps));
  const plain = median(times[0] ?? []);
  process.stdout.write(`${name}: ${plain.toFixed(1)} us of CPU a step\n`);
  for (const [k, metrics] of sets.entries()) {
    if (k === 0) continue;
    // the ratio of neighbours in time, so that what disturbs the machine disturbs both
    const ratios = (times[k] ?? []).map((time, round) => time / (times[0]?.[round] ?? 1));
    process.stdout.write(`  with ${Object.keys(metrics).join(', ')}: +${((median(ratios) - 1) * 100).toFixed(1)} %\n`);
  }
}
