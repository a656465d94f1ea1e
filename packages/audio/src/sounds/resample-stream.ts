/** Another rate for a sound that comes in pieces: what a microphone gives at its own rate, at that of a network. */
import { checkOptions } from '@nn/core';
import { type ResampleOptions, resample } from './resample.ts';
import { waveformOf } from './waveform.ts';

/**
 * `resample` in pieces: all that `push` and `flush` give is what `resample` gives for the whole.
 *
 * @example
 * import { ResampleStream } from '@nn/audio';
 * const stream = new ResampleStream({ from: 48000, to: 16000 });
 * const pieces = [stream.push(new Float32Array(1000)), stream.push(new Float32Array(1000)), stream.flush()];
 * console.log(pieces.reduce((sum, { length }) => sum + length, 0)); // => 667
 */
export class ResampleStream {
  readonly from: number;
  readonly to: number;
  readonly #options: ResampleOptions;
  /** Samples of a turn: after so many, both rates meet. */
  readonly #turn: number;
  /** Turns that a filter reaches back, and ahead. */
  readonly #reach: number;
  #kept: Float32Array = new Float32Array(0);
  /** Turns at the beginning of `#kept` that were given already, and are only there for the filters. */
  #past = 0;

  constructor(options: ResampleOptions & { readonly from: number; readonly to: number }) {
    checkOptions('ResampleStream', options, ['from', 'to', 'lowpassFilterWidth', 'rolloff', 'window', 'beta']);
    const { from, to, ...rest } = options;
    // refuses what cannot be, as `resample` does
    resample(waveformOf(new Float32Array(1), from), to, rest);
    [this.from, this.to, this.#options] = [from, to, rest];
    const divisor = commonDivisor(from, to);
    this.#turn = from / divisor;
    const width = ((rest.lowpassFilterWidth ?? 6) * from) / (Math.min(from, to) * (rest.rolloff ?? 0.99));
    this.#reach = Math.ceil((width + 1) / this.#turn);
  }

  /** The samples that no later piece can change. */
  push(samples: Float32Array): Float32Array {
    const all = new Float32Array(this.#kept.length + samples.length);
    all.set(this.#kept);
    all.set(samples, this.#kept.length);
    this.#kept = all;
    const complete = Math.floor(all.length / this.#turn) - this.#reach - 1;
    return complete > this.#past ? this.#take(complete) : new Float32Array(0);
  }

  /** The rest, where nothing more comes. */
  flush(): Float32Array {
    const rest = this.#resampled().slice(this.#past * this.#turnOut);
    this.#kept = new Float32Array(0);
    this.#past = 0;
    return rest;
  }

  get #turnOut(): number {
    return (this.#turn * this.to) / this.from;
  }

  #resampled(): Float32Array {
    return resample(waveformOf(this.#kept, this.from), this.to, this.#options).samples;
  }

  /** What was not given yet, up to this turn; of what is before, only as much is kept as filters reach back. */
  #take(end: number): Float32Array {
    const given = this.#resampled().slice(this.#past * this.#turnOut, end * this.#turnOut);
    const drop = Math.max(0, end - this.#reach);
    this.#kept = this.#kept.slice(drop * this.#turn);
    this.#past = end - drop;
    return given;
  }
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));
