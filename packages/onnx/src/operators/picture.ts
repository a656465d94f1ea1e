/** Pictures: resizing in all of ONNX's modes, sampling at places, regions, and the choice among boxes that overlap. */
import { affineGrid, gridSample, type Tensor, tensor, where } from '@nn/core';
import { type Call, device, type Operator, type Result, type Steps } from '../run/call.ts';
import { hostTensor } from '../values/value.ts';

/** How one axis is resized. */
interface Resizing {
  readonly size: number;
  readonly out: number;
  readonly scale: number;
  /** The region of `tf_crop_and_resize`, from 0 to 1. */
  readonly region: readonly [number, number];
}

interface Settings {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubic: number;
  readonly excludesOutside: boolean;
  readonly antialias: boolean;
  readonly extrapolation: number;
}

/** Where element `k` of the result lies in the input. */
function sourceOf({ size, out, scale, region: [start, end] }: Resizing, coordinates: string, k: number): number {
  const length = scale * size;
  switch (coordinates) {
    case 'align_corners':
      return length <= 1 || out === 1 ? 0 : (k * (size - 1)) / (length - 1);
    case 'asymmetric':
      return k / scale;
    case 'pytorch_half_pixel':
      return out > 1 ? (k + 0.5) / scale - 0.5 : 0;
    case 'half_pixel_symmetric':
      return (size / 2) * (1 - out / length) + (k + 0.5) / scale - 0.5;
    case 'tf_half_pixel_for_nn':
      return (k + 0.5) / scale;
    case 'tf_crop_and_resize':
      return out > 1
        ? start * (size - 1) + (k * (end - start) * (size - 1)) / (out - 1)
        : 0.5 * (start + end) * (size - 1);
    default:
      return (k + 0.5) / scale - 0.5;
  }
}

function nearestOf(place: number, mode: string): number {
  if (mode === 'floor') return Math.floor(place);
  if (mode === 'ceil') return Math.ceil(place);
  if (mode === 'round_prefer_ceil') return Math.floor(place + 0.5);
  return Math.ceil(place - 0.5);
}

