/**
 * Programs on every engine against the oracle: random ones with exact answers, and hinted kernels small (plain loops) and
 * large (fixed algorithms). A failure names the seed: `randomCase(seed)` rebuilds the program.
 */
import { hintedCase, hintKinds, type RandomCase, randomCase, reference, runCase } from '@nn/conformance';
import type { TensorData } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { cpu } from './cpu.ts';

const oracle = reference({ rounding: 'float32' });
const precise = reference();

/** The oracle's answers, which all engines share. */
const answers = new Map<string, Promise<TensorData[]>>();

function answer(name: string, run: () => Promise<TensorData[]>): Promise<TensorData[]> {
  const known = answers.get(name) ?? run();
  answers.set(name, known);
  return known;
}

/** A page is asked about WebAssembly alone, which has fused products and sums there and not in Node 20; the other engines are the same code. */
const isPage = 'document' in globalThis;
const engines = isPage ? (['wasm'] as const) : (['wasm', 'javascript', 'interpreter'] as const);

describe.each(engines)('programs in %s', (engine) => {
  const backend = cpu({ engine });

  async function agree(test: RandomCase, name: string): Promise<void> {
    const expected = await answer(name, () => runCase(oracle, test));
    const found = await runCase(backend, test);
    // The sign of a zero is free: a sum of zeros may begin with either.
    const plain = (arrays: readonly TensorData[]): number[][] =>
      arrays.map((array) => Array.from(array, (value) => value + 0));
    expect(plain(found), name).toEqual(plain(expected));
  }

  it('agrees bit for bit with the oracle on random programs of small multiples of 1/8', async () => {
    for (let seed = 0; seed < (isPage ? 100 : 400); seed++) await agree(randomCase(seed), `seed ${seed}`);
  });

  it('agrees with the oracle to float32 precision on random programs with transcendental functions', async () => {
    // A module of WebAssembly takes longer to make than to run.
    for (let seed = 0; seed < (engine === 'wasm' ? 30 : 150); seed++) {
      const test = randomCase(seed, { exact: false });
      const expected = await answer(`inexact ${seed}`, () => runCase(precise, test));
      const found = await runCase(backend, test);
      const far = expected.flatMap((array, output) => {
        const scale = Array.from(array).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        return [...array].filter((value, i) => !(Math.abs(found[output]![i]! - value) < 1e-4 * scale));
      });
      expect(far, `seed ${seed}`).toEqual([]);
    }
  });

  it.each(hintKinds)('takes a %s hint for what the loops mean', async (kind) => {
    for (let seed = 0; seed < 60; seed++) await agree(hintedCase(kind, seed), `${kind}, seed ${seed}`);
    // large products take the oracle seconds
    for (let seed = 0; seed < (kind === 'bytes' ? 5 : 12); seed++)
      await agree(hintedCase(kind, seed, { large: true }), `large ${kind}, seed ${seed}`);
  });
});
