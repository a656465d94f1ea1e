/**
 * Another rate: a low-pass filter, a sinc under a window, read at the new moments. Between two rates there are only as many different rows of weights
 * as the new rate has samples until both meet again, so they are computed once. As torchaudio's `resample`, with its names and defaults.
 */
import { checkOptions, conv1d, ShapeError, type Tensor, tensor, ValueError } from '@nn/core';
import { checkRate, eachChannel, type Waveform } from './waveform.ts';

export interface ResampleOptions {
  /** How many zero crossings of the sinc are kept on each side: more are sharper, and take longer. 6 by default. */
  readonly lowpassFilterWidth?: number;
  /** Where the filter ends, as a share of half the lower rate; 0.99 by default. */
  readonly rolloff?: number;
  /** Hann's window ('hann', the default), or Kaiser's. */
  readonly window?: 'hann' | 'kaiser';
  /** The shape of Kaiser's window; 14.769656459379492 by default. */
  readonly beta?: number;
}

const known = ['lowpassFilterWidth', 'rolloff', 'window', 'beta'] as const;

/** The filter between two rates without a common divisor. */
interface Filter {
  readonly from: number;
  readonly to: number;
  /** How many samples before the moment the filter begins. */
  readonly width: number;
  /** The weights of one of the `to` rows: 2 * width + from. */
  readonly size: number;
  readonly weights: Float32Array;
  /** The first and the last weight of each row that is not 0. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

const kept = new Map<string, Filter>();

/** The modified Bessel function of order 0, by its series. */
function bessel(x: number): number {
  let [term, sum] = [1, 1];
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function filterOf(operation: string, from: number, to: number, options: ResampleOptions): Filter {
  checkOptions(operation, options, known);
  const { lowpassFilterWidth: crossings = 6, rolloff = 0.99, window = 'hann', beta = 14.769656459379492 } = options;
  if (!Number.isInteger(crossings) || crossings < 1 || !(rolloff > 0 && rolloff <= 1)) {
    throw new ValueError(
      operation,
      `lowpassFilterWidth ${crossings} must be a whole number from 1, rolloff ${rolloff} above 0 and at most 1.`,
      { lowpassFilterWidth: crossings, rolloff },
    );
  }
  if (window !== 'hann' && window !== 'kaiser') {
    throw new ValueError(operation, `no window '${String(window)}': 'hann' or 'kaiser'.`, { window });
  }
  const divisor = commonDivisor(from, to);
  const [old, fresh] = [from / divisor, to / divisor];
  if (fresh > 200_000 || old > 200_000 || fresh * old > 100_000_000) {
    throw new ValueError(
      operation,
      `between ${from} and ${to} Hz there are ${fresh} different filters of ${old} weights and more: choose rates with a common divisor.`,
      { from, to },
    );
  }
  const key = [old, fresh, crossings, rolloff, window, beta].join();
  const found = kept.get(key);
  if (found) return found;
  const base = Math.min(old, fresh) * rolloff;
  const width = Math.ceil((crossings * old) / base);
  const size = 2 * width + old;
  const weights = new Float32Array(fresh * size);
  const starts = new Int32Array(fresh);
  const ends = new Int32Array(fresh);
  for (let row = 0; row < fresh; row++) {
    starts[row] = size;
    for (let k = 0; k < size; k++) {
      const x = base * ((k - width) / old - row / fresh);
      // outside of the window there is nothing
      if (Math.abs(x) >= crossings) continue;
      const shape =
        window === 'hann'
          ? Math.cos((x * Math.PI) / crossings / 2) ** 2
          : bessel(beta * Math.sqrt(1 - (x / crossings) ** 2)) / bessel(beta);
      const t = x * Math.PI;
      weights[row * size + k] = (t === 0 ? 1 : Math.sin(t) / t) * shape * (base / old);
      starts[row] = Math.min(starts[row]!, k);
      ends[row] = k + 1;
    }
  }
  const filter = { from: old, to: fresh, width, size, weights, starts, ends };
  if (kept.size >= 8) kept.delete(kept.keys().next().value ?? '');
  kept.set(key, filter);
  return filter;
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

function wholeRates(operation: string, from: number, to: number): void {
  for (const [name, value] of Object.entries({ from, to })) {
    checkRate(operation, name, value);
    if (Number.isInteger(value)) continue;
    throw new ValueError(operation, `${name} is ${value}: rates must be whole numbers of hertz.`, { [name]: value });
  }
}

/**
 * The sound at another rate, in whole hertz, as torchaudio's `resample`.
 *
 * @example
 * import { resample, waveformOf } from '@nn/audio';
 * const { length, sampleRate } = resample(waveformOf(new Float32Array(44100), 44100), 16000);
 * console.log(length, sampleRate); // => 16000 16000
 */
export function resample(waveform: Waveform, sampleRate: number, options: ResampleOptions = {}): Waveform {
  wholeRates('resample', waveform.sampleRate, sampleRate);
  const { from, to, width, size, weights, starts, ends } = filterOf(
    'resample',
    waveform.sampleRate,
    sampleRate,
    options,
  );
  if (from === to) return waveform;
  const length = Math.ceil((to * waveform.length) / from);
  const result = eachChannel(waveform, length, (x, y) => {
    for (let i = 0; i < length; i++) {
      const row = i % to;
      // where the first weight of the row meets the samples
      const shift = Math.floor(i / to) * from - width;
      const first = Math.max(starts[row]!, -shift);
      const last = Math.min(ends[row]!, x.length - shift);
      // four sums, which do not wait for each other
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      let at = row * size + first;
      let place = shift + first;
      const end = shift + last;
      for (; place + 3 < end; place += 4, at += 4) {
        a += weights[at]! * x[place]!;
        b += weights[at + 1]! * x[place + 1]!;
        c += weights[at + 2]! * x[place + 2]!;
        d += weights[at + 3]! * x[place + 3]!;
      }
      for (; place < end; place++, at++) a += weights[at]! * x[place]!;
      y[i] = a + b + (c + d);
    }
  });
  return { ...result, sampleRate };
}

/**
 * The same for tensors [..., length] on the device, with gradients: a convolution with a stride.
 *
 * @example
 * import { resampleSignal } from '@nn/audio';
 * import { zeros } from '@nn/core';
 * console.log(resampleSignal(zeros([2, 1, 441]), { from: 44100, to: 16000 }).shape); // => [ 2, 1, 160 ]
 */
export function resampleSignal(
  x: Tensor,
  options: ResampleOptions & { readonly from: number; readonly to: number },
): Tensor {
  checkOptions('resampleSignal', options, ['from', 'to', ...known]);
  const { from: before, to: after, ...rest } = options;
  wholeRates('resampleSignal', before, after);
  if (x.rank === 0) throw new ShapeError('resampleSignal', 'a number is no signal: needs [..., length].');
  const { from, to, width, size, weights } = filterOf('resampleSignal', before, after, rest);
  if (from === to) return x;
  const outside = x.shape.slice(0, -1);
  const length = x.shape.at(-1)!;
  const rows = x.reshape([outside.reduce((all, each) => all * each, 1), 1, length]).pad([
    [0, 0],
    [0, 0],
    [width, width + from],
  ]);
  const filters = tensor(weights, { shape: [to, 1, size], constant: true, ...(x.backend && { backend: x.backend }) });
  // [N, to, turns]: a turn gives `to` samples
  const turns = conv1d(rows, filters, { stride: from }).transpose(1, 2);
  return turns
    .flatten(1)
    .slice([0, 0], [null, Math.ceil((to * length) / from)])
    .reshape([...outside, Math.ceil((to * length) / from)]);
}
