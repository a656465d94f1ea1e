/** nn on `native()`: measured once its native code runs. `threads` is passed to the backend. */
import { readFileSync } from 'node:fs';
import { native } from '@nn/backend-native';
import { setDefaultBackend } from '@nn/core';
import { prepareNn } from './nn-workloads.mjs';

/** @param {import('@nn/backend-native').NativeOptions} options */
export async function start({ threads }) {
  const backend = native({ ...(threads !== undefined && { threads }) });
  setDefaultBackend(backend);
  const isNative = await backend.ready();
  const { details } = backend.info();
  if (!isNative) throw new Error(String(details.native));
  const { version } = JSON.parse(readFileSync(new URL('../../packages/core/package.json', import.meta.url), 'utf8'));
  return { version, detail: `${details.native}, ${details.threads} thread(s)` };
}

export const prepare = prepareNn;
