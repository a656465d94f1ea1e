/** `npm start` as it is typed: what was asked for, and not a word of the build before it. */
import process from 'node:process';
import { expect, test } from 'vitest';
import { command } from './support/commands.ts';

test('npm start -- --help begins with the help', async () => {
  const lines = (await command(process.execPath, ['scripts/run.mjs', 'start', '--help'])).split('\n');
  expect(lines[0]).toBe(
    'Trains networks in the terminal: points, digits, tables, series, language, pictures, agents; see --list.',
  );
});
