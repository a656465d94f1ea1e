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
 * The layers of a package, the lowest first. A file may import from its own layer and from lower ones. `folder/` is
 * everything inside; `*` is every file that no other pattern names; of several patterns the longest counts.
 * @type {Readonly<Record<string, readonly { readonly name: string, readonly files: readonly string[] }[]>>}
 */
const layers = {
  'packages/core/src/': [
    { name: 'contract', files: ['backend.ts'] },
    {
      name: 'foundation',
      files: [
        'caller.ts',
        'copy.ts',
        'errors.ts',
        'dtype.ts',
        'shape.ts',
        'lists.ts',
        'settings.ts',
        'random-value.ts',
      ],
    },
    { name: 'graph', files: ['graph/'] },
    { name: 'ops', files: ['ops/'] },
    { name: 'autograd', files: ['autograd/'] },
    { name: 'compile', files: ['compile/'] },
    { name: 'loops', files: ['loops/'] },
    { name: 'tensor', files: ['*'] },
    { name: 'index', files: ['index.ts'] },
  ],
  'packages/backend-cpu/src/': [
    {
      name: 'foundation',
      files: ['shape.ts', 'storage.ts', 'math.ts', 'engine.ts', 'checks.ts', 'fetched.ts', 'half-floats.ts'],
    },
    { name: 'nest', files: ['nest/'] },
    { name: 'host', files: ['host/'] },
    { name: 'algorithms', files: ['algorithms/'] },
    { name: 'dialects', files: ['javascript/', 'interpreter/'] },
    { name: 'code', files: ['wasm/code/'] },
    { name: 'memory', files: ['wasm/memory.ts', 'wasm/lane.ts'] },
    { name: 'threads', files: ['wasm/threads/'] },
    { name: 'loops', files: ['wasm/loops/'] },
    { name: 'kernels', files: ['wasm/kernels/'] },
    { name: 'program', files: ['wasm/program/'] },
    { name: 'engine', files: ['wasm/crew.ts', 'wasm/native.ts', 'wasm/executable.ts', 'wasm/engine.ts'] },
    { name: 'backend', files: ['backend.ts'] },
    { name: 'entries', files: ['*', 'javascript/index.ts', 'wasm/index.ts'] },
  ],
};

/** Packages in which no file may reach itself by its imports, however long the way. */
const withoutCircles = [
  'packages/backend-cpu/src/',
  'packages/backend-gpu/src/',
  'packages/compress/src/',
  'packages/distributed/src/',
  'packages/explain/src/',
  'packages/keras/src/',
  'packages/layers/src/',
  'packages/text/src/',
];

/**
 * What the sources of a folder may import besides their own files. A more specific row replaces the general one.
 * No row has `node:` modules, because a bundler for browsers would stumble over them: where Node's own modules are
 * needed, `process.getBuiltinModule` fetches them at run time.
 */
