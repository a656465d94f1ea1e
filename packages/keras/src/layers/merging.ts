/** Keras' layers of several inputs: Add and its kin, Concatenate, Dot. Inputs that are stored alike stay so. */
import { concat, normalize, type Tensor } from '@nn/core';
import type { Settings } from '../config/settings.ts';
import { asValue, logical, storedAxis, type Value } from '../value.ts';
import type { Builder } from './layer.ts';

/** The tensors in a common layout, and whether that is the moved one. */
function aligned(inputs: readonly Value[]): { readonly tensors: readonly Tensor[]; readonly isMoved: boolean } {
  const [first] = inputs;
  const isMoved = inputs.every((value) => value.isMoved && value.tensor.rank === first?.tensor.rank);
  return { tensors: inputs.map((value) => (isMoved ? value.tensor : logical(value))), isMoved };
}

/** What counts in all inputs that have a mask. */
function commonMask(inputs: readonly Value[]): Tensor | null {
  return inputs.reduce<Tensor | null>((mask, value) => {
    if (value.mask === null) return mask;
    return mask === null ? value.mask : mask.logicalAnd(value.mask);
  }, null);
}

function requireSeveral(settings: Settings, inputs: readonly Value[]): void {
  if (inputs.length < 2) settings.fail(`takes several inputs, got ${inputs.length}.`);
}

function merge(combine: (all: readonly Tensor[]) => Tensor): Builder {
  return (settings) => ({
    module: null,
    variables: [],
    call: (inputs) => {
      requireSeveral(settings, inputs);
      const { tensors, isMoved } = aligned(inputs);
      // Keras broadcasts inputs of fewer axes behind the batch: [N, C] meets [N, H, W, C]
      const rank = Math.max(...tensors.map((x) => x.rank));
      const spread = tensors.map((x) => {
        const missing = new Array<number>(rank - x.rank).fill(1);
        return missing.length > 0 ? x.reshape([x.shape[0]!, ...missing, ...x.shape.slice(1)]) : x;
      });
      return asValue(combine(spread), isMoved, commonMask(inputs));
    },
  });
}

const sumOf = (all: readonly Tensor[]): Tensor => all.reduce((sum, x) => sum.add(x));

const concatenate: Builder = (settings) => {
  const axis = settings.number('axis', -1);
  return {
    module: null,
    variables: [],
    call: (inputs) => {
      requireSeveral(settings, inputs);
      const { tensors, isMoved } = aligned(inputs);
      const at =
        storedAxis({ tensor: tensors[0]!, isMoved, mask: null }, axis) ??
        settings.wrong('axis', 'an axis of the inputs');
      return asValue(concat(tensors, at), isMoved, at === 1 && !isMoved ? null : commonMask(inputs));
    },
  };
};

/** The products of two inputs, summed along an axis of each; `normalize` makes vectors of length 1 first. */
const dot: Builder = (settings) => {
  const given = settings.wholes('axes');
  const unit = settings.flag('normalize', false);
  return {
    module: null,
    variables: [],
    call: (inputs) => {
      const [a, b] = inputs.map(logical);
      if (!a || !b || inputs.length !== 2) return settings.fail(`takes two inputs, got ${inputs.length}.`);
      const axes = [given[0] ?? 1, given[1] ?? given[0] ?? 1];
      const [p, q] = [a, b].map((x, k) => (axes[k]! < 0 ? axes[k]! + x.rank : axes[k]!)) as [number, number];
      if (!(p >= 1 && p < a.rank && q >= 1 && q < b.rank))
        settings.wrong('axes', 'an axis of each input, not that of the batch');
      const [x, y] = unit ? [normalize(a, { axis: p }), normalize(b, { axis: q })] : [a, b];
      // the batch in front, the summed axis last in the first and first in the second
      const rest = (rank: number, axis: number): number[] =>
        Array.from({ length: rank }, (_, k) => k).filter((k) => k > 0 && k !== axis);
      const [left, right] = [rest(a.rank, p), rest(b.rank, q)];
      const [batch, inner] = [a.shape[0]!, a.shape[p]!];
      const count = (t: Tensor, of: readonly number[]): number =>
        of.reduce((product, axis) => product * t.shape[axis]!, 1);
      const product = x
        .permute([0, ...left, p])
        .reshape([batch, count(a, left), inner])
        .matmul(y.permute([0, q, ...right]).reshape([batch, inner, count(b, right)]));
      const shape = [...left.map((axis) => a.shape[axis]!), ...right.map((axis) => b.shape[axis]!)];
      return asValue(product.reshape([batch, ...(shape.length === 0 ? [1] : shape)]));
    },
  };
};

export const mergingBuilders: Readonly<Record<string, Builder>> = {
  Add: merge(sumOf),
  Subtract: merge(([a, b]) => a!.sub(b!)),
  Multiply: merge((all) => all.reduce((product, x) => product.mul(x))),
  Average: merge((all) => sumOf(all).div(all.length)),
  Maximum: merge((all) => all.reduce((most, x) => most.maximum(x))),
  Minimum: merge((all) => all.reduce((least, x) => least.minimum(x))),
  Concatenate: concatenate,
  Dot: dot,
};
