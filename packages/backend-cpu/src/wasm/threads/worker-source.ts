/**
 * What a worker runs, as text: bundlers need no configuration for it, and it is the same in Node and in browsers.
 * It takes one message (memory, control, its number, the library), then serves regions for ever; modules of programs
 * come through shared memory, because a thread that waits on memory receives no messages.
 */
import { host } from '../code/module-context.ts';
import { control, shared } from './protocol.ts';

/** Turns of waiting before a worker sleeps: some tens of microseconds. */
const patience = 4000;
/** Programs whose modules a worker keeps. */
const kept = 64;

/**
 * `tier`: source of a function of a memory, which gives functions in the place of the library's, and `open`, which gives the
 * exports of a program in native code by its name; empty for none.
 */
export function workerSource(tier = ''): string {
  const functions = Object.entries(host).map(([name, call]) => `${name}: ${String(call)}`);
  return `'use strict';
const host = { ${functions.join(', ')}, parallel() {} };
function serve({ memory, at, number, library }) {
  const imports = { memory: { memory }, host };
  const own = new WebAssembly.Instance(new WebAssembly.Module(library), imports).exports;
  const { functions, open } = ${tier === '' ? '{}' : `(${tier})(new Uint8Array(memory.buffer))`};
  imports.library = { ...own, ...functions };
  const words = new Int32Array(memory.buffer, at, ${control.size / 4});
  const word = (offset) => words[offset >> 2];
  const programs = new Map();
  // Null where something else lies at that place: a thread that comes late may read words of two regions. The number in
  // front of a module is its own for ever, so what lies between two looks at it is the module.
  const take = (id) => {
    const address = word(${control.moduleAddress}) >>> 0;
    const head = new Int32Array(memory.buffer, address, ${shared.bytes / 4});
    if (Atomics.load(head, ${shared.id / 4}) !== id) return null;
    const bytes = new Uint8Array(memory.buffer, address + ${shared.bytes}, head[${shared.length / 4}]).slice();
    if (Atomics.load(head, ${shared.id / 4}) !== id) return null;
    // a module starts with 0; anything else is a name
    const program = bytes[0] === 0 ? new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports : open(new TextDecoder().decode(bytes), host);
    programs.set(id, program);
    if (programs.size > ${kept}) programs.delete(programs.keys().next().value);
    return program;
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
    let program = programs.get(id);
    try {
      program ??= take(id);
    } catch {
      // The same, seen by the compiler; or memory that grew and is not seen from here yet.
    }
    if (!program) continue;
    try {
      program.work(at, last, own);
    } catch (error) {
      Atomics.add(words, ${control.failed / 4}, 1);
      throw error;
    }
  }
}
if (typeof process === 'object' && typeof process.getBuiltinModule === 'function') {
  process.getBuiltinModule('node:worker_threads').parentPort.once('message', serve);
} else {
  self.onmessage = (event) => serve(event.data);
}
`;
}
