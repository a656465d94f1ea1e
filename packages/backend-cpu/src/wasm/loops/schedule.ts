/**
 * How a loop nest is walked: the order of its loops, which of them runs four elements at a time, and how many vectors
 * one turn takes. It estimates costs from the strides of the loads; it emits nothing (that is `emit.ts`).
 */
import type { Op, Shape } from '@nn/core';
import { sizeOf } from '../../shape.ts';
import type { Lanes } from '../code/assembler.ts';
import type { Affine, Analysis, Loop } from './analysis.ts';
import { isAlu, mergeAxes, strideAlong } from './analysis.ts';

export interface Schedule {
  /** Outermost first: the loops of the domain, then the reduced ones. */
  readonly order: readonly Loop[];
  readonly domainLoops: number;
  /** The place of the vectorised loop in `order`: the last loop of the domain, or the last of all; -1 for none. */
  readonly vector: number;
  /** Elements in a vector. */
  readonly lanes: Lanes;
  /** Vectors in one turn of the vectorised loop. */
  readonly unroll: number;
  /** The first `outer` loops are walked as one, from `begin` to `end`, the parameters of the function. */
  readonly outer: number;
  /** Instead: the only loop of the domain is walked in pieces of `flat` elements. */
  readonly flat: number | null;
  /** The number of units that `begin` and `end` count. */
  readonly units: number;
  /** Estimated cost of all elements, in scalar instructions. */
  readonly cost: number;
}

export interface Shapes {
  readonly domain: Shape;
  readonly extents: Shape;
  readonly outStrides: readonly number[];
  /** Units are the positions of the first `outerAxes` axes (a group, or a product's rows); null: free choice. */
  readonly outerAxes: number | null;
  /** Axes that must not be vectorised, as bits: elements along them are not independent. */
  readonly sequential?: number;
  /** An axis that must be a loop of its own. */
  readonly alone?: number | null;
  /** Only a loop whose results are neighbours may be vectorised. */
  readonly contiguous?: boolean;
  /** Elements in a vector; 4 by default. */
  readonly lanes?: Lanes;
}

const vectorisedAlu = 0.25;
/** Functions of tens of instructions. */
const heavy: ReadonlySet<string> = new Set(['exp', 'log', 'tanh', 'erf', 'sin', 'cos', 'pow']);

/** Estimated cost of one element (arbitrary unit: a scalar instruction) when `loop` is walked as given. */
function elementCost(analysis: Analysis, loop: Loop | null, inner: Loop | null, lanes: 0 | Lanes): number {
  let cost = 0.5;
  const vectorised = lanes > 0;
  /** What a vector costs more than one element of four. */
  const share = 4 / Math.max(4, lanes);
  const bits = (candidate: Loop | null): number =>
    candidate ? candidate.axes.reduce((sum, axis) => sum | (1 << axis), 0) : 0;
  const vectorBits = bits(loop);
  const innerBits = bits(inner) | vectorBits;
  analysis.ops.forEach((op: Op, position) => {
    if (!analysis.needed[position] || analysis.late[position]) return;
    const dependent = analysis.depends[position]!;
    if ((dependent & innerBits) === 0) return;
    const vector = vectorised && (dependent & vectorBits) !== 0;
    if (op.op === 'load') {
      if (!vector) cost += vectorised ? 0.3 * share : 1;
      else cost += loadCost(analysis, analysis.forms[op.index] as Affine, loop as Loop, vectorBits, share);
    } else if (isAlu(op)) {
      const division = op.dtype === 'int32' && ['div', 'mod', 'floorDiv', 'floorMod'].includes(op.op);
      if (heavy.has(op.op)) cost += vector ? 4 * share : 20;
      else if (division) cost += vector && analysis.ranges[op.args[0]!] ? 1.5 * share : 6;
      else cost += vector ? vectorisedAlu * share : 1;
    }
  });
  return cost;
}

function loadCost(analysis: Analysis, form: Affine, loop: Loop, vectorBits: number, share: number): number {
  for (const term of form.terms.keys()) {
    if (term < 0 && (analysis.depends[-1 - term]! & vectorBits) !== 0) return 1.7;
  }
  const stride = Math.abs(strideAlong(form, loop));
  if (stride === 1) return 0.25 * share;
  return stride === 2 ? 0.5 * share : 1.2;
}

/** The same of what follows a reduction, for one element of the output: by vectors where these are of the output. */
function lateCost(analysis: Analysis, lanes: 0 | Lanes): number {
  const share = 4 / Math.max(4, lanes);
  return analysis.ops.reduce((cost, op, position) => {
    if (!analysis.needed[position] || !analysis.late[position] || !isAlu(op)) return cost;
    if (heavy.has(op.op)) return cost + (lanes > 0 ? 4 * share : 20);
    return cost + (lanes > 0 ? vectorisedAlu * share : 1);
  }, 0);
}

/** One element's time, about: for the decision whether threads should share the work. */
export function nanoseconds(analysis: Analysis, schedule: Schedule): number {
  const cost = analysis.ops.reduce((sum, op, position) => {
    if (!analysis.needed[position]) return sum;
    return sum + (heavy.has(op.op) ? 1 : op.op === 'load' ? 0.12 : 0.05);
  }, 0);
  return schedule.vector < 0 ? 4 * cost : cost;
}

