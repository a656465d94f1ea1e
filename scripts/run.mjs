/**
 * Every command of the repository: brings pnpm, installs, and runs one job. Needs only Node and npm.
 * It imports nothing from node_modules at the top, because it runs before they exist.
 *
 *   node scripts/run.mjs <job> [arguments for the job]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const oldestNode = [20, 19];
const skipBrowser = process.env.NN_SKIP_BROWSER === '1';
const windows = process.platform === 'win32';

/** @type {Record<string, (args: string[]) => Promise<number>>} */
const jobs = {
  setup: async () => 0,
  start: async (args) =>
    (await buildQuietly('--filter=@nn/demo', '--filter=@nn/demo^...')) ||
    (await node(['--enable-source-maps', 'apps/demo/dist/main.js', ...args], nativeGpu())),
  /** Builds the page and serves it; `-- --dev` serves the sources and follows their changes. */
  playground: async (args) =>
    args[0] === '--dev'
      ? tool('vite', ['apps/playground', ...args.slice(1)])
      : (await buildQuietly('--filter=@nn/playground')) || tool('vite', ['preview', 'apps/playground', ...args]),
  build: async () => (await turbo('build')) || types(),
  test: async (args) =>
    (await turbo('build')) ||
    (await types()) ||
    (await browser()) ||
    all(
      () => tool('vitest', ['run', ...report(), ...args]),
      async () => sayIfSkipped(),
    ),
  lint: async () =>
    all(
      () => tool('biome', ['check', '--error-on-warnings']),
      () => node(['scripts/check-imports.mjs']),
      () => tool('sherif', ['--fail-on-warnings']),
      () => tool('knip', ['--no-config-hints']),
      () => node(['scripts/mutations/main.mjs', '--check']),
    ),
  format: async () => tool('biome', ['check', '--write']),
  typecheck: async () =>
    all(
      () => tsc('tsconfig.json'),
      () => tsc('tsconfig.tools.json'),
    ),
  examples: async (args) => node(['scripts/run-examples.mjs', ...args]),
  sizes: async (args) => (await packages('build')) || node(['scripts/sizes.mjs', '--write', ...args]),
  api: async (args) => (await turbo('codegen')) || (await types()) || node(['scripts/api.mjs', ...args]),
  /** Builds the site of the documentation, with the playground in it, and looks for dead links. */
  docs: async () =>
    (await buildQuietly('--filter=@nn/docs')) || node(['--import', 'tsx', 'apps/docs/src/stage/check.ts']),
  'docs:serve': async (args) =>
    (await buildQuietly('--filter=@nn/docs')) || tool('vite', ['preview', 'apps/docs', ...args]),
  /** `-- --sample` tries a few, for a minute; `-- words` those that match. */
  mutations: async (args) => node(['scripts/mutations/main.mjs', ...args]),
  licences: async () => (await packages('build')) || node(['scripts/licences.mjs']),
  rehearse: async () => (await packages('build')) || (await types()) || node(['scripts/release-rehearse.mjs']),
  bench: async (args) => (await turbo('build', '--filter=./packages/*')) || (await node(['bench/main.mjs', ...args])),
};

/** Runs a program of the repository's node_modules/.bin. @param {string} name @param {string[]} args */
const tool = (name, args) => run(join(root, 'node_modules/.bin', name), args);
/** @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
const node = (args, env) => run(process.execPath, args, env);
/** Builds what has changed since it was last built. @param {string[]} args */
const turbo = (...args) => tool('turbo', ['run', ...args, '--output-logs=errors-only']);
/**
 * The same without a word, unless it fails: who starts a program did not ask for a build. A long one is announced.
 * @param {string[]} args
 */
async function buildQuietly(...args) {
  const note = setTimeout(() => console.error('Building ...'), 2000);
  const parts = ['run', 'build', ...args, '--output-logs=errors-only'];
  const code = await run(join(root, 'node_modules/.bin/turbo'), parts, {}, true);
  clearTimeout(note);
  return code;
}
/** The same for the packages only. @param {string} job */
const packages = (job) => turbo(job, '--filter=./packages/*');
/** Writes the declarations of all packages; the generated sources must be there. */
const types = () => node(['scripts/types.mjs']);
/** TypeScript 7 by its path: both TypeScripts own `.bin/tsc`. @param {string} project */
const tsc = (project) => node(['node_modules/typescript-native/bin/tsc', '--project', project]);

