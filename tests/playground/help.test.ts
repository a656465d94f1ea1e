/** Help: whatever can be used says by keyboard what it is for, on the board with all of its tabs, and in the places. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Host, host, isWhole, places } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

/** What says by its own name and picture what it is: a neuron, a tab, a way to somewhere, a task, a pad, what opens. */
const plain = '.node, [role=tab], a, .task input, [role=application], summary, .fold, .back, .scroll, .code, .excerpt';

/** What can have the focus and then says nothing. */
async function silentOf(page: Page): Promise<string[]> {
  await page.keyboard.press('Tab'); // from here on the focus is that of a keyboard
  return page.evaluate(async (names) => {
    const found = document.querySelectorAll<HTMLElement>(
      'button:enabled, input:enabled, select:enabled, textarea:enabled, [tabindex="0"]',
    );
    const silent: string[] = [];
    for (const element of found) {
      if (element.matches(names) || !element.checkVisibility() || element.tabIndex < 0) continue;
      element.focus();
      await new Promise((done) => setTimeout(done, 20));
      const said = document.getElementById(element.getAttribute('aria-describedby') ?? '')?.textContent?.trim();
      if (!said) silent.push(element.closest('label')?.outerHTML.slice(0, 160) ?? element.outerHTML.slice(0, 160));
    }
    return silent;
  }, plain);
}

test.runIf(isWhole)('every control of the board says what it is for', async () => {
  for (const hash of ['#task=moons&schedule=cosine&penalty=l2', '#task=digits&samples=100&layers=c2k3p.relu_d6.relu']) {
    const { page, until, errors } = await pages.open(hash);
    await until('train-loss', Number.isFinite, 'there');
    await page.locator('.more summary').first().click();
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click();
      expect(await silentOf(page), `${hash}, ${await tab.textContent()}`).toEqual([]);
    }
    expect(errors).toEqual([]);
    await pages.clear();
  }
});

test.runIf(isWhole)('so do those of tables, drawn points, and a neuron that is pinned', async () => {
  const { page, until } = await pages.open('#task=table', { locale: 'zh-CN' });
  await page.locator('[data-name="table"] select').selectOption({ index: 1 });
  await page.locator('.axes').waitFor();
  await until('train-loss', Number.isFinite, 'there');
  await page.locator('button.node').nth(1).click();
  await page.locator('.weight-editor').waitFor();
  expect(await silentOf(page)).toEqual([]);
  await page.goto(new URL('#task=drawn', page.url()).href);
  await page.locator('.pen').waitFor();
  expect(await silentOf(page)).toEqual([]);
});

test.runIf(isWhole)('every control of every place says what it is for', async () => {
  for (const hash of places) {
    const { page, errors } = await pages.open(hash);
    await page.locator('.place-board h2').first().waitFor();
    await page.getByRole('button', { name: 'Train', exact: true }).hover();
    await page.getByRole('tooltip').getByText('Lets it run, or pauses it.').waitFor();
    expect(await silentOf(page), hash).toEqual([]);
    expect(errors).toEqual([]);
    await pages.clear();
  }
});
