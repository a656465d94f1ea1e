/**
 * A page that trains and is closed, or whose process is killed, at any moment: opened again it goes on, and ends with the same
 * files, bit for bit, as one that was left alone. NN_KILLS=20 tries so many moments of each kind.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, serve } from './support/browser.ts';
import { root } from './support/commands.ts';

const ends = Number(process.env.NN_KILLS ?? 2);
/** Steps of the whole run. */
const steps = 50;
let home = '';
let browser: Browser;
let server: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'nn-closed-'));
  await build({
    entryPoints: ['page', 'worker'].map((name) => join(root, `packages/train/src/browser/closed-${name}-tests.ts`)),
    outdir: home,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    conditions: ['@nn/source'],
    logLevel: 'error',
  });
  writeFileSync(
    join(home, 'index.html'),
    '<!doctype html><title>Run</title><script type="module" src="closed-page-tests.js"></script>',
  );
  server = await serve(home);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  rmSync(home, { recursive: true });
});

interface Opened {
  readonly page: Page;
  /** What the page says at its end. */
  readonly result: Promise<unknown>;
  /** Waits until a step is said; answers at once where the run is over. */
  reached(step: number): Promise<void>;
}

const host = (): string => {
  const address = server.address();
  return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
};

/** All pages of a test are of one context: what one stores the next one finds. */
async function open(context: { newPage(): Promise<Page> }, where: string, name: string): Promise<Opened> {
  const page = await context.newPage();
  let [last, wake] = [0, (): void => undefined];
  const result = new Promise<unknown>((resolve, reject) => {
    page.on('pageerror', reject);
    page.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error') reject(new Error(text));
      if (text.startsWith('step ')) last = Number(text.slice(5));
      if (text.startsWith('result: ')) {
        last = steps;
        resolve(JSON.parse(text.slice(8)));
      }
      wake();
    });
  });
  result.catch(() => undefined); // told to whoever waits for it
  await page.goto(`${host()}/index.html?where=${where}&name=${name}`);
  const reached = async (step: number): Promise<void> => {
    while (last < step) {
      await Promise.race([
        result,
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      ]);
    }
  };
  return { page, result, reached };
}

/** Ends the processes of all pages as the system does when memory is short: without a word to them. */
async function kill(): Promise<void> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  for (const { type, id } of processInfo) if (type === 'renderer') process.kill(id, 'SIGKILL');
  await session.detach();
}

describe.each(['page', 'worker'])('a training on the %s', (where) => {
  test(`goes on to the same bits after ${ends} times closed and ${ends} killed`, {
    timeout: 120_000 + ends * 60_000,
  }, async () => {
    const context = await browser.newContext();
    const expected = await (await open(context, where, 'whole')).result;
    expect(expected).toMatchObject({ history: { length: 5 } });
    for (const how of ['closed', 'killed'] as const) {
      let hasResumed = false;
      for (let end = 0; end < ends; end++) {
        const name = `${how}-${end}`;
        const first = await open(context, where, name);
        // spread over the run; what the page does meanwhile makes the moment any of a step, a save, a validation
        await first.reached(1 + Math.floor(((end + 0.3) * steps) / ends));
        if (how === 'killed') await kill();
        await first.page.close();
        const again = await open(context, where, name);
        let begun = 0;
        again.page.on('console', (message) => {
          if (begun === 0 && message.text().startsWith('step ')) begun = Number(message.text().slice(5));
        });
        expect([name, await again.result]).toEqual([name, expected]);
        hasResumed ||= begun > 2;
        await again.page.close();
      }
      expect([how, hasResumed]).toEqual([how, true]);
    }
    await context.close();
  });
});
