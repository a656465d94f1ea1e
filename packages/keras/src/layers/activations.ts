/**
 * Keras' activations by name, as functions of a tensor and of the axis that Keras calls the last. Where generations differ
 * (hard_sigmoid), theirs counts. Activations that are layers of their own are below.
 */
import { type Parameter, parameter, type Tensor, where } from '@nn/core';
import {
  celu,
  elu,
  gelu,
  glu,
  hardShrink,
  hardSigmoid,
  hardSwish,
  hardTanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  relu6,
  selu,
  silu,
  softmax,
  softShrink,
  softsign,
  sparsemax,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  tanhShrink,
} from '@nn/layers';
import { fieldOf, isObject, type Json, shown } from '../config/json.ts';
import type { Settings } from '../config/settings.ts';
import { asValue, logical, shapeOf, storedAxis, type Value, withTensor } from '../value.ts';
import { plain } from '../weights/variable.ts';
import { type BuildContext, type Builder, elementwise, onlyInput } from './layer.ts';

/** An activation; `axis` is where Keras' last axis is stored. */
export type Activation = (x: Tensor, axis: number) => Tensor;

const byName: Readonly<Record<string, Activation>> = {
  linear: (x) => x,
  relu: (x) => x.relu(),
  relu6: (x) => relu6(x),
  sigmoid: (x) => x.sigmoid(),
  tanh: (x) => x.tanh(),
  softmax: (x, axis) => softmax(x, { axis }),
  log_softmax: (x, axis) => logSoftmax(x, { axis }),
  softplus: (x) => x.softplus(),
  softsign: (x) => softsign(x),
  selu: (x) => selu(x),
  elu: (x) => elu(x),
  exponential: (x) => x.exp(),
  swish: (x) => silu(x),
  silu: (x) => silu(x),
  gelu: (x) => gelu(x),
  mish: (x) => mish(x),
  hard_sigmoid: (x) => hardSigmoid(x),
  hard_silu: (x) => hardSwish(x),
  hard_swish: (x) => hardSwish(x),
  leaky_relu: (x) => leakyRelu(x, { slope: 0.2 }),
  log_sigmoid: (x) => logSigmoid(x),
  celu: (x) => celu(x),
  glu: (x, axis) => glu(x, { axis }),
  hard_tanh: (x) => hardTanh(x),
  hard_shrink: (x) => hardShrink(x),
  soft_shrink: (x) => softShrink(x),
  tanh_shrink: (x) => tanhShrink(x),
  sparse_plus: (x) => sparsePlus(x),
  sparse_sigmoid: (x) => sparseSigmoid(x),
  sparsemax: (x, axis) => sparsemax(x, { axis }),
  squareplus: (x) => squareplus(x),
};

/** hard_sigmoid before Keras 3: 0.2 x + 0.5 between 0 and 1; since then it is relu6(x + 3) / 6. */
const olderHardSigmoid: Activation = (x) => x.mul(0.2).add(0.5).clamp(0, 1);

/** The activation in a setting, none where it is null. It may be a name, `{ class_name: 'function', config: name }`, or a layer. */
export function activationOf(
  settings: Settings,
  context: BuildContext,
  name = 'activation',
  fallback = 'linear',
): Activation {
  return activationFrom(settings, context, settings.raw(name) ?? fallback);
}

function activationFrom(settings: Settings, context: BuildContext, given: Json): Activation {
  if (typeof given === 'string') {
    if (given === 'hard_sigmoid' && settings.generation < 3) return olderHardSigmoid;
    const found = Object.hasOwn(byName, given) ? byName[given] : undefined;
    if (found) return found;
    return settings.fail(
      `the activation ${shown(given)} is not known here; put a layer of your own in its place: { layers: { ${settings.className}: ... } }.`,
    );
  }
  const config = fieldOf(given, 'config');
  if (typeof config === 'string') return activationFrom(settings, context, config);
  if (isObject(given) && typeof fieldOf(given, 'class_name') === 'string') {
    const built = new Map<number, ReturnType<BuildContext['build']>>();
    return (x, axis) => {
      const value = asValue(x, axis === 1 && x.rank > 2);
      const layer = built.get(x.rank) ?? context.build(given, [value]);
      built.set(x.rank, layer);
      if (layer.variables.length > 0) settings.fail('an activation with weights is not read.');
      const result = layer.call([value], {});
      return 'tensor' in result ? result.tensor : settings.fail('an activation gave several results.');
    };
  }
  return settings.fail(`the activation is ${shown(given)}; a name or a layer is expected.`);
}

/** Applies an activation to a value, wherever its last axis is stored. */
export function activate(activation: Activation, value: Value): Value {
  return withTensor(value, activation(value.tensor, value.isMoved ? 1 : value.tensor.rank - 1));
}

/** A tensor with the last axis at 1, as it comes from a convolution. */
export const activationBuilders: Readonly<Record<string, Builder>> = {
  Activation: (settings, _inputs, context) => {
    const activation = activationOf(settings, context);
    return { module: null, variables: [], call: (inputs) => activate(activation, onlyInput(settings, inputs)) };
  },
  ReLU: (settings, inputs, context) => {
    const slope = settings.has('negative_slope') ? settings.number('negative_slope') : 0;
    const threshold = settings.has('threshold') ? settings.number('threshold') : 0;
    const most = settings.has('max_value') ? settings.number('max_value') : null;
    return elementwise((x) => {
      // x above the threshold, slope (x - threshold) below
      const below = slope === 0 ? x.mul(0) : x.sub(threshold).mul(slope);
      const y = slope === 0 && threshold === 0 ? x.relu() : where(x.greaterEqual(threshold), x, below);
      return most === null ? y : y.minimum(most);
    })(settings, inputs, context);
  },
  LeakyReLU: (settings, inputs, context) => {
    const slope = settings.has('negative_slope') ? settings.number('negative_slope') : settings.number('alpha', 0.3);
    return elementwise((x) => leakyRelu(x, { slope }))(settings, inputs, context);
  },
  ELU: (settings, inputs, context) => {
    const alpha = settings.number('alpha', 1);
    return elementwise((x) => elu(x, { alpha }))(settings, inputs, context);
  },
  ThresholdedReLU: (settings, inputs, context) => {
    const theta = settings.number('theta', 1);
    return elementwise((x) => where(x.greater(theta), x, 0))(settings, inputs, context);
  },
  PReLU: (settings, inputs, context) => {
    const shared = settings.has('shared_axes') ? settings.wholes('shared_axes') : [];
    const input = onlyInput(settings, inputs);
    const shape = shapeOf(input)
      .slice(1)
      .map((size, k) => (shared.includes(k + 1) ? 1 : size));
    context.reserve(settings, shape);
    const slope: Parameter = parameter(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape });
    return {
      module: { alpha: slope },
      variables: [plain({ name: 'alpha', path: 'vars/0' }, slope)],
      call: (given) => {
        const value = onlyInput(settings, given);
        const x = logical(value);
        return asValue(where(x.greater(0), x, x.mul(slope)), false, value.mask);
      },
    };
  },
  Softmax: (settings, inputs, context) => {
    const axes = settings.has('axis') ? settings.wholes('axis') : [-1];
    const [axis = -1] = axes;
    if (axes.length > 1) settings.fail('softmax over several axes is not read; one axis is.');
    return elementwise((x, value) =>
      x.softmax(storedAxis(value, axis) ?? settings.wrong('axis', 'an axis of the input')),
    )(settings, inputs, context);
  },
};
