/** Keras' layers that move values about: Flatten, Reshape, Permute, crops, pads, UpSampling. All in Keras' order of axes. */
import { type InterpolationMode, interpolate, type Tensor } from '@nn/core';
import { isList, type Json } from '../config/json.ts';
import type { Settings } from '../config/settings.ts';
import { asValue, channelsFirst, logical } from '../value.ts';
import { type Builder, onlyInput, rearranging, requireRank } from './layer.ts';
import { fromSpace, hasChannelsFirst, padSpace, toSpace } from './space.ts';

/** Keras flattens with the channels last, also where the layer says that they come first. */
const flatten: Builder = (settings) => ({
  module: null,
  variables: [],
  call: (inputs) => {
    const input = onlyInput(settings, inputs);
    const x = logical(input);
    const ordered = hasChannelsFirst(settings) && x.rank > 2 ? logical({ ...input, tensor: x, isMoved: true }) : x;
    const [batch = 1, ...rest] = ordered.shape;
    return asValue(ordered.reshape([batch, rest.reduce((product, size) => product * size, 1)]));
  },
});

const reshape = rearranging((settings) => {
  const target = settings.wholes('target_shape');
  const free = target.filter((size) => size === -1).length;
  if (free > 1 || target.some((size) => size < -1)) settings.wrong('target_shape', 'sizes, of which one may be -1,');
  return (x) => {
    const [batch = 1, ...rest] = x.shape;
    const count = rest.reduce((product, size) => product * size, 1);
    const known = target.reduce((product, size) => (size === -1 ? product : product * size), 1);
    const fits = free === 0 ? known === count : known > 0 && count % known === 0;
    if (!fits)
      settings.fail(`[${rest.join(', ')}] cannot become [${target.join(', ')}]: ${count} values and ${known} places.`);
    return x.reshape([batch, ...target.map((size) => (size === -1 ? count / known : size))]);
  };
});

const permute = rearranging((settings) => {
  const order = settings.wholes('dims');
  const isOrder = [...order].sort((a, b) => a - b).every((axis, k) => axis === k + 1);
  if (!isOrder) settings.wrong('dims', 'each axis from 1 once');
  return (x) => {
    if (x.rank !== order.length + 1)
      settings.fail(`dims names ${order.length} axes, the input has ${x.rank - 1} beside the batch.`);
    return x.permute([0, ...order]);
  };
});

const repeatVector = rearranging((settings) => {
  const times = settings.whole('n');
  return (x) => {
    if (x.rank !== 2) settings.fail(`takes [N, features], got [${x.shape.join(', ')}].`);
    return x.unsqueeze(1).expand([x.shape[0]!, times, x.shape[1]!]);
  };
});

/** What is cut or added on both sides of each axis: one number, one an axis, or two an axis. */
function sides(settings: Settings, name: string, rank: number): [number, number][] {
  const raw = settings.raw(name) ?? 1;
  const isAmount = (value: Json | undefined): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 24;
  const wrong = (): never => settings.wrong(name, `whole numbers for ${rank} axes`);
  if (isAmount(raw)) return Array.from({ length: rank }, () => [raw, raw]);
  if (!isList(raw)) return wrong();
  // one axis: [before, after]
  const list = rank === 1 && raw.length === 2 && raw.every(isAmount) ? [raw] : raw;
  if (list.length !== rank) return wrong();
  return list.map((amount): [number, number] => {
    if (isAmount(amount)) return [amount, amount];
    if (!isList(amount) || amount.length !== 2) return wrong();
    const [before, after] = amount;
    return isAmount(before) && isAmount(after) ? [before, after] : wrong();
  });
}

function cropping(rank: number): Builder {
  return (settings) => {
    const amounts = sides(settings, 'cropping', rank);
    return {
      module: null,
      variables: [],
      call: (inputs) => {
        const x = toSpace(settings, onlyInput(settings, inputs), rank);
        const left = amounts.map(([before, after], k) => x.shape[k + 2]! - before - after);
        if (left.some((size) => size < 1)) settings.fail(`nothing of [${x.shape.slice(2).join(', ')}] is left.`);
        const stops = amounts.map(([before], k) => before + left[k]!);
        return fromSpace(settings, x.slice([0, 0, ...amounts.map(([before]) => before)], [null, null, ...stops]));
      },
    };
  };
}

function zeroPadding(rank: number): Builder {
  return (settings) => {
    const amounts = sides(settings, 'padding', rank);
    return {
      module: null,
      variables: [],
      call: (inputs) => fromSpace(settings, padSpace(toSpace(settings, onlyInput(settings, inputs), rank), amounts)),
    };
  };
}

function upSampling(rank: 1 | 2 | 3): Builder {
  return (settings) => {
    const scaleFactor = settings.sizes('size', rank, 2);
    const mode = rank === 2 ? settings.word('interpolation', ['nearest', 'bilinear', 'bicubic'], 'nearest') : 'nearest';
    if (mode === 'bicubic') settings.wrong('interpolation', "'nearest' or 'bilinear'");
    return {
      module: null,
      variables: [],
      call: (inputs) => {
        const x = toSpace(settings, onlyInput(settings, inputs), rank);
        return fromSpace(
          settings,
          interpolate(x, { size: scaleFactor.map((factor, k) => factor * x.shape[k + 2]!), mode }),
        );
      },
    };
  };
}

/** Pictures [N, H, W, C], or one alone, in another size. */
function pictures(make: (settings: Settings) => (x: Tensor) => Tensor): Builder {
  return (settings) => {
    const apply = make(settings);
    return {
      module: null,
      variables: [],
      call: (inputs) => {
        const input = onlyInput(settings, inputs);
        requireRank(settings, input, 4);
        if (hasChannelsFirst(settings)) return asValue(apply(logical(input)));
        return asValue(apply(channelsFirst(input)), true);
      },
    };
  };
}

/** As tf.image.resize: centres of pixels, no smoothing. */
const resizing = pictures((settings) => {
  const size = [settings.whole('height'), settings.whole('width')];
  const mode: InterpolationMode = settings.word('interpolation', ['bilinear', 'nearest'], 'bilinear');
  for (const name of ['crop_to_aspect_ratio', 'pad_to_aspect_ratio', 'antialias']) {
    if (settings.flag(name, false)) settings.fail(`${name} is not read.`);
  }
  return (x) => interpolate(x.cast('float32'), { size, mode: mode === 'nearest' ? 'nearest-exact' : mode });
});

const centerCrop = pictures((settings) => {
  const size = [settings.whole('height'), settings.whole('width')];
  return (x) => {
    const starts = size.map((wanted, k) => Math.floor((x.shape[k + 2]! - wanted) / 2));
    if (starts.some((start) => start < 0))
      settings.fail(
        `the picture [${x.shape.slice(2).join(', ')}] is smaller than [${size.join(', ')}]; resize it first.`,
      );
    return x.slice([0, 0, ...starts], [null, null, ...starts.map((start, k) => start + size[k]!)]);
  };
});

export const rearrangingBuilders: Readonly<Record<string, Builder>> = {
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  RepeatVector: repeatVector,
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  Cropping3D: cropping(3),
  ZeroPadding1D: zeroPadding(1),
  ZeroPadding2D: zeroPadding(2),
  ZeroPadding3D: zeroPadding(3),
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
  UpSampling3D: upSampling(3),
  Resizing: resizing,
  CenterCrop: centerCrop,
};
