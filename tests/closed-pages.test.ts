/**
 * A page that trains and is closed, whose process or whose whole browser is killed at any moment, or whose disk is full: opened
 * again it goes on, and ends with the same files, bit for bit, as one that was left alone. NN_KILLS=20 tries so many moments of
 * each kind.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, launchKept, serve } from './support/browser.ts';
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
async function open(context: BrowserContext, where: string, name: string): Promise<Opened> {
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

/** Ends processes of one kind as the system does when memory is short, or a person who has lost patience: without a word to them. */
async function kill(of: Browser, kind: 'renderer' | 'browser'): Promise<void> {
  const session = await of.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const gone = new Promise<void>((resolve) => of.once('disconnected', () => resolve()));
  for (const { type, id } of processInfo) if (type === kind) process.kill(id, 'SIGKILL');
  await (kind === 'browser' ? gone : session.detach());
}

/** A moment of the run: spread over it, and what the page does meanwhile makes it any of a step, a save, a validation. */
const moment = (end: number): number => 1 + Math.floor(((end + 0.3) * steps) / ends);

/** The first step that a page says; 0 before it. */
function firstStep(page: Page): () => number {
  let first = 0;
  page.on('console', (message) => {
    if (first === 0 && message.text().startsWith('step ')) first = Number(message.text().slice(5));
  });
  return () => first;
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
        await first.reached(moment(end));
        if (how === 'killed') await kill(browser, 'renderer');
        await first.page.close();
        const again = await open(context, where, name);
        const begun = firstStep(again.page);
        expect([name, await again.result]).toEqual([name, expected]);
        hasResumed ||= begun() > 2;
        await again.page.close();
      }
      expect([how, hasResumed]).toEqual([how, true]);
    }
    await context.close();
  });

  test(`goes on to the same bits after its browser was killed ${ends} times, one after the other`, {
    timeout: 120_000 + ends * 60_000,
  }, async () => {
    const profile = mkdtempSync(join(tmpdir(), 'nn-profile-'));
    const begun: number[] = [];
    try {
      for (let end = 0; end < ends; end++) {
        const context = await launchKept(profile);
        const run = await open(context, where, 'run');
        const first = firstStep(run.page);
        await run.reached(moment(end));
        begun.push(first());
        await kill(context.browser()!, 'browser');
      }
      const context = await launchKept(profile);
      const run = await open(context, where, 'run');
      const first = firstStep(run.page);
      const result = await run.result;
      begun.push(first());
      expect(result).toEqual(await (await open(context, where, 'whole')).result);
      await context.close();
    } finally {
      rmSync(profile, { recursive: true });
    }
    // each began where the one ahead of it was saved
    expect(begun.at(-1)).toBeGreaterThan(2);
    expect(begun).toEqual(begun.toSorted((a, b) => a - b));
  });

  test('is told of a disk that is full, and goes on from the last save when there is room', async () => {
    // a context of its own: the browser asks what room there is before a first save, and then for seconds no more
    const context = await browser.newContext();
    const session = await context.newCDPSession(await context.newPage());
    await session.send('Storage.overrideQuotaForOrigin', { origin: host(), quotaSize: 100_000 }); // for about ten saves
    const run = await open(context, where, 'full');
    await expect(run.result).rejects.toThrow(
      /^checkpoint: the browser has no room for \d+ bytes of the run 'full'; what was saved before is still there\. /,
    );
    await run.page.close();
    await session.send('Storage.overrideQuotaForOrigin', { origin: host() });
    const again = await open(context, where, 'full');
    const begun = firstStep(again.page);
    const result = await again.result;
    expect(begun()).toBeGreaterThan(2);
    expect(result).toEqual(await (await open(context, where, 'whole')).result);
    await context.close();
  });
});
