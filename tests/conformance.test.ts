/**
 * The conformance kit on every engine of the CPU backend in the other Node (24 while the tests run in 20), from the
 * packed packages as users have them: there, WebAssembly has the fused multiply-add that Node 20 lacks.
 */
import { expect, test } from 'vitest';
import { command } from './support/commands.ts';
import { everything, write } from './support/install.ts';
import { otherNode } from './support/other-node.ts';

const variants = {
  'the fastest engine': {},
  'products and sums rounded apart': { deterministic: true },
  'two threads': { threads: 2 },
  'generated JavaScript': { engine: 'javascript' },
  'the interpreter': { engine: 'interpreter' },
};

const program = `
import { cpu } from '@nn/backend-cpu';
import { conformance } from '@nn/conformance';
const report = await conformance(cpu(JSON.parse(process.argv[2])));
for (const { group, name, error } of report.failures) console.log(group + ': ' + name + ': ' + error.message);
console.log(report.passed > 1000 && report.failures.length === 0 ? 'conforms' : report.passed + ' passed');
process.exit();
`;

test.each(Object.entries(variants))('the CPU backend conforms in the other Node: %s', async (_, options) => {
  write(everything(), { 'conformance.mjs': program });
  const output = await command(await otherNode(), ['conformance.mjs', JSON.stringify(options)], { cwd: everything() });
  expect(output.trim().split('\n').slice(-5)).toEqual(['conforms']);
});
