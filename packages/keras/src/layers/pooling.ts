/** Keras' pooling. 'same' pads with what no maximum takes, and what no mean counts. */
import { adaptiveAveragePool, adaptiveMaxPool, averagePool, maxPool, ones, type Tensor, where } from '@nn/core';
import type { Settings } from '../config/settings.ts';
import { asValue, logical } from '../value.ts';
import { type Builder, onlyInput } from './layer.ts';
import { evenPadding, fromSpace, hasChannelsFirst, paddingOf, padSpace, toSpace, type Windows } from './space.ts';

function windowsOf(settings: Settings, rank: number): Windows {
  const size = settings.sizes('pool_size', rank, 2);
  return {
    size,
    stride: settings.has('strides') ? settings.sizes('strides', rank) : size,
    dilation: size.map(() => 1),
    padding: settings.word('padding', ['valid', 'same'], 'valid'),
  };
}

function largest(x: Tensor, windows: Windows): Tensor {
  const { size, stride } = windows;
  if (evenPadding(windows)) {
    const padding = evenPadding(windows)!;
    if (padding.every((amount, k) => amount * 2 <= size[k]!)) return maxPool(x, { size, stride, padding });
  }
  const amounts = paddingOf(windows, x.shape.slice(2));
  return maxPool(padSpace(x, amounts, -Infinity), { size, stride });
}

function average(x: Tensor, windows: Windows): Tensor {
  const { size, stride } = windows;
  const amounts = paddingOf(windows, x.shape.slice(2));
  const mean = averagePool(padSpace(x, amounts), { size, stride });
  if (amounts.every(([before, after]) => before + after === 0)) return mean;
  // the share of each window that is not padding
  const inside = averagePool(padSpace(ones([1, 1, ...x.shape.slice(2)]), amounts), { size, stride });
  return mean.div(inside);
}

function pooling(rank: number, pool: (x: Tensor, windows: Windows) => Tensor): Builder {
  return (settings) => {
    const windows = windowsOf(settings, rank);
    return {
      module: null,
      variables: [],
      call: (inputs) => fromSpace(settings, pool(toSpace(settings, onlyInput(settings, inputs), rank), windows)),
    };
  };
}

function globalPooling(rank: number, pool: (x: Tensor, axes: readonly number[], keepAxes: boolean) => Tensor): Builder {
  return (settings) => {
    const keeps = settings.flag('keepdims', false);
    const axes = Array.from({ length: rank }, (_, k) => k + 2);
    return {
      module: null,
      variables: [],
      call: (inputs) => {
        const pooled = pool(toSpace(settings, onlyInput(settings, inputs), rank), axes, keeps);
        return keeps ? fromSpace(settings, pooled) : asValue(pooled);
      },
    };
  };
}

/** With a mask, the mean of the steps that count. */
const globalAverage1: Builder = (settings, inputs, context) => {
  const unmasked = globalPooling(1, (x, axes, keepAxes) => x.mean(axes, { keepAxes }))(settings, inputs, context);
  return {
    ...unmasked,
    call: (given, options) => {
      const input = onlyInput(settings, given);
      if (input.mask === null) return unmasked.call(given, options);
      const keepAxes = settings.flag('keepdims', false);
      const axis = hasChannelsFirst(settings) ? 2 : 1;
      const keep = input.mask.unsqueeze(axis === 1 ? 2 : 1);
      const count = keep.cast('float32').sum(axis, { keepAxes });
      return asValue(where(keep, logical(input), 0).sum(axis, { keepAxes }).div(count));
    },
  };
};

function adaptive(rank: number, pool: (x: Tensor, size: readonly number[]) => Tensor): Builder {
  return (settings) => {
    const size = settings.sizes('output_size', rank);
    return {
      module: null,
      variables: [],
      call: (inputs) => fromSpace(settings, pool(toSpace(settings, onlyInput(settings, inputs), rank), size)),
    };
  };
}

const adaptiveMax = (x: Tensor, size: readonly number[]): Tensor => adaptiveMaxPool(x, size).values;
const globalMax = (x: Tensor, axes: readonly number[], keepAxes: boolean): Tensor => x.max(axes, { keepAxes });
const globalMean = (x: Tensor, axes: readonly number[], keepAxes: boolean): Tensor => x.mean(axes, { keepAxes });

export const poolingBuilders: Readonly<Record<string, Builder>> = {
  MaxPooling1D: pooling(1, largest),
  MaxPooling2D: pooling(2, largest),
  MaxPooling3D: pooling(3, largest),
  AveragePooling1D: pooling(1, average),
  AveragePooling2D: pooling(2, average),
  AveragePooling3D: pooling(3, average),
  GlobalMaxPooling1D: globalPooling(1, globalMax),
  GlobalMaxPooling2D: globalPooling(2, globalMax),
  GlobalMaxPooling3D: globalPooling(3, globalMax),
  GlobalAveragePooling1D: globalAverage1,
  GlobalAveragePooling2D: globalPooling(2, globalMean),
  GlobalAveragePooling3D: globalPooling(3, globalMean),
  AdaptiveMaxPooling1D: adaptive(1, adaptiveMax),
  AdaptiveMaxPooling2D: adaptive(2, adaptiveMax),
  AdaptiveMaxPooling3D: adaptive(3, adaptiveMax),
  AdaptiveAveragePooling1D: adaptive(1, adaptiveAveragePool),
  AdaptiveAveragePooling2D: adaptive(2, adaptiveAveragePool),
  AdaptiveAveragePooling3D: adaptive(3, adaptiveAveragePool),
};