const allowed = [
  { files: 'packages/core/src/', imports: [] },
  { files: 'packages/backend-cpu/src/', imports: ['@nn/core'] },
  { files: 'packages/backend-native/src/', imports: ['@nn/core', '@nn/backend-cpu/tier', 'node:'] },
  { files: 'packages/backend-gpu/src/', imports: ['@nn/core', 'gpu.js'] },
  { files: 'packages/layers/src/', imports: ['@nn/core'] },
  { files: 'packages/optim/src/', imports: ['@nn/core'] },
  { files: 'packages/serialize/src/', imports: ['@nn/core', '@nn/data'] },
  { files: 'packages/serialize/src/main.ts', imports: ['@nn/serialize', '@nn/serialize/formats'] },
  {
    files: 'packages/keras/src/',
    imports: ['@nn/core', '@nn/layers', '@nn/serialize', '@nn/serialize/formats', 'h5wasm'],
  },
  { files: 'packages/keras/src/main.ts', imports: ['@nn/keras', '@nn/serialize/formats'] },
  { files: 'packages/data/src/', imports: ['@nn/core'] },
  { files: 'packages/data/src/arrow/', imports: ['@nn/core', '@uwdata/flechette', 'hyparquet-compressors'] },
  { files: 'packages/data/src/parquet/', imports: ['@nn/core', 'hyparquet', 'hyparquet-compressors'] },
  { files: 'packages/distributions/src/', imports: ['@nn/core'] },
  { files: 'packages/onnx/src/', imports: ['@nn/core', '@nn/layers', '@nn/serialize/formats'] },
  { files: 'packages/onnx/src/main.ts', imports: ['@nn/onnx', '@nn/serialize/formats'] },
  { files: 'packages/metrics/src/', imports: ['@nn/core'] },
  { files: 'packages/vision/src/', imports: ['@nn/core', '@nn/data', '@nn/layers'] },
  { files: 'packages/audio/src/', imports: ['@nn/core', '@nn/data', '@nn/layers'] },
  { files: 'packages/train/src/', imports: ['@nn/core', '@nn/optim', '@nn/metrics', '@nn/serialize'] },
  { files: 'packages/train/src/node/', imports: ['@nn/core', '@nn/optim', '@nn/metrics', '@nn/serialize', 'node:'] },
  { files: 'packages/text/src/', imports: ['@nn/core', '@nn/layers', '@nn/serialize'] },
  { files: 'packages/text/src/hugging-face/', imports: ['@nn/core', '@huggingface/tokenizers'] },
  { files: 'packages/distributed/src/', imports: ['@nn/core', '@nn/optim'] },
  { files: 'packages/distributed/src/mpi/', imports: ['@nn/core', 'koffi'] },
  { files: 'packages/reinforcement/src/', imports: ['@nn/core', '@nn/layers', '@nn/optim'] },
  { files: 'packages/create/src/', imports: ['node:'] },
  { files: 'packages/create/src/main.ts', imports: ['@nn/create', 'node:'] },
  { files: 'packages/explain/src/', imports: ['@nn/core', '@nn/layers'] },
  { files: 'packages/compress/src/', imports: ['@nn/core', '@nn/layers', '@nn/serialize'] },
  { files: 'packages/privacy/src/', imports: ['@nn/core', '@nn/data', '@nn/layers'] },
  { files: 'packages/fairness/src/', imports: ['@nn/core', '@nn/layers'] },
  { files: 'packages/conformance/src/', imports: ['@nn/core'] },
  { files: 'packages/conformance/src/vitest.ts', imports: ['@nn/core', 'vitest'] },
  { files: 'packages/conformance/src/node-test.ts', imports: ['@nn/core', 'node:'] },
  { files: 'apps/', imports: ['@nn/', 'node:'] },
  {
    files: 'apps/docs/src/',
    imports: ['@nn/', 'node:', 'acorn', 'esbuild', 'sucrase', 'typescript', 'vitepress', 'vitepress/', 'vue'],
  },
  { files: 'apps/playground/src/', imports: ['@nn/', 'preact', 'preact/', '@preact/signals', 'uplot', 'uplot/'] },
];

/** Every wrong import below `root`, as one line each. @param {string} root @returns {string[]} */
export function findViolations(root) {
  /** @type {string[]} */
  const violations = [];
  /** @type {Map<string, string[]>} */
  const graph = new Map();
  for (const file of sources(root)) {
    const { importedFiles } = typescript.preProcessFile(readFileSync(join(root, file), 'utf8'), true, false);
    for (const { fileName: specifier } of importedFiles) {
      const reason = specifier.startsWith('.') ? wrongFile(file, specifier) : wrongPackage(file, specifier);
      if (reason) violations.push(`${file} imports ${specifier}: ${reason}`);
    }
    if (isTest(file) || !withoutCircles.some((home) => file.startsWith(home))) continue;
    const own = importedFiles.filter(({ fileName }) => fileName.startsWith('.'));
    graph.set(
      file,
      own.map(({ fileName }) => posix.join(posix.dirname(file), fileName)),
    );
  }
  return [...violations, ...circles(graph)];
}

/** Every circle once, as the way around it. @param {ReadonlyMap<string, readonly string[]>} graph */
function circles(graph) {
  /** @type {string[]} */
  const found = [];
  const done = new Set();
  /** @param {string} file @param {readonly string[]} way */
  const walk = (file, way) => {
    const at = way.indexOf(file);
    if (at >= 0) found.push(`${[...way.slice(at), file].join(' imports ')}: a circle.`);
    if (at >= 0 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) walk(target, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
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
  const floors = layers[home];
  if (isTest(file) || !floors) return undefined;
  if (isTest(target)) return 'only tests import tests.';
  const from = layerOf(file.slice(home.length), floors);
  const to = layerOf(target.slice(home.length), floors);
  if (floors[from]?.name === 'contract') return 'the contract imports nothing.';
  if (to <= from) return undefined;
  return `the layer "${floors[from]?.name}" is below "${floors[to]?.name}" and may not know it.`;
}

/** The position in `floors`. @param {string} file inside the sources of its package @param {(typeof layers)[string]} floors */
function layerOf(file, floors) {
  let [position, length] = [-1, -1];
  floors.forEach(({ files }, at) => {
    for (const pattern of files) {
      const fits = pattern === '*' || pattern === file || (pattern.endsWith('/') && file.startsWith(pattern));
      const size = pattern === '*' ? 0 : pattern.length;
      if (fits && size > length) [position, length] = [at, size];
    }
  });
  return position;
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
