/**
 * Finds a Chromium for the tests, or fetches one, and remembers it in node_modules/.cache/nn-browser.json,
 * which vitest.config.ts reads. A candidate counts only when it has opened a page: a path that exists proves nothing.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { chromium } from 'playwright-core';

/** @typedef {{ source: string, executablePath: string, env?: Record<string, string> }} Browser */

const cache = join(dirname(fileURLToPath(import.meta.url)), '..', 'node_modules', '.cache');
const record = join(cache, 'nn-browser.json');
const packed = {
  name: '@sparticuz/chromium@147.0.0',
  integrity: 'sha512-4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ==',
};

/** Whether the browser starts and runs a script in a page. @param {Browser} browser */
async function opensPage({ executablePath, env }) {
  if (!existsSync(executablePath)) return false;
  try {
    const browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox'],
      timeout: 30_000,
      ...(env ? { env: { .../** @type {Record<string, string>} */ (process.env), ...env } } : {}),
    });
    try {
      const page = await browser.newPage();
      return (await page.evaluate('1 + 1')) === 2;
    } finally {
      await browser.close();
    }
  } catch {
    return false;
  }
}

/** Browsers that may be on this machine, the likeliest first. @returns {Generator<Browser>} */
function* installed() {
  if (existsSync(record)) yield JSON.parse(readFileSync(record, 'utf8'));
  if (process.env.CHROME_PATH) yield { source: 'CHROME_PATH', executablePath: process.env.CHROME_PATH };
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) yield { source: 'PATH', executablePath: join(folder, name) };
  }
  const { PROGRAMFILES: programs = 'C:\\Program Files', 'PROGRAMFILES(X86)': programs86 = 'C:\\Program Files (x86)' } =
    process.env;
  for (const executablePath of [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
    join(programs, 'Google\\Chrome\\Application\\chrome.exe'),
    join(programs86, 'Microsoft\\Edge\\Application\\msedge.exe'),
  ]) {
    yield { source: 'usual place', executablePath };
  }
  yield { source: 'playwright', executablePath: chromium.executablePath() };
}

/** A step of a set-up, quiet unless it fails. @param {string} command @param {string[]} args */
function attempt(command, args, environment = {}) {
  const { status } = spawnSync(command, args, {
    stdio: 'ignore',
    env: { ...process.env, ...environment },
    shell: process.platform === 'win32',
    timeout: 300_000,
  });
  return status === 0;
}

/** Chromium as an npm package: works where only the registry is reachable, and without root. Linux x64 only. */
async function fromNpm() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return [];
  const home = join(cache, 'nn-browser');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), '{ "private": true }\n');
  if (!attempt('npm', ['pack', packed.name, '--pack-destination', home, '--prefix', home])) return [];
  const archive = join(home, 'sparticuz-chromium-147.0.0.tgz');
  const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (integrity !== packed.integrity) {
    console.error(`${packed.name}: the download does not match its integrity hash; it is not used.`);
    return [];
  }
  if (!attempt('tar', ['-xzf', archive, '-C', home, '--no-same-owner'])) return [];
  const parts = join(home, 'package', 'bin');
  const executablePath = join(home, 'chromium');
  await unpack(join(parts, 'chromium.br'), executablePath);
  chmodSync(executablePath, 0o755);
  for (const part of ['swiftshader', 'fonts', 'al2023']) {
    const tar = join(home, `${part}.tar`);
    await unpack(join(parts, `${part}.tar.br`), tar);
    const target = part === 'swiftshader' ? home : join(home, part);
    mkdirSync(target, { recursive: true });
    attempt('tar', ['-xf', tar, '-C', target, '--no-same-owner']);
    rmSync(tar);
  }
  rmSync(join(home, 'package'), { recursive: true });
  rmSync(archive);
  // Its own libraries (nss, nspr, expat) only where the machine has none.
  return [
    { source: 'npm', executablePath },
    { source: 'npm', executablePath, env: { LD_LIBRARY_PATH: join(home, 'al2023', 'lib') } },
  ];
}

/** @param {string} from @param {string} to */
const unpack = (from, to) => pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));

function fromPlaywright() {
  const cli = fileURLToPath(new URL('./cli.js', import.meta.resolve('playwright-core/package.json')));
  const environment = { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '8000' };
  if (!attempt(process.execPath, [cli, 'install', 'chromium', '--only-shell'], environment)) return [];
  return [{ source: 'playwright', executablePath: chromium.executablePath() }];
}

function fromApt() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return [];
  attempt('apt-get', ['update', '-qq']);
  if (!attempt('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'])) return [];
  return [{ source: 'apt', executablePath: '/usr/bin/chromium' }];
}

/** @returns {Promise<Browser | undefined>} */
async function find() {
  for (const browser of installed()) if (await opensPage(browser)) return browser;
  console.log('No browser found; fetching Chromium ...');
  for (const fetched of [fromNpm, fromPlaywright, fromApt]) {
    for (const browser of await fetched()) if (await opensPage(browser)) return browser;
  }
  return undefined;
}

const browser = await find();
if (browser) {
  mkdirSync(cache, { recursive: true });
  writeFileSync(record, `${JSON.stringify(browser, null, 2)}\n`);
} else {
  console.error(
    'The tests need Chromium and none could be found or fetched. Install Chromium or Chrome, or set CHROME_PATH to one.\n' +
      'NN_SKIP_BROWSER=1 runs the tests in Node only.',
  );
  process.exitCode = 1;
}
