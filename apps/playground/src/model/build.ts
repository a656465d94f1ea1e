/**
 * From a description to a model: a `Sequential` whose items are told apart by their role, so that the page can look
 * between them. The generated program (program.ts) writes the same constructors in the same order.
 */
import { type Parameter, type Shape, setSeed, type Tensor, ValueError, zeros } from '@nn/core';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  ELU,
  Flatten,
  GELU,
  kaimingNormal,
  kaimingUniform,
  type Layer,
  LayerNorm,
  LeakyReLU,
  Linear,
  lecunNormal,
  MaxPool2d,
  orthogonal,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Softplus,
  Tanh,
  xavierNormal,
  xavierUniform,
} from '@nn/layers';
import type { Activation, Initializer, LayerSpec, Spec } from './spec.ts';

type Role = 'flatten' | 'weights' | 'norm' | 'activation' | 'pool' | 'dropout';

export interface Part {
  readonly layer: Layer;
  readonly role: Role;
  /** The hidden layer that it belongs to; the number of hidden layers for the output. */
  readonly block: number;
  /** Its constructor call, as the generated program writes it. */
  readonly code: string;
}

export interface Network {
  readonly model: Sequential;
  readonly parts: readonly Part[];
  /** For each hidden layer and the output, what holds its weights. */
  readonly weighted: readonly (Linear | Conv2d)[];
}

interface Plan {
  readonly code: string;
  readonly make: () => Layer;
  readonly role: Role;
  readonly block: number;
}

const activationLayers: Readonly<Record<Exclude<Activation, 'linear'>, readonly [string, () => Layer]>> = {
  tanh: ['Tanh', () => new Tanh()],
  relu: ['ReLU', () => new ReLU()],
  sigmoid: ['Sigmoid', () => new Sigmoid()],
  gelu: ['GELU', () => new GELU()],
  silu: ['SiLU', () => new SiLU()],
  leakyRelu: ['LeakyReLU', () => new LeakyReLU()],
  elu: ['ELU', () => new ELU()],
  softplus: ['Softplus', () => new Softplus()],
};

/** The layers of a network in order, not made yet. Throws ValueError for layers that cannot stand where they are. */
export function planLayers(layers: readonly LayerSpec[], inputShape: Shape, outputs: number): readonly Plan[] {
  const plans: Plan[] = [];
  let shape = inputShape;
  const flatten = (block: number): number => {
    const size = shape.reduce((product, length) => product * length, 1);
    if (shape.length > 1) plans.push({ code: 'new Flatten()', make: () => new Flatten(), role: 'flatten', block });
    shape = [size];
    return size;
  };
  layers.forEach((layer, block) => {
    const add = (role: Role, code: string, make: () => Layer): void => void plans.push({ code, make, role, block });
    if (layer.kind === 'dense') {
      const size = flatten(block);
      add('weights', `new Linear(${size}, ${layer.units})`, () => new Linear(size, layer.units));
      shape = [layer.units];
      if (layer.norm === 'batch') {
        add('norm', `new BatchNorm1d(${layer.units})`, () => new BatchNorm1d(layer.units));
      }
    } else {
      const [channels = 1, height = 1, width = 1] = shape;
      if (shape.length !== 3) {
        throw new ValueError(
          '/convolution-after-dense',
          `Layer ${block + 1} is a convolution, which needs an image: put it before the dense layers, or take it out.`,
          { layer: block + 1 },
        );
      }
      const { filters, kernel } = layer;
      // an image that is smaller than the kernel is padded in any case
      const padding = layer.pad || Math.min(height, width) < kernel ? kernel >> 1 : 0;
      const options = padding === 0 ? '' : `, { padding: ${padding} }`;
      add(
        'weights',
        `new Conv2d(${channels}, ${filters}, ${kernel}${options})`,
        () => new Conv2d(channels, filters, kernel, { padding }),
      );
      const lost = kernel - 1 - 2 * padding;
      shape = [filters, height - lost, width - lost];
      if (layer.norm === 'batch') add('norm', `new BatchNorm2d(${filters})`, () => new BatchNorm2d(filters));
    }
    if (layer.norm === 'layer') {
      const sizes = shape;
      const code = sizes.length === 1 ? `new LayerNorm(${sizes[0]})` : `new LayerNorm([${sizes.join(', ')}])`;
      add('norm', code, () => new LayerNorm(sizes));
    }
    if (layer.activation !== 'linear') {
      const [name, make] = activationLayers[layer.activation];
      add('activation', `new ${name}()`, make);
    }
    const [filters = 1, height = 1, width = 1] = shape;
    if (layer.kind === 'conv' && layer.pool && height > 1 && width > 1) {
      add('pool', 'new MaxPool2d(2)', () => new MaxPool2d(2));
      shape = [filters, height >> 1, width >> 1];
    }
    if (layer.dropout > 0) add('dropout', `new Dropout(${layer.dropout})`, () => new Dropout(layer.dropout));
  });
  const last = layers.length;
  const size = flatten(last);
  plans.push({
    code: `new Linear(${size}, ${outputs})`,
    make: () => new Linear(size, outputs),
    role: 'weights',
    block: last,
  });
  return plans;
}

/** Makes the network with the start values that its seed decides. */
export function buildNetwork(spec: Spec, inputShape: Shape, outputs: number): Network {
  setSeed(spec.seed);
  const parts = planLayers(spec.layers, inputShape, outputs).map(
    ({ make, role, block, code }): Part => ({ layer: make(), role, block, code }),
  );
  const weighted = parts.map(({ layer }) => layer).filter(hasWeights);
  for (const { weight, bias } of weighted) initialize(spec.initializer, weight, bias);
  return { model: new Sequential(...parts.map(({ layer }) => layer)), parts, weighted };
}

function hasWeights(layer: Layer): layer is Linear | Conv2d {
  return layer instanceof Linear || layer instanceof Conv2d;
}

const initializerFunctions: Readonly<Record<Exclude<Initializer, 'default'>, (shape: Shape) => Tensor>> = {
  xavierUniform,
  xavierNormal,
  kaimingUniform,
  kaimingNormal,
  lecunNormal,
  orthogonal,
  zeros,
};

/** `default` keeps what the layers start with; any other sets the biases to 0. */
function initialize(name: Initializer, weight: Parameter, bias: Parameter | null): void {
  if (name === 'default') return;
  weight.assign(initializerFunctions[name](weight.shape));
  bias?.assign(zeros(bias.shape));
}
