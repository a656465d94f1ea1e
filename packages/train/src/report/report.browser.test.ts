/** The report as a page shows it, and curves that grow in one. */
import { expect, test } from 'vitest';
import { LiveChart } from '../browser/live-chart.ts';
import { RunReport } from './run-report.ts';

function record(add: (name: string, step: number, value: number) => void): void {
  for (let step = 1; step <= 300; step++) {
    add('loss', step, 2 / Math.sqrt(step));
    if (step % 50 === 0) add('validation.loss', step, 2.2 / Math.sqrt(step));
    if (step % 10 === 0) add('accuracy', step, 1 - 1 / step);
  }
}

test('the report shows all its parts without a script or a request', async () => {
  const report = new RunReport({
    title: 'A run',
    settings: { seed: 1, path: 'a-name-without-a-space-that-is-wider-than-a-telephone/and-goes-on' },
    samples: () => [
      {
        picture: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>',
        caption: 'a',
      },
    ],
  });
  record((...point) => report.curves.add(...point));
  const values = {
    matrix: [
      [5, 1],
      [2, 7],
    ],
  };
  report.handle({ type: 'validated', epoch: 3, step: 300, values }, { history: [] });
  const frame = document.createElement('iframe');
  frame.style.cssText = 'width: 900px; height: 1200px';
  frame.setAttribute('sandbox', 'allow-same-origin');
  frame.srcdoc = await report.html();
  document.body.append(frame);
  await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
  const page = frame.contentDocument!;
  expect(page.querySelectorAll('.charts svg').length).toBe(2);
  for (const path of page.querySelectorAll<SVGPathElement>('.charts path[stroke-width]')) {
    const { width, height } = path.getBoundingClientRect();
    expect(width).toBeGreaterThan(200);
    expect(height).toBeGreaterThan(10);
  }
  const image = page.querySelector('img')!;
  expect([image.complete, image.naturalWidth > 0]).toEqual([true, true]);
  expect(page.querySelector('h1')!.textContent).toBe('A run');
  expect(page.documentElement.scrollWidth).toBeLessThanOrEqual(900);
  expect(
    frame.contentWindow!.performance.getEntriesByType('resource').filter(({ name }) => !name.startsWith('data:')),
  ).toEqual([]);
  // a telephone: nothing is wider than the page
  frame.style.width = '360px';
  expect(page.documentElement.scrollWidth).toBeLessThanOrEqual(360);
  expect(page.querySelector('.paper')!.getBoundingClientRect().right).toBeLessThanOrEqual(360);
  frame.remove();
});

test('live curves draw in frames, say their values in words, and go away', async () => {
  const home = document.createElement('div');
  document.body.append(home);
  const chart = new LiveChart(home, { values: ['loss', 'validation.loss'] });
  record((...point) => chart.add(...point));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const [canvas, ...others] = home.querySelectorAll('canvas');
  expect(others).toEqual([]);
  expect(canvas!.getAttribute('aria-label')).toBe('loss 0.1155, validation.loss 0.127');
  const { data } = canvas!.getContext('2d')!.getImageData(0, 0, canvas!.width, canvas!.height);
  const isLike = (at: number, red: number, green: number, blue: number): boolean =>
    data[at + 3]! > 200 &&
    Math.abs(data[at]! - red) + Math.abs(data[at + 1]! - green) + Math.abs(data[at + 2]! - blue) < 30;
  let [blue, orange] = [0, 0];
  for (let at = 0; at < data.length; at += 4) {
    if (isLike(at, 0x00, 0x72, 0xb2)) blue++;
    if (isLike(at, 0xd5, 0x5e, 0x00)) orange++;
  }
  expect(blue).toBeGreaterThan(200);
  expect(orange).toBeGreaterThan(100);
  chart.remove();
  expect(home.childElementCount).toBe(0);
  home.remove();
});
