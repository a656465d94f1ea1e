/**
 * Sounds as sources of `@nn/data`'s pipelines: folders with one for each class, and lists with whatever stands beside a file. A sound is read and decoded when
 * a batch needs it, in a worker where the pipeline has some.
 */
import { ValueError } from '@nn/core';
import { type FolderFile, type FolderOptions, folderSamples, openFile, type Source } from '@nn/data';
import { type AudioSource, type DecodeAudioOptions, decodeAudio } from '../codecs/decode.ts';
import type { Waveform } from '../sounds/waveform.ts';

/** A sound and its class. */
export interface LabelledSound {
  readonly waveform: Waveform;
  /** The number of the class. */
  readonly label: number;
  /** Where it came from. */
  readonly path: string;
}

/** The sounds of a folder. */
export interface AudioFolder extends Source<LabelledSound> {
  get(index: number): Promise<LabelledSound>;
  readonly classes: readonly string[];
  /** The class of each sound, for splits and samplers. */
  readonly labels: Int32Array;
}

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
export async function audioFolder(
  from: string | readonly FolderFile[],
  options: DecodeAudioOptions & FolderOptions = {},
): Promise<AudioFolder> {
  const { extensions = ['wav', 'wave'], ...decoding } = options;
  const files = await folderSamples(from, { extensions });
  return {
    length: files.length,
    classes: files.classes,
    labels: files.labels,
    async get(index) {
      const { bytes, path, label } = await files.get(index);
      return { waveform: await decodeAudio(bytes, { ...decoding, name: path }), label, path };
    },
  };
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
): Source<T & { readonly waveform: Waveform }> & { get(index: number): Promise<T & { readonly waveform: Waveform }> } {
  return {
    length: list.length,
    async get(index) {
      const item = list[index];
      if (item === undefined) {
        throw new ValueError('audioList', `there is no sound ${index} among ${list.length}.`, { index });
      }
      const { file } = item;
      const isNamed = typeof file === 'object' && 'name' in file && typeof file.name === 'string';
      const name = typeof file === 'string' ? file : isNamed ? String(file.name) : `sound ${index}`;
      const bytes = typeof file === 'string' ? await fileBytes(file) : file;
      return { ...item, waveform: await decodeAudio(bytes, { ...options, name }) };
    },
  };
}

async function fileBytes(path: string): Promise<Uint8Array> {
  const range = await openFile(path);
  try {
    return await range.read(0, range.size);
  } finally {
    await range.close();
  }
}
