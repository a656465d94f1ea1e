/** `npm run predict -- 0.5 0.2`: what the saved network says of a point. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { loadModel } from '@nn/serialize';
import { buildModel, modelFile } from './model.ts';

setDefaultBackend(cpu());
const [x = 0, y = 0] = process.argv.slice(2).map(Number);
const model = buildModel();
await loadModel(modelFile, model);
const [upper = 0, lower = 0] = await model
  .forward(tensor([[x, y]]))
  .softmax(1)
  .data('float32');
console.log(
  `(${x}, ${y}) is of the upper moon with a probability of ${upper.toFixed(3)}, of the lower one with ${lower.toFixed(3)}.`,
);
