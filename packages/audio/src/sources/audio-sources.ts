/**
 * Sounds as sources of `@nn/data`'s pipelines: folders with one for each class, lists with whatever stands beside a file, shards of tar. A sound is read and
 * decoded when a batch needs it, in a worker where the pipeline has some.
 */
import {
  type ByteRange,
  type DecodedFolder,
  type DecodedShards,
  type DecodedSource,
  decodedFolder,
  decodedList,
  decodedShards,
  type FileDecoder,
  type FolderFile,
  type FolderOptions,
} from '@nn/data';
import { type AudioSource, type DecodeAudioOptions, decodeAudio } from '../codecs/decode.ts';
import type { Waveform } from '../sounds/waveform.ts';

interface WithWaveform {
  readonly waveform: Waveform;
}

/** A sound and its class. */
export interface LabelledSound extends WithWaveform {
  /** The number of the class. */
  readonly label: number;
  /** Where it came from. */
  readonly path: string;
}

/** The sounds of a folder. */
export type AudioFolder = DecodedFolder<WithWaveform>;

const endings = ['wav', 'wave'];

const decoder =
  (options: DecodeAudioOptions): FileDecoder<WithWaveform> =>
  async (file, name) => ({ waveform: await decodeAudio(file, { ...options, name }) });

/**
 * Sounds whose class is the folder in which they stand: a path in Node, a list of files as a page gets it. Takes the options of `decodeAudio`; `extensions` are
 * wav and wave where not given. Rejects with a `FormatError` that names the file.
 *
 * @example
 * import { audioFolder, encodeWav, signal, waveformOf, withLength } from '@nn/audio';
 * import { dataPipeline } from '@nn/data';
 * const file = (length: number) => new Blob([encodeWav(waveformOf(new Float32Array(length), 8000))]);
 * const files = [{ path: 'no/1.wav', file: file(90) }, { path: 'yes/1.wav', file: file(110) }];
 * const folder = await audioFolder(files, { sampleRate: 8000, channels: 1 }); // in Node: audioFolder('words/train')
 * const batches = dataPipeline(folder)
 *   .map(({ waveform, label }) => ({ inputs: signal(withLength(waveform, 100)), targets: label }))
 *   .batch(2);
 * for await (const { inputs } of batches) console.log(folder.classes, inputs.shape); // => [ 'no', 'yes' ] [ 2, 1, 100 ]
 */
export function audioFolder(
  from: string | readonly FolderFile[],
  options: DecodeAudioOptions & FolderOptions = {},
): Promise<AudioFolder> {
  const { extensions = endings, ...decoding } = options;
  return decodedFolder(from, decoder(decoding), { extensions });
}

/** An element of a list: a file, and what stands beside it, as its label or its text. */
export interface ListedSound {
  /** A path in Node, or what is read. */
  readonly file: string | AudioSource;
}

/**
 * Sounds of a list, by their number: each element with its `waveform` beside what it had.
 *
 * @example
 * import { audioList, encodeWav, waveformOf } from '@nn/audio';
 * const file = encodeWav(waveformOf(new Float32Array(90), 8000));
 * const sounds = audioList([{ file, text: 'yes' }]);
 * const { waveform, text } = await sounds.get(0);
 * console.log(waveform.length, text); // => 90 yes
 */
export function audioList<T extends ListedSound>(
  list: readonly T[],
  options: DecodeAudioOptions = {},
): DecodedSource<T & WithWaveform> {
  return decodedList(list, decoder(options), { operation: 'audioList', what: 'sound' });
}

export interface AudioShardsOptions extends DecodeAudioOptions {
  /** Endings of the sounds; wav and wave where not given. */
  readonly extensions?: readonly string[];
  /** What to call the shards in messages. */
  readonly names?: readonly string[];
}

/**
 * Sounds of tar files, as WebDataset writes them: `000017.wav` beside `000017.cls` or `000017.txt`. Rejects with a `FormatError` for a sample without a
 * sound, and for a `cls` that is no whole number.
 */
export function audioShards(
  shards: readonly ByteRange[],
  options: AudioShardsOptions = {},
): Promise<DecodedShards<WithWaveform>> {
  const { extensions = endings, names, ...decoding } = options;
  return decodedShards(shards, decoder(decoding), {
    extensions,
    operation: 'audioShards',
    what: 'sound',
    ...(names && { names }),
  });
}
