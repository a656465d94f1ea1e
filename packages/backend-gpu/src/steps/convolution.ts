/**
 * Owns: convolutions and their two gradients as contractions: which axes are rows, columns and terms.
 * Does not own: the copy of windows and the product (`contraction.ts`, `product.ts`).
 * Their bodies are written anew: elements outside the input are left out after they are read, so that the index stays
 * linear and four neighbours are one or two fetches. (Reads out of range are harmless on these devices, whatever they give.)
 */
import type { Hint, Step } from '@nn/core';
import type { Form } from '../nest/affine.ts';
import { BodyWriter } from '../nest/body-writer.ts';
import { type Nest, substitute } from '../nest/nest.ts';
import { type Lowering, lengthOf } from '../program/lowering.ts';
import { type Contraction, contract } from './contraction.ts';
import { compact } from './reduction.ts';

type Convolution = Extract<Hint, { kind: 'conv' }>;
type Term = readonly [axis: number, factor: number];

/** The index along one axis of space: a form of which only the values in [0, size) are inside. */
interface Place {
  readonly terms: readonly Term[];
  readonly shift: number;
  readonly min: number;
  readonly max: number;
}

/** False where the loop nest is better. */
export function convolve(step: Step, hint: Convolution, lowering: Lowering): boolean {
  const { kernel } = step;
  if (kernel.reduce?.dtype !== 'float32' || kernel.reads[0] !== 'float32' || kernel.reads[1] !== 'float32')
    return false;
  if (hint.form === 'input' && hint.stride.some((stride) => stride > 1)) {
    return hint.groups === 1 && inputGradientByColumns(step, hint, lowering);
  }
  const { nest, roles } = hint.form === 'weight' ? weightNest(kernel, hint) : spatialNest(kernel, hint);
  return contract(step, nest, roles, lowering);
}

