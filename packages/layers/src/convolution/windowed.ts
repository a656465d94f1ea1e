/** What convolutions and transposed ones share: sizes of windows, groups, parameters, checks. Owns no arithmetic. */
import { type Parameter, ShapeError, type Tensor } from '@nn/core';
import { fanIn, type Layer, perAxis, requireChannels, requireWhole, spaceNames, uniformParameter } from '../layer.ts';

export interface WindowedOptions {
  /** Step between windows. Default 1. */
  readonly stride?: number | readonly number[];
  /** Distance between the taps of the kernel. Default 1. */
  readonly dilation?: number | readonly number[];
  /** Channels are cut into this many groups that do not mix. Default 1. */
  readonly groups?: number;
  /** Whether to add a bias. Default true. */
  readonly bias?: boolean;
}

/** A layer whose weight slides over space. */
export abstract class Windowed implements Layer {
  readonly kind: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  /** [outputs, inputs / groups, ...kernelSize]; of transposed ones [inputs, outputs / groups, ...kernelSize] */
  weight: Parameter;
  /** [outputs] */
  bias: Parameter | null;

  constructor(
    kind: string,
    rank: number,
    inputs: number,
    outputs: number,
    kernelSize: number | readonly number[],
    options: WindowedOptions,
    isTransposed: boolean,
  ) {
    const { stride = 1, dilation = 1, groups = 1 } = options;
    const name = `${kind}(${inputs}, ${outputs})`;
    requireGroups(name, inputs, outputs, groups);
    this.kind = kind;
    this.inputs = inputs;
    this.outputs = outputs;
    this.kernelSize = perAxis(name, 'kernelSize', kernelSize, rank);
    this.stride = perAxis(name, 'stride', stride, rank);
    this.dilation = perAxis(name, 'dilation', dilation, rank);
    this.groups = groups;
    const channels = isTransposed ? [inputs, outputs / groups] : [outputs, inputs / groups];
    const shape = [...channels, ...this.kernelSize];
    const bound = 1 / Math.sqrt(fanIn(shape));
    this.weight = uniformParameter(shape, bound);
    this.bias = options.bias === false ? null : uniformParameter([outputs], bound);
  }

  /** The convolution itself, without the bias. */
  protected abstract convolve(input: Tensor): Tensor;

  forward(input: Tensor): Tensor {
    const rank = this.kernelSize.length;
    requireChannels(String(this), input, this.inputs, [rank + 2], spaceNames[rank] ?? '');
    const result = this.convolve(input);
    return this.bias === null ? result : result.add(this.bias.reshape([this.outputs, ...this.kernelSize.map(() => 1)]));
  }

  toString(): string {
    return `${this.kind}(${this.inputs}, ${this.outputs}, ${this.kernelSize.join('x')})`;
  }
}

/** Throws unless the channels divide into groups. */
function requireGroups(layer: string, inputs: number, outputs: number, groups: number): void {
  requireWhole(layer, 'inputs', inputs);
  requireWhole(layer, 'outputs', outputs);
  requireWhole(layer, 'groups', groups);
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    throw new ShapeError(
      layer,
      `${inputs} input and ${outputs} output channels do not divide into ${groups} groups: both must be multiples of groups.`,
      { layer, inputs, outputs, groups },
    );
  }
}
