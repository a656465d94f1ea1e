/**
 * Owns: adding rows to chosen places without atomics, at less than the cost of the loop nest.
 * Does not own: the loops (`printer.ts`).
 *
 * out[v] = sum (or maximum) of update(r) over the r whose index is v. The loop nest looks at every r for every element. Here
 * the r are sorted by index instead (each r counts those before it: R^2 comparisons of integers), each place v finds where
 * its run starts by bisection, and each element adds up its own run only. The order of the sum is that of r, always.
 */
import type { Hint, Op, Step } from '@nn/core';
import { sizes } from '../nest/affine.ts';
import { BodyWriter } from '../nest/body-writer.ts';
import { constant, type Nest, rewriteAxes } from '../nest/nest.ts';
import { type Lowering, lengthOf, type Read } from '../program/lowering.ts';
import { reachable } from './contraction.ts';
import { compact } from './reduction.ts';

type ScatterAdd = Extract<Hint, { kind: 'scatter' }>;

/** False where the loop nest is better. */
export function scatterAdd(step: Step, hint: ScatterAdd, lowering: Lowering): boolean {
  const { kernel } = step;
  const all = sizes(kernel);
  const rank = kernel.domain.length;
  const [terms] = kernel.reduce?.extents ?? [];
  if (terms === undefined || all.length !== rank + 1 || kernel.dtype !== 'float32') return false;
  const places = kernel.domain[hint.axis]!;
  const elements = lengthOf(kernel.domain);
  // Sorting and searching cost about 3 R^2 + V log R fetches; the loop nest costs R for each element.
  const pays = terms >= 16 && elements * terms >= 1 << 18 && elements * terms >= 4 * terms * terms + 8 * places;
  if (!pays && !lowering.target.always) return false;
  if (lowering.target.maxReads < kernel.reads.length + 2) return false;

  // index[r]
  const indices = lowering.temporary(terms, 'int32');
  const indexOps = rewriteAxes(reachable(kernel.value, hint.index), (axis, out) =>
    axis === rank ? out.push({ op: 'axis', dtype: 'int32', axis: 0 }) - 1 : constant(out, 0),
  );
  const indexNest: Nest = {
    domain: [terms],
    dtype: 'int32',
    reads: kernel.reads,
    scalars: kernel.scalars,
    value: indexOps,
  };
  lowering.nest(...compact(indexNest, step.reads), step.scalars, indices);

  // position[r] = how many come before r when sorted by (index, r)
  const positions = lowering.temporary(terms, 'int32');
  const before = new BodyWriter();
  const own = before.load(0, before.index([[0, 1]]), 'int32');
  const other = before.load(0, before.index([[1, 1]]), 'int32');
  const earlier = before.alu(
    'and',
    'bool',
    before.alu('equal', 'bool', other, own),
    before.alu('less', 'bool', before.index([[1, 1]]), before.index([[0, 1]])),
  );
  before.alu('cast', 'int32', before.alu('or', 'bool', before.alu('less', 'bool', other, own), earlier));
  count(lowering, [terms], terms, [indices], before, positions);

  // order[p] = the r whose position is p
  const order = lowering.temporary(terms, 'int32');
  const inverse = new BodyWriter();
  const isHere = inverse.alu(
    'equal',
    'bool',
    inverse.load(0, inverse.index([[1, 1]]), 'int32'),
    inverse.index([[0, 1]]),
  );
  inverse.alu('where', 'int32', isHere, inverse.index([[1, 1]]), inverse.integer(0));
  count(lowering, [terms], terms, [positions], inverse, order);

  // start[v] = how many indices are below v: for all v up to one past the last place, by bisection over the sorted order.
  const starts = lowering.temporary(places + 1, 'int32');
  const steps = Math.ceil(Math.log2(terms + 1));
  const find = new BodyWriter();
  let low = find.integer(0);
  for (let half = 2 ** (steps - 1); half >= 1; half /= 2) {
    // low + half indices are below v where the one before that position is.
    const next = find.alu('add', 'int32', low, find.integer(half));
    const inside = find.alu('min', 'int32', next, find.integer(terms));
    const term = find.load(1, find.alu('sub', 'int32', inside, find.integer(1)), 'int32');
    const isBelow = find.alu('less', 'bool', find.load(0, term, 'int32'), find.index([[0, 1]]));
    const fits = find.alu('less', 'bool', next, find.integer(terms + 1));
    low = find.alu('where', 'int32', find.alu('and', 'bool', isBelow, fits), next, low);
  }
  const search: Nest = {
    domain: [places + 1],
    dtype: 'int32',
    reads: ['int32', 'int32'],
    scalars: [],
    value: find.ops,
  };
  lowering.nest(search, [at(indices), at(order)], [], starts);

  // out[i] = sum of update(order[p]) for p from start[v] to start[v + 1]
  const first = kernel.reads.length;
  const startRead = first;
  const orderRead = first + 1;
  const value = rewriteAxes(reachable(kernel.value, hint.update), (axis, out) => {
    const index = out.push({ op: 'axis', dtype: 'int32', axis }) - 1;
    return axis === rank ? out.push({ op: 'load', dtype: 'int32', read: orderRead, index }) - 1 : index;
  });
  const place = (shift: number): Op[] => {
    const body = new BodyWriter();
    body.load(startRead, body.index([[hint.axis, 1]], shift), 'int32');
    return body.ops;
  };
  const run: Nest = {
    ...kernel,
    reads: [...kernel.reads, 'int32', 'int32'],
    reduce: { op: kernel.reduce!.op, extents: [terms], dtype: 'float32' },
    value,
    bounds: { from: place(0), to: place(1) },
  };
  lowering.nest(...compact(run, [...step.reads, at(starts), at(order)]), step.scalars, step.write);
  return true;
}

const at = (buffer: number): Read => ({ buffer, offset: 0 });

/** out[i] = sum over r of the body's value, of integers. */
function count(
  lowering: Lowering,
  domain: readonly number[],
  terms: number,
  reads: readonly number[],
  body: BodyWriter,
  write: number,
): void {
  const nest: Nest = {
    domain,
    dtype: 'int32',
    reads: reads.map(() => 'int32'),
    scalars: [],
    reduce: { op: 'sum', extents: [terms], dtype: 'int32' },
    value: body.ops,
  };
  lowering.nest(nest, reads.map(at), [], write);
}
