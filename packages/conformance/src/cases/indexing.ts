/** Reading and writing at computed positions: gather, scatterAdd, update, joining, sorting. */
import { concat, eye, oneHot, stack } from '@nn/core';
import { type Operation, operation } from '../operation.ts';
import { any, bool, indices, sample, whole } from '../samples.ts';

const exact = { exact: true } as const;

export function indexingOperations(): Operation[] {
  const matrix = any(5, 4);
  const rows = indices([4, 0, 2, 4, 1, 4], [2, 3]);
  return [
    operation('gather: rows by a matrix of indices', [matrix, rows], (x, i) => x.gather(i), exact),
    operation('gather: columns', [matrix, indices([3, 3, 0])], (x, i) => x.gather(i, 1), exact),
    operation('gather: one row by a scalar', [matrix, indices([2], [])], (x, i) => x.gather(i), exact),
    operation('gather: by no index', [matrix, indices([], [0])], (x, i) => x.gather(i), exact),
    operation(
      'gather: computed indices outside are clamped',
      [matrix, indices([-3, 99, 1])],
      (x, i) => x.gather(i.add(0)),
      exact,
    ),
    operation('gather: of bool', [bool(5, 2), rows], (x, i) => x.gather(i), exact),
    operation(
      'gather: of what was computed, twice',
      [matrix, rows],
      (x, i) => x.mul(2).gather(i).add(x.gather(i)),
      exact,
    ),
    operation('gather: by computed indices', [matrix, indices([0, 1, 2])], (x, i) => x.gather(i.add(i)), exact),
    operation(
      'takeAlong: rows',
      [matrix, indices([3, 0, 1, 1, 2, 2, 0, 3, 1, 0], [5, 2])],
      (x, i) => x.takeAlong(i, 1),
      exact,
    ),
    operation('takeAlong: columns', [matrix, indices([4, 0, 2, 1], [1, 4])], (x, i) => x.takeAlong(i, 0), exact),
    operation(
      'scatterAdd: repeated indices add up',
      [matrix, indices([1, 4, 1]), any(3, 4)],
      (x, i, u) => x.scatterAdd(i, u),
      exact,
    ),
    operation(
      'scatterAdd: columns',
      [matrix, indices([3, 0, 3]), any(5, 3)],
      (x, i, u) => x.scatterAdd(i, u, 1),
      exact,
    ),
    operation(
      'scatterAdd: indices outside are ignored',
      [matrix, indices([-1, 7, 2]), any(3, 4)],
      (x, i, u) => x.scatterAdd(i, u),
      exact,
    ),
    operation('scatterAdd: nothing', [matrix, indices([], [0]), any(0, 4)], (x, i, u) => x.scatterAdd(i, u), exact),
    operation('scatterAdd: integers', [whole(6), indices([5, 5, 0]), whole(3)], (x, i, u) => x.scatterAdd(i, u), exact),
    operation(
      'scatterAdd: of computed updates',
      [any(4), indices([3, 1, 3]), any(3)],
      (x, i, u) => x.mul(2).scatterAdd(i, u.mul(u)).add(1),
      exact,
    ),
    operation(
      'scatterAdd: many into few',
      [any(3, 2), indices(Array.from({ length: 40 }, (_, k) => (k * 7) % 3)), any(40, 2)],
      (x, i, u) => x.scatterAdd(i, u),
      exact,
    ),
    operation('update: a box', [matrix, any(2, 3)], (x, value) => x.update([1, 1], value), exact),
    operation('update: a whole row', [matrix, any(1, 4)], (x, value) => x.update([4, 0], value), exact),
    operation(
      'update: twice, overlapping',
      [any(6), any(3)],
      (x, value) => x.update([0], value).update([2], value.mul(2)),
      exact,
    ),
    operation(
      'update: what was computed',
      [any(6), any(2)],
      (x, value) => x.mul(3).update([2], value.add(1)).sub(x),
      exact,
    ),
    operation(
      'update: by other parts of itself, which the box must not write over first',
      [any(10)],
      (x) => {
        const y = x.cumsum(0);
        return y.update([2], y.at([0, 6]).add(1));
      },
      exact,
    ),
    operation('update: with nothing', [matrix, any(0, 4)], (x, value) => x.update([0, 0], value), exact),
    operation('update: integers', [whole(5), whole(2)], (x, value) => x.update([3], value), exact),
    operation(
      'concat: three pieces along the last axis',
      [any(2, 3), any(2, 1), any(2, 2)],
      (...pieces) => concat(pieces, 1),
      exact,
    ),
    operation('concat: along the first axis', [any(1, 3), any(2, 3)], (...pieces) => concat(pieces), exact),
    operation('concat: an empty piece', [any(2, 3), any(0, 3), any(1, 3)], (...pieces) => concat(pieces), exact),
    operation('concat: float32 with int32', [any(2), whole(3)], (...pieces) => concat(pieces), exact),
    operation('concat: bool', [bool(2), bool(3)], (...pieces) => concat(pieces), exact),
    operation('concat: views of one tensor', [matrix], (x) => concat([x.flip(0), x, x.at([1, 3])]), exact),
    operation(
      'concat: of computed pieces, then more',
      [any(3), any(2)],
      (a, b) => concat([a.mul(2), b.add(a.sum())]).mul(3),
      exact,
    ),
    operation('concat: twenty pieces', [any(20, 2)], (x) => concat(x.split(20).reverse()), exact),
    operation('stack: along a new first axis', [any(2, 3), any(2, 3)], (...pieces) => stack(pieces), exact),
    operation('stack: along a new last axis', [any(3), any(3), any(3)], (...pieces) => stack(pieces, -1), exact),
    operation('stack: scalars', [any(), any()], (...pieces) => stack(pieces), exact),
    operation('oneHot: a matrix of classes', [rows], (i) => oneHot(i, 5), exact),
    operation('oneHot: outside of the classes is all zeros', [indices([-1, 3, 1])], (i) => oneHot(i, 3), exact),
    { name: 'eye: the identity', inputs: [], apply: (_, backend) => eye(4, { backend }), exact: true },
    operation('sort: ascending along the last axis', [sample('distinct', 3, 7)], (x) => Object.values(x.sort()), exact),
    operation(
      'sort: descending along the first axis',
      [sample('distinct', 6, 2)],
      (x) => Object.values(x.sort(0, { descending: true })),
      exact,
    ),
    operation('sort: equal elements keep their order', [sample('tied', 2, 9)], (x) => Object.values(x.sort(1)), exact),
    operation(
      'sort: descending, equal elements keep their order',
      [sample('tied', 9)],
      (x) => x.argSort(0, { descending: true }),
      exact,
    ),
    operation('sort: integers', [whole(11)], (x) => Object.values(x.sort(0, { descending: true })), exact),
    operation('sort: bool', [bool(6)], (x) => Object.values(x.sort()), exact),
    operation('sort: one element', [any(3, 1)], (x) => Object.values(x.sort()), exact),
    operation('sort: of what was computed', [sample('distinct', 12)], (x) => x.mul(x).sort().values.mul(2), {
      exact: true,
      isBent: true,
    }),
    operation('argSort: along the first axis', [sample('distinct', 5, 2)], (x) => x.argSort(0), exact),
    operation('topK: the largest', [sample('distinct', 3, 6)], (x) => Object.values(x.topK(2)), exact),
    operation(
      'topK: the smallest along the first axis',
      [sample('distinct', 6, 2)],
      (x) => Object.values(x.topK(3, 0, { largest: false })),
      exact,
    ),
    operation('topK: all', [sample('distinct', 4)], (x) => Object.values(x.topK(4)), exact),
  ];
}
