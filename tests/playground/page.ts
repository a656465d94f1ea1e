/**
 * The built page in a Chromium, from a plain static server: no headers, so nothing is isolated from other origins. What a
 * test needs to look at it and to use it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { inject } from 'vitest';
import { finished } from '../support/background.ts';
import { root } from '../support/commands.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
};

/** Whether all tests of the page run: some are long and run when asked for, with NN_PLAYGROUND=1. */
export const isWhole: boolean = Boolean(process.env.NN_PLAYGROUND);

/** Where each place begins, and each of its other sides. */
export const places: readonly string[] = [
  '#place=race',
  '#place=agents',
  '#place=agents&world=snake',
  '#place=games',
  '#place=games&game=connect4',
  '#place=sequences',
  '#place=generators',
  '#place=generators&kind=autoencoder',
  '#place=senses',
  '#place=senses&kind=pictures',
];

/** What can be used, or shows something, and has no name for whoever does not see it. */
export function namelessOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const all = document.querySelectorAll(
      'button, input, select, textarea, summary, a, [role=img], [role=application], [tabindex="0"]',
    );
    return [...all].flatMap((element) => {
      const labels = 'labels' in element ? [...((element as HTMLInputElement).labels ?? [])] : [];
      const name =
        element.getAttribute('aria-label') || labels.map((label) => label.textContent).join('') || element.textContent;
      return name?.trim() ? [] : [element.outerHTML.slice(0, 120)];
    });
  });
}

/** A phone, held upright. */
export const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } as const;

/** What a finger presses and is less than 44 pixels high: but neurons, characters and squares of boards, which are as large as their picture lets them be. */
export function lowOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const pressed = document.querySelectorAll<HTMLElement>(
      'button, .places a, .card, select, summary, [type=range], [type=number], [type=text], .task, .chips label, [role=tab]',
    );
    return [...pressed].flatMap((element) => {
      const { height } = element.getBoundingClientRect();
      const isPicture = element.matches('.node, .square');
      return height === 0 || height >= 43.5 || isPicture ? [] : [`${height} ${element.outerHTML.slice(0, 120)}`];
    });
  });
}

/** Words in the bar that do not fit into their room. */
export function cutOf(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('.controls dt, .controls dd')]
      .filter((element) => element.scrollWidth > element.clientWidth + 1)
      .map((element) => element.textContent ?? ''),
  );
}

export interface Host {
  /** A page of its own; `language` is what the browser says, valid or not. */
  open(
    hash?: string,
    options?: BrowserContextOptions & { readonly language?: string },
    prepare?: (context: BrowserContext) => Promise<unknown>,
  ): Promise<Visit>;
  /** Ends the server alone: what a page needs from then on it must have. */
  unplug(): Promise<void>;
  /** Closes all pages, so that none goes on training beside the next test. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface Visit {
  readonly page: Page;
  /** What the page said that it should not have said. */
  readonly errors: string[];
  /** A number of the bar, as the page shows it. */
  fact(name: string): Promise<string>;
  steps(): Promise<number>;
  /** Waits until a number of the bar is as wanted. */
  until(name: string, wanted: (value: number) => boolean, what: string): Promise<number>;
  /** Where the board began, in pixels from the top of the page, in all frames so far: one place where nothing moved it. */
  boardTops(): Promise<number[]>;
  /** What has moved by itself so far, as the browser counts it: 0.1 is a tenth of the window by the window's height. */
  shifts(): Promise<readonly Shift[]>;
  drop(...files: readonly { readonly name: string; readonly content: string | Uint8Array }[]): Promise<void>;
}

interface Shift {
  readonly score: number;
  readonly moved: readonly string[];
}

/** What was built. */
export const built: string = join(root, 'apps/playground/dist');

interface HostOptions {
  /** A GPU in software, with WebGL 2, or with WebGPU as well. By default the browser has none: it paints at half the cost. */
  readonly gpu?: 'webgl' | 'webgpu';
  /** Served in place of what was built. */
  readonly folder?: string;
  /** A camera and a microphone that show and say what is in these files (Y4M, WAV), and that nobody has to allow. */
  readonly devices?: { readonly video: string; readonly audio: string };
}

