/**
 * A batch of typed arrays as tensors: the last step of `DataLoader` and of pipelines, so that both hand out the same thing.
 * Gathering and padding are `batches.ts`; which samples come when is not known here.
 */
import type { Backend, Shape, Tensor } from '@nn/core';
import { markPadded, realmTag, tensor } from '@nn/core';
import type { ArrayBatch } from './batches.ts';
import { type Elements, elementCount } from './dataset.ts';

/** What every batch tells beside its fields. */
export interface BatchInfo {
  /** The number of samples that are not padding. */
  readonly count: number;
  /** The same of the whole batch, where this one is a slice of it: what a sum of losses is divided by. */
  readonly globalCount: number;
  /** 1 for samples, 0 for padded rows: float32 [rows]. */
  readonly mask: Tensor;
  /** For each field of sequences, the steps that are not padding: int32 [rows]. */
  readonly lengths: Readonly<Record<string, Tensor>>;
  /** Where in the dataset, or in the source, the samples stand. */
  readonly indices: Int32Array;
}

/** Makes the tensors of batches, and warns once for a field whose digits float32 does not keep. */
export class BatchTensors {
  readonly #operation: string;
  readonly #place: { readonly backend?: Backend; readonly borrow: true };
  readonly #warned = new Set<string>();

  constructor(operation: string, backend: Backend | undefined) {
    this.#operation = operation;
    this.#place = backend ? { backend, borrow: true } : { borrow: true };
  }

  /** Float32 and int32 arrays keep their dtype, others become float32. */
  make(batch: ArrayBatch, globalCount: number): Record<string, Tensor> & BatchInfo {
    const fields: Record<string, Tensor> = Object.create(null);
    for (const [name, { data, shape }] of Object.entries(batch.arrays)) {
      const kind = realmTag(data);
      if (kind === 'Float64Array' && !this.#warned.has(name)) this.#checkDigits(name, data, shape);
      const numbers = kind === 'Float32Array' || kind === 'Int32Array' ? data : Float32Array.from(data);
      fields[name] = tensor(numbers, { shape, ...this.#place });
    }
    const lengths: Record<string, Tensor> = Object.create(null);
    for (const [name, data] of Object.entries(batch.lengths)) {
      lengths[name] = tensor(data, { shape: [data.length], ...this.#place });
      const field = fields[name];
      const steps = field?.shape[1] ?? 0;
      if (field && data.subarray(0, batch.count).some((length) => length < steps)) markPadded(field);
    }
    const info: BatchInfo = {
      count: batch.count,
      globalCount,
      mask: tensor(batch.mask, { shape: [batch.mask.length], ...this.#place }),
      lengths,
      indices: batch.indices,
    };
    // The one cast: fields have none of the names of info.
    return { ...fields, ...info } as Record<string, Tensor> & BatchInfo;
  }

  /** Warns once where samples that differ as doubles are equal as float32, as times in milliseconds are. */
  #checkDigits(name: string, data: Elements, shape: Shape): void {
    const width = elementCount(shape, 1);
    for (let i = width; i < data.length; i++) {
      const [a, b] = [data[i - width]!, data[i]!];
      // Differences of the last bits are noise of arithmetic, not digits.
      if (Math.fround(a) !== Math.fround(b) || Math.abs(a - b) <= Math.abs(a) * 2 ** -44) continue;
      this.#warned.add(name);
      console.warn(
        `${this.#operation}: '${name}' holds ${a} and ${b}, which are one number as float32: normalise them first, as normalize: { ${name}: fitNormalization(train.fields.${name}) }.`,
      );
      return;
    }
  }
}
