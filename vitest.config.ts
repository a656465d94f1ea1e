/**
 * All tests, in one file of configuration and six projects: `node`, `node-alone` and `browser` run files from source
 * (no build), `packages`, `playground` and `site` check what is built. A file named `*.node.test.ts` or `*.browser.test.ts` runs
 * only there; the others run in Node, and those of the packages that meet a page in a page as well.
 */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

const conditions = ['@nn/source', 'module', 'development|production'];
const include = ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts'];
const setupFiles = ['scripts/test-setup.ts'];
const setupShared = 'scripts/test-setup-shared.ts';
/**
 * Processes of Node, and pages, at once. Two on two cores as well: much of what runs waits for a browser's GPU process or for
 * programs of its own. All projects say the same, or vitest would run them one after the other.
 */
const maxWorkers = Math.max(2, availableParallelism() - 1);

/** What takes longest begins first, so that nothing is left to run alone at the end. */
const long = [
  'packages/backend-gpu/src/testing/conformance.browser.test.ts',
  'tests/playground/',
  'tests/release.test.ts',
  'tests/conformance.test.ts',
  'packages/backend-cpu/src/conformance.test.ts',
  'packages/core/src/leak.node.test.ts',
];
/**
 * What waits for a browser, for programs or for servers of its own on a machine that does other things may come too late once; the
 * report says so ("retry x1"). What fails twice fails.
 */
const retry = 1;

class LongestFirst extends BaseSequencer {
  override async sort(files: Parameters<BaseSequencer['sort']>[0]): ReturnType<BaseSequencer['sort']> {
    const place = (file: (typeof files)[number]): number => {
      const found = long.findIndex((name) => file.moduleId.includes(`/${name}`));
      return found < 0 ? long.length : found;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

const packages: TestProjectConfiguration = {
  test: {
    name: 'packages',
    include: ['tests/*.test.ts'],
    globalSetup: ['tests/support/pack.ts'],
    maxWorkers,
    retry,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
};

/** The page of apps/playground in a real Chromium, by playwright. */
const playground: TestProjectConfiguration = {
  test: {
    name: 'playground',
    include: ['tests/playground/*.test.ts'],
    globalSetup: ['tests/playground/build.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers,
    retry,
    expect: { poll: { timeout: 30_000, interval: 100 } },
  },
};

/** The site of the documentation in the same Chromium. */
const site: TestProjectConfiguration = {
  test: {
    name: 'site',
    include: ['tests/site/*.test.ts'],
    globalSetup: ['tests/site/build.ts'],
    testTimeout: 180_000,
    hookTimeout: 600_000,
    maxWorkers,
    retry,
    expect: { poll: { timeout: 30_000, interval: 100 } },
  },
};

/** Ends what waits forever. How fast a machine is, and what else it does, is no matter of a test. */
const testTimeout = 120_000;
const inNode = (test: Extract<TestProjectConfiguration, { test?: unknown }>['test']): TestProjectConfiguration => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // Leak tests collect garbage themselves.
  test: { setupFiles, testTimeout, hookTimeout: 120_000, execArgv: ['--expose-gc'], maxWorkers, ...test },
});
/**
 * What looks at the memory of the whole process, or loads packages anew (a second copy of core, which others would find), or
 * sees what a process has not fetched yet.
 */
const alone = [
  '**/*leak.node.test.ts',
  '**/wasm/code/features.node.test.ts',
  '**/fourier/without-vectors.node.test.ts',
  '**/backend-cpu/src/fetched.node.test.ts',
];
/** The files share a process: most of them run faster than the packages load. (Those of a page share pages.) */
const node = inNode({
  name: 'node',
  include,
  exclude: ['**/node_modules/**', '**/*.browser.test.ts', ...alone],
  setupFiles: [...setupFiles, setupShared],
  isolate: false,
});
const nodeAlone = inNode({ name: 'node-alone', include: alone });

/**
 * What a page is not asked again: sums, in the engine that Node has too. In a page run the packages that meet one (errors at
 * the user's line, memory, threads, files, streams, devices); of the others only `*.browser.test.ts`, and all of them are
 * used from their packed files by `tests/browsers.test.ts`.
 */
const arithmetic = [
  `packages/!(core|backend-*|data|serialize|train)/src/**/!(*.browser).test.ts`,
  'packages/backend-cpu/src/conformance.test.ts',
  'packages/backend-cpu/src/wasm/{code,kernels}/**',
  // 40,000 steps on a device that only writes down what it holds
  'packages/core/src/compile/residency.test.ts',
  'packages/serialize/src/{pytorch,numpy,gguf}/**',
];

/** What `scripts/ensure-browser.mjs` found and tried out. */
function foundBrowser(): { executablePath?: string; env?: Record<string, string> } {
  const record = new URL('node_modules/.cache/nn-browser.json', import.meta.url);
  return existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : {};
}

const { executablePath, env } = foundBrowser();
const browser: TestProjectConfiguration = {
  resolve: { conditions: [...conditions, 'browser'] },
  optimizeDeps: {
    include: [
      ...['axe-core', 'fast-check', '@huggingface/tokenizers', '@uwdata/flechette'],
      ...['hyparquet', 'hyparquet-compressors', 'hyparquet-writer'],
    ],
  },
  // Pages that are isolated from other origins may share memory between threads.
  server: { headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' } },
  test: {
    name: 'browser',
    // As in Node: a page that keeps what it has loaded saves more than half of the project's time.
    isolate: false,
    include,
    exclude: ['**/node_modules/**', '**/*.node.test.ts', ...arithmetic],
    setupFiles: [...setupFiles, setupShared],
    env: { NN_KIT: process.env.NN_KIT ?? '' },
    testTimeout,
    maxWorkers,
    retry,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      instances: [{ browser: 'chromium' }],
      provider: playwright({
        launchOptions: {
          ...(executablePath ? { executablePath } : {}),
          ...(env ? { env: { ...(process.env as Record<string, string>), ...env } } : {}),
          args: [
            '--no-sandbox',
            '--js-flags=--expose-gc',
            // WebGL 2 and WebGPU on the software device, so that they exist on every machine.
            '--enable-unsafe-webgpu',
            '--use-webgpu-adapter=swiftshader',
            '--enable-features=Vulkan',
            '--use-angle=swiftshader',
            '--enable-unsafe-swiftshader',
            '--ignore-gpu-blocklist',
          ],
        },
      }),
    },
  },
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // The first run after an install looks through all dependencies before a page answers. (Read here, not in the project.)
    browser: { connectTimeout: 300_000 },
    projects:
      process.env.NN_SKIP_BROWSER === '1'
        ? [packages, node, nodeAlone]
        : [packages, playground, site, node, nodeAlone, browser],
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'] },
  },
});
