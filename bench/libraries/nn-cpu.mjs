/** nn on `cpu()`. Options: `compile` wraps steps in `compile`, `threads` is passed to the backend. */
import { readFileSync } from 'node:fs';
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { prepareNn } from './nn-workloads.mjs';

/** @param {{ threads?: number, engine?: string }} options */
export async function start({ threads, engine }) {
  const made = cpu({ ...(threads !== undefined && { threads }), ...(engine !== undefined && { engine }) });
  const backend = await made;
  setDefaultBackend(backend);
  const { engine: chosen, reason, details } = backend.info();
  const { version } = JSON.parse(readFileSync(new URL('../../packages/core/package.json', import.meta.url), 'utf8'));
  return { version, detail: `${chosen} (${reason}) ${JSON.stringify(details)}` };
}

export const prepare = prepareNn;
