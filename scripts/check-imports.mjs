/**
 * The direction of imports: who may know whom. Fails the lint when a file looks upwards.
 * It reads only import specifiers (of values and of types), never what is done with them. The rules are the two
 * tables below; tests may import any package, but only by its public name.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import typescript from 'typescript';

/**
 * The layers of packages/core/src, the lowest first. A file may import from its own layer and from lower ones.
 * `folder/` is everything inside; `*` is every file that no other layer names.
 */
const coreLayers = [
  { name: 'contract', files: ['backend.ts'] },
  {
    name: 'foundation',
    files: ['copy.ts', 'errors.ts', 'dtype.ts', 'shape.ts', 'lists.ts', 'settings.ts', 'random-value.ts'],
  },
  { name: 'graph', files: ['graph/'] },
  { name: 'ops', files: ['ops/'] },
  { name: 'autograd', files: ['autograd/'] },
  { name: 'compile', files: ['compile/'] },
  { name: 'tensor', files: ['*'] },
  { name: 'index', files: ['index.ts'] },
];

/**
 * What the sources of a folder may import besides their own files. A more specific row replaces the general one.
 * No row has `node:` modules, because a bundler for browsers would stumble over them: where Node's own modules are
 * needed, `process.getBuiltinModule` fetches them at run time.
 */
const allowed = [
  { files: 'packages/core/src/', imports: [] },
  { files: 'packages/backend-cpu/src/', imports: ['@nn/core'] },
  { files: 'packages/backend-gpu/src/', imports: ['@nn/core', 'gpu.js'] },
  { files: 'packages/layers/src/', imports: ['@nn/core'] },
  { files: 'packages/optim/src/', imports: ['@nn/core'] },
  { files: 'packages/serialize/src/', imports: ['@nn/core'] },
  { files: 'packages/data/src/', imports: ['@nn/core'] },
  { files: 'packages/metrics/src/', imports: ['@nn/core'] },
  { files: 'packages/train/src/', imports: ['@nn/core', '@nn/optim', '@nn/metrics', '@nn/serialize'] },
  { files: 'packages/train/src/node/', imports: ['@nn/core', '@nn/optim', '@nn/metrics', '@nn/serialize', 'node:'] },
  { files: 'packages/conformance/src/', imports: ['@nn/core'] },
  { files: 'packages/conformance/src/vitest.ts', imports: ['@nn/core', 'vitest'] },
  { files: 'packages/conformance/src/node-test.ts', imports: ['@nn/core', 'node:'] },
  { files: 'apps/', imports: ['@nn/', 'node:'] },
  { files: 'apps/playground/src/', imports: ['@nn/', 'preact', 'preact/', '@preact/signals', 'uplot', 'uplot/'] },
];

/** Every wrong import below `root`, as one line each. @param {string} root @returns {string[]} */
export function findViolations(root) {
  /** @type {string[]} */
  const violations = [];
  for (const file of sources(root)) {
    const { importedFiles } = typescript.preProcessFile(readFileSync(join(root, file), 'utf8'), true, false);
    for (const { fileName: specifier } of importedFiles) {
      const reason = specifier.startsWith('.') ? wrongFile(file, specifier) : wrongPackage(file, specifier);
      if (reason) violations.push(`${file} imports ${specifier}: ${reason}`);
    }
  }
  return violations;
}

/** The TypeScript files of packages and apps, with `/` between folders. @param {string} root */
function* sources(root) {
  for (const group of ['packages', 'apps']) {
    if (!existsSync(join(root, group))) continue;
    for (const name of readdirSync(join(root, group))) {
      const folder = join(root, group, name, 'src');
      if (!existsSync(folder)) continue;
      for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (/\.[cm]?tsx?$/.test(entry)) yield relative(root, join(folder, entry)).split(sep).join('/');
      }
    }
  }
}

/** Also what tests share: `device-tests.ts`. */
const isTest = (/** @type {string} */ file) => /\.(test|bench)\.ts$|-tests\.ts$/.test(file);

/** `packages/core/src/` of a file inside it. @param {string} file */
const homeOf = (file) => `${file.split('/').slice(0, 3).join('/')}/`;

/** @param {string} file @param {string} specifier @returns {string | undefined} */
function wrongFile(file, specifier) {
  const target = posix.join(posix.dirname(file), specifier);
  const home = homeOf(file);
  if (target.startsWith(home.replace(/src\/$/, 'fixtures/'))) return undefined;
  if (!target.startsWith(home))
    return 'a relative path may not leave the sources of its package; use the package name.';
  if (isTest(file) || home !== 'packages/core/src/') return undefined;
  if (isTest(target)) return 'only tests import tests.';
  const from = layerOf(file.slice(home.length));
  const to = layerOf(target.slice(home.length));
  if (from === 0) return 'the contract imports nothing.';
  if (to <= from) return undefined;
  return `the layer "${coreLayers[from]?.name}" is below "${coreLayers[to]?.name}" and may not know it.`;
}

/** The position in `coreLayers`. @param {string} file a path inside packages/core/src */
function layerOf(file) {
  const named = coreLayers.findIndex(({ files }) =>
    files.some((pattern) => (pattern.endsWith('/') ? file.startsWith(pattern) : file === pattern)),
  );
  return named >= 0 ? named : coreLayers.findIndex(({ files }) => files.includes('*'));
}

/** @param {string} file @param {string} specifier @returns {string | undefined} */
function wrongPackage(file, specifier) {
  const own = specifier.startsWith('@nn/');
  if (own && specifier.split('/').includes('src')) return 'import only public names, not paths inside a package.';
  if (isTest(file)) return undefined;
  const row = allowed.filter(({ files }) => file.startsWith(files)).at(-1);
  const may = row?.imports ?? [];
  const matches = may.some((name) => (/[:/]$/.test(name) ? specifier.startsWith(name) : specifier === name));
  if (matches) return undefined;
  return `${row?.files ?? file} may import ${may.length > 0 ? may.join(', ') : 'no package'}.`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const violations = findViolations(join(dirname(fileURLToPath(import.meta.url)), '..'));
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) {
    console.error(`\n${violations.length} wrong imports. The rules are the tables in scripts/check-imports.mjs.`);
    process.exitCode = 1;
  }
}
