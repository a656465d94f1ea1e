/** Files and links: tables, images, models, addresses, and the program that is taken along. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digits, encodeIdx } from '@nn/data';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/commands.ts';
import { type Host, host } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

/** Three kinds of flowers that a line or two tell apart. */
function flowers(): string {
  const rows = Array.from({ length: 90 }, (_, i) => {
    const kind = i % 3;
    const wave = Math.sin(i * 12.9898) * 0.3;
    return `${(kind + wave + 1).toFixed(2)},${(2 * kind - wave).toFixed(2)},${(5 + wave).toFixed(2)},${['alba', 'rosea', 'lutea'][kind]}`;
  });
  return `petal,sepal,stem,kind\n${rows.join('\n')}\n`;
}

async function saved(page: Page, button: string): Promise<Uint8Array> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).click(),
  ]);
  return readFileSync(await download.path());
}

describe('a table that is dropped', () => {
  test('is learned from, and its columns can be chosen', async () => {
    const { page, until, fact, drop, errors } = await pages.open();
    await until('train-loss', Number.isFinite, 'there');
    await drop({ name: 'flowers.csv', content: flowers() });
    await page.getByText('flowers.csv').waitFor();
    expect(await page.getByRole('combobox', { name: 'Predict' }).inputValue()).toBe('kind');
    await page.getByRole('button', { name: 'Train' }).click();
    await until('test-accuracy', (share) => share >= 90, '90 % or more');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Train' }).waitFor();
    // the axes trade places; the network is not made anew
    const [across, up] = [page.getByLabel('Across'), page.getByRole('combobox', { name: 'Up', exact: true })];
    const [steps, before] = [await fact('steps'), [await across.inputValue(), await up.inputValue()]];
    await across.selectOption(before[1] as string);
    await expect.poll(async () => [await across.inputValue(), await up.inputValue()]).toEqual(before.toReversed());
    // not made anew: the steps are there (the last frame of the training may have come since)
    expect(Number(await fact('steps'))).toBeGreaterThanOrEqual(Number(steps));
    await page.getByRole('combobox', { name: 'Predict' }).selectOption('stem');
    await page.getByRole('combobox', { name: 'as', exact: true }).selectOption('a number');
    await page.getByRole('checkbox', { name: 'kind' }).uncheck();
    await expect.poll(() => page.url()).toContain('table=');
    await until('steps', (count) => count === 0, '0');
    expect(await page.locator('[data-fact="test-accuracy"]').count()).toBe(0);
    // the legend is in the units of the column: stems are 4.7 to 5.3 long
    await expect.poll(async () => Number.parseFloat(await fact('legend'))).toBeGreaterThan(4);
    // a reload of the tab finds the file again
    await page.reload();
    await page.getByText('flowers.csv').waitFor();
    expect(await page.getByRole('combobox', { name: 'Predict' }).inputValue()).toBe('stem');
    expect(errors).toEqual([]);
  });

  test('of one input is a curve, whose axes are in real units and have their numbers where no sample is', async () => {
    const { page, until, fact, drop, errors } = await pages.open('', { viewport: { width: 820, height: 900 } });
    await until('train-loss', Number.isFinite, 'there');
    const rows = Array.from({ length: 60 }, (_, i) => `${i / 4},${(300 + 120 * Math.sin(i / 9)).toFixed(1)}`);
    await drop({ name: 'price.csv', content: `hours,price\n${rows.join('\n')}\n` });
    await page.getByText('price.csv').waitFor();
    await until('test-loss', Number.isFinite, 'there');
    expect(await fact('legend')).toBe('');
    const { texts, marks, side } = await page.evaluate(async () => {
      const side = document.querySelector('.surface')?.clientWidth ?? 0;
      const found = { side, texts: [] as { text: string; box: number[] }[], marks: [] as number[][] };
      const { fillText, arc } = CanvasRenderingContext2D.prototype;
      const isPlane = ({ canvas }: CanvasRenderingContext2D): boolean => canvas.className === 'surface';
      Object.assign(CanvasRenderingContext2D.prototype, {
        fillText(this: CanvasRenderingContext2D, text: string, x: number, y: number) {
          const of = this.measureText(text);
          const [left, right] = [x - of.actualBoundingBoxLeft, x + of.actualBoundingBoxRight];
          const [top, bottom] = [y - of.actualBoundingBoxAscent, y + of.actualBoundingBoxDescent];
          if (isPlane(this)) found.texts.push({ text, box: [left, right, top, bottom] });
          fillText.call(this, text, x, y);
        },
        arc(this: CanvasRenderingContext2D, x: number, y: number, radius: number, from: number, to: number) {
          if (isPlane(this)) found.marks.push([x, y, radius]);
          arc.call(this, x, y, radius, from, to);
        },
      });
      document.querySelector<HTMLInputElement>('.plane-foot input[type=checkbox]')?.click(); // paints anew
      await new Promise((done) => setTimeout(done, 300));
      Object.assign(CanvasRenderingContext2D.prototype, { fillText, arc });
      return found;
    });
    expect(marks.length).toBeGreaterThan(20);
    // round prices up, round hours across
    expect(texts.map(({ text }) => text)).toEqual(['200', '300', '400', '0', '5', '10', '15']);
    for (const { text, box } of texts) {
      const [left = 0, right = 0, top = 0, bottom = 0] = box;
      expect(left, text).toBeGreaterThanOrEqual(0);
      expect(right, text).toBeLessThanOrEqual(side);
      for (const [x = 0, y = 0, radius = 0] of marks) {
        const [aside, above] = [Math.max(left - x, x - right, 0), Math.max(top - y, y - bottom, 0)];
        expect(Math.hypot(aside, above), `${text} and the sample at ${x}, ${y}`).toBeGreaterThan(radius);
      }
    }
    expect(errors).toEqual([]);
  });

  test('is read as a spreadsheet writes it, and what is wrong is told in Chinese where the page is', async () => {
    const { page, until, fact, drop, errors } = await pages.open('', { locale: 'zh-CN' });
    await until('train-loss', Number.isFinite, 'there');
    await drop({ name: '表.csv', content: 'a,b\n1,2\n3\n4,5\n' });
    await page.getByRole('alert').getByText('表.csv 第 3 行有 1 列，应为 2 列。').waitFor();
    await page.getByRole('button', { name: '关闭' }).click();
    // tabs, decimal commas, GBK: 高 and 低 in it, and no line of names
    const words = { 高: [0xb8, 0xdf], 低: [0xb5, 0xcd] };
    const rows = Array.from({ length: 40 }, (_, i) => [
      ...new TextEncoder().encode(`${i % 9},5\t${(i * 7) % 11},25\t`),
      ...words[i % 9 > 4 ? '高' : '低'],
      10,
    ]);
    await drop({ name: '表.csv', content: Uint8Array.from(rows.flat()) });
    await page.getByText('表.csv · 40').waitFor();
    expect(await fact('reading')).toBe('读取方式： 分隔符 制表符，没有列名行，gb18030');
    expect(await fact('legend')).toMatch(/低.*高/);
    await page.getByText(/^请核对/).click();
    expect(await page.locator('.warnings').textContent()).toMatch(/读作带小数逗号的数/);
    // why a device cannot be used, too
    await page.locator('.reasons summary').click();
    expect(await page.locator('.reasons').textContent()).toMatch(/此浏览器(没有 WebGPU|有 WebGPU，但没有可用的设备)/);
    expect(errors).toEqual([]);
  });

  test('is refused with line and column when it is damaged, and nothing is lost', async () => {
    const { page, until, steps, drop, boardTops } = await pages.open('#task=circles&seed=5');
    await until('train-loss', Number.isFinite, 'there');
    await page.getByRole('button', { name: 'One step' }).click();
    await until('steps', (count) => count === 1, '1');
    const before = page.url();
    await page.mouse.wheel(0, 400);
    await drop({ name: 'torn.csv', content: 'a,b\n1,2\n3\n4,5\n' });
    const notice = page.getByRole('alert').getByText(/torn\.csv, line 3: 1 columns, 2 are expected/);
    await notice.waitFor();
    // in sight, wherever the page is scrolled to, and nothing has moved
    const { y, height } = (await notice.boundingBox())!;
    expect(y).toBeGreaterThan(0);
    expect(y + height).toBeLessThan(900);
    expect(await boardTops()).toHaveLength(1);
    expect(await steps()).toBe(1);
    expect(page.url()).toBe(before);
    await drop({ name: 'short.csv', content: 'a,b\n1,2\n' });
    await page
      .getByRole('alert')
      .getByText(/10 or more/)
      .waitFor();
    await page.getByRole('button', { name: 'One step' }).click();
    await until('steps', (count) => count === 2, '2');
  });
});

