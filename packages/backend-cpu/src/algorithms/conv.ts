/**
 * Convolutions and their two gradients, for any number of space axes, through the one matrix product. In an image that is
 * padded with zeros, the element under kernel element k at output position p lies at `kernelPlaces[k] + outputPlaces[p]`:
 * tables again, and no bounds to check. `W` below is the weight as a matrix, `X` the image seen through both tables.
 */
import type { Hint, Kernel, Shape } from '@nn/core';
import type { KernelFunction } from '../host/call.ts';
import type { Making } from '../host/making.ts';
import type { Temporary } from '../host/region.ts';
import { sizeOf, stridesOf } from '../shape.ts';
import { placesOf } from './contraction.ts';
import { Gemm } from './gemm.ts';
import { wideRead } from './operand.ts';
import { floatSums } from './sums.ts';

type Conv = Extract<Hint, { kind: 'conv' }>;

/** The kernel, or null where the plain loops must do (integers, negative padding). */
export function conv(kernel: Kernel, hint: Conv, making: Making): KernelFunction | null {
  const { input, weight, output, form } = hint;
  const shapes = { forward: [input, weight], input: [output, weight], weight: [input, output] }[form];
  if (kernel.reduce?.dtype !== 'float32' || kernel.reduce.op !== 'sum') return null;
  if (hint.padding.some((before) => before < 0)) return null;
  const [a, b] = shapes.map((shape, read) => wideRead(kernel, read, sizeOf(shape), making));
  if (!a || !b) return null;
  const geometry = new Geometry(hint);
  const target = { forward: hint.output, input: hint.input, weight: hint.weight }[hint.form];
  const sums = floatSums(kernel, making);
  // Inside a box the strides are known for the axes as core wrote them, which must then be those of the target.
  if (sums.based && kernel.domain.join() !== target.join()) return null;
  const strides = sums.based ? sums.strides : stridesOf(target);
  const compute = { forward, input: inputGradient, weight: weightGradient }[hint.form](geometry, strides, making);
  return (call) => {
    compute(a.array(call), a.base(call), b.array(call), b.base(call), sums.array(call), sums.base(call));
    sums.finish(call);
  };
}

/** Reads the kernel's two arrays from their bases on, and writes sums from `outBase` on. */
type Compute = (
  a: Float32Array,
  aBase: number,
  b: Float32Array,
  bBase: number,
  out: Float32Array,
  outBase: number,
) => void;

/** The sizes and tables of a convolution; `images` are its input's. */
class Geometry {
  readonly images: number;
  readonly groups: number;
  /** Channels of the image and of the output in one group. */
  readonly channels: number;
  readonly filters: number;
  /** Positions of the image, of the padded image, and of the output, in one channel. */
  readonly space: number;
  readonly padded: number;
  readonly positions: number;
  /** Elements of the weight for one filter. */
  readonly taps: number;
  /** Whether an image is its own padded image. */
  readonly bare: boolean;
  readonly inSpace: Shape;
  readonly outSpace: Shape;
  readonly kernelSpace: Shape;
  readonly kernelPlaces: Int32Array;
  readonly outputPlaces: Int32Array;
  /** The place of each element of a channel in the padded channel. */
  readonly interior: Int32Array;

  constructor({ input, weight, output, stride, dilation, padding, groups }: Conv) {
    const space = input.slice(2);
    const kernel = weight.slice(2);
    const out = output.slice(2);
    this.inSpace = space;
    this.outSpace = out;
    this.kernelSpace = kernel;
    this.images = input[0]!;
    this.groups = groups;
    this.channels = input[1]! / groups;
    this.filters = output[1]! / groups;
    const paddedShape = space.map((extent, axis) =>
      Math.max(extent + padding[axis]!, (out[axis]! - 1) * stride[axis]! + (kernel[axis]! - 1) * dilation[axis]! + 1),
    );
    this.space = sizeOf(space);
    this.padded = sizeOf(paddedShape);
    this.positions = sizeOf(out);
    this.taps = this.channels * sizeOf(kernel);
    this.bare = this.padded === this.space && padding.every((before) => before === 0);
    const strides = stridesOf(paddedShape);
    const steps = (by: Shape): number[] => strides.map((step, axis) => step * by[axis]!);
    this.kernelPlaces = placesOf([this.channels, ...kernel], [this.padded, ...steps(dilation)]);
    this.outputPlaces = placesOf(out, steps(stride));
    const first = strides.reduce((sum, step, axis) => sum + step * padding[axis]!, 0);
    this.interior = placesOf(space, strides).map((place) => place + first);
  }

