/**
 * Keras' convolutions on those of nn: kernels [...k, in, out] become [out, in, ...k], and padding that PyTorch has no word
 * for ('same' with strides, 'causal') is laid around the input. Windows are `space.ts`.
 */
import type { Parameter } from '@nn/core';
import {
  Conv1d,
  Conv2d,
  Conv3d,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  DepthwiseConv1d,
  DepthwiseConv2d,
  SeparableConv1d,
  SeparableConv2d,
} from '@nn/layers';
import type { Settings } from '../config/settings.ts';
import { permuted, plain, reordered, type Variable } from '../weights/variable.ts';
import { activate, activationOf } from './activations.ts';
import { type Builder, onlyInput } from './layer.ts';
import { evenPadding, fromSpace, hasChannelsFirst, paddingOf, padSpace, toSpace, type Windows } from './space.ts';

function windowsOf(settings: Settings, rank: number): Windows {
  return {
    size: settings.sizes('kernel_size', rank),
    stride: settings.sizes('strides', rank, 1),
    dilation: settings.sizes('dilation_rate', rank, 1),
    padding: settings.word('padding', rank === 1 ? ['valid', 'same', 'causal'] : ['valid', 'same'], 'valid'),
  };
}

/** [...k, in, out] to [out, in, ...k]. */
const kernelAxes = (rank: number): number[] => [rank + 1, rank, ...Array.from({ length: rank }, (_, k) => k)];

const spaceOf = (rank: number): number[] => Array.from({ length: rank }, (_, k) => k);

/** The kernel [...k, in, out]; Keras 1 had that of channels first as PyTorch has it, and an axis of 1 behind the steps. */
function kernelOf(settings: Settings, weight: Parameter, shape: readonly number[]): Variable {
  const rank = shape.length - 2;
  const place = { name: 'kernel', path: 'vars/0' };
  if (settings.generation === 1 && rank > 1 && hasChannelsFirst(settings))
    return { ...plain(place, weight), space: spaceOf(rank).map((axis) => axis + 2) };
  const kernel = { ...reordered(place, weight, shape, kernelAxes(rank)), space: spaceOf(rank) };
  const [steps = 1, ...rest] = shape;
  return settings.generation === 1 && rank === 1 ? { ...kernel, shape: [steps, 1, ...rest] } : kernel;
}

/** The kernel [...k, out, in] of a transposed convolution as [in, out, ...k]; in Keras 1 [...k, in, out], or [out, in, ...k]. */
function transposedKernelOf(settings: Settings, weight: Parameter, shape: readonly number[]): Variable {
  const rank = shape.length - 2;
  const place = { name: 'kernel', path: 'vars/0' };
  const size = shape.slice(0, rank);
  const [outputs = 1, inputs = 1] = shape.slice(rank);
  const behind = spaceOf(rank).map((axis) => axis + 2);
  if (settings.generation > 1) return { ...reordered(place, weight, shape, kernelAxes(rank)), space: spaceOf(rank) };
  return hasChannelsFirst(settings)
    ? { ...reordered(place, weight, [outputs, inputs, ...size], [1, 0, ...behind]), space: behind }
    : {
        ...reordered(place, weight, [...size, inputs, outputs], [rank, rank + 1, ...spaceOf(rank)]),
        space: spaceOf(rank),
      };
}

function biasOf(bias: Parameter | null, at: number): Variable[] {
  return bias ? [plain({ name: 'bias', path: `vars/${at}` }, bias)] : [];
}

const convolutions = [Conv1d, Conv2d, Conv3d] as const;
const transposedConvolutions = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d] as const;

function convolution(rank: 1 | 2 | 3): Builder {
  return (settings, inputs, context) => {
    const windows = windowsOf(settings, rank);
    const channels = toSpace(settings, onlyInput(settings, inputs), rank).shape[1]!;
    const filters = settings.whole('filters');
    const groups = settings.whole('groups', 1);
    if (channels % groups !== 0 || filters % groups !== 0)
      settings.fail(`${channels} and ${filters} channels do not divide into ${groups} groups.`);
    const bias = settings.flag('use_bias', true);
    const shape = [...windows.size, channels / groups, filters];
    context.reserve(settings, shape, bias ? [filters] : [0]);
    const even = evenPadding(windows);
    const { stride, dilation } = windows;
    const module = new convolutions[(rank - 1) as 0 | 1 | 2](channels, filters, windows.size, {
      ...{ stride, dilation, groups, bias },
      padding: even ?? 0,
    });
    const activation = activationOf(settings, context);
    return {
      module,
      variables: [kernelOf(settings, module.weight, shape), ...biasOf(module.bias, 1)],
      call: (given) => {
        const x = toSpace(settings, onlyInput(settings, given), rank);
        const padded = even ? x : padSpace(x, paddingOf(windows, x.shape.slice(2)));
        return activate(activation, fromSpace(settings, module.forward(padded)));
      },
    };
  };
}

/**
 * The result has size * stride places for 'same', and what the kernel reaches over besides for 'valid'; `output_padding` asks
 * for another size. It is the gradient of the convolution from that size, so 'same' cuts off where that one pads.
 */
