/**
 * A body evaluated over vectors of lanes. The axes are split into two sets: the lanes run along the flattened *vector*
 * axes, a chunk at a time, and the *counted* axes have one index each that the caller advances. So an operation is
 * computed once per call, once per chunk, once per count, or for every pair of those, as its axes demand.
 */
import type { Body, DType, Shape } from '@nn/core';
import { type Call, nothing } from '../host/call.ts';
import type { Affine } from '../nest/affine.ts';
import { type Analysis, analyse } from '../nest/analysis.ts';
import type { Layout, Nest } from '../nest/nest.ts';
import { kindOf } from '../storage.ts';
import { type Computation, type Lanes, lanesFor, operation } from './operations.ts';
import { loader } from './transfer.ts';

/** A bit above those of all axes: what depends on a finished reduction is computed for each chunk. */
const accumulated = 1 << 30;

/** Axes `first` to `end` (excluded) of a nest. */
export interface AxisRange {
  readonly first: number;
  readonly end: number;
}

export class Machine {
  readonly #extents: Shape;
  readonly #vector: AxisRange;
  readonly #counted: AxisRange;
  readonly #width: number;
  readonly #analysis: Analysis;
  readonly #lanes: (Lanes | undefined)[] = [];
  /** The index of each axis: along the vector axes that of lane 0, along the counted ones the present one. */
  readonly #index: number[];
  #call: Call | null = null;
  /** Computations that depend on: nothing, the chunk, the count, both. */
  readonly #stages: [Computation[], Computation[], Computation[], Computation[]] = [[], [], [], []];
  /** Flat places for each way to step through memory along the vector axes. */
  readonly #places = new Map<string, Places>();

