/** Tensors from numbers, and tensors filled by a rule. */
import type { Backend, DType, Shape } from './backend.ts';
import { checkDType, isComputable } from './dtype.ts';
import { checkOptions, ShapeError, ValueError } from './errors.ts';
import { constant, type Node } from './graph/node.ts';
import { lift } from './graph/recorder.ts';
import { hostNode, type NestedNumbers, type TensorOptions } from './host-data.ts';
import { add, multiply } from './ops/arithmetic.ts';
import { equal } from './ops/compare.ts';
import * as composite from './ops/composite.ts';
import { cast } from './ops/functions.ts';
import { requireInside } from './ops/index-range.ts';
import { requireInteger } from './ops/indexing.ts';
import { indexAlong } from './ops/sources.ts';
import { expandTo } from './ops/views.ts';
import { checkShape } from './shape.ts';
import { isTensor, type Tensor, type TensorLike, toNode, wrap } from './tensor.ts';

const fillOptions = ['dtype', 'backend'];

export interface FillOptions {
  /** float32 by default. */
  readonly dtype?: DType;
  /** By default wherever the tensors that it meets live. */
  readonly backend?: Backend;
}

/**
 * A tensor from nested arrays, a number or a typed array, which is copied.
 *
 * @example
 * import { tensor } from '@nn/core';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * console.log(x.shape); // => [2, 3]
 */
export function tensor(data: NestedNumbers, options: TensorOptions = {}): Tensor {
  checkOptions('tensor', options, ['shape', 'dtype', 'backend', 'borrow', 'constant']);
  return wrap(hostNode('tensor', data, options));
}

/**
 * A tensor of one number.
 *
 * @example
 * import { full } from '@nn/core';
 * console.log(await full([2], 7).array()); // => [7, 7]
 */
export function full(shape: Shape, value: number, options: FillOptions = {}): Tensor {
  checkFill('full', shape, options);
  const dtype = options.dtype ?? 'float32';
  // a number of a dtype that only stores is rounded by storing it
  const number = isComputable(dtype) ? lift(value, dtype) : cast(lift(value, 'float32'), dtype);
  return filled(expandTo(number, shape), options);
}

export function zeros(shape: Shape, options: FillOptions = {}): Tensor {
  checkFill('zeros', shape, options);
  return filled(constant(0, options.dtype ?? 'float32', shape), options);
}

export function ones(shape: Shape, options: FillOptions = {}): Tensor {
  checkFill('ones', shape, options);
  return filled(constant(1, options.dtype ?? 'float32', shape), options);
}

/** Zeros of the shape, dtype and backend of `like`. */
export function zerosLike(like: Tensor): Tensor {
  return zeros(like.shape, optionsOf(like));
}

export function onesLike(like: Tensor): Tensor {
  return ones(like.shape, optionsOf(like));
}

/**
 * Numbers from `start` (0 by default) up to `stop`, which is not included; int32 if all are whole numbers.
 *
 * @example
 * import { arange } from '@nn/core';
 * console.log(await arange(4).array()); // => [0, 1, 2, 3]
 */
export function arange(startOrStop: number, stop?: number, step = 1, options: FillOptions = {}): Tensor {
  checkOptions('arange', options, fillOptions);
  const start = stop === undefined ? 0 : startOrStop;
  const end = stop ?? startOrStop;
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (step === 0 || !Number.isFinite(count)) {
    throw new ValueError('arange', `no finite range goes from ${start} to ${end} in steps of ${step}.`);
  }
  const isWhole = Number.isInteger(start) && Number.isInteger(step);
  const dtype = options.dtype ?? (isWhole ? 'int32' : 'float32');
  const index = cast(indexAlong([count], 0), dtype);
  const scaled = step === 1 ? index : multiply(index, lift(step, dtype));
  return filled(start === 0 ? scaled : add(scaled, lift(start, dtype)), options);
}

/** `count` numbers from `start` to `stop`, both included, at equal distances. */
export function linspace(start: number, stop: number, count: number, options: FillOptions = {}): Tensor {
  checkOptions('linspace', options, fillOptions);
  if (!Number.isInteger(count) || count < 0)
    throw new ValueError('linspace', `the count must be a whole number, got ${count}.`);
  const step = count > 1 ? (stop - start) / (count - 1) : 0;
  const index = cast(indexAlong([count], 0), 'float32');
  return filled(add(multiply(index, lift(step, 'float32')), lift(start, 'float32')), options);
}

/** The identity matrix [n, n]. */
export function eye(n: number, options: FillOptions = {}): Tensor {
  checkOptions('eye', options, fillOptions);
  checkShape('eye', [n]);
  return filled(cast(equal(indexAlong([n, n], 0), indexAlong([n, n], 1)), options.dtype ?? 'float32'), options);
}

/**
 * Throws ValueError for an index that is no whole number from 0 to `size` - 1 (nor `ignored`) where the values are on the host, and has
 * computed ones looked at in eager debugging: for layers and losses that take indices.
 *
 * @example
 * import { checkIndices, tensor } from '@nn/core';
 * checkIndices('myLoss', tensor([0, 5]), 2, 'classes'); // throws myLoss: index 5 is outside of 2 classes
 */
export function checkIndices(operation: string, indices: Tensor, size: number, things: string, ignored?: number): void {
  const isCut = indices.dtype !== 'float32';
  requireInside(indices.node, { operation, from: `${size} ${things}`, size, isCut, ignored });
}

/**
 * 1 at the index and 0 elsewhere, along a new last axis of `classes`. An index outside gives zeros only, and is reported
 * by `debug({ eager: true })`.
 *
 * @example
 * import { oneHot } from '@nn/core';
 * console.log(await oneHot([1, 0], 3).array()); // => [[0, 1, 0], [1, 0, 0]]
 */
export function oneHot(indices: TensorLike, classes: number): Tensor {
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ShapeError('oneHot', `the number of classes must be a whole number from 1, got ${classes}.`, { classes });
  }
  const node = toNode(indices, 'int32');
  const whole = isTensor(indices) || node.dtype === 'int32' ? node : cast(node, 'int32');
  requireInteger('oneHot', whole);
  requireInside(whole, { operation: 'oneHot', from: `${classes} classes`, size: classes }, true);
  return wrap(composite.oneHot(whole, classes));
}

function checkFill(operation: string, shape: Shape, options: FillOptions): void {
  checkOptions(operation, options, fillOptions);
  const { dtype } = options;
  checkShape(operation, shape);
  if (dtype !== undefined) checkDType(operation, dtype);
}

function filled(node: Node, { backend }: FillOptions): Tensor {
  if (backend !== undefined) node.backend = backend;
  return wrap(node);
}

function optionsOf({ dtype, backend }: Tensor): FillOptions {
  return backend === null ? { dtype } : { dtype, backend };
}
