/**
 * A weight behind a mask: the layer computes with original * mask, and the original is what optimizers hold and train. The fields
 * are PyTorch's, `weight_orig` and `weight_mask`, so checkpoints of pruned models are alike. Owns the mask, not its choice.
 */
import { isParameter, type Parameter, parameter, type Tensor, ValueError } from '@nn/core';
import { layersOf, parametrize } from '@nn/layers';
import type { Held } from '../model.ts';

/** A weight that can be pruned, or is. */
export interface Prunable extends Held {
  /** [the weight's shape], 1 where it is kept; null before the first pruning. */
  readonly mask: Parameter | null;
  /** The field that is computed from this one and others, by something else than a mask. */
  readonly computes?: string;
}

/** The weights of a model as they were before masks, with their masks. */
export function prunables(held: readonly Held[]): Prunable[] {
  return held.flatMap((one): Prunable[] => {
    const field = computedBy(one.layer, one.field);
    if (field === null) return [{ ...one, mask: null }];
    const mask: unknown = Reflect.get(one.layer, `${field}Mask`);
    if (!isParameter(mask)) return [{ ...one, mask: null, computes: field }];
    if (one.field !== `${field}Orig`) return [];
    return [{ ...one, field, name: one.name.slice(0, -'_orig'.length), mask }];
  });
}

/** Throws ValueError for weights that are already parts of something else. */
export function requirePlain(operation: string, weights: readonly Prunable[]): void {
  const part = weights.find(({ computes }) => computes !== undefined);
  if (part === undefined) return;
  throw new ValueError(
    operation,
    `${String(part.layer)} computes its ${part.computes} from ${part.name} and others: take that away first, removeWeightNorm(layer).`,
  );
}

/** The computed field that a field is a part of: weightOrig is one of weight; null for fields that stand for themselves. */
function computedBy(layer: object, field: string): string | null {
  const all = Object.entries(Object.getOwnPropertyDescriptors(layer));
  return all.find(([name, { get }]) => get !== undefined && field !== name && field.startsWith(name))?.[0] ?? null;
}

/** Gives a weight its mask, or the mask another value. */
export function setMask({ layer, field, parameter: original, mask }: Prunable, values: Float32Array): void {
  if (mask !== null) {
    mask.assign(parameter(values, { shape: mask.shape, buffer: true }));
    return;
  }
  const kept = parameter(values, { shape: original.shape, buffer: true });
  parametrize(layer, field, { [`${field}Orig`]: original, [`${field}Mask`]: kept }, () => original.mul(kept));
}

/** How much of a model is gone. */
export interface Sparsity {
  readonly rows: readonly { readonly name: string; readonly size: number; readonly zeros: number }[];
  readonly size: number;
  readonly zeros: number;
  /** zeros / size, of the weights that have masks. */
  readonly share: number;
}

/**
 * How many numbers the masks of a model have taken.
 *
 * @example
 * import { prune, sparsity } from '@nn/compress';
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const layer = new Linear(10, 4);
 * await prune(layer, { amount: 0.75 });
 * console.log((await sparsity(layer)).share); // => 0.75
 */
export async function sparsity(model: object): Promise<Sparsity> {
  const masked = masksOf(model);
  const rows = await Promise.all(
    masked.map(async ({ name, mask }) => {
      const values = Float32Array.from(await mask.data());
      return { name, size: mask.size, zeros: values.filter((kept) => kept === 0).length };
    }),
  );
  const [size, zeros] = [rows.reduce((sum, row) => sum + row.size, 0), rows.reduce((sum, row) => sum + row.zeros, 0)];
  return { rows, size, zeros, share: size === 0 ? 0 : zeros / size };
}

interface Masked {
  readonly name: string;
  readonly layer: object;
  readonly field: string;
  readonly original: Parameter;
  readonly mask: Parameter;
}

function masksOf(model: object): Masked[] {
  return layersOf(model).flatMap(({ path, layer }) =>
    Object.entries(layer).flatMap(([key, original]) => {
      const field = key.endsWith('Orig') ? key.slice(0, -'Orig'.length) : '';
      const mask: unknown = Reflect.get(layer, `${field}Mask`);
      if (field === '' || !isParameter(original) || !isParameter(mask)) return [];
      return [{ name: path === '' ? field : `${path}.${field}`, layer, field, original, mask }];
    }),
  );
}

/**
 * Makes pruning last: each masked weight is one parameter again, with zeros where the mask had them, which training would fill. Gives
 * the names of the weights. PyTorch's `prune.remove`, for a whole model.
 *
 * @example
 * import { prune, removePruning } from '@nn/compress';
 * import { cpu } from '@nn/backend-cpu';
 * import { setDefaultBackend, namedParameters } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const layer = new Linear(4, 2);
 * await prune(layer, { amount: 0.5 });
 * console.log([...namedParameters(layer).keys()].sort()); // => [ 'bias', 'weight_mask', 'weight_orig' ]
 * console.log(removePruning(layer), [...namedParameters(layer).keys()].sort()); // => [ 'weight' ] [ 'bias', 'weight' ]
 */
export function removePruning(model: object): string[] {
  const masked = masksOf(model);
  for (const { layer, field, original, mask } of masked) {
    const value: Tensor = original.mul(mask);
    original.assign(value);
    for (const gone of [`${field}Orig`, `${field}Mask`]) Reflect.deleteProperty(layer, gone);
    Object.defineProperty(layer, field, { value: original, enumerable: true, configurable: true, writable: true });
  }
  return masked.map(({ name }) => name);
}
