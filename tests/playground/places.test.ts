/** The places beside the board: fetched when they are visited, learned in the page, tried as a person would. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { built, cutOf, type Host, host, isWhole, lowOf, namelessOf, phone, places } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

/** Kilobytes of files of the page, each as a host sends it that compresses. */
const kilobytes = (names: Iterable<string>): number => {
  const files = [...names].map(
    (name) => gzipSync(readFileSync(join(built, name === '/' ? 'index.html' : name))).length,
  );
  return Math.round(files.reduce((sum, size) => sum + size, 0) / 1000);
};

test('the board fetches little, nothing of the places, and comes back as it was', async () => {
  const fetched = new Set<string>();
  const { page, until, errors } = await pages.open('#task=circles', {}, async (context) => {
    context.on('request', (request) => fetched.add(new URL(request.url()).pathname));
  });
  await until('train-loss', Number.isFinite, 'there');
  await expect
    .poll(() => page.getByLabel('Computes on').locator('option').allTextContents())
    .toContain('GPU (WebGPU) – not available here');
  // the first picture waits for no GPU
  const first = kilobytes([...fetched].filter((name) => !/gpu-browser/.test(name)));
  const atRest = kilobytes(fetched);
  console.log(`Fetched for the first picture: ${first} kB compressed; at rest: ${atRest} kB.`);
  expect(first).toBeLessThan(450);
  expect(atRest).toBeGreaterThan(first);
  expect(atRest).toBeLessThan(620);
  expect([...fetched].filter((name) => /place-|-places/.test(name))).toEqual([]);
  await page.getByRole('link', { name: 'Agents' }).click();
  await page.getByRole('heading', { name: 'Value function' }).waitFor();
  expect([...fetched].some((name) => /agents-place/.test(name))).toBe(true);
  await page.getByRole('link', { name: 'Networks' }).click();
  await page.getByRole('radio', { name: 'Circles', checked: true }).waitFor();
  expect(page.url()).toContain('task=circles');
  expect(await page.locator('[data-fact="train-loss"]').textContent()).not.toBe('–');
  expect(errors).toEqual([]);
});

test('a place that the address names is all that is made', async () => {
  const { page } = await pages.open('#place=agents');
  await page.getByRole('heading', { name: 'CartPole' }).waitFor();
  expect(await page.locator('.board').count()).toBe(0);
  await expect.poll(() => page.locator('[data-fact="agent-steps"]').textContent()).toMatch(/\d/);
  // nothing stands by to train a network that is not shown
  const workers = (): string[] => page.workers().map((worker) => worker.url().replace(/^.*\/|-.{8}\.js$/g, ''));
  expect(workers()).toEqual(['worker']);
  await page.getByRole('link', { name: 'Networks' }).click();
  await page.locator('.board').waitFor();
  await expect.poll(() => page.locator('[data-fact="train-loss"]').textContent()).toMatch(/\d/);
  expect(workers().sort()).toEqual(['main', 'worker']);
});

test.each(isWhole ? [820, 1024, 1180] : [])(
  'nothing sticks out, everything has a name, and what is chosen is in sight at %i pixels',
  async (width) => {
    for (const hash of places) {
      const { page } = await pages.open(hash, {
        viewport: { width, height: 740 },
        locale: width === 820 ? 'zh-CN' : 'en-US',
      });
      await page.locator('.place-board h2').first().waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), hash).toBeLessThanOrEqual(width);
      expect(await namelessOf(page), hash).toEqual([]);
      expect((await page.locator('.settings select').first().boundingBox())?.y, hash).toBeLessThan(500);
      const tops = await page
        .locator('.place-controls .fact')
        .evaluateAll((facts) => facts.map((fact) => Math.round(fact.getBoundingClientRect().top)));
      expect(new Set(tops).size, `rows of numbers in ${hash}`).toBe(1);
      await page.context().close();
    }
  },
);

test.runIf(isWhole)('on a phone what is chosen comes first, and all can be read and met by a finger', async () => {
  for (const hash of places) {
    const { page } = await pages.open(hash, phone);
    await page.locator('.place-board h2').first().waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth), hash).toBeLessThanOrEqual(360);
    expect(await namelessOf(page), hash).toEqual([]);
    expect(await cutOf(page), hash).toEqual([]);
    const [choice, picture] = await Promise.all(
      ['.settings select', '.place-board > :nth-child(2) h2'].map((name) => page.locator(name).first().boundingBox()),
    );
    expect(choice!.y, hash).toBeLessThan(picture!.y);
    expect(picture!.y, hash).toBeLessThan(540); // of 740
    const more = page.getByRole('button', { name: 'More', exact: true });
    if (await more.isVisible()) await more.click();
    expect(await lowOf(page), hash).toEqual([]);
    await page.context().close();
  }
});

