/** Metrics of what never is a tensor, as texts: sums on the host, in float64, counted in plain JavaScript. Owns no formula. */
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
    this.absorb(this.count(...batch));
  }

  /** @internal */
  override get isOnDevice(): boolean {
    return false;
  }

  /** @internal Where nobody else has a part, the window is where it belongs. */
  override collect(isShared: boolean): ArrayLike<number> {
    return isShared ? this.takeWindow() : [];
  }
}
