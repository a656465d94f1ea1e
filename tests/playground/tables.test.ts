/** Own data: tables that come with the page, what is in their columns, principal components, metrics, and a form that predicts. */
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Host, host, isWhole } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

/** A metric of the test samples. */
const testOf = (page: Page, name: string): Locator =>
  page.locator(`.metric-rows [data-name="metric.${name}"] td`).last();

test('houses: columns are told, the price is learned, measured in its unit, and predicted from a form', async () => {
  const { page, until, fact, errors } = await pages.open('#task=table');
  await page.getByText(/Drop a CSV file on the page, or choose one/).waitFor();
  await page
    .getByLabel('Table', { exact: true })
    .or(page.getByRole('combobox', { name: /^Table/ }))
    .selectOption('Houses (a price)');
  await page.getByText('houses.csv · 300').waitFor();
  await until('train-loss', Number.isFinite, 'there');
  expect(await fact('reading')).toContain('separator ;');
  expect(await fact('reading')).toContain('utf-8');
  await page.getByText(/^6 columns · \d+ missing$/).click();
  const columns = page.locator('.columns-facts');
  expect(await columns.getByRole('row', { name: /^district/ }).textContent()).toMatch(/4 categories.*missing/);
  expect(await columns.getByRole('row', { name: /^area/ }).textContent()).toMatch(/ m²/);
  // the plane by principal components
  await page.getByLabel('Plane of').selectOption('principal components');
  await expect.poll(() => fact('explained')).toMatch(/^PC 1 holds [\d.]+ % of the variance, PC 2 [\d.]+ %/);
  await page.getByRole('button', { name: 'Train' }).click();
  await until('test-loss', (loss) => loss < 0.2, 'less than 0.2');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Train' }).waitFor();
  await page.getByRole('tab', { name: 'Metrics' }).click();
  await expect.poll(() => testOf(page, 'meanAbsoluteError').textContent()).toMatch(/^[\d.]+ k€$/);
  expect(Number(await testOf(page, 'r2').textContent())).toBeGreaterThan(0.7);
  await page.getByRole('tab', { name: 'Predict' }).click();
  const price = async (): Promise<number> => Number.parseFloat(await fact('prediction'));
  await expect.poll(() => fact('prediction')).toMatch(/ k€$/);
  await page.getByLabel('area (m²)').and(page.locator('.predict input')).fill('60');
  await expect.poll(price).toBeLessThan(320);
  const small = await price();
  await page.getByLabel('area (m²)').and(page.locator('.predict input')).fill('150');
  await expect.poll(price).toBeGreaterThan(small + 80);
  // what is not known is filled in
  await page
    .locator('.predict')
    .getByRole('combobox', { name: /^district/ })
    .selectOption('not known');
  await expect.poll(price).toBeGreaterThan(small);
  // the link alone brings it all back
  await page.reload();
  await page.getByText('houses.csv · 300').waitFor();
  expect(errors).toEqual([]);
});

test.runIf(isWhole)('loans: a rare class, whose recall follows the threshold', async () => {
  const table = encodeURIComponent(JSON.stringify(['', [], 'auto', 'loans']));
  const { page, until, errors } = await pages.open(`#task=table&table=${table}`);
  await until('train-loss', Number.isFinite, 'there');
  await page.getByRole('button', { name: 'Train' }).click();
  await until('test-loss', (loss) => loss < 0.35, 'less than 0.35');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Train' }).waitFor();
  await page.getByRole('tab', { name: 'Metrics' }).click();
  const recall = async (): Promise<number> => Number(await testOf(page, 'recall').textContent());
  await expect.poll(recall).toBeGreaterThan(0.5);
  const before = await recall();
  expect(Number(await testOf(page, 'auroc').textContent())).toBeGreaterThan(0.6);
  await page.getByLabel('Threshold of yes').fill('0.99');
  await expect.poll(recall).toBeLessThan(before);
  await page.getByRole('img', { name: /^ROC curve/ }).waitFor();
  expect(errors).toEqual([]);
});
