/**
 * Index expressions: sums of axes times factors, with the few functions that views need, kept simple while they are built.
 * Owns the simplification of index arithmetic; knows nothing of nodes or kernels.
 *
 * Every expression is a linear form `constant + sum of factor * atom`. An atom is an axis of the loop nest, a computed
 * integer of which only the range is known, or a division, remainder or clamp of another form. Forms are interned, so
 * equal indices are the same object and a view of a view costs nothing.
 */

export interface Atom {
  readonly id: number;
  readonly kind: 'axis' | 'computed' | 'floorDiv' | 'floorMod' | 'clamp';
  /** Both included. */
  readonly min: number;
  readonly max: number;
  /** The loop axis, or the position of the computed value. */
  readonly source: number;
  /** The form that a division, remainder or clamp is taken of. */
  readonly of: Index | null;
  readonly by: number;
}

export interface Index {
  readonly id: number;
  readonly constant: number;
  /** Ordered by the atoms' ids; no factor is 0. */
  readonly atoms: readonly Atom[];
  readonly factors: readonly number[];
  /** Bounds over the whole loop nest, both included. */
  readonly min: number;
  readonly max: number;
}

const floorDivide = (a: number, n: number): number => Math.floor(a / n);
const greatestDivisor = (a: number, b: number): number => {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y !== 0) [x, y] = [y, x % y];
  return x;
};

/** Makes and interns the index expressions of one loop nest. */
export class IndexSpace {
  readonly #forms = new Map<string, Index>();
  readonly #atoms = new Map<string, Atom>();
  readonly zero: Index = this.constant(0);
  /** Loop axes that some expression divides, with the divisor. */
  readonly divided: { readonly axis: number; readonly by: number }[] = [];

  constant(value: number): Index {
    return this.#form(value, [], []);
  }

  /** The index along a loop axis of `extent` steps. */
  axis(axis: number, extent: number): Index {
    return extent === 1 ? this.constant(0) : this.#single('axis', axis, null, 0, 0, extent - 1);
  }

  /** An integer that the kernel computes at `position`, known to lie in [min, max]. */
  computed(position: number, min: number, max: number): Index {
    return min === max ? this.constant(min) : this.#single('computed', position, null, 0, min, max);
  }

  add(a: Index, b: Index): Index {
    if (b.atoms.length === 0) return b.constant === 0 ? a : this.#form(a.constant + b.constant, a.atoms, a.factors);
    if (a.atoms.length === 0) return a.constant === 0 ? b : this.#form(a.constant + b.constant, b.atoms, b.factors);
    const atoms: Atom[] = [];
    const factors: number[] = [];
    let i = 0;
    let j = 0;
    while (i < a.atoms.length || j < b.atoms.length) {
      const left = a.atoms[i];
      const right = b.atoms[j];
      if (left !== undefined && (right === undefined || left.id < right.id)) {
        atoms.push(left);
        factors.push(a.factors[i++]!);
      } else if (right !== undefined && (left === undefined || right.id < left.id)) {
        atoms.push(right);
        factors.push(b.factors[j++]!);
      } else {
        const factor = a.factors[i++]! + b.factors[j++]!;
        if (factor !== 0) {
          atoms.push(left!);
          factors.push(factor);
        }
      }
    }
    return this.#recombine(a.constant + b.constant, atoms, factors);
  }

