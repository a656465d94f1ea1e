/**
 * Loops as one operation: their values, gradients and second gradients are those of the oracle, whatever a device makes of them.
 * Sizes are such that products and rows take the fast forms of an engine as well as the plain ones.
 */
import { concat, gradientsOrNull, scan, type Tensor, vmap } from '@nn/core';
import type { ConformanceCase } from '../case.ts';
import { expectClose } from '../compare.ts';
import { inputsOf, type Operation, operation, readAll, toleranceOf, weighted } from '../operation.ts';
import { oracle } from '../oracle.ts';
import { reference } from '../reference.ts';
import { any, sample, whole } from '../samples.ts';

/** A recurrent cell with a product, gates and two carried values. */
function lstm(x: Tensor, weight: Tensor, h: Tensor, c: Tensor, reverse: boolean, recompute: boolean): Tensor[] {
  const step = (state: { h: Tensor; c: Tensor }, row: Tensor) => {
    const [i, f, g, o] = concat([row, state.h], 1).matmul(weight).split(4, 1) as [Tensor, Tensor, Tensor, Tensor];
    const cell = f.sigmoid().mul(state.c).add(i.sigmoid().mul(g.tanh()));
    const hidden = o.sigmoid().mul(cell.tanh());
    return { carry: { h: hidden, c: cell }, output: hidden };
  };
  const { carry, outputs } = scan(step, { h, c }, x, { reverse, recompute });
  return [outputs, carry.h, carry.c];
}

const cellOf = (turns: number, batch: number, hidden: number, reverse: boolean, recompute: boolean): Operation =>
  operation(
    `scan: an LSTM of ${turns} turns, [${batch}, ${hidden}]${reverse ? ', from the end' : ''}${recompute ? ', recomputed' : ''}`,
    [
      any(turns, batch, hidden),
      any(2 * hidden, 4 * hidden),
      sample('unit', batch, hidden),
      sample('unit', batch, hidden),
    ],
    (x, weight, h, c) => lstm(x!, weight!.mul(0.25), h!, c!, reverse, recompute),
    { slack: 20 },
  );

export function loopOperations(): Operation[] {
  return [
    cellOf(5, 2, 3, false, false),
    cellOf(4, 3, 8, true, false),
    cellOf(3, 2, 5, false, true),
    operation(
      'scan: values that are swapped, counted and kept',
      [any(4, 3), any(3), any(3), whole(3)],
      (x, a, b, n) => {
        const step = ([left, right, count]: Tensor[], row: Tensor) => ({
          carry: [right!.add(row), left!.mul(row), count!.add(1)],
          output: [left!, count!, row.maximum(left!)],
        });
        const { carry, outputs } = scan(step, [a!, b!, n!], x!);
        return [...carry, ...outputs];
      },
    ),
    operation(
      'scan: sums, sorted rows and places of one element',
      [sample('distinct', 3, 2, 5), any(2)],
      (x, start) => {
        const step = (total: Tensor, rows: Tensor) => ({
          carry: total.add(rows.sort(1).values.at('...', 1)).sin(),
          output: { sums: rows.sum(1).add(total), all: total.sum() },
        });
        const { carry, outputs } = scan(step, start!, x!);
        return [carry, outputs.sums, outputs.all];
      },
    ),
    operation(
      'scan: many rows at a time',
      [any(3, 4, 2), any(2, 2)],
      (x, weight) => {
        const run = (rows: Tensor): Tensor => {
          const step = (h: Tensor, row: Tensor) => {
            const next = h.matmul(weight!).add(row).tanh();
            return { carry: next, output: next };
          };
          return scan(step, rows.at(0), rows).outputs;
        };
        return vmap(run)(x!);
      },
      { slack: 4 },
    ),
  ];
}

export function loopCases(): ConformanceCase[] {
  return loopOperations().map((op) => ({
    group: 'loops',
    name: op.name,
    needs: [],
    run: async ({ backend, options }) => {
      const hasLoops = backend.limits.loops === true && backend.limits.inPlace;
      const build = (on: typeof backend): Tensor[] => {
        const inputs = inputsOf(op, on);
        const results = [op.apply(inputs, on)].flat();
        const targets = inputs.filter(({ dtype }) => dtype === 'float32');
        const slopes = (of: readonly Tensor[]): Tensor[] =>
          gradientsOrNull(weighted(of, on), targets).filter((gradient) => gradient !== null);
        // where turns are written out, their gradients are operations like any other, and many
        const first = hasLoops ? slopes(results) : [];
        return [...results, ...first, ...(hasLoops ? slopes(first) : [])];
      };
      const expected = await oracle(`loops, ${hasLoops}, ${op.name}`, () => readAll(build(reference())));
      const actual = await readAll(build(backend));
      const tolerance = toleranceOf({ slack: 4 * (op.slack ?? 1) }, options);
      for (const [k, right] of expected.entries()) {
        expectClose(actual[k]!, right, tolerance, `${op.name}, result ${k} of ${expected.length}`);
      }
    },
  }));
}
