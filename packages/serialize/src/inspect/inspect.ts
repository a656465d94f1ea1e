/**
 * What a file of weights holds, without its values: names, types, shapes, bytes, texts beside them, and what would not be
 * read. Of a file on disk or at an address only what describes the tensors is read.
 */
import { checkOptions } from '@nn/core';
import { type OpenOptions, openOptionNames, openWeights } from '../open-weights.ts';
import type { Source } from '../sources/reader.ts';
import type { WeightsFile, WeightsFormat } from '../weights.ts';
import { inspectionText } from './text.ts';

/** A tensor of a file, without its values. */
export interface InspectedTensor {
  readonly name: string;
  /** The type of its elements, in the words of safetensors where they have one: 'F32', 'BF16', 'Q4_K'. */
  readonly type: string;
  readonly shape: readonly number[];
  /** The bytes that its elements take. */
  readonly bytes: number;
  /** Why its values cannot be read, where they cannot. */
  readonly unread?: string;
}

/** What a file of weights holds. */
export interface WeightsReport {
  readonly format: WeightsFormat;
  readonly tensors: readonly InspectedTensor[];
  /** The elements, and the bytes, of all tensors. Tensors of the same elements (tied weights) count once. */
  readonly elements: number;
  readonly bytes: number;
  /** Texts beside the tensors, as those of safetensors and GGUF. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Names of dictionaries that hold tensors, which `key` of `loadModel` chooses. */
  readonly containers: readonly string[];
  /** What is no tensor: a sentence each, which begins with its name. */
  readonly skipped: readonly string[];
  /** All of it as a table, which is also what Node's console shows. */
  toString(): string;
}

/**
 * What a file of weights holds, without reading values. A `FormatError` says what a file is that holds none. `npx @nn/serialize inspect FILE`
 * prints it.
 *
 * @example
 * import { encodeSafetensors, inspectWeights } from '@nn/serialize';
 * const bytes = encodeSafetensors([['bias', { dtype: 'float32', shape: [2], data: new Float32Array(2) }]]);
 * const { tensors, elements } = await inspectWeights(bytes);
 * console.log(tensors[0], elements); // => { name: 'bias', type: 'F32', shape: [ 2 ], bytes: 8 } 2
 */
export async function inspectWeights(source: Source, options: OpenOptions = {}): Promise<WeightsReport> {
  checkOptions('inspectWeights', options, openOptionNames);
  const file = await openWeights('inspectWeights', source, options);
  try {
    return reportOf(file, typeof source === 'string' ? source : 'the file');
  } finally {
    await file.close();
  }
}

function reportOf(file: WeightsFile, title: string): WeightsReport {
  const seen = new Set<string>();
  let [elements, bytes] = [0, 0];
  const tensors = [...file.entries].map(([name, { type, shape, size, place, unread }]): InspectedTensor => {
    if (place === undefined || !seen.has(place)) {
      elements += shape.reduce((product, extent) => product * extent, 1);
      bytes += size;
    }
    if (place !== undefined) seen.add(place);
    return { name, type, shape, bytes: size, ...(unread !== undefined && { unread }) };
  });
  const { format, metadata, skipped } = file;
  const containers = file.containers.filter((name) => name !== '');
  const facts = { format, tensors, elements, bytes, metadata, containers, skipped };
  const asText = (): string => textOf(title, facts);
  return { ...facts, toString: asText, [Symbol.for('nodejs.util.inspect.custom')]: asText };
}

function textOf(title: string, report: Omit<WeightsReport, 'toString'>): string {
  const { format, tensors, elements, bytes, metadata, containers, skipped } = report;
  const count = tensors.length === 1 ? '1 tensor' : `${tensors.length} tensors`;
  return inspectionText({
    title: `${title}: ${format}, ${count}`,
    columns: ['tensor', 'dtype', 'shape', 'elements', 'bytes'],
    rows: tensors.map(({ name, type, shape, bytes: size }) => [
      name,
      type,
      `[${shape.join(', ')}]`,
      shape.reduce((product, extent) => product * extent, 1),
      size,
    ]),
    totals: ['total', '', '', elements, bytes],
    sections: [
      { title: 'metadata', lines: [...metadata].map(([key, text]) => `${key}: ${text}`) },
      { title: 'dictionaries, for { key }', lines: containers },
      {
        title: 'not supported',
        lines: tensors.flatMap(({ name, unread }) => (unread === undefined ? [] : [`${name}: ${unread}`])),
      },
      { title: 'no tensors', lines: skipped },
    ],
  });
}
