/**
 * The operands of a product of bytes: what the body says of them, and where their rows lie along the inner axis. Rows that do not
 * lie so (the windows of a convolution, a transposed matrix) are gathered into scratch first, in words where that is possible.
 */
import type { Kernel, Op } from '@nn/core';
import { sizeOf, stridesOf } from '../../../shape.ts';
import { type Statement, words } from '../../code/assembler.ts';
import { callVoid, forLoop, i32, i32x4, i64, v128 } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { type Affine, type Analysis, isAlu } from '../../loops/analysis.ts';
import { emitNest } from '../../loops/emit.ts';
import type { Phase } from '../../loops/nest.ts';
import { BodyWriter } from '../body-writer.ts';
import { phaseOf, plus, scaled } from '../driver.ts';
import type { Side } from './dots.ts';

/** Bytes of a read, and how they are meant. */
export interface Bytes extends Side {
  readonly read: number;
  readonly form: Affine;
}

/** `cast(bytes)`, or some of the low bits of that; null for anything else. */
export function bytesAt({ ops, forms }: Analysis, kernel: Kernel, position: number): Bytes | null {
  const op = ops[position]!;
  if (!isAlu(op) || op.dtype !== 'int32') return null;
  if (op.op === 'and') {
    for (const [value, mask] of [op.args, [...op.args].reverse()] as [number, number][]) {
      const constant = ops[mask]!;
      const bytes = bytesAt({ ops, forms } as Analysis, kernel, value);
      if (bytes === null || constant.op !== 'const' || constant.value < 1 || constant.value > 127) continue;
      return { ...bytes, signed: false, mask: bytes.mask & constant.value };
    }
    return null;
  }
  const load = ops[op.args[0]!]!;
  if (op.op !== 'cast' || load.op !== 'load') return null;
  const dtype = kernel.reads[load.read];
  const form = forms[load.index];
  if ((dtype !== 'int8' && dtype !== 'uint8') || !form || [...form.terms.keys()].some((term) => term < 0)) return null;
  return { read: load.read, form, signed: dtype === 'int8', mask: 255 };
}

/** Whether the rows lie along the inner axes, one byte after the other. */
export function isAlong({ form }: Bytes, inner: readonly number[], extents: readonly number[]): boolean {
  let stride = 1;
  return [...inner].reverse().every((axis) => {
    const fits = extents[axis] === 1 || (form.terms.get(axis) ?? 0) === stride;
    stride *= extents[axis]!;
    return fits;
  });
}

/** Bytes from one row of gathered ones to the next: whole words. */
export const gatheredBytes = (inner: number): number => Math.ceil(inner / 4) * 4;

/** The axes of the kernel along which an operand is gathered, the inner ones last, and its strides then. */
export interface Gathered {
  readonly phase: Phase;
  readonly strides: ReadonlyMap<number, number>;
  readonly bytes: number;
}

