/**
 * The site of the documentation in Chromium, from a plain static server and below a path that it was not told: reading,
 * searching, running and changing examples, light and dark, two languages, a phone. It may ask its own host only.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import process from 'node:process';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { finished } from '../support/background.ts';
import { root } from '../support/commands.ts';

const folder = join(root, 'apps/docs/dist');
const below = '/somewhere/nn/';
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** A plain server of its own, and the address of the site on it. */
async function serve(): Promise<[Server, string]> {
  const made = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = join(folder, normalize(path.startsWith(below) ? path.slice(below.length) || 'index.html' : 'none'));
    const found = file.endsWith('/') ? join(file, 'index.html') : file;
    if (!found.startsWith(folder) || !existsSync(found)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': types[extname(found)] ?? 'application/octet-stream' });
    response.end(readFileSync(found));
  });
  await new Promise<void>((done) => made.listen(0, '127.0.0.1', done));
  return [made, `http://127.0.0.1:${(made.address() as AddressInfo).port}${below}`];
}

async function close(of: Server): Promise<void> {
  of.closeAllConnections();
  await new Promise((done) => of.close(done));
}

let server: Server;
let browser: Browser;
let address: string;
let context: BrowserContext | undefined;
/** What pages said that they should not have said, and what they asked of others. */
let complaints: string[];

beforeAll(async () => {
  await finished(inject('built'));
  [server, address] = await serve();
  const record = join(root, 'node_modules/.cache/nn-browser.json');
  const found: { executablePath?: string; env?: Record<string, string> } = existsSync(record)
    ? JSON.parse(readFileSync(record, 'utf8'))
    : {};
  browser = await chromium.launch({
    args: ['--no-sandbox'],
    ...(found.executablePath === undefined ? {} : { executablePath: found.executablePath }),
    ...(found.env === undefined ? {} : { env: { ...(process.env as Record<string, string>), ...found.env } }),
  });
});
afterEach(async () => {
  await context?.close();
});
afterAll(async () => {
  await browser.close();
  await close(server);
});

async function open(
  path: string,
  width = 1440,
  height = 900,
  serviceWorkers: 'allow' | 'block' = 'block',
): Promise<Page> {
  // whoever does not ask for it has none that copies the whole site meanwhile
  context = await browser.newContext({ viewport: { width, height }, locale: 'en-US', serviceWorkers });
  complaints = [];
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !message.text().includes('blocked by Playwright')) {
      complaints.push(message.text());
    }
  });
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(address) && !/^(data|blob):/.test(asked)) complaints.push(`asked for ${asked}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} for ${response.url()}`);
  });
  await page.goto(address + path, { waitUntil: 'load' });
  return page;
}

/** `NN_SCREENSHOTS=folder` keeps pictures, for people. */
async function picture(page: Page, name: string): Promise<void> {
  const to = process.env.NN_SCREENSHOTS;
  if (to === undefined) return;
  mkdirSync(to, { recursive: true });
  await page.screenshot({ path: join(to, `${name}.png`) });
}

const isDark = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.classList.contains('dark'));
/** How far a page can be scrolled aside. */
const sideways = (page: Page): Promise<number> =>
  page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth));

/** Types a question, and waits until an answer says what is wanted. */
async function search(page: Page, text: string, wanted: string | RegExp): Promise<void> {
  await page.locator('input.search-input').fill(text);
  const answers = async (): Promise<string> => (await page.locator('.results .result').allTextContents()).join('\n');
  await expect.poll(answers).toMatch(wanted);
}

