/**
 * The packages as modules that a page can import: one file for each entry, and shared ones. Examples that run in the page get
 * them from here. What only Node can run is left out, and an example that asks for it has no button.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { entries } from './api/exports.ts';
import { content } from './places.ts';

const onlyInNode = [
  '@nn/backend-native',
  '@nn/distributed/mpi',
  '@nn/train/node',
  '@nn/conformance/vitest',
  '@nn/conformance/node-test',
];

/** What an example in the page may import. */
export function inPage(): readonly string[] {
  return entries()
    .map(({ specifier }) => specifier)
    .filter((specifier) => !onlyInNode.includes(specifier));
}

/** Writes `public/packages`: `@nn/train/browser` is `packages/train/browser.js`. */
export async function bundlePackages(): Promise<void> {
  const names = inPage();
  const files = entries().filter(({ specifier }) => names.includes(specifier));
  await build({
    entryPoints: files.map(({ specifier, file }) => ({ in: file, out: specifier.slice('@nn/'.length) })),
    outdir: join(content, 'public/packages'),
    chunkNames: 'shared/[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@nn/source', 'browser'],
    legalComments: 'linked',
    logLevel: 'error',
  });
}
