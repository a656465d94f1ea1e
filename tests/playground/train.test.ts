/** Training on the page: moons, digits, and the change of device in mid-training. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Host, host } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

describe('training', () => {
  test('learns moons to 95 % on samples that it has not seen, and draws what it learned', async () => {
    const { page, until, steps, errors } = await pages.open('#task=moons');
    await until('train-loss', Number.isFinite, 'there');
    const before = await pictureOf(page, '.surface');
    await page.getByRole('button', { name: 'Train' }).click();
    expect(await until('test-accuracy', (share) => share >= 95, '95 % or more')).toBeGreaterThanOrEqual(95);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Train' }).waitFor();
    expect(await pictureOf(page, '.surface')).not.toBe(before);
    expect(await page.getByRole('img', { name: /^Accuracy: / }).getAttribute('aria-label')).toMatch(
      /test (9[5-9]|100)/,
    );
    const stopped = await steps();
    expect(stopped).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'One step' }).click();
    await until('steps', (count) => count === stopped + 1, `one more than ${stopped}`);
    await page.getByRole('button', { name: 'Start over' }).click();
    await until('steps', (count) => count === 0, '0');
    expect(errors).toEqual([]);
  });

  test('that starts before a change has been made trains what the change asks for', async () => {
    const { page, until, steps } = await pages.open('#task=moons');
    await until('train-loss', Number.isFinite, 'there');
    await page.evaluate(() => {
      const press = (name: string): void => {
        [...document.querySelectorAll('button')].find((one) => (one.ariaLabel ?? one.textContent) === name)?.click();
      };
      press('Add layer');
      press('Train');
    });
    await until('steps', (count) => count > 0, 'more than 0');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Train' }).waitFor();
    expect(await steps()).toBeGreaterThan(0);
    await page.getByRole('tab', { name: 'Distributions' }).click();
    await page.getByRole('img', { name: /^Weights of Layer 2/ }).waitFor();
  });

  test('learns digits, and recognises one that is drawn', async () => {
    const { page, until, fact, errors } = await pages.open('#task=digits&samples=600&layers=c6k5p.relu_d24.relu');
    await until('train-loss', Number.isFinite, 'there');
    await page.getByRole('button', { name: 'Train' }).click();
    await until('test-accuracy', (share) => share >= 85, '85 % or more');
    await page.getByRole('button', { name: 'Pause' }).click();
    const pad = page.getByRole('application', { name: /Pad for drawing a digit/ });
    const box = (await pad.boundingBox())!;
    const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height];
    // a ring
    await page.mouse.move(...at(0.5, 0.15));
    await page.mouse.down();
    for (let k = 1; k <= 24; k++) {
      const angle = (2 * Math.PI * k) / 24;
      await page.mouse.move(...at(0.5 + 0.22 * Math.sin(angle), 0.5 - 0.35 * Math.cos(angle)));
    }
    await page.mouse.up();
    await expect.poll(() => fact('recognised')).toMatch(/^Looks like 0, /);
    await page.getByRole('button', { name: 'Clear' }).click();
    // an upright line
    await page.mouse.move(...at(0.5, 0.15));
    await page.mouse.down();
    await page.mouse.move(...at(0.5, 0.85), { steps: 8 });
    await page.mouse.up();
    await expect.poll(() => fact('recognised')).toMatch(/^Looks like 1, /);
    await page.getByRole('tab', { name: 'Filters and maps' }).click();
    expect(await page.getByRole('img', { name: /^Feature maps of Layer 1/ }).count()).toBe(6);
    await page.getByRole('tab', { name: 'Mistakes' }).click();
    expect(await page.getByRole('rowheader').count()).toBe(10);
    expect(errors).toEqual([]);
  });

  test('one sample goes forward and its gradient comes back, with numbers that add up', async () => {
    const { page, until, errors } = await pages.open('#task=moons&layers=d3.tanh');
    await until('train-loss', Number.isFinite, 'there');
    const forward = page.getByRole('button', { name: 'Forward' });
    const seen: string[] = [];
    await forward.click();
    const sum = (await page.locator('.formula').textContent()) ?? '';
    // z1 = w · x + w · x + b = sum
    const [terms = '', result = ''] = sum.replace(/[+−] /g, '\n$&').replace(/[()]/g, '').split('=').slice(1);
    const number = (text: string): number => Number(text.replaceAll('−', '-').replace(/[\s+]/g, ''));
    const added = terms.split('\n').reduce((total, term) => {
      const [a = 0, b = 1] = term.split('·').map(number);
      return total + a * b;
    }, 0);
    expect(sum).not.toMatch(/\+ −|-/);
    // a letter and its index are one piece
    const [letter, index] = await page
      .locator('.formula sub')
      .first()
      .evaluate((sub) => {
        const range = document.createRange();
        range.selectNode(sub.previousSibling as Node);
        return [range.getBoundingClientRect().right, sub.getBoundingClientRect().left];
      });
    expect(index! - letter!).toBeLessThan(1);
    expect(added).toBeCloseTo(number(result), 2);
    for (let k = 0; k < 3; k++) {
      await forward.click();
      seen.push((await page.locator('.chain [aria-current]').textContent()) ?? '');
    }
    const backward = page.getByRole('button', { name: 'Backward' });
    for (let k = 0; k < 5; k++) {
      await backward.click();
      seen.push((await page.locator('.chain [aria-current]').textContent()) ?? '');
    }
    expect(seen).toEqual(['Layer 1', 'Output', 'Loss', 'Output', 'Output', 'Layer 1', 'Layer 1', 'Layer 1']);
    expect(await page.locator('.formula').textContent()).toMatch(/∂L\/∂w/);
    await page.getByRole('button', { name: 'Next sample' }).click();
    await page.getByText('Sample 2').waitFor();
    expect(errors).toEqual([]);
  });

  test('goes on on the GPU where the CPU was, and back', async () => {
    const own = await host({ gpu: 'webgl' });
    try {
      const { page, until, steps, boardTops, errors } = await own.open('#task=moons');
      const device = page.getByLabel('Computes on');
      await until('train-loss', Number.isFinite, 'there');
      await expect
        .poll(() => device.locator('option').allTextContents())
        .toEqual(['CPU', 'GPU (WebGL 2)', 'GPU (WebGPU) – not available here']);
      await page.getByRole('button', { name: 'Train' }).click();
      await until('steps', (count) => count >= 150, '150 or more');
      const [step, loss] = [await steps(), await until('test-loss', Number.isFinite, 'there')];
      await device.selectOption('GPU (WebGL 2)');
      await page.getByText(/^Now training on GPU \(WebGL 2\)/).waitFor();
      const further = await until('steps', (count) => count > step + 40, `more than ${step + 40}`);
      expect(further).toBeGreaterThan(step);
      // it has not started over: the loss is still that of a trained network
      expect(await until('test-loss', Number.isFinite, 'there')).toBeLessThan(loss + 0.15);
      expect(page.url()).toContain('backend=webgl2');
      await device.selectOption('CPU');
      await page.getByText(/^Now training on CPU/).waitFor();
      await until('steps', (count) => count > further + 40, `more than ${further + 40}`);
      await page.locator('.reasons summary').click();
      expect(await page.locator('.reasons').textContent()).toMatch(/WebGPU/);
      // neither the reasons nor the notices of three changes have moved the page
      expect(await boardTops()).toHaveLength(1);
      expect(errors).toEqual([]);
    } finally {
      await own.close();
    }
  });

  test('goes on with WebGPU where the browser has it', async () => {
    const own = await host({ gpu: 'webgpu' });
    try {
      const { page, until, steps, errors } = await own.open('#task=circles');
      const device = page.getByLabel('Computes on');
      await until('train-loss', Number.isFinite, 'there');
      await expect.poll(() => device.locator('option').allTextContents()).toContain('GPU (WebGPU)');
      await page.getByRole('button', { name: 'One step' }).click();
      await until('steps', (count) => count === 1, '1');
      await device.selectOption('GPU (WebGPU)');
      await page.getByText(/^Now training on GPU \(WebGPU\)/).waitFor();
      await page.getByRole('button', { name: 'One step' }).click();
      await until('steps', (count) => count === 2, '2');
      expect(await steps()).toBe(2);
      expect(errors).toEqual([]);
    } finally {
      await own.close();
    }
  });

  test('stops with words when the numbers run away', async () => {
    const { page, until } = await pages.open('#task=plane&layers=none&optimizer=sgd&learningRate=10');
    await until('train-loss', Number.isFinite, 'there');
    await page.getByRole('button', { name: 'Train' }).click();
    await page
      .getByRole('alert')
      .getByText(/smaller learning rate/)
      .waitFor();
    await page.getByRole('button', { name: 'Train' }).waitFor();
  });
});

async function pictureOf(page: import('playwright-core').Page, selector: string): Promise<string> {
  return page.locator(selector).evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
}
