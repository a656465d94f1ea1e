/**
 * Observers that keep a histogram of 2048 bins and choose a range that cuts values off: by their share, by the error of rounding, or by
 * the information that is lost. When a batch goes beyond the bins, these are widened by a whole number of parts of a bin.
 */
import { ValueError } from '@nn/core';
import { boundsOf, type Observer, observed, type ValueRange } from './observers.ts';

const bins = 2048;
/** Parts of a bin that histograms are aligned by. */
const parts = 128;

/** Counts in equal bins from `min` to `max`. */
export class Histogram {
  readonly counts: Float64Array = new Float64Array(bins);
  min = 0;
  max = 0;
  isEmpty = true;

  get width(): number {
    return (this.max - this.min) / bins;
  }

  add(values: ArrayLike<number>): void {
    if (values.length === 0) return;
    const { min, max } = boundsOf(values);
    if (this.isEmpty || this.min === this.max) {
      const known = this.isEmpty ? 0 : this.counts.reduce((sum, count) => sum + count, 0);
      const value = this.min;
      [this.min, this.max] = this.isEmpty ? [min, max] : [Math.min(min, value), Math.max(max, value)];
      this.isEmpty = false;
      this.counts.fill(0);
      if (known > 0) this.counts[this.#binOf(value)] = known;
    } else if (min < this.min || max > this.max) this.#widen(Math.min(min, this.min), Math.max(max, this.max));
    for (let i = 0; i < values.length; i++) {
      const bin = this.#binOf(values[i]!);
      this.counts[bin] = this.counts[bin]! + 1;
    }
  }

  #binOf(value: number): number {
    if (this.min === this.max) return 0;
    return Math.min(bins - 1, Math.floor(((value - this.min) / (this.max - this.min)) * bins));
  }

  /** Old counts go evenly over the parts of their bins, and new bins are whole numbers of such parts. */
  #widen(min: number, max: number): void {
    const part = this.width / parts;
    const wide = Math.ceil((max - min) / (bins * part));
    const start = Math.round((this.min - min) / part);
    const old = this.counts.slice();
    this.counts.fill(0);
    for (let bin = 0; bin < bins; bin++) {
      if (old[bin] === 0) continue;
      // the parts of a bin fall into one new bin, or two
      let at = start + bin * parts;
      let left = parts;
      while (left > 0) {
        const target = Math.min(bins - 1, Math.floor(at / wide));
        const here = Math.min(left, Math.max(1, (target + 1) * wide - at));
        this.counts[target] = this.counts[target]! + (old[bin]! * here) / parts;
        at += here;
        left -= here;
      }
    }
    this.min = min;
    this.max = min + wide * bins * part;
  }
}

/** What observers with a histogram share. */
abstract class HistogramBased implements Observer {
  readonly histogram: Histogram = new Histogram();

  observe(values: ArrayLike<number>): void {
    this.histogram.add(values);
  }

  range(): ValueRange {
    const { isEmpty, min, max } = this.histogram;
    if (isEmpty || min === max) return observed(isEmpty ? null : { min, max });
    return this.chosen();
  }

  /** The range, of a histogram of more than one value. */
  protected abstract chosen(): ValueRange;
}

/**
 * The range without the outermost values: `percentile` percent of all lie in it, and as many are cut off below as above.
 *
 * @example
 * import { PercentileObserver } from '@nn/compress';
 * const observer = new PercentileObserver({ percentile: 98 });
 * observer.observe(Float32Array.from({ length: 1000 }, (_, i) => (i === 999 ? 1e4 : i / 1000)));
 * console.log(observer.range().max < 10); // => true
 */
export class PercentileObserver extends HistogramBased {
  readonly percentile: number;

  /** `percentile`: above 0 and at most 100. Default 99.99. */
  constructor(options: { readonly percentile?: number } = {}) {
    super();
    this.percentile = options.percentile ?? 99.99;
    if (!(this.percentile > 0 && this.percentile <= 100)) {
      throw new ValueError(
        'PercentileObserver',
        `percentile is ${this.percentile}: it must be above 0 and at most 100.`,
      );
    }
  }

  protected override chosen(): ValueRange {
    const { counts, min, width } = this.histogram;
    const total = counts.reduce((sum, count) => sum + count, 0);
    const cut = (total * (100 - this.percentile)) / 200;
    let [first, last] = [0, bins - 1];
    for (let sum = counts[0]!; sum <= cut && first < last; sum += counts[first]!) first++;
    for (let sum = counts[last]!; sum <= cut && last > first; sum += counts[last]!) last--;
    return { min: min + width * first, max: min + width * (last + 1) };
  }
}

/** Levels that errors are measured for. */
const levels = 256;

/**
 * The range with the least squared error of rounding and cutting off together, found by narrowing from both ends, by the thinner
 * end first. (torch.ao's `HistogramObserver`, whose bounds 1.13 cuts to whole
 * numbers by mistake.)
 *
 * @example
 * import { HistogramObserver } from '@nn/compress';
 * const observer = new HistogramObserver();
 * observer.observe(Float32Array.from({ length: 10000 }, (_, i) => Math.tan((i / 10000 - 0.5) * 3)));
 * console.log(observer.range().max < 14); // => true
 */
