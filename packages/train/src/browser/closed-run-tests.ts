/** The run of closed-pages.test.ts, on the page and in its worker alike: everything with state that a run may have. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { type Batch, type DataArray, DataLoader, moons } from '@nn/data';
import { crossEntropy, Dropout, Linear, relu, Sequential } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { AdamW, WeightAverage } from '@nn/optim';
import { earlyStopping, RollBack, Training, weightAverage } from '../index.ts';
import { checkpoint, resume } from './checkpoint.ts';

type Sample = Batch<{ readonly inputs: DataArray; readonly targets: DataArray<Int32Array> }>;
export interface Settings {
  readonly name: string;
}

/** Built as it was, and brought to where it was saved. */
export async function begin({ name }: Settings): Promise<Training<Sample, { readonly accuracy: Accuracy }>> {
  setDefaultBackend(cpu());
  setSeed(5);
  const model = new Sequential(new Linear(2, 8), relu, new Dropout(0.2), new Linear(8, 2));
  const accuracy = new Accuracy();
  const training = new Training({
    model,
    optimizer: new AdamW(model, { learningRate: 0.02 }),
    data: new DataLoader(moons(100, { seed: 1 }), { batchSize: 10, shuffle: true, seed: 1 }),
    validation: { data: new DataLoader(moons(60, { seed: 2 }), { batchSize: 30 }) },
    metrics: { accuracy },
    step: ({ inputs, targets }) => {
      const logits = model.forward(inputs);
      accuracy.update(logits, targets);
      return crossEntropy(logits, targets);
    },
    epochs: 5,
    readEvery: 2,
    rollBack: new RollBack({ every: 6 }),
    callbacks: [
      earlyStopping({ monitor: 'validation.loss', patience: 9, restoreBest: model }),
      checkpoint({ name, every: 2, keep: 2, best: 'validation.accuracy', atStart: true }),
      weightAverage(new WeightAverage(model, { decay: 0.9 })),
      // as long as steps of a larger network are: a page is closed between them, and in them
      { handle: ({ type }) => (type === 'step' ? new Promise((done) => setTimeout(done, 4)) : undefined) },
    ],
  });
  await resume(training, name);
  return training;
}
