/**
 * A loop nest as one function: `(out, reads ..., scalars ..., scratch, own, begin, end)`, addresses in bytes, a range of units.
 * The door of the emitter, for kernels and programs: a nest goes in, a phase comes out. How it is walked is decided in
 * `schedule.ts`; the code is written beside it: loops (`walk.ts`), values, loads, reductions and stores.
 */
import type { Lanes } from '../code/assembler.ts';
import { FunctionScope, type ModuleContext } from '../code/module-context.ts';
import { type Analysis, analyse } from './analysis.ts';
import { type Accumulate, kernelParameters, type Nest, type Phase } from './nest.ts';
import { OpenLoops } from './open-loops.ts';
import { makeSchedule, nanoseconds, type Schedule } from './schedule.ts';
import { splitAxes, tileTransposes } from './split.ts';
import { Walk } from './walk.ts';

/** The estimated cost of a nest, in scalar instructions, to compare ways to walk it. */
export function estimate(given: Nest): number {
  const { kernel, outStrides, outerAxes } = splitAxes(given);
  const extents = kernel.reduce?.extents ?? [];
  return makeSchedule(analyse(kernel), { domain: kernel.domain, extents, outStrides, outerAxes }).cost;
}

export function emitNest(context: ModuleContext, given: Nest): Phase {
  const { beside, accumulate } = given;
  const asGiven = beside !== undefined || (accumulate !== undefined && accumulate.kind !== 'add');
  const nest: Nest = asGiven ? given : { ...given, ...tileTransposes(splitAxes(given)) };
  const { kernel } = nest;
  const also = accumulate?.kind === 'scatter' ? [accumulate.index] : beside ? [beside.position] : [];
  const analysis = analyse(kernel, also);
  // Wider vectors where they pay: a short row has more left over.
  const narrow = scheduleOf(nest, analysis, 4);
  const wide = context.target.lanes === 8 ? scheduleOf(nest, analysis, 8) : narrow;
  const vectorAxes = ({ order, vector }: Schedule): string => String(order[vector]?.axes);
  // Values are stored beside a reduction only as `fuse.ts` has seen it walked.
  const sameWalk = beside === undefined || vectorAxes(wide) === vectorAxes(narrow);
  const schedule = sameWalk && wide.cost < narrow.cost ? wide : narrow;
  const reference = context.module.function(
    null,
    kernelParameters(kernel),
    [],
    (builder) => {
      const scope = new FunctionScope(context, builder);
      new Walk(new OpenLoops(context, scope, nest, analysis, schedule)).emit();
      builder.emit(...scope.prologue, ...scope.statements);
    },
    schedule.lanes,
  );
  const total = [...kernel.domain, ...(kernel.reduce?.extents ?? [])].reduce((a, b) => a * b, 1);
  return { reference, units: schedule.units, grain: (total * nanoseconds(analysis, schedule)) / schedule.units };
}

function scheduleOf({ kernel, outStrides, outerAxes, accumulate }: Nest, analysis: Analysis, lanes: Lanes): Schedule {
  return makeSchedule(analysis, {
    lanes,
    domain: kernel.domain,
    extents: kernel.reduce?.extents ?? [],
    outStrides,
    outerAxes,
    sequential: accumulate ? sequentialAxes(accumulate, outStrides, analysis) : 0,
    alone: accumulate?.kind === 'scan' ? accumulate.axis : null,
    contiguous: accumulate !== undefined,
  });
}

/** The axes along which two elements may add to the same place, as bits: they must come one after the other. */
function sequentialAxes(accumulate: Accumulate, strides: readonly number[], analysis: Analysis): number {
  if (accumulate.kind === 'scan') return 1 << accumulate.axis;
  const still = strides.reduce((bits, stride, axis) => (stride === 0 ? bits | (1 << axis) : bits), 0);
  return accumulate.kind === 'add' ? still : still | analysis.depends[accumulate.index]!;
}
