/**
 * A training as a screen in the terminal: curves, values, speed, the last warnings, a bar. Owns what stands where; where there
 * is no terminal it is `progress`, because a screen needs one.
 */
import { checkOptions } from '@nn/core';
import { drawDots } from '@nn/metrics';
import type { Callback, Controls, Heard, Place, TrainingEvent } from '../events.ts';
import { endingOf, figure } from '../format.ts';
import { paceOf, Throughput, type ThroughputReading } from '../health/throughput.ts';
import { bar } from '../progress.ts';
import { Curves, panelsOf } from '../report/curves.ts';
import { extentOf } from '../report/line-chart.ts';
import { padText, type Style, type Terminal, widthOf } from '../terminal.ts';
import { ownTerminal, progress } from './progress.ts';

export interface DashboardOptions {
  /** Where to draw; the process's standard output where not given. */
  readonly terminal?: Terminal;
  /** Default 'Training'. */
  readonly title?: string;
  /** Milliseconds between two frames. Default 200. */
  readonly every?: number;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

/** The styles of the curves of a panel: the training's, the validation's. */
const styles: readonly Style[] = ['cyan', 'yellow', 'green', 'red'];

/**
 * Shows a training as a screen with curves, in a terminal; plain lines elsewhere, nothing in CI unless a terminal is given.
 * The last screen stays.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { dashboard, Terminal, Training } from '@nn/train';
 * import { tensor } from '@nn/core';
 * const model = new Linear(1, 1);
 * let screen = '';
 * const output = { isTTY: true, columns: 80, rows: 24, write: (text: string) => void (screen += text) };
 * await new Training({
 *   model,
 *   optimizer: new SGD(model, { learningRate: 0.1 }),
 *   data: [tensor([[1]])],
 *   step: (x) => model.forward(x).square().mean(),
 *   epochs: 5,
 *   callbacks: [dashboard({ terminal: new Terminal(output, {}), title: 'To zero' })],
 * }).run();
 * console.log(screen.includes('To zero'), screen.includes('epoch 5/5')); // => true true
 */
export function dashboard(options: DashboardOptions = {}): Callback {
  checkOptions('dashboard', options, ['terminal', 'title', 'every', 'now']);
  const terminal = options.terminal ?? ownTerminal();
  if (terminal === null) return { hears: [], handle: () => undefined };
  if (!terminal.isInteractive) return progress({ terminal });
  return new Dashboard(terminal, options);
}

class Dashboard implements Callback {
  readonly curves: Curves = new Curves();
  readonly #terminal: Terminal;
  readonly #title: string;
  readonly #every: number;
  readonly #now: () => number;
  readonly #speed: Throughput;
  #values = new Map<string, number>();
  #warnings: string[] = [];
  #drawnAt = Number.NEGATIVE_INFINITY;
  #total: number | null = null;
  #epochs: number | null = null;
  #reading: ThroughputReading | null = null;
  #pace = '';
  #state = '';

  constructor(
    terminal: Terminal,
    { title = 'Training', every = 200, now = () => performance.now() }: DashboardOptions,
  ) {
    [this.#terminal, this.#title, this.#every, this.#now] = [terminal, title, every, now];
    this.#speed = new Throughput({ now });
  }

  readonly isOutput: boolean = true;
  readonly hears: readonly Heard[] = [
    ...(['start', 'some steps', 'read', 'epoch', 'validating', 'validated', 'rest', 'warning', 'stopped'] as const),
  ];
  readonly handle = (event: TrainingEvent<object>, { history }: Pick<Controls, 'history'>): void => {
    this.curves.addEvent(event);
    if (event.type === 'start') {
      [this.#total, this.#epochs, this.#state] = [event.steps, event.epochs, ''];
      this.#speed.start();
    }
    if (event.type === 'read') this.#note(event);
    if (event.type === 'validating') this.#state = 'validating';
    if (event.type === 'validated') {
      this.#state = '';
      for (const [name, value] of Object.entries(event.values))
        if (typeof value === 'number') this.#values.set(name, value);
    }
    if (event.type === 'rest') this.#speed.start();
    if (event.type === 'warning') this.#warnings = [...this.#warnings, event.message].slice(-3);
    if (event.type === 'stopped') {
      this.#state = endingOf(event.why);
      this.#pace = this.#paceWith(null); // nothing is left
      // after its last step an epoch is told with the number of the next one
      const last = history.at(-1);
      const lines = this.#frame(last?.step === event.step ? last : event);
      this.#terminal.clear();
      for (const line of lines) this.#terminal.line(line);
    } else if (this.#now() - this.#drawnAt >= this.#every) {
      this.#drawnAt = this.#now();
      this.#terminal.live(this.#frame(event));
    }
  };

  #note({ step, samples, losses, values }: Extract<TrainingEvent<object>, { readonly type: 'read' }>): void {
    for (const [name, reading] of Object.entries(values as Record<string, { readonly epoch: unknown }>)) {
      if (typeof reading.epoch === 'number') this.#values.set(name, reading.epoch);
    }
    this.#speed.count(samples, losses.length);
    this.#reading = this.#speed.read();
    this.#pace = this.#paceWith(this.#total === null ? null : this.#total - step);
  }

  #paceWith(stepsLeft: number | null): string {
    return this.#reading === null ? '' : paceOf(this.#reading, stepsLeft);
  }

