/** The network of a diffusion: a U-Net of residual blocks that knows the step, and the class where there are classes (Ho et al. 2020, without attention). */
import { checkOptions, concat, interpolate, ShapeError, type Tensor, tensor, ValueError } from '@nn/core';
import { Conv2d, Embedding, GroupNorm, Linear, Sequential, silu } from '@nn/layers';
import { filled } from '../models/parts.ts';

/**
 * Numbers of steps [N] as waves [N, size]: sines, then cosines, of periods from 2 pi to 20,000 pi (Vaswani et al. 2017).
 *
 * @example
 * import { tensor } from '@nn/core';
 * import { stepEmbedding } from '@nn/vision';
 * console.log(await stepEmbedding(tensor([0], { dtype: 'int32' }), 4).array(2)); // => [ [ 0, 0, 1, 1 ] ]
 */
export function stepEmbedding(step: Tensor, size: number): Tensor {
  if (step.rank !== 1 || size % 2 !== 0 || size < 2) {
    throw new ShapeError(
      'stepEmbedding',
      `takes steps [N] and an even size, got [${step.shape.join(', ')}] and ${size}.`,
    );
  }
  const half = size / 2;
  const speeds = Float32Array.from({ length: half }, (_, k) => 10_000 ** -(k / half));
  const angles = step.cast('float32').unsqueeze(1).mul(tensor(speeds));
  return concat([angles.sin(), angles.cos()], 1);
}

/** Two convolutions with a shortcut; what is known of the step is added between them. */
class Block {
  readonly norm1: GroupNorm;
  readonly conv1: Conv2d;
  readonly step: Linear;
  readonly norm2: GroupNorm;
  readonly conv2: Conv2d;
  readonly shortcut: Conv2d | null;

  constructor(inputs: number, outputs: number, known: number) {
    this.norm1 = new GroupNorm(groupsOf(inputs), inputs);
    this.conv1 = new Conv2d(inputs, outputs, 3, { padding: 1 });
    this.step = new Linear(known, outputs);
    this.norm2 = new GroupNorm(groupsOf(outputs), outputs);
    this.conv2 = new Conv2d(outputs, outputs, 3, { padding: 1 });
    this.shortcut = inputs === outputs ? null : new Conv2d(inputs, outputs, 1);
  }

  forward(x: Tensor, known: Tensor): Tensor {
    const first = this.conv1.forward(silu(this.norm1.forward(x)));
    const told = first.add(this.step.forward(known).unsqueeze(2).unsqueeze(3));
    const second = this.conv2.forward(silu(this.norm2.forward(told)));
    return second.add(this.shortcut ? this.shortcut.forward(x) : x);
  }
}

const groupsOf = (channels: number): number => [8, 4, 2, 1].find((groups) => channels % groups === 0)!;

export interface DenoisingUNetOptions {
  /** Of the pictures; 1 where not given. */
  readonly channels?: number;
  /** Channels of the first level; 32 where not given. */
  readonly width?: number;
  /** Of each level, times `width`; 1 and 2 where not given. Each but the first halves the picture. */
  readonly multipliers?: readonly number[];
  /** Classes that pictures can be asked for; none where not given. */
  readonly classes?: number;
}

/**
 * Noisy pictures [N, channels, height, width] and their steps [N] to the noise in them; the sides must be divisible by 2 for each level but the first.
 * Begins by answering 0: the last convolution starts there.
 *
 * @example
 * import { tensor, zeros } from '@nn/core';
 * import { DenoisingUNet } from '@nn/vision';
 * const network = new DenoisingUNet({ width: 8, classes: 10 });
 * const [step, label] = [tensor([3, 7], { dtype: 'int32' }), tensor([0, 9], { dtype: 'int32' })];
 * console.log(network.forward(zeros([2, 1, 28, 28]), step, label).shape); // => [ 2, 1, 28, 28 ]
 */
export class DenoisingUNet {
  readonly input: Conv2d;
  readonly known: Sequential;
  readonly label: Embedding | null;
  readonly down: readonly Block[];
  readonly middle: Block;
  readonly up: readonly Block[];
  readonly norm: GroupNorm;
  readonly output: Conv2d;
  readonly #width: number;

  constructor(options: DenoisingUNetOptions = {}) {
    checkOptions('DenoisingUNet', options, ['channels', 'width', 'multipliers', 'classes']);
    const { channels = 1, width = 32, multipliers = [1, 2], classes } = options;
    if (multipliers.length === 0 || width % 2 !== 0) {
      throw new ValueError(
        'DenoisingUNet',
        `takes an even width and a level at least, got ${width} and ${multipliers.length}.`,
      );
    }
    const widths = multipliers.map((times) => width * times);
    const known = 4 * width;
    this.#width = width;
    this.input = new Conv2d(channels, width, 3, { padding: 1 });
    this.known = new Sequential(new Linear(width, known), silu, new Linear(known, known));
    this.label = classes === undefined ? null : new Embedding(classes, known);
    this.down = widths.map((outputs, k) => new Block(k === 0 ? width : widths[k - 1]!, outputs, known));
    this.middle = new Block(widths.at(-1)!, widths.at(-1)!, known);
    this.up = widths.map((outputs, k) => new Block(2 * outputs, k === 0 ? width : widths[k - 1]!, known));
    this.norm = new GroupNorm(groupsOf(width), width);
    this.output = new Conv2d(width, channels, 3, { padding: 1 });
    this.output.weight = filled(this.output.weight.shape, 0);
    this.output.bias = filled([channels], 0);
  }

  /** `label` is [N], int32, for networks of classes. Throws a `ShapeError` for sides that cannot be halved. */
  forward(x: Tensor, step: Tensor, label?: Tensor): Tensor {
    const factor = 2 ** (this.down.length - 1);
    const [, , height, width] = x.shape as [number, number, number, number];
    if (height % factor !== 0 || width % factor !== 0) {
      throw new ShapeError('DenoisingUNet', `${width} x ${height} pixels: the sides must be divisible by ${factor}.`, {
        factor,
      });
    }
    if ((label === undefined) !== (this.label === null)) {
      throw new ValueError(
        'DenoisingUNet',
        label ? 'it has no classes: leave the labels out.' : 'it has classes: give the labels.',
      );
    }
    let known = this.known.forward(stepEmbedding(step, this.#width));
    if (this.label && label) known = known.add(this.label.forward(label));
    known = silu(known);
    let y = this.input.forward(x);
    const across: Tensor[] = [];
    for (const [k, block] of this.down.entries()) {
      y = block.forward(k === 0 ? y : averaged(y), known);
      across.push(y);
    }
    y = this.middle.forward(y, known);
    for (let k = this.up.length - 1; k >= 0; k--) {
      y = this.up[k]!.forward(concat([y, across[k]!], 1), known);
      if (k > 0) y = interpolate(y, { scaleFactor: 2 });
    }
    return this.output.forward(silu(this.norm.forward(y)));
  }
}

/** Half the size: the mean of four pixels. */
function averaged(x: Tensor): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  return x.reshape([batch, channels, height / 2, 2, width / 2, 2]).mean([3, 5]);
}
