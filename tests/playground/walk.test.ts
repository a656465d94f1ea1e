/** The walk inside the diagram: pointed at, stepped by keys, played; its numbers add up on the page. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Host, host, isWhole } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

const number = (text: string): number => Number(text.replaceAll('−', '-').replace(/[()\s]/g, ''));
const stageOf = (page: Page): Promise<string | null> => page.locator('.stage').getAttribute('data-stage');

describe('the walk', () => {
  test('of a point that is pointed at stands in the diagram, and ends with the step of the optimizer', async () => {
    const { page, until, errors } = await pages.open('#task=moons&layers=d3.tanh&optimizer=sgd&learningRate=0.5');
    await until('train-loss', Number.isFinite, 'there');
    await page.locator('.walk').waitFor();
    // no walk stands in the diagram before someone walks
    expect(await page.locator('.walked').count()).toBe(0);
    // the plane is full of samples: a click around its middle finds one
    const box = (await page.locator('.surface').boundingBox())!;
    for (let k = 0; k < 12 && (await page.locator('.walked').count()) === 0; k++) {
      await page.mouse.click(box.x + box.width * (0.25 + 0.05 * k), box.y + box.height * 0.5);
    }
    await page.locator('.walked').waitFor();
    await expect.poll(() => page.locator('.walk .sample').textContent()).not.toMatch(/^Sample 1 ·/);
    const walk = page.locator('.walk');
    await walk.getByRole('button', { name: 'Forward' }).focus();
    // the numbers travel, and then stand: what each frame shows is noted from before they start
    await page.evaluate(() => {
      const seen = new Set<string>();
      const look = (): void => {
        const canvas = document.querySelector<HTMLCanvasElement>('.walked');
        if (canvas && document.querySelector('.stage')?.getAttribute('data-stage') === 'sum') {
          seen.add(canvas.toDataURL());
        }
        document.body.dataset.seen = String(seen.size);
        if (seen.size < 2) requestAnimationFrame(look);
      };
      look();
    });
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => stageOf(page)).toBe('sum');
    await expect.poll(() => page.evaluate(() => Number(document.body.dataset.seen))).toBe(2);
    // to the loss: L = -ln of the share of the right answer
    while ((await stageOf(page)) !== 'loss') await page.keyboard.press('ArrowRight');
    const formula = (await page.locator('.formula').textContent()) ?? '';
    const [share = 0] = [...formula.matchAll(/ln ([\d.]+)/g)].map(([, text = '']) => number(text));
    const loss = number((await page.locator('[data-fact="walk-loss"]').textContent()) ?? '');
    expect(loss).toBeCloseTo(-Math.log(share), 3);
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.formula').textContent()).toMatch(/p − t = [\d.]+ − [01] =/);
    // to the end: w - rate * gradient
    await page.keyboard.press('End');
    await page.getByText('New weight = old weight').waitFor();
    const lines = await page.locator('.formula > span').allTextContents();
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      const [before = 0, rate = 0, gradient = 0, after = 0] = (line.split(':')[1] ?? '')
        .replace(/^(.*?) − /, '$1 | ')
        .split(/[|·=]/)
        .map(number);
      expect(before - rate * gradient).toBeCloseTo(after, 2);
      expect(rate).toBe(0.5);
    }
    const [first = 0, then = 1] = ((await page.locator('[data-fact="updated-loss"]').textContent()) ?? '')
      .replace(/^.*:/, '')
      .split('→')
      .map(number);
    expect(then).toBeLessThan(first);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.walked').count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test.runIf(isWhole)('plays by itself, goes to mistakes, and a kernel slides over the digit', async () => {
    const { page, until, errors } = await pages.open('#task=digits&samples=100&layers=c2k3p.relu_d6.relu', {
      reducedMotion: 'reduce',
    });
    await until('train-loss', Number.isFinite, 'there');
    await page.getByRole('tab', { name: 'Walk-through' }).click();
    await page.getByRole('button', { name: 'Next mistake' }).click();
    await page.locator('.walked').waitFor();
    await page.getByRole('button', { name: 'Forward' }).click();
    await page.getByRole('img', { name: 'Sums of filter 1' }).waitFor();
    const slider = page.getByLabel('Row and column');
    await slider.fill('405');
    const terms = ((await page.locator('[data-fact="kernel"]').textContent()) ?? '').replace(/^z =/, '');
    const [sum = '', result = ''] = terms.split('=');
    const added = sum
      .replace(/ *([+−]) /g, ' $1')
      .split(/(?= [+−])|(?<=\d)(?=[+−])/)
      .map((term) => term.split('·').map(number))
      .reduce((total, [a = 0, b = 1]) => total + a * b, 0);
    expect(added).toBeCloseTo(number(result), 2);
    await page.getByRole('combobox', { name: 'Filter', exact: true }).selectOption('2');
    await page.getByRole('img', { name: 'Sums of filter 2' }).waitFor();
    while ((await stageOf(page)) !== 'loss') await page.locator('.walk .primary').click();
    const shares = await page.locator('.softmax tbody td:last-child').allTextContents();
    expect(shares).toHaveLength(10);
    expect(shares.map(number).reduce((a, b) => a + b)).toBeCloseTo(1, 2);
    await page.getByRole('button', { name: 'Play the walk' }).click();
    await expect.poll(() => stageOf(page), { timeout: 20_000 }).not.toBe('loss');
    await page.getByRole('button', { name: 'End the walk' }).click();
    expect(await page.locator('.walked').count()).toBe(0);
    expect(errors).toEqual([]);
  });
});
