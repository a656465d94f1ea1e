/**
 * Tensor: an immutable handle on a node of the graph. Every method is one call into ops/; nothing is computed until the
 * values are read or an optimizer steps, and nothing is ever disposed of by hand. Past 400 lines, because one class cannot
 * be cut: half of it is what users read of each method.
 */
import type { Axes, Backend, DType, Shape, TensorData } from './backend.ts';
import { deviceFor } from './compile/device.ts';
import { foreignTensor, thisCopy } from './copy.ts';
import { isHostArray, isReal } from './dtype.ts';
import { checkOptions, DTypeError, ShapeError, ValueError } from './errors.ts';
import { stopGradient } from './graph/custom-gradient.ts';
import type { Node, NumberSource } from './graph/node.ts';
import { currentRecorder, lift } from './graph/recorder.ts';
import { hostNode, type NestedNumbers } from './host-data.ts';
import * as arithmetic from './ops/arithmetic.ts';
import { type AtItem, indexAt } from './ops/at.ts';
import * as compare from './ops/compare.ts';
import * as composite from './ops/composite.ts';
import { matmul } from './ops/contract.ts';
import { fitting } from './ops/fitting.ts';
import * as functions from './ops/functions.ts';
import { type IndexRange, requireInside } from './ops/index-range.ts';
import * as indexing from './ops/indexing.ts';
import * as order from './ops/order.ts';
import * as reduce from './ops/reduce.ts';
import * as views from './ops/views.ts';
import { checkSynchronous } from './settings.ts';
import { normalizeAxis, show, sizeOf, stridesOf } from './shape.ts';

/** What operations take besides tensors: numbers (lifted, so that their value never recompiles) and nested arrays. */
export type TensorLike = Tensor | number | boolean | NumberSource | NestedNumbers;

export type ReduceOptions = reduce.ReduceOptions;

/**
 * One part of `at`: an index, a range [start, stop, step] with open ends, a new axis (null), '...' for all axes between, or a
 * tensor: int32 indices, which broadcast with the others, or a bool mask over as many axes as it has.
 */
export type IndexItem = number | readonly (number | null | undefined)[] | null | '...' | Tensor;

/** Nested arrays of numbers, as `array()` gives them. */
export type NestedArray = number | boolean | NestedArray[];

/** The array that holds a dtype. */
export type DataOf<D extends DType> = D extends 'float32'
  ? Float32Array
  : D extends 'int32'
    ? Int32Array
    : D extends 'int8'
      ? Int8Array
      : D extends 'float16' | 'bfloat16'
        ? Uint16Array
        : Uint8Array;

/** Numbers in arrays of arrays, by the number of axes. */
export interface NumbersOfRank {
  0: number;
  1: number[];
  2: number[][];
  3: number[][][];
  4: number[][][][];
}

/** The method that `console.log` of Node asks for. */
export const inspect: unique symbol = Symbol.for('nodejs.util.inspect.custom');

const sendInstead =
  'send the array of `await tensor.data()`, of a model the bytes of encodeModel(model) of @nn/serialize.';

/** Browsers leave out the middle of what is longer than a hundred letters. */
const notToBeSent: unique symbol = Symbol(
  'A tensor cannot be sent or cloned: send await tensor.data(), of a model encodeModel(model). It',
);

/**
 * An immutable array of numbers on a device. Made by `tensor`, `zeros`, `uniform` and by operations.
 *
 * @example
 * import { tensor } from '@nn/core';
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(await x.matmul(x).array()); // => [[7, 10], [15, 22]]
 */
export class Tensor {
  /** @internal The first thing that structuredClone and postMessage meet: what cannot be sent tells what can. */
  protected readonly sent: symbol = notToBeSent;
  /** Marks tensors, also those of another copy of this package. */
  readonly isTensor: true = true;
  /** @internal */
  protected readonly value: Node;

  static {
    // type and shape, in place of the graph
    // biome-ignore lint/complexity/noThisInStatic: by its own name, bundlers would have to call the class _Tensor
    Object.defineProperty(this.prototype, inspect, {
      configurable: true,
      value(this: Tensor) {
        return this.toString();
      },
    });
  }

  /** @internal Tensors are made by functions, not by `new`. */
  constructor(node: Node) {
    this.value = node;
  }

  /** @internal Which copy of this package made the tensor. */
  get copy(): string {
    return thisCopy;
  }

