/** Convolutions and pooling of one to three axes of space, with every kind of padding that ONNX has. */
import {
  averagePool,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  fold,
  gridSample,
  maxPool,
  maxPoolWithIndices,
  maxUnpool,
  stack,
  type Tensor,
  tensor,
} from '@nn/core';
import { type Call, device, type Operator, type Result, type Steps } from '../run/call.ts';
import { sizeOf } from '../values/value.ts';
import { narrow } from './movement.ts';
import { areWindows, realWindows } from './whole-products.ts';

type Amounts = [before: number, after: number][];

export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly pads: Amounts;
}

/** How a window of `kernel` moves over `space`: strides, gaps and the padding that the node asks for. */
export function windowOf(call: Call, kernel: readonly number[], space: readonly number[]): Window {
  const all = (value: number): number[] => kernel.map(() => value);
  const stride = call.integers('strides', all(1));
  const dilation = call.integers('dilations', all(1));
  return { kernel, stride, dilation, pads: padding(call, kernel, space, stride, dilation) };
}

function padding(
  call: Call,
  kernel: readonly number[],
  space: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Amounts {
  const auto = call.text('auto_pad', 'NOTSET');
  if (auto === 'NOTSET' || auto === '') {
    const pads = call.integers('pads', new Array<number>(2 * kernel.length).fill(0));
    return kernel.map((_, axis) => [pads[axis] ?? 0, pads[axis + kernel.length] ?? 0]);
  }
  if (auto === 'VALID') return kernel.map(() => [0, 0]);
  return kernel.map((size, axis) => {
    const step = stride[axis]!;
    const out = Math.ceil(space[axis]! / step);
    const total = Math.max(0, (out - 1) * step + (size - 1) * dilation[axis]! + 1 - space[axis]!);
    const half = Math.floor(total / 2);
    return auto === 'SAME_LOWER' ? [total - half, half] : [half, total - half];
  });
}

const isEven = (pads: Amounts): boolean => pads.every(([before, after]) => before === after);

/** x with padding around its axes of space. */
function padded(x: Tensor, pads: Amounts, value = 0): Tensor {
  if (pads.every(([before, after]) => before === 0 && after === 0)) return x;
  return x.pad([...x.shape.slice(0, -pads.length).map((): [number, number] => [0, 0]), ...pads], value);
}

function byRank<T>(call: Call, rank: number, choices: readonly T[]): T {
  const found = choices[rank - 1];
  if (found === undefined) throw call.shapeError(`inputs with ${rank} axes of space are not supported: 1 to 3 are.`);
  return found;
}

/** A bias [channels] beside [N, channels, ...space]. */
export function biased(y: Tensor, bias: Tensor | null): Tensor {
  return bias === null ? y : y.add(bias.reshape([bias.size, ...new Array<number>(y.rank - 2).fill(1)]));
}

function convolve(call: Call): Result {
  const y = convolvedBytes(call) ?? convolved(call, call.tensor(0), call.tensor(1));
  return device(call.type(0), biased(y, call.optionalTensor(2)));
}

/** The convolution of bytes, where both operands are made of them; null otherwise. */
function convolvedBytes(call: Call): Tensor | null {
  const [x, weight] = [call.whole(0), call.whole(1)];
  if (x === null || weight === null || !areWindows(x, weight) || x.shape.length > 5) return null;
  return realWindows(x, weight, windowOf(call, weight.shape.slice(2), x.shape.slice(2)), call.integer('group', 1));
}

/** The convolution that a node's attributes ask for. */
export function convolved(call: Call, x: Tensor, weight: Tensor): Tensor {
  const space = x.shape.slice(2);
  const { stride, dilation, pads } = windowOf(call, weight.shape.slice(2), space);
  const conv = byRank(call, space.length, [conv1d, conv2d, conv3d]);
  const isSame = isEven(pads);
  const input = isSame ? x : padded(x, pads);
  return conv(input, weight, {
    stride,
    dilation,
    padding: isSame ? pads.map(([before]) => before) : 0,
    groups: call.integer('group', 1),
  });
}

function convolveTransposed(call: Call): Result {
  const [x, weight] = [call.tensor(0), call.tensor(1)];
  const space = x.shape.slice(2);
  const kernel = weight.shape.slice(2);
  const all = (value: number): number[] => kernel.map(() => value);
  const stride = call.integers('strides', all(1));
  const dilation = call.integers('dilations', all(1));
  const more = call.integers('output_padding', all(0));
  const asked = call.integersOrNull('output_shape');
  const full = kernel.map((size, axis) => (space[axis]! - 1) * stride[axis]! + (size - 1) * dilation[axis]! + 1);
  const auto = call.text('auto_pad', 'NOTSET');
  const isAutomatic = auto.startsWith('SAME');
  let pads: Amounts;
  if (asked !== null || isAutomatic) {
    const sizes = asked === null ? space.map((size, axis) => size * stride[axis]!) : asked.slice(-kernel.length);
    pads = full.map((size, axis) => {
      const total = size + more[axis]! - sizes[axis]!;
      const half = Math.floor(total / 2);
      return auto === 'SAME_UPPER' ? [half, total - half] : [total - half, half];
    });
  } else pads = padding(call, kernel, space, stride, dilation);
  const transposed = byRank(call, space.length, [convTranspose1d, convTranspose2d, convTranspose3d]);
  let y = transposed(x, weight, { stride, dilation, groups: call.integer('group', 1) });
  pads.forEach(([before, after], k) => {
    const axis = k + 2;
    const end = after - more[k]!;
    if (end < 0 || before < 0) {
      const amounts = y.shape.map((_, at): [number, number] =>
        at === axis ? [Math.max(0, -before), Math.max(0, -end)] : [0, 0],
      );
      y = y.pad(amounts);
    }
    y = narrow(y, axis, Math.max(0, before), y.shape[axis]! - Math.max(0, end));
  });
  return device(call.type(0), biased(y, call.optionalTensor(2)));
}

/** What a pooling node does: as many windows as fit, or as begin inside where `ceil_mode` rounds up. */
interface Pooling extends Window {
  readonly out: readonly number[];
  /** The padding that makes the windows fit, beyond what was asked for. */
  readonly extra: Amounts;
}

function poolingOf(call: Call, x: Tensor): Pooling {
  const kernel = call.integers('kernel_shape', []);
  const space = x.shape.slice(2);
  const window = windowOf(call, kernel, space);
  const { stride, dilation, pads } = window;
  const isCeil = call.flag('ceil_mode');
  const out = kernel.map((size, axis) => {
    const [before, after] = pads[axis]!;
    const room = space[axis]! + before + after - ((size - 1) * dilation[axis]! + 1);
    const count = (isCeil ? Math.ceil(room / stride[axis]!) : Math.floor(room / stride[axis]!)) + 1;
    // no window begins in the padding behind
    return isCeil && (count - 1) * stride[axis]! >= space[axis]! + before ? count - 1 : count;
  });
  if (out.some((size) => size < 1))
    throw call.shapeError(`windows of [${kernel.join(', ')}] do not fit into [${space.join(', ')}].`);
  const extra = kernel.map((size, axis): [number, number] => {
    const [before] = pads[axis]!;
    const needed = (out[axis]! - 1) * stride[axis]! + (size - 1) * dilation[axis]! + 1;
    return [before, needed - space[axis]! - before];
  });
  return { ...window, out, extra };
}

/** x in exactly the length that the windows walk over. */
function fitted(x: Tensor, { extra }: Pooling, value: number): Tensor {
  const y = padded(
    x,
    extra.map(([before, after]) => [before, Math.max(0, after)]),
    value,
  );
  return extra.reduce((t, [, after], k) => (after < 0 ? narrow(t, k + 2, 0, t.shape[k + 2]! + after) : t), y);
}

function maxPooling(call: Call): Result {
  const x = call.tensor(0);
  const real = x.dtype === 'float32' ? x : x.cast('float32');
  const pool = poolingOf(call, x);
  const { kernel, stride, dilation, extra } = pool;
  const fits = isEven(extra) && extra.every(([before], axis) => before <= kernel[axis]! / 2 && before >= 0);
  const input = fits ? real : fitted(real, pool, Number.NEGATIVE_INFINITY);
  const options = { size: kernel, stride, dilation, padding: fits ? extra.map(([before]) => before) : 0 };
  if (!call.wants(1)) return device(call.type(0), maxPool(input, options));
  const { values, indices } = maxPoolWithIndices(input, options);
  const space = x.shape.slice(2);
  let at = indices;
  if (!fits) {
    // positions in the padded picture as positions in the picture
    const sizes = input.shape.slice(2);
    const places = placesOf(indices, sizes).map((place, axis) => place.sub(extra[axis]![0]));
    at = flatOf(places, space);
  }
  if (call.integer('storage_order', 0) === 1) at = flatOf(placesOf(at, space).reverse(), [...space].reverse());
  const [batch, channels] = x.shape as [number, number];
  const rows = tensor(Int32Array.from({ length: batch * channels }, (_, k) => k * sizeOf(space)));
  const all = at.add(rows.reshape([batch, channels, ...space.map(() => 1)]));
  return [device(call.type(0), values), device('int64', all)];
}

/** Flat positions as one place an axis. */
function placesOf(flat: Tensor, sizes: readonly number[]): Tensor[] {
  const places: Tensor[] = [];
  let rest = flat;
  for (const size of sizes.toReversed()) {
    places.unshift(rest.floorMod(size));
    rest = rest.floorDiv(size);
  }
  return places;
}

function flatOf(places: readonly Tensor[], sizes: readonly number[]): Tensor {
  return places.reduce((flat, place, axis) => flat.mul(sizes[axis]!).add(place));
}

/** How many elements each window has inside of the picture (or of its padding, where that counts), for one axis. */
function counts(
  { kernel, stride, dilation, pads, out }: Pooling,
  space: readonly number[],
  axis: number,
  withPads: boolean,
): Float32Array {
  const [before, after] = pads[axis]!;
  const low = withPads ? -before : 0;
  const high = space[axis]! + (withPads ? after : 0);
  return Float32Array.from({ length: out[axis]! }, (_, k) => {
    let count = 0;
    for (let tap = 0; tap < kernel[axis]!; tap++) {
      const at = k * stride[axis]! - before + tap * dilation[axis]!;
      if (at >= low && at < high) count++;
    }
    return count;
  });
}

/** Sums of windows. */
function sums(x: Tensor, pool: Pooling): Tensor {
  const { kernel, stride, dilation } = pool;
  return averagePool(fitted(x, pool, 0), { size: kernel, stride, dilation }).mul(sizeOf(kernel));
}

function averagePooling(call: Call): Result {
  const x = call.tensor(0);
  const pool = poolingOf(call, x);
  const { kernel, stride, dilation, extra } = pool;
  const withPads = call.flag('count_include_pad');
  const isPlain = extra.every(([before, after]) => before === 0 && after <= 0);
  if (isPlain) return device(call.type(0), averagePool(fitted(x, pool, 0), { size: kernel, stride, dilation }));
  const space = x.shape.slice(2);
  let y = sums(x, pool);
  kernel.forEach((_, axis) => {
    const inverse = counts(pool, space, axis, withPads).map((count) => 1 / Math.max(1, count));
    if (inverse.every((value) => value === inverse[0])) y = y.mul(inverse[0]!);
    else y = y.mul(tensor(inverse).reshape(y.shape.map((size, k) => (k === axis + 2 ? size : 1))));
  });
  return device(call.type(0), y);
}

function lpPooling(call: Call): Result {
  const order = call.integer('p', 2);
  const x = call.tensor(0);
  return device(
    call.type(0),
    sums(x.abs().pow(order), poolingOf(call, x))
      .maximum(0)
      .pow(1 / order),
  );
}

/** All of space as one element. */
function global(pool: (x: Tensor, axes: number[]) => Tensor): Operator {
  return (call) => {
    const x = call.tensor(0);
    return device(
      call.type(0),
      pool(
        x,
        x.shape.slice(2).map((_, k) => k + 2),
      ),
    );
  };
}

function globalLp(call: Call): Result {
  const order = call.integer('p', 2);
  const x = call.tensor(0);
  const axes = x.shape.slice(2).map((_, k) => k + 2);
  return device(
    call.type(0),
    x
      .abs()
      .pow(order)
      .sum(axes, { keepAxes: true })
      .pow(1 / order),
  );
}

function* unpool(call: Call): Steps<Result> {
  const x = call.tensor(0);
  const kernel = call.integers('kernel_shape', []);
  const stride = call.integers(
    'strides',
    kernel.map(() => 1),
  );
  const pads = call.integers('pads', new Array<number>(2 * kernel.length).fill(0));
  const space = x.shape.slice(2);
  const usual = space.map(
    (size, axis) => (size - 1) * stride[axis]! + kernel[axis]! - pads[axis]! - pads[axis + kernel.length]!,
  );
  // indices count over the usual size, whatever the output is made larger to
  const [batch, channels] = x.shape as [number, number];
  const rows = tensor(Int32Array.from({ length: batch * channels }, (_, k) => k * sizeOf(usual)));
  const local = call.tensor(1).sub(rows.reshape([batch, channels, ...space.map(() => 1)]));
  const y = maxUnpool(x, local, usual);
  if (!call.has(2)) return device(call.type(0), y);
  const wanted = yield* call.hostList(2);
  return device(call.type(0), y.pad(y.shape.map((size, k): [number, number] => [0, Math.max(0, wanted[k]! - size)])));
}

/** Columns of patches added up to pictures. */
function* columnsToImage(call: Call): Steps<Result> {
  const x = call.tensor(0);
  const image = yield* call.hostList(1);
  const block = yield* call.hostList(2);
  const all = (value: number): number[] => block.map(() => value);
  const pads = call.integers('pads', new Array<number>(2 * block.length).fill(0));
  const stride = call.integers('strides', all(1));
  const dilation = call.integers('dilations', all(1));
  const before = pads.slice(0, block.length);
  const wide = image.map((size, axis) => size + before[axis]! + pads[axis + block.length]!);
  let y: Tensor;
  if (block.length === 2) y = fold(x, { outputSize: wide, size: block, stride, dilation });
  else y = folded(x, wide, block, stride, dilation);
  image.forEach((size, axis) => {
    y = narrow(y, axis + 2, before[axis]!, before[axis]! + size);
  });
  return device(call.type(0), y);
}

/** The same for any number of axes, one place of the block after another. */
function folded(
  x: Tensor,
  wide: readonly number[],
  block: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Tensor {
  const [batch, rows] = x.shape as [number, number];
  const channels = rows / sizeOf(block);
  const out = wide.map(
    (size, axis) => Math.floor((size - (block[axis]! - 1) * dilation[axis]! - 1) / stride[axis]!) + 1,
  );
  const columns = x.reshape([batch, channels, sizeOf(block), ...out]);
  let total: Tensor | null = null;
  for (let tap = 0; tap < sizeOf(block); tap++) {
    let rest = tap;
    const place = block
      .toReversed()
      .map((size) => {
        const at = rest % size;
        rest = Math.floor(rest / size);
        return at;
      })
      .reverse();
    let piece = narrow(columns, 2, tap, tap + 1).squeeze(2);
    out.forEach((count, axis) => {
      const step = stride[axis]!;
      const at = axis + 2;
      // zeros between the elements, then around them
      if (step > 1) {
        const spaced = piece
          .unsqueeze(at + 1)
          .pad(Array.from({ length: piece.rank + 1 }, (_, k): [number, number] => [0, k === at + 1 ? step - 1 : 0]));
        piece = narrow(spaced.reshape(piece.shape.with(at, count * step)), at, 0, (count - 1) * step + 1);
      }
      const start = place[axis]! * dilation[axis]!;
      piece = piece.pad(
        piece.shape.map((size, k): [number, number] => (k === at ? [start, wide[axis]! - start - size] : [0, 0])),
      );
    });
    total = total === null ? piece : total.add(piece);
  }
  return total ?? x;
}

/** A convolution that reads each tap beside its place, by an offset that is learned, and weighs it by a mask. */
function deformed(call: Call): Result {
  const [x, weight, offsets] = [call.tensor(0), call.tensor(1), call.tensor(2)];
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [outputs, perGroup, rows, columns] = weight.shape as [number, number, number, number];
  const { stride, dilation, pads } = windowOf(call, [rows, columns], [height, width]);
  const groups = call.integer('group', 1);
  const parts = call.integer('offset_group', 1);
  const [outHeight, outWidth] = offsets.shape.slice(2) as [number, number];
  const taps = rows * columns;
  const moved = offsets.reshape([batch, parts, taps, 2, outHeight, outWidth]);
  // where each tap would stand, in elements
  const still = (axis: 0 | 1, shape: number[]): Tensor => {
    const size = axis === 0 ? outHeight : outWidth;
    const values = new Float32Array(taps * size);
    for (let tap = 0; tap < taps; tap++) {
      const k = axis === 0 ? Math.floor(tap / columns) : tap % columns;
      for (let i = 0; i < size; i++) values[tap * size + i] = i * stride[axis]! - pads[axis]![0] + k * dilation[axis]!;
    }
    return tensor(values).reshape(shape);
  };
  const y = narrow(moved, 3, 0, 1)
    .squeeze(3)
    .add(still(0, [taps, outHeight, 1]));
  const xs = narrow(moved, 3, 1, 2)
    .squeeze(3)
    .add(still(1, [taps, 1, outWidth]));
  // gridSample counts from -1 to 1, between the centres of the first and last element
  const unit = (place: Tensor, size: number): Tensor => (size === 1 ? place.mul(2) : place.mul(2 / (size - 1)).sub(1));
  const input =
    height === 1 || width === 1
      ? x.pad([
          [0, 0],
          [0, 0],
          [0, height === 1 ? 1 : 0],
          [0, width === 1 ? 1 : 0],
        ])
      : x;
  const grid = stack([unit(xs, Math.max(2, width)), unit(y, Math.max(2, height))], -1);
  const pictures = input.reshape([batch * parts, channels / parts, input.shape[2]!, input.shape[3]!]);
  const shifted = size1(grid.reshape([batch * parts, taps * outHeight, outWidth, 2]), height, width);
  let sampled = gridSample(pictures, shifted, { alignCorners: true }).reshape([
    batch,
    parts,
    channels / parts,
    taps,
    outHeight,
    outWidth,
  ]);
  const mask = call.optionalTensor(4);
  if (mask !== null) sampled = sampled.mul(mask.reshape([batch, parts, 1, taps, outHeight, outWidth]));
  const patches = sampled.reshape([batch, groups, perGroup * taps, outHeight * outWidth]);
  const kernels = weight.reshape([groups, outputs / groups, perGroup * taps]);
  const result = kernels.matmul(patches).reshape([batch, outputs, outHeight, outWidth]);
  return device(call.type(0), biased(result, call.optionalTensor(3)));
}

/** Pictures of one row or column were given a second one, of zeros: their places count from the first. */
function size1(grid: Tensor, height: number, width: number): Tensor {
  if (height > 1 && width > 1) return grid;
  const shift = tensor([width === 1 ? -1 : 0, height === 1 ? -1 : 0]);
  return grid.add(shift);
}

/** Channels normalised by their neighbours: x / (bias + alpha / size * sum of squares)^beta. */
function localResponse(call: Call): Result {
  const x = call.tensor(0);
  const size = call.integer('size', 1);
  const before = Math.floor((size - 1) / 2);
  const squares = x.square();
  const spread = squares.pad(
    x.shape.map((_, axis): [number, number] => (axis === 1 ? [before, size - 1 - before] : [0, 0])),
  );
  let total: Tensor | null = null;
  for (let k = 0; k < size; k++) {
    const piece = narrow(spread, 1, k, k + x.shape[1]!);
    total = total === null ? piece : total.add(piece);
  }
  const scale = (total ?? squares).mul(call.float('alpha', 0.0001) / size).add(call.float('bias', 1));
  return device(call.type(0), x.div(scale.pow(call.float('beta', 0.75))));
}

/** A convolution along time that sees the past only, and hands its last inputs on. */
function causalConv(call: Call): Result {
  const [x, weight] = [call.tensor(0), call.tensor(1)];
  const past = call.optionalTensor(3);
  const width = weight.shape.at(-1)!;
  const padWith = past === null || past.size === 0 ? null : past;
  const all =
    padWith === null
      ? x.pad([
          [0, 0],
          [0, 0],
          [width - 1, 0],
        ])
      : concat([padWith, x], 2);
  let y = biased(conv1d(all, weight, { groups: x.shape[1]! }), call.optionalTensor(2));
  const activation = call.text('activation', 'none').toLowerCase();
  if (activation === 'silu' || activation === 'swish') y = y.silu();
  else if (activation !== 'none' && activation !== '')
    throw call.error(`activation is '${activation}': none, silu and swish are known.`);
  const length = all.shape[2]!;
  return [device(call.type(0), y), device(call.type(0), narrow(all, 2, length - (width - 1), length))];
}

export const convolution: Readonly<Record<string, Operator>> = {
  Conv: convolve,
  ConvTranspose: convolveTransposed,
  DeformConv: deformed,
  CausalConvWithState: causalConv,
  MaxPool: maxPooling,
  AveragePool: averagePooling,
  LpPool: lpPooling,
  GlobalAveragePool: global((x, axes) => x.mean(axes, { keepAxes: true })),
  GlobalMaxPool: global((x, axes) => x.max(axes, { keepAxes: true })),
  GlobalLpPool: globalLp,
  MaxUnpool: unpool,
  Col2Im: columnsToImage,
  LRN: localResponse,
};
