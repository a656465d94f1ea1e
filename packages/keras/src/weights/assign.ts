/**
 * Brings the arrays of a file to the variables of a model: by path, by the names of layers and variables, and where names
 * differ by order and shape. All or nothing: what does not fit is an error that puts both lists side by side.
 */
import { excerpt, FormatError, type Shape, showShape, tensor } from '@nn/core';
import { arraysOf, type StoredArray, type StoredGroup, type StoredWeights } from './stored.ts';
import { flipped, type Variable } from './variable.ts';

/** The variables of one layer of a model. */
export interface LayerVariables {
  readonly layer: string;
  readonly variables: readonly Variable[];
}

type Pair = readonly [Variable, StoredArray];

/** Gives the variables the values of the arrays. Throws a `FormatError` where they do not fit, and changes nothing then. */
export function assignWeights(operation: string, layers: readonly LayerVariables[], stored: StoredWeights): void {
  const pairs = stored.kind === 'paths' ? byPath(layers, stored.arrays) : byGroups(layers, stored.groups);
  if (!pairs) throw mismatch(operation, layers, stored);
  const values = pairs.map(([variable, array]) => {
    const all = array.read();
    const isTurned = array.isTheano === true && variable.space !== undefined;
    const found = variable.decode(isTurned ? flipped(all, variable.shape, variable.space ?? []) : all);
    return { variable, found };
  });
  for (const { variable, found } of values) {
    variable.parameters.forEach((parameter, k) => {
      const data = found[k]!;
      const place = parameter.backend ? { backend: parameter.backend } : {};
      parameter.assign(tensor(data, { shape: parameter.shape, borrow: true, ...place }));
    });
  }
}

const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, k) => size === b[k]);

/** Whether arrays fit variables one by one. */
function zipped(variables: readonly Variable[], arrays: readonly StoredArray[]): Pair[] | null {
  if (variables.length !== arrays.length) return null;
  const fits = variables.every(({ shape }, k) => sameShape(shape, arrays[k]!.shape));
  return fits ? variables.map((variable, k) => [variable, arrays[k]!]) : null;
}

/** Keras writes what is trained in front of what is not. */
function trainedFirst(variables: readonly Variable[]): readonly Variable[] {
  return [
    ...variables.filter(({ isTrainable }) => isTrainable),
    ...variables.filter(({ isTrainable }) => !isTrainable),
  ];
}

/** By the last parts of names, where each variable finds one array: 'dense/kernel' finds 'model/dense/kernel'. */
function byNames(variables: readonly Variable[], arrays: readonly StoredArray[], depth: number): Pair[] | null {
  if (variables.length !== arrays.length) return null;
  const tail = (name: string): string => name.split('/').slice(-depth).join('/');
  const named = new Map(arrays.map((array) => [tail(array.name), array]));
  if (named.size !== arrays.length) return null;
  const pairs = variables.flatMap((variable): Pair[] => {
    const array = named.get(tail(variable.name));
    return array && sameShape(array.shape, variable.shape) ? [[variable, array]] : [];
  });
  return pairs.length === variables.length && new Set(pairs.map(([, array]) => array)).size === pairs.length
    ? pairs
    : null;
}

function inGroup(variables: readonly Variable[], arrays: readonly StoredArray[]): Pair[] | null {
  return (
    byNames(variables, arrays, 2) ??
    byNames(variables, arrays, 1) ??
    zipped(trainedFirst(variables), arrays) ??
    zipped(variables, arrays) ??
    zipped(variables, joinedGates(variables.length, arrays))
  );
}

/** The places of Keras' gates among those of Keras 1: i c f o became i f c o, z r h stayed. */
const keras1Gates = { 4: [0, 2, 1, 3], 3: [0, 1, 2] } as const;

/** Recurrent layers of Keras 1 have kernel, recurrent kernel and bias of each gate by itself; the arrays that Keras 2 has of them. */
function joinedGates(count: number, arrays: readonly StoredArray[]): StoredArray[] {
  const gates = arrays.length / count;
  if (count % 3 !== 0 || (gates !== 4 && gates !== 3)) return [];
  return Array.from({ length: count }, (_, k) => {
    // of each layer of a Bidirectional: gate by gate
    const layer = arrays.slice(Math.floor(k / 3) * 3 * gates).slice(0, 3 * gates);
    const parts = keras1Gates[gates].map((gate) => layer[3 * gate + (k % 3)]!);
    const [first] = parts;
    const shape = parts.every((part) => sameShape(part.shape, first!.shape)) ? first!.shape : [];
    const width = shape.at(-1) ?? 0;
    const read = (): Float32Array => {
      const values = parts.map((part) => part.read());
      const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
      const joined = new Float32Array(rows * gates * width);
      for (const [gate, own] of values.entries())
        for (let row = 0; row < rows; row++)
          joined.set(own.subarray(row * width, (row + 1) * width), (row * gates + gate) * width);
      return joined;
    };
    return {
      name: first!.name,
      shape: [...shape.slice(0, -1), gates * width],
      isTheano: first!.isTheano === true,
      read,
    };
  });
}

