/** The report as a page shows it, and curves that grow in one. */

import axe from 'axe-core';
import { afterEach, expect, test } from 'vitest';
import { cdp } from 'vitest/browser';
import { LiveChart } from '../browser/live-chart.ts';
import { RunReport } from './run-report.ts';

function record(add: (name: string, step: number, value: number) => void): void {
  for (let step = 1; step <= 300; step++) {
    add('loss', step, 2 / Math.sqrt(step));
    if (step % 50 === 0) add('validation.loss', step, 2.2 / Math.sqrt(step));
    if (step % 10 === 0) add('accuracy', step, 1 - 1 / step);
  }
}

/** What the browser says that its user prefers, in this page and in frames. */
async function prefer(scheme: 'light' | 'dark' | ''): Promise<void> {
  const features = [{ name: 'prefers-color-scheme', value: scheme }];
  // the cast: vitest knows the types of no provider here
  const session = cdp() as { send(method: string, given: object): Promise<unknown> };
  await session.send('Emulation.setEmulatedMedia', { features });
}
afterEach(() => prefer(''));

/** A report with all that one may have, in a frame. */
async function show(): Promise<HTMLIFrameElement> {
  const report = new RunReport({
    title: 'A run',
    settings: { seed: 1, path: 'a-name-without-a-space-that-is-wider-than-a-telephone/and-goes-on' },
    classNames: ['one', 'two'],
    samples: () => [
      {
        picture: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1"/></svg>',
        caption: 'a',
      },
      { caption: 'b', isRight: true },
      { caption: 'c', isRight: false },
    ],
  });
  record((...point) => report.curves.add(...point));
  const values = {
    matrix: [
      [5, 1],
      [2, 7],
    ],
  };
  const history = [1, 2, 3].map((epoch) => ({ epoch, step: epoch * 100, values: { loss: 0.123456 / epoch } }));
  report.handle({ type: 'validated', epoch: 3, step: 300, values }, { history: [] });
  report.handle({ type: 'warning', epoch: 3, step: 300, what: 'spike', message: 'a spike' }, { history: [] });
  report.handle({ type: 'stopped', epoch: 3, step: 300, why: 'done' }, { history, higherIsBetter: () => false });
  const frame = document.createElement('iframe');
  frame.style.cssText = 'width: 900px; height: 1200px';
  frame.srcdoc = await report.html();
  document.body.append(frame);
  await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
  return frame;
}

