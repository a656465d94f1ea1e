/**
 * What a sound is here: samples in memory, channel by channel, with their rate; and the plain things done to one. Everything else takes or gives it.
 * How files become one stands in `codecs/`, other rates in `resample.ts`.
 */
import { checkOptions, ShapeError, type Tensor, tensor, ValueError } from '@nn/core';

/** A sound in memory. Samples lie between -1 and 1 where nothing is too loud. */
export interface Waveform {
  /** All samples of the first channel, then of the next: [channels, length]. */
  readonly samples: Float32Array;
  readonly channels: number;
  /** Samples of each channel. */
  readonly length: number;
  /** Samples a second, in hertz. */
  readonly sampleRate: number;
}

/** Throws unless the value is a rate in hertz. */
export function checkRate(operation: string, name: string, value: number): void {
  if (value > 0 && value < 1e9) return;
  throw new ValueError(operation, `${name} is ${value}: it must be a number of hertz above 0, as 16000.`, {
    [name]: value,
  });
}

/**
 * A waveform of samples that are at hand: all of the first channel, then of the next. Nothing is copied. Throws a `ShapeError` where the
 * samples cannot be split among the channels.
 *
 * @example
 * import { waveformOf } from '@nn/audio';
 * const { length, channels } = waveformOf(Float32Array.of(0, 0.5, 0, -0.5), 8000, 2);
 * console.log(length, channels); // => 2 2
 */
export function waveformOf(samples: Float32Array, sampleRate: number, channels = 1): Waveform {
  checkRate('waveformOf', 'sampleRate', sampleRate);
  if (!Number.isInteger(channels) || channels < 1 || samples.length % channels !== 0) {
    throw new ShapeError(
      'waveformOf',
      `${samples.length} samples cannot be split among ${channels} channels: give all samples of the first channel, then of the next.`,
      { samples: samples.length, channels },
    );
  }
  return { samples, channels, length: samples.length / channels, sampleRate };
}

/** The samples of one channel; a view. */
export function channelOf({ samples, channels, length }: Waveform, channel: number): Float32Array {
  if (Number.isInteger(channel) && channel >= 0 && channel < channels) {
    return samples.subarray(channel * length, (channel + 1) * length);
  }
  throw new ValueError('channelOf', `there is no channel ${channel} among ${channels}.`, { channel, channels });
}

/** Another waveform of the same rate, made channel by channel. */
export function eachChannel(
  waveform: Waveform,
  length: number,
  make: (from: Float32Array, to: Float32Array) => void,
): Waveform {
  const { channels, sampleRate } = waveform;
  const samples = new Float32Array(channels * length);
  for (let channel = 0; channel < channels; channel++) {
    make(channelOf(waveform, channel), samples.subarray(channel * length, (channel + 1) * length));
  }
  return { samples, channels, length, sampleRate };
}

/**
 * The mean of all channels, as one.
 *
 * @example
 * import { mono, waveformOf } from '@nn/audio';
 * console.log(mono(waveformOf(Float32Array.of(1, 0, 0, -0.5), 8000, 2)).samples); // => Float32Array(2) [ 0.5, -0.25 ]
 */
export function mono(waveform: Waveform): Waveform {
  const { channels, length, sampleRate } = waveform;
  if (channels === 1) return waveform;
  const samples = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += waveform.samples[channel * length + i]!;
    samples[i] = sum / channels;
  }
  return { samples, channels: 1, length, sampleRate };
}

export interface CutOptions {
  /** Seconds; 0 where not given. */
  readonly from?: number;
  /** Seconds; the end where not given. */
  readonly to?: number;
}

/**
 * A part of a sound, by seconds; what lies outside is left out. Throws a `ValueError` where `to` stands before `from`.
 *
 * @example
 * import { cut, waveformOf } from '@nn/audio';
 * const second = waveformOf(new Float32Array(8000), 8000);
 * console.log(cut(second, { from: 0.25, to: 0.5 }).length); // => 2000
 */
export function cut(waveform: Waveform, options: CutOptions = {}): Waveform {
  checkOptions('cut', options, ['from', 'to']);
  const { length, sampleRate } = waveform;
  const { from = 0, to = length / sampleRate } = options;
  if (!(from >= 0 && to >= from)) {
    throw new ValueError('cut', `from ${from} to ${to} seconds is no part: needs 0 <= from <= to.`, { from, to });
  }
  const start = Math.min(length, Math.round(from * sampleRate));
  const end = Math.min(length, Math.round(to * sampleRate));
  return eachChannel(waveform, end - start, (x, y) => y.set(x.subarray(start, end)));
}

/**
 * The sound with this many samples in each channel: its end is cut off, or zeros are put behind it.
 *
 * @example
 * import { waveformOf, withLength } from '@nn/audio';
 * console.log(withLength(waveformOf(Float32Array.of(0.5, 1), 8000), 3).samples); // => Float32Array(3) [ 0.5, 1, 0 ]
 */
