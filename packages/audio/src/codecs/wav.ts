/**
 * Reading WAV: the chunks of RIFF and RF64, PCM of 8 to 32 bits, floats, A-law and mu-law, plain and extensible headers. Damaged and cut-off files are told
 * apart: what is there is read, what cannot be is a `FormatError`. (IBM and Microsoft 1991; EBU Tech 3306; ITU-T G.711.)
 */
import { FormatError } from '@nn/core';
import { type Waveform, waveformOf } from '../sounds/waveform.ts';

/** What the header of a WAV file says. */
export interface WavInfo {
  readonly encoding: 'pcm' | 'float' | 'alaw' | 'mulaw';
  /** Bits of a sample as they lie in the file. */
  readonly bits: number;
  readonly channels: number;
  /** Samples of each channel that are there. */
  readonly length: number;
  readonly sampleRate: number;
  /** Seconds. */
  readonly duration: number;
}

interface Layout extends WavInfo {
  readonly start: number;
  readonly warnings: readonly string[];
}

const others: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  17: 'IMA ADPCM',
  49: 'GSM 6.10',
  80: 'MPEG',
  85: 'MP3',
  255: 'AAC',
  353: 'WMA',
};

const nameAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function isWav(bytes: Uint8Array): boolean {
  return ['RIFF', 'RF64', 'RIFX'].includes(nameAt(bytes, 0)) && nameAt(bytes, 8) === 'WAVE';
}

const refuse = (words: string): never => {
  throw new FormatError('decodeAudio', words);
};