describe('on a wide screen', () => {
  test('a network learns on the landing page, and stops when it is told', async () => {
    const page = await open('');
    const fact = (name: string): Promise<number> =>
      page
        .locator(`[data-fact="${name}"]`)
        .textContent()
        .then((text) => Number.parseFloat(text ?? ''));
    await expect.poll(() => fact('step'), { timeout: 60_000 }).toBeGreaterThan(50);
    await page.getByRole('button', { name: 'XOR', exact: true }).click();
    await expect.poll(() => fact('correct'), { timeout: 60_000 }).toBeGreaterThan(95);
    await picture(page, 'landing-1440');
    await page.getByRole('button', { name: /^(Pause|Again)$/ }).click();
    if (await page.getByRole('button', { name: 'Pause', exact: true }).isVisible()) {
      await page.getByRole('button', { name: 'Pause', exact: true }).click();
    }
    expect(complaints).toEqual([]);
  });

  test('the search finds guides, names, decisions and errors, and leads there', async () => {
    const page = await open('guides/tensors.html');
    await page.keyboard.press('/');
    await search(page, 'MultiheadAttention', 'MultiheadAttention');
    await picture(page, 'search-1440');
    await search(page, 'winograd', /Winograd's/);
    await search(page, 'inner sizes differ', /Errors/);
    await search(page, 'entropy', /crossEntropy/);
    // The index is in the page: nothing is asked any more.
    await context?.setOffline(true);
    await search(page, 'dropout', /Dropout/);
    await context?.setOffline(false);
    await search(page, 'cosineSimilarity', /cosineSimilarity/);
    await page.locator('.results .result').first().click();
    await expect.poll(() => page.url()).toMatch(/\.html#/);
    expect(complaints).toEqual([]);
  });

  test('an example runs, is changed, and says where it is wrong', async () => {
    const page = await open('guides/getting-started.html');
    const example = page.locator('.runnable').first();
    await example.getByRole('button', { name: 'Run', exact: true }).click();
    await expect
      .poll(() => example.locator('.runnable-output').textContent(), { timeout: 60_000 })
      .toContain('[ [ 0 ], [ 1 ], [ 1 ], [ 0 ] ]');
    await example.getByRole('button', { name: 'Edit' }).click();
    const editor = example.getByRole('textbox');
    const code = await editor.inputValue();
    expect(code).toContain('new Linear(2, 8)');
    await picture(page, 'example-1440');
    await editor.fill(
      "import { type Shape, tensor } from '@nn/core';\nconst shape: Shape = tensor([[1, 2]]).shape;\nshape; // => anything\nthrow new Error('no more');",
    );
    await editor.press('Control+Enter');
    await expect
      .poll(() => example.locator('.runnable-output').textContent(), { timeout: 60_000 })
      .toBe('[ 1, 2 ]\nline 4: Error: no more\n');
    await editor.fill('const x = ;');
    await example.getByRole('button', { name: 'Run', exact: true }).click();
    await expect.poll(() => example.locator('.runnable-output').textContent()).toMatch(/^line 1: SyntaxError: /);
    await editor.fill('for (;;) {}');
    await example.getByRole('button', { name: 'Run', exact: true }).click();
    await example.getByText(/^running … [1-9]\d* s$/).waitFor(); // it says how long, so that no one takes it for dead
    await example.getByRole('button', { name: 'Stop' }).click();
    await example.getByText('stopped').waitFor();
    await example.getByRole('button', { name: 'Original' }).click();
    expect(await example.locator('pre.shiki').textContent()).toContain('new Linear(2, 8)');
    expect(complaints).toEqual([]);
  });

  test('an example of a docstring needs no backend of its own, and types lead to their pages', async () => {
    const page = await open('api/layers/attention.html');
    const example = page.locator('.runnable').first();
    await example.getByRole('button', { name: 'Run', exact: true }).click();
    await expect
      .poll(() => example.locator('.runnable-output').textContent(), { timeout: 60_000 })
      .toBe('[ 4, 3, 8 ]\n');
    await picture(page, 'names-1440');
    await page.locator('pre a', { hasText: 'Tensor' }).first().click();
    await expect.poll(() => page.url()).toBe(`${address}api/core/tensor.html#Tensor`);
    await page
      .getByRole('heading', { name: /^Tensor/ })
      .first()
      .waitFor();
    expect(complaints).toEqual([]);
  });

  test('light and dark are chosen and stay', async () => {
    const page = await open('guides/index.html');
    const before = await isDark(page);
    await page.locator('.VPNavBar .VPSwitchAppearance').click();
    await expect.poll(() => isDark(page)).toBe(!before);
    await picture(page, `guides-1440-${before ? 'light' : 'dark'}`);
    await page.goto(`${address}benchmarks.html`);
    expect(await isDark(page)).toBe(!before);
    expect(complaints).toEqual([]);
  });

  test('each lesson of the playground has a card, in both languages, and a card opens its lesson', async () => {
    const read = (name: string): { lessons: string[]; title: { en: string; zh: string } } =>
      JSON.parse(readFileSync(join(folder, 'playground/lessons', name), 'utf8'));
    const { lessons } = read('index.json');
    expect(lessons.length).toBeGreaterThan(8);
    for (const [path, language] of [
      ['lessons.html', 'en'],
      ['zh/lessons.html', 'zh'],
    ] as const) {
      const page = await open(path);
      const cards = page.locator('a.lesson-card');
      expect(await cards.locator('strong').allTextContents()).toEqual(
        lessons.map((name) => read(name).title[language]),
      );
      await picture(page, `lessons-${language}`);
      await cards.nth(1).click();
      await page.getByRole('heading', { name: read(lessons[1] ?? '').title.en }).waitFor();
      expect(page.url()).toContain(`${address}playground/index.html?lesson=${(lessons[1] ?? '').replace('.json', '')}`);
      expect(complaints).toEqual([]);
      await context?.close();
    }
  });

  test('the playground lies beside the pages', async () => {
    const page = await open('lessons.html');
    await page.locator('a.playground-link').first().click();
    await page.getByRole('button', { name: 'Train' }).first().waitFor();
    expect(page.url()).toContain(`${address}playground/`);
  });
});

test.runIf(process.env.NN_PLAYGROUND)(
  'is read without a network after a visit: what was not opened yet, the search, an example, names',
  async () => {
    const [own, start] = await serve();
    try {
      const page = await open('', 1440, 900, 'allow');
      await page.goto(start);
      const isKept = (path: string): Promise<boolean> =>
        page.evaluate(async (name) => (await caches.match(name)) !== undefined, start + path);
      for (const path of ['index.html', 'guides/getting-started.html', 'api/layers/attention.html']) {
        await expect.poll(() => isKept(path), { timeout: 150_000 }).toBe(true);
      }
      const sources = readdirSync(join(folder, 'source'), { recursive: true, encoding: 'utf8' });
      const last = sources.filter((name) => name.endsWith('.html')).sort();
      await expect.poll(() => isKept(`source/${last.at(-1)}`), { timeout: 150_000 }).toBe(true);
      await close(own);
      await page.goto(`${start}guides/getting-started.html`);
      const example = page.locator('.runnable').first();
      await example.getByRole('button', { name: 'Run', exact: true }).click();
      await expect
        .poll(() => example.locator('.runnable-output').textContent(), { timeout: 60_000 })
        .toContain('[ [ 0 ], [ 1 ], [ 1 ], [ 0 ] ]');
      await page.keyboard.press('/');
      await search(page, 'MultiheadAttention', 'MultiheadAttention');
      await page.locator('.results .result').first().click();
      await page
        .getByRole('heading', { name: /MultiheadAttention/ })
        .first()
        .waitFor();
      await page.goto(`${start}guides/`);
      await page.getByRole('heading', { level: 1 }).waitFor();
    } finally {
      if (own.listening) await close(own);
    }
  },
  400_000,
);

/** All of them take minutes: `NN_EXAMPLES=guides` (or `packages`, `api/optim`) runs those of the pages below a folder. */
const wanted = process.env.NN_EXAMPLES;
test.skipIf(wanted === undefined)(
  'every example with a button runs in the page',
  async () => {
    const pages = readdirSync(join(folder, wanted ?? ''), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.html'))
      .map((name) => join(wanted ?? '', name));
    const failures: string[] = [];
    let count = 0;
    for (const path of pages.sort()) {
      if (!readFileSync(join(folder, path), 'utf8').includes('class="runnable"')) continue;
      const page = await open(path);
      const examples = await page.locator('.runnable').all();
      for (const [at, example] of examples.entries()) {
        count++;
        await example.getByRole('button', { name: 'Run', exact: true }).click();
        await example.getByRole('button', { name: 'Run', exact: true }).waitFor({ timeout: 120_000 });
        const failed = example.locator('.runnable-failed');
        if ((await failed.count()) > 0) failures.push(`${path}, example ${at + 1}: ${await failed.textContent()}`);
      }
      await context?.close();
    }
    console.log(`${count} examples ran in the page.`);
    expect(failures).toEqual([]);
  },
  3_600_000,
);

describe('on a phone', () => {
  test.for([
    '',
    'guides/getting-started.html',
    'guides/vocabulary.html',
    'api/layers/losses.html',
    'packages/index.html',
    'zh/index.html',
  ])('nothing of %s is wider than the screen', async (path) => {
    const page = await open(path, 360, 780);
    expect(await sideways(page)).toBe(0);
    await picture(page, `phone-${path.replaceAll('/', '-') || 'landing'}`);
    expect(complaints).toEqual([]);
  });

  test('it is searched, an example runs, the theme changes', async () => {
    const page = await open('guides/getting-started.html', 360, 780);
    await page.locator('.VPNavBarSearch button').first().click();
    await search(page, 'gradients', /Where gradients stop/);
    await picture(page, 'phone-search');
    await page.keyboard.press('Escape');
    const example = page.locator('.runnable').first();
    await example.getByRole('button', { name: 'Run', exact: true }).click();
    await expect
      .poll(() => example.locator('.runnable-output').textContent(), { timeout: 60_000 })
      .toContain('[ [ 0 ], [ 1 ], [ 1 ], [ 0 ] ]');
    await picture(page, 'phone-example');
    const before = await isDark(page);
    await page.locator('.VPNavBarHamburger').click();
    await page.locator('.VPNavScreen .VPSwitchAppearance').click();
    await expect.poll(() => isDark(page)).toBe(!before);
    await picture(page, 'phone-menu');
    expect(await sideways(page)).toBe(0);
    expect(complaints).toEqual([]);
  });
});

test('in Chinese: the first pages, their search, and the way to English and back', async () => {
  const page = await open('zh/guides/getting-started.html');
  expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
  const example = page.locator('.runnable').first();
  await example.getByRole('button', { name: '运行' }).click();
  await example.getByText(/用时/).waitFor({ timeout: 60_000 });
  await page.keyboard.press('/');
  await search(page, '张量', '入门');
  await page.keyboard.press('Escape');
  await picture(page, 'chinese-1440');
  await page.locator('.VPNavBarTranslations button').hover();
  await page.locator('.VPNavBarTranslations').getByRole('link', { name: 'English' }).click();
  await expect.poll(() => page.url()).toBe(`${address}guides/getting-started.html`);
  expect(complaints).toEqual([]);
});
