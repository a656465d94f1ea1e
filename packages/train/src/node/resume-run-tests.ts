/** A run for resume.node.test.ts: trains in the folder of its first argument, and ends itself by SIGKILL where it is told to. */
import { join } from 'node:path';
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { DataLoader, moons } from '@nn/data';
import { crossEntropy, Dropout, Linear, relu, Sequential } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { AdamW, WeightAverage } from '@nn/optim';
import type { Callback } from '../events.ts';
import {
  activationStatistics,
  earlyStopping,
  lossWatch,
  RollBack,
  spikeDetection,
  Training,
  weightAverage,
} from '../index.ts';
import { checkpoint, csv, jsonLines, resume, tensorBoard } from './index.ts';

const [folder = '', killAt = 'never'] = process.argv.slice(2);
setDefaultBackend(cpu());
setSeed(5);
const model = new Sequential(new Linear(2, 8), relu, new Dropout(0.2), new Linear(8, 2));
const accuracy = new Accuracy();
/** Counts the moments at which it is called, first and last among the callbacks, and dies at one of them. */
let moments = 0;
const moment: Callback = {
  handle: () => {
    if (String(++moments) === killAt) process.kill(process.pid, 'SIGKILL');
  },
};
const training = new Training({
  model,
  optimizer: new AdamW(model, { learningRate: 0.02 }),
  data: new DataLoader(moons(100, { seed: 1 }), { batchSize: 16, shuffle: true, seed: 1 }),
  validation: { data: new DataLoader(moons(60, { seed: 2 }), { batchSize: 25 }) },
  metrics: { accuracy },
  step: ({ inputs, targets }) => {
    const logits = model.forward(inputs);
    accuracy.update(logits, targets);
    return crossEntropy(logits, targets);
  },
  epochs: 3,
  readEvery: 3,
  rollBack: new RollBack({ every: 6 }),
  callbacks: [
    moment,
    earlyStopping({ monitor: 'validation.loss', patience: 9, restoreBest: model }),
    spikeDetection({ window: 4, deviations: 0.5 }),
    lossWatch({ window: 4, patience: 1 }),
    activationStatistics(model, { pattern: /1$/ }),
    jsonLines({ path: join(folder, 'run.jsonl'), clock: null, losses: true }),
    csv({ path: join(folder, 'run.csv') }),
    tensorBoard({ folder, clock: () => 0, histograms: 1 }),
    checkpoint({ folder, every: 4, keep: 2, best: 'validation.accuracy', atStart: true }),
    weightAverage(new WeightAverage(model, { decay: 0.9 })),
    moment,
  ],
});
await resume(training, folder);
await training.run();
process.stdout.write(`${moments}\n`);
