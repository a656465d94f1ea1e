/** jax-js on its WebAssembly device. It has threads where there is a global Worker, so none in Node. */
import { readFileSync } from 'node:fs';
import { defaultDevice, init } from '@jax-js/jax';
import { prepareJax } from './jax-workloads.mjs';

export async function start() {
  await init('wasm');
  defaultDevice('wasm');
  const file = new URL('../node_modules/@jax-js/jax/package.json', import.meta.url);
  return { version: JSON.parse(readFileSync(file, 'utf8')).version, detail: 'wasm, 1 thread' };
}

export const prepare = prepareJax;
