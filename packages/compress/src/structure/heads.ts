/** Heads of attention taken out of a layer. Owns which rows and columns of the projections are a head's. */
import { isParameter, type Parameter, parameter, type Tensor, tensor, ValueError, zeros } from '@nn/core';
import { GroupedQueryAttention, type Linear, type MultiheadAttention } from '@nn/layers';

/**
 * Takes heads out of an attention layer, in place: their rows of the projections of queries, keys and values, and their columns of
 * the one of the output, so that the layer computes what it would with those heads giving nothing, in less time. Of heads that share
 * keys and values (`GroupedQueryAttention`) whole groups go, named by the head of keys and values. (Michel, Levy and Neubig 2019.)
 *
 * Parameters are new: make optimizers afterwards. Throws ValueError for heads that are not there, and where none would be left.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { pruneHeads } from '@nn/compress';
 * import { setDefaultBackend, zeros } from '@nn/core';
 * import { MultiheadAttention } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const layer = new MultiheadAttention(8, 4, { batchFirst: true });
 * await pruneHeads(layer, [1, 3]);
 * console.log(layer.heads, layer.inProjWeight?.shape, layer.forward(zeros([1, 5, 8])).shape); // => 2 [ 12, 8 ] [ 1, 5, 8 ]
 */
export async function pruneHeads(
  layer: MultiheadAttention | GroupedQueryAttention,
  heads: readonly number[],
): Promise<void> {
  const isGrouped = layer instanceof GroupedQueryAttention;
  const count = isGrouped ? layer.keyValueHeads : layer.heads;
  if (!isGrouped && layer.inProj !== null) {
    throw new ValueError('pruneHeads', `${String(layer)} is quantised: prune it first, and quantise afterwards.`);
  }
  const gone = new Set(heads);
  const wrong = [...gone].find((head) => !(Number.isInteger(head) && head >= 0 && head < count));
  if (wrong !== undefined) {
    throw new ValueError('pruneHeads', `${String(layer)} has no head ${wrong}: they are 0 to ${count - 1}.`, { heads });
  }
  if (gone.size >= count) {
    throw new ValueError('pruneHeads', `all ${count} heads of ${String(layer)} would go: leave at least one.`, {
      heads,
    });
  }
  if (gone.size === 0) return;
  if (layer.prefix !== null) {
    throw new ValueError(
      'pruneHeads',
      `${String(layer)} has a prefix of keys for its heads: removeAdapter(model) first.`,
    );
  }
  const stay = Array.from({ length: count }, (_, head) => head).filter((head) => !gone.has(head));
  const { headDimension: width } = layer;
  const group = isGrouped ? layer.heads / count : 1;
  const wide = stay.flatMap((head) => range(head * group * width, group * width));
  const narrow = stay.flatMap((head) => range(head * width, width));
  if (isGrouped) {
    const parts: [Linear, number[]][] = [
      [layer.qProj, wide],
      [layer.kProj, narrow],
      [layer.vProj, narrow],
    ];
    const cut = await Promise.all(parts.map(([part, rows]) => rowsOfLinear(part, rows)));
    const out = await columnsOfLinear(layer.oProj, wide);
    const changes = parts.map(([part], k): Change => [part, cut[k] ?? {}]);
    apply(layer, [...changes, [layer.oProj, out], [layer, { heads: stay.length * group, keyValueHeads: stay.length }]]);
    return;
  }
  const inner = count * width;
  const all = [0, 1, 2].flatMap((part) => narrow.map((row) => part * inner + row));
  const fields: Record<string, Parameter | null> = {
    inProjWeight: await taken(layer.inProjWeight, 0, all),
    qProjWeight: await taken(layer.qProjWeight, 0, narrow),
    kProjWeight: await taken(layer.kProjWeight, 0, narrow),
    vProjWeight: await taken(layer.vProjWeight, 0, narrow),
    inProjBias: await taken(layer.inProjBias, 0, all),
  };
  const out = await columnsOfLinear(layer.outProj, narrow);
  apply(layer, [
    [layer, { ...fields, heads: stay.length }],
    [layer.outProj, out],
  ]);
}

type Change = readonly [object, Readonly<Record<string, unknown>>];

/** Changes fields, and takes that back where the layer does not run with them. */
function apply(layer: MultiheadAttention | GroupedQueryAttention, changes: readonly Change[]): void {
  const before = changes.map(
    ([of, fields]): Change => [
      of,
      Object.fromEntries(Object.keys(fields).map((name) => [name, Reflect.get(of, name)])),
    ],
  );
  for (const [of, fields] of changes) Object.assign(of, fields);
  try {
    const x = zeros([1, 1, layer.dimension]);
    if (layer instanceof GroupedQueryAttention) layer.forward(x);
    else layer.forward(x, zeros([1, 1, layer.keyDimension]), zeros([1, 1, layer.valueDimension]));
  } catch (error) {
    for (const [of, fields] of before) Object.assign(of, fields);
    throw new ValueError(
      'pruneHeads',
      `${String(layer)} cannot lose heads, and is as it was: slopes of positions belong to each. ${String(error)}`,
    );
  }
}

/**
 * How much each head matters: the norm of its part of the output's projection times that of its values, by head (of keys and
 * values). Give `pruneHeads` the lowest, or those whose loss of accuracy is least.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { headImportance } from '@nn/compress';
 * import { setDefaultBackend } from '@nn/core';
 * import { MultiheadAttention } from '@nn/layers';
 * setDefaultBackend(cpu());
 * console.log((await headImportance(new MultiheadAttention(8, 4))).length); // => 4
 */
export async function headImportance(layer: MultiheadAttention | GroupedQueryAttention): Promise<number[]> {
  const isGrouped = layer instanceof GroupedQueryAttention;
  const count = isGrouped ? layer.keyValueHeads : layer.heads;
  const value: Tensor | null = isGrouped
    ? layer.vProj.weight
    : (layer.vProjWeight ?? layer.inProjWeight?.split(3, 0)[2] ?? null);
  const out = isGrouped ? layer.oProj.weight : layer.outProj.weight;
  if (value === null) throw new ValueError('headImportance', `${String(layer)} has no projection of values.`);
  const norms = value.square().reshape([count, -1]).sum(1).sqrt();
  const outNorms = out
    .square()
    .reshape([out.shape[0] ?? 1, count, -1])
    .sum([0, 2])
    .sqrt();
  return [...(await norms.mul(outNorms).data())];
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, k) => first + k);

async function rowsOfLinear(layer: Linear, rows: readonly number[]): Promise<Record<string, unknown>> {
  return { weight: await taken(layer.weight, 0, rows), bias: await taken(layer.bias, 0, rows), outputs: rows.length };
}

async function columnsOfLinear(layer: Linear, columns: readonly number[]): Promise<Record<string, unknown>> {
  return { weight: await taken(layer.weight, 1, columns), inputs: columns.length };
}

/** Some slices of a parameter, as a new one. */
async function taken(of: Parameter | null, axis: number, slices: readonly number[]): Promise<Parameter | null> {
  if (of === null) return null;
  if (!isParameter(of)) {
    throw new ValueError(
      'pruneHeads',
      'a projection is computed from other parameters: removePruning(model), or merge adapters, first.',
    );
  }
  const index = tensor(slices, { dtype: 'int32' });
  const values = await of.gather(index, axis).data();
  const shape = of.shape.map((size, k) => (k === axis ? slices.length : size));
  const made = parameter(values, { shape, name: of.name });
  if (of.frozen) made.frozen = true;
  return made;
}