test('IDX files are joined to images and labels', async () => {
  const { page, until, drop, errors } = await pages.open();
  await until('train-loss', Number.isFinite, 'there');
  const { inputs, targets } = digits(200, { seed: 3 }).fields;
  const images = encodeIdx({ data: inputs.data, shape: [200, 28, 28] });
  const labels = encodeIdx({ data: Uint8Array.from(targets.data), shape: [200] });
  await drop({ name: 'images-idx3-ubyte', content: images });
  await page
    .getByRole('alert')
    .getByText(/two IDX files together/)
    .waitFor();
  // in either order
  await drop({ name: 'labels-idx1-ubyte', content: labels }, { name: 'images-idx3-ubyte', content: images });
  await page.getByRole('radio', { name: 'IDX files' }).and(page.locator(':checked')).waitFor({ state: 'attached' });
  await page.getByRole('application', { name: /Pad for drawing/ }).waitFor();
  await page.getByRole('button', { name: 'One step' }).click();
  await until('steps', (count) => count === 1, '1');
  expect(errors).toEqual([]);
});

describe('a model', () => {
  test('goes out as a file and comes back with its network and what it learned', async () => {
    const first = await pages.open('#task=moons&layers=d5.relu.layer&seed=4');
    await first.until('train-loss', Number.isFinite, 'there');
    await first.page.getByRole('button', { name: 'Train' }).click();
    await first.until('steps', (count) => count >= 60, '60 or more');
    await first.page.getByRole('button', { name: 'Pause' }).click();
    await first.page.getByRole('button', { name: 'Train' }).waitFor();
    await first.page.getByRole('tab', { name: 'Export' }).click();
    const [model, checkpoint] = [
      await saved(first.page, 'Download model'),
      await saved(first.page, 'Download checkpoint'),
    ];
    const [steps, loss] = [await first.steps(), await first.fact('test-loss')];

    const { page, drop, fact, until, errors } = await pages.open('#task=xor');
    await until('train-loss', Number.isFinite, 'there');
    await drop({ name: 'run.safetensors', content: checkpoint });
    await page.getByText('Loaded run.safetensors').waitFor();
    await until('steps', (count) => count === steps, String(steps));
    expect(await fact('test-loss')).toBe(loss);
    expect(page.url()).toContain('task=moons');
    // the curve goes on where it was
    expect(Number(await page.locator('[data-points]').first().getAttribute('data-points'))).toBeGreaterThan(1);
    await page.getByRole('button', { name: 'One step' }).click();
    await until('steps', (count) => count === steps + 1, String(steps + 1));
    await drop({ name: 'weights.safetensors', content: model });
    await page.getByText('Loaded weights.safetensors').waitFor();
    await until('steps', (count) => count === 0, '0');
    expect(await fact('test-loss')).toBe(loss);
    expect(errors).toEqual([]);
  });

  test('is refused when it is damaged or another one, and nothing is lost', async () => {
    const { page, drop, until, fact } = await pages.open('#task=moons');
    await until('train-loss', Number.isFinite, 'there');
    await page.getByRole('tab', { name: 'Export' }).click();
    const model = await saved(page, 'Download model');
    await page.getByRole('button', { name: 'One step' }).click();
    await until('steps', (count) => count === 1, '1');
    const loss = await fact('test-loss');
    await drop({ name: 'torn.safetensors', content: model.subarray(0, model.length - 7) });
    await page
      .getByRole('alert')
      .getByText(/safetensors/)
      .waitFor();
    expect([await fact('steps'), await fact('test-loss')]).toEqual(['1', loss]);
    await drop({ name: 'holiday.jpg', content: 'not a model' });
    await page
      .getByRole('alert')
      .getByText(/no file that the page knows/)
      .waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'One step' }).click();
    await until('steps', (count) => count === 2, '2');
  });
});

