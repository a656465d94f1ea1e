/**
 * A run as a document: curves, values by epoch, confusion matrix, samples, settings, versions, timings, warnings, in one HTML
 * file without scripts or other files. Owns what stands in it; writing it is `@nn/train/node`. For any loop: fill in the
 * fields, or `handle` the events of a training.
 */
import { checkOptions, getDefaultBackend, type Stateful } from '@nn/core';
import { confusionSvg } from '@nn/metrics';
import type { Callback, Controls, Heard, TrainingEvent } from '../events.ts';
import { duration, figure } from '../format.ts';
import { Throughput } from '../health/throughput.ts';
import { Curves, panelsOf } from './curves.ts';
import { escaped, lineChart } from './line-chart.ts';

/** A sample with what the model makes of it. */
export interface ReportSample {
  /** A picture as the bytes of a PNG, or an SVG as text. */
  readonly picture?: Uint8Array | string;
  readonly caption: string;
  /** Whether it was told right: marks it. */
  readonly isRight?: boolean;
}

export interface RunReportOptions {
  /** Default 'Training'. */
  readonly title?: string;
  /** Hyper-parameters, the seed, the data: shown as a table. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Of packages, as the application knows them; the engine and the backend are added. */
  readonly versions?: Readonly<Record<string, string>>;
  /**
   * The value that holds a confusion matrix, counts[actual][predicted]: 'validation.matrix'. Where not given the one that a
   * metric has, of the validation if it has one.
   */
  readonly confusion?: string;
  readonly classNames?: readonly string[];
  /** Asked for each time the report is made. */
  readonly samples?: () => Promise<readonly ReportSample[]> | readonly ReportSample[];
  /** The power of the device in watts, for an estimate of the energy. */
  readonly watts?: number;
  /** What measures the energy, with its method: an `EnergyMeter` of @nn/compress. */
  readonly energy?: MeasuresEnergy;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

/** Energy since `start`, as the `EnergyMeter` of @nn/compress measures it. */
export interface MeasuresEnergy {
  start(): void;
  read(): { readonly joules: number; readonly gramsCO2: number | null; readonly method: string };
}

type Row = Controls['history'][number];

/** Warnings that are kept. */
const mostWarnings = 200;

/**
 * Collects what happens in a training and makes the report of it.
 *
 * @example
 * import { RunReport } from '@nn/train';
 * const report = new RunReport({ title: 'Moons', settings: { seed: 1 } });
 * for (let step = 1; step <= 3; step++) report.curves.add('loss', step, 1 / step);
 * const html = await report.html();
 * console.log(html.startsWith('<!doctype html>'), html.includes('<h1>Moons</h1>')); // => true true
 */
export class RunReport implements Callback, Stateful {
  static readonly name: string = 'RunReport';

  readonly curves: Curves = new Curves();
  readonly #options: RunReportOptions;
  readonly #now: () => number;
  readonly #speed: Throughput;
  #rows: Row[] = [];
  #warnings: { readonly step: number; readonly message: string }[] = [];
  #matrix: readonly (readonly number[])[] | null = null;
  /** Which value it is, and when: 'validation.matrix, epoch 3'. */
  #matrixOf = '';
  /** The names of all values that came. */
  readonly #names = new Set<string>();
  #seconds = { training: 0, validation: 0 };
  #samples = 0;
  #since = 0;
  #isValidating = false;
  #isRunning = false;
  #end = '';
  #energy: { readonly joules: number; readonly grams: number | null; readonly method: string } | null = null;

  constructor(options: RunReportOptions = {}) {
    checkOptions('RunReport', options, [
      ...['title', 'settings', 'versions', 'confusion', 'classNames', 'samples', 'watts', 'energy', 'now'],
    ]);
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#speed = new Throughput({ now: this.#now });
  }