function transposedConvolution(rank: 1 | 2 | 3): Builder {
  return (settings, inputs, context) => {
    const windows = windowsOf(settings, rank);
    const channels = toSpace(settings, onlyInput(settings, inputs), rank).shape[1]!;
    const filters = settings.whole('filters');
    const bias = settings.flag('use_bias', true);
    const shape = [...windows.size, filters, channels];
    context.reserve(settings, shape, bias ? [filters] : [0]);
    const { size, stride, dilation } = windows;
    const more = settings.has('output_padding') ? settings.sizes('output_padding', rank, undefined, 0) : null;
    // of an input of one place; each further place adds a stride
    const places = size.map((length, k) => {
      const reach = (length - 1) * dilation[k]! + 1;
      const same = windows.padding === 'same';
      const result = more
        ? reach + more[k]! - (same ? 2 * Math.floor(reach / 2) : 0)
        : same
          ? stride[k]!
          : stride[k]! + Math.max(reach - stride[k]!, 0);
      const cut = same ? Math.floor(Math.max(reach - result, 0) / 2) : 0;
      return { cut, result, beyond: Math.max(cut + result - reach, 0) };
    });
    const module = new transposedConvolutions[(rank - 1) as 0 | 1 | 2](channels, filters, size, {
      ...{ stride, dilation, bias },
      outputPadding: places.map(({ beyond }) => beyond),
    });
    const activation = activationOf(settings, context);
    return {
      module,
      variables: [transposedKernelOf(settings, module.weight, shape), ...biasOf(module.bias, 1)],
      call: (given) => {
        const x = toSpace(settings, onlyInput(settings, given), rank);
        const full = module.forward(x);
        const starts = places.map(({ cut }) => cut);
        const stops = places.map(({ cut, result }, k) => cut + result + (x.shape[k + 2]! - 1) * stride[k]!);
        const whole = starts.every((start) => start === 0) && stops.every((stop, k) => stop === full.shape[k + 2]);
        return activate(
          activation,
          fromSpace(settings, whole ? full : full.slice([0, 0, ...starts], [null, null, ...stops])),
        );
      },
    };
  };
}

/** [...k, in, m] as [in * m, 1, ...k]. */
function depthwiseKernel(name: string, weight: Parameter, rank: number, inputs: number, multiplier: number): Variable {
  const size = weight.shape.slice(2);
  const shape = [...size, inputs, multiplier];
  const axes = [rank, rank + 1, ...size.map((_, k) => k)];
  const stored = axes.map((axis) => shape[axis]!);
  return {
    ...{ name, path: 'vars/0', shape, isTrainable: true, parameters: [weight] },
    decode: (values) => [permuted(values, shape, axes)],
    encode: ([values = new Float32Array()]) => permuted(values, stored, [...size.map((_, k) => k + 2), 0, 1]),
  };
}

/** Keras wants equal strides here, and takes one number. */
function depthwise(rank: 1 | 2): Builder {
  return (settings, inputs, context) => {
    const windows = windowsOf(settings, rank);
    const channels = toSpace(settings, onlyInput(settings, inputs), rank).shape[1]!;
    const multiplier = settings.whole('depth_multiplier', 1);
    const bias = settings.flag('use_bias', true);
    context.reserve(settings, [...windows.size, channels, multiplier], bias ? [channels * multiplier] : [0]);
    const even = evenPadding(windows);
    const { stride, dilation } = windows;
    const options = { stride, dilation, multiplier, bias, padding: even ?? 0 };
    const module =
      rank === 1
        ? new DepthwiseConv1d(channels, windows.size, options)
        : new DepthwiseConv2d(channels, windows.size, options);
    const activation = activationOf(settings, context);
    return {
      module,
      variables: [
        depthwiseKernel(
          settings.generation === 3 ? 'kernel' : 'depthwise_kernel',
          module.weight,
          rank,
          channels,
          multiplier,
        ),
        ...biasOf(module.bias, 1),
      ],
      call: (given) => {
        const x = toSpace(settings, onlyInput(settings, given), rank);
        const padded = even ? x : padSpace(x, paddingOf(windows, x.shape.slice(2)));
        return activate(activation, fromSpace(settings, module.forward(padded)));
      },
    };
  };
}

function separable(rank: 1 | 2): Builder {
  return (settings, inputs, context) => {
    const windows = windowsOf(settings, rank);
    const channels = toSpace(settings, onlyInput(settings, inputs), rank).shape[1]!;
    const filters = settings.whole('filters');
    const multiplier = settings.whole('depth_multiplier', 1);
    const bias = settings.flag('use_bias', true);
    const pointShape = [...windows.size.map(() => 1), channels * multiplier, filters];
    context.reserve(settings, [...windows.size, channels, multiplier], pointShape, bias ? [filters] : [0]);
    const even = evenPadding(windows);
    const { stride, dilation } = windows;
    const options = { stride, dilation, multiplier, bias, padding: even ?? 0 };
    const module =
      rank === 1
        ? new SeparableConv1d(channels, filters, windows.size, options)
        : new SeparableConv2d(channels, filters, windows.size, options);
    const activation = activationOf(settings, context);
    return {
      module,
      variables: [
        depthwiseKernel('depthwise_kernel', module.depthwise.weight, rank, channels, multiplier),
        reordered({ name: 'pointwise_kernel', path: 'vars/1' }, module.pointwise.weight, pointShape, kernelAxes(rank)),
        ...biasOf(module.pointwise.bias, 2),
      ],
      call: (given) => {
        const x = toSpace(settings, onlyInput(settings, given), rank);
        const padded = even ? x : padSpace(x, paddingOf(windows, x.shape.slice(2)));
        return activate(activation, fromSpace(settings, module.forward(padded)));
      },
    };
  };
}

export const convolutionBuilders: Readonly<Record<string, Builder>> = {
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv3D: convolution(3),
  Conv1DTranspose: transposedConvolution(1),
  Conv2DTranspose: transposedConvolution(2),
  Conv3DTranspose: transposedConvolution(3),
  DepthwiseConv1D: depthwise(1),
  DepthwiseConv2D: depthwise(2),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
};
