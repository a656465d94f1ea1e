/**
 * Gradients of strided windows (pooling): `out[i] = sum over taps r of where(stride divides i + c - d r, f(q, r), 0)` with
 * q the quotient. As a loop nest every element tries every tap, and most fail. Turned around, i = stride q + d r - c, each
 * pair (q, r) is visited once and adds to the one element that it belongs to; then all indices are affine.
 * Found by its form, not by a hint; anything that does not fit exactly is left to the loops.
 */
import type { Kernel, Op } from '@nn/core';
import { type Affine, type Analysis, analyse, isAlu, sizeOf, stridesOf } from '../wasm/analysis.ts';
import { emitNest, type KernelCode } from '../wasm/emit.ts';
import { i32, memory } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import type { SpecialRequest } from '../wasm/special.ts';
import { sumsOf, wholePhase } from './sums.ts';

/** out index = stride * quotient + step * tap - shift. */
interface Pair {
  readonly axis: number;
  readonly tap: number;
  readonly stride: number;
  readonly step: number;
  readonly shift: number;
  readonly quotients: number;
}

export function emitWindowGradient(context: ModuleContext, request: SpecialRequest): KernelCode | null {
  const { kernel } = request;
  const { reduce, domain } = kernel;
  if (reduce?.op !== 'sum' || reduce.dtype !== 'float32') return null;
  const analysis = analyse(kernel);
  const root = analysis.ops[analysis.valueRoot] as Op;
  if (root.op !== 'where') return null;
  const [condition, value, otherwise] = root.args as readonly [number, number, number];
  const zero = analysis.ops[otherwise] as Op;
  if (zero.op !== 'const' || zero.value !== 0) return null;
  const leaves = conjunction(analysis, condition);
  const pairs = findPairs(kernel, analysis, leaves);
  if (!pairs) return null;
  const left = leaves.filter((leaf) => !pairs.some(({ leaves: own }) => own.includes(leaf)));

  const terms = reduce.extents.length;
  const walked = [...reduce.extents, ...domain.map((extent, axis) => pairOn(pairs, axis)?.quotients ?? extent)];
  const dense = stridesOf(domain);
  const strides = [...reduce.extents.map(() => 0), ...dense];
  let start = 0;
  for (const { axis, tap, stride, step, shift } of pairs) {
    const unit = dense[axis] as number;
    strides[terms + axis] = stride * unit;
    strides[tap - domain.length] = step * unit;
    start -= shift * unit;
  }
  const ops = rewrite(kernel, pairs, value, left, analysis);
  // Windows that do not overlap give each element at most one term.
  const apart = pairs.every(
    ({ stride, step, tap }) => stride > step * ((reduce.extents[tap - domain.length] as number) - 1),
  );
  const covered = reduce.extents.every((_, at) => pairs.some(({ tap }) => tap === at + domain.length));
  const sums = sumsOf(context, request);
  const single = apart && covered;
  const nest = emitNest(context, {
    kernel: { domain: walked, dtype: 'float32', reads: kernel.reads, scalars: kernel.scalars, value: ops },
    outStrides: strides,
    outerAxes: null,
    ...(!single && { accumulate: { kind: 'add' } }),
  });
  const complete = single && sizeOf(walked) === sizeOf(domain);
  const phase = wholePhase(context, kernel, sums, sizeOf(walked) * 2, (at) => [
    ...(complete ? [] : [memory.fill(at.sums, i32.const(0), i32.const(4 * sizeOf(domain)))]),
    at.call(nest, i32.add(at.sums, i32.const(4 * start))),
  ]);
  const phases = sums.epilogue ? [phase, sums.epilogue] : [phase];
  return { phases, scratch: sums.bytes, own: 0, path: 'window gradient' };
}

const pairOn = (pairs: readonly Pair[], axis: number): Pair | undefined => pairs.find((pair) => pair.axis === axis);

/** The conditions that all must hold. */
function conjunction(analysis: Analysis, position: number): number[] {
  const op = analysis.ops[position] as Op;
  return op.op === 'and' && op.dtype === 'bool' ? op.args.flatMap((part) => conjunction(analysis, part)) : [position];
}

const constantAt = (analysis: Analysis, position: number): number | null => {
  const form = analysis.forms[position];
  return form && form.terms.size === 0 ? form.constant : null;
};

