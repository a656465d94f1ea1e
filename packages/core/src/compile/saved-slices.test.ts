/** Buffers that are filled step by step: their gradients take memory in proportion to the steps, not to their square. */
import { recording, reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import { gradients, setDefaultBackend, type Tensor, tensor, zeros } from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());

const [rows, width] = [4, 8];

/** y_0 = x_0, y_t = y_(t-1) w, written into a buffer row by row; the loss is the sum of buffer * x^2. */
function filled(x: Tensor, w: Tensor, steps: number): Tensor {
  let buffer = zeros([steps, rows, width]);
  let state = x.at(0);
  for (let t = 0; t < steps; t++) {
    state = state.matmul(w);
    buffer = buffer.update([t, 0, 0], state.unsqueeze(0));
  }
  return buffer.mul(x.square()).sum();
}

const values = (size: number): Float32Array => Float32Array.from({ length: size }, (_, k) => Math.sin(k + 1) / 2);

async function slotBytes(steps: number): Promise<number> {
  const backend = recording(reference());
  setDefaultBackend(backend);
  const x = tensor(values(steps * rows * width), { shape: [steps, rows, width] });
  const w = tensor(values(width * width), { shape: [width, width] });
  await Promise.all(gradients(filled(x, w, steps), [x, w]).map((g) => g?.data()));
  const slots = new Map<number, number>();
  for (const { buffers } of backend.programs.slice(-1)) {
    for (const { slot, shape } of buffers) {
      const bytes = 4 * shape.reduce((a, b) => a * b, 1);
      slots.set(slot, Math.max(slots.get(slot) ?? 0, bytes));
    }
  }
  return [...slots.values()].reduce((a, b) => a + b, 0);
}

test('four times as many steps take at most six times the memory', async () => {
  expect((await slotBytes(64)) / (await slotBytes(16))).toBeLessThan(6);
});

test('gradients are those of rows that are stacked', async () => {
  setDefaultBackend(reference());
  const steps = 6;
  const x = tensor(values(steps * rows * width), { shape: [steps, rows, width] });
  const w = tensor(values(width * width), { shape: [width, width] });
  let state = x.at(0);
  let loss: Tensor = tensor(0);
  for (let t = 0; t < steps; t++) {
    state = state.matmul(w);
    loss = loss.add(state.mul(x.at(t).square()).sum());
  }
  const right = await Promise.all(gradients(loss, [x, w]).map((g) => g.data()));
  const found = await Promise.all(gradients(filled(x, w, steps), [x, w]).map((g) => g.data()));
  found.forEach((data, k) => {
    const far = Array.from(data, (value, i) => Math.abs(value - (right[k]?.[i] ?? Number.NaN)));
    expect(Math.max(...far)).toBeLessThan(1e-5);
  });
});

test('boxes that lie over each other overwrite each other, and what was read before stays what it was', async () => {
  setDefaultBackend(reference());
  const x = tensor([1, 2, 3, 4]);
  const first = zeros([6]).update([1], x.mul(2));
  const part = first.at([2, 4]);
  const second = first.update([2], x.at([0, 2]));
  const loss = second.square().sum().add(part.sum());
  const [g] = gradients(loss, [x]);
  expect(await loss.item()).toBe(4 + 1 + 4 + 64 + (4 + 6));
  // of 2x: the ends twice 2 * 2x; the middle is overwritten, but read before; of x: 2x for what overwrote
  expect(await g?.array()).toEqual([8 + 2, 2 + 4, 2, 32]);
});
