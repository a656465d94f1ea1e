/**
 * The packages as modules that a page can import: one file for each entry, and shared ones. Examples that run in the page get
 * them from here. What only Node can run is left out, and an example that asks for it has no button.
 */
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';
import { entries, sourceOf } from './api/exports.ts';
import { content } from './places.ts';

/** What only Node or a test can run, though no import of theirs says so. */
const notInPages = ['@nn/backend-native', '@nn/distributed/mpi', '@nn/conformance/vitest'];

/** What an example in the page may import. */
export function inPage(): readonly string[] {
  return entries()
    .filter(({ specifier, file }) => !notInPages.includes(specifier) && !asksForNode(file, new Set()))
    .map(({ specifier }) => specifier);
}

/** Whether a file, or one of its own that it imports, imports a module of Node. */
function asksForNode(file: string, seen: Set<string>): boolean {
  if (seen.has(file)) return false;
  seen.add(file);
  return sourceOf(file).statements.some((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return false;
    const { moduleSpecifier } = statement;
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return false;
    const { text } = moduleSpecifier;
    return text.startsWith('node:') || (/^\..*\.ts$/.test(text) && asksForNode(join(dirname(file), text), seen));
  });
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
