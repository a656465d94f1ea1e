/**
 * Data as rows of numbers on the host, whatever holds it: a loader's dataset, a list of batches. Owns the looking; what the
 * rows tell is start.ts. Data that can be walked only once, or that comes from elsewhere, is left alone.
 */
import { isTensor, type Tensor } from '@nn/core';

export interface Field {
  readonly data: ArrayLike<number>;
  readonly rows: number;
  /** Whole numbers, one for each sample. */
  readonly isClasses: boolean;
}

/** Rows that are looked at; more would make a large dataset wait. */
const mostRows = 100_000;

/** The fields of a dataset by name, or those of a list of batches put together; none where data cannot be looked at. */
export async function fieldsOf(data: object): Promise<Map<string, Field>> {
  const { dataset } = data as { dataset?: unknown };
  const { fields } = Object(dataset ?? data) as { fields?: unknown };
  if (typeof fields === 'object' && fields !== null) {
    return new Map(
      Object.entries(fields).flatMap(([name, field]) => {
        const { data: values, shape } = Object(field) as { data?: unknown; shape?: unknown };
        return ArrayBuffer.isView(values) && Array.isArray(shape)
          ? [
              [
                name,
                fieldOf(values as ArrayBufferView & ArrayLike<number>, shape, values instanceof Int32Array),
              ] as const,
            ]
          : [];
      }),
    );
  }
  return Array.isArray(data) ? fieldsOfBatches(data) : new Map();
}

/** A batch to try the step with, which moves nothing: of a loader or a pipeline, or the first of a list. */
export async function firstBatchOf(data: object): Promise<object | null> {
  const { peek } = data as { peek?: unknown };
  const batch: unknown =
    typeof peek === 'function' ? await Reflect.apply(peek, data, []) : Array.isArray(data) ? data[0] : null;
  return typeof batch === 'object' ? batch : null;
}

async function fieldsOfBatches(batches: readonly unknown[]): Promise<Map<string, Field>> {
  const pieces = new Map<string, { readonly values: number[]; rows: number; readonly tensor: Tensor }>();
  for (const batch of batches.slice(0, 50)) {
    const entries = isTensor(batch) ? [['batch', batch] as const] : Object.entries(Object(batch) as object);
    for (const [name, tensor] of entries) {
      if (!isTensor(tensor) || tensor.dtype === 'bool' || tensor.rank === 0) continue;
      const piece = pieces.get(name) ?? { values: [], rows: 0, tensor };
      pieces.set(name, piece);
      for (const value of await tensor.data()) piece.values.push(Number(value));
      piece.rows += tensor.shape[0] ?? 0;
    }
  }
  return new Map(
    [...pieces].map(([name, { values, rows, tensor }]) => [
      name,
      fieldOf(values, [rows, ...tensor.shape.slice(1)], tensor.dtype === 'int32'),
    ]),
  );
}

function fieldOf(data: ArrayLike<number>, [rows = 0, ...rest]: readonly number[], isWhole: boolean): Field {
  return { data, rows, isClasses: isWhole && rest.length === 0 };
}

/** A number of 53 bits for each row: equal rows have equal ones. (FNV-1a with two multipliers, over the bits of float64.) */
export function rowHashes({ data, rows }: Field): number[] {
  const width = rows === 0 ? 0 : data.length / rows;
  const number = new Float64Array(1);
  const words = new Uint32Array(number.buffer);
  return Array.from({ length: Math.min(rows, mostRows) }, (_, row) => {
    let [low, high] = [0x811c9dc5, 0x9dc5811c];
    for (let at = row * width; at < (row + 1) * width; at++) {
      number[0] = data[at]!;
      for (const word of words) {
        low = Math.imul(low ^ word, 0x01000193);
        high = Math.imul(high ^ (word >>> 3), 0x85ebca6b) ^ low;
      }
    }
    return (high >>> 11) * 2 ** 32 + (low >>> 0);
  });
}
