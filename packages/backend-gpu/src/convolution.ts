/**
 * Owns: convolutions and their two gradients as contractions: which axes are rows, columns and terms.
 * Does not own: the copy of windows and the product (`contraction.ts`, `product.ts`).
 */
import type { Hint, Op, Step } from '@nn/core';
import type { Form } from './affine.ts';
import { BodyWriter } from './body-writer.ts';
import { contract, type Contraction } from './contraction.ts';
import { lengthOf, type Lowering } from './lowering.ts';
import { type Nest, substitute } from './nest.ts';
import { compact } from './reduction.ts';

type Convolution = Extract<Hint, { kind: 'conv' }>;

/** False where the loop nest is better. */
export function convolve(step: Step, hint: Convolution, lowering: Lowering): boolean {
  const { kernel } = step;
  if (hint.form === 'input' && hint.stride.some((stride) => stride > 1) && hint.groups === 1) {
    return inputGradientByColumns(step, hint, lowering);
  }
  const nest = hint.groups === 1 ? kernel : splitGroups(kernel, hint);
  const last = nest.value.at(-1) as Op;
  if (last.op !== 'mul') return false;
  const [a, b] = last.args as readonly [number, number];
  const rank = hint.stride.length;
  const space = (from: number): number[] => Array.from({ length: rank }, (_, i) => from + i);
  const inner = (nest.reduce?.extents ?? []).map((_, at) => nest.domain.length + at);
  const g = hint.groups === 1 ? 0 : 1;
  // Forward: y[n, (g) o, q] = w[o, (c r)] x[(c r), q]. Input gradient: the same with o and c exchanged.
  // Weight gradient: dw[(g) o, (c r)] = sum over n, q of dy[o, n q] x[(c r), n q].
  const roles: Contraction =
    hint.form === 'weight'
      ? { batch: g === 0 ? [] : [0], rows: [g], columns: [g + 1, ...space(g + 2)], inner, left: b, right: a }
      : { batch: g === 0 ? [0] : [0, 1], rows: [g + 1], columns: space(g + 2), inner, left: b, right: a };
  return contract(step, nest, roles, lowering);
}

/** Takes the axis of channels apart into group and channel of the group; memory order stays. */
function splitGroups(kernel: Nest, hint: Convolution): Nest {
  const at = hint.form === 'weight' ? 0 : 1;
  const size = (kernel.domain[at] as number) / hint.groups;
  const count = kernel.domain.length + (kernel.reduce?.extents.length ?? 0);
  const forms = Array.from({ length: count }, (_, axis): Form => {
    if (axis < at) return { base: 0, axes: new Map([[axis, 1]]), others: new Map() };
    if (axis > at) return { base: 0, axes: new Map([[axis + 1, 1]]), others: new Map() };
    return { base: 0, axes: new Map([[at, size], [at + 1, 1]]), others: new Map() };
  });
  return {
    ...kernel,
    domain: [...kernel.domain.slice(0, at), hint.groups, size, ...kernel.domain.slice(at + 1)],
    value: substitute(kernel.value, forms),
    ...(kernel.epilogue === undefined ? {} : { epilogue: substitute(kernel.epilogue, forms) }),
  };
}

/**
 * The gradient of a strided convolution's input. As one contraction most terms are zeros that the stride skipped; so first
 * the contributions of every window, d[n, (c r), q] = sum over o of w[o, (c r)] g[n, o, q], then each element gathers its own.
 */
function inputGradientByColumns(step: Step, hint: Convolution, lowering: Lowering): boolean {
  const { kernel } = step;
  const { input, weight, output, stride, dilation, padding } = hint;
  const rank = stride.length;
  const [n, o] = output as [number, number];
  const windows = output.slice(2);
  const window = weight.slice(2);
  const lines = lengthOf(weight.slice(1));
  const places = lengthOf(windows);
  if (n * lines * places > Math.min(lowering.target.maxLength, 1 << 27)) return false;

  const product = new BodyWriter();
  const g = product.load(0, product.index([[0, o * places], [2, 1], [3, places]]));
  const w = product.load(1, product.index([[1, 1], [3, lines]]));
  product.alu('mul', 'float32', g, w);
  const between = lowering.temporary(n * lines * places, 'float32');
  const columns: Nest = {
    domain: [n, lines, places],
    dtype: 'float32',
    reads: ['float32', 'float32'],
    scalars: [],
    reduce: { op: 'sum', extents: [o], dtype: 'float32' },
    value: product.ops,
  };
  const reads = step.reads.slice(0, 2);
  const inner: Step = { kernel: { ...columns, key: '' }, write: between, reads, scalars: [] };
  if (!contract(inner, columns, { batch: [0], rows: [1], columns: [2], inner: [3], left: w, right: g }, lowering)) return false;

  // Axes: n, c, p...; terms: r...  Element p is the r-th of window q where p + padding = q stride + r dilation.
  const body = new BodyWriter();
  let index = body.index([[0, lines * places], [1, lengthOf(window) * places]]);
  let valid: number | undefined;
  for (let i = 0; i < rank; i++) {
    const position = body.index([[2 + i, 1], [2 + rank + i, -(dilation[i] as number)]], padding[i] as number);
    const by = body.integer(stride[i] as number);
    const q = body.alu('floorDiv', 'int32', position, by);
    const size = windows[i] as number;
    const clamped = body.alu('max', 'int32', body.integer(0), body.alu('min', 'int32', q, body.integer(size - 1)));
    const isWhole = body.alu('equal', 'bool', body.alu('mul', 'int32', clamped, by), position);
    valid = valid === undefined ? isWhole : body.alu('and', 'bool', valid, isWhole);
    const line = body.index([[2 + rank + i, lengthOf(window.slice(i + 1)) * places]]);
    const place = body.alu('mul', 'int32', clamped, body.integer(lengthOf(windows.slice(i + 1))));
    index = body.alu('add', 'int32', body.alu('add', 'int32', index, line), place);
  }
  const read = kernel.reads.length;
  body.alu('where', 'float32', valid as number, body.load(read, index), body.number(0));
  const gather: Nest = {
    ...kernel,
    domain: input,
    reads: [...kernel.reads, 'float32'],
    reduce: { op: 'sum', extents: window, dtype: 'float32' },
    value: body.ops,
  };
  lowering.nest(...compact(gather, [...step.reads, { buffer: between, offset: 0 }]), step.scalars, step.write);
  return true;
}
