/** Operations from outside of core, one of each kind: they are on every device what core's own are, with gradients and rows. */
import { concat, defineOperation, stack, type Tensor } from '@nn/core';
import { type Operation, operation } from '../operation.ts';
import { any, sample } from '../samples.ts';

/** x / (1 + |y|), element by element. */
const quotient = defineOperation({
  name: 'quotient',
  kind: 'pointwise',
  lower: (at, { dtype }) => {
    const y = at.input(1, at.index);
    const size = at.emit('max', dtype, y, at.emit('mul', dtype, y, at.constant(-1, dtype)));
    return at.emit('div', dtype, at.input(0, at.index), at.emit('add', dtype, size, at.constant(1, dtype)));
  },
  // d(x / (1 + |y|)) = dx / (1 + |y|) - x sign(y) dy / (1 + |y|)^2
  gradient: (g, { inputs, result }) => {
    const [, y] = inputs as [Tensor, Tensor];
    const divisor = y.abs().add(1);
    return [() => g.div(divisor), () => g.mul(result).mul(y.sign()).div(divisor).neg()];
  },
});

/** The elements of the last axis moved on by some places, around the end. */
const turned: (inputs: readonly Tensor[], by: number) => Tensor = defineOperation<number>({
  name: 'turned',
  kind: 'view',
  infer: ([x]) => x!,
  key: (by) => [by],
  lower: (at, { shape, attributes: by }) => {
    const last = at.index.length - 1;
    const moved = at.space.floorMod(at.space.shift(at.index[last]!, -by), shape[last]!);
    return at.input(0, [...at.index.slice(0, last), moved]);
  },
  gradient: (g, { attributes: by }) => [() => turned([g], -by)],
  batch: ({ rows, attributes: by }) => turned(rows, by),
});

/** The sum of squares along the last axis. */
const energy = defineOperation({
  name: 'energy',
  kind: 'nest',
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape.slice(0, -1) }),
  reduction: ({ inputs: [x] }) => ({ op: 'sum', extents: [x!.shape.at(-1)!], dtype: x!.dtype }),
  lower: (at, { dtype }) => {
    const x = at.input(0, [...at.index, at.reduced[0]!]);
    return at.emit('mul', dtype, x, x);
  },
  gradient: (g, { inputs: [x] }) => [() => x!.mul(2).mul(g.unsqueeze(-1))],
  batch: ({ rows }): Tensor => energy(rows),
});

export function outsideOperations(): Operation[] {
  return [
    operation(
      'from outside: element by element, spread',
      [any(3, 4), sample('nonzero', 4)],
      (x, y) => quotient([x!, y!]),
      {
        slack: 2,
      },
    ),
    operation('from outside: a view', [any(3, 5)], (x) => turned([x!], 2), { exact: true }),
    operation('from outside: a view of a view of two', [any(2, 3), any(2, 2)], (x, y) => {
      return turned([turned([concat([x!, y!], 1).flip()], -1)], 3);
    }),
    operation('from outside: a reduction', [any(3, 7)], (x) => energy([x!])),
    operation('from outside: all of them', [any(2, 6), any(6)], (x, y) => {
      return energy([stack([turned([quotient([x!, y!])], 1), x!])]);
    }),
  ];
}