  scale(a: Index, factor: number): Index {
    if (factor === 0) return this.constant(0);
    if (factor === 1) return a;
    return this.#form(
      a.constant * factor,
      a.atoms,
      a.factors.map((f) => f * factor),
    );
  }

  shift(a: Index, by: number): Index {
    return by === 0 ? a : this.#form(a.constant + by, a.atoms, a.factors);
  }

  /** floor(a / n) for n > 0. */
  floorDiv(a: Index, n: number): Index {
    if (n === 1) return a;
    // floor((n q + r) / n) = q + floor(r / n)
    const { quotient, rest } = this.#split(a, n);
    const low = floorDivide(rest.min, n);
    if (low === floorDivide(rest.max, n)) return this.shift(quotient, low);
    // floor((g s + c) / n) = floor(s / (n / g)) for 0 <= c < g and g dividing n
    const common = rest.factors.reduce(greatestDivisor, n);
    if (common > 1) {
      const reduced = this.#form(
        floorDivide(rest.constant, common),
        rest.atoms,
        rest.factors.map((f) => f / common),
      );
      return this.add(quotient, this.floorDiv(reduced, n / common));
    }
    // floor(floor(x / m) / n) = floor(x / (m n))
    const inner = soleAtom(rest);
    if (inner?.kind === 'floorDiv') return this.add(quotient, this.floorDiv(inner.of as Index, inner.by * n));
    return this.add(quotient, this.#single('floorDiv', 0, rest, n, low, floorDivide(rest.max, n)));
  }

  /** a - n floor(a / n), in [0, n). */
  floorMod(a: Index, n: number): Index {
    if (n === 1) return this.constant(0);
    // (n q + r) mod n = r mod n
    const { rest } = this.#split(a, n);
    const low = floorDivide(rest.min, n);
    if (low === floorDivide(rest.max, n)) return this.shift(rest, -low * n);
    // (g s + c) mod n = g (s mod (n / g)) + c for 0 <= c < g and g dividing n
    const common = rest.factors.reduce(greatestDivisor, n);
    if (common > 1) {
      const whole = floorDivide(rest.constant, common);
      const reduced = this.#form(
        whole,
        rest.atoms,
        rest.factors.map((f) => f / common),
      );
      return this.shift(this.scale(this.floorMod(reduced, n / common), common), rest.constant - whole * common);
    }
    // (x mod m) mod n = x mod n for n dividing m
    const inner = soleAtom(rest);
    if (inner?.kind === 'floorMod' && inner.by % n === 0) return this.floorMod(inner.of as Index, n);
    return this.#single('floorMod', 0, rest, n, 0, n - 1);
  }

  /** min(max(a, low), high). */
  clamp(a: Index, low: number, high: number): Index {
    if (a.min >= low && a.max <= high) return a;
    if (a.max <= low) return this.constant(low);
    if (a.min >= high) return this.constant(high);
    return this.#single('clamp', low, a, high, Math.max(low, a.min), Math.min(high, a.max));
  }

  /** Row-major flat index. */
  flatten(index: readonly Index[], shape: readonly number[]): Index {
    let flat = this.zero;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      flat = this.add(flat, this.scale(index[axis]!, stride));
      stride *= shape[axis]!;
    }
    return flat;
  }

  /** The inverse of `flatten`. */
  unflatten(flat: Index, shape: readonly number[]): Index[] {
    const index = new Array<Index>(shape.length);
    let rest = flat;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis]!;
      index[axis] = size === 1 ? this.zero : axis === 0 ? rest : this.floorMod(rest, size);
      if (size !== 1) rest = this.floorDiv(rest, size);
    }
    return index;
  }

  /** a = n * quotient + rest, with every term that n divides in the quotient and a constant in [0, n) in the rest. */
  #split(a: Index, n: number): { quotient: Index; rest: Index } {
    const whole = floorDivide(a.constant, n);
    const inside = a.factors.map((f) => f % n === 0);
    const pick = (kept: boolean, scale: number, constant: number): Index =>
      this.#form(
        constant,
        a.atoms.filter((_, i) => inside[i] === kept),
        a.factors.filter((_, i) => inside[i] === kept).map((f) => f / scale),
      );
    return { quotient: pick(true, n, whole), rest: pick(false, 1, a.constant - whole * n) };
  }

  /** f (x mod n) + f n floor(x / n) = f x: what reshaping back and forth leaves behind. */
  #recombine(constant: number, atoms: Atom[], factors: number[]): Index {
    for (let i = 0; i < atoms.length; i++) {
      const remainder = atoms[i]!;
      if (remainder.kind !== 'floorMod') continue;
      const factor = factors[i]!;
      const whole = this.floorDiv(remainder.of as Index, remainder.by);
      const atom = soleAtom(whole);
      const at = atom === undefined ? -1 : atoms.indexOf(atom);
      if (at < 0 || factors[at] !== factor * remainder.by) continue;
      const rest = this.#form(
        constant,
        atoms.filter((_, k) => k !== i && k !== at),
        factors.filter((_, k) => k !== i && k !== at),
      );
      return this.add(rest, this.scale(remainder.of as Index, factor));
    }
    return this.#form(constant, atoms, factors);
  }

  #single(kind: Atom['kind'], source: number, of: Index | null, by: number, min: number, max: number): Index {
    const key = `${kind},${source},${of?.id ?? ''},${by}`;
    let atom = this.#atoms.get(key);
    if (atom === undefined) {
      atom = { id: this.#atoms.size, kind, min, max, source, of, by };
      this.#atoms.set(key, atom);
      const divided = kind === 'floorDiv' || kind === 'floorMod' ? soleAtom(of as Index) : undefined;
      if (divided?.kind === 'axis') this.divided.push({ axis: divided.source, by });
    }
    return this.#form(0, [atom], [1]);
  }

  #form(constant: number, atoms: readonly Atom[], factors: readonly number[]): Index {
    let key = `${constant}`;
    for (let i = 0; i < atoms.length; i++) key += `,${atoms[i]!.id}*${factors[i]}`;
    let form = this.#forms.get(key);
    if (form === undefined) {
      let min = constant;
      let max = constant;
      for (let i = 0; i < atoms.length; i++) {
        const atom = atoms[i]!;
        const factor = factors[i]!;
        min += factor * (factor > 0 ? atom.min : atom.max);
        max += factor * (factor > 0 ? atom.max : atom.min);
      }
      form = { id: this.#forms.size, constant, atoms, factors, min, max };
      this.#forms.set(key, form);
    }
    return form;
  }
}

/** The atom of a form that is exactly one atom. */
function soleAtom(form: Index): Atom | undefined {
  return form.atoms.length === 1 && form.factors[0] === 1 && form.constant === 0 ? form.atoms[0] : undefined;
}
