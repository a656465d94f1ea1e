/** Time: one epoch, back to earlier moments, another way from there, two runs side by side, a race of optimizers. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Host, host, isWhole } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

describe('time', () => {
  test('an epoch is trained, the slider goes back in it, and another way leaves the first one as a ghost', async () => {
    const { page, until, steps, fact, errors } = await pages.open('#task=moons&samples=200&batchSize=16');
    await until('train-loss', Number.isFinite, 'there');
    await page.locator('.controls').getByLabel('Speed').selectOption('40 a second');
    await page.getByRole('button', { name: 'One epoch' }).click();
    // 140 samples in batches of 16
    await until('steps', (count) => count === 9, '9');
    await page.getByRole('button', { name: 'Train' }).waitFor();
    const loss = await fact('train-loss');
    const slider = page.getByLabel('Back in time');
    // at least the start and the end: a slow machine takes all nine steps at one go
    await expect.poll(async () => Number(await slider.getAttribute('max'))).toBeGreaterThan(0);
    await slider.fill('0');
    await until('steps', (count) => count === 0, '0');
    await page.getByText(/An earlier moment/).waitFor();
    // forth again: nothing is lost
    await slider.fill((await slider.getAttribute('max')) ?? '');
    await until('steps', (count) => count === 9, '9');
    expect(await fact('train-loss')).toBe(loss);
    await slider.fill('0');
    await until('steps', (count) => count === 0, '0');
    await page.getByLabel('Learning rate', { exact: true }).fill('0.3');
    await page.getByLabel('Learning rate', { exact: true }).press('Enter');
    await page.getByRole('button', { name: 'One epoch' }).click();
    await until('steps', (count) => count === 9, '9');
    await page.getByRole('button', { name: 'Train' }).waitFor();
    // the two runs side by side: their settings and where they came to
    const cells = page.locator('[data-fact="comparison"] tbody');
    await cells.getByRole('rowheader', { name: 'learningRate' }).waitFor();
    const row = cells.locator('tr').filter({ hasText: 'Training loss' }).locator('td');
    expect((await row.allTextContents())[1]).toBe(loss.replace('-', '−'));
    expect((await row.allTextContents())[0]).not.toBe(loss);
    expect(await steps()).toBe(9);
    await page.getByRole('button', { name: 'Forget the kept run' }).click();
    expect(await page.locator('[data-fact="comparison"]').count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test.runIf(isWhole)('optimizers race on a loss surface from where one clicks', async () => {
    const { page, errors } = await pages.open('#place=race&surface=rosenbrock');
    const map = page.locator('.race-map');
    await expect.poll(() => map.getAttribute('data-paths')).toBe('6');
    await page.getByRole('combobox', { name: 'Loss surface' }).selectOption('Narrow valley');
    await expect.poll(() => page.url()).toContain('surface=valley');
    await expect.poll(() => map.getAttribute('data-paths')).toBe('6');
    const box = (await map.boundingBox())!;
    await page.mouse.click(box.x + box.width * 0.1, box.y + box.height * 0.2);
    await expect.poll(async () => Number(await page.getByLabel('Start: weight 1').inputValue())).toBeCloseTo(-8, 0);
    await expect.poll(() => map.getAttribute('data-paths')).toBe('6');
    await page.getByLabel('Learning rate of SGD', { exact: true }).fill('3');
    await page.getByLabel('Learning rate of SGD', { exact: true }).press('Enter');
    await expect.poll(() => map.getAttribute('data-paths')).toBe('6');
    await page.getByRole('slider', { name: /^Step/ }).fill('200');
    const last = page.locator('.standings tbody tr').last();
    await expect.poll(() => last.textContent()).toMatch(/^ ?SGD ?diverged$/);
    const losses = await page.locator('.standings tbody td').allTextContents();
    expect(Number(losses[0]?.replace('e−', 'e-'))).toBeLessThan(0.01);
    await page.getByRole('button', { name: 'Start over' }).click();
    await page.getByRole('button', { name: 'Train' }).click();
    await expect
      .poll(async () => Number(await page.locator('[data-fact="race-step"]').textContent()))
      .toBeGreaterThan(3);
    expect(errors).toEqual([]);
  });
});
