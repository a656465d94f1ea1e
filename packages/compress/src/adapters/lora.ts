/**
 * LoRA for one layer: what it learns is a product of two thin matrices beside the weight, W + scale B A. Owns the arithmetic for
 * Linear, Conv, Embedding and projections of attention, with rank-stabilised scales and DoRA. Names and starts are PEFT's.
 */
import {
  conv1d,
  conv2d,
  conv3d,
  hostNormal,
  hostUniform,
  type Parameter,
  parameter,
  type Shape,
  type Tensor,
  ValueError,
} from '@nn/core';
import { dropout } from '@nn/layers';
import type { LayerAdapter } from './host.ts';
import type { Target } from './targets.ts';

export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  readonly rankStabilized: boolean;
  readonly decomposed: boolean;
  readonly dropout: number;
}

export function loraOf(target: Target, settings: LoraSettings): LayerAdapter {
  const { rank, alpha, rankStabilized } = settings;
  const scale = alpha / (rankStabilized ? Math.sqrt(rank) : rank);
  switch (target.kind) {
    case 'linear':
      return new LoraLinear(target, settings, scale);
    case 'conv':
      return new LoraConv(target, settings, scale);
    case 'embedding':
      return new LoraEmbedding(target, settings, scale);
    case 'attention':
      return new LoraProjection(target, settings, scale);
  }
}

/** What the kinds share: two matrices, and for DoRA the lengths of the rows. */
abstract class Lora implements LayerAdapter {
  loraA: Parameter;
  loraB: Parameter;
  /** [outputs]: DoRA learns the lengths of rows apart from their directions. */
  magnitude: Parameter | null = null;
  protected readonly scale: number;
  protected readonly rate: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly #base: () => Parameter | null;

  constructor(
    target: Target,
    { rank, alpha, rankStabilized, decomposed, dropout: rate }: LoraSettings,
    scale: number,
    a: Shape,
    b: Shape,
  ) {
    this.scale = scale;
    this.rate = rate;
    this.settings = {
      peft_type: 'LORA',
      r: rank,
      lora_alpha: alpha,
      lora_dropout: rate,
      use_rslora: rankStabilized,
      use_dora: decomposed,
      bias: 'none',
      fan_in_fan_out: false,
    };
    // kaiming_uniform_(a = sqrt(5)) is ±1 / sqrt(inputs); with B at 0 the layer starts as it was
    const inputs = a.slice(1).reduce((product, size) => product * size, 1);
    const values = hostUniform(rank * inputs).map((value) => (value * 2 - 1) / Math.sqrt(inputs));
    this.loraA = parameter(values, { shape: a });
    this.loraB = parameter(new Float32Array(b.reduce((product, size) => product * size, 1)), { shape: b });
    this.#base = target.weight;
    if (!decomposed) return;
    const weight = target.weight();
    if (weight === null || target.kind === 'embedding' || target.kind === 'attention') {
      throw new ValueError('addLora', `${target.path}: DoRA needs a Linear or Conv of a float32 weight.`);
    }
    this.magnitude = parameter(new Float32Array(target.outputs), { shape: [target.outputs] });
    this.magnitude.assign(rowLengths(weight, target.isTransposed).stopGradient());
  }

  abstract around(input: Tensor, call: (input: Tensor) => Tensor): Tensor;
  abstract get tensors(): Readonly<Record<string, Parameter>>;
  /** scale B A in the shape of the weight. */
  protected abstract change(weight: Tensor): Tensor;

  weightWith(weight: Tensor): Tensor {
    const sum = weight.add(this.change(weight));
    if (this.magnitude === null) return sum;
    return sum.mul(this.#stretch(sum).reshape(rowShape(weight.shape, this.isTransposed)));
  }

  protected readonly isTransposed: boolean = false;

  /** magnitude / |rows|: the lengths count as constants in gradients (Liu et al. 2024, 4.3). */
  #stretch(sum: Tensor): Tensor {
    return (this.magnitude ?? rowLengths(sum, this.isTransposed)).div(
      rowLengths(sum, this.isTransposed).stopGradient(),
    );
  }

  /** The result of a layer and what is added to it, rows stretched where they are decomposed. */
  protected joined(output: Tensor, low: Tensor, bias: Tensor | null, perOutput: Shape): Tensor {
    const added = low.mul(this.scale);
    const weight = this.#base();
    if (this.magnitude === null || weight === null) return output.add(added);
    const shift = bias === null ? null : bias.reshape(perOutput);
    const product = shift === null ? output : output.sub(shift);
    const stretched = product.add(added).mul(this.#stretch(weight.add(this.change(weight))).reshape(perOutput));
    return shift === null ? stretched : stretched.add(shift);
  }
}

class LoraLinear extends Lora {
  readonly #bias: () => Tensor | null;
  protected override readonly isTransposed: boolean;

