/** Lessons: each driven to its goal in the page, one of them by hand; those of a teacher, by their addresses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/commands.ts';
import { type Host, host, isWhole, type Visit } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host();
});
afterEach(() => pages.clear());
afterAll(() => pages.close());

const folder = join(root, 'apps/playground/public/lessons');
const read = (name: string): { start: string; steps: unknown[]; title: { en: string }; lessons: string[] } =>
  JSON.parse(readFileSync(join(folder, name), 'utf8'));

const reached = ({ page }: Visit): Promise<void> =>
  page.locator('[data-fact="lesson-reached"]').getByText('Goal reached').waitFor();

describe('the lessons of the page', () => {
  // a minute and more
  test.runIf(isWhole)(
    'are driven to their goals, one after the other, by what they show',
    async () => {
      const visit = await pages.open('?lesson=xor');
      const { page, errors } = visit;
      const { lessons } = read('index.json');
      for (const [k, name] of lessons.entries()) {
        const { steps, title, start } = read(name);
        await page.getByRole('heading', { name: title.en }).waitFor();
        // other places than the board go as fast as they can
        if (!start.includes('place=')) {
          await page.getByRole('combobox', { name: 'Speed', exact: true }).selectOption('Full');
        }
        for (let at = 0; at < steps.length; at++) {
          await page.getByText(`Step ${at + 1} of ${steps.length}`, { exact: true }).waitFor();
          await page.waitForFunction(() => document.querySelector('.page')?.getAttribute('data-experiment') !== '');
          expect(await page.getByText('Goal reached').count(), `${name}, step ${at + 1}, before`).toBe(0);
          await page.getByRole('button', { name: 'Show me' }).click();
          await reached(visit).catch(async (error) => {
            const goals = await page.locator('.goals').textContent();
            throw new Error(`${name}, step ${at + 1}: ${goals}`, { cause: error });
          });
          // what was reached is paused, to be looked at
          await page.getByRole('button', { name: 'Train', exact: true }).waitFor();
          if (at < steps.length - 1) await page.getByRole('button', { name: 'Next step' }).click();
        }
        expect(await page.locator('.learned').count(), name).toBe(1);
        if (k < lessons.length - 1) await page.getByRole('button', { name: 'Next lesson' }).click();
      }
      await page.getByRole('button', { name: 'Finish' }).click();
      // from the last place back to all of them
      await expect.poll(() => page.locator('.card.done').count()).toBe(lessons.length);
      expect(page.url()).not.toContain('lesson');
      expect(errors).toEqual([]);
    },
    400_000,
  );

  test.runIf(isWhole)(
    'are links, which back and forward and a reload follow, and one can be done by hand',
    async () => {
      const visit = await pages.open();
      const { page, until, steps, errors } = visit;
      await until('train-loss', Number.isFinite, 'there');
      await page.getByRole('link', { name: /A line cannot do XOR/ }).click();
      await expect.poll(() => page.url()).toMatch(/\?lesson=xor#task=xor&/);
      await page.goBack();
      await page.getByRole('navigation', { name: 'Lessons' }).waitFor();
      await page.goForward();
      await page.getByText('Step 1 of 3').waitFor();
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      await reached(visit);
      expect(await steps()).toBeGreaterThanOrEqual(200);
      await page.getByRole('button', { name: 'Next step' }).click();
      await page.getByRole('button', { name: 'Add layer' }).click();
      await reached(visit);
      await page.getByRole('button', { name: 'Next step' }).click();
      // the controls that a step is about are ringed
      const outline = await page
        .getByRole('button', { name: 'Train', exact: true })
        .evaluate((button) => getComputedStyle(button).outlineStyle);
      expect(outline).toBe('solid');
      expect(page.url()).toContain('lesson=xor&step=3#');
      await page.reload();
      await page.getByText('Step 3 of 3').waitFor();
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      await reached(visit);
      expect(errors).toEqual([]);
    },
  );
});

/** Lessons of a teacher, each by its name, on a host of theirs. */
const served =
  (lessons: Readonly<Record<string, unknown>>) =>
  (context: BrowserContext): Promise<unknown> =>
    context.route('**/mine/*', (route) =>
      route.fulfill({
        contentType: 'application/json',
        body: JSON.stringify(lessons[route.request().url().split('/').at(-1) ?? ''] ?? ''),
      }),
    );