/** Where the samples lie, and what they are. */
function layoutOf(bytes: Uint8Array): Layout {
  if (!isWav(bytes)) refuse('this is no WAV: a file begins with RIFF or RF64, and WAVE.');
  if (nameAt(bytes, 0) === 'RIFX') refuse('this WAV is big-endian (RIFX), which is not read: convert it.');
  const view = viewOf(bytes);
  const warnings: string[] = [];
  let format: Format | undefined;
  let longSize: number | undefined;
  for (let at = 12; ; ) {
    if (at + 8 > bytes.length) {
      refuse(format ? 'this WAV has no samples: there is no chunk "data".' : 'this WAV has no chunk "fmt ".');
    }
    const name = nameAt(bytes, at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (name === 'data') {
      if (!format) return refuse('this WAV has its samples before the chunk "fmt " that says what they are.');
      return settle(format, body, size, longSize, bytes.length, warnings);
    }
    if (body + size > bytes.length) refuse(`this WAV ends within its chunk ${JSON.stringify(name)}.`);
    if (name === 'ds64' && size >= 16) longSize = Number(view.getBigUint64(body + 8, true));
    if (name === 'fmt ') format = formatOf(view, body, size);
    // chunks begin at even places
    at = body + size + (size % 2);
  }
}

interface Format {
  readonly encoding: WavInfo['encoding'];
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
  /** The bytes of one moment. */
  readonly block: number;
}

function formatOf(view: DataView, at: number, size: number): Format {
  if (size < 16) refuse(`the chunk "fmt " has ${size} bytes, of 16 or more.`);
  let tag = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const block = view.getUint16(at + 12, true);
  if (tag === 0xfffe) {
    if (size < 40) refuse(`the extensible chunk "fmt " has ${size} bytes, of 40 or more.`);
    tag = view.getUint16(at + 24, true);
    // the rest of the identifier is the same for all formats that have a tag
    if (view.getUint32(at + 28, true) !== 0x00100000 || view.getUint32(at + 32, true) !== 0xaa000080) {
      refuse('this WAV has samples of a kind that has no number (an extensible format of its own).');
    }
  }
  const encoding = ({ 1: 'pcm', 3: 'float', 6: 'alaw', 7: 'mulaw' } as const)[tag];
  if (encoding === undefined) {
    return refuse(
      `this WAV holds ${others[tag] ?? `format ${tag}`}, not PCM, floats, A-law or mu-law: convert it, or pass a decoder that reads it.`,
    );
  }
  if (channels === 0 || sampleRate === 0) refuse(`this WAV has ${channels} channels at ${sampleRate} Hz.`);
  const bits = (8 * block) / channels;
  const allowed = { pcm: [8, 16, 24, 32], float: [32, 64], alaw: [8], mulaw: [8] }[encoding];
  if (!allowed.includes(bits)) {
    refuse(
      `a moment of ${channels} channels has ${block} bytes: ${encoding} has samples of ${allowed.join(', ')} bits.`,
    );
  }
  return { encoding, channels, sampleRate, bits, block };
}

function settle(
  { encoding, channels, sampleRate, bits, block }: Format,
  start: number,
  size: number,
  longSize: number | undefined,
  end: number,
  warnings: string[],
): Layout {
  const isOpen = size === 0xffffffff && longSize === undefined;
  const promised = size === 0xffffffff ? (longSize ?? end - start) : size;
  const there = Math.min(promised, end - start);
  if (promised > there) {
    warnings.push(`the file is cut off: ${there} of ${promised} bytes of samples are there, and are read.`);
  } else if (isOpen) warnings.push('the header does not say how long the sound is: all that follows is read.');
  const length = Math.floor(there / block);
  if (length * block !== there) warnings.push(`${there - length * block} bytes at the end are no whole moment.`);
  return { encoding, bits, channels, length, sampleRate, duration: length / sampleRate, start, warnings };
}

/**
 * What the header of a WAV file says; only its beginning is read. Throws a `FormatError` for what is no WAV, or one that cannot be read.
 *
 * @example
 * import { encodeWav, wavInfo, waveformOf } from '@nn/audio';
 * const bytes = encodeWav(waveformOf(new Float32Array(4000), 8000), { encoding: 'pcm24' });
 * const { bits, channels, duration } = wavInfo(bytes);
 * console.log(bits, channels, duration); // => 24 1 0.5
 */
export function wavInfo(bytes: Uint8Array): WavInfo {
  const { encoding, bits, channels, length, sampleRate, duration } = layoutOf(bytes);
  return { encoding, bits, channels, length, sampleRate, duration };
}

/** A-law and mu-law: a sign, an exponent of 3 bits, a mantissa of 4, as a number of 16 bits (ITU-T G.711). */
function expanded(code: number, isMu: boolean): number {
  const byte = isMu ? ~code & 0xff : code ^ 0x55;
  const [exponent, mantissa] = [(byte >> 4) & 7, byte & 15];
  const isNegative = isMu ? (byte & 0x80) !== 0 : (byte & 0x80) === 0;
  const size = isMu
    ? (((mantissa << 3) + 0x84) << exponent) - 0x84
    : exponent === 0
      ? (mantissa << 4) + 8
      : ((mantissa << 4) + 0x108) << (exponent - 1);
  return isNegative ? -size : size;
}

/** All samples, integers over their largest power of 2, as torchaudio and SciPy's users do. */
export function decodeWav(bytes: Uint8Array, onWarning?: (words: string) => void): Waveform {
  const { encoding, bits, channels, length, sampleRate, start, warnings } = layoutOf(bytes);
  for (const words of warnings) onWarning?.(words);
  const samples = new Float32Array(channels * length);
  const view = viewOf(bytes);
  const step = bits / 8;
  const whole = encoding === 'pcm' && bits === 16 ? sixteenBits(bytes, start, channels * length) : null;
  if (whole) {
    for (let channel = 0; channel < channels; channel++) {
      for (let i = channel * length, at = channel; at < whole.length; i++, at += channels)
        samples[i] = whole[at]! / 32768;
    }
    return waveformOf(samples, sampleRate, channels);
  }
  const laws = encoding === 'alaw' || encoding === 'mulaw';
  const table = laws ? Float32Array.from({ length: 256 }, (_, i) => expanded(i, encoding === 'mulaw') / 32768) : null;
  const read = readers[encoding === 'float' ? `float${bits}` : `pcm${bits}`];
  for (let channel = 0; channel < channels; channel++) {
    let at = start + channel * step;
    const [from, to] = [channel * length, (channel + 1) * length];
    for (let i = from; i < to; i++) {
      samples[i] = table ? table[bytes[at]!]! : read!(view, at);
      at += step * channels;
    }
  }
  return waveformOf(samples, sampleRate, channels);
}

/** Samples of the usual kind as they lie, or null where the machine reads them in another order. */
function sixteenBits(bytes: Uint8Array, start: number, count: number): Int16Array | null {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) return null;
  const from = bytes.byteOffset + start;
  // a view must begin at an even place
  if (from % 2 === 0) return new Int16Array(bytes.buffer, from, count);
  return new Int16Array(bytes.slice(start, start + 2 * count).buffer);
}

const readers: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  pcm8: (view, at) => (view.getUint8(at) - 128) / 128,
  pcm16: (view, at) => view.getInt16(at, true) / 32768,
  pcm24: (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608,
  pcm32: (view, at) => view.getInt32(at, true) / 2147483648,
  float32: (view, at) => view.getFloat32(at, true),
  float64: (view, at) => view.getFloat64(at, true),
};
