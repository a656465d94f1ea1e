/** Trains, apart from the page. What it is told and what it tells is typed by `Task`. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { DataLoader, moons } from '@nn/data';
import { crossEntropy } from '@nn/layers';
import { AdamW } from '@nn/optim';
import { serveTraining, Training } from '@nn/train';
import { buildModel } from './model.ts';

const served = serveTraining((settings: { readonly learningRate: number; readonly epochs: number }) => {
  setDefaultBackend(cpu({ threads: 1 }));
  setSeed(1);
  const model = buildModel();
  return new Training({
    model,
    optimizer: new AdamW(model, { learningRate: settings.learningRate }),
    data: new DataLoader(moons(500, { noise: 0.15, seed: 1 }), { batchSize: 50, shuffle: true, seed: 1 }),
    step: ({ inputs, targets }) => crossEntropy(model.forward(inputs), targets),
    epochs: settings.epochs,
  });
});

export type Task = typeof served;
