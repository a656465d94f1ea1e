/**
 * A table of a model's layers. Runs the model once in evaluation on a zero input (nothing is computed: shapes are known
 * when the graph is built), with each layer's `forward` watched for that call.
 */
import {
  type DType,
  evaluate,
  noGradient,
  type Parameter,
  parameters,
  type Shape,
  showShape,
  ValueError,
  zeros,
} from '@nn/core';

import { type Found, layersOf, watch } from './watch.ts';

export interface SummaryRow {
  /** The path of the layer in the model, as in the names of its parameters: `layers.0`. */
  readonly path: string;
  /** What the layer calls itself: `Linear(4, 3)`. */
  readonly layer: string;
  /** Layers above it. */
  readonly depth: number;
  /** Null for a layer that was not called. */
  readonly outputShape: Shape | null;
  /** Trainable numbers in the layer itself, not in layers below it; those shared with an earlier row count there. */
  readonly parameters: number;
  /** Multiplications of this layer's own products (matmul, convolution); elementwise work is not counted. */
  readonly multiplyAdds: number;
}

export interface Summary {
  readonly rows: readonly SummaryRow[];
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** The table as text, which is also what Node's console shows. */
  toString(): string;
}

export interface SummaryOptions {
  /** The dtype of the input, or of each: 'int32' for models that start with an embedding. Default 'float32'. */
  readonly dtype?: DType | readonly DType[];
}

interface Seen extends Found {
  outputShape: Shape | null;
  multiplyAdds: number;
}

/** A layer or model, of one or more inputs. */
export interface Summarized {
  readonly forward: (...inputs: never[]) => unknown;
}

/**
 * Layers, output shapes, parameters and multiply-adds of a model for an input of `inputShape`, or for several inputs of a
 * list of shapes. Throws ValueError when `forward` takes more inputs than there are shapes.
 *
 * Layers are all objects with a `forward` that are reached through fields, arrays and maps. Products that a model's own
 * `forward` makes without a layer are not counted, unless it has a method `multiplyAdds`.
 *
 * @example
 * import { Linear, ReLU, Sequential, summary } from '@nn/layers';
 * const table = summary(new Sequential(new Linear(2, 4), new ReLU(), new Linear(4, 1)), [1, 2]);
 * console.log(table.parameters, table.multiplyAdds); // => 17 12
 */
export function summary(
  model: Summarized,
  inputShape: Shape | readonly Shape[],
  options: SummaryOptions = {},
): Summary {
  const shapes = isShape(inputShape) ? [inputShape] : inputShape;
  if (model.forward.length > shapes.length) {
    throw new ValueError(
      'summary',
      `forward of ${nameOf(model)} takes ${model.forward.length} inputs, shapes of ${shapes.length} were given: give a list, [[1, 2], [1, 4]].`,
      { inputs: model.forward.length, shapes },
    );
  }
  const { dtype = 'float32' } = options;
  const inputs = shapes.map((shape, k) =>
    zeros(shape, { dtype: typeof dtype === 'string' ? dtype : (dtype[k] ?? 'float32') }),
  );
  const found = layersOf(model).map((layer): Seen => ({ ...layer, outputShape: null, multiplyAdds: 0 }));
  const restore = found.map((seen) => watch(seen.layer, (given, output) => count(seen, given, output)));
  try {
    evaluate(() => noGradient(() => Reflect.apply(model.forward, model, inputs)));
  } finally {
    for (const undo of restore) undo();
  }
  const owners = ownersOf(found);
  const rows = found.map((seen) => rowOf(seen, owners));
  const shown = rows.filter((row) => row.path !== '' || row.parameters + row.multiplyAdds > 0 || rows.length === 1);
  const result = {
    rows: shown,
    parameters: shown.reduce((sum, row) => sum + row.parameters, 0),
    multiplyAdds: shown.reduce((sum, row) => sum + row.multiplyAdds, 0),
  };
  const asText = (): string => render(result);
  return { ...result, toString: asText, [Symbol.for('nodejs.util.inspect.custom')]: asText };
}

function isShape(shape: Shape | readonly Shape[]): shape is Shape {
  return shape.every((size) => typeof size === 'number');
}

function isTensor(value: unknown): value is { readonly shape: Shape; readonly dtype: DType } {
  return typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value;
}

/** Counts what a layer's calls give and take. */
function count(seen: Seen, inputs: readonly unknown[], output: unknown): void {
  const shape = shapeOf(output);
  if (shape === null) return;
  seen.outputShape = shape;
  const shapes = inputs.filter(isTensor).map((input) => input.shape);
  seen.multiplyAdds += seen.layer.multiplyAdds?.(shapes, shape) ?? 0;
}

/** The shape of a tensor, or of the first one in a record such as { output, hidden }. */
function shapeOf(output: unknown): Shape | null {
  if (isTensor(output)) return output.shape;
  if (typeof output !== 'object' || output === null) return null;
  return Object.values(output).find(isTensor)?.shape ?? null;
}

/** The innermost layer that holds each parameter; of several, the first. */
function ownersOf(layers: readonly Seen[]): Map<Parameter, Seen> {
  const owners = new Map<Parameter, Seen>();
  for (const seen of layers) {
    for (const parameter of parameters(seen.layer)) {
      const owner = owners.get(parameter);
      const isInside = owner?.path === '' || (owner !== undefined && seen.path.startsWith(`${owner.path}.`));
      if (owner === undefined || isInside) owners.set(parameter, seen);
    }
  }
  return owners;
}

function rowOf(seen: Seen, owners: ReadonlyMap<Parameter, Seen>): SummaryRow {
  let count = 0;
  for (const [parameter, owner] of owners) if (owner === seen) count += parameter.size;
  const { path, depth, outputShape, multiplyAdds } = seen;
  return { path, layer: nameOf(seen.layer), depth, outputShape, parameters: count, multiplyAdds };
}

function nameOf(layer: object): string {
  const name = layer.toString();
  return name.startsWith('[object ') ? layer.constructor.name || 'layer' : name;
}

function render(table: Omit<Summary, 'toString'>): string {
  const lines: string[][] = [['layer', 'output', 'parameters', 'multiply-adds']];
  for (const row of table.rows) {
    const label = row.path === '' ? row.layer : `${row.path}: ${row.layer}`;
    lines.push([
      '  '.repeat(row.depth) + label,
      row.outputShape === null ? 'not called' : showShape(row.outputShape),
      group(row.parameters),
      group(row.multiplyAdds),
    ]);
  }
  lines.push(['total', '', group(table.parameters), group(table.multiplyAdds)]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width, 6));
  return [text[0], rule, ...text.slice(1, -1), rule, text.at(-1)].join('\n');
}

function group(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
