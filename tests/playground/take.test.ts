/** Taken along: the zip with all files, the page that predicts in a browser of its own, and ONNX. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Host, host } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

async function saved(page: Page, button: string): Promise<{ name: string; bytes: Uint8Array }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

test('the page that is taken along predicts what the page predicts, from its one file', async () => {
  const table = encodeURIComponent(JSON.stringify(['', [], 'auto', 'houses']));
  const { page, until, fact, errors } = await pages.open(`#task=table&table=${table}`);
  await until('train-loss', Number.isFinite, 'there');
  await page.getByRole('button', { name: 'One epoch' }).click();
  await until('steps', (count) => count === 7, '7');
  await page.getByRole('button', { name: 'Train' }).waitFor();
  await page.getByRole('tab', { name: 'Export' }).click();
  const zip = await saved(page, 'Download everything (zip)');
  expect(zip.name).toBe('nn-table.zip');
  const listing = new TextDecoder('latin1').decode(zip.bytes);
  for (const name of ['program.mts', 'predict.mts', 'package.json', 'houses.csv', 'pytorch/train.py', 'predict.html']) {
    expect(listing).toContain(name);
  }
  const onnx = await saved(page, 'Network as ONNX');
  expect(new TextDecoder('latin1').decode(onnx.bytes)).toContain('Gemm');
  const { bytes } = await saved(page, 'Page that predicts (HTML)');
  const alone = await page.context().newPage();
  alone.on('request', (request) => errors.push(request.url()));
  await alone.setContent(new TextDecoder().decode(bytes));
  await alone.getByLabel('area (m²)').fill('90');
  await alone.getByLabel('rooms').fill('3');
  await alone.getByLabel('age (years)').fill('10');
  await alone.getByLabel('district').selectOption('harbour');
  await alone.getByLabel('garden').selectOption('yes');
  const told = (await alone.locator('output').textContent()) ?? '';
  expect(told).toMatch(/^price \(k€\) [\d.]+ k€$/);
  await page.getByRole('tab', { name: 'Predict' }).click();
  const form = page.locator('.predict');
  await form.getByLabel('area (m²)').fill('90');
  await form.getByLabel('rooms').fill('3');
  await form.getByLabel('age (years)').fill('10');
  await form.getByRole('combobox', { name: /^district/ }).selectOption('harbour');
  await form.getByRole('combobox', { name: /^garden/ }).selectOption('yes');
  const value = Number(/([\d.]+) k€$/.exec(told)?.[1]);
  await expect.poll(async () => Number.parseFloat(await fact('prediction'))).toBeCloseTo(value, 0);
  expect(errors).toEqual([]);
});
