import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import { Autoencoder } from './autoencoder.ts';
import { coverageOf, Gan } from './gan.ts';
import type { GeneratorSettings } from './protocol.ts';

beforeAll(() => setDefaultBackend(cpu()));

const settings: GeneratorSettings = {
  kind: 'gan',
  shape: 'ring',
  generatorRate: 1e-3,
  discriminatorRate: 1e-3,
  divergenceWeight: 0,
  seed: 1,
};

test('coverage counts the points that have another near them', () => {
  const points = Float32Array.of(0, 0, 1, 1, -1, 0, 0.5, 0);
  expect(coverageOf(points, Float32Array.of(0.05, 0.05, 0.9, 1.02))).toBe(0.5);
});

test('the made points come to cover the real ones, and the discriminator loses its certainty', async () => {
  const gan = new Gan(settings, 1);
  const before = await gan.look();
  expect(before.real).toHaveLength(512);
  expect(before.belief).toHaveLength(32 * 32);
  for (let step = 0; step < 1200; step++) await gan.turn();
  const after = await gan.look();
  expect(after.step).toBe(1200);
  expect(after.coverage).toBeGreaterThan(before.coverage + 0.2);
  expect(after.belief.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(after.pulls.some((value) => value !== 0)).toBe(true);
});

test('an autoencoder gives back digits better the more it learned, and decodes any place of its plane', async () => {
  const made = new Autoencoder({ ...settings, kind: 'autoencoder', generatorRate: 2e-3 }, 1);
  await made.turn();
  const before = (await made.look()).testLoss;
  for (let step = 0; step < 60; step++) await made.turn();
  const { testLoss, codes, labels, tiles, bounds } = await made.look();
  expect(testLoss).toBeLessThan(0.6 * before);
  expect([codes.length, labels.length, tiles.length]).toEqual([500, 250, 224 * 224]);
  const [left, right, bottom, top] = bounds;
  // the picture's tile in the third row and the second column is what its middle decodes to
  const digit = await made.decode(left + (1.5 / 8) * (right - left), top - (2.5 / 8) * (top - bottom));
  for (const [y, x] of [[14, 14] as const, [3, 20] as const]) {
    expect(tiles[(2 * 28 + y) * 224 + 28 + x]).toBeCloseTo(digit[y * 28 + x] as number, 5);
  }
  const { input, output } = await made.pass(0);
  expect(input.some((pixel) => pixel > 0.5)).toBe(true);
  expect(output.every((pixel) => pixel >= 0 && pixel <= 1)).toBe(true);
});