test('a setting of a step leaves what was learned, unless it asks for another network', async () => {
  const rates = {
    format: 'nn-lesson/1',
    title: 'Rates',
    about: 'About.',
    learned: 'That was it.',
    start: 'task=blobs&samples=100&layers=d3.tanh&seed=3',
    steps: [
      { text: 'Train.', goal: [{ value: 'step', atLeast: 20 }], solution: { train: true } },
      {
        text: 'Learn more slowly.',
        goal: [{ value: 'learningRate', atMost: 0.001 }],
        solution: { set: 'learningRate=0.001' },
      },
      { text: 'Add neurons.', goal: [{ value: 'neurons', atLeast: 4 }], solution: { set: 'layers=d4.tanh' } },
    ],
  };
  const visit = await pages.open('?lesson=mine/rates.json', {}, served({ 'rates.json': rates }));
  const { page, until, steps, fact, errors } = visit;
  await until('train-loss', Number.isFinite, 'there');
  await page.getByRole('button', { name: 'Show me' }).click();
  await reached(visit);
  await page.getByRole('button', { name: 'Train', exact: true }).waitFor();
  const [learned, loss] = [await steps(), await fact('train-loss')];
  expect(learned).toBeGreaterThanOrEqual(20);
  await page.getByRole('button', { name: 'Next step' }).click();
  await page.getByRole('button', { name: 'Show me' }).click();
  await reached(visit);
  expect(await page.getByLabel('Learning rate', { exact: true }).inputValue()).toBe('0.001');
  expect(await fact('train-loss')).toBe(loss);
  await page.getByRole('button', { name: 'One step' }).click();
  await until('steps', (count) => count === learned + 1, `one more than ${learned}`);
  await page.getByRole('button', { name: 'Next step' }).click();
  await page.getByRole('button', { name: 'Show me' }).click();
  await reached(visit);
  await until('steps', (count) => count === 0, '0');
  expect(errors).toEqual([]);
});

describe('a lesson of a teacher', () => {
  test.runIf(isWhole)(
    'is read from its address; what is wrong with one is told with its place, and the page works all the same',
    async () => {
      const mine = {
        format: 'nn-lesson/1',
        title: 'My <b>own</b>',
        about: 'About.',
        learned: 'That was it.',
        start: 'task=blobs&seed=3',
        fixed: ['task', 'learningRate'],
        steps: [{ text: 'Take a step.', goal: [{ value: 'step', atLeast: 1 }] }],
      };
      const slip = { ...mine, steps: [{ text: 'x', goal: [{ value: 'acuracy', atLeast: 1 }] }] };
      const visit = await pages.open('', {}, served({ 'own.json': mine, 'slip.json': slip }));
      const { page, until, errors } = visit;
      const base = page.url();
      await page.goto(`${base}?lesson=mine/own.json`);
      await page.getByRole('heading', { name: 'My <b>own</b>' }).waitFor();
      await until('train-loss', Number.isFinite, 'there');
      // what it fixes cannot be changed
      expect(await page.getByLabel('Learning rate', { exact: true }).isDisabled()).toBe(true);
      expect(await page.getByRole('radio', { name: 'Moons' }).isDisabled()).toBe(true);
      await page.getByRole('button', { name: 'One step' }).click();
      await reached(visit);
      await page.getByText('That was it.').waitFor();
      await page.goto(`${base}?lesson=mine/slip.json`);
      await page
        .getByRole('alert')
        .getByText(
          /^lesson: slip\.json: steps\[0\]\.goal\[0\]\.value is "acuracy"; expected one of step, stepsHere, epoch,/,
        )
        .waitFor();
      await until('train-loss', Number.isFinite, 'there');
      await page.goto(`${base}?lesson=nowhere`);
      await page.getByRole('alert').getByText('lesson: nowhere.json cannot be read: 404 Not Found.').waitFor();
      expect(errors.filter((text) => !text.includes('404'))).toEqual([]);
    },
  );
});
