/** Native products and programs against the conformance kit, where there is a compiler. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { testConformance } from '@nn/conformance/vitest';
import { afterAll, expect, test } from 'vitest';
import { findCompiler } from './compiler.ts';
import { type NativeOptions, native } from './native.ts';

const cache = mkdtempSync(join(tmpdir(), 'nn-native-kit-'));
afterAll(() => rmSync(cache, { recursive: true }));

async function made(options: NativeOptions): Promise<ReturnType<typeof native>> {
  const backend = native({ ...options, cache });
  if (!(await backend.ready())) throw new Error(String(backend.info().details.native));
  return backend;
}

let missing = '';
try {
  findCompiler();
} catch (error) {
  missing = String(error);
}
/**
 * Each program is compiled by a compiler of C, which takes minutes for all: of the cases that are many of a kind some are run,
 * and all by `NN_KIT=whole`. Their WebAssembly, of which the C is a translation, is run for all.
 */
const isWhole = process.env.NN_KIT === 'whole';
const options = isWhole
  ? {}
  : {
      randomCases: 4,
      every: {
        values: 20,
        gradients: 40,
        fusion: 40,
        'special numbers': 20,
        programs: 3,
        reads: 4,
        'functions of tensors': 8,
      },
    };

if (missing === '') {
  let all: ReturnType<typeof native> | null = null;
  // every program is native from its first run on
  testConformance(
    'native',
    async () => {
      all = await made({ wait: true });
      return all;
    },
    options,
  );
  test('none of these programs ran as WebAssembly', () => {
    const { nativePrograms, nativeFailure } = all?.info().details ?? {};
    expect(nativePrograms).toBeGreaterThan(isWhole ? 1000 : 100);
    expect(nativeFailure).toBe(undefined);
  });
  // beside the event loop, by threads of native code
  const deterministic = { wait: true, deterministic: true, threads: 2, besideFrom: 0 };
  testConformance('native, deterministic, two threads', () => made(deterministic), {
    groups: ['contract', 'special numbers', 'loops', 'programs', 'training'],
    ...options,
    // others than above, mostly
    ...(options.every && { every: { ...options.every, 'special numbers': 37 } }),
  });
} else test.skip(`native: ${missing}`, () => undefined);
