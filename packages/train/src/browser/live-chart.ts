/**
 * Curves on a page that grow while a model trains: one canvas for each group of values. Draws at most once a frame, and only
 * what is new asks for it. For any loop: `add(name, step, value)`; as a callback of a training by `liveChart`.
 */
import { checkOptions } from '@nn/core';
import type { Callback } from '../events.ts';
import { figure } from '../format.ts';
import { Curves, panelsOf } from '../report/curves.ts';
import { extentOf, many, smoothed, ticksOf } from '../report/line-chart.ts';
import { colorAt, darkLineColors, legendOf, lineColors, markWidth } from '../report/line-colors.ts';

/** An `HTMLElement`, as far as types that need no DOM can say: they are the same in Node. */
export interface PageElement {
  readonly tagName: string;
  append(...children: never[]): void;
}

export interface LiveChartOptions {
  /** The names that are shown; all where not given. */
  readonly values?: readonly string[];
  /** Pixels of each picture, as far as the element has room for them. Default 420 x 220. */
  readonly width?: number;
  readonly height?: number;
}

/**
 * Live curves below an element of a page. Of 120 points or more they are drawn as in reports: the mean of those around each, and
 * the points faintly behind.
 *
 * @example
 * import { LiveChart } from '@nn/train/browser';
 * const show = (element: HTMLElement): LiveChart => {
 *   const chart = new LiveChart(element, { values: ['loss'] });
 *   for (let step = 1; step <= 100; step++) chart.add('loss', step, 1 / step);
 *   return chart;
 * };
 * console.log(show.length); // => 1
 */
export class LiveChart {
  readonly curves: Curves = new Curves();
  readonly #element: HTMLElement;
  readonly #options: LiveChartOptions;
  readonly #pictures = new Map<string, HTMLCanvasElement>();
  #frame: number | null = null;

