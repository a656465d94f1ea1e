/** Native products against the conformance kit, where there is a compiler. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testConformance } from '@nn/conformance/vitest';
import { afterAll, test } from 'vitest';
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
if (missing === '') {
  testConformance('native', () => made({}));
  testConformance('native, deterministic, two threads', () => made({ deterministic: true, threads: 2 }));
} else test.skip(`native: ${missing}`, () => undefined);
