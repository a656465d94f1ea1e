/**
 * The form of a window's gradient, found in the body of a kernel: a sum over taps of values that count only where a stride
 * divides `index + shift - step * tap`. Anything that does not fit exactly is none.
 */
import type { Kernel } from '@nn/core';
import { sizeOf } from '../../../shape.ts';
import { type Affine, type Analysis, analyse } from '../../loops/analysis.ts';

/** More taps than this are left to the loops when each would need a nest of its own. */
const mostNests = 16;

/**
 * An axis of the output and the reduced axis `tap` along which windows move over it:
 * index = stride * quotient + step * tap - shift, for the quotients from 0 on.
 */
export interface Pair {
  readonly axis: number;
  readonly tap: number;
  readonly stride: number;
  readonly step: number;
  readonly shift: number;
  readonly quotients: number;
}

/** A pair with the conditions that it stands for. */
type FoundPair = Pair & { readonly leaves: readonly number[] };

export interface WindowGradient {
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

export function findWindowGradient(kernel: Kernel): WindowGradient | null {
  const { reduce, domain } = kernel;
  if (reduce?.op !== 'sum' || reduce.dtype !== 'float32') return null;
  if (!kernel.value.some(({ op }) => op === 'floorMod')) return null;
  const analysis = analyse(kernel);
  const root = analysis.ops[analysis.valueRoot]!;
  if (root.op !== 'where') return null;
  const [condition, value, otherwise] = root.args as readonly [number, number, number];
  const zero = analysis.ops[otherwise]!;
  if (zero.op !== 'const' || zero.value !== 0) return null;
  const leaves = conjunction(analysis, condition);
  const pairs = findPairs(kernel, analysis, leaves);
  if (!pairs) return null;
  const { extents } = reduce;
  const reach = ({ step, tap }: Pair): number => step * (extents[tap - domain.length]! - 1);
  const covered = extents.length === pairs.length;
  const inside = pairs.every((pair) => {
    const last = pair.stride * (pair.quotients - 1) + reach(pair) - pair.shift;
    return pair.shift <= 0 && last < domain[pair.axis]!;
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

/** The conditions that all must hold. */
function conjunction(analysis: Analysis, position: number): number[] {
  const op = analysis.ops[position]!;
  return op.op === 'and' && op.dtype === 'bool' ? op.args.flatMap((part) => conjunction(analysis, part)) : [position];
}

const constantAt = (analysis: Analysis, position: number): number | null => {
  const form = analysis.forms[position];
  return form && form.terms.size === 0 ? form.constant : null;
};

/** Each axis with a condition on a remainder and the condition that the quotient is not negative; null if none fits. */
function findPairs(kernel: Kernel, analysis: Analysis, leaves: readonly number[]): FoundPair[] | null {
  const { domain } = kernel;
  const pairs: FoundPair[] = [];
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
    const extent = domain[axis]!;
    // Quotients that the nest can meet; the conditions that are left say which of them count.
    const quotients = Math.floor((extent - 1 + shift) / stride) + 1;
    if (quotients < 1 || pairs.some((pair) => pair.axis === axis || pair.tap === tap[0])) return null;
    pairs.push({ axis, tap: tap[0], stride, step, shift, quotients, leaves: [leaf, other] });
  }
  return pairs.length > 0 ? pairs : null;
}

/** `floorMod(argument, stride) < 1` or `floorMod(argument, stride) == 0`, with a stride above 1. */
function remainderIsZero(analysis: Analysis, leaf: number): { argument: number; stride: number } | null {
  const op = analysis.ops[leaf]!;
  if (op.op !== 'less' && op.op !== 'equal') return null;
  const [a, b] = op.args as readonly [number, number];
  if (constantAt(analysis, b) !== (op.op === 'less' ? 1 : 0)) return null;
  const remainder = analysis.ops[a]!;
  if (remainder.op !== 'floorMod' || remainder.dtype !== 'int32') return null;
  const [argument, divisor] = remainder.args as readonly [number, number];
  const stride = constantAt(analysis, divisor);
  return stride !== null && stride > 1 && analysis.forms[argument] ? { argument, stride } : null;
}

/** `-1 < floorDiv(argument, stride)`. */
function isNotNegative(analysis: Analysis, leaf: number, argument: number, stride: number): boolean {
  const op = analysis.ops[leaf]!;
  if (op.op !== 'less') return false;
  const [a, b] = op.args as readonly [number, number];
  const quotient = analysis.ops[b]!;
  if (constantAt(analysis, a) !== -1 || quotient.op !== 'floorDiv') return false;
  const [over, under] = quotient.args as readonly [number, number];
  return same(analysis.forms[over], analysis.forms[argument]) && constantAt(analysis, under) === stride;
}
function same(a: Affine | null | undefined, b: Affine | null | undefined): boolean {
  if (!a || !b || a.constant !== b.constant || a.terms.size !== b.terms.size) return false;
  return [...a.terms].every(([term, coefficient]) => b.terms.get(term) === coefficient);
}
