/**
 * A batch size found by trying: doubled while steps succeed, then halved between, with the throughput of each. Owns the
 * trial; what memory is, the device says by failing.
 */
import { checkOptions, isNNError, ValueError } from '@nn/core';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';

export interface FindBatchSizeOptions {
  /** Makes one whole step, of the optimizer too, on a batch of so many samples. */
  readonly step: (batchSize: number) => Promise<void>;
  /** Brought back afterwards: { model, optimizer }. */
  readonly parts: Readonly<Record<string, object>>;
  /** The first size. Default 1. */
  readonly least?: number;
  /** The largest that is tried. Default 65,536. */
  readonly most?: number;
  /** Steps that are timed at each size, after one that is not. Default 3. */
  readonly repeats?: number;
  /** Whether sizes between a power of two that fits and one that does not are tried as well. Default false. */
  readonly refine?: boolean;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

export interface BatchSizeRow {
  readonly batchSize: number;
  /** The median; null where the size does not fit. */
  readonly millisecondsPerStep: number | null;
  readonly samplesPerSecond: number | null;
}

export interface BatchSizeFinding {
  /** The largest size that fits. */
  readonly largest: number;
  /** The smallest size within 5 % of the best throughput: larger ones only cost memory. */
  readonly suggestion: number;
  readonly rows: readonly BatchSizeRow[];
  /** What ended it: memory, or `most`. */
  readonly limit: 'memory' | 'most';
  /** What the device said of the size that does not fit. */
  readonly failure: string | null;
}

/**
 * Finds the largest batch that fits the memory, and the smallest that is as fast. Errors that are not about memory are thrown.
 *
 * @example
 * import { normal } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { findBatchSize } from '@nn/train';
 * const model = new Linear(8, 1);
 * const optimizer = new SGD(model, { learningRate: 0.1 });
 * const { largest, limit } = await findBatchSize({
 *   step: (batchSize) => optimizer.step(model.forward(normal([batchSize, 8])).square().mean()),
 *   parts: { model, optimizer },
 *   most: 64,
 * });
 * console.log(largest, limit); // => 64 most
 */
export async function findBatchSize(options: FindBatchSizeOptions): Promise<BatchSizeFinding> {
  checkOptions('findBatchSize', options, ['step', 'parts', 'least', 'most', 'repeats', 'refine', 'now']);
  const { step, parts, least = 1, most = 65_536, repeats = 3, refine = false } = options;
  const { now = () => performance.now() } = options;
  if (![least, most, repeats].every((value) => Number.isInteger(value) && value >= 1) || most < least) {
    throw new ValueError(
      'findBatchSize',
      `least is ${least}, most ${most}, repeats ${repeats}: whole numbers from 1, most at least least.`,
      { least, most, repeats },
    );
  }
  if (typeof step !== 'function' || typeof parts !== 'object') {
    throw new ValueError(
      'findBatchSize',
      'give step, which makes one of so many samples, and parts to bring back, { model, optimizer }.',
    );
  }
  const saved = await encodeCheckpoint(parts);
  const rows: BatchSizeRow[] = [];
  let failure: string | null = null;
  const fits = async (batchSize: number): Promise<boolean> => {
    try {
      await step(batchSize);
      const times: number[] = [];
      for (let repeat = 0; repeat < repeats; repeat++) {
        const started = now();
        await step(batchSize);
        times.push(now() - started);
      }
      const milliseconds = times.sort((a, b) => a - b)[repeats >> 1]!;
      const samplesPerSecond = milliseconds === 0 ? null : (1000 * batchSize) / milliseconds;
      rows.push({ batchSize, millisecondsPerStep: milliseconds, samplesPerSecond });
      return true;
    } catch (error) {
      if (!isAboutMemory(error)) throw error;
      failure = error.message;
      rows.push({ batchSize, millisecondsPerStep: null, samplesPerSecond: null });
      return false;
    }
  };
  let largest = 0;
  let tooLarge: number | null = null;
  try {
    for (let size = least; size <= most; size = Math.min(2 * size, most)) {
      if (!(await fits(size))) {
        tooLarge = size;
        break;
      }
      largest = size;
      if (size === most) break;
    }
    while (refine && tooLarge !== null && largest > 0 && tooLarge - largest > Math.max(1, largest >> 3)) {
      const middle = (largest + tooLarge) >> 1;
      if (await fits(middle)) largest = middle;
      else tooLarge = middle;
    }
  } finally {
    await loadCheckpoint(saved, parts);
  }
  if (largest === 0) {
    throw new ValueError('findBatchSize', `not even a batch of ${least} fits: ${failure}`, { least });
  }
  const fitting = rows.filter(({ millisecondsPerStep }) => millisecondsPerStep !== null);
  const fastest = Math.max(...fitting.map(({ samplesPerSecond }) => samplesPerSecond ?? 0));
  const quick = fitting.filter(({ samplesPerSecond }) => (samplesPerSecond ?? fastest) >= 0.95 * fastest);
  return {
    ...{ largest, rows, failure },
    suggestion: Math.min(...quick.map(({ batchSize }) => batchSize)),
    limit: tooLarge === null ? 'most' : 'memory',
  };
}

/** What devices, JavaScript and core say when something is too large. */
function isAboutMemory(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error instanceof RangeError && /length|allocation|size/i.test(error.message)) return true;
  return isNNError(error) && /memory|allocat|holds at most|too large|grow/i.test(error.message);
}