  /** All lines, none wider than the screen. */
  #frame({ epoch, step }: Place): string[] {
    const terminal = this.#terminal;
    const width = terminal.columns - 3;
    const head = `epoch ${epoch}${this.#epochs === null ? '' : `/${this.#epochs}`}  step ${step}${this.#total === null ? '' : `/${this.#total}`}`;
    const share = this.#total === null ? null : step / this.#total;
    const barLine =
      share === null
        ? []
        : [
            `${bar(share, Math.max(4, Math.min(60, width - 8)), terminal)} ${String(Math.floor(100 * share)).padStart(3)} %`,
          ];
    const warnings = this.#warnings.map((text) => terminal.paint(cut(text, width), 'yellow'));
    const panels = this.#panels(width, terminal.rows - 7 - warnings.length);
    return [
      `${terminal.paint(this.#title, 'bold')}  ${cut(`${head}  ${this.#state}`, width - widthOf(this.#title) - 2)}`,
      ...barLine,
      ...panels,
      terminal.paint(cut(this.#pace, width), 'dim'),
      ...warnings,
    ].map((line) => `  ${line}`);
  }

  /** Two panels side by side where there is room, as many rows of them as fit. */
  #panels(width: number, height: number): string[] {
    const panels = panelsOf(this.curves.names).sort(([a], [b]) => rank(a) - rank(b));
    const across = width >= 76 ? 2 : 1;
    const columns = Math.floor((width - 3 * (across - 1)) / across);
    const rows = Math.max(4, Math.min(8, Math.floor(height / Math.ceil(Math.min(4, panels.length) / across)) - 2));
    const lines: string[] = [];
    for (let at = 0; at < panels.length && lines.length + rows + 1 <= Math.max(rows + 1, height); at += across) {
      const row = panels.slice(at, at + across).map(([title, names]) => this.#panel(title, names, columns, rows));
      for (let k = 0; k < rows + 1; k++)
        lines.push(
          row
            .map((panel) => padText(panel[k]!, columns))
            .join('   ')
            .trimEnd(),
        );
    }
    return lines;
  }

  #panel(title: string, names: readonly string[], columns: number, rows: number): string[] {
    const terminal = this.#terminal;
    const curves = names.map((name) => this.curves.get(name));
    const [low, high] = extentOf(curves.flatMap(({ values }) => values));
    const [first, last] = extentOf(curves.flatMap(({ steps }) => [steps[0] ?? 0, steps.at(-1) ?? 1]));
    const axis = Math.max(figure(low).length, figure(high).length) + 1;
    const width = columns - axis - 1;
    const drawn = curves.map(({ steps, values }) => dotsOf(steps, values, [first, last], [low, high], width, rows));
    const picture = Array.from({ length: rows }, (_, row) => {
      const label = row === 0 ? figure(high) : row === rows - 1 ? figure(low) : '';
      return `${terminal.paint(`${label.padStart(axis)}│`, 'dim')}${overlay(
        drawn.map((lines) => lines[row]!),
        terminal,
      )}`;
    });
    const legendOf = (nameOf: (name: string) => string): string =>
      names
        .map((name, at) => {
          const text = `${name === title ? name : nameOf(name)} ${this.#text(name)}`;
          return terminal.paint(text.trim(), styles[at % styles.length]!);
        })
        .join('  ');
    // 'validation.accuracy 0.9' where there is room; else 'validation 0.9', or the value in its colour
    const legends = [legendOf((name) => name), legendOf((name) => name.split('.', 1)[0]!), legendOf(() => '')];
    const text = legends.find((legend) => widthOf(legend) <= columns);
    return [text ?? terminal.paint(cut(title, columns), 'cyan'), ...picture];
  }

  #text(name: string): string {
    const value = this.#values.get(name) ?? this.curves.get(name).values.at(-1);
    return value === undefined ? '' : figure(value);
  }
}

/** The loss first, the learning rate last. */
const rank = (name: string): number => (name === 'loss' ? 0 : name.startsWith('learning rate') ? 2 : 1);

const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

/** A curve as lines of braille, without holes. */
function dotsOf(
  steps: readonly number[],
  values: readonly number[],
  [first, last]: readonly [number, number],
  [low, high]: readonly [number, number],
  columns: number,
  rows: number,
): string[] {
  const [width, height] = [2 * columns, 4 * rows];
  const dots = new Uint8Array(width * height);
  const column = (step: number): number => Math.round(((step - first) / (last - first)) * (width - 1));
  const row = (value: number): number => Math.round((1 - (value - low) / (high - low)) * (height - 1));
  steps.forEach((step, at) => {
    const [x, y] = [column(step), row(values[at]!)];
    const [x0, y0] = at === 0 ? [x, y] : [column(steps[at - 1]!), row(values[at - 1]!)];
    const long = Math.max(Math.abs(x - x0), Math.abs(y - y0), 1);
    for (let k = 0; k <= long; k++) {
      dots[Math.round(y0 + ((y - y0) * k) / long) * width + Math.round(x0 + ((x - x0) * k) / long)] = 1;
    }
  });
  return drawDots(columns, rows, (x, y) => dots[y * width + x] === 1);
}

/** Lines of braille over each other: each character in the style of the last curve that is in it. */
function overlay(lines: readonly string[], terminal: Terminal): string {
  const characters = [...lines[0]!].map((_, at) => {
    let [pattern, style] = [0, 0];
    lines.forEach((line, k) => {
      const own = line.codePointAt(at)! - 0x2800;
      if (own !== 0) [pattern, style] = [pattern | own, k];
    });
    return [String.fromCodePoint(0x2800 + pattern), style] as const;
  });
  // one style for each run of characters
  let text = '';
  for (let at = 0; at < characters.length; ) {
    const style = characters[at]![1];
    let run = '';
    while (at < characters.length && characters[at]![1] === style) run += characters[at++]![0];
    text += terminal.paint(run, styles[style % styles.length]!);
  }
  return text;
}
