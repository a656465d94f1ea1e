/** For the classroom: accessible by axe, offline, in frames and with fixed settings, presented, printed. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { built, type Host, host, isWhole } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** Findings of axe at serious or above, and all of target sizes. */
async function findings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => {
    const { run } = (window as unknown as { axe: { run(options: object): Promise<AxeResults> } }).axe;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    return run({ runOnly: { type: 'tag', values: tags }, rules: { 'target-size': { enabled: true } } });
  });
  return violations
    .filter(({ impact, id }) => impact === 'serious' || impact === 'critical' || id === 'target-size')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 140)} ${failureSummary}`),
    );
}

describe.runIf(isWhole)('axe has no serious finding, and every target is large enough', () => {
  test.each([
    [1360, 'light', ''],
    [360, 'dark', '?lesson=threshold'],
  ] as const)('at %i pixels, %s, "%s"', async (width, colorScheme, hash) => {
    const { page, until } = await pages.open(hash, { viewport: { width, height: 800 }, colorScheme });
    await until('train-loss', Number.isFinite, 'there');
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click();
      expect(await findings(page), (await tab.textContent()) ?? '').toEqual([]);
    }
    if (width < 1000) return;
    await page.getByRole('button', { name: 'Glossary' }).click();
    await page.getByRole('dialog', { name: 'Glossary' }).waitFor();
    expect(await findings(page), 'glossary').toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByTitle('Handwritten digits').click();
    await page.getByRole('application', { name: /Pad for drawing a digit/ }).waitFor();
    await until('train-loss', Number.isFinite, 'there');
    await page.getByRole('button', { name: 'Tour' }).click();
    await page.getByRole('dialog', { name: 'Tour' }).waitFor();
    expect(await findings(page), 'tour over digits').toEqual([]);
  });
});

test('what is shown is in the first view from 768 pixels up: the output, the network, the bar', async () => {
  const { page, until } = await pages.open('', { viewport: { width: 768, height: 1024 } });
  await until('train-loss', Number.isFinite, 'there');
  for (const [width, height] of [
    [768, 1024],
    [1024, 768],
    [1440, 900],
  ] as const) {
    await page.setViewportSize({ width, height });
    const seen = async (): Promise<number> => {
      const box = (await page.locator('.surface').boundingBox())!;
      return (Math.min(box.y + box.height, height) - Math.max(0, box.y)) / box.height;
    };
    await expect.poll(seen, { message: `${width} x ${height}` }).toBeGreaterThan(0.6);
  }
  // what one changes first is there as well
  const rate = (await page.getByLabel('Learning rate', { exact: true }).boundingBox())!;
  expect(rate.y + rate.height).toBeLessThan(450);
});

test.runIf(isWhole)(
  'works without its server after the first visit: the page, its lessons, and what is fetched late',
  async () => {
    const own = await host();
    try {
      const { page, until, errors } = await own.open('', { serviceWorkers: 'allow' });
      await until('train-loss', Number.isFinite, 'there');
      await isKept(page);
      await own.unplug();
      await page.getByRole('link', { name: 'Agents' }).click();
      await page.getByRole('heading', { name: 'Value function' }).waitFor();
      await page.goto(new URL('?lesson=xor', page.url()).href);
      await page.getByRole('heading', { name: 'A line cannot do XOR' }).waitFor();
      await until('train-loss', Number.isFinite, 'there');
      await page.getByRole('button', { name: 'One step' }).click();
      await until('steps', (count) => count === 1, '1');
      await page.getByRole('button', { name: 'Glossary' }).click();
      await page.getByRole('dialog', { name: 'Glossary' }).getByText('Backpropagation', { exact: true }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Sequences' }).click();
      await page.locator('.written li').first().waitFor();
      expect(errors).toEqual([]);
    } finally {
      await own.close();
    }
  },
);

/** Until the service worker has everything that was built. */
const isKept = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    while (active?.state !== 'activated') await new Promise((done) => setTimeout(done, 50));
  });

test.runIf(isWhole)(
  'a place alone is a visit, too; a newer build follows when no page of the older one is open',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nn-page-'));
    cpSync(built, folder, { recursive: true });
    const own = await host({ folder });
    try {
      const { page } = await own.open('#place=race', { serviceWorkers: 'allow' });
      await isKept(page);
      const names = (of: Page): Promise<string[]> => of.evaluate(() => caches.keys());
      const [old] = await names(page);
      expect(old).toMatch(/^nn\.playground \/ [0-9a-f]{16}$/);
      const put = (file: string, before: RegExp | string, after: string): void => {
        const text = readFileSync(join(folder, file), 'utf8');
        expect(text).toMatch(before);
        writeFileSync(join(folder, file), text.replace(before, after));
      };
      put('index.html', '<head>', '<head><meta name="build" content="newer">');
      put('service-worker.js', old?.split(' ')[2] ?? '', '0123456789abcdef');
      await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
      await expect.poll(async () => (await names(page)).length).toBe(2);
      // its server is needed until then
      await expect
        .poll(() => page.evaluate(async () => (await navigator.serviceWorker.ready).waiting?.state))
        .toBe('installed');
      const next = await page.context().newPage();
      await page.close();
      await own.unplug();
      await expect
        .poll(async () => {
          // Closed for a moment: the newer worker takes over while no page is there. The same address again would stay on its page.
          await next.goto('about:blank');
          await next.waitForTimeout(200);
          await next.goto(page.url());
          return names(next);
        })
        .toEqual(['nn.playground / 0123456789abcdef']);
      expect(await next.locator('meta[name="build"]').getAttribute('content')).toBe('newer');
      await next.getByRole('heading', { name: 'A race of optimizers' }).waitFor();
    } finally {
      await own.close();
      rmSync(folder, { recursive: true });
    }
  },
);

describe("a teacher's link", () => {
  test('hides parts, fixes settings, and fits a frame', async () => {
    const { page, until, errors } = await pages.open('?embed&hide=training,curves&fix=task,layers#task=circles');
    await until('train-loss', Number.isFinite, 'there');
    const headings = await page.getByRole('heading').allTextContents();
    expect(headings).toEqual(['Data', 'Network', 'Output']);
    expect(await page.getByRole('radio', { name: 'Moons' }).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: 'Add layer' }).isDisabled()).toBe(true);
    expect(await page.getByLabel('Noise').isDisabled()).toBe(false);
    // the rest of the address goes on telling the experiment
    await page.getByRole('spinbutton', { name: 'Seed' }).fill('7');
    await page.getByRole('spinbutton', { name: 'Seed' }).press('Enter');
    await expect.poll(() => page.url()).toMatch(/\?embed&hide=training,curves&fix=task,layers#task=circles&seed=7$/);
    expect(errors).toEqual([]);
  });

  test('is made on the page', async () => {
    const { page, until } = await pages.open('#task=xor');
    await until('train-loss', Number.isFinite, 'there');
    await page.getByRole('tab', { name: 'Export' }).click();
    const fix = page.getByRole('group', { name: 'Fix' });
    await fix.getByRole('checkbox', { name: 'Task' }).check();
    await page.getByRole('group', { name: 'Hide' }).getByRole('checkbox', { name: 'Training' }).check();
    const address = await page.getByRole('textbox', { name: 'A link for the class' }).inputValue();
    expect(address.replace(/^.*\//, '')).toBe('?fix=task&hide=training#task=xor');
    await page.goto(address);
    await until('train-loss', Number.isFinite, 'there');
    expect(await page.getByRole('radio', { name: 'Moons' }).isDisabled()).toBe(true);
    expect(await page.getByRole('heading', { name: 'Training', exact: true }).count()).toBe(0);
  });
});

test.runIf(isWhole)('is presented: larger, without what is only set, and back', async () => {
  const { page, until } = await pages.open('#task=moons');
  await until('train-loss', Number.isFinite, 'there');
  const size = (): Promise<number> =>
    page.evaluate(() => Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
  const before = await size();
  await page.getByRole('button', { name: 'Presentation' }).click();
  await expect.poll(size).toBeGreaterThan(before);
  expect(await page.getByRole('heading').allTextContents()).toEqual(['Network', 'Output', 'Curves']);
  await page.getByRole('button', { name: 'End the presentation' }).click();
  await page.getByRole('heading', { name: 'Data' }).waitFor();
});

test.runIf(isWhole)(
  'explains each control by pointer and keyboard, and the tour walks through the page by itself',
  async () => {
    const { page, until, errors } = await pages.open('#task=moons');
    await until('train-loss', Number.isFinite, 'there');
    await page.getByLabel('Learning rate', { exact: true }).hover();
    await page
      .getByRole('tooltip')
      .getByText(/^How large a step is/)
      .waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('tooltip').waitFor({ state: 'hidden' });
    await page.getByLabel('Optimizer').focus();
    await page.keyboard.press('Tab');
    const described = await page.evaluate(() => document.activeElement?.getAttribute('aria-describedby'));
    expect(await page.locator(`#${described}`).textContent()).toMatch(/^How large a step is/);
    await page.getByRole('button', { name: 'Tour' }).click();
    const tour = page.getByRole('dialog', { name: 'Tour' });
    await tour.getByText(/^Choose what to learn/).waitFor();
    await page.keyboard.press('ArrowRight');
    await tour.getByText(/^The network: inputs/).waitFor();
    // it goes on by itself, and trains
    await tour.getByText(/^Train: with each step/).waitFor();
    await until('steps', (count) => count > 0, 'more than 0');
    await page.keyboard.press('Escape');
    expect(await tour.count()).toBe(0);
    expect(errors).toEqual([]);
  },
);

