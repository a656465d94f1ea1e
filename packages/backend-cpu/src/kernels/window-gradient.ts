/**
 * Gradients of strided windows (pooling): `out[i] = sum over taps r of where(stride divides i + c - d r, f(q, r), 0)` with
 * q the quotient. As a loop nest every element tries every tap, and most fail. Turned around, i = stride q + d r - c, each
 * pair (q, r) is visited once and adds to the one element that it belongs to; then all indices are affine.
 * Found by its form, not by a hint; anything that does not fit exactly is left to the loops.
 */
import type { Kernel, Op } from '@nn/core';
import { sizeOf, stridesOf } from '../shape.ts';
import { type Affine, type Analysis, analyse, isAlu } from '../wasm/analysis.ts';
import type { I32, Local, Statement } from '../wasm/assembler.ts';
import { emitNest, type KernelCode, kernelParameters, type Phase } from '../wasm/emit.ts';
import { callVoid, i32, memory, select, whileLoop } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import type { SpecialRequest } from '../wasm/special.ts';
import { sumsOf } from './sums.ts';

/** out index = stride * quotient + step * tap - shift. */
interface Pair {
  readonly axis: number;
  readonly tap: number;
  readonly stride: number;
  readonly step: number;
  readonly shift: number;
  readonly quotients: number;
}

interface Found {
  readonly analysis: Analysis;
  readonly pairs: readonly Pair[];
  /** Position of the value, and of the conditions on it that remain. */
  readonly value: number;
  readonly left: readonly number[];
  /** Whether every pair of quotient and tap meets an element. */
  readonly inside: boolean;
  /** Whether each element gets at most one term. */
  readonly single: boolean;
}

function find(kernel: Kernel): Found | null {
  const { reduce, domain } = kernel;
  if (reduce?.op !== 'sum' || reduce.dtype !== 'float32') return null;
  if (!kernel.value.some(({ op }) => op === 'floorMod')) return null;
  const analysis = analyse(kernel);
  const root = analysis.ops[analysis.valueRoot] as Op;
  if (root.op !== 'where') return null;
  const [condition, value, otherwise] = root.args as readonly [number, number, number];
  const zero = analysis.ops[otherwise] as Op;
  if (zero.op !== 'const' || zero.value !== 0) return null;
  const leaves = conjunction(analysis, condition);
  const pairs = findPairs(kernel, analysis, leaves);
  if (!pairs) return null;
  const { extents } = reduce;
  const reach = ({ step, tap }: Pair): number => step * ((extents[tap - domain.length] as number) - 1);
  const covered = extents.length === pairs.length;
  const inside = pairs.every((pair) => {
    const last = pair.stride * (pair.quotients - 1) + reach(pair) - pair.shift;
    return pair.shift <= 0 && last < (domain[pair.axis] as number);
  });
  // Where some pairs meet no element each tap has its own range of quotients, and so a nest of its own.
  if (!inside && (!covered || sizeOf(extents) > mostNests)) return null;
  return {
    analysis,
    pairs,
    value,
    left: leaves.filter((leaf) => !pairs.some(({ leaves: own }) => own.includes(leaf))),
    inside,
    // Windows that do not overlap.
    single: covered && pairs.every((pair) => pair.stride > reach(pair)),
  };
}

/** Whether the kernel is one of these: then it is better alone than in a group. */
export const isWindowGradient = (kernel: Kernel): boolean => find(kernel) !== null;

