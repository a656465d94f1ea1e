/**
 * A run as a document: curves, values by epoch, confusion matrix, samples, settings, versions, timings, warnings, in one HTML
 * file without scripts or other files. Owns what stands in it; how it looks is report-page.ts, writing it `@nn/train/node`. For
 * any loop: fill in the fields, or `handle` the events of a training.
 */
import { checkOptions, getDefaultBackend, type Stateful } from '@nn/core';
import type { Callback, Controls, Heard, TrainingEvent } from '../events.ts';
import { countFigure, duration, endingOf, figure } from '../format.ts';
import { Curves, panelsOf } from './curves.ts';
import { escaped, lineChart } from './line-chart.ts';
import {
  confusion,
  type Direction,
  epochTable,
  lastValues,
  type Matrix,
  page,
  pairs,
  type ReportSample,
  type Row,
  sampleFigure,
  section,
} from './report-page.ts';

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
  #rows: Row[] = [];
  #warnings: { readonly step: number; readonly message: string }[] = [];
  #matrix: Matrix | null = null;
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
  #isFailed = false;
  /** Of values by their names, whether more is better. */
  #direction: Direction = () => null;
  #energy: { readonly joules: number; readonly grams: number | null; readonly method: string } | null = null;

  constructor(options: RunReportOptions = {}) {
    checkOptions('RunReport', options, [
      ...['title', 'settings', 'versions', 'confusion', 'classNames', 'samples', 'watts', 'energy', 'now'],
    ]);
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  readonly hears: readonly Heard[] = [
    ...(['start', 'read', 'epoch', 'validating', 'validated', 'rest', 'warning', 'stopped'] as const),
  ];
  readonly handle = (
    event: TrainingEvent<object>,
    training: Pick<Controls, 'history'> & Partial<Pick<Controls, 'higherIsBetter'>>,
  ): void => {
    this.#count(event);
    if (training.higherIsBetter !== undefined) this.#direction = (name) => training.higherIsBetter!(name);
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
    if (event.type === 'stopped') {
      this.#isFailed = event.why === 'diverged' || event.why === 'error';
      this.#end = `${endingOf(event.why)} after ${event.step} steps${event.error === undefined ? '' : `: ${String(event.error)}`}`;
    }
  };

  #count(event: TrainingEvent<object>): void {
    const now = this.#now();
    if (this.#isRunning) this.#seconds[this.#isValidating ? 'validation' : 'training'] += (now - this.#since) / 1000;
    this.#since = now;
    if (this.#isRunning && ['epoch', 'validated', 'rest', 'stopped'].includes(event.type)) this.#countEnergy();
    if (event.type === 'start') {
      this.#options.energy?.start();
      this.#isRunning = true;
      [this.#end, this.#isFailed] = ['', false];
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
    const isSmoothed = charts.some((chart) => chart.includes('stroke-opacity'));
    return page(title, this.#end || 'under way', this.#isFailed, [
      lastValues(this.#rows, this.#direction),
      section(
        'Curves',
        charts.length === 0
          ? ''
          : `<div class="charts">${charts.join('')}</div>${isSmoothed ? '<p class="note">Faint: the values. Strong: the mean of those around each.</p>' : ''}`,
      ),
      section('Epochs', epochTable(this.#rows, this.#direction)),
      section('Confusion matrix', this.#confusion()),
      section(
        'Samples',
        samples.length === 0 ? '' : `<div class="samples">${samples.map(sampleFigure).join('')}</div>`,
      ),
      section(
        'Warnings',
        this.#warnings.length === 0
          ? ''
          : `<ul class="warnings">${this.#warnings.map(({ step, message }) => `<li>${escaped(message)} <small>(step ${step})</small></li>`).join('')}</ul>`,
      ),
      '<div class="facts">',
      section('Settings', pairs(settings)),
      section('Timings', pairs(this.#timings())),
      section('Versions', pairs({ ...engine(), ...this.#options.versions })),
      '</div>',
    ]);
  }

  #confusion(): string {
    const { confusion: wanted, classNames } = this.#options;
    if (this.#matrix !== null)
      return `<p class="note">${escaped(this.#matrixOf)}</p>${confusion(this.#matrix, classNames)}`;
    if (wanted === undefined || this.#names.size === 0) return '';
    const known = [...this.#names].join(', ');
    return `<p>There is no matrix '${escaped(wanted)}' among the values: ${escaped(known)}.</p>`;
  }

  #timings(): Record<string, string> {
    const { training, validation } = this.#seconds;
    return {
      training: duration(training),
      validation: validation === 0 ? 'none' : duration(validation),
      'samples a second': training === 0 ? '0' : countFigure(this.#samples / training),
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
