/** `npm start`: trains the network and saves it. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { DataLoader, moons, trainTestSplit } from '@nn/data';
import { crossEntropy } from '@nn/layers';
import { Accuracy } from '@nn/metrics';
import { AdamW } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { progress, Training } from '@nn/train';
import { buildModel, modelFile } from './model.ts';

setDefaultBackend(cpu());
setSeed(1);

// Your data goes here: `readCsv`, `readIdxImages`, `imageFolder` and others of @nn/data and @nn/vision read files.
const { train, test } = trainTestSplit(moons(1000, { noise: 0.2, seed: 1 }), { testFraction: 0.2, seed: 1 });

const model = buildModel();
const accuracy = new Accuracy();
const training = new Training({
  model,
  optimizer: new AdamW(model, { learningRate: 0.01 }),
  data: new DataLoader(train, { batchSize: 50, shuffle: true, seed: 1 }),
  validation: { data: new DataLoader(test, { batchSize: 200 }) },
  metrics: { accuracy },
  step: ({ inputs, targets }) => {
    const logits = model.forward(inputs);
    accuracy.update(logits, targets);
    return crossEntropy(logits, targets);
  },
  epochs: 15,
  callbacks: [progress()],
});
await training.run();

const reached = await training.evaluate(new DataLoader(test, { batchSize: 200 }));
await saveModel(modelFile, model);
console.log(
  `Right for ${(100 * reached.accuracy).toFixed(1)} % of points it never saw. Saved ${modelFile}: try npm run predict.`,
);