describe('agents', () => {
  test.runIf(isWhole)('one learns to keep the pole up, and is watched at it', async () => {
    const { page, until, errors } = await pages.open('#place=agents');
    const watched = page.locator('[data-fact="watched-return"]');
    await watched.waitFor();
    // untrained it falls at once
    expect(Number(await watched.getAttribute('data-value'))).toBeLessThan(200);
    await page.keyboard.press('Space');
    await until('agent-mean', (mean) => mean > 100, 'above 100');
    await expect.poll(async () => Number(await watched.getAttribute('data-value')), { timeout: 60_000 }).toBe(500);
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Train' }).waitFor();
    // what it expects of the rewards to come is far from nothing, and no more than their sum
    const high = Number.parseFloat((await page.locator('[data-fact="value-high"]').textContent()) ?? '');
    expect(high).toBeGreaterThan(10);
    expect(high).toBeLessThan(60);
    const chart = page.getByRole('img', { name: /^Returns/ });
    expect(Number(await chart.getAttribute('data-points'))).toBeGreaterThan(20);
    // another discount begins anew
    await page.getByRole('slider', { name: /Discount/ }).press('ArrowLeft');
    await expect.poll(() => page.locator('[data-fact="agent-steps"]').textContent()).toBe('0');
    expect(errors).toEqual([]);
  });

  test.runIf(isWhole)('Snake finds its apples, with the map of what squares are worth', async () => {
    const { page, until, errors } = await pages.open('#place=agents');
    await page.getByRole('combobox', { name: 'World' }).selectOption('Snake');
    await expect.poll(() => page.url()).toContain('world=snake');
    await page.getByRole('heading', { name: 'Snake' }).waitFor();
    await page.getByRole('button', { name: 'Train' }).click();
    await until('agent-mean', (mean) => mean > 8, 'above 8');
    expect(errors).toEqual([]);
  });
});

describe('games', () => {
  test.runIf(isWhole)('tic-tac-toe is learned by playing, and each move is judged', async () => {
    const { page, until, errors } = await pages.open('#place=games');
    await page.getByRole('combobox', { name: 'You play' }).selectOption('Both sides');
    const status = page.locator('[data-fact="game-status"]');
    const press = async (square: number): Promise<void> => {
      await page.getByRole('button', { name: `Square ${square}: free` }).click();
      await page.getByRole('button', { name: new RegExp(`^Square ${square}: (first|second) player`) }).waitFor();
    };
    for (const square of [1, 4, 2, 5]) await press(square);
    await page.getByRole('button', { name: 'Square 3: free, Value +1.00' }).waitFor();
    expect(await page.locator('.move-table .best').textContent()).toMatch(/^3.*\+1.00wins$/);
    await press(3);
    await expect.poll(() => status.textContent()).toBe('The first player has won.');
    expect(await page.locator('.square.won').count()).toBe(3);
    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('button', { name: 'Square 3: free' }).waitFor();
    await page.getByRole('button', { name: 'Train' }).click();
    expect(await until('strength', (share) => share > 0, 'measured')).toBeLessThan(50);
    await until('strength', (share) => share >= 55, '55 % or more');
    expect(errors).toEqual([]);
  });

  test.runIf(isWhole)('Connect Four is played while it learns, by the keyboard', async () => {
    const { page, until, errors } = await pages.open('#place=games&game=connect4');
    await page.getByText('Your move.').waitFor();
    await page.getByRole('button', { name: 'Train' }).click();
    await until('self-games', (games) => games > 0, 'above 0');
    await page.getByRole('button', { name: /^Column 4, Value/ }).press('Enter');
    // the network answers, in the midst of its games against itself
    await expect.poll(() => page.locator('.square.second').count()).toBe(1);
    await expect.poll(() => page.locator('[data-fact="game-status"]').textContent()).toBe('Your move.');
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(1);
    await page.getByRole('button', { name: 'Take back' }).click();
    await expect.poll(() => page.locator('.square.first').count()).toBe(0);
    expect(errors).toEqual([]);
  });
});

