/** Every package carries the licence, for npm's own `pack` takes it only from the folder of the package. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const licence = readFileSync(join(root, 'LICENSE'), 'utf8');

for (const name of readdirSync(join(root, 'packages'))) {
  test(`packages/${name} carries the licence of the project`, () => {
    expect(readFileSync(join(root, 'packages', name, 'LICENSE'), 'utf8')).toBe(licence);
  });
}

test('npm packs it', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: join(root, 'packages', 'data'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(output) as { files: { path: string }[] }[];
  expect(packed?.files.map(({ path }) => path)).toContain('LICENSE');
});