/** The cubic kernel of Keys 1981. */
function cubicAt(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

/** The neighbours that make up each element of the result, and their weights: one row a neighbour. */
function tapsOf(axis: Resizing, settings: Settings): { index: Int32Array; weight: Float32Array }[] {
  const { size, out } = axis;
  const radius = settings.mode === 'cubic' ? 2 : 1;
  // smoothing widens the kernel as much as the picture shrinks
  const shrink = settings.antialias ? Math.min(1, axis.scale) : 1;
  const first = Math.floor(-radius / shrink) + 1;
  const count = 2 - 2 * first;
  const taps = Array.from({ length: count }, () => ({ index: new Int32Array(out), weight: new Float32Array(out) }));
  for (let k = 0; k < out; k++) {
    const place = sourceOf(axis, settings.coordinates, k);
    const base = Math.floor(place);
    const ratio = place - base;
    const weights = taps.map((_, tap) => {
      const x = (first + tap - ratio) * shrink;
      return radius === 2 ? cubicAt(x, settings.cubic) : Math.max(0, 1 - Math.abs(x));
    });
    const indices = taps.map((_, tap) => base + first + tap);
    if (settings.excludesOutside) {
      for (const [tap, at] of indices.entries()) if (at < 0 || at >= size) weights[tap] = 0;
    }
    const total = settings.excludesOutside || settings.antialias ? weights.reduce((sum, weight) => sum + weight, 0) : 1;
    taps.forEach(({ index, weight }, tap) => {
      index[k] = Math.max(0, Math.min(size - 1, indices[tap]!));
      weight[k] = weights[tap]! / total;
    });
  }
  return taps.filter(({ weight }) => weight.some((value) => value !== 0));
}

/** A vector along one axis. */
const along = (values: Float32Array | Int32Array, axis: number, rank: number): Tensor =>
  tensor(values).reshape(Array.from({ length: rank }, (_, k) => (k === axis ? values.length : 1)));

function resizeAxis(x: Tensor, at: number, axis: Resizing, settings: Settings): Tensor {
  if (settings.mode === 'nearest') {
    const index = Int32Array.from({ length: axis.out }, (_, k) =>
      Math.max(0, Math.min(axis.size - 1, nearestOf(sourceOf(axis, settings.coordinates, k), settings.nearest))),
    );
    return repeatedRows(x, at, index) ?? x.gather(tensor(index), at);
  }
  let y: Tensor | null = null;
  for (const { index, weight } of tapsOf(axis, settings)) {
    const piece = x.gather(tensor(index), at).mul(along(weight, at, x.rank));
    y = y === null ? piece : y.add(piece);
  }
  return y ?? x;
}

/** Each row the same number of times is a view. */
function repeatedRows(x: Tensor, at: number, index: Int32Array): Tensor | null {
  const size = x.shape[at]!;
  const times = index.length / size;
  if (!Number.isInteger(times) || !index.every((value, k) => value === Math.floor(k / times))) return null;
  const wide = [...x.shape.slice(0, at + 1), times, ...x.shape.slice(at + 1)];
  return x
    .unsqueeze(at + 1)
    .expand(wide)
    .reshape(x.shape.with(at, size * times));
}

function* resize(call: Call): Steps<Result> {
  const value = call.value(0);
  const x = value.tensor.cast('float32');
  const rank = x.rank;
  const isFirst = call.node.operator === 'Upsample' || call.version < 11;
  const axes = call.axes(
    call.integers(
      'axes',
      x.shape.map((_, k) => k),
    ),
    rank,
  );
  const scales = yield* listAt(call, 'scales', isFirst ? 1 : 2);
  const sizes = isFirst ? null : yield* listAt(call, '', 3);
  const region = isFirst ? null : yield* listAt(call, '', 1);
  const settings: Settings = {
    mode: call.text('mode', 'nearest').replace('bilinear', 'linear'),
    coordinates: call.text('coordinate_transformation_mode', isFirst ? 'asymmetric' : 'half_pixel'),
    nearest: call.text('nearest_mode', isFirst ? 'floor' : 'round_prefer_floor'),
    cubic: call.float('cubic_coeff_a', -0.75),
    excludesOutside: call.flag('exclude_outside'),
    antialias: call.flag('antialias'),
    extrapolation: call.float('extrapolation_value', 0),
  };
  if (!['nearest', 'linear', 'cubic'].includes(settings.mode))
    throw call.error(`mode is '${settings.mode}': nearest, linear and cubic are known.`);
  const policy = call.text('keep_aspect_ratio_policy', 'stretch');
  const ratios = sizes === null ? [] : axes.map((axis, k) => sizes[k]! / x.shape[axis]!);
  const common = policy === 'not_larger' ? Math.min(...ratios) : policy === 'not_smaller' ? Math.max(...ratios) : null;
  let y = x;
  let outside: Tensor | null = null;
  for (const [k, axis] of axes.entries()) {
    const size = x.shape[axis]!;
    let scale = scales?.[k] ?? ratios[k] ?? 1;
    let out = sizes === null ? Math.floor(size * scale + 1e-6) : sizes[k]!;
    if (common !== null) {
      scale = common;
      out = Math.round(common * size);
    } else if (sizes !== null) scale = out / size;
    const step: Resizing = { size, out, scale, region: [region?.[k] ?? 0, region?.[k + axes.length] ?? 1] };
    const isCropped = settings.coordinates === 'tf_crop_and_resize';
    if (out === size && scale === 1 && !isCropped) continue;
    y = resizeAxis(y, axis, step, settings);
    if (isCropped) {
      const places = Float32Array.from({ length: out }, (_, at) => {
        const place = sourceOf(step, settings.coordinates, at);
        return place < 0 || place > size - 1 ? 1 : 0;
      });
      const flags = along(places, axis, rank).greater(0);
      outside = outside === null ? flags : outside.logicalOr(flags);
    }
  }
  if (outside !== null) y = where(outside, settings.extrapolation, y);
  return device(value.type, value.tensor.dtype === 'float32' ? y : y.round());
}

/** A list of an input or an attribute; an empty one is none. */
function* listAt(call: Call, name: string, position: number): Steps<readonly number[] | null> {
  const found = call.has(position) ? yield* call.hostList(position) : [...call.floats(name, [])];
  return found.length === 0 ? null : found;
}

function sample(call: Call): Result {
  const mode = call.text('mode', 'linear').replace('bilinear', 'linear').replace('bicubic', 'cubic');
  const named = ({ linear: 'bilinear', cubic: 'bicubic', nearest: 'nearest' } as const)[mode];
  const padding = ({ zeros: 'zeros', border: 'border', reflection: 'reflection' } as const)[
    call.text('padding_mode', 'zeros')
  ];
  if (named === undefined || padding === undefined) throw call.error(`mode '${mode}' is not known.`);
  return device(
    call.type(0),
    gridSample(call.tensor(0), call.tensor(1), {
      mode: named,
      paddingMode: padding,
      alignCorners: call.flag('align_corners'),
    }),
  );
}

function* grid(call: Call): Steps<Result> {
  return device(
    call.type(0),
    affineGrid(call.tensor(0), yield* call.hostList(1), { alignCorners: call.flag('align_corners') }),
  );
}

type Box = readonly [number, number, number, number];

/** The part of two boxes [y1, x1, y2, x2] that they share, of all that they cover. */
function overlap(a: Box, b: Box): number {
  const height = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const width = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const both = height * width;
  const area = (box: Box): number => (box[2] - box[0]) * (box[3] - box[1]);
  const all = area(a) + area(b) - both;
  return all <= 0 ? 0 : both / all;
}

/** The best boxes of each class, without those that overlap a better one too much. */
function* suppress(call: Call): Steps<Result> {
  const boxes = yield* call.host(0);
  const scores = yield* call.host(1);
  const most = call.has(2) ? ((yield* call.host(2)).data[0] ?? 0) : 0;
  const threshold = call.has(3) ? ((yield* call.host(3)).data[0] ?? 0) : 0;
  const least = call.has(4) ? ((yield* call.host(4)).data[0] ?? 0) : Number.NEGATIVE_INFINITY;
  const isCentred = call.integer('center_point_box', 0) === 1;
  const [batches, classes, count] = scores.shape as [number, number, number];
  const boxAt = (batch: number, k: number): Box => {
    const at = (batch * count + k) * 4;
    const [a = 0, b = 0, c = 0, d = 0] = boxes.data.subarray(at, at + 4);
    if (isCentred) return [b - d / 2, a - c / 2, b + d / 2, a + c / 2];
    return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
  };
  const chosen: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    for (let kind = 0; kind < classes; kind++) {
      const score = (k: number): number => scores.data[(batch * classes + kind) * count + k]!;
      const order = Array.from({ length: count }, (_, k) => k).filter((k) => score(k) > least);
      order.sort((a, b) => score(b) - score(a) || a - b);
      const kept: Box[] = [];
      for (const k of order) {
        if (kept.length >= most) break;
        const box = boxAt(batch, k);
        if (kept.some((other) => overlap(box, other) > threshold)) continue;
        kept.push(box);
        chosen.push(batch, kind, k);
      }
    }
  }
  return hostTensor('int64', [chosen.length / 3, 3], chosen);
}

