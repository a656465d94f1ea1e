/** Files that are written for PyTorch: read again here, and by `torch.load` where it is installed. */
import { expect, it } from 'vitest';
import { loadTensors } from '../tensors.ts';
import { encodeTorch } from './write.ts';

const data = Float32Array.of(1, 2, 3, 4, 5, 6);
const tensors = [
  ['embedding.weight', { dtype: 'float32', shape: [2, 3], data }],
  ['head.weight', { dtype: 'float32', shape: [2, 3], data }],
  ['counts', { dtype: 'int32', shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1) }],
  ['flags', { dtype: 'bool', shape: [1, 2], data: Uint8Array.of(1, 0) }],
  ['halves', { dtype: 'float16', shape: [1], data: Uint16Array.of(0x3c00) }],
  ['brain', { dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0x3f80) }],
  ['bytes', { dtype: 'uint8', shape: [1], data: Uint8Array.of(255) }],
  ['small', { dtype: 'int8', shape: [1], data: Int8Array.of(-128) }],
  ['scalar ü', { dtype: 'float32', shape: [], data: Float32Array.of(0.5) }],
  ['empty', { dtype: 'float32', shape: [0, 3], data: new Float32Array(0) }],
] as const;

it('reads back what it wrote, in order', async () => {
  const loaded = await loadTensors(encodeTorch(tensors), { widen: false });
  expect([...loaded.tensors]).toEqual(tensors);
});

it('aligns the elements to 64 bytes, and writes tied weights once', () => {
  const bytes = encodeTorch(tensors);
  const text = String.fromCharCode(...bytes);
  const first = text.indexOf(String.fromCharCode(...new Uint8Array(data.buffer)));
  expect(first % 64).toBe(0);
  expect(text.indexOf(String.fromCharCode(...new Uint8Array(data.buffer)), first + 1)).toBe(-1);
});

it('names what does not fit', () => {
  expect(() => encodeTorch([tensors[0], tensors[0]])).toThrow(
    "encodeTorch: the name 'embedding.weight' is there twice.",
  );
  const wrong = { dtype: 'float32', shape: [3], data: Float32Array.of(1) } as const;
  expect(() => encodeTorch([['x', wrong]])).toThrow("encodeTorch: 'x' has 1 elements, its shape [3] needs 3.");
});