test('single keys act, unless they are turned off', async () => {
  const { page, until, steps } = await pages.open('#task=moons');
  await until('train-loss', Number.isFinite, 'there');
  await page.keyboard.press('s');
  await until('steps', (count) => count === 1, '1');
  await page.getByRole('checkbox', { name: 'Single-key shortcuts' }).uncheck();
  await page.locator('h1').click();
  await page.keyboard.press('s');
  await page.keyboard.press(' ');
  await page.waitForTimeout(300);
  expect(await steps()).toBe(1);
  await page.reload();
  await until('train-loss', Number.isFinite, 'there');
  expect(await page.getByRole('checkbox', { name: 'Single-key shortcuts' }).isChecked()).toBe(false);
});

test.runIf(isWhole)('is printed on white, without what is only pressed', async () => {
  const { page, until } = await pages.open('#task=moons', { colorScheme: 'dark' });
  await until('train-loss', Number.isFinite, 'there');
  await page.emulateMedia({ media: 'print' });
  const whiteOf = (selector: string): Promise<number> =>
    page.locator(selector).evaluate((element) => {
      const [red = 0, green = 0, blue = 0] =
        getComputedStyle(element)
          .backgroundColor.match(/[\d.]+/g)
          ?.map(Number) ?? [];
      return Math.min(red, green, blue);
    });
  expect(await whiteOf('body')).toBe(255);
  expect(await whiteOf('[data-name="optimizer"] select')).toBeGreaterThan(230);
  expect(await page.getByRole('button', { name: 'Train', exact: true }).isVisible()).toBe(false);
  expect(await page.locator('.surface').isVisible()).toBe(true);
  expect(await page.locator('.chart canvas').first().isVisible()).toBe(true);
});
