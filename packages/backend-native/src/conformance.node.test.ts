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
/** Random cases become many programs, each of which is compiled; `NN_NATIVE_KIT=all` runs as many as for other backends. */
const options = process.env.NN_NATIVE_KIT === 'all' ? {} : { randomCases: 4 };

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
    expect(nativePrograms).toBeGreaterThan(1000);
    expect(nativeFailure).toBe(undefined);
  });
  testConformance('native, deterministic, two threads', () => made({ wait: true, deterministic: true, threads: 2 }), {
    groups: ['contract', 'special', 'loops', 'programs', 'training'],
    ...options,
  });
} else test.skip(`native: ${missing}`, () => undefined);