/** Chooses the walk. */
export function makeSchedule(analysis: Analysis, shapes: Shapes): Schedule {
  const { domain, extents, outStrides, outerAxes, sequential = 0, alone = null, contiguous = false } = shapes;
  const { lanes = 4 } = shapes;
  const free = mergeAxes(analysis, domain, extents, outStrides, new Set(), alone);
  const freeDomain = free.filter((loop) => !loop.reduced);
  // Everything one run: units may cut it anywhere, so a border between outer and inner axes costs nothing.
  const single = freeDomain.length === 1 && (outerAxes === null || outerAxes > 0);
  const fenced =
    outerAxes === null || single ? free : mergeAxes(analysis, domain, extents, outStrides, new Set([outerAxes]), alone);
  const domainLoops = fenced.filter((loop) => !loop.reduced);
  const reduced = fenced.filter((loop) => loop.reduced);

  const lastDomain = domainLoops.at(-1) ?? null;
  const isOuter = (loop: Loop): boolean => outerAxes !== null && !single && loop.axes[0]! < outerAxes;
  const outStride = (loop: Loop): number => outStrides[loop.axes.at(-1)!]!;
  // In the scalar walk the innermost loop is the last reduced one, if any.
  const innermost = reduced.at(-1) ?? lastDomain;
  const overhead = innermost ? 3 / innermost.extent : 0;
  const summed = reduced.reduce((product, loop) => product * loop.extent, 1);
  // a share of it for each term: after a sum of few terms it is most of the work
  const [lateSingle, lateVector] = [lateCost(analysis, 0) / summed, lateCost(analysis, lanes) / summed];
  let best = { cost: elementCost(analysis, null, innermost, 0) + overhead + lateSingle, loop: null as Loop | null };
  const scalarCost = best.cost;
  const consider = (loop: Loop, inner: Loop, perRow: number): void => {
    if (loop.extent < lanes || loop.axes.some((axis) => (sequential >> axis) & 1)) return;
    const tail = loop.extent % lanes;
    const each = elementCost(analysis, loop, inner, lanes) + (loop.reduced ? lateSingle : lateVector);
    const cost = ((loop.extent - tail) * each + tail * scalarCost + perRow) / loop.extent;
    if (cost < best.cost) best = { cost, loop };
  };
  for (const loop of domainLoops) {
    if (isOuter(loop) || (contiguous && outStride(loop) !== 1)) continue;
    // Results that are not neighbours are stored lane by lane. Any loop of the domain can be the innermost of them.
    const storing = outStride(loop) === 1 ? 0 : 1.2 / summed;
    const shuffled = loop === lastDomain ? 0 : 0.05;
    consider(loop, reduced.at(-1) ?? loop, (storing + shuffled) * loop.extent);
  }
  for (const loop of reduced) consider(loop, loop, 6);

  const chosen = best.loop;
  const reducedOrder = chosen?.reduced ? [...reduced.filter((loop) => loop !== chosen), chosen] : reduced;
  const domainOrder =
    chosen && !chosen.reduced ? [...domainLoops.filter((loop) => loop !== chosen), chosen] : domainLoops;
  const order = [...domainOrder, ...reducedOrder];
  const vector = chosen ? order.indexOf(chosen) : -1;
  const flat = single && (chosen === null ? reduced.length === 0 : chosen === lastDomain);
  const total = sizeOf(domain);
  const walked = outerAxes === null ? 0 : sizeOf(domain.slice(0, outerAxes));
  const outerLoops =
    outerAxes === null || single
      ? domainLoops.length - (chosen !== null && !chosen.reduced ? 1 : 0)
      : domainLoops.filter((loop) => loop.axes[0]! < outerAxes).length;
  // A single loop of the domain with units other than its elements and a reduction inside: pieces as well.
  const pieces = flat || (single && outerAxes !== null && walked !== total);
  const scale = outerAxes === null ? 16 : total / walked;
  return {
    order,
    domainLoops: domainLoops.length,
    vector,
    lanes,
    unroll: chosen ? unrolling(chosen, analysis, reduced.length > 0, lanes) : 1,
    outer: pieces ? 0 : outerLoops,
    flat: pieces ? scale : null,
    cost: best.cost * total * summed,
    units:
      outerAxes === null
        ? pieces
          ? Math.ceil(total / scale)
          : sizeOf(order.slice(0, outerLoops).map((loop) => loop.extent))
        : walked,
  };
}

function unrolling(loop: Loop, analysis: Analysis, reduces: boolean, lanes: Lanes): number {
  const vectors = loop.extent / lanes;
  // Independent sums hide the latency of an addition.
  if (loop.reduced) return vectors >= 8 ? 4 : vectors >= 4 ? 2 : 1;
  const live = analysis.needed.filter(Boolean).length;
  if (reduces) return vectors % 4 === 0 && live <= 12 ? 4 : vectors >= 2 && live <= 24 ? 2 : 1;
  return vectors >= 4 && live <= 24 ? 2 : 1;
}
