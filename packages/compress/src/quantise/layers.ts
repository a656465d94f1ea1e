/**
 * Layers whose weights are bytes. Those with whole numbers on both sides sum in int32:
 *   sum (s_x (q_x - z)) (s_w q_w) = s_x s_w (sum q_x q_w - z sum q_w),
 * where the last sum is known before; scales, bias and what comes after are one pass over the sums. Those that keep their inputs as
 * they are save memory only. Owns no choice of ranges: `quantise.ts` makes these layers of others.
 */
import { einsum, halfBytes, type Parameter, parameter, type Shape, ShapeError, showShape, type Tensor } from '@nn/core';
import { type Layer, wholeConvolution } from '@nn/layers';
import type { InputQuantiser } from './activations.ts';
import { type Outputs, rowsOf } from './projections.ts';
import type { ChannelWeight, GroupedWeight } from './weights.ts';

const buffer = (data: Int8Array | Uint8Array | Int32Array | Float32Array, shape: Shape): Parameter =>
  parameter(data, { shape, buffer: true });

/** What quantised layers with sums in int32 keep. */
abstract class IntegerLayer {
  /** int8 [outputs, ...] */
  weight: Parameter;
  /** [outputs] */
  weightScale: Parameter;
  /** int32 [outputs]: the sum of each output's weights. */
  weightSum: Parameter;
  /** [outputs] float32 */
  bias: Parameter | null;
  input: InputQuantiser;

  constructor(weight: ChannelWeight, shape: Shape, bias: Parameter | null, input: InputQuantiser) {
    const outputs = shape[0]!;
    const length = weight.levels.length / outputs;
    const sums = Int32Array.from({ length: outputs }, (_, row) =>
      weight.levels.subarray(row * length, (row + 1) * length).reduce((sum, level) => sum + level, 0),
    );
    this.weight = buffer(weight.levels, shape);
    this.weightScale = buffer(weight.scales, [outputs]);
    this.weightSum = buffer(sums, [outputs]);
    this.bias = bias;
    this.input = input;
  }

  /** What the sums [..., outputs] mean, or those of some outputs; scale and zero point have the axes of the sums, or none. */
  protected meaning(sums: Tensor, scale: Tensor, zeroPoint: Tensor, outputs?: Outputs): Tensor {
    const whole = sums.sub(zeroPoint.mul(rowsOf(this.weightSum, outputs)));
    const y = whole.cast('float32').mul(scale.mul(rowsOf(this.weightScale, outputs)));
    return this.bias === null ? y : y.add(rowsOf(this.bias, outputs));
  }
}

/**
 * A Linear layer of int8 weights whose inputs are rounded to bytes, with sums in int32: [..., inputs] to [..., outputs].
 * Made by `quantise`. Throws ShapeError when the last axis is not `inputs` long.
 */
export class QuantisedLinear extends IntegerLayer implements Layer {
  readonly inputs: number;
  readonly outputs: number;

  constructor(weight: ChannelWeight, shape: readonly [number, number], bias: Parameter | null, input: InputQuantiser) {
    super(weight, shape, bias, input);
    [this.outputs, this.inputs] = shape;
  }

  /** `outputs`: those that are wanted, all by default. */
  forward(x: Tensor, outputs?: Outputs): Tensor {
    requireWidth(String(this), x, this.inputs);
    const { levels, scale, zeroPoint } = this.input.apply(x, [-1]);
    const weight = rowsOf(this.weight, outputs).cast('int32');
    return this.meaning(levels.matmul(weight.transpose()), scale, zeroPoint, outputs);
  }

  multiplyAdds(_inputs: readonly Shape[], output: Shape): number {
    return output.reduce((count, size) => count * size, this.inputs);
  }

  override toString(): string {
    return `QuantisedLinear(${this.inputs}, ${this.outputs})`;
  }
}

/** Where a kernel slides, an entry for each axis of space. */
export interface ConvGeometry {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Zeros before and after each axis. */
  readonly padding: readonly (readonly [number, number])[];
  /** Channels are cut into this many groups that do not mix. */
  readonly groups: number;
}