/** The exit code of the first failed step, after all of them have run. @param {(() => Promise<number>)[]} steps */
async function all(...steps) {
  let code = 0;
  for (const step of steps) code = (await step()) || code;
  return code;
}

/** Before the tests, and after them, where the eye is. */
function sayIfSkipped() {
  if (skipBrowser) console.warn('\nNN_SKIP_BROWSER=1: the tests do NOT run in a browser.');
  return 0;
}

const browser = async () => (skipBrowser ? sayIfSkipped() : node(['scripts/ensure-browser.mjs']));

/** `NN_TEST_REPORT=file` also writes vitest's results as JSON. */
function report() {
  const file = process.env.NN_TEST_REPORT;
  return file ? ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`] : [];
}

/** Where `scripts/install-node-gpu.mjs` puts what gives Node a GPU, for a child that looks for packages. */
function nativeGpu() {
  const folder = join(root, 'node_modules/.cache/nn-gpu/node_modules');
  const { NODE_PATH: before } = process.env;
  return existsSync(folder) ? { NODE_PATH: before ? `${before}${delimiter}${folder}` : folder } : {};
}

/**
 * Runs a child in the foreground and passes signals on, so that it can end in its own way (Ctrl-C saves a checkpoint).
 * @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env] what is added to the environment
 * @param {boolean} [isQuiet] whether what it prints is shown only if it fails
 * @returns {Promise<number>} its exit code
 */
function run(command, args, env = {}, isQuiet = false) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: isQuiet ? ['inherit', 'pipe', 'pipe'] : 'inherit',
      shell: windows,
      env: { ...process.env, ...env },
    });
    /** @type {Buffer[]} */
    const printed = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => printed.push(chunk));
    // A terminal sends SIGINT to the whole group: the child has it already.
    const wait = () => {};
    const pass = () => child.kill('SIGTERM');
    process.on('SIGINT', wait).on('SIGTERM', pass);
    const finish = (/** @type {number} */ code) => {
      process.off('SIGINT', wait).off('SIGTERM', pass);
      if (code !== 0) process.stderr.write(Buffer.concat(printed));
      resolve(code);
    };
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      finish(1);
    });
    child.on('close', (code, signal) => finish(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** @param {string} message @returns {never} */
function stop(message) {
  console.error(message);
  process.exit(1);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [needMajor = 0, needMinor = 0] = oldestNode;
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    stop(`Node ${process.versions.node} is too old: this repository needs ${oldestNode.join('.')} or newer.`);
  }
}

/** Puts the pinned pnpm on PATH (turbo looks for it there); npx fetches and keeps it. */
function bringPnpm() {
  const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;
  // Outside the repository, where pnpm does not look at the pin and try to switch.
  const present = spawnSync('pnpm', ['--version'], { cwd: tmpdir(), encoding: 'utf8', shell: windows });
  if (`pnpm@${present.stdout?.trim()}` === pinned) return;
  const found = spawnSync(
    'npx',
    ['--yes', '--prefer-offline', `--package=${pinned}`, '--', 'node', '-p', 'process.env.PATH'],
    {
      cwd: tmpdir(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: windows,
    },
  );
  if (found.status !== 0) stop(`npx could not bring ${pinned}; is the npm registry reachable?\n${found.stderr}`);
  process.env.PATH = found.stdout.trim();
}

async function install() {
  const first = !existsSync(join(root, 'node_modules'));
  if (first) console.log('Setting up: installing the dependencies ...');
  const quiet = first ? [] : ['--silent'];
  return run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline', ...quiet]);
}

async function main() {
  const [name = '', ...args] = process.argv.slice(2);
  const job = jobs[name];
  if (!job) stop(`${name || '(nothing)'}: not a job. Jobs: ${Object.keys(jobs).join(', ')}.`);
  checkNode();
  process.env.TURBO_TELEMETRY_DISABLED = '1';
  bringPnpm();
  const failed = await install();
  process.exitCode = failed || (await job(args));
}

await main();
