/** nn on `native()`: measured once its native code runs. `threads` is passed to the backend. */
import { readFileSync } from 'node:fs';
import { native } from '@nn/backend-native';
import { setDefaultBackend } from '@nn/core';
import { checkedSteps } from '../workloads/operations.mjs';
import { prepareNn } from './nn-workloads.mjs';

/** @type {import('@nn/backend-native').NativeBackend} */
let backend;

/** @param {import('@nn/backend-native').NativeOptions} options */
export async function start({ threads }) {
  backend = native({ ...(threads !== undefined && { threads }) });
  setDefaultBackend(backend);
  const isNative = await backend.ready();
  const { details } = backend.info();
  if (!isNative) throw new Error(String(details.native));
  const { version } = JSON.parse(readFileSync(new URL('../../packages/core/package.json', import.meta.url), 'utf8'));
  return { version, detail: `${details.native}, ${details.threads} thread(s)` };
}

/** Milliseconds of computing, after which a program has got its native code. */
const warmUp = 500;

/** @type {typeof prepareNn} */
export async function prepare(workload, options) {
  const prepared = await prepareNn(workload, options);
  const { step, result, run } = prepared;
  let steps = 0;
  const become = async () => {
    for (const end = performance.now() + warmUp; performance.now() < end; ) await run(4);
    await backend.ready();
  };
  // After what is checked: the first steps are those of WebAssembly, as a user has them.
  return {
    ...prepared,
    ...(step && {
      async step() {
        const loss = await step();
        if (++steps === checkedSteps) await become();
        return loss;
      },
    }),
    ...(result && {
      async result() {
        const found = await result();
        await become();
        return found;
      },
    }),
  };
}
