/** How fast a training is: samples and steps a second, time left, and energy where the power is known. For any loop. */
import { checkOptions } from '@nn/core';
import type { Callback } from '../events.ts';
import { countFigure, duration, figure } from '../format.ts';

export interface ThroughputOptions {
  /** Operations for one sample, forward and backward, for a figure in FLOP/s. */
  readonly operationsPerSample?: number;
  /** The power of the device in watts, for a figure in watt hours: an estimate, not a measurement. */
  readonly watts?: number;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

/** Since the last reading, and in all. */
export interface ThroughputReading {
  readonly steps: number;
  readonly samples: number;
  readonly seconds: number;
  readonly samplesPerSecond: number;
  readonly millisecondsPerStep: number;
  /** Null where operationsPerSample is not given. */
  readonly operationsPerSecond: number | null;
  /** Of all so far; null where watts are not given. */
  readonly wattHours: number | null;
}

/** `2500 samples/s, 20 ms a step, 3 s left`; `stepsLeft` is 0 at the end, and null where nobody knows. */
export function paceOf(reading: ThroughputReading, stepsLeft: number | null): string {
  const { samplesPerSecond, millisecondsPerStep, operationsPerSecond } = reading;
  const operations = operationsPerSecond === null ? '' : `, ${figure(operationsPerSecond / 1e9)} GFLOP/s`;
  const left =
    stepsLeft !== null && stepsLeft > 0 ? `, ${duration((stepsLeft * millisecondsPerStep) / 1000)} left` : '';
  return `${countFigure(samplesPerSecond)} samples/s, ${figure(millisecondsPerStep)} ms a step${operations}${left}`;
}

/**
 * Counts steps and samples by the clock; `read` answers for the time since it was last asked.
 *
 * @example
 * import { Throughput } from '@nn/train';
 * let clock = 0;
 * const throughput = new Throughput({ now: () => clock });
 * throughput.start();
 * for (let step = 0; step < 10; step++) {
 *   clock += 20; // milliseconds
 *   throughput.count(50);
 * }
 * console.log(throughput.read().samplesPerSecond); // => 2500
 */
export class Throughput {
  readonly #options: ThroughputOptions;
  readonly #now: () => number;
  #at: number;
  #steps = 0;
  #samples = 0;
  #before = 0;

  constructor(options: ThroughputOptions = {}) {
    checkOptions('Throughput', options, ['operationsPerSample', 'watts', 'now']);
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#at = this.#now();
  }

  /** Begins to count: what was before, loading and validation, is left out. */
  start(): void {
    this.#before += this.#seconds();
    [this.#at, this.#steps, this.#samples] = [this.#now(), 0, 0];
  }

  /** So many samples, in a step or several. */
  count(samples: number, steps = 1): void {
    this.#steps += steps;
    this.#samples += samples;
  }

  read(): ThroughputReading {
    const seconds = this.#seconds();
    const [steps, samples] = [this.#steps, this.#samples];
    const { operationsPerSample, watts } = this.#options;
    const samplesPerSecond = seconds === 0 ? 0 : samples / seconds;
    this.start();
    return {
      ...{ steps, samples, seconds, samplesPerSecond },
      millisecondsPerStep: steps === 0 ? 0 : (1000 * seconds) / steps,
      operationsPerSecond: operationsPerSample === undefined ? null : operationsPerSample * samplesPerSecond,
      wattHours: watts === undefined ? null : (watts * this.#before) / 3600,
    };
  }

  #seconds(): number {
    return (this.#now() - this.#at) / 1000;
  }
}

/**
 * Measures the training, without its validations: `readings` holds one for each read, `last` the newest as a line of text.
 *
 * @example
 * import { throughput } from '@nn/train';
 * console.log(throughput().readings); // => []
 */
export function throughput(options: ThroughputOptions = {}): Callback & {
  readonly readings: readonly ThroughputReading[];
  readonly last: string;
} {
  const meter = new Throughput(options);
  const readings: ThroughputReading[] = [];
  let total: number | null = null;
  let step = 0;
  return {
    readings,
    get last() {
      const reading = readings.at(-1);
      return reading === undefined ? '' : paceOf(reading, total === null ? null : total - step);
    },
    hears: ['start', 'read', 'rest', 'stopped'],
    handle: (event) => {
      if (event.type === 'start') {
        total = event.steps;
        meter.start();
      }
      if (event.type === 'read') {
        meter.count(event.samples, event.losses.length);
        readings.push(meter.read());
        step = event.step;
      }
      // what comes between a read and the next step is not the training's
      if (event.type === 'rest') meter.start();
      if (event.type === 'stopped') total = null; // nothing is left
    },
  };
}