  constructor(element: PageElement, options: LiveChartOptions = {}) {
    checkOptions('LiveChart', options, ['values', 'width', 'height']);
    // on a page nothing else has these members
    [this.#element, this.#options] = [element as HTMLElement, options];
  }

  add(name: string, step: number, value: number): void {
    this.curves.add(name, step, value);
    this.redraw();
  }

  /** Asks for a drawing in the next frame. */
  redraw(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.draw();
    });
  }

  /** Draws now. */
  draw(): void {
    const { values } = this.#options;
    const names = this.curves.names.filter((name) => values?.includes(name) ?? true);
    for (const [title, lines] of panelsOf(names)) this.#drawPanel(title, lines);
  }

  /** Takes the pictures away. */
  remove(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    for (const picture of this.#pictures.values()) picture.remove();
    this.#pictures.clear();
  }

  #canvasOf(title: string): HTMLCanvasElement {
    const known = this.#pictures.get(title);
    if (known !== undefined) return known;
    const canvas = this.#element.ownerDocument.createElement('canvas');
    canvas.style.maxWidth = '100%';
    canvas.setAttribute('role', 'img');
    this.#element.append(canvas);
    this.#pictures.set(title, canvas);
    return canvas;
  }

  #drawPanel(title: string, names: readonly string[]): void {
    const canvas = this.#canvasOf(title);
    const context = canvas.getContext('2d');
    if (context === null) return;
    const { width: wanted = 420, height = 220 } = this.#options;
    // a telephone has less room; nothing has any while it is hidden
    canvas.style.width = `${wanted}px`;
    canvas.style.height = `${height}px`;
    const width = canvas.clientWidth || wanted;
    const ratio = globalThis.devicePixelRatio || 1;
    const [across, up] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== across || canvas.height !== up) [canvas.width, canvas.height] = [across, up];
    const lines = names.map((name) => ({ name, ...this.curves.get(name) }));
    const texts = lines.map(({ name, values }) => `${name} ${figure(values.at(-1) ?? Number.NaN)}`);
    canvas.setAttribute('aria-label', texts.join(', ')); // for those who do not see it
    const [left, right, bottom] = [52, 10, 22];
    const legend = legendOf(texts, width - left - right);
    const top = 28 + 15 * (1 + (legend.at(-1)?.row ?? 0));
    const [x0, x1] = extentOf(lines.flatMap(({ steps }) => [steps[0] ?? 0, steps.at(-1) ?? 1]));
    const [y0, y1] = extentOf(lines.flatMap(({ values }) => values));
    const x = (step: number): number => left + ((step - x0) / (x1 - x0)) * (width - left - right);
    const y = (value: number): number => height - bottom - ((value - y0) / (y1 - y0)) * (height - top - bottom);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const ink = getComputedStyle(this.#element).color;
    const colors = isPale(context, ink) ? darkLineColors : lineColors;
    context.fillStyle = ink;
    context.font = '600 12px system-ui, sans-serif';
    context.fillText(title, left, 14);
    context.font = '11px system-ui, sans-serif';
    context.strokeStyle = 'rgba(128, 128, 128, 0.3)';
    context.lineWidth = 1;
    context.beginPath();
    context.textAlign = 'center';
    for (const step of ticksOf(x0, x1, 5)) {
      context.moveTo(x(step), top);
      context.lineTo(x(step), height - bottom);
      context.fillText(String(step), x(step), height - bottom + 14);
    }
    context.textAlign = 'right';
    for (const value of ticksOf(y0, y1, 4)) {
      context.moveTo(left, y(value));
      context.lineTo(width - right, y(value));
      context.fillText(figure(value), left - 6, y(value) + 4);
    }
    context.stroke();
    context.textAlign = 'left';
    lines.forEach(({ steps, values }, at) => {
      const color = colors[colorAt(at)]!;
      context.strokeStyle = color;
      const trace = (heights: readonly number[], lineWidth: number, alpha: number): void => {
        [context.lineWidth, context.globalAlpha] = [lineWidth, alpha];
        context.beginPath();
        steps.forEach((step, k) => void context[k === 0 ? 'moveTo' : 'lineTo'](x(step), y(heights[k]!)));
        context.stroke();
        context.globalAlpha = 1;
      };
      const isNoisy = steps.length >= many;
      if (isNoisy) trace(values, 1, 0.35);
      trace(isNoisy ? smoothed(values) : values, 1.8, 1);
      context.fillStyle = color;
      if (steps.length === 1) context.fillRect(x(steps[0]!) - 2, y(values[0]!) - 2, 4, 4);
      // the name in the ink of the page, beside a mark: lines are too pale to be read
      const { text, x: from, row } = legend[at]!;
      const middle = 32 + 15 * row;
      context.fillRect(left + from, middle - 1.5, markWidth - 5, 3);
      context.fillStyle = ink;
      context.fillText(text, left + from + markWidth, middle + 4);
    });
  }
}

/** Whether this is the ink of a dark page. The canvas writes an opaque colour of CSS as #rrggbb. */
function isPale(context: CanvasRenderingContext2D, ink: string): boolean {
  context.fillStyle = ink;
  const text = String(context.fillStyle);
  const [red = 0, green = 0, blue = 0] = text.startsWith('#')
    ? [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16))
    : (text.match(/[\d.]+/g) ?? []).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140;
}

/**
 * Shows the curves of a training in an element while it runs; with `trainInWorker` give its events to `handle`.
 *
 * @example
 * import { liveChart } from '@nn/train/browser';
 * console.log(typeof liveChart); // => function
 */
export function liveChart(
  element: PageElement,
  options: LiveChartOptions = {},
): Callback & { readonly chart: LiveChart } {
  const chart = new LiveChart(element, options);
  return {
    chart,
    hears: ['read', 'validated'],
    handle: (event) => {
      if (event.type !== 'read' && event.type !== 'validated') return;
      chart.curves.addEvent(event);
      chart.redraw();
    },
  };
}