function byGroups(layers: readonly LayerVariables[], groups: readonly StoredGroup[]): Pair[] | null {
  const held = groups.filter(({ arrays }) => arrays.length > 0);
  const wanted = layers.filter(({ variables }) => variables.length > 0);
  const byName = new Map(held.map((group) => [group.name, group]));
  const together = (groupOf: (layer: LayerVariables, at: number) => StoredGroup | undefined): Pair[] | null => {
    const pairs: Pair[] = [];
    for (const [at, layer] of wanted.entries()) {
      const group = groupOf(layer, at);
      const found = group && inGroup(layer.variables, group.arrays);
      if (!found) return null;
      pairs.push(...found);
    }
    return pairs;
  };
  if (held.length === wanted.length) {
    const found = together(({ layer }) => byName.get(layer)) ?? together((_, at) => held[at]);
    if (found) return found;
  }
  // files without groups worth the name: everything by name, or in its order
  const arrays = held.flatMap((group) => group.arrays);
  const variables = wanted.flatMap((layer) => layer.variables);
  return (
    byNames(variables, arrays, 3) ??
    byNames(variables, arrays, 2) ??
    zipped(
      wanted.flatMap((layer) => trainedFirst(layer.variables)),
      arrays,
    ) ??
    zipped(variables, arrays)
  );
}

/** The folder of an array: the layer, or the cell in it. */
const folderOf = (name: string): string => name.replace(/\/vars\/\d+$/, '');

function byPath(layers: readonly LayerVariables[], all: readonly StoredArray[]): Pair[] | null {
  const variables = layers.flatMap((layer) => layer.variables);
  // beside the layers a model may have metrics of its own
  const arrays = all.some(({ name }) => name.startsWith('layers/'))
    ? all.filter(({ name }) => name.startsWith('layers/'))
    : all;
  if (arrays.length !== variables.length) return null;
  const byName = new Map(arrays.map((array) => [array.name, array]));
  const exact = variables.flatMap((variable): Pair[] => {
    const array = byName.get(variable.path);
    return array && sameShape(array.shape, variable.shape) ? [[variable, array]] : [];
  });
  if (exact.length === variables.length) return exact;
  // by order and shape: the folders in their order, each to the first layer whose shapes are its own
  const folders = new Map<string, StoredArray[]>();
  for (const array of arrays) folders.set(folderOf(array.name), [...(folders.get(folderOf(array.name)) ?? []), array]);
  const places = new Map<string, Variable[]>();
  for (const variable of variables)
    places.set(folderOf(variable.path), [...(places.get(folderOf(variable.path)) ?? []), variable]);
  const free = new Set(folders.values());
  const pairs: Pair[] = [];
  for (const [path, group] of places) {
    const own = folders.get(path);
    const candidates = own && free.has(own) && zipped(group, own) ? [own] : [...free];
    const found = candidates.find((arraysHere) => zipped(group, arraysHere));
    if (!found) return null;
    free.delete(found);
    pairs.push(...zipped(group, found)!);
  }
  return pairs;
}

const shownRows = 16;

function mismatch(operation: string, layers: readonly LayerVariables[], stored: StoredWeights): FormatError {
  const here = layers.flatMap(({ variables }) =>
    variables.map(
      ({ name, path, shape }) => `${excerpt(stored.kind === 'paths' ? path : name, 50)} ${showShape(shape)}`,
    ),
  );
  const there = arraysOf(stored).map(({ name, shape }) => `${excerpt(name, 50)} ${showShape(shape)}`);
  const rows = Array.from(
    { length: Math.max(here.length, there.length) },
    (_, k) => [here[k] ?? '-', there[k] ?? '-'] as const,
  );
  // what both begin with alike helps nobody
  const first = Math.max(0, rows.findIndex(([a, b]) => a.replace(/^.* \[/, '[') !== b.replace(/^.* \[/, '[')) - 2);
  const table = [['in the model', 'in the file'] as const, ...rows.slice(first, first + shownRows)];
  const width = Math.max(...table.map(([a]) => a.length));
  const lines = table.map(([a, b]) => `\n  ${a.padEnd(width)}  ${b}`);
  if (rows.length > first + shownRows) lines.push(`\n  and ${rows.length - first - shownRows} more: error.data`);
  return new FormatError(
    `${operation}/weights`,
    `the weights do not fit the model, and nothing was changed: ${here.length} variables in the model, ${there.length} arrays in the file.${lines.join('')}`,
    { model: here, file: there },
  );
}
