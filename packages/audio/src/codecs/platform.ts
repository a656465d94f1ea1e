/**
 * Decoders of others: the page's own, and packages of WebAssembly that users install beside this one. Types are those that are needed, so that neither the
 * DOM's nor theirs must be there.
 */
import { checkOptions, FormatError, ValueError } from '@nn/core';
import { checkRate, type Waveform, waveformOf } from '../sounds/waveform.ts';
import type { AudioDecoder } from './decode.ts';

/** What is needed of an `AudioBuffer`. */
export interface AudioBufferLike {
  readonly numberOfChannels: number;
  readonly length: number;
  readonly sampleRate: number;
  getChannelData(channel: number): Float32Array;
}

/**
 * The samples of an `AudioBuffer` of a page, copied.
 *
 * @example
 * import { fromAudioBuffer } from '@nn/audio';
 * const buffer = { numberOfChannels: 1, length: 2, sampleRate: 8000, getChannelData: () => Float32Array.of(0, 1) };
 * console.log(fromAudioBuffer(buffer).samples); // => Float32Array(2) [ 0, 1 ]
 */
export function fromAudioBuffer(buffer: AudioBufferLike): Waveform {
  const { numberOfChannels: channels, length, sampleRate } = buffer;
  const samples = new Float32Array(channels * length);
  for (let channel = 0; channel < channels; channel++) samples.set(buffer.getChannelData(channel), channel * length);
  return waveformOf(samples, sampleRate, channels);
}

/**
 * The page's own decoder, for `decodeAudio({ decoder })`: reads what the browser plays (MP3, AAC, Opus, FLAC and others). It resamples to `sampleRate` in its own
 * way (16000 by default), so that samples differ a little between browsers. Throws a `ValueError` where there is none: in Node and in workers.
 */
export function platformDecoder(options: { readonly sampleRate?: number } = {}): AudioDecoder {
  checkOptions('platformDecoder', options, ['sampleRate']);
  const { sampleRate = 16000 } = options;
  checkRate('platformDecoder', 'sampleRate', sampleRate);
  const Context: unknown = Reflect.get(globalThis, 'OfflineAudioContext');
  if (typeof Context !== 'function') {
    throw new ValueError(
      'platformDecoder',
      'there is no OfflineAudioContext here: in Node and in workers pass wasmDecoder(...).',
    );
  }
  return async (bytes) => {
    // The one cast: what a page calls by this name decodes.
    const context = Reflect.construct(Context, [1, 1, sampleRate]) as {
      decodeAudioData(data: ArrayBuffer): Promise<AudioBufferLike>;
    };
    return fromAudioBuffer(await context.decodeAudioData(bytes.buffer));
  };
}

/** What the decoders of the wasm-audio-decoders project give. */
export interface WasmDecoded {
  readonly channelData: readonly Float32Array[];
  readonly samplesDecoded: number;
  readonly sampleRate: number;
  readonly errors?: readonly { readonly message: string }[];
}

/** What is needed of such a decoder. */
export interface WasmDecoderLike {
  readonly ready: Promise<unknown>;
  /** Those that read whole files. */
  decodeFile?(bytes: Uint8Array): Promise<WasmDecoded>;
  /** The others. */
  decode?(bytes: Uint8Array): WasmDecoded | Promise<WasmDecoded>;
  free(): void;
}

/**
 * A decoder of WebAssembly that you install, in Node, pages and workers: `FLACDecoder` of `@wasm-audio-decoders/flac`, `MPEGDecoder` of `mpg123-decoder`,
 * `OggOpusDecoder` of `ogg-opus-decoder`, `OggVorbisDecoder` of `@wasm-audio-decoders/ogg-vorbis`. Give the class.
 *
 * @example
 * import { decodeAudio, wasmDecoder } from '@nn/audio';
 * // import { FLACDecoder } from '@wasm-audio-decoders/flac'; here one that says what it got
 * class Counter {
 *   ready = Promise.resolve();
 *   decode = (bytes: Uint8Array) => ({ channelData: [new Float32Array(bytes.length)], samplesDecoded: bytes.length, sampleRate: 8000 });
 *   free() {}
 * }
 * console.log((await decodeAudio(new Uint8Array(3), { decoder: wasmDecoder(Counter) })).length); // => 3
 */
export function wasmDecoder(Decoder: new () => WasmDecoderLike): AudioDecoder {
  return async (bytes, onWarning) => {
    const decoder = new Decoder();
    try {
      await decoder.ready;
      const result = await (decoder.decodeFile ? decoder.decodeFile(bytes) : decoder.decode?.(bytes));
      if (result === undefined) {
        throw new ValueError('decodeAudio', 'the class given to wasmDecoder has neither decodeFile nor decode.');
      }
      const { channelData, samplesDecoded, sampleRate, errors = [] } = result;
      const [problem] = errors;
      if (samplesDecoded === 0 || channelData.length === 0 || !(sampleRate > 0)) {
        const reason = problem ? `: ${problem.message}` : ': is it a file of the format that this decoder reads?';
        throw new FormatError('decodeAudio', `no sample could be decoded${reason}`);
      }
      if (problem) onWarning(`${errors.length} parts could not be decoded: ${problem.message}`);
      const samples = new Float32Array(channelData.length * samplesDecoded);
      channelData.forEach((each, channel) => {
        samples.set(each.subarray(0, samplesDecoded), channel * samplesDecoded);
      });
      return waveformOf(samples, sampleRate, channelData.length);
    } finally {
      decoder.free();
    }
  };
}