/** The sizes that all three forms share, of one group. */
function sizesOf({ input, weight, output, groups }: Convolution) {
  return {
    n: input[0]!,
    o: weight[0]! / groups,
    c: weight[1]!,
    inputs: lengthOf(input.slice(2)),
    outputs: lengthOf(output.slice(2)),
    window: lengthOf(weight.slice(2)),
    rank: input.length - 2,
    isGrouped: groups > 1,
  };
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

/** The terms of a row-major index along `axes`. */
const flat = (axes: readonly number[], shape: readonly number[]): Term[] =>
  axes.map((axis, i): Term => [axis, lengthOf(shape.slice(i + 1))]);

/** Position q stride + r dilation - padding along each axis of space. */
function windowPlaces(hint: Convolution, q: readonly number[], r: readonly number[]): Place[] {
  return q.map((axis, i) => {
    const [by, far, zeros] = [hint.stride[i], hint.dilation[i], hint.padding[i]] as [number, number, number];
    const max = (hint.output[i + 2]! - 1) * by + (hint.weight[i + 2]! - 1) * far - zeros;
    return {
      terms: [
        [axis, by],
        [r[i]!, far],
      ],
      shift: -zeros,
      min: -zeros,
      max,
    };
  });
}

/** The element of `read` at the terms of its outer axes and at places in space; 0 outside. */
function loadAt(
  body: BodyWriter,
  read: number,
  outer: readonly Term[],
  shape: readonly number[],
  places: readonly Place[],
): number {
  const terms = [...outer];
  let base = 0;
  let inside: number | undefined;
  const require = (condition: number): void => {
    inside = inside === undefined ? condition : body.alu('and', 'bool', inside, condition);
  };
  for (const [i, { terms: along, shift, min, max }] of places.entries()) {
    const size = shape[i]!;
    const stride = lengthOf(shape.slice(i + 1));
    for (const [axis, factor] of along) terms.push([axis, factor * stride]);
    base += shift * stride;
    if (min < 0) require(body.alu('less', 'bool', body.integer(-1), body.index(along, shift)));
    if (max >= size) require(body.alu('less', 'bool', body.index(along, shift), body.integer(size)));
  }
  const value = body.load(read, body.index(terms, base));
  return inside === undefined ? value : body.alu('where', 'float32', inside, value, body.number(0));
}

/** dw[g, o, c, r] = sum over n, q of x[n, g c, q stride + r dilation - padding] dy[n, g o, q] */
function weightNest(kernel: Nest, hint: Convolution): { readonly nest: Nest; readonly roles: Contraction } {
  const { n, o, c, inputs, outputs, rank, isGrouped } = sizesOf(hint);
  const { groups } = hint;
  const outer = isGrouped ? 1 : 0;
  const [oAxis, cAxis] = [outer, outer + 1];
  const r = range(outer + 2, rank);
  const nAxis = outer + 2 + rank;
  const q = range(nAxis + 1, rank);
  const group = (size: number): Term[] => (isGrouped ? [[0, size]] : []);
  const body = new BodyWriter();
  const xTerms: Term[] = [[nAxis, groups * c * inputs], ...group(c * inputs), [cAxis, inputs]];
  const x = loadAt(body, 0, xTerms, hint.input.slice(2), windowPlaces(hint, q, r));
  const yTerms: Term[] = [[nAxis, groups * o * outputs], ...group(o * outputs), [oAxis, outputs]];
  const y = body.load(1, body.index([...yTerms, ...flat(q, hint.output.slice(2))]));
  body.alu('mul', 'float32', x, y);
  return {
    nest: splitGroups(kernel, 0, groups, body, [n, ...hint.output.slice(2)]),
    roles: {
      batch: isGrouped ? [0] : [],
      rows: [oAxis],
      columns: [cAxis, ...r],
      inner: [nAxis, ...q],
      left: y,
      right: x,
    },
  };
}

/**
 * y[n, g, o, q] = sum over c, r of x[n, g c, q stride + r dilation - padding] w[g o, c, r], and for stride 1
 * dx[n, g, c, p] = sum over o, r of dy[n, g o, p + padding - r dilation] w[g o, c, r].
 */
function spatialNest(kernel: Nest, hint: Convolution): { readonly nest: Nest; readonly roles: Contraction } {
  const { o, c, inputs, outputs, window, rank, isGrouped } = sizesOf(hint);
  const { groups, weight } = hint;
  const isForward = hint.form === 'forward';
  const channel = isGrouped ? 2 : 1;
  const place = range(channel + 1, rank);
  const other = channel + 1 + rank;
  const r = range(other + 1, rank);
  const [oAxis, cAxis] = isForward ? [channel, other] : [other, channel];
  const group = (size: number): Term[] => (isGrouped ? [[1, size]] : []);
  const body = new BodyWriter();
  const wTerms: Term[] = [...group(o * c * window), [oAxis, c * window], [cAxis, window]];
  const w = body.load(1, body.index([...wTerms, ...flat(r, weight.slice(2))]));
  const backward = (): Place[] =>
    place.map((axis, i) => {
      const [far, zeros] = [hint.dilation[i], hint.padding[i]] as [number, number];
      const min = zeros - (weight[i + 2]! - 1) * far;
      return {
        terms: [
          [axis, 1],
          [r[i]!, -far],
        ],
        shift: zeros,
        min,
        max: hint.input[i + 2]! - 1 + zeros,
      };
    });
  const x = isForward
    ? loadAt(
        body,
        0,
        [[0, groups * c * inputs], ...group(c * inputs), [cAxis, inputs]],
        hint.input.slice(2),
        windowPlaces(hint, place, r),
      )
    : loadAt(
        body,
        0,
        [[0, groups * o * outputs], ...group(o * outputs), [oAxis, outputs]],
        hint.output.slice(2),
        backward(),
      );
  body.alu('mul', 'float32', x, w);
  return {
    nest: splitGroups(kernel, 1, groups, body, [isForward ? c : o, ...weight.slice(2)]),
    roles: {
      batch: isGrouped ? [0, 1] : [0],
      rows: [channel],
      columns: place,
      inner: [other, ...r],
      left: w,
      right: x,
    },
  };
}

/** The kernel with a new value; the domain's axis `at` is taken apart into group and channel of the group. */
function splitGroups(kernel: Nest, at: number, groups: number, body: BodyWriter, extents: readonly number[]): Nest {
  const reduce = { op: 'sum', extents, dtype: 'float32' } as const;
  if (groups === 1) return { ...kernel, reduce, value: body.ops };
  const size = kernel.domain[at]! / groups;
  const forms = kernel.domain.map((_, axis): Form => {
    const axes: Term[] =
      axis < at
        ? [[axis, 1]]
        : axis > at
          ? [[axis + 1, 1]]
          : [
              [at, size],
              [at + 1, 1],
            ];
    return { base: 0, axes: new Map(axes), others: new Map() };
  });
  return {
    ...kernel,
    domain: [...kernel.domain.slice(0, at), groups, size, ...kernel.domain.slice(at + 1)],
    reduce,
    value: body.ops,
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
  const g = product.load(
    0,
    product.index([
      [0, o * places],
      [2, 1],
      [3, places],
    ]),
  );
  const w = product.load(
    1,
    product.index([
      [1, 1],
      [3, lines],
    ]),
  );
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
  if (!contract(inner, columns, { batch: [0], rows: [1], columns: [2], inner: [3], left: w, right: g }, lowering))
    return false;

  // Axes: n, c, p...; terms: r...  Element p is the r-th of window q where p + padding = q stride + r dilation.
  const body = new BodyWriter();
  let index = body.index([
    [0, lines * places],
    [1, lengthOf(window) * places],
  ]);
  let valid: number | undefined;
  for (let i = 0; i < rank; i++) {
    const position = body.index(
      [
        [2 + i, 1],
        [2 + rank + i, -dilation[i]!],
      ],
      padding[i]!,
    );
    const by = body.integer(stride[i]!);
    const q = body.alu('floorDiv', 'int32', position, by);
    const size = windows[i]!;
    const clamped = body.alu('max', 'int32', body.integer(0), body.alu('min', 'int32', q, body.integer(size - 1)));
    const isWhole = body.alu('equal', 'bool', body.alu('mul', 'int32', clamped, by), position);
    valid = valid === undefined ? isWhole : body.alu('and', 'bool', valid, isWhole);
    const line = body.index([[2 + rank + i, lengthOf(window.slice(i + 1)) * places]]);
    const place = body.alu('mul', 'int32', clamped, body.integer(lengthOf(windows.slice(i + 1))));
    index = body.alu('add', 'int32', body.alu('add', 'int32', index, line), place);
  }
  const read = kernel.reads.length;
  body.alu('where', 'float32', valid!, body.load(read, index), body.number(0));
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