export function emitWindowGradient(context: ModuleContext, request: SpecialRequest): KernelCode | null {
  const { kernel } = request;
  const found = find(kernel);
  if (!found) return null;
  const { analysis, pairs, value, left, inside, single } = found;
  const { domain } = kernel;
  const extents = kernel.reduce?.extents ?? [];
  // Images and channels are apart: a few at a time pass through all nests and the epilogue while they are in the cache.
  const outer = Math.min(...pairs.map(({ axis }) => axis));
  const units = sizeOf(domain.slice(0, outer));
  const unitBytes = 4 * sizeOf(domain.slice(outer));
  const sums = sumsOf(context, request, outer);
  const nests = (inside ? [null] : combinations(extents)).flatMap((taps) => {
    const walk = walkOf(kernel, pairs, taps, outer);
    if (!walk) return [];
    const nest = emitNest(context, {
      kernel: {
        domain: walk.domain,
        dtype: 'float32',
        reads: kernel.reads,
        scalars: kernel.scalars,
        value: rewrite(kernel, pairs, value, left, analysis, walk),
      },
      outStrides: walk.strides,
      outerAxes: outer,
      ...(!single && { accumulate: { kind: 'add' } }),
    });
    return [{ nest, ...walk }];
  });
  const complete = single && inside && sizeOf(nests[0]?.domain ?? []) === sizeOf(domain);
  const work = nests.reduce((sum, { domain: walked }) => sum + sizeOf(walked), 0);
  const parameters = kernelParameters(kernel);
  const reference = context.module.function(null, parameters, [], (builder) => {
    const values = parameters.map((type, at) => builder.parameter(at, type)) as Local[];
    const [scratch, , begin, end] = values.slice(-4) as Local<'i32'>[] as [
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
    ];
    const target: I32 = sums.direct ? builder.parameter(0, 'i32') : scratch;
    const next = builder.local('i32');
    const later = i32.add(begin, i32.const(Math.max(1, Math.floor(blockBytes / unitBytes))));
    const run = ({ reference: code }: Phase, out: I32): Statement =>
      callVoid(code, out, ...values.slice(1, -2), begin, next);
    const bytes = (count: I32): I32 => i32.mul(count, i32.const(unitBytes));
    builder.emit(
      whileLoop(i32.ltU(begin, end), [
        next.set(select(later, end, i32.ltU(later, end))),
        ...(complete ? [] : [memory.fill(i32.add(target, bytes(begin)), i32.const(0), bytes(i32.sub(next, begin)))]),
        ...nests.map(({ nest, start }) => run(nest, i32.add(target, i32.const(4 * start)))),
        ...(sums.epilogue ? [run(sums.epilogue, builder.parameter(0, 'i32'))] : []),
        begin.set(next),
      ]),
    );
  });
  const phase = { reference, units, grain: (work * 2) / units };
  return { phases: [phase], scratch: sums.bytes, own: 0, path: 'window gradient' };
}

/** Bytes of the output that stay in the first-level cache with what is read for them. */
const blockBytes = 2 ** 13;
/** More taps than this are left to the loops when each would need a nest of its own. */
const mostNests = 16;

/** A nest over quotients: with the taps as axes after the outer ones, or for one choice of taps. */
interface Walk {
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
    const unit = dense[axis] as number;
    const offset = (taps ? step * (taps[tap - domain.length] as number) : 0) - shift;
    const low = taps ? Math.max(0, Math.ceil(-offset / stride)) : 0;
    const high = taps
      ? Math.min(quotients - 1, Math.floor(((domain[axis] as number) - 1 - offset) / stride))
      : quotients - 1;
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
    // Quotients that the nest can meet; the conditions that are left say which of them count.
    const quotients = Math.floor((extent - 1 + shift) / stride) + 1;
    if (quotients < 1 || pairs.some((pair) => pair.axis === axis || pair.tap === tap[0])) return null;
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

/** The value with quotients in place of the paired axes, where the other conditions hold. */
function rewrite(
  kernel: Kernel,
  pairs: readonly Pair[],
  value: number,
  conditions: readonly number[],
  analysis: Analysis,
  { taps, first, outer }: Walk,
): Op[] {
  const { domain, reduce } = kernel;
  const terms = taps ? 0 : (reduce?.extents.length ?? 0);
  const ops: Op[] = [];
  const moved: number[] = [];
  const push = (op: Op): number => ops.push(op) - 1;
  const word = (op: 'add' | 'mul', a: number, b: number): number => push({ dtype: 'int32', op, args: [a, b] });
  const constant = (number: number): number => push({ dtype: 'int32', op: 'const', value: number });
  const axisAt = (axis: number): number =>
    push({ dtype: 'int32', op: 'axis', axis: axis < outer ? axis : terms + axis });
  const tapAt = (axis: number): number => {
    const at = axis - domain.length;
    return taps ? constant(taps[at] as number) : push({ dtype: 'int32', op: 'axis', axis: outer + at });
  };
  for (const op of analysis.ops.slice(0, analysis.valueRoot)) {
    if (op.op === 'axis') {
      const pair = pairOn(pairs, op.axis);
      if (op.axis >= domain.length) moved.push(tapAt(op.axis));
      else if (!pair) moved.push(axisAt(op.axis));
      else {
        const quotient = word('add', axisAt(op.axis), constant(first.get(op.axis) as number));
        const far = word('mul', quotient, constant(pair.stride));
        const near = word('mul', tapAt(pair.tap), constant(pair.step));
        moved.push(word('add', word('add', far, near), constant(-pair.shift)));
      }
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
