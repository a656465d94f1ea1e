/** Keras' Dense, EinsumDense, Embedding, and what passes values on: Identity, Dropout and its kin. */
import { einsum, isTraining, parameter, type Tensor, where } from '@nn/core';
import {
  AlphaDropout,
  Dropout,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  Embedding,
  GaussianDropout,
  GaussianNoise,
  Linear,
} from '@nn/layers';
import type { Settings } from '../config/settings.ts';
import { asValue, logical, type Value } from '../value.ts';
import { countOf, plain, reordered, type Variable } from '../weights/variable.ts';
import { activate, activationOf } from './activations.ts';
import { type Builder, drawnParameter, elementwise, lastSize, onlyInput } from './layer.ts';
import { fromSpace, toSpace } from './space.ts';

/** The variables of a Linear under Keras' shapes. */
export function linearVariables(module: Linear, first = 0, prefix = ''): Variable[] {
  const shape = [module.inputs, module.outputs];
  return [
    reordered({ name: `${prefix}kernel`, path: `vars/${first}` }, module.weight, shape, [1, 0]),
    ...(module.bias ? [plain({ name: `${prefix}bias`, path: `vars/${first + 1}` }, module.bias)] : []),
  ];
}

const dense: Builder = (settings, inputs, context) => {
  const size = lastSize(settings, onlyInput(settings, inputs));
  const units = settings.whole('units');
  const bias = settings.flag('use_bias', true);
  context.reserve(settings, [size, units], bias ? [units] : [0]);
  if (settings.has('lora_rank'))
    settings.fail('an added matrix of low rank (LoRA) is not read; merge it in Keras before saving.');
  const module = new Linear(size, units, { bias });
  const activation = activationOf(settings, context);
  return {
    module,
    variables: linearVariables(module),
    call: (given) => {
      const input = onlyInput(settings, given);
      return activate(activation, asValue(module.forward(logical(input)), false, input.mask));
    },
  };
};

const einsumDense: Builder = (settings, inputs, context) => {
  const input = onlyInput(settings, inputs);
  const equation = settings.text('equation').replaceAll(' ', '');
  const [, left = '', kernel = '', right = ''] =
    /^([a-zA-Z]*(?:\.{3})?[a-zA-Z]*),([a-zA-Z]+)->([a-zA-Z]*(?:\.{3})?[a-zA-Z]*)$/.exec(equation) ??
    settings.wrong('equation', "an equation of an input and a kernel, such as 'abc,cd->abd',");
  const sizes = letterSizes(settings, left, right, logical(input).shape);
  const shapeOf = (letters: string): number[] =>
    [...letters].map(
      (letter) => sizes.get(letter) ?? settings.fail(`the size of the axis '${letter}' of the kernel is not known.`),
    );
  const shape = shapeOf(kernel);
  const biasAxes = settings.has('bias_axes') ? settings.text('bias_axes') : '';
  // the bias has the axes named, and 1 for those after the first of them
  const free = [...right.replaceAll('.', '')];
  const first = free.findIndex((letter) => biasAxes.includes(letter));
  const biasShape =
    biasAxes === '' ? null : free.slice(first).map((letter) => (biasAxes.includes(letter) ? shapeOf(letter)[0]! : 1));
  context.reserve(settings, shape, biasShape ?? [0]);
  const weight = drawnParameter(shape, countOf(shape) / (biasShape ? countOf(biasShape) : 1));
  const bias = biasShape ? parameter(new Float32Array(countOf(biasShape)), { shape: biasShape }) : null;
  const activation = activationOf(settings, context);
  return {
    module: { weight, bias },
    variables: [
      plain({ name: 'kernel', path: 'vars/0' }, weight),
      ...(bias ? [plain({ name: 'bias', path: 'vars/1' }, bias)] : []),
    ],
    call: (given) => {
      const value = onlyInput(settings, given);
      const product = einsum(equation, logical(value), weight);
      return activate(activation, asValue(bias ? product.add(bias) : product, false, value.mask));
    },
  };
};

