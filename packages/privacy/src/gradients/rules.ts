/**
 * From the call of a unit to what it adds to the gradients of its parameters: by ghost norms for what multiplies or looks
 * up, by `vmap` over the unit alone for everything else.
 */
import {
  gradientsOrNull,
  isParameter,
  isTensor,
  type Parameter,
  type Tensor,
  unfold,
  ValueError,
  vmap,
  zeros,
} from '@nn/core';
import { Conv1d, Conv2d, Conv3d, Embedding, Linear } from '@nn/layers';
import { type Contribution, lookup, materialized, product, sum } from './contribution.ts';
import { isPlainRecurrent, recurrentUses } from './recurrent.ts';
import { mapTensors, tensorsOf } from './tensors.ts';
import type { Call, CallAxes } from './watching.ts';

/** The tensors of a call whose slopes its rule asks for. */
export function watchedOutputs(call: Call): readonly Tensor[] {
  return isPlainRecurrent(call) ? call.projections.map(([, projected]) => projected) : tensorsOf(call.output);
}

/** What a call adds, given the slopes of `watchedOutputs`: of the sum of all losses, null where it does not depend on one. */
export function usesOf(
  operation: string,
  call: Call,
  axes: CallAxes,
  slopes: readonly (Tensor | null)[],
): Contribution[] {
  if (slopes.every((slope) => slope === null)) return [];
  if (isPlainRecurrent(call)) return recurrentUses(call.unit.layer, call, slopes);
  const found = affineUses(call, axes, slopes[0] ?? null) ?? mappedUses(operation, call, axes, slopes);
  return found.filter(({ parameter }) => parameter.trainable);
}

/** Of the layers that multiply or look up; null where the layer is none of them. */
function affineUses(
  { unit: { layer }, inputs: [input] }: Call,
  axes: CallAxes,
  slope: Tensor | null,
): Contribution[] | null {
  const [from, to] = [axes.inputs[0] ?? null, axes.outputs[0] ?? null];
  if (slope === null || !isTensor(input) || from === null || to === null || axes.inputs.length !== 1) return null;
  // a class derived from one of these may compute something else
  switch (layer.constructor) {
    case Linear: {
      const { weight, bias } = layer as Linear;
      const [a, d] = [rowsOf(input, from), rowsOf(slope, to)];
      return from < input.rank - 1 && to < slope.rank - 1 ? weightAndBias(weight, a, bias, d) : null;
    }
    case Embedding: {
      const { weight, paddingIndex } = layer as Embedding;
      if (!isParameter(weight)) return null;
      const indices = input.dtype === 'int32' ? input : input.cast('int32');
      const flat = moveToFront(indices, from).reshape([input.shape[from]!, -1]);
      const d = rowsOf(slope, to);
      // the row of the padding is not trained
      const real = paddingIndex === null ? d : d.mul(flat.notEqual(paddingIndex).cast('float32').unsqueeze(2));
      return [lookup(weight, flat, real)];
    }
    case Conv1d:
    case Conv2d:
    case Conv3d:
      return from === 0 && to === 0 ? convolutionUses(layer as Conv2d, input, slope) : null;
    default:
      return null;
  }
}

/** A weight [outputs, inputs] and its bias, where they are what is trained: a wrapper may have put a tensor there. */
function weightAndBias(weight: Parameter, a: Tensor, bias: Parameter | null, d: Tensor): Contribution[] | null {
  if (!isParameter(weight) || (bias !== null && !isParameter(bias))) return null;
  return [product(weight, a, d), ...(bias === null ? [] : [sum(bias, d)])];
}

/** A convolution multiplies the patches of its input: [N, places, channels * elements of a patch]. */
function convolutionUses(layer: Conv2d, input: Tensor, slope: Tensor): Contribution[] | null {
  const { weight, bias, kernelSize, stride, dilation, groups } = layer;
  if (groups !== 1 || !isParameter(weight) || (bias !== null && !isParameter(bias))) return null;
  const padding = paddingOf(layer);
  if (padding === null) return null;
  const patches = unfold(input, { size: kernelSize, stride, dilation, padding }).transpose(1, 2);
  const d = slope.reshape([slope.shape[0]!, slope.shape[1]!, -1]).transpose(1, 2);
  return [product(weight, patches, d), ...(bias === null ? [] : [sum(bias, d)])];
}

/** Zeros on both sides of each axis; null where the two sides differ. */
function paddingOf({ padding, kernelSize, dilation }: Conv2d): readonly number[] | null {
  if (padding === 'valid') return kernelSize.map(() => 0);
  if (padding !== 'same') return padding;
  const around = kernelSize.map((size, axis) => (dilation[axis]! * (size - 1)) / 2);
  return around.every(Number.isInteger) ? around : null;
}

/** [N, T, width] of a tensor whose batch lies along `axis`, its last axis kept. */
function rowsOf(x: Tensor, axis: number): Tensor {
  return moveToFront(x, axis).reshape([x.shape[axis]!, -1, x.shape[x.rank - 1]!]);
}

function moveToFront(x: Tensor, axis: number): Tensor {
  return axis === 0 ? x : x.permute([axis, ...x.shape.map((_, k) => k).filter((k) => k !== axis)]);
}

/** Of any unit: its forward again for each sample alone, and the gradient of what it gives times its slope. */
function mappedUses(operation: string, call: Call, axes: CallAxes, slopes: readonly (Tensor | null)[]): Contribution[] {
  const { unit, inputs, draws } = call;
  const name = unit.path === '' ? 'the model' : unit.path;
  if (draws) {
    throw new ValueError(
      operation,
      `${name} draws random numbers inside, so it cannot be done again for each sample: set its dropout to 0, or take { method: 'vmap' }.`,
      { path: unit.path },
    );
  }
  const given = slopes.flatMap((slope, k) => (slope === null ? [] : [{ slope, k, axis: axes.outputs[k] ?? null }]));
  if (given.some(({ axis }) => axis === null)) {
    throw new ValueError(
      operation,
      `${name} gives a result without the axis of the batch, so what each sample asks of it is not told apart: give it the batch, or take { method: 'vmap' }.`,
      { path: unit.path },
    );
  }
  const trained = unit.parameters;
  const arguments_ = [...tensorsOf(inputs).map((x) => x.stopGradient()), ...given.map(({ slope }) => slope)];
  const places = [...axes.inputs, ...given.map(({ axis }) => axis)];
  const ofOne = (...rows: readonly Tensor[]): Tensor[] => {
    const whole = rows.map((x, k) => (places[k] === null ? x : x.unsqueeze(places[k]!)));
    let next = 0;
    const again = unit.layer.forward(...(mapTensors(inputs, () => whole[next++]) as unknown[]));
    const outputs = tensorsOf(again);
    const total = given
      .map(({ k }, i) => outputs[k]!.mul(whole[axes.inputs.length + i]!).sum())
      .reduce((a, b) => a.add(b));
    return gradientsOrNull(total, trained).map((gradient, k) => gradient ?? zeros(trained[k]!.shape));
  };
  const found = vmap(ofOne, { in: places, out: 0, random: 'different' })(...arguments_);
  return found.map((each, k) => materialized(trained[k]!, each));
}
