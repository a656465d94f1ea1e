/**
 * The declarations of every package, for ES modules and CommonJS: TypeScript 7 writes one for each source file, of all packages
 * in one run, and Rollup joins those that an entry of a package leads to. Five seconds, where each package by itself took seven.
 *
 * Nothing is checked here: `npm run typecheck` does that. The sources carry the types of all that they export
 * (`isolatedDeclarations`), so a declaration is no more than its file without the code.
 *
 *   node scripts/types.mjs
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Writes the declaration of each source file below `folder`, as the sources lie below `packages`. @param {string} folder */
function declare(folder) {
  const project = join(folder, 'tsconfig.json');
  const settings = {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      noEmit: false,
      noCheck: true,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: '../../packages',
      outDir: '.',
    },
    include: ['../../packages/*/src'],
    exclude: ['../../packages/*/src/**/*.test.ts'],
  };
  writeFileSync(project, JSON.stringify(settings));
  const compiler = join(root, 'node_modules/typescript-native/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '--project', project], { stdio: 'inherit' });
  if (status !== 0) throw new Error('types: TypeScript did not write the declarations; it says why above.');
}

/**
 * What `exports` of a package's manifest promises, by the name in `dist`: { parquet: 'src/parquet/index.ts' }.
 * @param {string} name @returns {Record<string, string>}
 */
function entriesOf(name) {
  const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
  /** @type {Record<string, string>} */
  const entries = {};
  for (const conditions of Object.values(manifest.exports)) {
    const source = conditions['@nn/source'];
    const types = conditions.import?.types;
    const output = /^\.\/dist\/(.+)\.d\.ts$/.exec(types ?? '')?.[1];
    if (source && output) entries[output] = source.slice(2);
  }
  return entries;
}

/** Sources import each other by their own names, and so do their declarations. @type {import('rollup').Plugin} */
const besideSources = {
  name: 'beside-sources',
  resolveId(id, from) {
    return from && /^\.{1,2}\/.*\.ts$/.test(id) ? join(dirname(from), id.replace(/\.ts$/, '.d.ts')) : null;
  },
};

/** Joins the declarations of one package, and writes them twice. @param {string} name @param {string} folder of `declare` */
async function roll(name, folder) {
  const entries = Object.entries(entriesOf(name));
  const input = Object.fromEntries(
    entries.map(([output, source]) => [output, join(folder, name, source.replace(/\.ts$/, '.d.ts'))]),
  );
  const bundle = await rollup({
    input,
    plugins: [besideSources, dts()],
    // What other packages declare stays theirs.
    external: (id) => !id.startsWith('.') && !id.startsWith(folder),
    onwarn: ({ message }) => console.warn(`types of ${name}: ${message}`),
  });
  const dist = join(root, 'packages', name, 'dist');
  for (const file of existsSync(dist) ? readdirSync(dist) : []) {
    if (/\.d\.c?ts$/.test(file)) rmSync(join(dist, file));
  }
  // Both are the same but for the endings, also of the files that they import from each other.
  for (const ending of ['.d.ts', '.d.cts']) {
    await bundle.write({
      dir: dist,
      entryFileNames: `[name]${ending}`,
      chunkFileNames: (chunk) => `${chunk.name.replace(/\.d$/, '')}-[hash]${ending}`,
    });
  }
  await bundle.close();
}

// In the repository, where the declarations find Node's types as the sources do.
const folder = mkdtempSync(join(root, 'node_modules/.types-'));
try {
  declare(folder);
  for (const name of readdirSync(join(root, 'packages')).sort()) await roll(name, folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
