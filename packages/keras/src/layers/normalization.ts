/**
 * Keras' normalisations on those of nn. Keras' momentum is the share that stays, PyTorch's the share that comes in: 0.99 is
 * 0.01 here. Any of scale and shift may be missing.
 */
import { evaluate, type Parameter, type Tensor } from '@nn/core';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, GroupNorm, LayerNorm, RMSNorm, UnitNormalization } from '@nn/layers';
import type { Settings } from '../config/settings.ts';
import { asValue, channelsFirst, logical, shapeOf, storedAxis, type Value } from '../value.ts';
import { plain, type Variable } from '../weights/variable.ts';
import { type Builder, lastSize, onlyInput } from './layer.ts';

/** The scale and the shift that a layer has, in Keras' order. */
function affine(
  module: { weight: Parameter | null; bias: Parameter | null },
  scale: string,
  shift: string,
): Variable[] {
  const variables: Variable[] = [];
  if (module.weight) variables.push(plain({ name: scale, path: 'vars/0' }, module.weight));
  if (module.bias) variables.push(plain({ name: shift, path: `vars/${variables.length}` }, module.bias));
  return variables;
}

function batchNormOf(rank: number, channels: number, options: { readonly epsilon: number; readonly momentum: number }) {
  if (rank <= 3) return new BatchNorm1d(channels, options);
  return rank === 4 ? new BatchNorm2d(channels, options) : new BatchNorm3d(channels, options);
}

/** Whether a variable is a statistic, or frozen. */
const isStill = ({ isTrainable, parameters }: Variable): boolean =>
  !isTrainable || parameters.every(({ frozen }) => frozen);

const batchNormalization: Builder = (settings, inputs, context) => {
  const input = onlyInput(settings, inputs);
  const { rank } = input.tensor;
  const [axis = -1, ...more] = settings.has('axis') ? settings.wholes('axis') : [-1];
  const at = axis < 0 ? axis + rank : axis;
  if (more.length > 0 || !(at >= 1 && at < rank) || rank > 5)
    settings.wrong('axis', `one axis of the ${rank} of the input`);
  if (settings.flag('renorm', false)) settings.fail('batch renormalisation (renorm) is not read.');
  const isLast = at === rank - 1;
  if (!isLast && at !== 1) settings.wrong('axis', 'the last axis or the first after the batch');
  const channels = shapeOf(input)[at]!;
  context.reserve(settings, [4, channels]);
  const module = batchNormOf(rank, channels, {
    epsilon: settings.number('epsilon', 0.001),
    momentum: 1 - settings.number('momentum', 0.99),
  });
  if (!settings.flag('scale', true)) module.weight = null;
  if (!settings.flag('center', true)) module.bias = null;
  const { runningMean, runningVar } = module;
  const variables = affine(module, 'gamma', 'beta');
  for (const [name, buffer] of [
    ['moving_mean', runningMean],
    ['moving_variance', runningVar],
  ] as const) {
    if (buffer) variables.push(plain({ name, path: `vars/${variables.length}`, isTrainable: false }, buffer));
  }
  return {
    module,
    variables,
    call: (given) => {
      const value = onlyInput(settings, given);
      const x = isLast ? channelsFirst(value) : logical(value);
      // Keras 3 leaves steps that are masked out of the statistics
      const mask =
        value.mask !== null && settings.generation === 3 && x.rank === 3 && isLast ? { mask: value.mask } : {};
      // what Keras has frozen keeps its statistics, too, until it is freed
      const isFrozen = settings.raw('trainable') === false && variables.every(isStill);
      const result = isFrozen ? evaluate(() => module.forward(x)) : module.forward(x, mask);
      return asValue(result, isLast, value.mask);
    },
  };
};

