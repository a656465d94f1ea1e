/** nn on `cpu()`. Options: `compile` wraps steps in `compile`, `threads` and `wide` are passed to the backend. */
import { readFileSync } from 'node:fs';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { prepareNn } from './nn-workloads.mjs';

/** @param {import('@nn/backend-cpu').CpuOptions} options */
export async function start({ threads, engine, wide }) {
  const backend = cpu({
    ...(threads !== undefined && { threads }),
    ...(engine !== undefined && { engine }),
    ...(wide !== undefined && { wide }),
  });
  setDefaultBackend(backend);
  const { engine: chosen, reason, details } = backend.info();
  const { version } = JSON.parse(readFileSync(new URL('../../packages/core/package.json', import.meta.url), 'utf8'));
  const { multiplyAdd = '', threads: used = 1, singleThread = '', vectorBits = 128, notWide = '' } = details;
  if (wide && vectorBits !== 256) throw new Error(`vectors are not wide: ${notWide}`);
  if (threads !== undefined && used !== threads)
    throw new Error(`${used} thread(s) instead of ${threads}: ${singleThread}`);
  return {
    version,
    detail: `${chosen} (${reason}), multiply-add with ${multiplyAdd}, ${used} thread(s), vectors of ${vectorBits} bits`,
  };
}

export const prepare = prepareNn;
