/** The page: starts the worker, shows how far it is, and draws what the network says of each place. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { giveWeights, trainInWorker } from '@nn/train';
import { buildModel } from './model.ts';
import type { Task } from './worker.ts';

setDefaultBackend(cpu({ threads: 1 }));
const model = buildModel();
const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const [status, start, stop] = [
  element('status'),
  element<HTMLButtonElement>('train'),
  element<HTMLButtonElement>('stop'),
];

start.addEventListener('click', async () => {
  start.disabled = true;
  stop.disabled = false;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  try {
    const run = trainInWorker<Task>(worker, { learningRate: 0.01, epochs: 40 });
    stop.onclick = () => run.abort();
    for await (const event of run) {
      if (event.type === 'epoch') status.textContent = `Epoch ${event.epoch}: loss ${event.values.loss.toFixed(4)}`;
    }
    const { weights } = await run.outcome;
    await giveWeights(model, weights);
    await draw();
    status.textContent = `Done: ${status.textContent}`;
  } catch (error) {
    status.textContent = String(error);
  } finally {
    worker.terminate();
    start.disabled = false;
    stop.disabled = true;
  }
});

/** One pixel for each place of the plane, in the colour of what the network thinks of it. */
async function draw(): Promise<void> {
  const canvas = element<HTMLCanvasElement>('plane');
  const { width, height } = canvas;
  const places = Array.from({ length: width * height }, (_, i) => [
    -1.5 + (4 * (i % width)) / width,
    1.5 - (2.5 * Math.floor(i / width)) / height,
  ]);
  const chances = await model.forward(tensor(places)).softmax(1).data('float32');
  const image = new ImageData(width, height);
  for (let i = 0; i < places.length; i++) {
    const blue = chances[2 * i + 1]!;
    image.data.set([60 + 180 * (1 - blue), 110, 60 + 180 * blue, 255], 4 * i);
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
