/**
 * The walk over quotients in place of elements: each pair of a quotient and a tap meets the one element
 * `stride * quotient + step * tap - shift`, so nothing is tried in vain and all indices are affine. Where some pairs would
 * fall outside, each choice of taps has a walk of its own, over the quotients that stay inside.
 */
import type { Kernel, Op } from '@nn/core';
import { renumbered } from '../../../nest/body.ts';
import { stridesOf } from '../../../shape.ts';
import { BodyWriter } from '../body-writer.ts';
import type { Pair, WindowGradient } from './pattern.ts';

/** A nest over quotients: with the taps as axes after the outer ones, or for one choice of taps. */
export interface Walk {
  readonly domain: readonly number[];
  readonly strides: readonly number[];
  /** Elements from the start of the output to the first that is written. */
  readonly start: number;
  readonly taps: readonly number[] | null;
  /** The least quotient along each axis of the domain that has a pair. */
  readonly first: ReadonlyMap<number, number>;
  /** Axes before the first that has a pair. */
  readonly outer: number;
}

/** The places that `taps` reach (null: all taps, all of which stay inside); null where they reach none. */
function walkOf(kernel: Kernel, pairs: readonly Pair[], taps: readonly number[] | null, outer: number): Walk | null {
  const { domain } = kernel;
  const extents = kernel.reduce?.extents ?? [];
  const dense = stridesOf(domain);
  const walked = [...domain];
  const strides = [...dense];
  const tapStrides = extents.map(() => 0);
  const first = new Map<number, number>();
  let start = 0;
  for (const { axis, tap, stride, step, shift, quotients } of pairs) {
    const unit = dense[axis]!;
    const offset = (taps ? step * taps[tap - domain.length]! : 0) - shift;
    const low = taps ? Math.max(0, Math.ceil(-offset / stride)) : 0;
    const high = taps ? Math.min(quotients - 1, Math.floor((domain[axis]! - 1 - offset) / stride)) : quotients - 1;
    if (high < low) return null;
    walked[axis] = high - low + 1;
    strides[axis] = stride * unit;
    tapStrides[tap - domain.length] = step * unit;
    first.set(axis, low);
    start += (stride * low + offset) * unit;
  }
  if (taps) return { domain: walked, strides, start, taps, first, outer };
  walked.splice(outer, 0, ...extents);
  strides.splice(outer, 0, ...tapStrides);
  return { domain: walked, strides, start, taps, first, outer };
}

function combinations(extents: readonly number[]): number[][] {
  return extents.reduce<number[][]>(
    (all, extent) => all.flatMap((head) => Array.from({ length: extent }, (_, tap) => [...head, tap])),
    [[]],
  );
}

/** The walks that visit all pairs of quotients and taps, within images and channels (the axes before `outer`). */
export function walksOf(kernel: Kernel, { inside, pairs }: WindowGradient, outer: number): Walk[] {
  const choices = inside ? [null] : combinations(kernel.reduce?.extents ?? []);
  return choices.flatMap((taps) => walkOf(kernel, pairs, taps, outer) ?? []);
}

/** The value with quotients in place of the paired axes, where the other conditions hold. */
export function bodyOf(kernel: Kernel, { analysis, pairs, value, left }: WindowGradient, walk: Walk): Op[] {
  const { taps, first, outer } = walk;
  const rank = kernel.domain.length;
  const tapAxes = taps ? 0 : (kernel.reduce?.extents.length ?? 0);
  const body = new BodyWriter();
  const moved: number[] = [];
  const axisAt = (axis: number): number => body.axis(axis < outer ? axis : tapAxes + axis);
  const tapAt = (axis: number): number => (taps ? body.integer(taps[axis - rank]!) : body.axis(outer + axis - rank));
  const elementOf = ({ axis, tap, stride, step, shift }: Pair): number => {
    const quotient = body.add(axisAt(axis), body.integer(first.get(axis)!));
    const far = body.times(quotient, stride);
    const near = body.times(tapAt(tap), step);
    return body.add(body.add(far, near), body.integer(-shift));
  };
  for (const op of analysis.ops.slice(0, analysis.valueRoot)) {
    if (op.op === 'axis') {
      const pair = pairs.find(({ axis }) => axis === op.axis);
      if (op.axis >= rank) moved.push(tapAt(op.axis));
      else moved.push(pair ? elementOf(pair) : axisAt(op.axis));
    } else moved.push(body.push(renumbered(op, moved)));
  }
  const result = moved[value]!;
  if (left.length === 0) body.push(body.ops[result]!);
  else {
    const both = left.map((at) => moved[at]!).reduce((a, b) => body.alu('and', 'bool', a, b));
    const zero = body.push({ dtype: 'float32', op: 'const', value: 0 });
    body.alu('where', 'float32', both, result, zero);
  }
  return body.ops;
}
