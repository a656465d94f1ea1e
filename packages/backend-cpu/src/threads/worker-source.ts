/**
 * What a worker runs, as text: bundlers need no configuration for it, and it is the same in Node and in browsers.
 * It takes one message (memory, control, its number, the library), then serves regions for ever; modules of programs
 * come through shared memory, because a thread that waits on memory receives no messages.
 */
import { host } from '../wasm/module-context.ts';
import { control } from './protocol.ts';

/** Turns of waiting before a worker sleeps: some tens of microseconds. */
const patience = 4000;
/** Programs whose modules a worker keeps. */
const kept = 64;

export function workerSource(): string {
  const functions = Object.entries(host).map(([name, call]) => `${name}: ${String(call)}`);
  return `'use strict';
const host = { ${functions.join(', ')}, parallel() {} };
function serve({ memory, at, number, library }) {
  const imports = { memory: { memory }, host };
  imports.library = new WebAssembly.Instance(new WebAssembly.Module(library), imports).exports;
  const words = new Int32Array(memory.buffer, at, ${control.size / 4});
  const word = (offset) => words[offset >> 2];
  const programs = new Map();
  const entry = (id) => {
    const known = programs.get(id);
    if (known) return known;
    const address = word(${control.moduleAddress}) >>> 0;
    const bytes = new Uint8Array(memory.buffer).slice(address, address + word(${control.moduleBytes}));
    return { bytes };
  };
  let last = Atomics.load(words, 0);
  Atomics.add(words, ${control.ready / 4}, 1);
  for (;;) {
    let turns = 0;
    while (Atomics.load(words, ${control.sequence / 4}) === last) {
      if (++turns < ${patience}) continue;
      Atomics.add(words, ${control.sleepers / 4}, 1);
      Atomics.wait(words, ${control.sequence / 4}, last);
      Atomics.sub(words, ${control.sleepers / 4}, 1);
    }
    last = Atomics.load(words, ${control.sequence / 4});
    const id = word(${control.program});
    const own = (word(${control.ownAddress}) + number * word(${control.ownBytes})) | 0;
    let program = entry(id);
    if (program.bytes) {
      // A thread that comes late may find other bytes there: then the region is over, and there is nothing to do.
      try {
        program = new WebAssembly.Instance(new WebAssembly.Module(program.bytes), imports).exports;
      } catch {
        continue;
      }
      programs.set(id, program);
      if (programs.size > ${kept}) programs.delete(programs.keys().next().value);
    }
    program.work(at, last, own);
  }
}
if (typeof process === 'object' && typeof process.getBuiltinModule === 'function') {
  process.getBuiltinModule('node:worker_threads').parentPort.once('message', serve);
} else {
  self.onmessage = (event) => serve(event.data);
}
`;
}