/** Applies a layer that works on the last axes to axes anywhere, by turning them to the end and back. */
function overAxes(settings: Settings, value: Value, axes: readonly number[], apply: (x: Tensor) => Tensor): Value {
  const { rank } = value.tensor;
  const at = axesOf(settings, axes, rank);
  if (at.every((axis, k) => axis === rank - at.length + k)) return asValue(apply(logical(value)), false, value.mask);
  const order = [...Array.from({ length: rank }, (_, k) => k).filter((axis) => !at.includes(axis)), ...at];
  const turned = apply(logical(value).permute(order));
  return asValue(turned.permute(order.map((_, k) => order.indexOf(k))), false, value.mask);
}

function axesOf(settings: Settings, axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => {
    const at = axis < 0 ? axis + rank : axis;
    return at >= 1 && at < rank
      ? at
      : settings.wrong('axis', `axes of the ${rank} of the input, without that of the batch`);
  });
}

const layerNormalization: Builder = (settings, inputs, context) => {
  const input = onlyInput(settings, inputs);
  const axes = settings.has('axis') ? settings.wholes('axis') : [-1];
  const shape = axesOf(settings, axes, input.tensor.rank).map((axis) => shapeOf(input)[axis]!);
  if (settings.flag('rms_scaling', false)) settings.fail('rms_scaling is not read; RMSNormalization is.');
  context.reserve(settings, [2, ...shape]);
  const module = new LayerNorm(shape, { epsilon: settings.number('epsilon', 0.001) });
  if (!settings.flag('scale', true)) module.weight = null;
  if (!settings.flag('center', true)) module.bias = null;
  return {
    module,
    variables: affine(module, 'gamma', 'beta'),
    call: (given) => overAxes(settings, onlyInput(settings, given), axes, (x) => module.forward(x)),
  };
};

const rmsNormalization: Builder = (settings, inputs, context) => {
  const input = onlyInput(settings, inputs);
  const axes = settings.has('axis') ? settings.wholes('axis') : [-1];
  const shape = axesOf(settings, axes, input.tensor.rank).map((axis) => shapeOf(input)[axis]!);
  context.reserve(settings, shape);
  const module = new RMSNorm(shape, { epsilon: settings.number('epsilon', 1e-6) });
  return {
    module,
    variables: module.weight ? [plain({ name: 'scale', path: 'vars/0' }, module.weight)] : [],
    call: (given) => overAxes(settings, onlyInput(settings, given), axes, (x) => module.forward(x)),
  };
};

/** -1 groups are as many as channels. */
const groupNormalization: Builder = (settings, inputs, context) => {
  const input = onlyInput(settings, inputs);
  const [axis = -1, ...more] = settings.has('axis') ? settings.wholes('axis') : [-1];
  const { rank } = input.tensor;
  if (more.length > 0 || (axis !== -1 && axis !== rank - 1)) settings.wrong('axis', 'the last axis');
  const channels = lastSize(settings, input);
  const groups = settings.number('groups', 32);
  context.reserve(settings, [2, channels]);
  const module = new GroupNorm(groups === -1 ? channels : settings.whole('groups', 32), channels, {
    epsilon: settings.number('epsilon', 0.001),
  });
  if (!settings.flag('scale', true)) module.weight = null;
  if (!settings.flag('center', true)) module.bias = null;
  return {
    module,
    variables: affine(module, 'gamma', 'beta'),
    call: (given) => {
      const value = onlyInput(settings, given);
      return asValue(module.forward(channelsFirst(value)), true, value.mask);
    },
  };
};

const unitNormalization: Builder = (settings) => {
  const [axis = -1, ...more] = settings.has('axis') ? settings.wholes('axis') : [-1];
  if (more.length > 0) settings.wrong('axis', 'one axis');
  return {
    module: null,
    variables: [],
    call: (given) => {
      const value = onlyInput(settings, given);
      const at = storedAxis(value, axis) ?? settings.wrong('axis', 'an axis of the input');
      return { ...value, tensor: new UnitNormalization({ axis: at }).forward(value.tensor) };
    },
  };
};

export const normalizationBuilders: Readonly<Record<string, Builder>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  GroupNormalization: groupNormalization,
  UnitNormalization: unitNormalization,
};