/** Means or maxima of points in regions of pictures (He et al. 2017). Computed on the host: regions decide what is read. */
function* regions(call: Call): Steps<Result> {
  const x = yield* call.host(0);
  const rois = yield* call.host(1);
  const pictures = yield* call.host(2);
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const rows = call.integer('output_height', 1);
  const columns = call.integer('output_width', 1);
  const scale = call.float('spatial_scale', 1);
  const ratio = call.integer('sampling_ratio', 0);
  const isMax = call.text('mode', 'avg') === 'max';
  const isHalf = call.version >= 16 && call.text('coordinate_transformation_mode', 'half_pixel') === 'half_pixel';
  const count = rois.shape[0]!;
  const data = new Float32Array(count * channels * rows * columns);
  const read = (base: number, y: number, x0: number): readonly number[] => {
    if (y < -1 || y > height || x0 < -1 || x0 > width) return [0, 0, 0, 0];
    const [cy, cx] = [Math.max(0, y), Math.max(0, x0)];
    const [top, left] = [Math.min(height - 1, Math.floor(cy)), Math.min(width - 1, Math.floor(cx))];
    const [bottom, right] = [Math.min(height - 1, top + 1), Math.min(width - 1, left + 1)];
    const fy = top === bottom ? 0 : cy - top;
    const fx = left === right ? 0 : cx - left;
    const at = (r: number, c: number): number => x.data[base + r * width + c]!;
    return [
      (1 - fy) * (1 - fx) * at(top, left),
      (1 - fy) * fx * at(top, right),
      fy * (1 - fx) * at(bottom, left),
      fy * fx * at(bottom, right),
    ];
  };
  let to = 0;
  for (let roi = 0; roi < count; roi++) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = Array.from(
      rois.data.subarray(roi * 4, roi * 4 + 4),
      (value) => value * scale - (isHalf ? 0.5 : 0),
    );
    const [h, w] = isHalf ? [y2 - y1, x2 - x1] : [Math.max(1, y2 - y1), Math.max(1, x2 - x1)];
    const [down, across] = ratio > 0 ? [ratio, ratio] : [Math.ceil(h / rows), Math.ceil(w / columns)];
    for (let c = 0; c < channels; c++) {
      const base = ((pictures.data[roi] ?? 0) * channels + c) * height * width;
      for (let r = 0; r < rows; r++) {
        for (let k = 0; k < columns; k++) {
          let total = isMax ? Number.NEGATIVE_INFINITY : 0;
          for (let i = 0; i < down; i++) {
            for (let j = 0; j < across; j++) {
              const corners = read(
                base,
                y1 + (r + (i + 0.5) / down) * (h / rows),
                x1 + (k + (j + 0.5) / across) * (w / columns),
              );
              // the maximum is over the weighed corners, as onnxruntime has it
              total = isMax
                ? Math.max(total, ...corners)
                : total + corners[0]! + corners[1]! + corners[2]! + corners[3]!;
            }
          }
          data[to++] = isMax ? total : total / Math.max(1, down * across);
        }
      }
    }
  }
  return hostTensor('float32', [count, channels, rows, columns], data);
}

export const picture: Readonly<Record<string, Operator>> = {
  Resize: resize,
  Upsample: resize,
  GridSample: sample,
  AffineGrid: grid,
  NonMaxSuppression: suppress,
  RoiAlign: regions,
};
