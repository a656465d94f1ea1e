/** `npm start` as it is typed: what was asked for, and not a word of the build before it. */
import process from 'node:process';
import { expect, test } from 'vitest';
import { helpText } from '../apps/demo/src/options.ts';
import { command } from './support/commands.ts';

test('npm start -- --help prints the help, and nothing else', async () => {
  const printed = await command(process.execPath, ['scripts/run.mjs', 'start', '--help']);
  expect(printed).toBe(`${helpText()}\n`);
});