test('the report shows all its parts without a script or a request', async () => {
  const frame = await show();
  const page = frame.contentDocument!;
  expect(page.scripts.length).toBe(0);
  expect(page.querySelectorAll('.charts svg').length).toBe(2);
  for (const path of page.querySelectorAll<SVGPathElement>('.charts path[stroke-width="1.8"]')) {
    const { width, height } = path.getBoundingClientRect();
    expect(width).toBeGreaterThan(200);
    expect(height).toBeGreaterThan(10);
  }
  const image = page.querySelector('img')!;
  expect([image.complete, image.naturalWidth > 0]).toEqual([true, true]);
  expect(page.querySelector('h1')!.textContent).toBe('A run');
  expect(
    frame.contentWindow!.performance.getEntriesByType('resource').filter(({ name }) => !name.startsWith('data:')),
  ).toEqual([]);
  // a telephone: nothing is wider than the page, and no number is broken
  for (const width of [900, 360]) {
    frame.style.width = `${width}px`;
    expect(page.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    for (const cell of page.querySelectorAll('.numbers td'))
      expect(cell.getBoundingClientRect().height).toBeLessThan(36);
  }
  frame.remove();
});

/** Contrast as the guidelines of accessibility count it, of colours as a page computes them. */
function contrast(first: string, second: string): number {
  const [one = 0, other = 0] = [first, second].map((color) => {
    const parts = (color.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => {
      const value = Number(part) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0]! + 0.7152 * parts[1]! + 0.0722 * parts[2]!;
  });
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

test.each(['light', 'dark'] as const)(
  'a %s report is read by all, and its pictures are as they were made',
  async (scheme) => {
    await prefer(scheme);
    const frame = await show();
    const [view, page] = [frame.contentWindow!, frame.contentDocument!];
    const paper = view.getComputedStyle(page.body).backgroundColor;
    expect(contrast(paper, scheme === 'dark' ? 'rgb(0, 0, 0)' : 'rgb(255, 255, 255)')).toBeLessThan(1.3);
    // what axe does not look at: words and lines in an SVG
    for (const text of page.querySelectorAll('svg text'))
      expect(contrast(view.getComputedStyle(text).fill, paper)).toBeGreaterThan(7);
    for (let line = 0; line < 6; line++) {
      const path = page.querySelector('path.line-0')!;
      path.setAttribute('class', `line-${line}`);
      expect([line, contrast(view.getComputedStyle(path).stroke, paper) >= 3]).toEqual([line, true]);
      path.setAttribute('class', 'line-0');
    }
    for (let element: Element | null = page.querySelector('img'); element !== null; element = element.parentElement) {
      const { filter, mixBlendMode, opacity } = view.getComputedStyle(element);
      expect([element.tagName, filter, mixBlendMode, opacity]).toEqual([element.tagName, 'none', 'normal', '1']);
    }
    expect(view.getComputedStyle(page.querySelector('img')!).backgroundColor).toBe('rgb(255, 255, 255)');
    const judge = view as unknown as { eval(text: string): void; axe: typeof axe };
    judge.eval(axe.source);
    const { violations } = await judge.axe.run(page, { resultTypes: ['violations'] });
    expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`))).toEqual([]);
    frame.remove();
  },
);

test('live curves draw in frames, say their values in words, and go away', async () => {
  const home = document.createElement('div');
  document.body.append(home);
  const chart = new LiveChart(home, { values: ['loss', 'validation.loss'] });
  record((...point) => chart.add(...point));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const [canvas, ...others] = home.querySelectorAll('canvas');
  expect(others).toEqual([]);
  expect(canvas!.getAttribute('aria-label')).toBe('loss 0.1155, validation.loss 0.127');
  expect(inked(canvas!, 0x00, 0x72, 0xb2)).toBeGreaterThan(200);
  expect(inked(canvas!, 0xd5, 0x5e, 0x00)).toBeGreaterThan(100);
  // a telephone with a dark page: no wider than the room, and in the paler colours
  home.style.cssText = 'width: 300px; color: rgb(230, 230, 230)';
  chart.draw();
  expect(canvas!.getBoundingClientRect().width).toBe(300);
  expect(canvas!.width).toBe(Math.round(300 * devicePixelRatio));
  expect(inked(canvas!, 0x4e, 0xa8, 0xde)).toBeGreaterThan(150);
  expect(inked(canvas!, 0x00, 0x72, 0xb2)).toBe(0);
  chart.remove();
  expect(home.childElementCount).toBe(0);
  home.remove();
});

test('of many noisy values the live chart draws the mean, and the values faintly behind', () => {
  const home = document.createElement('div');
  document.body.append(home);
  const chart = new LiveChart(home);
  const draw = (): readonly [strong: number, faint: number] => {
    chart.draw();
    const canvas = home.querySelector('canvas')!;
    const [strong, faint] = [inked(canvas, 0x00, 0x72, 0xb2), inked(canvas, 0x00, 0x72, 0xb2, [60, 120])];
    return [strong, faint];
  };
  for (let step = 1; step < 120; step++) chart.add('loss', step, step % 2);
  const [few] = draw();
  for (let step = 120; step <= 240; step++) chart.add('loss', step, step % 2);
  const [strong, faint] = draw();
  expect(few).toBeGreaterThan(10_000);
  expect(strong).toBeLessThan(few / 3);
  expect(faint).toBeGreaterThan(10_000);
  chart.remove();
  home.remove();
});

/** How many points of a picture are of a colour, as opaque as that: of 255. */
function inked(
  canvas: HTMLCanvasElement,
  red: number,
  green: number,
  blue: number,
  [least, most]: readonly [number, number] = [201, 255],
): number {
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const apart = Math.abs(data[at]! - red) + Math.abs(data[at + 1]! - green) + Math.abs(data[at + 2]! - blue);
    if (data[at + 3]! >= least && data[at + 3]! <= most && apart < 30) count++;
  }
  return count;
}