  /** @internal The node of the graph. */
  get node(): Node {
    return this.value;
  }

  /** @internal The same for who looks at it, and keeps it for nobody. */
  protected get seen(): Node {
    return this.value;
  }

  get shape(): Shape {
    return this.seen.shape;
  }

  get dtype(): DType {
    return this.seen.dtype;
  }

  /** The number of axes. */
  get rank(): number {
    return this.seen.shape.length;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.seen.shape);
  }

  /** The backend that the tensor lives on; null while any would do. */
  get backend(): Backend | null {
    return this.seen.backend;
  }

  // ---- reading

  /**
   * The values in row-major order: a copy. Everything read in one turn of the event loop is computed together. With a dtype
   * the type of the array is known; throws DTypeError when the tensor has another.
   *
   * @example
   * import { tensor } from '@nn/core';
   * const values: Float32Array = await tensor([[1, 2], [3, 4]]).data('float32');
   * console.log(values.length); // => 4
   */
  data(): Promise<TensorData>;
  data<D extends DType>(dtype: D): Promise<DataOf<D>>;
  data(dtype?: DType): Promise<TensorData> {
    // one promise, not two: answers of small networks take microseconds
    try {
      checkReadable();
      if (dtype !== undefined && dtype !== this.dtype) {
        const fix = `x.cast('${dtype}').data('${dtype}')`;
        const types = { dtype: this.dtype, asked: dtype };
        throw new DTypeError('data', `the tensor is ${this.dtype}, not ${dtype}: ${fix}.`, types);
      }
      return deviceFor(this.seen).read(this.seen);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The values where nothing has to be waited for: they are computed already, as after `step.atOnce(...)`, and lie on the host or on a
   * backend that has nothing under way (a CPU). Else null, so `y.dataAtOnce() ?? (await y.data())`. For loops of microseconds, and where
   * nobody can wait (a frame of a game, a block of sound).
   *
   * @example
   * import { tensor } from '@nn/core';
   * console.log(tensor([1, 2]).dataAtOnce()?.length, tensor([1, 2]).add(1).dataAtOnce()); // => 2 null
   */
  dataAtOnce(): TensorData | null {
    checkReadable();
    return deviceFor(this.seen).readAtOnce(this.seen);
  }

  /** The one value of a tensor with one element. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError('item', `${show(this.shape)} has ${this.size} elements, not one: use data() or array().`, {
        shape: this.shape,
      });
    }
    return (await this.data())[0]!;
  }

  /**
   * The values as nested arrays. With the number of axes their type is known: `array(2)` gives number[][]. Throws ShapeError
   * when the tensor has another rank, DTypeError when it is bool.
   *
   * @example
   * import { tensor } from '@nn/core';
   * const rows: number[][] = await tensor([[1, 2], [3, 4]]).array(2);
   * console.log(rows.map((row) => row.reduce((a, b) => a + b))); // => [3, 7]
   */
  array(): Promise<NestedArray>;
  array<R extends keyof NumbersOfRank>(rank: R): Promise<NumbersOfRank[R]>;
  async array(rank?: number): Promise<NestedArray> {
    if (rank !== undefined && rank !== this.rank) {
      throw new ShapeError('array', `${show(this.shape)} has the rank ${this.rank}, not ${rank}.`, {
        shape: this.shape,
        rank,
      });
    }
    if (rank !== undefined && this.dtype === 'bool') {
      throw new DTypeError(
        'array',
        `the tensor is bool: array() gives booleans, x.cast('int32').array(${rank}) numbers.`,
      );
    }
    const { shape, dtype } = this;
    const data = await this.data();
    const strides = stridesOf(shape);
    const nest = (axis: number, start: number): NestedArray => {
      if (axis === shape.length) return dtype === 'bool' ? data[start] !== 0 : data[start]!;
      return Array.from({ length: shape[axis]! }, (_, i) => nest(axis + 1, start + i * strides[axis]!));
    };
    return nest(0, 0);
  }

  toString(): string {
    return `Tensor ${this.dtype} ${show(this.shape)}`;
  }

  /**
   * What `loss < 0.5` and `Math.max(a, b)` ask for: always a ValueError, for a value has to be waited for. Text, as of a
   * template, is that of `toString`.
   */
  [Symbol.toPrimitive](hint: string): string {
    if (hint !== 'number') return this.toString();
    throw new ValueError('Tensor', 'a tensor is no number: await loss.item(), or compute with tensors, x.less(y).');
  }

  /** What JSON.stringify asks for: always a ValueError, for values have to be waited for. */
  toJSON(): never {
    throw new ValueError('toJSON', `a tensor lives on a device, and JSON cannot wait for it: ${sendInstead}`);
  }

  // ---- arithmetic; operands broadcast

  add(other: TensorLike): Tensor {
    return wrap(arithmetic.add(this.node, this.#operand(other)));
  }

  sub(other: TensorLike): Tensor {
    return wrap(arithmetic.subtract(this.node, this.#operand(other)));
  }

  mul(other: TensorLike): Tensor {
    return wrap(arithmetic.multiply(this.node, this.#operand(other)));
  }

  /** True division: integers give float32. */
  div(other: TensorLike): Tensor {
    return wrap(arithmetic.divide(this.node, this.#operand(other, true)));
  }

  /** The remainder with the sign of the dividend. */
  mod(other: TensorLike): Tensor {
    return wrap(arithmetic.modulo(this.node, this.#operand(other)));
  }

  floorDiv(other: TensorLike): Tensor {
    return wrap(arithmetic.floorDivide(this.node, this.#operand(other)));
  }

  /** The remainder with the sign of the divisor. */
  floorMod(other: TensorLike): Tensor {
    return wrap(arithmetic.floorModulo(this.node, this.#operand(other)));
  }

  /** x^y. A whole number as exponent becomes products, and the gradient at 0 is exact. */
  pow(exponent: TensorLike): Tensor {
    const isSmallWhole = typeof exponent === 'number' && Number.isInteger(exponent) && Math.abs(exponent) <= 64;
    return wrap(
      isSmallWhole
        ? arithmetic.integerPower(this.node, exponent)
        : arithmetic.power(this.node, this.#operand(exponent, true)),
    );
  }

  /** The larger of two elements; NaN if one is NaN. */
  maximum(other: TensorLike): Tensor {
    return wrap(arithmetic.maximum(this.node, this.#operand(other)));
  }

  minimum(other: TensorLike): Tensor {
    return wrap(arithmetic.minimum(this.node, this.#operand(other)));
  }

  // ---- functions of each element

  neg(): Tensor {
    return wrap(arithmetic.negate(this.node));
  }

  abs(): Tensor {
    return wrap(functions.abs(this.node));
  }

  /** -1, 0 or 1. */
  sign(): Tensor {
    return wrap(functions.sign(this.node));
  }

  /** To the nearest whole number, halves to the even one. */
  round(): Tensor {
    return wrap(functions.round(this.node));
  }

  floor(): Tensor {
    return wrap(functions.floor(this.node));
  }

  ceil(): Tensor {
    return wrap(functions.ceil(this.node));
  }

  /** The whole part, towards zero. */
  trunc(): Tensor {
    return wrap(functions.truncate(this.node));
  }

  exp(): Tensor {
    return wrap(functions.exp(this.node));
  }

  /** The natural logarithm. */
  log(): Tensor {
    return wrap(functions.log(this.node));
  }

  /** log(1 + x), exact near 0. */
  log1p(): Tensor {
    return wrap(functions.log1p(this.node));
  }

  /** exp(x) - 1, exact near 0. */
  expm1(): Tensor {
    return wrap(functions.expm1(this.node));
  }

  sqrt(): Tensor {
    return wrap(functions.sqrt(this.node));
  }

  /** 1 / sqrt(x). */
  rsqrt(): Tensor {
    return wrap(functions.rsqrt(this.node));
  }

  reciprocal(): Tensor {
    return wrap(functions.reciprocal(this.node));
  }

  square(): Tensor {
    return wrap(functions.square(this.node));
  }

  sin(): Tensor {
    return wrap(functions.sin(this.node));
  }

  cos(): Tensor {
    return wrap(functions.cos(this.node));
  }

  tan(): Tensor {
    return wrap(functions.tan(this.node));
  }

  tanh(): Tensor {
    return wrap(functions.tanh(this.node));
  }

  /** The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
  erf(): Tensor {
    return wrap(functions.erf(this.node));
  }

  /** 1 / (1 + exp(-x)). */
  sigmoid(): Tensor {
    return wrap(functions.sigmoid(this.node));
  }

  /** max(x, 0). */
  relu(): Tensor {
    return wrap(functions.relu(this.node));
  }

  /** log(1 + exp(x)). */
  softplus(): Tensor {
    return wrap(functions.softplus(this.node));
  }

  /** x Phi(x) (Hendrycks and Gimpel 2016), exact or by the tanh approximation. */
  gelu(approximate: 'none' | 'tanh' = 'none'): Tensor {
    return wrap(composite.gelu(this.node, approximate));
  }

  /** x sigmoid(x). */
  silu(): Tensor {
    return wrap(composite.silu(this.node));
  }

  /** x tanh(softplus(x)). */
  mish(): Tensor {
    return wrap(composite.mish(this.node));
  }

  /** min(max(x, low), high); either bound may be null. */
  clamp(low: TensorLike | null, high: TensorLike | null): Tensor {
    const bound = (value: TensorLike | null): Node | null => (value === null ? null : this.#operand(value));
    return wrap(functions.clamp(this.node, bound(low), bound(high)));
  }

  /** The same values in another dtype: to int32 towards zero and saturating, to bool x != 0. */
  cast(dtype: DType): Tensor {
    return wrap(functions.cast(this.node, dtype));
  }

  // ---- comparison and logic: bool

  less(other: TensorLike): Tensor {
    return wrap(compare.less(this.node, this.#operand(other)));
  }

  lessEqual(other: TensorLike): Tensor {
    return wrap(compare.lessEqual(this.node, this.#operand(other)));
  }

  greater(other: TensorLike): Tensor {
    return wrap(compare.less(this.#operand(other), this.node));
  }

  greaterEqual(other: TensorLike): Tensor {
    return wrap(compare.lessEqual(this.#operand(other), this.node));
  }

  equal(other: TensorLike): Tensor {
    return wrap(compare.equal(this.node, this.#operand(other)));
  }

  notEqual(other: TensorLike): Tensor {
    return wrap(compare.notEqual(this.node, this.#operand(other)));
  }

  logicalAnd(other: TensorLike): Tensor {
    return wrap(compare.and(compare.truth(this.node), compare.truth(this.#operand(other))));
  }

  logicalOr(other: TensorLike): Tensor {
    return wrap(compare.or(compare.truth(this.node), compare.truth(this.#operand(other))));
  }

  logicalNot(): Tensor {
    return wrap(compare.not(this.node));
  }

  bitwiseAnd(other: TensorLike): Tensor {
    return wrap(compare.and(this.node, this.#operand(other)));
  }

  bitwiseOr(other: TensorLike): Tensor {
    return wrap(compare.or(this.node, this.#operand(other)));
  }

  bitwiseXor(other: TensorLike): Tensor {
    return wrap(compare.xor(this.node, this.#operand(other)));
  }

  /** Shift counts are taken modulo 32. */
  shiftLeft(other: TensorLike): Tensor {
    return wrap(compare.shiftLeft(this.node, this.#operand(other)));
  }

  /** Keeps the sign. Shift counts are taken modulo 32. */
  shiftRight(other: TensorLike): Tensor {
    return wrap(compare.shiftRight(this.node, this.#operand(other)));
  }

  // ---- reductions; over all axes where none is named

  sum(axes?: number | Axes, options?: ReduceOptions): Tensor {
    return wrap(reduce.sum(this.node, axes, only('sum', options, 'keepAxes')));
  }

  prod(axes?: number | Axes, options?: ReduceOptions): Tensor {
    return wrap(reduce.product(this.node, axes, only('prod', options, 'keepAxes')));
  }

  mean(axes?: number | Axes, options?: ReduceOptions): Tensor {
    return wrap(reduce.mean(this.node, axes, only('mean', options, 'keepAxes')));
  }

  max(axes?: number | Axes, options?: ReduceOptions): Tensor {
    return wrap(reduce.max(this.node, axes, only('max', options, 'keepAxes')));
  }

  min(axes?: number | Axes, options?: ReduceOptions): Tensor {
    return wrap(reduce.min(this.node, axes, only('min', options, 'keepAxes')));
  }

  /** The variance; `correction` is taken off the count, 1 by default (Bessel). */
  variance(axes?: number | Axes, options?: ReduceOptions & { readonly correction?: number }): Tensor {
    return wrap(reduce.variance(this.node, axes, only('variance', options, 'keepAxes', 'correction')));
  }

  standardDeviation(axes?: number | Axes, options?: ReduceOptions & { readonly correction?: number }): Tensor {
    return wrap(
      reduce.standardDeviation(this.node, axes, only('standardDeviation', options, 'keepAxes', 'correction')),
    );
  }

  /** The vector norm; `order` is 2 by default, 1, Infinity or any positive number. */
  norm(axes?: number | Axes, options?: ReduceOptions & { readonly order?: number }): Tensor {
    return wrap(composite.norm(this.node, axes, only('norm', options, 'keepAxes', 'order')));
  }

  logSumExp(axes?: number | Axes, options?: ReduceOptions): Tensor {
    return wrap(composite.logSumExp(this.node, axes, only('logSumExp', options, 'keepAxes')));
  }

  any(axes?: number | Axes, options?: ReduceOptions): Tensor {
    return wrap(reduce.any(this.node, axes, only('any', options, 'keepAxes')));
  }

  all(axes?: number | Axes, options?: ReduceOptions): Tensor {
    return wrap(reduce.all(this.node, axes, only('all', options, 'keepAxes')));
  }

  /** The first index of the largest element along `axis` (of all elements where none is named), or of the first NaN; int32. */
  argMax(axis?: number, options?: ReduceOptions): Tensor {
    return wrap(argExtreme('max', this.node, axis, only('argMax', options, 'keepAxes')));
  }

  argMin(axis?: number, options?: ReduceOptions): Tensor {
    return wrap(argExtreme('min', this.node, axis, only('argMin', options, 'keepAxes')));
  }

  // ---- shape: views, which cost nothing

  /** The same elements in another shape; one size may be -1. */
  reshape(shape: Shape): Tensor {
    return wrap(views.reshape(this.node, shape));
  }

  /** Axes `from` to `to` (both included) joined to one. */
  flatten(from = 0, to = -1): Tensor {
    const { shape } = this;
    if (shape.length === 0) return this.reshape([1]);
    const first = normalizeAxis('flatten', from, shape.length);
    const last = normalizeAxis('flatten', to, shape.length);
    if (last < first) throw new ShapeError('flatten', `axis ${from} comes after axis ${to}.`, { from, to });
    return this.reshape([...shape.slice(0, first), sizeOf(shape.slice(first, last + 1)), ...shape.slice(last + 1)]);
  }

  /** Without axes of size 1: all, or those named. */
  squeeze(axes?: number | Axes): Tensor {
    return wrap(views.squeeze(this.node, axes));
  }

  /** With an axis of size 1 before `axis`. */
  unsqueeze(axis: number): Tensor {
    return wrap(views.unsqueeze(this.node, axis));
  }

  /** The axes in another order. */
  permute(axes: Axes): Tensor {
    return wrap(views.permute(this.node, axes));
  }

  /** Two axes exchanged, by default the last two. */
  transpose(a = -2, b = -1): Tensor {
    return wrap(views.transpose(this.node, a, b));
  }

  /** Repeated to a larger shape by NumPy's rule of broadcasting. */
  expand(shape: Shape): Tensor {
    return wrap(views.expandTo(this.node, shape));
  }

  /** Reversed along the axes named, or along all. */
  flip(axes?: number | Axes): Tensor {
    return wrap(views.flip(this.node, axes));
  }

  /** With `before` and `after` elements of `value` added to each axis. */
  pad(amounts: readonly (readonly [number, number])[], value: TensorLike = 0): Tensor {
    const { shape, node } = this;
    const isValid = amounts.length === shape.length && amounts.flat().every((n) => Number.isInteger(n) && n >= 0);
    if (!isValid) {
      throw new ShapeError(
        'pad',
        `${show(shape)} needs ${shape.length} pairs [before, after] of whole numbers from 0, got ${JSON.stringify(amounts)}.`,
        { shape, amounts },
      );
    }
    const attributes = {
      before: amounts.map(([before]) => before),
      after: amounts.map(([, after]) => after),
      step: shape.map(() => 1),
    };
    const padded = views.padStatic(node, attributes);
    if (value === 0) return wrap(padded);
    const inside = views.padStatic(views.expandTo(lift(1, 'bool'), shape), attributes);
    return wrap(compare.where(inside, padded, this.#operand(value)));
  }

  /**
   * The box from `starts` to `stops` (not included), with steps. Negative numbers count from the end, ranges are cut to
   * the tensor, negative steps go backwards. Starts are lifted: a moving window does not recompile.
   */
  slice(starts: readonly number[], stops?: readonly (number | null)[], steps?: readonly number[]): Tensor {
    return this.at(...starts.map((start, axis) => [start, stops?.[axis] ?? null, steps?.[axis] ?? 1]));
  }

  /**
   * NumPy's indexing: `x.at(0)`, `x.at('...', [1, 3])`, `x.at([null, null, -1], null)`. Tensors of int32 indices choose
   * together, element by element; their common shape stands where the first of them stands, and in front where other axes lie
   * between them. Negative ones count from the end; those outside as for `gather`. A mask must be on the host: of a computed
   * one nobody knows yet how much it chooses (`maskedSelect` and `nonzero` wait for that).
   *
   * @example
   * import { tensor } from '@nn/core';
   * const x = tensor([[1, 2, 3], [4, 5, 6]]);
   * const columns = tensor([2, 0], { dtype: 'int32' });
   * console.log(await x.at(tensor([1, 0], { dtype: 'int32' }), columns).array()); // => [6, 1]
   * console.log(await x.at([0, 1], columns).array()); // => [[3, 1]]
   * console.log(await x.at(tensor([false, true])).array()); // => [[4, 5, 6]]
   */
  at(...items: readonly IndexItem[]): Tensor {
    return wrap(indexAt(this.node, itemNodes(items)));
  }

  /** Pieces along an axis: so many equal ones, or of the sizes named. */
  split(pieces: number | readonly number[], axis = 0): Tensor[] {
    return indexing.split(this.node, pieces, axis).map(wrap);
  }

  // ---- indexing

  /**
   * Whole slices along `axis` chosen by int32 indices: [...before, ...indices.shape, ...after]. Throws ValueError for an index
   * outside where the values are on the host; computed ones are clamped, and reported by `debug({ eager: true })`.
   */
  gather(indices: TensorLike, axis = 0): Tensor {
    const index = integers(indices);
    const result = indexing.gather(this.node, index, axis);
    requireInside(index, rangeOf('gather', this.shape, axis));
    return wrap(result);
  }

  /** Each element's own index along `axis`: the result has the shape of `indices`. Indices outside as for `gather`. */
  takeAlong(indices: TensorLike, axis: number): Tensor {
    const index = integers(indices);
    const result = indexing.takeAlong(this.node, index, axis);
    requireInside(index, rangeOf('takeAlong', this.shape, axis));
    return wrap(result);
  }

  /**
   * A copy with `updates` added at `indices` along `axis`; repeated indices add up, those outside are ignored, and
   * reported by `debug({ eager: true })`.
   */
  scatterAdd(indices: TensorLike, updates: TensorLike, axis = 0): Tensor {
    const index = integers(indices);
    const result = indexing.scatterAdd(this.node, index, this.#operand(updates), axis);
    requireInside(index, rangeOf('scatterAdd', this.shape, axis), true);
    return wrap(result);
  }

  /** A copy with the box at `starts` replaced by `value`. Starts are lifted. Throws DTypeError for floats in integers. */
  update(starts: readonly (number | NumberSource)[], value: TensorLike): Tensor {
    const box = fitting('update', this.#operand(value), this.dtype, !isTensor(value));
    const inRange = starts.map((start, axis) => {
      const room = (this.shape[axis] ?? 0) - (box.shape[axis] ?? 0);
      // a source is brought into range each time it is read
      if (typeof start !== 'number') return { read: () => Math.min(Math.max(Math.trunc(start.read()), 0), room) };
      if (Number.isInteger(start) && start >= 0 && start <= room) return start;
      throw new ShapeError(
        'update',
        `a box of ${show(box.shape)} at [${starts.join(', ')}] leaves ${show(this.shape)} at axis ${axis}.`,
        { shape: this.shape, box: box.shape, starts },
      );
    });
    const nodes = inRange.map((start) => lift(start, 'int32'));
    return wrap(indexing.update(this.node, box, nodes));
  }

  // ---- order

  cumsum(axis: number): Tensor {
    return wrap(order.cumsum(this.node, axis));
  }

  /** Sorted along `axis`, with the indices that sort; stable, NaN counts as the largest. */
  sort(axis = -1, options?: order.SortOptions): { readonly values: Tensor; readonly indices: Tensor } {
    const { values, indices } = order.sort(this.node, axis, only('sort', options, 'descending'));
    return { values: wrap(values), indices: wrap(indices) };
  }

  argSort(axis = -1, options?: order.SortOptions): Tensor {
    return wrap(order.argSort(this.node, axis, only('argSort', options, 'descending')));
  }

  /** The k largest along `axis` in descending order (or the smallest, ascending). */
  topK(
    k: number,
    axis = -1,
    options?: { readonly largest?: boolean },
  ): { readonly values: Tensor; readonly indices: Tensor } {
    const { values, indices } = order.topK(this.node, k, axis, only('topK', options, 'largest'));
    return { values: wrap(values), indices: wrap(indices) };
  }

  // ---- products and rows

  /** The matrix product by NumPy's rules: leading axes broadcast, vectors are rows at the left and columns at the right. */
  matmul(other: TensorLike): Tensor {
    return wrap(matmul(this.node, this.#operand(other)));
  }

  /** exp(x) / sum(exp(x)) along `axis`. */
  softmax(axis = -1): Tensor {
    return wrap(composite.softmax(this.node, axis));
  }

  /** log(softmax(x)), without its loss of digits. */
  logSoftmax(axis = -1): Tensor {
    return wrap(composite.logSoftmax(this.node, axis));
  }

  /** The same value, through which no gradient passes. */
  stopGradient(): Tensor {
    return wrap(stopGradient(this.node));
  }

  /** The other side of a binary operation, as a node. */
  #operand(other: TensorLike, asFloat = false): Node {
    return toNode(other, asFloat || isReal(this.dtype) ? 'float32' : 'int32');
  }
}

/** Options, none of which is unknown: `keepdim` would be ignored without a word. */
function only<T extends object>(operation: string, options: T | undefined, ...known: readonly string[]): T | undefined {
  if (options !== undefined) checkOptions(operation, options, known);
  return options;
}

/** Values do not exist while a function is traced: reading one there would fix it for all later calls. */
function checkReadable(): void {
  if (currentRecorder() === null) return;
  throw new ValueError(
    'compile',
    'values cannot be read inside a compiled function: return the tensor and read it outside.',
  );
}

/** @internal */
export function wrap(node: Node): Tensor {
  return new Tensor(node);
}

/** True for tensors. Throws a `DuplicateCoreError` for those of another copy of this package, which no operation can take. */
export function isTensor(value: unknown): value is Tensor {
  if (value instanceof Tensor) return true;
  if (typeof value === 'object' && value !== null && 'isTensor' in value) throw foreignTensor(value);
  return false;
}

/** @internal The node of an argument that has to be a tensor. */
export function nodeOf(operation: string, value: Tensor): Node {
  if (isTensor(value)) return value.node;
  checkSynchronous(operation, value);
  throw new ValueError(operation, `needs a tensor, got ${value === null ? 'null' : typeof value}.`);
}

/** @internal Anything that an operation takes, as a node; `dtype` is that of a bare number. */
export function toNode(value: TensorLike, dtype: DType): Node {
  if (isTensor(value)) return value.node;
  if (typeof value === 'number') return lift(value, dtype);
  if (typeof value === 'boolean') return lift(value ? 1 : 0, 'bool');
  if (isHostArray(value) || Array.isArray(value)) return hostNode('tensor', value as NestedNumbers, {});
  if (typeof value === 'object' && value !== null && 'read' in value) return lift(value, dtype);
  throw new ValueError(
    '/operand',
    `An operation got ${value === null ? 'null' : typeof value} where it needs a tensor, a number or an array.`,
  );
}

/** @internal Items of `at`, their tensors as nodes. */
export function itemNodes(items: readonly IndexItem[]): AtItem[] {
  return items.map((item) => (isTensor(item) ? item.node : item));
}

/** @internal Indices: bare numbers are whole. */
export function integers(indices: TensorLike): Node {
  const node = toNode(indices, 'int32');
  const isBare = !isTensor(indices) && node.dtype === 'float32';
  return isBare ? functions.cast(node, 'int32') : node;
}

function rangeOf(operation: string, shape: Shape, axis: number): IndexRange {
  const normal = normalizeAxis(operation, axis, shape.length);
  return { operation, from: `axis ${normal} of ${show(shape)}`, size: shape[normal]! };
}

function argExtreme(kind: 'max' | 'min', node: Node, axis: number | undefined, options?: ReduceOptions): Node {
  if (axis === undefined) return reduce.argExtreme(kind, views.reshape(node, [-1]), 0);
  return reduce.argExtreme(kind, node, axis, options);
}
