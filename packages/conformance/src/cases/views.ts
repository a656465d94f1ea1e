/** Views: shapes, orders, repetitions, slices with steps, paddings; alone, in chains, and of what was computed. */
import { type Operation, operation } from '../operation.ts';
import { any, bool, whole } from '../samples.ts';

const exact = { exact: true } as const;

export function viewOperations(): Operation[] {
  const box = any(3, 4, 5);
  const matrix = any(5, 7);
  return [
    operation('reshape: to other axes', [box], (x) => x.reshape([6, 10]), exact),
    operation('reshape: one size open', [box], (x) => x.reshape([2, -1, 3]), exact),
    operation('reshape: to a scalar', [any(1, 1)], (x) => x.reshape([]), exact),
    operation('reshape: of a scalar', [any()], (x) => x.reshape([1, 1]), exact),
    operation('reshape: of no elements', [any(0, 4)], (x) => x.reshape([2, 0]), exact),
    operation('flatten: all axes', [box], (x) => x.flatten(), exact),
    operation('flatten: the last axes', [box], (x) => x.flatten(1), exact),
    operation('squeeze: all axes of size 1', [any(1, 3, 1)], (x) => x.squeeze(), exact),
    operation('squeeze: one axis', [any(1, 3, 1)], (x) => x.squeeze(-1), exact),
    operation('unsqueeze: at the end', [any(3)], (x) => x.unsqueeze(-1), exact),
    operation('permute: three axes', [box], (x) => x.permute([2, 0, 1]), exact),
    operation('permute: of integers', [whole(2, 3)], (x) => x.permute([1, 0]), exact),
    operation('transpose: the last two', [box], (x) => x.transpose(), exact),
    operation('transpose: any two', [box], (x) => x.transpose(0, 2), exact),
    operation('expand: new axes in front', [any(3, 1)], (x) => x.expand([2, 3, 4]), exact),
    operation('expand: a scalar', [any()], (x) => x.expand([2, 3]), exact),
    operation('expand: to nothing', [any(1, 3)], (x) => x.expand([0, 3]), exact),
    operation('flip: all axes', [box], (x) => x.flip(), exact),
    operation('flip: some axes', [box], (x) => x.flip([0, -1]), exact),
    operation(
      'pad: with zeros',
      [any(2, 3)],
      (x) =>
        x.pad([
          [1, 2],
          [0, 3],
        ]),
      exact,
    ),
    operation(
      'pad: with a value',
      [any(2, 3)],
      (x) =>
        x.pad(
          [
            [0, 1],
            [2, 0],
          ],
          1.5,
        ),
      exact,
    ),
    operation('pad: integers', [whole(3)], (x) => x.pad([[2, 1]], -7), exact),
    operation('pad: bool', [bool(3)], (x) => x.pad([[1, 1]]), exact),
    operation('pad: nothing becomes something', [any(0)], (x) => x.pad([[2, 1]], 3), exact),
    operation('slice: a box', [box], (x) => x.slice([0, 1, 2], [2, 3, 5]), exact),
    operation('slice: with steps', [matrix], (x) => x.slice([1, 0], [5, 7], [2, 3]), exact),
    operation('slice: backwards', [matrix], (x) => x.slice([4, 6], [0, null], [-1, -2]), exact),
    operation('slice: to nothing', [matrix], (x) => x.slice([3], [3]), exact),
    operation('slice: past the end', [matrix], (x) => x.slice([3], [99]), exact),
    operation('at: one row', [matrix], (x) => x.at(2), exact),
    operation('at: counted from the end', [matrix], (x) => x.at(-1, -2), exact),
    operation('at: ranges with steps', [matrix], (x) => x.at([1, -1], [null, null, 3]), exact),
    operation('at: backwards', [matrix], (x) => x.at([null, null, -2], [5, 1, -3]), exact),
    operation("at: '...' and a new axis", [box], (x) => x.at('...', null, 1), exact),
    operation('at: bool', [bool(5, 3)], (x) => x.at([1, 4], 0), exact),
    operation('split: equal pieces', [any(6, 2)], (x) => x.split(3), exact),
    operation('split: named sizes', [matrix], (x) => x.split([1, 4, 2], 1), exact),
    operation('split: one piece used', [matrix], (x) => x.split([2, 5], 1)[1]!.mul(2), exact),
    operation('view of a view: slice of transpose', [matrix], (x) => x.transpose().at([1, 6, 2]).reshape([-1]), exact),
    operation('view of a view: reshape of permute', [box], (x) => x.permute([1, 2, 0]).reshape([10, 6]), exact),
    operation(
      'view of a view: there and back',
      [box],
      (x) => x.reshape([12, 5]).transpose().reshape([5, 3, 4]).permute([1, 2, 0]),
      exact,
    ),
    operation(
      'view of a view: pad of slice of flip',
      [matrix],
      (x) =>
        x
          .flip(1)
          .at([0, 3], [2, 6])
          .pad([
            [1, 1],
            [0, 2],
          ]),
      exact,
    ),
    operation(
      'view of a view: expand of reshape',
      [any(6)],
      (x) => x.reshape([2, 1, 3]).expand([2, 4, 3]).flip(2),
      exact,
    ),
    operation('view of a sum', [any(4, 6)], (x) => x.sum(1).reshape([2, 2]).transpose(), exact),
    operation('views of one value in one sum', [any(4, 4)], (x) => x.add(x.transpose()).mul(x.flip(0)), exact),
    operation(
      'the sum of a padded and a cut tensor',
      [any(3, 4)],
      (x) =>
        x
          .pad([
            [1, 1],
            [0, 0],
          ])
          .at([1, 4])
          .add(x.at([null, null, -1])),
      exact,
    ),
    operation('stopGradient: the same value', [any(3)], (x) => x.stopGradient().mul(x), { exact: true, isBent: true }),
  ];
}