describe('sequences', () => {
  test.runIf(isWhole)('noise becomes words; what comes next is steered and taken; attention is looked at', async () => {
    const { page, until, errors } = await pages.open('#place=sequences');
    const texts = page.locator('.written li');
    await texts.first().waitFor();
    await page.getByRole('button', { name: 'Train' }).click();
    await until('text-test-loss', (loss) => loss < 0.75, 'below 0.75');
    await page.getByRole('button', { name: 'Pause' }).click();
    // the last text has words of the rules, the first had none
    const words = (text: string | null): number =>
      text?.match(/\b(the|cat|dog|sees|moon|rain|river|garden|old)\b/g)?.length ?? 0;
    await expect.poll(async () => words(await texts.first().textContent())).toBeGreaterThan(2);
    const prompt = page.getByRole('textbox', { name: 'Prompt' });
    await prompt.fill('The old man likes the moo');
    await page.locator('.next[data-next="n"]').waitFor();
    await page.getByRole('slider', { name: /Top k/ }).fill('1');
    await page.getByRole('button', { name: 'Go on with n, 100.0 %' }).click();
    expect(await prompt.inputValue()).toBe('The old man likes the moon');
    await expect.poll(() => page.locator('.looked-at button').count()).toBe(26);
    expect(await page.locator('.heads button').count()).toBe(4);
    await page.locator('.looked-at button').nth(2).hover();
    expect(await page.locator('[data-fact="looks-at"]').textContent()).toMatch(/^e looks most at [The], [0-2] back/);
    expect(errors).toEqual([]);
  });

  test("a text of one's own is learned; one that is too short is refused", async () => {
    const { page, until, errors } = await pages.open('#place=sequences&text=own', { locale: 'zh-CN' });
    const own = page.getByRole('textbox', { name: '你的文本' });
    await own.fill('太短了');
    await page.getByRole('button', { name: '学习这段文本' }).click();
    await page.getByRole('alert').getByText('文本只有 3 个字符：至少需要 192 个。').waitFor();
    await own.fill('天地玄黄，宇宙洪荒。'.repeat(40));
    await page.getByRole('button', { name: '学习这段文本' }).click();
    await page.getByText('400 个字符，10 种').waitFor();
    await page.locator('.play').click();
    await until('text-test-loss', (loss) => loss < 1, 'below 1');
    expect(errors).toEqual([]);
  });
});

test('a drawn digit is explained, and the cells of the confusion matrix open', async () => {
  const { page, until, errors } = await pages.open('#task=digits&samples=150&layers=c3k3p.relu_d8.relu');
  await until('train-loss', Number.isFinite, 'there');
  await page.getByRole('tab', { name: 'Why this answer' }).click();
  await page.getByText('Draw a digit, or take one').waitFor();
  const pad = page.getByRole('application', { name: /Pad for drawing/ });
  await page.evaluate(() => scrollTo(0, 0)); // the tab may have scrolled it away, or below the bar
  const box = (await pad.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.8, { steps: 8 });
  await page.mouse.up();
  await page.getByRole('img', { name: /^Integrated gradients/ }).waitFor();
  await page.getByRole('img', { name: /^Grad-CAM of Layer 1/ }).waitFor();
  const sum = page.locator('[data-fact="attribution-sum"]');
  const before = Number(await sum.getAttribute('data-sum'));
  const shown = page.getByRole('combobox', { name: 'Explain the score of' });
  const other = (await page.getByText(/The score of 8 is/).count()) > 0 ? '3' : '8';
  await shown.selectOption(other);
  await page.getByText(new RegExp(`The score of ${other} is`)).waitFor();
  await expect.poll(async () => Number(await sum.getAttribute('data-sum'))).not.toBe(before);
  await page.getByRole('tab', { name: 'Mistakes' }).click();
  const cell = page.getByRole('button', { name: /taken for .*show them/ }).first();
  const count = Number(await cell.textContent());
  await cell.click();
  await expect.poll(() => page.locator('.cell-samples li').count()).toBe(Math.min(24, count));
  await page.locator('.cell-samples button').first().click();
  expect(errors).toEqual([]);
});

describe('generators', () => {
  test.runIf(isWhole)('made points come to cover the real ones', async () => {
    const { page, until, errors } = await pages.open('#place=generators');
    await until('coverage', Number.isFinite, 'there');
    await page.getByRole('button', { name: 'Train' }).click();
    await until('coverage', (share) => share > 50, 'above 50 %');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('combobox', { name: 'Real points' }).selectOption('Moons');
    await until('generator-steps', (steps) => steps === 0, 'begun anew');
    expect(await until('coverage', Number.isFinite, 'there')).toBeLessThan(40);
    expect(errors).toEqual([]);
  });

  test.runIf(isWhole)('digits go through two numbers; the plane is dragged through, also by keys', async () => {
    const { page, until, errors } = await pages.open('#place=generators&kind=autoencoder');
    const pad = page.getByRole('application', { name: /Latent plane/ });
    await pad.waitFor();
    await page.getByRole('button', { name: 'Train' }).click();
    const first = await until('auto-test-loss', Number.isFinite, 'there');
    await until('auto-test-loss', (loss) => loss < 0.5 * first, 'half of the first');
    await page.getByRole('button', { name: 'Pause' }).click();
    const decoded = page.locator('.decoded');
    const before = await decoded.getAttribute('data-ink');
    const box = (await pad.boundingBox())!;
    await page.mouse.move(box.x + 20, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.3, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => decoded.getAttribute('data-ink')).not.toBe(before);
    const dragged = await decoded.getAttribute('data-ink');
    for (let k = 0; k < 5; k++) await pad.press('Shift+ArrowRight');
    await expect.poll(() => decoded.getAttribute('data-ink')).not.toBe(dragged);
    await page
      .getByRole('button', { name: /^Send a/ })
      .first()
      .click();
    await page.getByRole('img', { name: 'The digit that went in' }).waitFor();
    expect(errors).toEqual([]);
  });
});
