/** U-Net (Ronneberger et al. 2015): a class for each pixel, from pictures that are made small and large again, with shortcuts across. */
import { concat, type Tensor } from '@nn/core';
import { Conv2d, ConvTranspose2d, type Layer, MaxPool2d, relu, Sequential } from '@nn/layers';
import { convNorm } from './parts.ts';

export interface UNetOptions {
  /** Channels of the picture; 3 where not given. */
  readonly channels?: number;
  /** Classes of a pixel: logits that come out. */
  readonly classes?: number;
  /** Channels of the first level; each further one has twice as many. */
  readonly width?: number;
  /** How often the picture is halved. */
  readonly depth?: number;
}

const twice = (inputs: number, outputs: number): Sequential =>
  new Sequential(
    ...convNorm(inputs, outputs, 3, { activation: relu }),
    ...convNorm(outputs, outputs, 3, { activation: relu }),
  );

/**
 * [N, channels, height, width] to logits [N, classes, height, width]; the sides must be divisible by 2 ** depth. Convolutions are padded and
 * normalised, unlike in the first publication.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { UNet } from '@nn/vision';
 * console.log(new UNet({ channels: 1, classes: 3, width: 4, depth: 2 }).forward(zeros([1, 1, 16, 24])).shape); // => [ 1, 3, 16, 24 ]
 */
export class UNet implements Layer {
  readonly down: readonly Sequential[];
  readonly bottom: Sequential;
  readonly up: readonly ConvTranspose2d[];
  readonly merge: readonly Sequential[];
  readonly output: Conv2d;
  readonly #pool = new MaxPool2d(2);

  constructor({ channels = 3, classes = 2, width = 32, depth = 4 }: UNetOptions = {}) {
    const widths = Array.from({ length: depth + 1 }, (_, k) => width * 2 ** k);
    this.down = widths.slice(0, -1).map((outputs, k) => twice(k === 0 ? channels : widths[k - 1]!, outputs));
    this.bottom = twice(widths[depth - 1]!, widths[depth]!);
    this.up = widths.slice(0, -1).map((outputs, k) => new ConvTranspose2d(widths[k + 1]!, outputs, 2, { stride: 2 }));
    this.merge = widths.slice(0, -1).map((outputs) => twice(2 * outputs, outputs));
    this.output = new Conv2d(width, classes, 1);
  }

  forward(x: Tensor): Tensor {
    const across: Tensor[] = [];
    let value = x;
    for (const level of this.down) {
      value = level.forward(value);
      across.push(value);
      value = this.#pool.forward(value);
    }
    value = this.bottom.forward(value);
    for (let k = across.length - 1; k >= 0; k--) {
      value = this.merge[k]!.forward(concat([across[k]!, this.up[k]!.forward(value)], 1));
    }
    return this.output.forward(value);
  }
}