/** Each axis with a condition on a remainder and the condition that the quotient is not negative; null if none fits. */
function findPairs(
  kernel: Kernel,
  analysis: Analysis,
  leaves: readonly number[],
): (Pair & { readonly leaves: readonly number[] })[] | null {
  const { domain } = kernel;
  const extents = kernel.reduce?.extents ?? [];
  const pairs: (Pair & { readonly leaves: readonly number[] })[] = [];
  for (const leaf of leaves) {
    const divided = remainderIsZero(analysis, leaf);
    if (!divided) continue;
    const { argument, stride } = divided;
    const form = analysis.forms[argument] as Affine;
    const axes = [...form.terms];
    const own = axes.find(([term, coefficient]) => term >= 0 && term < domain.length && coefficient === 1);
    const tap = axes.find(([term, coefficient]) => term >= domain.length && coefficient < 0);
    if (axes.length !== 2 || !own || !tap) return null;
    const [axis] = own;
    const step = -tap[1];
    const shift = form.constant;
    const other = leaves.find((candidate) => isNotNegative(analysis, candidate, argument, stride));
    if (other === undefined) return null;
    const extent = domain[axis] as number;
    const taps = extents[tap[0] - domain.length] as number;
    const quotients = Math.floor((extent - 1 + shift) / stride) + 1;
    // Every pair must meet an element.
    if (quotients < 1 || -shift < 0 || stride * (quotients - 1) + step * (taps - 1) - shift > extent - 1) return null;
    if (pairs.some((pair) => pair.axis === axis || pair.tap === tap[0])) return null;
    pairs.push({ axis, tap: tap[0], stride, step, shift, quotients, leaves: [leaf, other] });
  }
  return pairs.length > 0 ? pairs : null;
}

/** `floorMod(argument, stride) < 1` or `floorMod(argument, stride) == 0`, with a stride above 1. */
function remainderIsZero(analysis: Analysis, leaf: number): { argument: number; stride: number } | null {
  const op = analysis.ops[leaf] as Op;
  if (op.op !== 'less' && op.op !== 'equal') return null;
  const [a, b] = op.args as readonly [number, number];
  if (constantAt(analysis, b) !== (op.op === 'less' ? 1 : 0)) return null;
  const remainder = analysis.ops[a] as Op;
  if (remainder.op !== 'floorMod' || remainder.dtype !== 'int32') return null;
  const [argument, divisor] = remainder.args as readonly [number, number];
  const stride = constantAt(analysis, divisor);
  return stride !== null && stride > 1 && analysis.forms[argument] ? { argument, stride } : null;
}

/** `-1 < floorDiv(argument, stride)`. */
function isNotNegative(analysis: Analysis, leaf: number, argument: number, stride: number): boolean {
  const op = analysis.ops[leaf] as Op;
  if (op.op !== 'less') return false;
  const [a, b] = op.args as readonly [number, number];
  const quotient = analysis.ops[b] as Op;
  if (constantAt(analysis, a) !== -1 || quotient.op !== 'floorDiv') return false;
  const [over, under] = quotient.args as readonly [number, number];
  return same(analysis.forms[over], analysis.forms[argument]) && constantAt(analysis, under) === stride;
}
function same(a: Affine | null | undefined, b: Affine | null | undefined): boolean {
  if (!a || !b || a.constant !== b.constant || a.terms.size !== b.terms.size) return false;
  return [...a.terms].every(([term, coefficient]) => b.terms.get(term) === coefficient);
}

/** The value with taps as the first axes and quotients in place of the paired axes, where the other conditions hold. */
function rewrite(
  kernel: Kernel,
  pairs: readonly Pair[],
  value: number,
  conditions: readonly number[],
  analysis: Analysis,
): Op[] {
  const { domain, reduce } = kernel;
  const terms = reduce?.extents.length ?? 0;
  const moveAxis = (axis: number): number => (axis >= domain.length ? axis - domain.length : terms + axis);
  const ops: Op[] = [];
  const moved: number[] = [];
  const push = (op: Op): number => ops.push(op) - 1;
  const word = (op: 'add' | 'mul', a: number, b: number): number => push({ dtype: 'int32', op, args: [a, b] });
  const constant = (number: number): number => push({ dtype: 'int32', op: 'const', value: number });
  for (const op of analysis.ops.slice(0, analysis.valueRoot)) {
    if (op.op === 'axis') {
      const here = push({ ...op, axis: moveAxis(op.axis) });
      const pair = pairOn(pairs, op.axis);
      if (!pair) {
        moved.push(here);
        continue;
      }
      const tap = push({ dtype: 'int32', op: 'axis', axis: moveAxis(pair.tap) });
      const far = word('mul', here, constant(pair.stride));
      const near = word('mul', tap, constant(pair.step));
      moved.push(word('add', word('add', far, near), constant(-pair.shift)));
    } else if (isAlu(op)) moved.push(push({ ...op, args: op.args.map((at) => moved[at] as number) }));
    else moved.push(push(op.op === 'load' ? { ...op, index: moved[op.index] as number } : op));
  }
  const last = moved[value] as number;
  if (conditions.length === 0) {
    push(ops[last] as Op);
    return ops;
  }
  const both = conditions
    .map((at) => moved[at] as number)
    .reduce((a, b) => push({ dtype: 'bool', op: 'and', args: [a, b] }));
  const zero = push({ dtype: 'float32', op: 'const', value: 0 });
  push({ dtype: 'float32', op: 'where', args: [both, last, zero] });
  return ops;
}
