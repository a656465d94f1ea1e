/**
 * Trainings of many kinds, each ended everywhere: what was saved at a rest goes on to the same events, history and parameters
 * in a new training, and one that was stopped, aborted or left at any event does so in its place. NN_TRAININGS=200 tries more.
 */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed, type Tensor } from '@nn/core';
import { DataLoader, dataPipeline, moons, RandomSequence } from '@nn/data';
import { crossEntropy, Dropout, Linear, relu, Sequential } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { AdamW, ReduceLROnPlateau, WeightAverage } from '@nn/optim';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { beforeAll, expect, test } from 'vitest';
import type { Callback } from './events.ts';
import {
  earlyStopping,
  lossWatch,
  RollBack,
  reduceOnPlateau,
  spikeDetection,
  Training,
  weightAverage,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const trainings = Number(globalThis.process?.env.NN_TRAININGS ?? 8);

type Sample = { readonly inputs: Tensor; readonly targets: Tensor };

/** A training drawn by a seed: what it is made of in words, and a maker of new ones. */
function drawn(seed: number) {
  const random = new RandomSequence(seed, 0);
  const from = (low: number, high: number): number => low + random.integer(high - low + 1);
  const one = <T>(...of: readonly T[]): T => of[random.integer(of.length)] as T;
  const kind = {
    samples: one(40, 50),
    batchSize: one(8, 16, 32),
    data: one<'loader' | 'dropLast' | 'pipeline' | 'late'>('loader', 'dropLast', 'pipeline', 'late'),
    accumulate: one(1, 1, 2, 3, 4),
    readEvery: from(1, 9),
    validation: one<'none' | 'epochs' | number>('none', 'epochs', from(1, 9)),
    end: one<{ epochs?: number; steps?: number }>({ epochs: from(2, 4) }, { steps: from(5, 40) }),
    compile: one(true, false),
    patience: one<number | null>(null, 1, 2),
    averages: one(true, false),
    plateau: one(true, false),
    rollBack: one(0, 3),
  };
  const make = (last: Callback, signal?: AbortSignal) => {
    setSeed(5);
    const model = new Sequential(new Linear(2, 8), relu, new Dropout(0.2), new Linear(8, 2));
    const optimizer = new AdamW(model, { learningRate: 0.03 });
    const samples = moons(kind.samples, { seed: 1, noise: 0.3 });
    const order = { shuffle: true, seed: 1 };
    const data =
      kind.data === 'pipeline'
        ? dataPipeline(samples).batch(kind.batchSize, order)
        : kind.data === 'late'
          ? dataPipeline(samples)
              .map((sample) => Promise.resolve(sample))
              .batch(kind.batchSize, order)
          : new DataLoader(samples, {
              batchSize: Math.min(kind.batchSize, kind.samples),
              dropLast: kind.data === 'dropLast',
              ...order,
            });
    const held = new DataLoader(moons(50, { seed: 2, noise: 0.3 }), { batchSize: 20, shuffle: true, seed: 3 });
    const every = typeof kind.validation === 'number' ? { every: kind.validation } : {};
    const accuracy = new Accuracy();
    const monitor = (kind.validation === 'none' ? 'loss' : 'validation.loss') as 'loss';
    const plateau = new ReduceLROnPlateau(optimizer, { patience: 0 });
    const training = new Training({
      model,
      optimizer,
      data: data as Iterable<Sample> | AsyncIterable<Sample>,
      metrics: { accuracy },
      step: ({ inputs, targets }: Sample) => {
        const logits = model.forward(inputs);
        accuracy.update(logits, targets);
        return crossEntropy(logits, targets);
      },
      ...kind.end,
      ...(kind.validation !== 'none' && { validation: { data: held, ...every } }),
      ...(kind.rollBack > 0 && { rollBack: new RollBack({ every: kind.rollBack }) }),
      ...(signal !== undefined && { signal }),
      accumulate: kind.accumulate,
      compile: kind.compile,
      readEvery: kind.readEvery,
      callbacks: [
        ...(kind.patience === null ? [] : [earlyStopping({ monitor, patience: kind.patience, restoreBest: model })]),
        ...(kind.averages ? [weightAverage(new WeightAverage(model, { decay: 0.9 }))] : []),
        ...(kind.plateau ? [reduceOnPlateau(plateau, { monitor })] : []),
        spikeDetection({ window: 4, deviations: 0.5 }),
        lossWatch({ window: 4, patience: 1 }),
        last,
      ],
    });
    const outcome = async () => {
      const [first, , , second] = model.layers as readonly Linear[];
      return { history: training.history, weights: [await first!.weight.array(), await second!.weight.array()] };
    };
    return { training, outcome };
  };
  return { kind, make };
}

/** Events but those of steps, and warnings, which come anew where what they count begins anew. */
const isTold = ({ type }: { readonly type: string }): boolean => type !== 'step' && type !== 'warning';

for (let seed = 1; seed <= trainings; seed++) {
  const { kind, make } = drawn(seed);
  test(`${seed}: ${JSON.stringify(kind)}`, { timeout: 60_000 }, async () => {
    const events: string[] = [];
    const saved: { readonly bytes: Uint8Array; readonly at: number }[] = [];
    const whole = make({
      handle: async (event, { parts }) => {
        if (isTold(event)) events.push(JSON.stringify(event));
        if (event.type === 'rest') saved.push({ bytes: await encodeCheckpoint(parts), at: events.length });
      },
    });
    await whole.training.run();
    const expected = await whole.outcome();

    const apart = Math.ceil(saved.length / 4);
    for (const { bytes, at } of saved.filter((_, k) => k % apart === 0 || k === saved.length - 1)) {
      const told: string[] = [];
      const other = make({ handle: (event) => void (isTold(event) && told.push(JSON.stringify(event))) });
      setSeed(99);
      await loadCheckpoint(bytes, other.training.parts);
      await other.training.run();
      expect({ at, ...(await other.outcome()) }).toEqual({ at, ...expected });
      expect(told.slice(1)).toEqual(events.slice(at));
    }

    // early stopping that was heard once is not heard by the run that goes on in place: who runs on wants more
    if (kind.patience !== null) return;
    const end = (seed * 7) % events.length;
    for (const how of ['stop', 'abort', 'break'] as const) {
      let told = 0;
      const controller = new AbortController();
      const isAt = (event: { readonly type: string }): boolean => isTold(event) && told++ === end;
      const other = make({
        handle: (event, controls) => {
          if (how === 'break' || !isAt(event)) return;
          if (how === 'stop') controls.stop();
          else controller.abort();
        },
      });
      if (how === 'break') {
        for await (const event of other.training) if (isAt(event)) break;
      } else await other.training.run();
      await other.training.run();
      expect({ how, ...(await other.outcome()) }).toEqual({ how, ...expected });
    }
  });
}
