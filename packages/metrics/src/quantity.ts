/**
 * Arithmetic that formulas are written in once: with tensors it is a graph with gradients, with `Numbers` it is float64
 * on the host. Owns the host's half; a Tensor is a Quantity as it is.
 */

/** What a formula may do with its values. Operands have the same length, or one of them has length 1. */
export interface Quantity<Q> {
  add(other: Q | number): Q;
  sub(other: Q | number): Q;
  mul(other: Q | number): Q;
  div(other: Q | number): Q;
  maximum(other: Q | number): Q;
  sqrt(): Q;
  /** 1 where equal, else 0 (a tensor: true or false). */
  equal(other: Q | number): Q;
  /** The sum of all elements. */
  sum(): Q;
}

/** float64 numbers with the methods of a Quantity. */
export class Numbers implements Quantity<Numbers> {
  readonly values: readonly number[];

  constructor(values: Iterable<number>) {
    this.values = [...values];
  }

  add(other: Numbers | number): Numbers {
    return this.#with(other, (a, b) => a + b);
  }

  sub(other: Numbers | number): Numbers {
    return this.#with(other, (a, b) => a - b);
  }

  mul(other: Numbers | number): Numbers {
    return this.#with(other, (a, b) => a * b);
  }

  div(other: Numbers | number): Numbers {
    return this.#with(other, (a, b) => a / b);
  }

  maximum(other: Numbers | number): Numbers {
    return this.#with(other, Math.max);
  }

  equal(other: Numbers | number): Numbers {
    return this.#with(other, (a, b) => Number(a === b));
  }

  sqrt(): Numbers {
    return new Numbers(this.values.map(Math.sqrt));
  }

  sum(): Numbers {
    return new Numbers([this.values.reduce((total, value) => total + value, 0)]);
  }

  /** The only element, or the first. */
  get first(): number {
    return this.values[0] ?? Number.NaN;
  }

  #with(other: Numbers | number, apply: (a: number, b: number) => number): Numbers {
    const { values } = this;
    const others = typeof other === 'number' ? [other] : other.values;
    const length = Math.max(values.length, others.length);
    const pick = (list: readonly number[], at: number): number => list[list.length === 1 ? 0 : at]!;
    return new Numbers(Array.from({ length }, (_, at) => apply(pick(values, at), pick(others, at))));
  }
}

/** part / whole, and 0 where the whole is 0 (then the part is 0 as well), as scikit-learn's zero_division = 0. */
export function ratio<Q extends Quantity<Q>>(part: Q, whole: Q): Q {
  return part.div(whole.add(whole.equal(0)));
}

/** The rows of flat numbers [rows * columns]. */
export function rowsOf(flat: ArrayLike<number>, columns: number): Numbers[] {
  return Array.from(
    { length: flat.length / columns },
    (_, row) => new Numbers(Array.from({ length: columns }, (_, column) => flat[row * columns + column]!)),
  );
}
