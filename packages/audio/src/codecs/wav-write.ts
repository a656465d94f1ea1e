/** Writing WAV: PCM and floats, with the extensible header where the plain one does not say enough. */
import { checkOptions, ValueError } from '@nn/core';
import type { Waveform } from '../sounds/waveform.ts';

export interface EncodeWavOptions {
  /** 'pcm16' by default. */
  readonly encoding?: 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32' | 'float64';
  /** Told where samples beyond 1 are cut to what the integers hold. */
  readonly onWarning?: (message: string) => void;
}

const encodings = ['pcm8', 'pcm16', 'pcm24', 'pcm32', 'float32', 'float64'] as const;

/**
 * A sound as the bytes of a WAV file. Integers are rounded to the nearest, and cut to what they hold: -1 to a step below 1. Throws a `ValueError` for NaN and
 * infinities, which integers cannot be, and for more than 4 GB.
 *
 * @example
 * import { decodeAudio, encodeWav, waveformOf } from '@nn/audio';
 * const bytes = encodeWav(waveformOf(Float32Array.of(0, 0.5, -1), 8000));
 * console.log(bytes.length, (await decodeAudio(bytes)).samples); // => 50 Float32Array(3) [ 0, 0.5, -1 ]
 */
export function encodeWav(waveform: Waveform, options: EncodeWavOptions = {}): Uint8Array<ArrayBuffer> {
  checkOptions('encodeWav', options, ['encoding', 'onWarning']);
  const { encoding = 'pcm16', onWarning } = options;
  if (!encodings.includes(encoding)) {
    throw new ValueError('encodeWav', `no encoding '${String(encoding)}': ${encodings.join(', ')}.`, { encoding });
  }
  const { samples, channels, length, sampleRate } = waveform;
  if (!Number.isInteger(sampleRate)) {
    throw new ValueError('encodeWav', `a WAV file has whole hertz, not ${sampleRate}: resample first.`, { sampleRate });
  }
  const isFloat = encoding.startsWith('float');
  const bits = Number(encoding.replace(/\D/g, ''));
  const isExtensible = channels > 2 || (!isFloat && bits > 16);
  const block = (channels * bits) / 8;
  const size = block * length;
  const header = isExtensible ? 68 : isFloat ? 58 : 44;
  if (header + size >= 2 ** 32 || channels > 65535) {
    throw new ValueError('encodeWav', `${header + size} bytes of ${channels} channels are too many for a WAV file.`);
  }
  const bytes = new Uint8Array(header + size + (size % 2));
  const view = new DataView(bytes.buffer);
  let at = 0;
  const name = (text: string): void => {
    for (const letter of text) view.setUint8(at++, letter.charCodeAt(0));
  };
  const short = (value: number): void => {
    view.setUint16(at, value, true);
    at += 2;
  };
  const long = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  name('RIFF');
  long(bytes.length - 8);
  name('WAVEfmt ');
  long(isExtensible ? 40 : isFloat ? 18 : 16);
  short(isExtensible ? 0xfffe : isFloat ? 3 : 1);
  short(channels);
  long(sampleRate);
  long(sampleRate * block);
  short(block);
  short(bits);
  if (isExtensible) {
    short(22);
    short(bits);
    // which loudspeakers: left as it is for numbers of channels that have no usual order
    long(0);
    short(isFloat ? 3 : 1);
    for (const part of [0x0000, 0x0000, 0x0010, 0x0080, 0xaa00, 0x3800, 0x719b]) short(part);
  } else if (isFloat) short(0);
  if (isFloat && !isExtensible) {
    name('fact');
    long(4);
    long(length);
  }
  name('data');
  long(size);
  write(view, { at, bits, isFloat, samples, channels, length }, onWarning);
  return bytes;
}

interface Place extends Pick<Waveform, 'samples' | 'channels' | 'length'> {
  readonly at: number;
  readonly bits: number;
  readonly isFloat: boolean;
}

function write(
  view: DataView,
  { at: start, bits, isFloat, samples, channels, length }: Place,
  onWarning: EncodeWavOptions['onWarning'],
): void {
  const most = 2 ** (bits - 1);
  let clipped = 0;
  let at = start;
  for (let i = 0; i < length; i++) {
    for (let channel = 0; channel < channels; channel++) {
      const value = samples[channel * length + i]!;
      if (isFloat) {
        if (bits === 32) view.setFloat32(at, value, true);
        else view.setFloat64(at, value, true);
      } else {
        if (!Number.isFinite(value)) {
          throw new ValueError('encodeWav', `sample ${i} of channel ${channel} is ${value}: integers cannot be that.`, {
            index: i,
            channel,
          });
        }
        const wanted = Math.round(value * most);
        const whole = Math.max(-most, Math.min(most - 1, wanted));
        // 1 itself is the next step, and no ear tells them apart
        if (wanted !== whole && Math.abs(value) > 1) clipped++;
        if (bits === 8) view.setUint8(at, whole + 128);
        else if (bits === 16) view.setInt16(at, whole, true);
        else if (bits === 24) {
          view.setInt16(at, whole & 0xffff, true);
          view.setInt8(at + 2, whole >> 16);
        } else view.setInt32(at, whole, true);
      }
      at += bits / 8;
    }
  }
  if (clipped > 0)
    onWarning?.(`encodeWav: ${clipped} samples lie beyond 1 and are cut: normalizeVolume brings them in.`);
}
