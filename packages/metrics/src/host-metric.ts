/** Metrics of text: sums on the host, in float64, counted in plain JavaScript. Owns no formula. */
import { Metric } from './metric.ts';

/** A metric whose `count` answers flat sums of a batch, always as many, and `compute` the value of the totals. */
export abstract class HostMetric<Arguments extends readonly unknown[], Value = number> extends Metric<Value> {
  constructor(name: string, higherIsBetter: boolean | null, length: number) {
    super(name, higherIsBetter);
    this.shape = [1, length];
  }

  /** The sums of a batch. */
  protected abstract count(...batch: Arguments): readonly number[];

  protected abstract override compute(totals: Float64Array): Value;

  /** Adds a batch: at once, on the host. */
  update(...batch: Arguments): void {
    super.absorb(this.count(...batch));
  }

  /** @internal */
  override get isOnDevice(): boolean {
    return false;
  }

  /** @internal Each sum as two numbers of float32, which together have 48 of its 53 bits; nothing where it stays here. */
  override collect(isShared: boolean): ArrayLike<number> {
    if (!isShared) return [];
    return Array.from(this.takeWindow()).flatMap((sum) => [sum, sum - Math.fround(sum)]);
  }

  /** @internal What other processes, or this one, have handed over. */
  override absorb(collected: ArrayLike<number>): void {
    super.absorb(Array.from({ length: collected.length / 2 }, (_, at) => collected[2 * at]! + collected[2 * at + 1]!));
  }
}
