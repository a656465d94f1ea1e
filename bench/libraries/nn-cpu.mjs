/** nn on `cpu()`. Options: `compile` wraps steps in `compile`, `threads` is passed to the backend. */
import { readFileSync } from 'node:fs';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { prepareNn } from './nn-workloads.mjs';

/** @param {import('@nn/backend-cpu').CpuOptions} options */
export async function start({ threads, engine }) {
  const backend = cpu({ ...(threads !== undefined && { threads }), ...(engine !== undefined && { engine }) });
  setDefaultBackend(backend);
  const { engine: chosen, reason, details } = backend.info();
  const { version } = JSON.parse(readFileSync(new URL('../../packages/core/package.json', import.meta.url), 'utf8'));
  const { multiplyAdd = '', threads: used = 1, singleThread = '' } = details;
  if (threads !== undefined && used !== threads)
    throw new Error(`${used} thread(s) instead of ${threads}: ${singleThread}`);
  return { version, detail: `${chosen} (${reason}), multiply-add with ${multiplyAdd}, ${used} thread(s)` };
}

export const prepare = prepareNn;
