/**
 * Bytes to a sound: WAV by our own reader, other formats by a decoder that is passed. Says what a file is that it cannot read, and which file it was.
 * Decoders stand in `platform.ts`.
 */
import { bytesFrom, checkOptions, FormatError, ValueError } from '@nn/core';
import { type ResampleOptions, resample } from '../sounds/resample.ts';
import { mono, type Waveform } from '../sounds/waveform.ts';
import { decodeWav, isWav } from './wav.ts';

/** What `decodeAudio` reads: bytes, or what gives them (a `Blob`, a `File`, a `Response`). */
export type AudioSource = Uint8Array | ArrayBuffer | { arrayBuffer(): Promise<ArrayBuffer> };

/** Reads a file of a format that is not WAV; what it has to say goes to `onWarning`. */
export type AudioDecoder = (
  bytes: Uint8Array<ArrayBuffer>,
  onWarning: (words: string) => void,
) => Waveform | Promise<Waveform>;

export interface DecodeAudioOptions {
  /** The rate of the result; that of the file where not given. */
  readonly sampleRate?: number;
  /** How it is brought to that rate. */
  readonly resampling?: ResampleOptions;
  /** 1 for the mean of all channels; those of the file where not given. */
  readonly channels?: 1;
  /** For everything but WAV: `platformDecoder()` of pages, `wasmDecoder(...)` anywhere. */
  readonly decoder?: AudioDecoder;
  /** What to call the file in messages. */
  readonly name?: string;
  /** Told of what is odd, and how it was taken. */
  readonly onWarning?: (message: string) => void;
}

/** The formats that are known by their first bytes. */
function formatOf(bytes: Uint8Array): string | undefined {
  const letters = (at: number, count: number): string => String.fromCharCode(...bytes.subarray(at, at + count));
  if (isWav(bytes)) return 'WAV';
  if (letters(0, 4) === 'fLaC') return 'FLAC';
  if (letters(0, 4) === 'OggS') return letters(28, 8) === 'OpusHead' ? 'Ogg Opus' : 'Ogg';
  if (letters(0, 3) === 'ID3' || (bytes[0] === 0xff && (bytes[1]! & 0xe6) === 0xe2)) return 'MP3';
  if (bytes[0] === 0xff && (bytes[1]! & 0xf6) === 0xf0) return 'AAC';
  if (letters(4, 4) === 'ftyp') return 'MP4';
  if (letters(0, 4) === 'FORM') return 'AIFF';
  if (letters(0, 4) === '.snd') return 'AU';
  if (letters(0, 4) === 'RIFF') return `RIFF ${JSON.stringify(letters(8, 4))}`;
  if (bytes[0] === 0x1a && bytes[1] === 0x45 && bytes[2] === 0xdf && bytes[3] === 0xa3) return 'WebM';
  return undefined;
}

/**
 * Reads a sound: WAV (PCM of 8, 16, 24 and 32 bits, floats, A-law, mu-law) as it is, other formats with a `decoder`. Of a file that is cut off
 * what is there is read, and `onWarning` is told. Rejects with a `FormatError` for what cannot be read.
 *
 * @example
 * import { decodeAudio, encodeWav, waveformOf } from '@nn/audio';
 * const file = encodeWav(waveformOf(new Float32Array(44100), 44100));
 * const { length, channels, sampleRate } = await decodeAudio(file, { sampleRate: 16000 });
 * console.log(length, channels, sampleRate); // => 16000 1 16000
 */
export async function decodeAudio(source: AudioSource, options: DecodeAudioOptions = {}): Promise<Waveform> {
  checkOptions('decodeAudio', options, ['sampleRate', 'resampling', 'channels', 'decoder', 'name', 'onWarning']);
  const { sampleRate, resampling, channels, decoder, name, onWarning } = options;
  const bytes = await bytesFrom(source);
  if (bytes === undefined) {
    throw new ValueError('decodeAudio', `takes bytes, a Blob, a File or a Response, got ${typeof source}.`);
  }
  const told = (words: string): string => `decodeAudio: ${name === undefined ? '' : `${name}: `}${words}`;
  const warn = (words: string): void => onWarning?.(told(words));
  try {
    const read = await decoded(bytes, decoder, warn);
    const mixed = channels === 1 ? mono(read) : read;
    return sampleRate === undefined ? mixed : resample(mixed, sampleRate, resampling);
  } catch (error) {
    if (name !== undefined && error instanceof Error && error.message.startsWith('decodeAudio: ')) {
      error.message = told(error.message.slice('decodeAudio: '.length));
    }
    throw error;
  }
}

async function decoded(
  bytes: Uint8Array,
  decoder: AudioDecoder | undefined,
  warn: (words: string) => void,
): Promise<Waveform> {
  const format = formatOf(bytes);
  if (format === 'WAV') return decodeWav(bytes, warn);
  if (decoder) {
    try {
      // A copy: decoders of pages take the memory away.
      return await decoder(new Uint8Array(bytes), warn);
    } catch (error) {
      if (error instanceof ValueError || error instanceof FormatError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new FormatError(
        'decodeAudio',
        `the decoder cannot read this (${format ?? 'an unknown format'}): ${reason}`,
      );
    }
  }
  if (bytes.length === 0) throw new FormatError('decodeAudio', 'there are no bytes.');
  throw new FormatError(
    'decodeAudio',
    format === undefined
      ? 'this is no sound that is known: WAV is read as it is, other formats with a decoder.'
      : `this is ${format}: pass decoder, which is platformDecoder() in a page, or wasmDecoder(...) with a package that reads it.`,
  );
}