/**
 * A convolution of int8 weights whose inputs are rounded to bytes, with sums in int32: [N, inputs, ...space] to [N, outputs, ...space'].
 * Inside, channels are the last axis. Made by `quantise`. Throws ShapeError for another rank or number of channels.
 */
export class QuantisedConv extends IntegerLayer implements Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly geometry: ConvGeometry;
  /** Whether results below 0 are 0: a relu that followed. */
  relu = false;
  /** Sizes of pieces of space of which the largest result is kept: a pooling that followed. */
  pool: readonly number[] | null = null;

  /** `weight`: [outputs, ...kernel, inputs / groups] */
  constructor(
    weight: ChannelWeight,
    shape: Shape,
    bias: Parameter | null,
    input: InputQuantiser,
    geometry: ConvGeometry,
  ) {
    super(weight, shape, bias, input);
    this.outputs = shape[0]!;
    this.inputs = shape.at(-1)! * geometry.groups;
    this.geometry = geometry;
  }

  forward(x: Tensor): Tensor {
    const { kernel, stride, dilation, padding, groups } = this.geometry;
    const rank = kernel.length;
    if (x.rank !== rank + 2 || x.shape[1] !== this.inputs) {
      throw new ShapeError(
        String(this),
        `takes [N, ${this.inputs}, ...] with ${rank} ${rank === 1 ? 'axis' : 'axes'} of space, got ${showShape(x.shape)}.`,
        { shape: x.shape },
      );
    }
    const space = x.shape.map((_, axis) => axis).slice(2);
    const isPadded = padding.some(([before, after]) => before + after > 0);
    const last = x.permute([0, ...space, 1]);
    const framed = isPadded ? last.pad([[0, 0], ...padding, [0, 0]]) : last;
    const { levels, scale, zeroPoint } = this.input.apply(framed, framed.shape.map((_, axis) => axis).slice(1));
    const sums = wholeConvolution(levels, this.weight.cast('int32'), { stride, dilation, groups });
    const y = this.meaning(this.#largest(sums), scale, zeroPoint);
    return (this.relu ? y.relu() : y).permute([0, rank + 1, ...space.map((axis) => axis - 1)]);
  }

  /** The largest sum of each piece of [N, ...space, outputs]; what does not fill a piece is left out. */
  #largest(sums: Tensor): Tensor {
    const { pool } = this;
    if (pool === null) return sums;
    const counts = pool.map((size, axis) => Math.floor(sums.shape[axis + 1]! / size));
    const ends = [sums.shape[0]!, ...counts.map((count, axis) => count * pool[axis]!), this.outputs];
    const whole = sums.slice(
      ends.map(() => 0),
      ends,
    );
    const cut = whole.reshape([sums.shape[0]!, ...counts.flatMap((count, axis) => [count, pool[axis]!]), this.outputs]);
    return cut.max(counts.map((_, axis) => 2 * axis + 2));
  }

  multiplyAdds(_inputs: readonly Shape[], output: Shape): number {
    return output.reduce((count, size) => count * size, this.weight.size / this.outputs);
  }

  override toString(): string {
    const after = `${this.relu ? ', relu' : ''}${this.pool ? `, largest of ${this.pool.join('x')}` : ''}`;
    const { kernel, groups } = this.geometry;
    const apart = groups === 1 ? '' : `, ${groups} groups`;
    return `QuantisedConv(${this.inputs}, ${this.outputs}, ${kernel.join('x')}${apart}${after})`;
  }
}

/**
 * A Linear layer whose weights are numbers of 4 or 8 bits, with a scale for each group of neighbours along the inputs, and whose
 * inputs stay as they are: [..., inputs] to [..., outputs]. Made by `quantise`. Throws ShapeError when the last axis is not `inputs` long.
 */
