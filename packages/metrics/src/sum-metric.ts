/**
 * Metrics made of sums. What the window has is one float32 parameter on the device that is assigned anew by each update,
 * so it is part of whatever program runs next, as running statistics are. Owns its life (waiting, moving, beginning anew), no
 * formula; metric.ts has what was read. row-metric.ts puts samples in the place of sums.
 *
 * A read takes the numbers where they lie and clears nothing: the first update after it begins with `start` and writes over
 * what is there. Outside of compiled functions, which take back what they counted where they fail, it begins on memory of
 * its own: a program that fails would leave the numbers of the window before. See docs/decisions/0060.
 */
import {
  type Backend,
  type Condition,
  Counter,
  computeWaiting,
  isCompiling,
  isTensor,
  type Parameter,
  parameter,
  replayWhile,
  type Shape,
  ShapeError,
  showShape,
  type Tensor,
  type TensorData,
  ValueError,
  where,
} from '@nn/core';

import { Metric } from './metric.ts';

/**
 * How many elements float32 can count, for past that one more is smaller than half of the last digit of the sum. What an update
 * brings was summed apart, so it counts as a thousand of them at most.
 */
const mostElements = 16_777_216;
const mostOfUpdate = 1024;

/** How an update is kept: the shape of the window, by how much `held` grows, and the window with it, before that was counted. */
export type Keeping = readonly [shape: Shape, growth: number, write: (window: Tensor) => Tensor];

/** The sums on a device, for as long as they are those of the metric. */
interface Window extends Condition {
  readonly sums: Parameter;
  holds: boolean;
}

/**
 * The base of metrics whose state is sums: `measure` gives those of a batch as [rows, columns], `compute` makes the value
 * of the totals. A metric of your own extends it, or `MeanMetric`.
 *
 * @example
 * import { type Tensor, tensor } from '@nn/core';
 * import { SumMetric } from '@nn/metrics';
 * class NonZero extends SumMetric<[x: Tensor], number> {
 *   protected override measure(x: Tensor): Tensor {
 *     return x.notEqual(0).cast('float32').sum().reshape([1, 1]);
 *   }
 *   protected override compute([count = 0]: Float64Array): number {
 *     return count;
 *   }
 * }
 * const metric = new NonZero('non_zero', null);
 * metric.update(tensor([0, 1, 2]));
 * console.log((await metric.read()).epoch); // => 2
 */
export abstract class SumMetric<Arguments extends readonly unknown[], Value> extends Metric<Value> {
  #window: Window | null = null;
  /** @internal What the updates since the last read count as; where samples are kept, how many the window holds. */
  protected held: Counter = new Counter(mostElements, (count) => this.requireRoom(count));

  /** The sums of a batch: [rows, columns]. */
  protected abstract measure(...batch: Arguments): Tensor;

  /** The value of the totals, [rows * columns] row by row. */
  protected abstract override compute(totals: Float64Array, columns: number): Value;

  /** The sums of the window with those of a batch. */
  protected accumulate(window: Tensor, batch: Tensor): Tensor {
    return window.add(batch);
  }

  /**
   * Adds a batch. Call it before `optimizer.step(loss)`, which computes it in the same program, or inside of `compile`.
   * Where no step follows (validation), the next update runs what this one waits for.
   */
  update(...batch: Arguments): void {
    const added = this.measure(...batch);
    const [shape, growth, write] = this.keeping(added, batch);
    const window = this.#windowOn(added.backend, shape);
    const { sums } = window;
    computeWaiting(sums);
    replayWhile(this, window);
    const next = write(sums);
    this.held.grow(growth);
    sums.assign(next);
  }

  /** @internal How an update is kept in the window. */
  protected keeping(added: Tensor, batch: Arguments): Keeping {
    const [rows = 1, columns = 1] = added.shape;
    if (this.shape[1] === 0) this.shape = [rows, columns];
    const [given, expected] = [showShape(added.shape), showShape(this.shape)];
    if (given !== expected) {
      throw new ShapeError(String(this), `sums ${given} after ${expected}: classes or outputs may not change.`, {
        batch: added.shape,
        expected: this.shape,
      });
    }
    const elements = Math.max(1, ...batch.map((item) => (isTensor(item) ? item.size : 1)));
    const growth = Math.min(elements, mostOfUpdate);
    return [added.shape, growth, (window) => this.accumulate(where(this.held, window, this.start), added)];
  }

  /** @internal Throws where a window has no room for so many elements, or samples. */
  protected requireRoom(_count: number): void {
    throw new ValueError(String(this), 'float32 sums cannot count so many updates: await read(...) more often.');
  }

  #windowOn(backend: Backend | null, shape: Shape): Window {
    const old = this.#window;
    const from = old?.sums.backend ?? backend;
    const isHere = backend === null || from === backend;
    if (old !== null && isHere && (this.isOnDevice || isCompiling())) return old;
    if (this.isOnDevice) {
      throw new ValueError(
        String(this),
        `its sums are on '${from?.name}', this batch on '${backend?.name}': await read(...) before the model moves.`,
      );
    }
    if (old !== null) old.holds = false;
    const values = new Float32Array(shape.reduce((size, extent) => size * extent)).fill(this.start);
    this.#window = { sums: parameter(values, { shape, buffer: true, name: this.name }), holds: true };
    return this.#window;
  }

  /** @internal */
  override get isOnDevice(): boolean {
    return this.held.value > 0;
  }

  /** @internal */
  override collect(): Promise<TensorData> | TensorData {
    const sums = this.isOnDevice ? this.#window?.sums : null;
    this.held.value = 0;
    return sums?.dataAtOnce() ?? sums?.data() ?? new Float32Array();
  }

  override reset(): void {
    super.reset();
    this.held.value = 0;
  }
}
