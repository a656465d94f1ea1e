/** Training over a pipeline: left in mid-epoch and resumed, it makes the same steps. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, setSeed } from '@nn/core';
import { crossEntropy, Linear } from '@nn/layers';
import { Adam } from '@nn/optim';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { Training } from '@nn/train';
import { beforeAll, expect, it } from 'vitest';
import { byteRange } from '../sources/byte-range.ts';
import { csvRows } from '../sources/csv-rows.ts';
import { dataPipeline } from './pipeline.ts';

beforeAll(() => setDefaultBackend(cpu()));

const text = `x,y,kind\n${Array.from({ length: 60 }, (_, i) => `${i % 7},${i % 5},${i % 7 > i % 5 ? 'a' : 'b'}`).join('\n')}\n`;

async function make(steps: number) {
  setSeed(1);
  const rows = await csvRows(byteRange(new TextEncoder().encode(text)));
  const data = dataPipeline(rows)
    .filter(({ x }) => x !== 6)
    .map(({ x, y, kind }, { random }) => ({
      inputs: [Number(x) + random.normal(0, 0.1), Number(y)],
      targets: kind === 'a' ? 0 : 1,
    }))
    .batch(8, { shuffle: true, seed: 2, dtypes: { targets: 'int32' } });
  const model = new Linear(2, 2);
  const losses: number[] = [];
  const training = new Training({
    model,
    optimizer: new Adam(model, { learningRate: 0.05 }),
    data,
    step: ({ inputs, targets }) => crossEntropy(model.forward(inputs), targets),
    steps,
    readEvery: 1,
    callbacks: [(event) => void (event.type === 'read' && losses.push(...event.losses))],
  });
  return { training, losses };
}

it('goes on with the same losses from a checkpoint in mid-epoch', async () => {
  const whole = await make(20);
  await whole.training.run();
  expect(whole.losses).toHaveLength(20);
  expect(whole.training.epochs).toBe(2);
  const first = await make(10);
  await first.training.run();
  const file = await encodeCheckpoint(first.training.parts);
  const second = await make(20);
  await loadCheckpoint(file, second.training.parts);
  await second.training.run();
  expect([...first.losses, ...second.losses]).toEqual(whole.losses);
});
