/** Rule 12 of life: a length that keeps changing is named, once. */
import { reference } from '@nn/conformance';
import { beforeEach, expect, test, vi } from 'vitest';
import { setDefaultBackend, tensor } from '../index.ts';
import { prepare } from '../testing.ts';

prepare(reference());
// a warning is said once for a device
beforeEach(() => setDefaultBackend(reference()));

const column = (length: number) =>
  tensor(new Float32Array(length * 3), { shape: [length, 3] })
    .exp()
    .sum();

test('rule 12: after 8 plans that differ in one length a warning names the axis', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  for (let length = 1; length <= 7; length++) await column(length).item();
  expect(warn).not.toHaveBeenCalled();
  for (let length = 8; length <= 12; length++) await column(length).item();
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.calls[0]?.[0]).toMatch(/axis 0 of an input of \[\d+, 3\] took 8 sizes.*padTo/);
});

test('rule 12: what goes through many programs is said once, not once for each', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  for (let length = 1; length <= 20; length++) {
    const batch = tensor(new Float32Array(length * 3), { shape: [length, 3] });
    await batch.exp().sum().item();
    await batch.sin().max().item();
    await batch.mul(batch).mean(0).array();
  }
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.calls[0]?.[0]).toMatch(/padTo.*said once/);
});

test('rule 12: fixed lengths, also a smaller last batch, are no reason to warn', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  for (let epoch = 0; epoch < 6; epoch++) for (const length of [32, 32, 5]) await column(length).item();
  expect(warn).not.toHaveBeenCalled();
});

test('rule 12: once is once, and the axis is the one that keeps changing', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const plane = (rows: number, columns: number) =>
    tensor(new Float32Array(rows * columns), { shape: [rows, columns] })
      .sin()
      .sum();
  // the rows take two sizes, the columns one after the other
  for (let columns = 1; columns <= 40; columns++) await plane(2 + (columns % 2), columns).item();
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.calls[0]?.[0]).toMatch(/axis 1 of an input of \[\d+, \d+\] took 8 sizes/);
});

test('rule 12: sizes that double are few, and those that change after them are named', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  // as a search for the largest batch tries them: doubled, and halved where 8192 is too large
  for (let length = 1; length <= 4096; length *= 2) await column(length).item();
  for (const length of [6144, 7168, 6656]) await column(length).item();
  expect(warn).not.toHaveBeenCalled();
  for (let length = 100; length < 108; length++) await column(length).item();
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.calls[0]?.[0]).toContain('took 8 sizes (100, 101, 102, 103, 104, 105, 106, 107)');
});