test('the address brings the experiment back', async () => {
  const { page, until, fact, errors } = await pages.open();
  await until('train-loss', Number.isFinite, 'there');
  await page.getByTitle('Spirals').click();
  await page.getByRole('button', { name: 'More neurons in layer 1' }).click();
  await page.getByRole('button', { name: 'Add layer' }).click();
  await page.getByRole('combobox', { name: 'Optimizer' }).selectOption('RMSprop');
  await page.getByLabel('Regularisation').selectOption('L2');
  await page.getByLabel('Schedule').selectOption('Cosine decay');
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('42');
  await page.getByRole('spinbutton', { name: 'Seed' }).press('Enter');
  await expect.poll(() => page.url()).toContain('seed=42');
  // the worker has made what the address says, and the page shows it
  await expect.poll(() => page.locator('.page').getAttribute('data-experiment')).toContain('seed=42');
  await until('steps', (count) => count === 0, '0');
  const loss = await fact('train-loss');
  await page.reload();
  await until('train-loss', Number.isFinite, 'there');
  expect(await fact('train-loss')).toBe(loss);
  expect(await page.getByRole('radio', { name: 'Spirals' }).isChecked()).toBe(true);
  expect(await page.getByRole('combobox', { name: 'Optimizer' }).inputValue()).toBe('rmsprop');
  expect(await page.getByRole('group', { name: /^Layer/ }).count()).toBe(3);
  expect(errors).toEqual([]);
});

