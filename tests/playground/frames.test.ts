/** Quick while it trains, as a browser without a GPU paints: ratios of frames, and frames until an answer. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Host, host, isWhole } from './page.ts';

let pages: Host;
beforeAll(async () => {
  pages = await host({ plain: true });
});
afterAll(() => pages.close());

test.runIf(isWhole)(
  'draws at least half as many frames while it trains as at rest, and answers within three of them',
  async () => {
    const { page, until } = await pages.open('#task=moons');
    await until('train-loss', Number.isFinite, 'there');
    const framesIn = (milliseconds: number): Promise<number> =>
      page.evaluate(
        (time) =>
          new Promise<number>((done) => {
            let count = 0;
            const end = performance.now() + time;
            const next = (): void => {
              count++;
              if (performance.now() < end) requestAnimationFrame(next);
              else done(count);
            };
            requestAnimationFrame(next);
          }),
        milliseconds,
      );
    // at the speed that one begins with, and as fast as the machine can: then the worker never rests
    for (const speed of ['200 a second', 'Full']) {
      await page.getByRole('combobox', { name: 'Speed', exact: true }).selectOption(speed);
      // side by side, and the best of four: what else the machine does changes from one to the next
      const ratios: number[] = [];
      for (let k = 0; k < 4; k++) {
        const atRest = await framesIn(500);
        await page.getByRole('button', { name: 'Train', exact: true }).click();
        ratios.push((await framesIn(500)) / atRest);
        await page.getByRole('button', { name: 'Pause', exact: true }).click();
      }
      console.log(
        `Frames while it trains, ${speed}: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')} of those at rest.`,
      );
      // at rest a screen shows 60 frames a second
      expect(Math.max(...ratios), `${speed}: ${ratios.join(', ')}`).toBeGreaterThanOrEqual(0.5);
    }
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    const waited = await page.evaluate(async () => {
      const slider = document.querySelector<HTMLInputElement>('[data-name="batchSize"] input');
      const shown = (): string => document.querySelector('[data-name="batchSize"] b')?.textContent ?? '';
      const before = shown();
      if (slider === null) return -1;
      slider.value = String(Number(slider.value) + 1);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      let frames = 0;
      while (shown() === before && frames < 60) {
        await new Promise(requestAnimationFrame);
        frames++;
      }
      return frames;
    });
    expect(waited).toBeGreaterThanOrEqual(0);
    expect(waited).toBeLessThanOrEqual(3);
  },
);
