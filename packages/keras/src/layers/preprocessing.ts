/** Keras' layers that prepare numbers: Rescaling, Normalization, CategoryEncoding, Discretization. Texts are not numbers. */
import { oneHot, searchSorted, type Tensor, tensor } from '@nn/core';
import { isList, type Json } from '../config/json.ts';
import type { Settings } from '../config/settings.ts';
import { asValue, logical, shapeOf } from '../value.ts';
import { plain } from '../weights/variable.ts';
import { type Builder, filledParameter, onlyInput } from './layer.ts';

/** A number, or one for each channel. */
function numbers(settings: Settings, name: string, fallback: number): number[] {
  const raw: Json = settings.raw(name) ?? fallback;
  const list = isList(raw) ? raw : [raw];
  const isNumber = (value: Json): value is number => typeof value === 'number' && Number.isFinite(value);
  return list.every(isNumber) ? [...list] : settings.wrong(name, 'numbers');
}

/** x scale + offset. */
const rescaling: Builder = (settings) => {
  const [scale, offset] = [numbers(settings, 'scale', 1), numbers(settings, 'offset', 0)];
  return {
    module: null,
    variables: [],
    call: (inputs) => {
      const input = onlyInput(settings, inputs);
      if (scale.length === 1 && offset.length === 1) {
        return { ...input, tensor: input.tensor.cast('float32').mul(scale[0]!).add(offset[0]!) };
      }
      return asValue(logical(input).cast('float32').mul(tensor(scale)).add(tensor(offset)));
    },
  };
};

/** (x - mean) / standard deviation; both as they were adapted in Keras, or as they are given. */
const normalization: Builder = (settings, inputs, context) => {
  const shape = shapeOf(onlyInput(settings, inputs));
  const axes = (settings.has('axis') ? settings.wholes('axis') : settings.raw('axis') === null ? [] : [-1]).map(
    (axis) => (axis < 0 ? axis + shape.length : axis),
  );
  if (axes.some((axis) => !(axis >= 0 && axis < shape.length))) settings.wrong('axis', 'axes of the input');
  if (settings.flag('invert', false)) settings.fail('the inverse normalisation (invert) is not read.');
  const kept = axes.map((axis) => shape[axis]!);
  const spread = shape.map((size, axis) => (axes.includes(axis) ? size : 1));
  const isGiven = settings.has('mean') || settings.has('input_mean');
  const name = settings.has('mean') ? 'mean' : 'input_mean';
  const normalized = (x: Tensor, mean: Tensor, variance: Tensor): Tensor =>
    x.sub(mean).div(variance.sqrt().maximum(1e-7));
  if (isGiven) {
    const [mean, variance] = [
      numbers(settings, name, 0),
      numbers(settings, name === 'mean' ? 'variance' : 'input_variance', 1),
    ];
    const spreadOf = (values: readonly number[]): Tensor =>
      values.length === 1 ? tensor(values[0]!) : tensor(values, { shape: spread });
    const [shift, scale] = [spreadOf(mean), spreadOf(variance)];
    return {
      module: null,
      variables: [],
      call: (given) => asValue(normalized(logical(onlyInput(settings, given)).cast('float32'), shift, scale)),
    };
  }
  context.reserve(settings, [2, ...kept]);
  const [mean, variance] = [filledParameter(kept, 0, true), filledParameter(kept, 1, true)];
  const count = filledParameter([], 0, true);
  return {
    module: { mean, variance, count },
    variables: [
      plain({ name: 'mean', path: 'vars/0', isTrainable: false }, mean),
      plain({ name: 'variance', path: 'vars/1', isTrainable: false }, variance),
      plain({ name: 'count', path: 'vars/2', isTrainable: false }, count),
    ],
    call: (given) =>
      asValue(
        normalized(logical(onlyInput(settings, given)).cast('float32'), mean.reshape(spread), variance.reshape(spread)),
      ),
  };
};

/** Indices as rows of 0 and 1, or how often each occurs. */
const categoryEncoding: Builder = (settings) => {
  const count = settings.whole('num_tokens');
  const mode = settings.word('output_mode', ['multi_hot', 'one_hot', 'count'], 'multi_hot');
  return {
    module: null,
    variables: [],
    call: (inputs) => {
      const x = logical(onlyInput(settings, inputs)).cast('int32');
      if (mode === 'one_hot') {
        const flat = x.rank > 1 && x.shape.at(-1) === 1 ? x.squeeze(-1) : x;
        return asValue(oneHot(flat, count));
      }
      const times = oneHot(x, count).sum(-2);
      return asValue(mode === 'count' ? times : times.minimum(1));
    },
  };
};

/** In which interval numbers lie. */
const discretization: Builder = (settings) => {
  if (!settings.has('bin_boundaries')) settings.fail('intervals that were adapted are not read; give bin_boundaries.');
  if (settings.word('output_mode', ['int'], 'int') !== 'int') settings.wrong('output_mode', "'int'");
  const bounds = numbers(settings, 'bin_boundaries', 0);
  return {
    module: null,
    variables: [],
    call: (inputs) => {
      const x = logical(onlyInput(settings, inputs)).cast('float32');
      return asValue(searchSorted(tensor(bounds), x, { right: true }));
    },
  };
};

export const preprocessingBuilders: Readonly<Record<string, Builder>> = {
  Rescaling: rescaling,
  Normalization: normalization,
  CategoryEncoding: categoryEncoding,
  Discretization: discretization,
};
