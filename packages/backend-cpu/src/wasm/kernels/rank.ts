/**
 * Places in the sorted order, by a merge sort of keys: the value in the high 32 bits, the index in the low ones, so that
 * keys are distinct and the order is stable. Floats are mapped to integers of the same order, NaN last, -0 equal to 0.
 */
import type { Hint } from '@nn/core';
import { sizeOf, stridesOf } from '../../shape.ts';
import { align } from '../../storage.ts';
import { type I32, type Local, type ModuleBuilder, type Statement, words } from '../code/assembler.ts';
import { callVoid, doWhile, f32, forLoop, i32, i64, select, when, whileLoop } from '../code/instructions.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { emitNest } from '../loops/emit.ts';
import type { KernelCode } from '../loops/nest.ts';
import { phaseOf } from './driver.ts';
import { redirected } from './operand.ts';
import type { SpecialRequest } from './request.ts';
import { bodyAt, sumsAt, sumsOf } from './sums.ts';

/** Below so many elements comparing all pairs is as fast. */
const shortest = 24;

export function emitRank(
  context: ModuleContext,
  request: SpecialRequest,
  hint: Extract<Hint, { kind: 'rank' }>,
): KernelCode | null {
  const { kernel } = request;
  const { reduce, domain } = kernel;
  const dtype = kernel.value[hint.operand]?.dtype;
  const length = domain[hint.axis]!;
  if (reduce?.dtype !== 'int32' || (dtype !== 'float32' && dtype !== 'int32') || length < shortest) return null;
  const sums = sumsOf(context, request);
  const before = sizeOf(domain.slice(0, hint.axis));
  const after = sizeOf(domain.slice(hint.axis + 1));
  // The compared values, densely, with the sorted axis last.
  const others = domain.map((_, axis) => axis).filter((axis) => axis !== hint.axis);
  const laid = [...others.map((axis) => domain[axis]!), length];
  const axisOf = (axis: number): number | null => {
    if (axis === domain.length) return others.length;
    return axis === hint.axis ? null : others.indexOf(axis);
  };
  const nest = emitNest(context, {
    kernel: {
      domain: laid,
      dtype,
      reads: kernel.reads,
      scalars: kernel.scalars,
      value: bodyAt(kernel.value, hint.operand, axisOf),
    },
    outStrides: stridesOf(laid),
    outerAxes: null,
  });
  const valuesAt = sums.bytes;
  const valueBytes = align(4 * sizeOf(domain));
  const rankRow = context.library('rankRow', words(6), []);
  const values = redirected(context, kernel, nest, { out: valuesAt });
  const rows = before * after;
  const ranks = phaseOf(context, kernel, rows, 6 * length * Math.log2(length) * rows, (driver) => {
    const row = driver.local();
    const [high, low] = [i32.divU(row, i32.const(after)), i32.remU(row, i32.const(after))];
    const first = i32.add(i32.mul(high, i32.const(length * after)), low);
    const rank = callVoid(
      rankRow,
      i32.add(i32.add(driver.scratch, i32.const(valuesAt)), i32.mul(row, i32.const(4 * length))),
      i32.const(length),
      i32.const(dtype === 'float32' ? 1 : 0),
      i32.add(sumsAt(sums, driver), i32.shl(first, i32.const(2))),
      i32.const(4 * after),
      driver.own,
    );
    return [forLoop(row, driver.begin, driver.end, 1, [rank], true)];
  });
  const phases = [values, ranks, ...(sums.epilogue ? [sums.epilogue] : [])];
  return { phases, scratch: sums.bytes + valueBytes, own: 16 * length + 64, path: 'sort' };
}

/** `rankRow`: (values, count, whether they are floats, ranks, bytes between ranks, 16 bytes of scratch for each value). */
export function addRankRow(module: ModuleBuilder): void {
  module.function('rankRow', words(6), [], (builder) => {
    const [values, count, floats, ranks, stride, scratch] = builder.words(6);
    const index = builder.local('i32');
    const key = builder.local('i32');
    const number = builder.local('f32');
    const from = builder.local('i32');
    const to = builder.local('i32');
    const width = builder.local('i32');
    const left = builder.local('i32');
    const leftEnd = builder.local('i32');
    const right = builder.local('i32');
    const rightEnd = builder.local('i32');
    const out = builder.local('i32');
    const a = builder.local('i64');
    const b = builder.local('i64');
    const swap = builder.local('i32');
    const end = builder.local('i32');
    const eight = i32.const(8);
    const smaller = (x: I32, y: I32): I32 => select(x, y, i32.ltU(x, y));
    // Negative floats count downwards: turning their other bits around makes integers of the same order.
    const ordered = i32.xor(key, i32.and(i32.shrS(key, i32.const(31)), i32.const(0x7fffffff)));
    const signed = (value: Local<'i64'>, other: Local<'i64'>): I32 => i64.leS(value, other);
    const build: Statement[] = [
      key.set(i32.load(i32.add(values, i32.shl(index, i32.const(2))))),
      when(floats, [
        // Adding 0 turns -0 into 0.
        number.set(f32.add(f32.reinterpret(key), f32.const(0))),
        key.set(i32.reinterpret(number)),
        key.set(select(ordered, i32.const(0x7fffffff), f32.eq(number, number))),
      ]),
      i64.store(
        i32.add(scratch, i32.shl(index, i32.const(3))),
        i64.or(i64.shl(i64.extendS(key), i64.const(32)), i64.extendU(index)),
      ),
    ];
    const takeLeft = [i64.store(out, a), left.set(i32.add(left, eight))];
    const takeRight = [i64.store(out, b), right.set(i32.add(right, eight))];
    const merge: Statement[] = [
      leftEnd.set(smaller(i32.add(left, width), end)),
      right.set(leftEnd),
      rightEnd.set(smaller(i32.add(right, width), end)),
      whileLoop(i32.or(i32.ltU(left, leftEnd), i32.ltU(right, rightEnd)), [
        when(
          i32.eqz(i32.ltU(right, rightEnd)),
          [a.set(i64.load(left)), ...takeLeft],
          [
            b.set(i64.load(right)),
            when(i32.ltU(left, leftEnd), [a.set(i64.load(left)), when(signed(a, b), takeLeft, takeRight)], takeRight),
          ],
        ),
        out.set(i32.add(out, eight)),
      ]),
      left.set(rightEnd),
    ];
    builder.emit(
      forLoop(index, i32.const(0), count, 1, build, true),
      from.set(scratch),
      to.set(i32.add(scratch, i32.shl(count, i32.const(3)))),
      width.set(eight),
      whileLoop(i32.ltU(width, i32.shl(count, i32.const(3))), [
        left.set(from),
        out.set(to),
        end.set(i32.add(from, i32.shl(count, i32.const(3)))),
        doWhile(merge, i32.ltU(left, end)),
        swap.set(from),
        from.set(to),
        to.set(swap),
        width.set(i32.shl(width, i32.const(1))),
      ]),
      forLoop(
        index,
        i32.const(0),
        count,
        1,
        [i32.store(i32.add(ranks, i32.mul(i32.load(i32.add(from, i32.shl(index, i32.const(3)))), stride)), index)],
        true,
      ),
    );
  });
}