export class HistogramObserver extends HistogramBased {
  protected override chosen(): ValueRange {
    const { counts, min, width } = this.histogram;
    const sums = new Float64Array(bins);
    let total = 0;
    counts.forEach((count, bin) => {
      total += count;
      sums[bin] = total;
    });
    let [start, end, alpha, beta, least] = [0, bins - 1, 0, 1, Infinity];
    const step = 1e-5;
    while (alpha < beta) {
      const [below, above] = [alpha + step, beta - step];
      let [left, right] = [start, end];
      while (left < end && sums[left]! < below * total) left++;
      while (right > start && sums[right]! > above * total) right--;
      let [nextStart, nextEnd] = [start, end];
      if (left - start > end - right) {
        nextStart = left;
        alpha = below;
      } else {
        nextEnd = right;
        beta = above;
      }
      if (nextStart === start && nextEnd === end) continue;
      const error = roundingError(counts, width, nextStart, nextEnd);
      if (error > least) break;
      [least, start, end] = [error, nextStart, nextEnd];
    }
    return { min: min + width * start, max: min + width * (end + 1) };
  }
}

/** The squared distance of evenly spread values in each bin to the middle of their level, bins `start` to `end` being covered. */
function roundingError(counts: Float64Array, width: number, start: number, end: number): number {
  const level = (width * (end - start + 1)) / levels;
  if (level === 0) return 0;
  // the integral of density * x^2 from a to b
  const cubic = (a: number, b: number, density: number): number => (density * (b * b * b - a * a * a)) / 3;
  const levelAt = (x: number): number => Math.max(0, Math.min(levels - 1, Math.floor(x / level)));
  let error = 0;
  for (let bin = 0; bin < bins; bin++) {
    const density = counts[bin]! / width;
    if (density === 0) continue;
    const [from, to] = [(bin - start) * width, (bin - start + 1) * width];
    const [first, last] = [levelAt(from), levelAt(to)];
    error += cubic(from - (first + 0.5) * level, level / 2, density);
    error += (last - first - 1) * cubic(-level / 2, level / 2, density);
    error += cubic(-level / 2, to - (last + 0.5) * level, density);
  }
  return error;
}

/** Levels of the smaller half of eight bits, in which information is measured. */
const entropyLevels = 128;

/**
 * The range -t to t (or 0 to t) in which 128 levels lose the least information: the divergence of Kullback and Leibler between the
 * magnitudes cut off at t and what their levels tell of them. (S. Migacz, 8-bit inference with TensorRT, 2017.)
 *
 * @example
 * import { EntropyObserver } from '@nn/compress';
 * const observer = new EntropyObserver();
 * observer.observe(Float32Array.from({ length: 10000 }, (_, i) => (i === 0 ? 100 : Math.sin(i))));
 * console.log(observer.range().max < 20); // => true
 */
export class EntropyObserver extends HistogramBased {
  protected override chosen(): ValueRange {
    const { counts, min, max, width } = this.histogram;
    const most = Math.max(-min, max);
    const magnitudes = new Float64Array(bins);
    counts.forEach((count, bin) => {
      const middle = Math.abs(min + (bin + 0.5) * width);
      const at = Math.min(bins - 1, Math.floor((middle / most) * bins));
      magnitudes[at] = magnitudes[at]! + count;
    });
    // zeros, of which a relu makes half of all, are met exactly and say nothing
    magnitudes[0] = magnitudes[1]!;
    let [best, least] = [bins, Infinity];
    for (let kept = entropyLevels; kept <= bins; kept += 8) {
      const lost = divergence(magnitudes, kept);
      if (lost < least) [best, least] = [kept, lost];
    }
    const bound = (best / bins) * most;
    return { min: Math.max(min, -bound), max: Math.min(max, bound) };
  }
}

/** Of the first `kept` bins, the last of which holds all beyond, from what `entropyLevels` levels tell of them. */
function divergence(magnitudes: Float64Array, kept: number): number {
  const inside = magnitudes.subarray(0, kept);
  let beyond = 0;
  for (let bin = kept; bin < bins; bin++) beyond += magnitudes[bin]!;
  const told = new Float64Array(kept);
  for (let level = 0; level < entropyLevels; level++) {
    const [from, to] = [level, level + 1].map((edge) => Math.floor((edge * kept) / entropyLevels)) as [number, number];
    let [sum, full] = [0, 0];
    for (let bin = from; bin < to; bin++) {
      sum += inside[bin]!;
      full += Number(inside[bin]! > 0);
    }
    for (let bin = from; bin < to; bin++) if (inside[bin]! > 0) told[bin] = sum / full;
  }
  const total = inside.reduce((sum, count) => sum + count, beyond);
  const toldTotal = told.reduce((sum, count) => sum + count, 0);
  if (toldTotal === 0) return Infinity;
  let lost = 0;
  for (let bin = 0; bin < kept; bin++) {
    const p = (inside[bin]! + (bin === kept - 1 ? beyond : 0)) / total;
    const q = told[bin]! / toldTotal;
    if (p > 0) lost += q > 0 ? p * Math.log(p / q) : p * Math.log(p * total * 1e4);
  }
  return lost;
}
