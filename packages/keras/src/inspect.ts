/**
 * What a file holds: the layers of its model with their variables and what is not read, or of weights alone the arrays. No
 * layer is built and no value read.
 */
import { type AbortSignalLike, checkOptions } from '@nn/core';
import { inspectionText } from '@nn/serialize';
import { isModel, parseTopology, type Topology } from './config/topology.ts';
import { type KerasFile, type KerasFormat, type KerasSource, openKeras } from './formats/open.ts';
import { unsupportedLayers } from './graph.ts';
import { arraysOf, type StoredArray } from './weights/stored.ts';

/** A layer of a file. */
export interface InspectedLayer {
  /** Its name, behind those of the models around it. */
  readonly name: string;
  readonly className: string;
  /** The layers that its first call takes. */
  readonly inputs: readonly string[];
  /** Whether `loadKeras` reads it without a layer of yours. */
  readonly isRead: boolean;
}

/** An array of weights. */
export interface InspectedArray {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface KerasReport {
  readonly format: KerasFormat;
  /** The version of Keras that wrote it, as it says. */
  readonly version: string | undefined;
  /** Empty where the file holds weights alone, or a model whose graph stands in Python. */
  readonly layers: readonly InspectedLayer[];
  readonly arrays: readonly InspectedArray[];
  /** How many numbers the arrays hold. */
  readonly elements: number;
  /** All of it as a table, which is also what Node's console shows. */
  toString(): string;
}

const formatNames: Readonly<Record<KerasFormat, string>> = {
  keras: 'Keras archive',
  h5: 'Keras HDF5',
  tfjs: 'TensorFlow.js LayersModel',
  json: 'description of Keras',
};

/** How a file is called in the report: its path, or that it is one. */
const titleOf = (source: KerasSource): string => (typeof source === 'string' ? source : 'the file');

/**
 * What a file of Keras or TensorFlow.js holds, without building or reading anything of it. `npx @nn/keras inspect FILE` prints it.
 *
 * @example
 * import { inspectKeras } from '@nn/keras';
 * const layers = [{ class_name: 'Dense', config: { name: 'dense', units: 3, batch_input_shape: [null, 4] } }];
 * const text = JSON.stringify({ class_name: 'Sequential', keras_version: '2.4.0', config: { name: 'small', layers } });
 * const report = await inspectKeras(new TextEncoder().encode(text));
 * console.log(report.layers[0]?.className, report.version); // => Dense 2.4.0
 */
export async function inspectKeras(
  source: KerasSource,
  options: { readonly signal?: AbortSignalLike } = {},
): Promise<KerasReport> {
  checkOptions('inspectKeras', options, ['signal']);
  const file = await openKeras(source, options);
  try {
    return reportOf(file, titleOf(source));
  } finally {
    file.close();
  }
}

function reportOf(file: KerasFile, title: string): KerasReport {
  const topology = isModel(file.description) ? parseTopology(file.description, file.generation) : null;
  const stored = file.weights ? arraysOf(file.weights) : [];
  const sizeOf = ({ shape }: Pick<StoredArray, 'shape'>): number => shape.reduce((product, size) => product * size, 1);
  const facts = {
    format: file.format,
    version: file.version,
    layers: topology ? layersOf(topology, '') : [],
    arrays: stored.map(({ name, shape }) => ({ name, shape })),
    elements: stored.reduce((sum, array) => sum + sizeOf(array), 0),
  };
  const written = file.version === undefined ? '' : `, written by ${file.version}`;
  const inputs = topology?.inputs.map(({ layer, shape, dtype }) => {
    return `${layer}: ${dtype} ${shape ? `[${shape.map((size) => size ?? 'any').join(', ')}]` : 'of a shape that the file does not say'}`;
  });
  const notRead = facts.layers.filter(({ isRead }) => !isRead);
  const byLayer = facts.layers.map(({ name, className, inputs: from }) => [name, className, from.join(', ')]);
  const byArray = stored.map((array) => [array.name, `[${array.shape.join(', ')}]`, sizeOf(array)]);
  const asText = (): string =>
    inspectionText({
      title: `${title}: ${formatNames[file.format]}${written}`,
      columns: ['array', 'shape', 'elements'],
      rows: byArray,
      totals: ['total', '', facts.elements],
      sections: [
        { title: 'inputs', lines: inputs ?? [] },
        {
          title: 'layers',
          lines: byLayer.map(([name, className, from]) => `${name}: ${className}${from === '' ? '' : ` of ${from}`}`),
        },
        {
          title: 'not supported',
          lines: notRead.map(
            ({ name, className }) => `${name}: ${className}; give a layer of yours, { layers: { ... } }`,
          ),
        },
      ],
    });
  return { ...facts, toString: asText, [Symbol.for('nodejs.util.inspect.custom')]: asText };
}

function layersOf(topology: Topology, prefix: string): InspectedLayer[] {
  const unread = new Set(
    unsupportedLayers({ ...topology, layers: topology.layers.filter(({ model }) => !model) }, {}).map(
      ({ layer }) => layer,
    ),
  );
  return topology.layers.flatMap(({ name, className, calls, model }): InspectedLayer[] => {
    const inputs = calls[0]?.inputs.map(({ layer }) => layer) ?? [];
    const own = { name: prefix + name, className, inputs, isRead: !unread.has(name) };
    return model ? [own, ...layersOf(model, `${prefix}${name}/`)] : [own];
  });
}
