/**
 * Nests in fixed code, for places where no function may be generated: `machine.ts` evaluates bodies in vectors of lanes,
 * this file drives it through the domain, reduces, scans, scatters and stores.
 */
import type { Body, DType } from '@nn/core';
import type { Call, KernelFunction } from '../host/call.ts';
import type { Dialect } from '../host/dialect.ts';
import type { Nest } from '../nest/nest.ts';
import { kindOf } from '../storage.ts';
import { type AxisRange, Machine } from './machine.ts';
import { type Lanes, lanesFor } from './operations.ts';
import { saver } from './transfer.ts';

/** The lanes of a vector: enough to forget the cost of a call, few enough that all values stay in the cache. */
const maxWidth = 512;

export const interpreter: Dialect = {
  name: 'interpreter',
  path: 'vectors',
  nest(nest: Nest): KernelFunction {
    if (nest.reduce) return reduction(nest, nest.reduce);
    if (nest.scan) return scan(nest, nest.scan);
    return nest.scatter ? scatter(nest, nest.scatter) : map(nest);
  },
};

const none: AxisRange = { first: 0, end: 0 };

function domainOf(nest: Nest): AxisRange {
  return { first: 0, end: nest.domain.length };
}

function sizeOf(extents: readonly number[]): number {
  return extents.reduce((size, extent) => size * extent, 1);
}

/** Calls `visit` for chunks of at most `width`. */
function chunks(size: number, width: number, visit: (start: number, count: number) => void): void {
  for (let start = 0; start < size; start += width) visit(start, Math.min(width, size - start));
}

function map(nest: Nest): KernelFunction {
  const size = sizeOf(nest.domain);
  const width = Math.min(size, maxWidth);
  const last = nest.value.length - 1;
  const machine = new Machine(nest, nest.value, [last], domainOf(nest), none, width);
  const places = machine.places(nest.store);
  const save = saver(nest.value[last]!.dtype, nest.store.dtype);
  return (call) => {
    machine.begin(call);
    chunks(size, width, (start, count) => {
      machine.chunk(start, count);
      save(call.out, places, baseOf(nest, call), machine.lanes(last), count);
    });
    machine.end();
  };
}

function scatter(nest: Nest, { op, index, extent, stride, isWide }: NonNullable<Nest['scatter']>): KernelFunction {
  const size = sizeOf(nest.domain);
  const width = Math.min(size, maxWidth);
  const last = nest.value.length - 1;
  const machine = new Machine(nest, nest.value, [last, index], domainOf(nest), none, width);
  const places = machine.places(nest.store);
  const values = machine.lanes(last);
  const indices = machine.lanes(index);
  return (call) => {
    const out = isWide ? call.wide : call.out;
    const base = baseOf(nest, call);
    machine.begin(call);
    chunks(size, width, (start, count) => {
      machine.chunk(start, count);
      for (let i = 0; i < count; i++) {
        const at = indices[i]!;
        if (at < 0 || at >= extent) continue;
        const element = base + places[i]! + stride * at;
        const there = out[element]!;
        out[element] = op === 'sum' ? there + values[i]! : Math.max(there, values[i]!);
      }
    });
    machine.end();
  };
}

/** The epilogue over the domain, and its store: what follows when `sums` holds the reductions of a chunk. */
function finisher(
  nest: Nest,
  dtype: DType,
  width: number,
): { sums: Lanes; finish: Machine; save: (call: Call, count: number) => void } {
  const sums = lanesFor(dtype, width);
  const epilogue: Body = nest.epilogue ?? [{ op: 'accumulator', dtype }];
  const last = epilogue.length - 1;
  const finish = new Machine(nest, epilogue, [last], domainOf(nest), none, width, sums);
  const places = finish.places(nest.store);
  const write = saver(epilogue[last]!.dtype, nest.store.dtype);
  return {
    sums,
    finish,
    save: (call, count) => write(call.out, places, baseOf(nest, call), finish.lanes(last), count),
  };
}

