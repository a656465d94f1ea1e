/**
 * IA3 for one layer: what it learns is a factor for each output, or in feed-forward layers for each input. Owns the arithmetic.
 * (Liu et al. 2022.) Names and starts are PEFT's.
 */
import { concat, ones, type Parameter, parameter, type Shape, type Tensor } from '@nn/core';
import type { LayerAdapter } from './host.ts';
import type { Target } from './targets.ts';

export class Ia3 implements LayerAdapter {
  /** [outputs, 1], in feed-forward layers [1, inputs]; of convolutions [1, channels, 1, ...]. */
  ia3L: Parameter;
  readonly #target: Target;
  readonly #isFeedForward: boolean;

  constructor(target: Target, isFeedForward: boolean) {
    this.#target = target;
    this.#isFeedForward = isFeedForward;
    const { inputs, outputs, window, kind } = target;
    // of the joined projections those of keys and values, as in the paper
    const size = isFeedForward ? inputs : kind === 'attention' ? (2 * outputs) / 3 : outputs;
    const shape =
      window === undefined ? (isFeedForward ? [1, size] : [size, 1]) : [1, size, ...window.kernelSize.map(() => 1)];
    this.ia3L = parameter(new Float32Array(size).fill(1), { shape });
  }

  around(input: Tensor, call: (input: Tensor) => Tensor): Tensor {
    const { window } = this.#target;
    const shape: Shape = window === undefined ? [-1] : [-1, ...window.kernelSize.map(() => 1)];
    const factors = this.ia3L.reshape(shape);
    return this.#isFeedForward ? call(input.mul(factors)) : call(input).mul(factors);
  }

  weightWith(weight: Tensor): Tensor {
    const axis = this.#isFeedForward !== this.#target.isTransposed ? 1 : 0;
    return weight.mul(this.#factors().reshape(weight.shape.map((_, k) => (k === axis ? -1 : 1))));
  }

  biasWith(bias: Tensor): Tensor {
    // the bias of joined projections is added after the weight, and stays as it is
    const isApart = this.#isFeedForward || this.#target.kind === 'attention';
    return isApart ? bias : bias.mul(this.#factors());
  }

  /** For each output, or input. */
  #factors(): Tensor {
    const own = this.ia3L.reshape([-1]);
    return this.#target.kind === 'attention' && !this.#isFeedForward
      ? concat([ones([this.#target.outputs / 3]), own])
      : own;
  }

  get tensors(): Readonly<Record<string, Parameter>> {
    return { ia3_l: this.ia3L };
  }

  get settings(): Readonly<Record<string, unknown>> {
    return { peft_type: 'IA3', fan_in_fan_out: false, isFeedForward: this.#isFeedForward };
  }
}