/** The sizes of the letters of an equation: those of the input, and of the output what `output_shape` says. */
function letterSizes(settings: Settings, left: string, right: string, shape: readonly number[]): Map<string, number> {
  const sizes = new Map<string, number>();
  const place = (letters: string, of: readonly (number | null)[]): void => {
    const [before = '', after] = letters.split('...') as [string, string?];
    const learn = (letter: string, size: number | null | undefined): void => {
      if (size !== null && size !== undefined && !sizes.has(letter)) sizes.set(letter, size);
    };
    [...before].forEach((letter, k) => {
      learn(letter, of[k]);
    });
    [...(after ?? '')].reverse().forEach((letter, k) => {
      learn(letter, of[of.length - 1 - k]);
    });
  };
  place(left, shape);
  const raw = settings.raw('output_shape');
  const output = typeof raw === 'number' ? [raw] : raw;
  if (!Array.isArray(output) || !output.every((size) => size === null || Number.isInteger(size))) {
    return settings.wrong('output_shape', 'a list of whole numbers');
  }
  // it leaves the batch out, which is the first letter of the output or its ellipsis
  const letters = right.startsWith('...') ? right.slice(3) : right.slice(1);
  const known = right.startsWith('...') ? output.slice(output.length - letters.length) : output;
  place(letters, known);
  return sizes;
}

const embedding: Builder = (settings, _inputs, context) => {
  const [count, width] = [settings.whole('input_dim'), settings.whole('output_dim')];
  context.reserve(settings, [count, width]);
  const module = new Embedding(count, width);
  const masks = settings.flag('mask_zero', false);
  return {
    module,
    variables: [plain({ name: 'embeddings', path: 'vars/0' }, module.weight)],
    call: (given) => {
      const indices = logical(onlyInput(settings, given));
      return asValue(module.forward(indices), false, masks ? indices.notEqual(0) : null);
    },
  };
};

/** Steps whose values are all `mask_value` become 0, and layers that know masks pass them over. */
const masking: Builder = (settings) => {
  const value = settings.number('mask_value', 0);
  return {
    module: null,
    variables: [],
    call: (given) => {
      const x = logical(onlyInput(settings, given));
      const counts = x.notEqual(value).any(-1);
      return asValue(where(counts.unsqueeze(-1), x, 0), false, counts);
    },
  };
};

/** Layers that act in training alone; nn's own do the same. */
function noise(make: (settings: Settings) => { forward(x: Tensor): Tensor }): Builder {
  return (settings, inputs, context) => {
    const layer = make(settings);
    return elementwise((x) => layer.forward(x))(settings, inputs, context);
  };
}

const dropout: Builder = noise((settings) => {
  if (settings.has('noise_shape')) settings.fail('noise_shape is not read; leave it out, or use SpatialDropout.');
  return new Dropout(settings.number('rate', 0.5));
});

const spatial = [Dropout1d, Dropout2d, Dropout3d] as const;

/** Whole channels are left out. */
function spatialDropout(rank: 1 | 2 | 3): Builder {
  return (settings) => {
    const layer = new spatial[(rank - 1) as 0 | 1 | 2](settings.number('rate', 0.5));
    return {
      module: null,
      variables: [],
      call: (given) => {
        const input = onlyInput(settings, given);
        return fromSpace(settings, layer.forward(toSpace(settings, input, rank)), input.mask);
      },
    };
  };
}

/** Random augmentation does nothing in evaluation; in training it would not be what Keras does, so it says so. */
const augmentation: Builder = (settings) => ({
  module: null,
  variables: [],
  call: (given): Value => {
    if (isTraining())
      settings.fail(
        'augmentation is not done inside of the model here; augment in the data pipeline, and leave this layer out.',
      );
    return onlyInput(settings, given);
  },
});

const passing: Builder = elementwise((x) => x);

export const denseBuilders: Readonly<Record<string, Builder>> = {
  Dense: dense,
  EinsumDense: einsumDense,
  Embedding: embedding,
  Masking: masking,
  Identity: passing,
  ActivityRegularization: passing,
  Dropout: dropout,
  SpatialDropout1D: spatialDropout(1),
  SpatialDropout2D: spatialDropout(2),
  SpatialDropout3D: spatialDropout(3),
  GaussianDropout: noise((settings) => new GaussianDropout(settings.number('rate', 0.5))),
  GaussianNoise: noise((settings) => new GaussianNoise(settings.number('stddev'))),
  AlphaDropout: noise((settings) => new AlphaDropout(settings.number('rate', 0.5))),
  ...Object.fromEntries(
    [
      ...['RandomBrightness', 'RandomContrast', 'RandomFlip', 'RandomHeight', 'RandomWidth'],
      ...['RandomRotation', 'RandomTranslation', 'RandomZoom', 'RandomColorJitter', 'RandomColorDegeneration'],
      ...['RandomErasing', 'RandomGaussianBlur', 'RandomGrayscale', 'RandomHue', 'RandomInvert', 'RandomPerspective'],
      ...['RandomPosterization', 'RandomSaturation', 'RandomSharpness', 'RandomShear', 'MixUp', 'CutMix'],
    ].map((name) => [name, augmentation]),
  ),
};