  readonly hears: readonly Heard[] = [
    ...(['start', 'read', 'epoch', 'validating', 'validated', 'rest', 'warning', 'stopped'] as const),
  ];
  readonly handle = (event: TrainingEvent<object>, training: Pick<Controls, 'history'>): void => {
    this.#count(event);
    this.curves.addEvent(event);
    if (event.type === 'epoch' || event.type === 'validated') {
      for (const name of Object.keys(event.values)) this.#names.add(name);
      const found = matrixIn(event.values, this.#options.confusion);
      if (found !== null) [this.#matrixOf, this.#matrix] = [`${found[0]}, epoch ${event.epoch}`, found[1]];
    }
    if (event.type === 'warning' && this.#warnings.length < mostWarnings) {
      this.#warnings.push({ step: event.step, message: event.message });
    }
    if (event.type === 'rest' || event.type === 'stopped') this.#rows = [...training.history];
    if (event.type === 'stopped')
      this.#end = `${event.why} after ${event.step} steps${event.error === undefined ? '' : `: ${String(event.error)}`}`;
  };

  #count(event: TrainingEvent<object>): void {
    const now = this.#now();
    if (this.#isRunning) this.#seconds[this.#isValidating ? 'validation' : 'training'] += (now - this.#since) / 1000;
    this.#since = now;
    if (this.#isRunning && ['epoch', 'validated', 'rest', 'stopped'].includes(event.type)) this.#countEnergy();
    if (event.type === 'start') {
      this.#options.energy?.start();
      this.#isRunning = true;
      this.#end = '';
      this.#speed.start();
    }
    if (event.type === 'read') this.#samples += event.samples;
    if (event.type === 'validating') this.#isValidating = true;
    if (event.type === 'validated' || event.type === 'rest') this.#isValidating = false;
    if (event.type === 'stopped') [this.#isRunning, this.#isValidating] = [false, false];
  }

  /** The document as it is now. */
  async html(): Promise<string> {
    const { title = 'Training', settings = {} } = this.#options;
    const samples = (await this.#options.samples?.()) ?? [];
    const charts = panelsOf(this.curves.names).map(([name, names]) =>
      lineChart(
        names.map((line) => ({ name: line, ...this.curves.get(line) })),
        { title: name },
      ),
    );
    return [
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${style}</style></head><body>`,
      `<h1>${escaped(title)}</h1><p class="end">${escaped(this.#end || 'under way')}</p>`,
      section('Curves', charts.length === 0 ? '' : `<div class="charts">${charts.join('')}</div>`),
      section('Epochs', epochTable(this.#rows)),
      section('Confusion matrix', this.#confusion()),
      section(
        'Samples',
        samples.length === 0 ? '' : `<div class="samples">${samples.map(sampleFigure).join('')}</div>`,
      ),
      section('Settings', pairs(settings)),
      section('Timings', pairs(this.#timings())),
      section('Versions', pairs({ ...engine(), ...this.#options.versions })),
      section(
        'Warnings',
        this.#warnings.length === 0
          ? ''
          : `<ul>${this.#warnings.map(({ step, message }) => `<li>${escaped(message)} <small>(step ${step})</small></li>`).join('')}</ul>`,
      ),
      '</body></html>\n',
    ].join('\n');
  }

  #confusion(): string {
    const { confusion, classNames } = this.#options;
    if (this.#matrix !== null) {
      const picture = confusionSvg(this.#matrix, { size: 400, ...(classNames && { names: classNames }) });
      return `<p>${escaped(this.#matrixOf)}</p><div class="paper">${picture}</div>`;
    }
    if (confusion === undefined || this.#names.size === 0) return '';
    const known = [...this.#names].join(', ');
    return `<p>There is no matrix '${escaped(confusion)}' among the values: ${escaped(known)}.</p>`;
  }

  #timings(): Record<string, string> {
    const { training, validation } = this.#seconds;
    return {
      training: duration(training),
      validation: validation === 0 ? 'none' : duration(validation),
      'samples a second': training === 0 ? '0' : figure(this.#samples / training),
      energy: this.#energyText(training + validation),
    };
  }

  #energyText(seconds: number): string {
    const { watts } = this.#options;
    if (this.#energy !== null) {
      const { joules, grams, method } = this.#energy;
      const carbon = grams === null ? '' : `, ${figure(grams)} g CO2`;
      return `${figure(joules)} J, ${figure(joules / 3600)} Wh${carbon} (${method})`;
    }
    return watts === undefined
      ? 'not known: give watts or energy'
      : `about ${figure((watts * seconds) / 3600)} Wh at ${watts} W`;
  }

  /** Adds what the meter has counted since it was last asked. */
  #countEnergy(): void {
    const meter = this.#options.energy;
    if (meter === undefined) return;
    const { joules, gramsCO2, method } = meter.read();
    const before = this.#energy ?? { joules: 0, grams: null };
    const grams = gramsCO2 === null ? before.grams : (before.grams ?? 0) + gramsCO2;
    this.#energy = { joules: before.joules + joules, grams, method };
    meter.start();
  }

  hostState(): unknown {
    return {
      curves: this.curves.hostState(),
      warnings: [...this.#warnings],
      seconds: { ...this.#seconds },
      samples: this.#samples,
      ...(this.#energy !== null && { energy: this.#energy }),
      ...(this.#matrix !== null && { matrix: this.#matrix.map((row) => [...row]), matrixOf: this.#matrixOf }),
    };
  }

  loadHostState(state: unknown): void {
    const { curves, warnings, seconds, samples, matrix, matrixOf, energy } = Object(state) as Record<string, unknown>;
    this.curves.loadHostState(curves);
    this.#warnings = Array.isArray(warnings) ? [...warnings] : [];
    const { training, validation } = Object(seconds) as Record<string, unknown>;
    this.#seconds = { training: Number(training) || 0, validation: Number(validation) || 0 };
    this.#samples = Number(samples) || 0;
    this.#matrix = asMatrix(matrix);
    this.#matrixOf = typeof matrixOf === 'string' ? matrixOf : '';
    const { joules, grams, method } = Object(energy) as Record<string, unknown>;
    const counted = { joules: Number(joules), grams: typeof grams === 'number' ? grams : null, method: String(method) };
    this.#energy = typeof joules === 'number' ? counted : null;
  }
}

// the colours of curves are made for paper: on a dark page they are lighter, to be read
const style = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:980px;margin:2em auto;padding:0 1em}
h1{margin-bottom:0}.end{color:#888;margin-top:0}h2{margin:1.6em 0 .5em;font-size:1.15em;border-bottom:1px solid #8884}
.charts,.samples{display:flex;flex-wrap:wrap;gap:14px}.charts svg{max-width:100%;height:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:2px 12px 2px 0;text-align:right}
th{font-weight:600}table.pairs th,table.pairs td{text-align:left}tbody tr:nth-child(even){background:#8881}
.wide{overflow-x:auto}.paper{background:#fff;display:inline-block;border-radius:4px}.paper svg{display:block;max-width:100%;height:auto}
td{overflow-wrap:anywhere}@media(prefers-color-scheme:dark){.charts svg{filter:brightness(1.5)}}
figure{margin:0;text-align:center;border:2px solid #8884;border-radius:4px;padding:6px}figure.right{border-color:#009e73}figure.wrong{border-color:#d55e00}
figure img,figure svg{width:84px;height:84px;image-rendering:pixelated}figcaption{font-size:12px;max-width:120px}`;

const section = (title: string, content: string): string =>
  content === '' ? '' : `<section><h2>${title}</h2>${content}</section>`;

function pairs(record: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(record).map(([name, value]) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
    return `<tr><th>${escaped(name)}</th><td>${escaped(text)}</td></tr>`;
  });
  return rows.length === 0 ? '' : `<table class="pairs"><tbody>${rows.join('')}</tbody></table>`;
}

/** All numbers of all epochs; the middle of long runs is in the curves. */
function epochTable(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const numbersOf = ({ values }: Row): [string, number][] =>
    Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  const names = [...new Set(rows.flatMap((row) => numbersOf(row).map(([name]) => name)))];
  const shown = rows.length <= 60 ? rows : [...rows.slice(0, 20), ...rows.slice(-40)];
  const lines = shown.map((row) => {
    const values = Object.fromEntries(numbersOf(row));
    const cells = names.map((name) => `<td>${values[name] === undefined ? '' : figure(values[name])}</td>`);
    return `<tr><td>${row.epoch}</td><td>${row.step}</td>${cells.join('')}</tr>`;
  });
  const head = ['epoch', 'step', ...names].map((name) => `<th>${escaped(name)}</th>`).join('');
  const left = rows.length - shown.length;
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${lines.join('')}</tbody></table></div>${left > 0 ? `<p>${left} epochs in the middle are left out.</p>` : ''}`;
}

function sampleFigure({ picture, caption, isRight }: ReportSample): string {
  const mark = isRight === undefined ? '' : isRight ? ' class="right"' : ' class="wrong"';
  // an SVG as an image runs no script, whatever is in it
  const source =
    typeof picture === 'string'
      ? `data:image/svg+xml,${encodeURIComponent(picture)}`
      : picture === undefined
        ? null
        : `data:image/png;base64,${base64(picture)}`;
  const image = source === null ? '' : `<img alt="" src="${source}">`;
  return `<figure${mark}>${image}<figcaption>${escaped(caption)}</figcaption></figure>`;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** The matrix of the value with this name, or of the first that is one, and the name. */
function matrixIn(values: object, name: string | undefined): [string, number[][]] | null {
  for (const [key, value] of Object.entries(values)) {
    const matrix = name === undefined || key === name ? asMatrix(value) : null;
    if (matrix !== null) return [key, matrix];
  }
  return null;
}

/** Lists of numbers, as many as each has; null for anything else. */
function asMatrix(value: unknown): number[][] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const isSquare = value.every(
    (row: unknown) =>
      Array.isArray(row) && row.length === value.length && row.every((count) => typeof count === 'number'),
  );
  return isSquare ? value.map((row: number[]) => [...row]) : null;
}

function engine(): Record<string, string> {
  const { process: own, navigator: page } = globalThis as {
    process?: { version?: string; platform?: string; arch?: string };
    navigator?: { userAgent?: string };
  };
  const where =
    own?.version === undefined ? (page?.userAgent ?? 'unknown') : `Node ${own.version} on ${own.platform} ${own.arch}`;
  return { engine: where, backend: backendName() };
}

function backendName(): string {
  try {
    return getDefaultBackend().name;
  } catch {
    return 'none';
  }
}
