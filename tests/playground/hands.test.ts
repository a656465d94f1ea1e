/** Hands on: weights changed by hand, values under the cursor, functions of the coordinates, points added while it trains. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Host, host, isWhole } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

const tipOf = async (page: Page): Promise<string> =>
  (await page.locator('.tip').count()) === 0 ? '' : ((await page.locator('.tip').textContent()) ?? '');

describe('hands on', () => {
  test.runIf(isWhole)('a weight is found at its line, changed by hand, and the answer follows', async () => {
    const { page, until, fact, errors } = await pages.open('#task=moons&layers=none');
    await until('train-loss', Number.isFinite, 'there');
    const [loss, lines] = [await fact('train-loss'), (await page.locator('canvas.lines').boundingBox())!];
    // somewhere down the middle of the diagram the pointer meets the line from x
    let tip = '';
    for (let y = 50; y < lines.height && !tip.startsWith('x →'); y += 4) {
      await page.mouse.move(lines.x + lines.width / 2, lines.y + y);
      await page.waitForTimeout(60); // the tip comes with the next picture
      tip = await tipOf(page);
    }
    expect(tip).toMatch(/^x → Output: weight −?[\d.]+, gradient/);
    await page.mouse.down();
    await page.mouse.up();
    const field = page.getByLabel('weight from x', { exact: true });
    await field.waitFor();
    await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true);
    const before = await page.locator('.surface').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    await field.fill('4.5');
    await field.press('Enter');
    await expect.poll(() => fact('train-loss')).not.toBe(loss);
    await expect
      .poll(() => page.locator('.surface').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL()))
      .not.toBe(before);
    const bias = page.getByLabel('Slider for bias');
    const between = await fact('train-loss');
    await bias.fill('2');
    await expect.poll(() => fact('train-loss')).not.toBe(between);
    await expect.poll(() => page.getByLabel('bias', { exact: true }).inputValue()).toBe('2');
    // the program says that it cannot know of this
    await page.getByRole('tab', { name: 'Export' }).click();
    await page.getByText(/Settings were changed in mid-training/).waitFor();
    // and the plane tells what is answered where
    const plane = (await page.locator('.surface').boundingBox())!;
    await page.mouse.move(plane.x + plane.width - 8, plane.y + plane.height / 2);
    await expect
      .poll(() => tipOf(page))
      .toMatch(/^x [\d.]+, y −?[\d.]+: 1 \(9\d\.\d %\)|^x [\d.]+, y −?[\d.]+: 1 \(100\.0 %\)/);
    expect(errors).toEqual([]);
  });

  test('circles are learned without a hidden layer where squares go in, shown as the network decides', async () => {
    const { page, until, errors } = await pages.open('#task=circles&layers=none&learningRate=0.3');
    await until('train-loss', Number.isFinite, 'there');
    for (const name of ['x²', 'y²', 'x', 'y']) await page.locator('.chips').getByText(name, { exact: true }).click();
    await expect.poll(() => page.url()).toContain('features=xSquared_ySquared');
    await expect.poll(() => page.locator('.page').getAttribute('data-experiment')).toContain('features=');
    await page.getByRole('button', { name: 'Train' }).click();
    await until('test-accuracy', (share) => share >= 95, '95 % or more');
    await page.getByRole('button', { name: 'Pause' }).click();
    const picture = (): Promise<string> =>
      page.locator('.surface').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    await page.getByRole('button', { name: 'Train' }).waitFor();
    const smooth = await picture();
    await page.getByLabel('Discretise output').check();
    await expect.poll(picture).not.toBe(smooth);
    // curves tell their numbers, too
    const plot = page.locator('.chart .u-over').first();
    await plot.scrollIntoViewIfNeeded();
    const chart = (await plot.boundingBox())!;
    await page.mouse.move(chart.x + chart.width / 2, chart.y + chart.height / 2);
    await expect.poll(() => tipOf(page)).toMatch(/^Step \d+: training [\d.]+, test [\d.]+/);
    expect(errors).toEqual([]);
  });

  test('a point that is added while it trains is learned from where the network is', async () => {
    const points = ['a0a00', 'a0b00', 'b0a00', 'p0p01', 'p0q01', 'q0p01', 'a5a50', 'p5p51'].join('');
    const { page, until, steps, errors } = await pages.open(`#task=drawn&points=${points}`);
    await until('train-loss', Number.isFinite, 'there');
    await page.getByRole('button', { name: 'Train' }).click();
    const before = await until('steps', (count) => count >= 40, '40 or more');
    const box = (await page.getByRole('application', { name: /Plane for drawing/ }).boundingBox())!;
    await page.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.2);
    await expect.poll(() => page.url()).toMatch(/points=\w{45}$/);
    await until('steps', (count) => count > before + 20, `more than ${before + 20}`);
    expect(await steps()).toBeGreaterThan(before);
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(1);
    expect(errors).toEqual([]);
  });
});
