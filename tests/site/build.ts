/** Builds the site for its tests, unless what is there is newer than all that it is made of. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { buildPlayground } from '../playground/build.ts';
import { begin } from '../support/background.ts';
import { command, environment, root } from '../support/commands.ts';
import { isFresh } from '../support/newest.ts';

export function setup(tests: TestProject): () => Promise<void> {
  const { end, close } = begin(build);
  tests.provide('built', end);
  return close;
}

async function build(): Promise<void> {
  const site = join(root, 'apps/docs');
  const parts = ['src', 'pages', '.vitepress/config.ts', '.vitepress/theme', 'package.json'].map((name) =>
    join(site, name),
  );
  const packages = readdirSync(join(root, 'packages')).flatMap((name) =>
    ['src', 'README.md', 'package.json'].map((part) => join(root, 'packages', name, part)),
  );
  const playground = join(await buildPlayground(), 'dist/index.html');
  const documents = ['docs', 'README.md', 'SECURITY.md', 'apps/demo/README.md', 'apps/playground/README.md'];
  const sources = [...parts, ...packages, playground, ...documents.map((name) => join(root, name))];
  if (isFresh(join(site, 'dist/index.html'), sources)) return;
  await command('npm', ['run', '--silent', 'build'], { cwd: site, env: { ...environment, NODE_ENV: 'production' } });
}