test('the program runs as it is downloaded, in a folder without anything, and comes to the same numbers', async () => {
  const { page, until, steps, fact } = await pages.open('#task=moons&seed=7&samples=900&batchSize=64&penalty=l2');
  await until('train-loss', Number.isFinite, 'there');
  await page.getByRole('button', { name: 'Train' }).click();
  await until('steps', (count) => count >= 60, '60 or more');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Train' }).waitFor();
  await page.getByRole('tab', { name: 'Export' }).click();
  await page.getByText(/not published yet/).waitFor();
  await page.getByText(/Both measure the first 600 samples/).waitFor();
  // the last frame is that of the last step
  await expect.poll(async () => page.locator('#program').textContent()).toContain(`const steps = ${await steps()};`);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download program' }).click(),
  ]);
  const alone = mkdtempSync(join(tmpdir(), 'nn-program-'));
  mkdirSync(join(alone, 'node_modules'));
  symlinkSync(join(root, 'node_modules/@nn'), join(alone, 'node_modules/@nn'), 'junction');
  const program = join(alone, download.suggestedFilename());
  await download.saveAs(program);
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@nn/source', '--import', import.meta.resolve('tsx'), program],
    { cwd: alone, encoding: 'utf8' },
  );
  rmSync(alone, { recursive: true });
  expect(stderr).toBe('');
  const [, loss, accuracy] = /test: loss ([\d.]+), accuracy ([\d.]+)/.exec(stdout) ?? [];
  expect(Number(loss)).toBeCloseTo(Number((await fact('test-loss')).replaceAll('−', '-')), 2);
  expect(100 * Number(accuracy)).toBeCloseTo(Number.parseFloat(await fact('test-accuracy')), 0);
  // and says so where it cannot
  await page.getByRole('spinbutton', { name: 'Learning rate' }).fill('');
  await page.getByRole('spinbutton', { name: 'Learning rate' }).press('Enter');
  expect(await page.getByRole('spinbutton', { name: 'Learning rate' }).inputValue()).toBe('0.03');
  expect(await page.getByText(/Settings were changed in mid-training/).count()).toBe(0);
  await page.getByRole('combobox', { name: 'Optimizer' }).selectOption('RMSprop');
  await page.getByText(/Settings were changed in mid-training/).waitFor();
});