/** A nest that gathers the rows of `axes`; its units are the positions of the first `outer` axes. */
export function gather(
  context: ModuleContext,
  kernel: Kernel,
  { read, form }: Bytes,
  axes: readonly number[],
  inner: readonly number[],
  outer: number | null,
): Gathered {
  const extents = [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
  const size = (list: readonly number[]): number[] => list.map((axis) => extents[axis]!);
  const own = axes.filter((axis) => extents[axis] === 1 || form.terms.has(axis) || outer !== null);
  const along = stridesOf(size(inner));
  const rowBytes = gatheredBytes(sizeOf(size(inner)));
  const rowStrides = stridesOf(size(own)).map((stride) => stride * rowBytes);
  const strides = new Map([
    ...own.map((axis, at) => [axis, rowStrides[at]!] as const),
    ...inner.map((axis, at) => [axis, along[at]!] as const),
  ]);
  const all = [...own, ...inner];
  // Runs of four bytes are words: the last axis and what the others step by.
  const last = inner.at(-1)!;
  const isWords =
    form.terms.get(last) === 1 &&
    extents[last]! % 4 === 0 &&
    form.constant % 4 === 0 &&
    all.every((axis) => axis === last || ((form.terms.get(axis) ?? 0) % 4 === 0 && strides.get(axis)! % 4 === 0));
  const unit = isWords ? 4 : 1;
  const dtype = isWords ? 'int32' : 'int8';
  const domain = all.map((axis) => (axis === last ? extents[axis]! / unit : extents[axis]!));
  const body = new BodyWriter();
  let index = body.integer(form.constant / unit);
  all.forEach((axis, at) => {
    const stride = (form.terms.get(axis) ?? 0) / (axis === last ? 1 : unit);
    if (stride !== 0) index = body.add(index, body.times(body.axis(at), stride));
  });
  const load: Op = { dtype, op: 'load', read, index };
  body.push(load);
  const phase = emitNest(context, {
    kernel: {
      domain,
      dtype,
      reads: kernel.reads.map((other, at) => (at === read ? dtype : other)),
      scalars: kernel.scalars,
      value: body.ops,
    },
    outStrides: all.map((axis) => strides.get(axis)! / (axis === last ? 1 : unit)),
    outerAxes: outer,
  });
  return { phase, strides, bytes: sizeOf(size(own)) * rowBytes };
}

/** Copies of one row, written out one by one; more would be long code. */
const mostRuns = 64;

/** Runs of so many bytes are copied by a loop. */
const longRun = 128;

/** (to, from, bytes, mask of four bytes): whole vectors, so that up to 15 bytes more are read and written. */
function copyMasked(context: ModuleContext): ReturnType<ModuleContext['helper']> {
  return context.helper('bytes-copy-masked', words(4), [], (builder) => {
    const [to, from, bytes, mask] = builder.words(4);
    const [at, kept] = [builder.local('i32'), builder.local('v128')];
    builder.emit(
      kept.set(i32x4.splat(mask)),
      forLoop(at, i32.const(0), bytes, 16, [v128.store(i32.add(to, at), v128.and(v128.load(i32.add(from, at)), kept))]),
    );
  });
}

/**
 * As `gather`, by copies of whole runs of bytes; null where there are none. Up to 15 bytes behind a run are written as well, before
 * the next one goes there: only for memory of the thread's own, and with as many bytes to spare. With `masked` only the bits that count
 * are copied.
 */
export function gatherRuns(
  context: ModuleContext,
  kernel: Kernel,
  { read, form, mask }: Bytes,
  axes: readonly number[],
  inner: readonly number[],
  masked = false,
): Gathered | null {
  const extents = [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
  const step = (axis: number): number => form.terms.get(axis) ?? 0;
  let run = 1;
  let outer = inner.length;
  while (outer > 0 && (extents[inner[outer - 1]!] === 1 || step(inner[outer - 1]!) === run)) {
    run *= extents[inner[--outer]!]!;
  }
  const starts = inner.slice(0, outer).reduce(
    (all: readonly number[], axis) => {
      return all.flatMap((start) => Array.from({ length: extents[axis]! }, (_, at) => start + at * step(axis)));
    },
    [0],
  );
  if (run === 1 || starts.length > mostRuns || [...form.terms.values()].some((stride) => stride < 0)) return null;
  const size = (list: readonly number[]): number[] => list.map((axis) => extents[axis]!);
  const rowBytes = gatheredBytes(sizeOf(size(inner)));
  const units = sizeOf(size(axes));
  const phase = phaseOf(context, kernel, units, units * starts.length * (1 + run / 16), (driver) => {
    const [unit, rest, from, to] = [driver.local(), driver.local(), driver.local(), driver.local()];
    const place = [...axes].reverse().flatMap((axis, depth) => {
      const isLast = depth === axes.length - 1;
      const index = isLast ? rest : i32.remU(rest, i32.const(extents[axis]!));
      const moved = from.set(i32.add(from, scaled(index, step(axis))));
      return isLast ? [moved] : [moved, rest.set(i32.divU(rest, i32.const(extents[axis]!)))];
    });
    const bits = mask * 0x01010101;
    const copies = starts.flatMap((start, at) => {
      if (masked && run >= longRun) {
        const [target, source] = [plus(to, at * run), plus(from, start)];
        return [callVoid(copyMasked(context), target, source, i32.const(run), i32.const(bits))];
      }
      const statements: Statement[] = [];
      for (let done = 0; done < run; done += 16) {
        const [source, target] = [start + done, at * run + done];
        const left = run - done;
        if (masked && left > 4) {
          statements.push(
            v128.store(to, v128.and(v128.load(from, source), v128.words([bits, bits, bits, bits])), target),
          );
        } else if (masked) {
          statements.push(i32.store(to, i32.and(i32.load(from, source), i32.const(bits)), target));
        } else if (left > 8) statements.push(v128.store(to, v128.load(from, source), target));
        else if (left > 4) statements.push(i64.store(to, i64.load(from, source), target));
        else statements.push(i32.store(to, i32.load(from, source), target));
      }
      return statements;
    });
    return [
      driver.units(unit, [
        from.set(plus(driver.read(read), form.constant)),
        rest.set(unit),
        ...place,
        to.set(i32.add(driver.out, scaled(unit, rowBytes))),
        ...copies,
      ]),
    ];
  });
  const along = stridesOf(size(inner));
  const rows = stridesOf(size(axes));
  const strides = new Map([
    ...axes.map((axis, at) => [axis, rows[at]! * rowBytes] as const),
    ...inner.map((axis, at) => [axis, along[at]!] as const),
  ]);
  return { phase, strides, bytes: units * rowBytes };
}