export async function host({ gpu, folder = built, devices }: HostOptions = {}): Promise<Host> {
  await finished(inject('built'));
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = join(folder, normalize(path === '/' ? '/index.html' : path));
    if (!file.startsWith(folder) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' });
    return response.end(readFileSync(file));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const browser = await launch([
    ...(gpu === undefined ? [] : webglArguments),
    ...(gpu === 'webgpu' ? webgpuArguments : []),
    ...(devices ? deviceArguments(devices) : []),
  ]);
  const unplug = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((done) => server.close(done));
  };
  return {
    open: (hash = '', options = {}, prepare = undefined) => visit(browser, address + hash, options, prepare),
    async clear() {
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    unplug,
    async close() {
      await browser.close();
      await unplug();
    },
  };
}

/** The page is then painted by it, too. */
const webglArguments = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'];
const webgpuArguments = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];
const deviceArguments = ({ video, audio }: { readonly video: string; readonly audio: string }): string[] => [
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-video-capture=${video}`,
  `--use-file-for-fake-audio-capture=${audio}`,
];

function launch(more: readonly string[]): Promise<Browser> {
  const record = join(root, 'node_modules/.cache/nn-browser.json');
  const found: { executablePath?: string; env?: Record<string, string> } = existsSync(record)
    ? JSON.parse(readFileSync(record, 'utf8'))
    : {};
  return chromium.launch({
    args: ['--no-sandbox', ...more],
    ...(found.executablePath === undefined ? {} : { executablePath: found.executablePath }),
    ...(found.env === undefined ? {} : { env: { ...(process.env as Record<string, string>), ...found.env } }),
  });
}

async function visit(
  browser: Browser,
  address: string,
  { language, ...options }: BrowserContextOptions & { readonly language?: string },
  prepare?: (context: BrowserContext) => Promise<unknown>,
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1360, height: 900 },
    locale: 'en-US',
    serviceWorkers: 'block',
    ...options,
  });
  await prepare?.(context);
  if (language !== undefined) {
    await context.addInitScript((tag) => {
      Object.defineProperty(Navigator.prototype, 'language', { configurable: true, get: () => tag });
    }, language);
  }
  await context.addInitScript(() => {
    const tops = new Set<number>();
    Object.assign(window, { boardTops: tops });
    const watch = (): void => {
      const board = document.querySelector('.board');
      if (board !== null) tops.add(Math.round(board.getBoundingClientRect().top + scrollY));
      requestAnimationFrame(watch);
    };
    watch();
  });
  await context.addInitScript(() => {
    interface Moved extends PerformanceEntry {
      readonly value: number;
      readonly sources: readonly {
        readonly node: Node | null;
        readonly previousRect: DOMRect;
        readonly currentRect: DOMRect;
      }[];
    }
    const shifts: Shift[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries() as Moved[]) {
        const moved = sources.map(({ node, previousRect: before, currentRect: after }) => {
          const name = node instanceof Element ? `${node.tagName}.${node.className}` : node?.nodeName;
          return `${name} ${before.x},${before.y} ${before.width}x${before.height} to ${after.x},${after.y} ${after.width}x${after.height}`;
        });
        shifts.push({ score: value, moved });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(address);
  const read = async (name: string): Promise<string> =>
    ((await page.locator(`[data-fact="${name}"]`).first().textContent()) ?? '').replaceAll('−', '-');
  const made: Visit = {
    page,
    errors,
    fact: read,
    steps: async () => Number(await read('steps')),
    async until(name, wanted, what) {
      const end = Date.now() + 120_000;
      for (;;) {
        const value = Number.parseFloat((await read(name)).replaceAll('−', '-')); // as the page writes signs
        if (wanted(value)) return value;
        if (Date.now() > end) throw new Error(`${name} is ${value} and not ${what} after two minutes.`);
        await page.waitForTimeout(50);
      }
    },
    boardTops: () => page.evaluate(() => [...(window as unknown as { boardTops: Set<number> }).boardTops]),
    shifts: () => page.evaluate(() => (window as unknown as { shifts: Shift[] }).shifts),
    async drop(...files) {
      const plain = files.map(({ name, content }) => ({
        name,
        bytes: [...(typeof content === 'string' ? new TextEncoder().encode(content) : content)],
      }));
      await page.evaluate((given) => {
        const transfer = new DataTransfer();
        for (const { name, bytes } of given) transfer.items.add(new File([new Uint8Array(bytes)], name));
        const init = { dataTransfer: transfer, bubbles: true, cancelable: true };
        document.querySelector('.page')?.dispatchEvent(new DragEvent('drop', init));
      }, plain);
    },
  };
  return made;
}