  /** `accumulator` holds the reduction's lanes, for epilogues. */
  constructor(
    nest: Nest,
    body: Body,
    results: readonly number[],
    vector: AxisRange,
    counted: AxisRange,
    width: number,
    accumulator?: Lanes,
  ) {
    this.#extents = [...nest.domain, ...nest.extents];
    this.#vector = vector;
    this.#counted = counted;
    this.#width = width;
    this.#index = this.#extents.map(() => 0);
    this.#analysis = analyse(body, this.#extents, results, accumulated);
    body.forEach((_, position) => {
      if (this.#analysis.computed[position]) this.#add(nest, position, accumulator);
    });
  }

  lanes(position: number): Lanes {
    return this.#lanes[position]!;
  }

  /** The places of an array along the vector axes, for every chunk to come. */
  places(layout: Pick<Layout, 'strides'>): Int32Array {
    return this.#placesFor(new Map(layout.strides.entries())).lanes;
  }

  begin(call: Call): void {
    this.#call = call;
    this.#index.fill(0);
    for (const compute of this.#stages[0]) compute(1);
  }

  /** Lets go of the arrays. */
  end(): void {
    this.#call = null;
  }

  /** Moves the lanes to `count` flat indices of the vector axes from `start` on. */
  chunk(start: number, count: number): void {
    const { first, end } = this.#vector;
    let rest = start;
    for (let axis = end - 1; axis >= first; axis--) {
      this.#index[axis] = rest % this.#extents[axis]!;
      rest = Math.floor(rest / this.#extents[axis]!);
    }
    for (const places of this.#places.values()) this.#fill(places, count);
    for (const compute of this.#stages[1]) compute(count);
  }

  /** Moves the counted axes to their flat index `number`. */
  count(number: number): void {
    const { first, end } = this.#counted;
    let rest = number;
    for (let axis = end - 1; axis >= first; axis--) {
      this.#index[axis] = rest % this.#extents[axis]!;
      rest = Math.floor(rest / this.#extents[axis]!);
    }
    for (const compute of this.#stages[2]) compute(1);
  }

  /** Computes what depends on both. */
  both(count: number): void {
    for (const compute of this.#stages[3]) compute(count);
  }

  #add(nest: Nest, position: number, accumulator: Lanes | undefined): void {
    const { body, axes } = this.#analysis;
    const op = body[position]!;
    const inVector = (axes[position]! & (bits(this.#vector) | accumulated)) !== 0;
    const inCounted = (axes[position]! & bits(this.#counted)) !== 0;
    if (op.op === 'accumulator' && accumulator) {
      this.#lanes[position] = accumulator;
      return;
    }
    const out = lanesFor(op.dtype, this.#width);
    this.#lanes[position] = out;
    const compute = this.#computation(nest, position, out);
    const stage = this.#stages[(inVector ? 1 : 0) + (inCounted ? 2 : 0)]!;
    // What is equal in all lanes is computed in one and spread.
    if (inVector) stage.push(compute);
    else {
      stage.push(() => {
        compute(1);
        out.fill(out[0]!);
      });
    }
  }

  #computation(nest: Nest, position: number, out: Lanes): Computation {
    const { body, indices } = this.#analysis;
    const op = body[position]!;
    switch (op.op) {
      case 'const': {
        const value = kindOf(op.dtype) === 'boolean' ? Number(op.value !== 0) : op.value;
        return () => {
          out[0] = value;
        };
      }
      case 'scalar':
        return () => {
          out[0] = this.#call!.scalars[this.#call!.slots[op.slot]!]!;
        };
      case 'axis':
        return this.#axis(op.axis, out);
      case 'accumulator': {
        const { dtype, based, strides } = nest.accumulator!;
        const { lanes } = this.#placesFor(new Map(strides.entries()));
        const load = loader(dtype, dtype);
        return (count) => load(out, this.#call!.accumulator, lanes, based ? this.#call!.base : 0, count);
      }
      case 'load':
        return this.#load(nest.reads[op.read]!, op.dtype, op.read, indices.get(position)!, out);
      default: {
        const args = op.args.map((operand) => this.#lanes[operand]!);
        return operation(op.op, out, op.dtype, args, body[op.args[0]!]!.dtype);
      }
    }
  }

  #axis(axis: number, out: Lanes): Computation {
    if (axis < this.#vector.first || axis >= this.#vector.end) {
      return () => {
        out[0] = this.#index[axis]!;
      };
    }
    const { lanes } = this.#placesFor(new Map([[axis, 1]]));
    return (count) => {
      for (let i = 0; i < count; i++) out[i] = lanes[i]!;
    };
  }

  #load(stored: DType, dtype: DType, read: number, index: Affine, out: Lanes): Computation {
    const load = loader(stored, dtype);
    const { lanes } = this.#placesFor(index.strides);
    const counted = [...index.strides].filter(([axis]) => axis >= this.#counted.first && axis < this.#counted.end);
    const terms = [...index.terms].map(([term, factor]) => ({ values: this.#lanes[term]!, factor }));
    const summed = terms.length > 0 ? new Int32Array(this.#width) : lanes;
    return (count) => {
      const call = this.#call!;
      let base = call.offsets[read]! + index.constant;
      for (const [axis, stride] of counted) base += stride * this.#index[axis]!;
      if (terms.length > 0) summed.set(lanes);
      for (const { values, factor } of terms) {
        for (let i = 0; i < count; i++) summed[i] = summed[i]! + Math.imul(values[i]!, factor);
      }
      load(out, call.reads[read] ?? nothing, summed, base, count);
    };
  }

  #placesFor(strides: ReadonlyMap<number, number>): Places {
    const { first, end } = this.#vector;
    const own: number[] = [];
    for (let axis = first; axis < end; axis++) own.push(strides.get(axis) ?? 0);
    const key = own.join();
    let places = this.#places.get(key);
    if (places === undefined) {
      places = { strides: own, lanes: new Int32Array(this.#width), index: new Array<number>(own.length).fill(0) };
      this.#places.set(key, places);
    }
    return places;
  }

  /** Walks `count` steps through the vector axes from the present index, row by row. */
  #fill({ strides, lanes, index }: Places, count: number): void {
    const { first } = this.#vector;
    const last = strides.length - 1;
    if (last < 0) {
      lanes.fill(0, 0, count);
      return;
    }
    let place = 0;
    for (let axis = 0; axis <= last; axis++) {
      index[axis] = this.#index[first + axis]!;
      place += index[axis]! * strides[axis]!;
    }
    const step = strides[last]!;
    for (let lane = 0; lane < count; ) {
      const run = Math.min(this.#extents[first + last]! - index[last]!, count - lane);
      for (const end = lane + run; lane < end; lane++) {
        lanes[lane] = place;
        place += step;
      }
      index[last] = index[last]! + run;
      // Carry into the outer axes.
      for (let axis = last; axis > 0 && index[axis] === this.#extents[first + axis]; axis--) {
        place += strides[axis - 1]! - strides[axis]! * this.#extents[first + axis]!;
        index[axis] = 0;
        index[axis - 1] = index[axis - 1]! + 1;
      }
    }
  }
}

interface Places {
  /** For each vector axis. */
  readonly strides: readonly number[];
  readonly lanes: Int32Array;
  /** The odometer of `#fill`, kept so that a run allocates nothing. */
  readonly index: number[];
}

function bits({ first, end }: AxisRange): number {
  return 2 ** end - 2 ** first;
}
