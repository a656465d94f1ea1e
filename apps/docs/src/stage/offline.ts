/**
 * After the build: writes the service worker, which keeps the site for times without a network. It is the playground's, told
 * what there is here. The start and what every page needs are kept at once; the rest follows while someone reads.
 *
 *   node --import tsx apps/docs/src/stage/offline.ts
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { build } from 'esbuild';
import { dist, root } from './places.ts';

/** What is kept of the files of the site, whose paths have `/`: at once, and later. */
export function parted(files: readonly string[]): {
  readonly first: readonly string[];
  readonly later: readonly string[];
} {
  // the playground keeps itself
  const all = files
    .filter((file) => !/^(playground\/|service-worker\.js$|hashmap\.json$|404\.html$)/.test(file))
    .sort();
  const isFirst = (file: string): boolean =>
    /^(zh\/)?index\.html$/.test(file) || /^assets\/(zh_)?index\.md\./.test(file) || isShared(file);
  const later = all.filter((file) => !isFirst(file));
  return { first: all.filter(isFirst), later: later.toSorted((a, b) => turnOf(a) - turnOf(b)) };
}

/** Scripts and styles of all pages; the index of the search is one, but as large as all of them. */
const isShared = (file: string): boolean =>
  /^assets\/.*\.(js|css|woff2)$/.test(file) && !file.includes('.md.') && !file.includes('localSearchIndex');

/** The search and the guides come before the names and the sources. */
function turnOf(file: string): number {
  const turns = [
    /localSearchIndex/,
    /^(assets\/)?(zh[/_])?(guides[/_]|lessons)/,
    /^packages\//,
    /^[^/]+$/,
    /^(assets\/)?api[/_]/,
  ];
  const found = turns.findIndex((turn) => turn.test(file));
  return found < 0 ? turns.length : found;
}

if (process.argv[1] === import.meta.filename) {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split('\\').join('/'))
    .filter((file) => statSync(join(dist, file)).isFile());
  const { first, later } = parted(files);
  const hash = createHash('sha256');
  for (const file of [...first, ...later]) hash.update(file).update(readFileSync(join(dist, file)));
  await build({
    entryPoints: [join(root, 'apps/playground/src/service-worker.ts')],
    outfile: join(dist, 'service-worker.js'),
    define: {
      __NAME__: JSON.stringify('nn.docs'),
      __FILES__: JSON.stringify(first),
      __LATER__: JSON.stringify(later),
      __VERSION__: JSON.stringify(hash.digest('hex').slice(0, 16)),
    },
    minify: true,
    format: 'iife',
    target: 'es2022',
    logLevel: 'error',
  });
}