export class GroupedLinear implements Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly bits: 4 | 8;
  readonly size: number;
  /** int8 [outputs, groups, size], or uint8 [outputs, groups, size / 2]: two numbers of four bits in a byte, 8 added. */
  weight: Parameter;
  /** [outputs, groups] */
  weightScale: Parameter;
  bias: Parameter | null;

  constructor(
    weight: GroupedWeight,
    shape: readonly [number, number],
    bits: 4 | 8,
    size: number,
    bias: Parameter | null,
  ) {
    [this.outputs, this.inputs] = shape;
    this.bits = bits;
    this.size = size;
    this.weight = buffer(weight.levels, [this.outputs, weight.groups, bits === 8 ? size : size / 2]);
    this.weightScale = buffer(weight.scales, [this.outputs, weight.groups]);
    this.bias = bias;
  }

  /** `outputs`: those that are wanted, all by default. */
  forward(x: Tensor, outputs?: Outputs): Tensor {
    requireWidth(String(this), x, this.inputs);
    const { size } = this;
    const groups = this.weightScale.shape[1]!;
    const missing = groups * size - this.inputs;
    const whole = missing === 0 ? x : x.pad([...x.shape.slice(1).map((): [number, number] => [0, 0]), [0, missing]]);
    const rows = x.shape.slice(0, -1);
    const [weight, scales] = [rowsOf(this.weight, outputs), rowsOf(this.weightScale, outputs)];
    const wanted = weight.shape[0]!;
    const scale = scales.reshape([wanted, groups, 1, 1]);
    const [halves, each] = this.bits === 8 ? [1, size] : [2, size / 2];
    const levels =
      this.bits === 8
        ? weight.reshape([wanted, groups, 1, size]).cast('float32')
        : halfBytes(weight).cast('float32').sub(8);
    const count = rows.reduce((product, length) => product * length, 1);
    const y = einsum('nghj,oghj->no', whole.reshape([count, groups, halves, each]), levels.mul(scale));
    const shaped = y.reshape([...rows, wanted]);
    return this.bias === null ? shaped : shaped.add(rowsOf(this.bias, outputs));
  }

  multiplyAdds(_inputs: readonly Shape[], output: Shape): number {
    return output.reduce((count, length) => count * length, this.inputs);
  }

  toString(): string {
    return `GroupedLinear(${this.inputs}, ${this.outputs}, ${this.bits} bits in groups of ${this.size})`;
  }
}

/**
 * A table of vectors of int8 with a scale for each row: indices [...] to vectors [..., dimension]. Only the rows that are asked for are
 * read. Made by `quantise`.
 */
export class QuantisedEmbedding implements Layer {
  readonly count: number;
  readonly dimension: number;
  /** int8 [count, dimension] */
  weight: Parameter;
  /** [count] */
  weightScale: Parameter;

  constructor(weight: ChannelWeight, shape: readonly [number, number]) {
    [this.count, this.dimension] = shape;
    this.weight = buffer(weight.levels, shape);
    this.weightScale = buffer(weight.scales, [this.count]);
  }

  forward(indices: Tensor): Tensor {
    const rows = indices.dtype === 'int32' ? indices : indices.cast('int32');
    const levels = this.weight.gather(rows, 0).cast('float32');
    return levels.mul(this.weightScale.gather(rows, 0).unsqueeze(-1));
  }

  /** As those of `Embedding`: [..., dimension] to [..., count]. */
  scores(vectors: Tensor): Tensor {
    return vectors.matmul(this.weight.cast('float32').transpose()).mul(this.weightScale);
  }

  multiplyAdds(): number {
    return 0;
  }

  toString(): string {
    return `QuantisedEmbedding(${this.count}, ${this.dimension})`;
  }
}

function requireWidth(layer: string, x: Tensor, inputs: number): void {
  if (x.rank > 0 && x.shape.at(-1) === inputs) return;
  throw new ShapeError(
    layer,
    `the last axis must have ${inputs} values, the input ${showShape(x.shape)} has ${x.shape.at(-1)}.`,
    {
      shape: x.shape,
      expected: inputs,
    },
  );
}
