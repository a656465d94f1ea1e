/** Builds the page for its tests, unless the build that is there is newer than all that it is made of. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { begin } from '../support/background.ts';
import { environment, root, tool } from '../support/commands.ts';
import { isFresh } from '../support/newest.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The end of the build. */
    built: string;
  }
}

export function setup(tests: TestProject): () => Promise<void> {
  const { end, close } = begin(build);
  tests.provide('built', end);
  return close;
}

async function build(): Promise<void> {
  await buildPlayground();
}

/** Answers the folder of the page. */
export async function buildPlayground(): Promise<string> {
  const page = join(root, 'apps/playground');
  const made = join(page, 'dist/index.html');
  const sources = [
    join(page, 'src'),
    join(page, 'public'),
    join(page, 'index.html'),
    join(page, 'vite.config.ts'),
    join(page, 'package.json'),
    ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'src')),
  ];
  if (isFresh(made, sources)) return page;
  await tool('vite', ['build', page, '--logLevel', 'error'], root, { ...environment, NODE_ENV: 'production' });
  return page;
}
