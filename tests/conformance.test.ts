/**
 * The conformance kit on every engine of the CPU backend in the other Node (24 while the tests run in 20), from the
 * packed packages as users have them: there, WebAssembly has the fused multiply-add that Node 20 lacks.
 */
import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { command } from './support/commands.ts';
import { everything, write } from './support/install.ts';
import { otherNode } from './support/other-node.ts';

const relaxed = !process.versions.node.startsWith('24.');
const fused = `wasm, ${relaxed ? 'relaxed (fused)' : 'two roundings'}`;
const avx2 = existsSync('/proc/cpuinfo') && readFileSync('/proc/cpuinfo', 'utf8').includes(' avx2 ');
const wide = relaxed && avx2 ? 256 : 128;

/**
 * Wide vectors, which are nowhere else, run the whole kit. Of the other variants, whose code runs it all from source, in the one
 * Node or in a page, a part shows that the packages are those; `NN_KIT=whole` runs all of each.
 */
const part =
  process.env.NN_KIT === 'whole'
    ? {}
    : {
        ...{ values: 16, gradients: 32, fusion: 32, 'special numbers': 4, loops: 3 },
        ...{ programs: 7, 'random graphs': 10, 'functions of tensors': 8 },
      };

/** The options of each variant, what must have run, and of which groups only every n-th case. */
const variants: Readonly<Record<string, readonly [options: object, ran: string, every?: object]>> = {
  'the fastest engine': [{}, `${fused}, 128 bits, 1 thread`, part],
  'products and sums rounded apart': [{ deterministic: true }, 'wasm, two roundings, 128 bits, 1 thread', part],
  'two threads': [{ threads: 2 }, `${fused}, 128 bits, 2 threads`, part],
  'generated JavaScript': [{ engine: 'javascript' }, 'javascript', part],
  'the interpreter': [{ engine: 'interpreter' }, 'interpreter', part],
  // the last ones: the flag that they set holds for all of the process
  'wide vectors': [{ wide: true }, `${fused}, ${wide} bits, 1 thread`],
  'wide vectors, products and sums rounded apart': [
    { wide: true, deterministic: true },
    `wasm, two roundings, ${wide} bits, 1 thread`,
    part,
  ],
  'wide vectors, two threads': [{ wide: true, threads: 2 }, `${fused}, ${wide} bits, 2 threads`, part],
};

// One process for all: the oracle answers each question once. It ends by itself, threads or not: nothing is closed, and
// nothing exits.
const program = `
import { cpu } from '@nn/backend-cpu';
import { conformance } from '@nn/conformance';
for (const [name, options, every] of JSON.parse(process.argv[2])) {
  const backend = cpu(options);
  const { passed, failures } = await conformance(backend, { every: every ?? {} });
  const { engine, details: { multiplyAdd, vectorBits, threads } } = backend.info();
  const ran = engine === 'wasm' ? [engine, multiplyAdd, vectorBits + ' bits', threads + (threads === 1 ? ' thread' : ' threads')] : [engine];
  const messages = failures.slice(0, 5).map(({ group, name, error }) => group + ': ' + name + ': ' + error.message);
  const node = process.version.split('.')[0];
  console.log(JSON.stringify({ name, node, ran: ran.join(', '), isEnough: passed > 200, failures: failures.length, messages }));
}`;

let reports: readonly { readonly name: string }[];

beforeAll(async () => {
  write(everything(), { 'conformance.mjs': program });
  const asked = Object.entries(variants).map(([name, [options, , every]]) => [name, options, every]);
  const output = await command(await otherNode(), ['conformance.mjs', JSON.stringify(asked)], { cwd: everything() });
  reports = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}, 600_000);

test.each(Object.entries(variants))('the CPU backend conforms in the other Node: %s', (name, [, ran]) => {
  expect(reports.find((report) => report.name === name)).toEqual({
    name,
    node: relaxed ? 'v24' : 'v20',
    ran,
    isEnough: true,
    failures: 0,
    messages: [],
  });
});