export function withLength(waveform: Waveform, length: number): Waveform {
  if (!Number.isInteger(length) || length < 0) {
    throw new ValueError('withLength', `${length} is no number of samples: give a whole number from 0.`, { length });
  }
  return eachChannel(waveform, length, (x, y) => y.set(x.subarray(0, length)));
}

/** What all sounds have in common. Throws a `ShapeError` where rates or numbers of channels differ. */
function commonForm(
  operation: string,
  waveforms: readonly Waveform[],
): { readonly channels: number; readonly sampleRate: number } {
  const [first] = waveforms;
  if (first === undefined) throw new ValueError(operation, 'there is no sound: give one or more.');
  const { channels, sampleRate } = first;
  const other = waveforms.findIndex((each) => each.channels !== channels || each.sampleRate !== sampleRate);
  if (other === -1) return first;
  const { channels: found, sampleRate: rate } = waveforms[other]!;
  throw new ShapeError(
    operation,
    `sound ${other} has ${found} channels at ${rate} Hz, the first ${channels} at ${sampleRate} Hz: bring them together with mono and resample.`,
    { index: other },
  );
}

/**
 * Sounds one behind the other, with `pause` seconds of silence between. Throws a `ShapeError` where rates or numbers of channels differ.
 *
 * @example
 * import { joined, waveformOf } from '@nn/audio';
 * const beep = waveformOf(Float32Array.of(0.5, -0.5), 1000);
 * console.log(joined([beep, beep], { pause: 0.001 }).samples); // => Float32Array(5) [ 0.5, -0.5, 0, 0.5, -0.5 ]
 */
export function joined(waveforms: readonly Waveform[], options: { readonly pause?: number } = {}): Waveform {
  checkOptions('joined', options, ['pause']);
  const { channels, sampleRate } = commonForm('joined', waveforms);
  const pause = Math.round((options.pause ?? 0) * sampleRate);
  const length = waveforms.reduce((sum, each) => sum + each.length, 0) + pause * (waveforms.length - 1);
  const samples = new Float32Array(channels * length);
  for (let channel = 0; channel < channels; channel++) {
    let at = channel * length;
    for (const each of waveforms) {
      samples.set(channelOf(each, channel), at);
      at += each.length + pause;
    }
  }
  return { samples, channels, length, sampleRate };
}

/**
 * A sound as a field of a sample: [channels, length] without a copy, for `map` of a pipeline. Sounds of different lengths need `padTo` or
 * `withLength` before they make a batch.
 *
 * @example
 * import { signal, waveformOf } from '@nn/audio';
 * console.log(signal(waveformOf(new Float32Array(6), 8000, 2)).shape); // => [ 2, 3 ]
 */
export function signal({ samples, channels, length }: Waveform): {
  readonly data: Float32Array;
  readonly shape: readonly [number, number];
} {
  return { data: samples, shape: [channels, length] };
}

/**
 * Sounds as a tensor [N, channels, length]; shorter ones have zeros behind them. Throws a `ShapeError` where rates or numbers of channels
 * differ: a tensor does not know them.
 *
 * @example
 * import { waveformOf, waveformTensor } from '@nn/audio';
 * const ones = (length: number) => waveformOf(new Float32Array(length).fill(1), 8000);
 * console.log(await waveformTensor([ones(4), ones(2)]).array()); // => [ [ [ 1, 1, 1, 1 ] ], [ [ 1, 1, 0, 0 ] ] ]
 */
export function waveformTensor(waveforms: readonly Waveform[]): Tensor {
  const { channels } = commonForm('waveformTensor', waveforms);
  const length = Math.max(...waveforms.map((each) => each.length));
  const samples = new Float32Array(waveforms.length * channels * length);
  for (const [i, each] of waveforms.entries()) {
    for (let channel = 0; channel < channels; channel++) {
      samples.set(channelOf(each, channel), (i * channels + channel) * length);
    }
  }
  return tensor(samples, { shape: [waveforms.length, channels, length], borrow: true });
}

/** The sounds of a tensor [N, channels, length], the way back from `waveformTensor`. */
export async function waveformsOf(signals: Tensor, sampleRate: number): Promise<Waveform[]> {
  checkRate('waveformsOf', 'sampleRate', sampleRate);
  if (signals.rank !== 3) {
    throw new ShapeError('waveformsOf', `takes [N, channels, length], got [${signals.shape.join(', ')}].`, {
      shape: signals.shape,
    });
  }
  const [count = 0, channels = 1, length = 0] = signals.shape;
  const data = await signals.data('float32');
  const size = channels * length;
  return Array.from({ length: count }, (_, i) =>
    waveformOf(data.slice(i * size, (i + 1) * size), sampleRate, channels),
  );
}
