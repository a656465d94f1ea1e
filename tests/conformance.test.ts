/**
 * The conformance kit on every engine of the CPU backend in the other Node (24 while the tests run in 20), from the
 * packed packages as users have them: there, WebAssembly has the fused multiply-add that Node 20 lacks.
 */
import { expect, test } from 'vitest';
import { command } from './support/commands.ts';
import { everything, write } from './support/install.ts';
import { otherNode } from './support/other-node.ts';

const relaxed = !process.versions.node.startsWith('24.');
const fused = `wasm, ${relaxed ? 'relaxed (fused)' : 'two roundings'}`;

/** The options of each variant, and what must have run. */
const variants: Readonly<Record<string, readonly [options: object, ran: string]>> = {
  'the fastest engine': [{}, `${fused}, 1 thread`],
  'products and sums rounded apart': [{ deterministic: true }, 'wasm, two roundings, 1 thread'],
  'two threads': [{ threads: 2 }, `${fused}, 2 threads`],
  'generated JavaScript': [{ engine: 'javascript' }, 'javascript'],
  'the interpreter': [{ engine: 'interpreter' }, 'interpreter'],
};

// It ends by itself, threads or not: nothing is closed, and nothing exits.
const program = `
import { cpu } from '@nn/backend-cpu';
import { conformance } from '@nn/conformance';
const backend = cpu(JSON.parse(process.argv[2]));
const report = await conformance(backend);
for (const { group, name, error } of report.failures) console.log(group + ': ' + name + ': ' + error.message);
const { engine, details: { multiplyAdd, threads } } = backend.info();
const ran = engine === 'wasm' ? [engine, multiplyAdd, threads + (threads === 1 ? ' thread' : ' threads')] : [engine];
console.log(process.version.split('.')[0] + ': ' + ran.join(', '));
console.log(report.passed > 1000 && report.failures.length === 0 ? 'conforms' : report.passed + ' passed');
`;

test.each(Object.entries(variants))('the CPU backend conforms in the other Node: %s', async (_, [options, ran]) => {
  write(everything(), { 'conformance.mjs': program });
  const output = await command(await otherNode(), ['conformance.mjs', JSON.stringify(options)], { cwd: everything() });
  expect(output.trim().split('\n').slice(-5)).toEqual([`${relaxed ? 'v24' : 'v20'}: ${ran}`, 'conforms']);
});
