/**
 * Real numbers that are whole numbers in bytes times a scale: what DequantizeLinear makes, with what it was made of. Products ask for
 * the bytes, and then nobody computes the real numbers. Owns the order of the axes in memory, and the sums of constants.
 */
import { lowBits, type Tensor, tensor } from '@nn/core';
import type { HostTensor } from './value.ts';

/** Bytes on the device, or constants of the file. */
type Bytes =
  | {
      readonly kind: 'device';
      readonly bytes: Tensor /** How many low bits count, 8 for all. */;
      readonly bits: number;
    }
  | { readonly kind: 'constant'; readonly host: HostTensor };

type Meaning = Pick<Whole, 'scale' | 'zero' | 'zeroNumber' | 'axis'>;

/** The numbers themselves. */
export const plainMeaning = (): Meaning => ({ scale: tensor(1), zero: null, zeroNumber: 0, axis: null });

/** scale * (level - zero) */
export class Whole {
  readonly #bytes: Bytes;
  /** The axes of the bytes, in the order in which they are meant. */
  readonly #order: readonly number[];
  /** One number, or one for each index of `axis`. */
  readonly scale: Tensor;
  /** As `scale`, int32; null: 0. */
  readonly zero: Tensor | null;
  /** `zero` where the host knows it, and it is one number. */
  readonly zeroNumber: number | null;
  readonly axis: number | null;

  constructor(bytes: Bytes, meaning: Meaning, order: readonly number[] = shapeOf(bytes).map((_, axis) => axis)) {
    this.#bytes = bytes;
    this.#order = order;
    this.scale = meaning.scale;
    this.zero = meaning.zero;
    this.zeroNumber = meaning.zeroNumber;
    this.axis = meaning.axis;
  }

  /** The same bytes, meant in another way. */
  meaning(meaning: Meaning): Whole {
    return new Whole(this.#bytes, meaning, this.#order);
  }

  get shape(): readonly number[] {
    const shape = shapeOf(this.#bytes);
    return this.#order.map((axis) => shape[axis]!);
  }

  /** The same elements in another shape; null for constants, and where indices of an axis differ. */
  reshape(shape: readonly number[]): Whole | null {
    if (this.#bytes.kind === 'constant' || this.scale.size !== 1 || (this.zero !== null && this.zero.size !== 1))
      return null;
    const bytes = this.#bytes.bytes.permute(this.#order).reshape(shape);
    return new Whole({ ...this.#bytes, bytes }, { ...this, axis: null });
  }

  permute(axes: readonly number[]): Whole {
    const axis = this.axis === null ? null : axes.indexOf(this.axis);
    return new Whole(
      this.#bytes,
      { scale: this.scale, zero: this.zero, zeroNumber: this.zeroNumber, axis },
      axes.map((each) => this.#order[each]!),
    );
  }

  /** The bytes with axes in this order, which is that of the memory of constants. */
  #inOrder(axes: readonly number[]): Tensor {
    const order = axes.map((axis) => this.#order[axis]!);
    return this.#bytes.kind === 'device' ? this.#bytes.bytes.permute(order) : constantIn(this.#bytes.host, order);
  }

  /** int32, with axes in this order; `padding`: amounts before and after each of these axes, of levels that stand for 0. */
  levels(axes: readonly number[], padding: readonly (readonly [number, number])[] = []): Tensor {
    const bytes = this.#inOrder(axes);
    const padded = padding.some(([before, after]) => before + after > 0) ? this.#padded(bytes, padding) : bytes;
    const bits = this.#bytes.kind === 'device' ? this.#bytes.bits : 8;
    return bits < 8 ? lowBits(padded, bits) : padded.cast('int32');
  }

  #padded(bytes: Tensor, padding: readonly (readonly [number, number])[]): Tensor {
    const amounts = padding.map(([before, after]): [number, number] => [before, after]);
    const whole = bytes.cast('int32');
    if (this.zeroNumber !== null) return whole.pad(amounts, this.zeroNumber).cast(bytes.dtype);
    if (this.zero === null) return whole.pad(amounts).cast(bytes.dtype);
    const zero = this.zero.reshape([]);
    return whole.sub(zero).pad(amounts).add(zero).cast(bytes.dtype);
  }

  /** int32: the sums along some axes, which stay as axes of one. */
  sums(axes: readonly number[]): Tensor {
    if (this.#bytes.kind === 'constant') {
      const order = this.#order;
      const summed = axes.map((axis) => order[axis]!);
      return constantSums(this.#bytes.host, summed).permute(order);
    }
    return this.levels(this.shape.map((_, axis) => axis)).sum(axes, { keepAxes: true });
  }
}

const shapeOf = (bytes: Bytes): readonly number[] => (bytes.kind === 'device' ? bytes.bytes.shape : bytes.host.shape);

const made = /* @__PURE__ */ new WeakMap<HostTensor, Map<string, Tensor>>();

function once(host: HostTensor, key: string, make: () => Tensor): Tensor {
  const all = made.get(host) ?? new Map<string, Tensor>();
  made.set(host, all);
  const found = all.get(key) ?? make();
  all.set(key, found);
  return found;
}

/** A constant as bytes, its axes in this order. */
function constantIn(host: HostTensor, order: readonly number[]): Tensor {
  return once(host, order.join(), () => {
    const { shape, data, type } = host;
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
    const sizes = order.map((axis) => shape[axis]!);
    const values = type === 'int8' ? new Int8Array(data.length) : new Uint8Array(data.length);
    const at = sizes.map(() => 0);
    let from = 0;
    for (let to = 0; to < values.length; to++) {
      values[to] = data[from]!;
      for (let k = sizes.length - 1; k >= 0; k--) {
        from += strides[order[k]!]!;
        if (++at[k]! < sizes[k]!) break;
        from -= strides[order[k]!]! * sizes[k]!;
        at[k] = 0;
      }
    }
    return tensor(values, { shape: sizes, dtype: type === 'int8' ? 'int8' : 'uint8' });
  });
}

function constantSums(host: HostTensor, axes: readonly number[]): Tensor {
  return once(host, `sums ${axes.join()}`, () => {
    const kept = host.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const strides = kept.map((size, axis) => (size === 1 ? 0 : kept.slice(axis + 1).reduce((a, b) => a * b, 1)));
    const sums = new Int32Array(kept.reduce((product, size) => product * size, 1));
    const steps = host.shape.map((_, axis) => host.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    host.data.forEach((value, at) => {
      let to = 0;
      host.shape.forEach((size, axis) => {
        to += (Math.floor(at / steps[axis]!) % size) * strides[axis]!;
      });
      sums[to] = sums[to]! + value;
    });
    return tensor(sums, { shape: kept });
  });
}