  /** Elements of one image, of all groups. */
  get imageSize(): number {
    return this.groups * this.channels * this.space;
  }

  /** Elements of one output image, of all groups. */
  get outputSize(): number {
    return this.groups * this.filters * this.positions;
  }
}

/** The padded copy of one image at a time, or the images themselves where none is needed. */
class PaddedImage {
  readonly #geometry: Geometry;
  readonly #copy: Temporary<Float32Array> | null;

  constructor(geometry: Geometry, { workspace }: Making) {
    this.#geometry = geometry;
    const { groups, channels, padded } = geometry;
    this.#copy = geometry.bare ? null : workspace.float32(groups * channels * padded);
  }

  /** Makes the border zero, once for all images of a call. */
  clear(): void {
    this.#copy?.get().fill(0);
  }

  array(images: Float32Array): Float32Array {
    return this.#copy?.get() ?? images;
  }

  /** Puts image `n` in place and returns where it begins. */
  load(images: Float32Array, base: number, n: number): number {
    const start = base + n * this.#geometry.imageSize;
    if (this.#copy === null) return start;
    const copy = this.#copy.get();
    const { groups, channels, space, padded, interior } = this.#geometry;
    for (let channel = 0; channel < groups * channels; channel++) {
      const from = start + channel * space;
      const to = channel * padded;
      for (let i = 0; i < space; i++) copy[to + interior[i]!] = images[from + i]!;
    }
    return 0;
  }
}

/** 0, step, 2 step, ... */
function ramp(count: number, step: number): Int32Array {
  return placesOf([count], [step]);
}

/** out[n] = W X[n], group by group. `strides` are those of [N, O, ...out]. */
function forward(geometry: Geometry, strides: readonly number[], making: Making): Compute {
  const { images, groups, filters, channels, taps, padded, kernelPlaces, outputPlaces } = geometry;
  const image = new PaddedImage(geometry, making);
  const outColumns = placesOf(geometry.outSpace, strides.slice(2));
  const product = filters < 3 ? few(geometry, outColumns, strides[1]!, making) : many();
  function many(): (
    w: Float32Array,
    wBase: number,
    x: Float32Array,
    xBase: number,
    out: Float32Array,
    to: number,
  ) => void {
    const tables = {
      leftRows: ramp(filters, taps),
      leftInner: ramp(taps, 1),
      rightColumns: outputPlaces,
      rightInner: kernelPlaces,
      outRows: ramp(filters, strides[1]!),
      outColumns,
    };
    const gemm = new Gemm(tables, making.workspace);
    return (w, wBase, x, xBase, out, to) => gemm.run(w, wBase, x, xBase, out, to, false);
  }
  return (x, xBase, w, wBase, out, outBase) => {
    image.clear();
    for (let n = 0; n < images; n++) {
      const start = image.load(x, xBase, n);
      for (let g = 0; g < groups; g++) {
        const weights = wBase + g * filters * taps;
        const to = outBase + n * strides[0]! + g * filters * strides[1]!;
        product(w, weights, image.array(x), start + g * channels * padded, out, to);
      }
    }
  };
}

/** The product for groups of one or two filters (depthwise convolutions), where packing would cost more than it saves. */
function few(geometry: Geometry, outColumns: Int32Array, stride: number, { workspace }: Making) {
  const { filters, positions, taps, kernelPlaces, outputPlaces } = geometry;
  const row = workspace.float64(positions);
  return (w: Float32Array, wBase: number, x: Float32Array, xBase: number, out: Float32Array, to: number): void => {
    const sums = row.get();
    for (let filter = 0; filter < filters; filter++) {
      sums.fill(0);
      for (let tap = 0; tap < taps; tap++) {
        const weight = w[wBase + filter * taps + tap]!;
        const base = xBase + kernelPlaces[tap]!;
        for (let p = 0; p < positions; p++) sums[p] = sums[p]! + weight * x[base + outputPlaces[p]!]!;
      }
      for (let p = 0; p < positions; p++) out[to + filter * stride + outColumns[p]!] = sums[p]!;
    }
  };
}

/** The most elements of the columns that are computed at a time in an input gradient. */
const maxColumnElements = 2 ** 18;

/** Columns = W^T dY[n], each added to the places of the padded image that it came from. `strides` are those of [N, C, ...space]. */
function inputGradient(geometry: Geometry, strides: readonly number[], making: Making): Compute {
  const { images, groups, filters, channels, taps, positions, padded, space } = geometry;
  const { kernelPlaces, outputPlaces, interior, outputSize } = geometry;
  const rows = Math.min(taps, Math.max(2, Math.floor(maxColumnElements / positions)));
  const columns = making.workspace.float32(rows * positions);
  const image = making.workspace.float32(channels * padded);
  const tables = {
    leftRows: ramp(taps, 1),
    leftInner: ramp(filters, taps),
    rightColumns: ramp(positions, 1),
    rightInner: ramp(filters, positions),
    outRows: ramp(taps, positions),
    outColumns: ramp(positions, 1),
  };
  const gemm = new Gemm(tables, making.workspace);
  const outPlaces = placesOf(geometry.inSpace, strides.slice(2));
  return (dy, dyBase, w, wBase, out, outBase) => {
    const sums = image.get();
    const part = columns.get();
    for (let n = 0; n < images; n++) {
      for (let g = 0; g < groups; g++) {
        sums.fill(0);
        const cotangent = dyBase + n * outputSize + g * filters * positions;
        for (let first = 0; first < taps; first += rows) {
          const end = Math.min(first + rows, taps);
          gemm.run(w, wBase + g * filters * taps, dy, cotangent, part, -first * positions, false, first, end);
          for (let tap = first; tap < end; tap++) {
            const from = (tap - first) * positions;
            const base = kernelPlaces[tap]!;
            for (let p = 0; p < positions; p++) {
              const place = base + outputPlaces[p]!;
              sums[place] = sums[place]! + part[from + p]!;
            }
          }
        }
        for (let c = 0; c < channels; c++) {
          const to = outBase + n * strides[0]! + (g * channels + c) * strides[1]!;
          for (let i = 0; i < space; i++) out[to + outPlaces[i]!] = sums[c * padded + interior[i]!]!;
        }
      }
    }
  };
}

/** dW = sum over n of dY[n] X[n]^T. `strides` are those of [O, C / groups, ...kernel]. */
function weightGradient(geometry: Geometry, strides: readonly number[], making: Making): Compute {
  const { images, groups, filters, channels, positions, padded, kernelPlaces, outputPlaces, outputSize } = geometry;
  const image = new PaddedImage(geometry, making);
  const tables = {
    leftRows: ramp(filters, positions),
    leftInner: ramp(positions, 1),
    rightColumns: kernelPlaces,
    rightInner: outputPlaces,
    outRows: ramp(filters, strides[0]!),
    outColumns: placesOf([channels, ...geometry.kernelSpace], strides.slice(1)),
  };
  const gemm = new Gemm(tables, making.workspace);
  return (x, xBase, dy, dyBase, out, outBase) => {
    image.clear();
    for (let n = 0; n < images; n++) {
      const start = image.load(x, xBase, n);
      for (let g = 0; g < groups; g++) {
        const cotangent = dyBase + n * outputSize + g * filters * positions;
        const to = outBase + g * filters * strides[0]!;
        gemm.run(dy, cotangent, image.array(x), start + g * channels * padded, out, to, n > 0);
      }
    }
  };
}
