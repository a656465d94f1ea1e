/**
 * Metrics made of sums. What the window has is one float32 parameter on the device that is assigned anew by each update,
 * so it is part of whatever program runs next, as running statistics are. Owns its life (waiting, moving, clearing), no
 * formula; metric.ts has what was read. sample-metric.ts puts samples in the place of sums.
 */
import {
  type Backend,
  full,
  isTensor,
  onReplay,
  type Parameter,
  parameter,
  replace,
  type Shape,
  ShapeError,
  type Tensor,
  ValueError,
} from '@nn/core';
import { sameShape, show } from './inputs.ts';
import { Metric } from './metric.ts';

/** Past both, an increment can be smaller than half of the last digit of a float32 sum. */
const [mostUpdates, mostElements] = [2 ** 14, 2 ** 24];

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
  #window: Parameter | null = null;
  /** Since the last read. */
  #updates = 0;
  #elements = 0;

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
    const added = this.measure(...batch).stopGradient();
    const shape = this.windowFor(added.shape);
    const window = this.#windowOn(added.backend ?? batch.find(isTensor)?.backend ?? null, shape);
    // no step ran what the last update waits for (validation): run it now, or the graph would grow with each batch.
    // Where that fails it still waits, and the read says why
    if (window.isWaiting) replace([]).catch(() => {});
    const next = this.accumulate(window.stopGradient(), added);
    const elements = Math.max(...batch.map((item) => (isTensor(item) ? item.size : 0)));
    const count = (): void => {
      this.#updates++;
      this.#elements += elements;
      this.advance(added.shape, this.#updates > mostUpdates && this.#elements > mostElements);
    };
    count();
    onReplay(count);
    window.assign(next);
  }

  /** @internal The shape of the window for those of a batch. */
  protected windowFor(batch: Shape): Shape {
    const [rows = 1, columns = 1] = batch;
    if (this.shape[1] === 0) this.shape = [rows, columns];
    if (sameShape(batch, this.shape)) return batch;
    throw new ShapeError(
      String(this),
      `sums ${show(batch)} after ${show(this.shape)}: the number of classes or outputs may not change.`,
      { batch, expected: this.shape },
    );
  }

  /** @internal The host's part of an update, repeated by each replay of a compiled function. */
  protected advance(_batch: Shape, isTooMuch: boolean): void {
    if (!isTooMuch) return;
    throw new ValueError(
      String(this),
      `${this.#elements} elements in ${this.#updates} updates are more than float32 sums can count: await read(...) more often.`,
    );
  }

  #windowOn(backend: Backend | null, shape: Shape): Parameter {
    const old = this.#window;
    const from = old?.backend ?? backend;
    if (old !== null && (backend === null || from === backend)) return old;
    if (this.isOnDevice) {
      throw new ValueError(
        String(this),
        `its sums are on '${from?.name}', this batch on '${backend?.name}': await read(...) before the model moves.`,
      );
    }
    const values = new Float32Array(shape.reduce((size, extent) => size * extent)).fill(this.start);
    this.#window = parameter(values, { shape, trainable: false, name: this.name });
    return this.#window;
  }

  /** @internal */
  override get isOnDevice(): boolean {
    return this.#updates > 0;
  }

  /** @internal */
  override collect(): Tensor | null {
    const window = this.#window;
    const taken = window !== null && this.isOnDevice ? this.take(window) : null;
    this.#forget();
    return taken;
  }

  /** @internal The window as it is now, whatever is assigned to it. */
  protected take(window: Parameter): Tensor {
    return window.reshape([window.size]);
  }

  /** @internal The window begins anew. */
  protected clear(window: Parameter): void {
    window.assign(full(window.shape, this.start));
  }

  #forget(): void {
    if (this.#window !== null && this.isOnDevice) this.clear(this.#window);
    this.#updates = this.#elements = 0;
  }

  override reset(): void {
    super.reset();
    this.#forget();
  }
}