  constructor(target: Target, settings: LoraSettings, scale: number) {
    super(target, settings, scale, [settings.rank, target.inputs], [target.outputs, settings.rank]);
    this.#bias = target.bias;
    this.isTransposed = target.isTransposed;
  }

  around(input: Tensor, call: (input: Tensor) => Tensor): Tensor {
    const low = dropout(input, this.rate).matmul(this.loraA.transpose()).matmul(this.loraB.transpose());
    return this.joined(call(input), low, this.#bias(), [-1]);
  }

  protected change(): Tensor {
    const product = this.loraB.matmul(this.loraA).mul(this.scale);
    return this.isTransposed ? product.transpose() : product;
  }

  get tensors(): Readonly<Record<string, Parameter>> {
    return names(this.loraA, this.loraB, this.magnitude);
  }
}

class LoraConv extends Lora {
  readonly #target: Target;

  constructor(target: Target, settings: LoraSettings, scale: number) {
    const { kernelSize = [] } = target.window ?? {};
    const ones = kernelSize.map(() => 1);
    super(
      target,
      settings,
      scale,
      [settings.rank, target.inputs, ...kernelSize],
      [target.outputs, settings.rank, ...ones],
    );
    this.#target = target;
  }

  around(input: Tensor, call: (input: Tensor) => Tensor): Tensor {
    const { kernelSize = [], stride = 1, padding = 0, dilation = 1 } = this.#target.window ?? {};
    const convolve = kernelSize.length === 1 ? conv1d : kernelSize.length === 2 ? conv2d : conv3d;
    const thin = convolve(dropout(input, this.rate), this.loraA, { stride, padding, dilation });
    return this.joined(call(input), convolve(thin, this.loraB), this.#target.bias(), [-1, ...kernelSize.map(() => 1)]);
  }

  protected change(weight: Tensor): Tensor {
    const [rank = 1, outputs = 1] = [this.loraA.shape[0], this.loraB.shape[0]];
    return this.loraB
      .reshape([outputs, rank])
      .matmul(this.loraA.reshape([rank, -1]))
      .mul(this.scale)
      .reshape(weight.shape);
  }

  get tensors(): Readonly<Record<string, Parameter>> {
    return names(this.loraA, this.loraB, this.magnitude);
  }
}

class LoraEmbedding extends Lora {
  constructor(target: Target, settings: LoraSettings, scale: number) {
    super(target, settings, scale, [settings.rank, target.inputs], [target.outputs, settings.rank]);
    // of tables it is the first matrix that starts at 0
    this.loraA = parameter(new Float32Array(settings.rank * target.inputs), { shape: [settings.rank, target.inputs] });
    this.loraB = parameter(hostNormal(target.outputs * settings.rank), { shape: [target.outputs, settings.rank] });
  }

  around(input: Tensor, call: (input: Tensor) => Tensor): Tensor {
    const rows = input.dtype === 'int32' ? input : input.cast('int32');
    const low = this.loraA.transpose().gather(rows, 0).matmul(this.loraB.transpose());
    return this.joined(call(input), low, null, [-1]);
  }

  protected change(): Tensor {
    return this.loraB.matmul(this.loraA).mul(this.scale).transpose();
  }

  get tensors(): Readonly<Record<string, Parameter>> {
    return { lora_embedding_A: this.loraA, lora_embedding_B: this.loraB };
  }
}

/** Beside the three projections of attention that are one weight. */
class LoraProjection extends Lora {
  constructor(target: Target, settings: LoraSettings, scale: number) {
    super(target, settings, scale, [settings.rank, target.inputs], [target.outputs, settings.rank]);
    if (settings.dropout > 0) {
      throw new ValueError(
        'addLora',
        `${target.path}: the projections of attention are changed as one weight, which has no inputs to drop: leave dropout out.`,
      );
    }
  }

  around(input: Tensor, call: (input: Tensor) => Tensor): Tensor {
    return call(input);
  }

  protected change(): Tensor {
    return this.loraB.matmul(this.loraA).mul(this.scale);
  }

  get tensors(): Readonly<Record<string, Parameter>> {
    return names(this.loraA, this.loraB, null);
  }
}

function names(a: Parameter, b: Parameter, magnitude: Parameter | null): Record<string, Parameter> {
  return { 'lora_A.weight': a, 'lora_B.weight': b, ...(magnitude !== null && { lora_magnitude_vector: magnitude }) };
}

/** The length of each output's weights. */
function rowLengths(weight: Tensor, isTransposed: boolean): Tensor {
  const axis = isTransposed ? 1 : 0;
  const others = weight.shape.map((_, k) => k).filter((k) => k !== axis);
  return weight.square().sum(others).sqrt();
}

const rowShape = (shape: Shape, isTransposed: boolean): number[] =>
  shape.map((size, k) => (k === (isTransposed ? 1 : 0) ? size : 1));