/** Lanes along the domain where it is long; where it is short, along the reduced axes. */
function reduction(nest: Nest, reduce: NonNullable<Nest['reduce']>): KernelFunction {
  const size = sizeOf(nest.domain);
  const reductions = sizeOf(nest.extents);
  const domain = domainOf(nest);
  const reduced: AxisRange = { first: domain.end, end: domain.end + nest.extents.length };
  const wide = size >= 32 || size >= reductions;
  const width = Math.min(wide ? size : reductions, maxWidth);
  const last = nest.value.length - 1;
  const machine = new Machine(nest, nest.value, [last], wide ? domain : reduced, wide ? reduced : domain, width);
  const values = machine.lanes(last);
  const { sums, finish, save } = finisher(nest, reduce.dtype, wide ? width : 1);
  const { start, combine } = accumulation(reduce);
  // Other sums wrap or are truth values.
  const plain = reduce.op === 'sum' && kindOf(reduce.dtype) === 'float';
  if (!wide) {
    return (call) => {
      machine.begin(call);
      finish.begin(call);
      for (let element = 0; element < size; element++) {
        machine.count(element);
        let sum = start;
        for (let first = 0; first < reductions; first += width) {
          const count = Math.min(width, reductions - first);
          machine.chunk(first, count);
          machine.both(count);
          if (plain) for (let i = 0; i < count; i++) sum += values[i]!;
          else for (let i = 0; i < count; i++) sum = combine(sum, values[i]!);
        }
        sums[0] = sum;
        finish.chunk(element, 1);
        save(call, 1);
      }
      machine.end();
      finish.end();
    };
  }
  const wider = kindOf(reduce.dtype) === 'float' ? new Float64Array(width) : new Int32Array(width);
  const add = reduce.op === 'sum' && kindOf(reduce.dtype) !== 'boolean';
  return (call) => {
    machine.begin(call);
    finish.begin(call);
    chunks(size, width, (first, count) => {
      machine.chunk(first, count);
      wider.fill(start);
      for (let r = 0; r < reductions; r++) {
        machine.count(r);
        machine.both(count);
        if (add) for (let i = 0; i < count; i++) wider[i] = wider[i]! + values[i]!;
        else for (let i = 0; i < count; i++) wider[i] = combine(wider[i]!, values[i]!);
      }
      sums.set(wider);
      finish.chunk(first, count);
      save(call, count);
    });
    machine.end();
    finish.end();
  };
}

function scan(nest: Nest, reduce: NonNullable<Nest['scan']>): KernelFunction {
  const size = sizeOf(nest.domain);
  const width = Math.min(size, maxWidth);
  const row = nest.domain.at(-1)!;
  const last = nest.value.length - 1;
  const machine = new Machine(nest, nest.value, [last], domainOf(nest), none, width);
  const values = machine.lanes(last);
  const { sums, finish, save } = finisher(nest, reduce.dtype, width);
  const { start, combine } = accumulation(reduce);
  return (call) => {
    let sum = start;
    machine.begin(call);
    finish.begin(call);
    chunks(size, width, (first, count) => {
      machine.chunk(first, count);
      for (let i = 0; i < count; i++) {
        if ((first + i) % row === 0) sum = start;
        sum = combine(sum, values[i]!);
        sums[i] = sum;
      }
      finish.chunk(first, count);
      save(call, count);
    });
    machine.end();
    finish.end();
  };
}

function baseOf(nest: Nest, call: Call): number {
  return nest.store.based ? call.base : 0;
}

/** The neutral element, and one step. */
function accumulation({ op, dtype }: NonNullable<Nest['reduce']>): {
  start: number;
  combine: (sum: number, value: number) => number;
} {
  const kind = kindOf(dtype);
  const low = kind === 'float' ? -Infinity : kind === 'integer' ? -0x80000000 : 0;
  const high = kind === 'float' ? Infinity : kind === 'integer' ? 0x7fffffff : 1;
  switch (op) {
    case 'max':
      return { start: low, combine: Math.max };
    case 'min':
      return { start: high, combine: Math.min };
    case 'product':
      return { start: 1, combine: kind === 'float' ? (sum, value) => sum * value : Math.imul };
    default:
      if (kind === 'float') return { start: 0, combine: (sum, value) => sum + value };
      if (kind === 'integer') return { start: 0, combine: (sum, value) => (sum + value) | 0 };
      return { start: 0, combine: (sum, value) => sum | value };
  }
}
