/** For everyone: keyboard alone, names for screen readers, narrow screens, light and dark, English and Chinese. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cutOf, type Host, host, lowOf, namelessOf, phone } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

/** Presses Tab until what has the focus is called so; fails after a round. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let k = 0; k < 150; k++) {
    await page.keyboard.press('Tab');
    const called = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement & { labels?: NodeListOf<HTMLElement> };
      return element?.getAttribute('aria-label') ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? '';
    });
    if (name.test(called)) return;
  }
  throw new Error(`Tab never reached ${name}.`);
}

describe('with the keyboard alone', () => {
  test('a task is chosen, a layer added, the network trained, a unit looked at', async () => {
    const { page, until, errors } = await pages.open('#task=moons');
    await until('train-loss', Number.isFinite, 'there');
    await tabTo(page, /^Moons$/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.url()).toContain('task=circles');
    await tabTo(page, /Add layer/);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('group', { name: /^Layer/ }).count()).toBe(2);
    await tabTo(page, /^Layer 1, neuron 2/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Output of Layer 1, neuron 2' }).waitFor();
    await tabTo(page, /^Train$/);
    await page.keyboard.press('Enter');
    await until('test-accuracy', (share) => share >= 90, '90 % or more');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Train' }).waitFor();
    await tabTo(page, /^Walk-through$/);
    await page.keyboard.press('ArrowRight');
    await page.getByRole('tab', { name: 'Distributions', selected: true }).waitFor();
    expect(await page.getByRole('img', { name: /^Weights of Layer 1/ }).count()).toBe(1);
    expect(errors).toEqual([]);
  });

  test('points are drawn and learned', async () => {
    const { page, until, boardTops } = await pages.open('#task=drawn');
    // an empty pad is no error, and nothing moves under the pointer when there are enough points
    await page
      .getByRole('status')
      .getByText(/at least four points/)
      .waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    const pad = page.getByRole('application', { name: /Plane for drawing points/ });
    const place = await pad.boundingBox();
    await pad.focus();
    const go = async (key: string, times: number): Promise<void> => {
      for (let k = 0; k < times; k++) await page.keyboard.press(key);
    };
    await go('ArrowLeft', 8);
    for (let k = 0; k < 4; k++) {
      await page.keyboard.press('Enter');
      await go('ArrowUp', 2);
    }
    await page.getByRole('radio', { name: '1', exact: true }).focus();
    await page.keyboard.press('Space');
    await page.getByRole('application', { name: /Plane for drawing points/ }).focus();
    await go('ArrowRight', 16);
    for (let k = 0; k < 4; k++) {
      await page.keyboard.press('Enter');
      await go('ArrowDown', 2);
    }
    await expect.poll(() => page.url()).toMatch(/points=\w{40}$/);
    await until('train-loss', Number.isFinite, 'there');
    expect(await page.getByText(/at least four points/).count()).toBe(0);
    expect(await pad.boundingBox()).toEqual(place);
    expect(await boardTops()).toHaveLength(1);
    await page.getByRole('button', { name: 'Train' }).focus();
    await page.keyboard.press('Enter');
    await until('test-accuracy', (share) => share === 100, '100 %');
  });
});

test('whoever chooses to draw points sees the pad, on a screen where the plane is below the fold', async () => {
  const { page, until } = await pages.open('', { viewport: { width: 820, height: 800 } });
  await until('train-loss', Number.isFinite, 'there');
  await page.getByTitle('Draw points').click();
  await page.locator('.pad .wish').waitFor();
  const { y, height } = (await page.locator('.pad').boundingBox())!;
  expect(Math.ceil(y)).toBeGreaterThanOrEqual(0); // parts of a pixel are no part of the pad
  expect(Math.floor(y + height)).toBeLessThanOrEqual(800);
});

test('on a phone the tasks come first, the output is in the first view, the rest of the data unfolds', async () => {
  const { page, until, errors } = await pages.open('', phone);
  await until('train-loss', Number.isFinite, 'there');
  const [tasks, plane] = await Promise.all(
    ['.tasks', '.plane'].map((name) => page.locator(name).first().boundingBox()),
  );
  expect(tasks!.y).toBeLessThan(plane!.y);
  expect(plane!.y).toBeLessThan(540); // of 740
  expect([await lowOf(page), await cutOf(page)]).toEqual([[], []]);
  // the last of the row is scrolled to where it is chosen, and the page is not
  await page.getByRole('radio', { name: 'CSV file' }).focus();
  await page.keyboard.press('Space');
  await page.getByRole('combobox', { name: 'Table' }).waitFor();
  const [row, chosen] = await Promise.all(
    ['.tasks', '.task:has(:checked)'].map((name) => page.locator(name).first().boundingBox()),
  );
  expect(chosen!.x + chosen!.width).toBeLessThanOrEqual(row!.x + row!.width);
  await page.getByTitle('Moons').click();
  await page.getByRole('radio', { name: 'Moons', checked: true }).waitFor();
  expect(await page.getByRole('slider', { name: 'Noise' }).isVisible()).toBe(false);
  await page.getByRole('button', { name: 'More', exact: true }).click();
  expect(await page.getByRole('slider', { name: 'Noise' }).isVisible()).toBe(true);
  expect(await lowOf(page)).toEqual([]);
  expect(errors).toEqual([]);
});

// one page for all widths: what a page looks like when it is opened at another one is below
test.each([
  '#task=spirals&layers=d8.tanh_d8.tanh_d8.tanh_d8.tanh',
  '#task=digits&samples=100&layers=c2k3p.relu_d6.relu',
])(
  'everything that can be used has a name in every view, and nothing sticks out at any width, with "%s"',
  async (hash) => {
    const { page, until } = await pages.open(hash, { viewport: { width: 1180, height: 740 } });
    await until('train-loss', Number.isFinite, 'there');
    for (const tab of await page.getByRole('tab').all()) {
      const name = await tab.textContent();
      await tab.click();
      expect(await namelessOf(page), `${name}`).toEqual([]);
      for (const width of [360, 768, 1180]) {
        await page.setViewportSize({ width, height: 740 });
        // from the first frame on, before charts and pictures have followed the window
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth),
          `${name} at ${width}`,
        ).toBeLessThanOrEqual(width);
      }
    }
    for (const width of [360, 768, 1180]) {
      await page.setViewportSize({ width, height: 740 });
      await page.evaluate(() => scrollTo(0, 0));
      // start and progress stay in sight
      await page.mouse.wheel(0, 900);
      await page.waitForFunction(() => scrollY > 0);
      const box = (await page.getByRole('button', { name: 'Train' }).boundingBox())!;
      expect(box.y, String(width)).toBeGreaterThanOrEqual(0);
      expect(box.y + box.height, String(width)).toBeLessThan(740);
    }
  },
);

test.each([
  [1360, ''],
  [820, ''],
  [360, ''],
  [1360, '#task=drawn'],
  [1360, '#task=hills'],
  [1360, '#task=digits&samples=100'],
])('nothing moves while the page opens, at %i pixels with "%s"', async (width, hash) => {
  const { page, until, shifts } = await pages.open(hash, { viewport: { width, height: 900 } });
  if (hash === '#task=drawn') await page.locator('.pad .wish').waitFor();
  else await until('train-loss', Number.isFinite, 'there');
  await expect
    .poll(() => page.getByLabel('Computes on').locator('option').allTextContents())
    .toContain('GPU (WebGPU) – not available here');
  await page.waitForTimeout(300);
  const all = await shifts();
  expect(
    all.reduce((sum, { score }) => sum + score, 0),
    JSON.stringify(all, null, 1),
  ).toBeLessThan(0.02);
});

test('speaks Chinese where the browser does, and remembers another choice', async () => {
  const { page, until, errors } = await pages.open('', { locale: 'zh-CN' });
  await until('train-loss', Number.isFinite, 'there');
  await page.getByRole('button', { name: '训练', exact: true }).waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
  expect(await page.locator('#page').textContent()).not.toMatch(/Training|Learning rate|Output|Layer/);
  await page.getByLabel('语言').selectOption('English');
  await page.getByRole('button', { name: 'Train' }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Train' }).waitFor();
  expect(errors).toEqual([]);
});

test('is light or dark as the system is, or as chosen; the language may be a tag that is none', async () => {
  const { page, until, errors } = await pages.open('', { colorScheme: 'dark', language: 'en-US@posix' });
  await until('train-loss', Number.isFinite, 'there');
  const paper = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.getByLabel('Theme').selectOption('Light');
  await expect.poll(paper).not.toBe(dark);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.getByLabel('Theme').selectOption('Auto');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(paper).toBe(dark);
  expect(await page.locator('.chart canvas').count()).toBe(2);
  // and why there is one thread, where the host does not isolate the page
  await page.getByText(/One thread: this host does not isolate/).waitFor();
  expect(errors).toEqual([]);
});
