/**
 * Every function of tensors that core makes of its primitives, once at least, in bundles of about ten. Sizes are small: each
 * bundle is one program. What PyTorch says of these functions, unusual numbers included, stands in fixtures/ and is asked of the
 * oracle alone.
 */

import type { Tensor } from '@nn/core';
import * as core from '@nn/core';
import type { Need } from '../case.ts';
import { type Operation, operation } from '../operation.ts';
import { any, bool, given, indices, type Sample, sample, whole } from '../samples.ts';

/** Functions that are computed in one program. */
export interface Bundle {
  readonly name: string;
  readonly needs: readonly Need[];
  readonly operations: readonly Operation[];
}

/** A function whose result is awaited. */
export interface AwaitedOperation extends Omit<Operation, 'apply'> {
  readonly apply: (inputs: readonly Tensor[]) => Promise<readonly Tensor[]>;
}

const exact = { exact: true } as const;
const both = ({ values, indices: places }: { readonly values: Tensor; readonly indices: Tensor }): Tensor[] => [
  values,
  places,
];

function bundle(name: string, ...operations: readonly Operation[]): Bundle {
  return { name, needs: [], operations };
}

/** What is no number, or has no end, goes in or comes out. */
function specialBundles(): Bundle[] {
  const { NaN: none, POSITIVE_INFINITY: infinite } = Number;
  const holes = given([1, none, 3, -2, none, none, none, none, 0.5, 2, -1, none], [3, 4]);
  const open = given([1, none, infinite, -infinite, 0, 2.5]);
  return [
    {
      name: 'what is not NaN',
      needs: ['nan'],
      operations: [
        operation('nanSum: with NaN', [holes], (x) => core.nanSum(x, 1)),
        operation('nanProd: with NaN', [holes], (x) => core.nanProd(x, 0)),
        operation('nanMean: with NaN', [holes], (x) => core.nanMean(x, 0)),
        operation('nanMedian: with NaN', [holes], (x) => both(core.nanMedian(x, 1))),
        operation('nanQuantile: with NaN', [holes], (x) => core.nanQuantile(x, 0.5, { axis: 1 })),
        operation('median: with NaN', [holes], (x) => core.median(x, 1).values),
        operation('quantile: with NaN', [holes], (x) => core.quantile(x, 0.5, { axis: 1 })),
        operation('cummax: with NaN', [holes], (x) => both(core.cummax(x, 1))),
        operation('searchSorted: of NaN', [given([0, 1]), holes], (row, x) => core.searchSorted(row, x)),
      ],
    },
    {
      name: 'extremes of numbers, and what is infinite',
      needs: ['nan', 'infinity'],
      operations: [
        operation('nanMax', [holes], (x) => core.nanMax(x, 1), { differentiable: false }),
        operation('nanMin', [holes], (x) => core.nanMin(x, 0), { differentiable: false }),
        operation('isNaN: of what is none', [open], core.isNaN),
        operation('isFinite: of what is not', [open], core.isFinite),
        operation('nanToNum: of what is no number', [open], (x) => core.nanToNum(x, { positiveInfinity: 9 }), {
          differentiable: false,
        }),
        operation(
          'scatterReduce: of what is infinite',
          [given([1, 2, 3]), indices([0, 1, 1, 2]), given([infinite, -infinite, 5, none])],
          (x, i, v) => core.scatterReduce(x, i, v, 'max'),
          { differentiable: false },
        ),
      ],
    },
  ];
}

const unary = (name: string, x: Sample, f: (x: Tensor) => Tensor, slack = 8): Operation =>
  operation(name, [x], f, { slack });

function scalarBundles(): Bundle[] {
  const [wide, unit, positive] = [any(7), sample('unit', 7), sample('positive', 7)];
  const above = given([1.25, 1.5, 2, 3.25, 7, 12.5]);
  return [
    bundle(
      'angles and hyperbolic functions',
      unary('atan', wide, core.atan),
      unary('asin', unit, core.asin),
      unary('acos', unit, core.acos),
      unary('sinh', wide, core.sinh),
      unary('cosh', wide, core.cosh),
      unary('asinh', wide, core.asinh),
      unary('acosh', above, core.acosh),
      unary('atanh', unit, core.atanh),
      operation('atan2', [sample('nonzero', 7), sample('nonzero', 7)], core.atan2, { slack: 8 }),
    ),
    bundle(
      'logarithms, powers and error functions',
      unary('log2', positive, core.log2),
      unary('log10', positive, core.log10),
      unary('exp2', wide, core.exp2),
      unary('logit', given([0.125, 0.375, 0.5, 0.75]), (x) => core.logit(x)),
      operation('xlogy', [wide, positive], core.xlogy, { slack: 8 }),
      operation('logAddExp', [wide, any(7)], core.logAddExp, { slack: 8 }),
      unary('erfc', wide, core.erfc),
      unary('erfinv', unit, core.erfinv, 32),
    ),
    bundle(
      'gamma functions',
      unary('lgamma', positive, core.lgamma, 32),
      unary('digamma', positive, core.digamma, 32),
      unary('polygamma', positive, (x) => core.polygamma(1, x), 32),
    ),
    bundle(
      'lengths, signs and predicates',
      operation('hypot', [sample('nonzero', 7), any(7)], core.hypot, { slack: 8 }),
      operation('copySign', [sample('nonzero', 7), sample('nonzero', 7)], core.copySign, exact),
      operation('lerp', [any(7), any(7), any(7)], core.lerp, { slack: 8 }),
      unary('sinc', sample('nonzero', 7), core.sinc),
      operation('nanToNum', [wide], (x) => core.nanToNum(x), exact),
      operation('isNaN', [wide], core.isNaN, exact),
      operation('isFinite', [wide], core.isFinite, exact),
      operation('isInfinite', [wide], core.isInfinite, exact),
      operation('bitwiseNot', [whole(7)], core.bitwiseNot, exact),
    ),
    {
      name: 'parts of bytes',
      needs: ['uint8'],
      operations: [
        operation('lowBits', [whole(7)], (x) => core.lowBits(x.abs().cast('uint8'), 2), exact),
        operation('halfBytes', [whole(2, 3)], (x) => core.halfBytes(x.abs().cast('uint8')), exact),
      ],
    },
  ];
}

function shapeBundles(): Bundle[] {
  const [box, picture] = [any(2, 3, 4), any(1, 4, 3, 4)];
  return [
    bundle(
      'elements in another order',
      operation('maskedFill', [box, bool(3, 1)], (x, mask) => core.maskedFill(x, mask, 1.5), exact),
      operation('roll', [box], (x) => core.roll(x, [1, -1], [0, 2]), exact),
      operation('repeat', [any(2, 3)], (x) => core.repeat(x, [2, 1, 2]), exact),
      operation('tile', [any(2, 3)], (x) => core.tile(x, 2), exact),
      operation('repeatInterleave', [any(2, 3)], (x) => core.repeatInterleave(x, [2, 0, 1], 1), exact),
      operation('chunk', [any(7)], (x) => core.chunk(x, 3), exact),
      operation('diff', [box], (x) => core.diff(x, { axis: 1 }), exact),
      operation('rot90', [box], (x) => core.rot90(x, 1, [1, 2]), exact),
    ),
    bundle(
      'paddings and patches',
      operation('reflectionPad', [box], (x) => core.reflectionPad(x, [[1, 2]]), exact),
      operation('replicationPad', [box], (x) => core.replicationPad(x, [[1, 2]]), exact),
      operation('circularPad', [box], (x) => core.circularPad(x, [[1, 2]]), exact),
      operation('unfold', [picture], (x) => core.unfold(x, { size: [2, 2] }), exact),
      operation('fold', [any(1, 8, 6)], (x) => core.fold(x, { size: [2, 2], outputSize: [3, 4] }), exact),
      operation('pixelShuffle', [picture], (x) => core.pixelShuffle(x, 2), exact),
      operation('pixelUnshuffle', [any(1, 1, 4, 2)], (x) => core.pixelUnshuffle(x, 2), exact),
      operation('channelShuffle', [picture], (x) => core.channelShuffle(x, 2), exact),
    ),
  ];
}

function pictureBundles(): Bundle[] {
  const picture = any(1, 2, 4, 3);
  return [
    bundle(
      'interpolation',
      operation('interpolate: nearest', [picture], (x) => core.interpolate(x, { size: [3, 5] }), exact),
      operation('interpolate: bilinear', [picture], (x) => core.interpolate(x, { size: [3, 5], mode: 'bilinear' })),
      operation('interpolate: bicubic', [any(1, 1, 3, 3)], (x) => core.interpolate(x, { size: 4, mode: 'bicubic' })),
      operation('interpolate: area', [picture], (x) => core.interpolate(x, { size: 2, mode: 'area' })),
      operation('affineGrid', [any(1, 2, 3)], (theta) => core.affineGrid(theta, [1, 1, 2, 3])),
      operation('gridSample', [picture, sample('unit', 1, 2, 2, 2)], (x, grid) => core.gridSample(x, grid), {
        slack: 16,
      }),
    ),
    bundle(
      'pooling to a size, maxima with their places',
      operation('adaptiveAveragePool', [picture], (x) => core.adaptiveAveragePool(x, [2, 2])),
      operation('adaptiveMaxPool', [sample('distinct', 1, 2, 5)], (x) => both(core.adaptiveMaxPool(x, [2])), exact),
      operation(
        'maxPoolWithIndices',
        [sample('distinct', 1, 2, 6)],
        (x) => both(core.maxPoolWithIndices(x, { size: [2] })),
        exact,
      ),
      operation('maxUnpool', [any(1, 3), indices([1, 2, 5], [1, 3])], (x, i) => core.maxUnpool(x, i, [6]), exact),
    ),
  ];
}

function productBundles(): Bundle[] {
  const [matrix, full] = [any(3, 4), sample('distinct', 2, 3, 2)];
  return [
    bundle(
      'norms and distances',
      operation('vectorNorm', [full], (x) => core.vectorNorm(x, 3, 1), { slack: 8 }),
      operation('matrixNorm', [full], (x) => core.matrixNorm(x, 1)),
      operation('normalize', [full], (x) => core.normalize(x), { slack: 8 }),
      operation('cosineSimilarity', [full, sample('distinct', 2, 3, 2)], (a, b) => core.cosineSimilarity(a, b), {
        slack: 8,
      }),
      operation('cdist', [any(3, 2), sample('positive', 2, 2)], (a, b) => core.cdist(a, b), { slack: 16 }),
      operation('pdist', [sample('distinct', 4, 2)], (x) => core.pdist(x), { slack: 16 }),
    ),
    bundle(
      'products and diagonals',
      operation('outer', [any(3), any(4)], core.outer, exact),
      operation('cross', [any(2, 3), any(2, 3)], (a, b) => core.cross(a, b), exact),
      operation('kron', [any(2, 2), any(3, 1)], core.kron, exact),
      operation('diagonal', [matrix], (x) => core.diagonal(x, { offset: 1 }), exact),
      operation('diagEmbed', [any(2, 3)], (x) => core.diagEmbed(x, { offset: -1 }), exact),
      operation('trace', [matrix], (x) => core.trace(x), exact),
      operation('tril', [matrix], (x) => core.tril(x), exact),
      operation('triu', [any(2, 3, 4)], (x) => core.triu(x, { offset: 1 }), exact),
      operation('blockDiagonal', [any(2, 2), any(1, 3)], (a, b) => core.blockDiagonal([a, b]), exact),
      operation('meshgrid', [any(2), any(3)], (a, b) => core.meshgrid([a, b]), exact),
    ),
  ];
}

function indexBundles(): Bundle[] {
  const [matrix, box] = [any(4, 3), any(2, 3, 4)];
  const places = indices([2, 0, -1], [3]);
  const meeting = indices([0, 2, 2, 0, 2, 2, 1, 0], [4, 2]);
  const [base, updates] = [sample('distinct', 3, 2), sample('distinct', 4, 2)];
  const reduced = (reduction: core.Reduction, includeSelf: boolean): Operation =>
    operation(
      `scatterReduce: ${reduction}${includeSelf ? '' : ' without what is there'}`,
      [base, meeting, updates],
      (x, i, v) => core.scatterReduce(x, i, v, reduction, 0, { includeSelf }),
    );
  return [
    bundle(
      'indexing by tensors',
      operation('at: rows', [matrix, places], (x, i) => x.at(i), exact),
      operation('at: computed places', [matrix, places], (x, i) => x.at([1, null], i.add(0)), exact),
      operation('at: two together', [box, indices([1, 0]), indices([3, -2])], (x, i, j) => x.at(i, [null], j), exact),
      operation('indexPut: rows', [matrix, places, any(3, 3)], (x, i, v) => core.indexPut(x, [i], v), exact),
      operation(
        'indexPut: added',
        [matrix, indices([1, 1, 2]), any(3)],
        (x, i, v) => core.indexPut(x, [i, 0], v, { accumulate: true }),
        exact,
      ),
      operation(
        'indexPut: a range',
        [box, any(2, 2)],
        (x, v) => core.indexPut(x, [[null], 1, [null, null, 2]], v),
        exact,
      ),
      operation('indexPut: a mask', [matrix, bool(4, 3)], (x, mask) => core.indexPut(x, [mask], 0.5), exact),
      operation('maskedScatter', [matrix, bool(4, 3), any(12)], core.maskedScatter, exact),
    ),
    bundle(
      'writing at computed places',
      operation('scatter', [base, meeting, updates], (x, i, v) => core.scatter(x, i, v, 0), exact),
      operation('indexCopy', [matrix, indices([3, 1, 3]), any(3, 3)], (x, i, v) => core.indexCopy(x, i, v), exact),
      operation('indexAdd', [matrix, indices([3, 1, 3]), any(3, 3)], (x, i, v) => core.indexAdd(x, i, v), exact),
      operation(
        'indexReduce',
        [matrix, indices([2, 2]), any(4, 2)],
        (x, i, v) => core.indexReduce(x, i, v, 'min', 1),
        exact,
      ),
    ),
    bundle('reducing at computed places', reduced('sum', true), reduced('product', true), reduced('mean', false)),
    bundle('extremes at computed places', reduced('max', true), reduced('min', false)),
    bundle(
      'segments',
      operation('segmentReduce: sum by ids', [updates, indices([1, 0, 1, 2])], (x, ids) =>
        core.segmentReduce(x, 'sum', { ids, count: 3 }),
      ),
      operation('segmentReduce: product by lengths', [any(6), indices([1, 4, 1])], (x, lengths) =>
        core.segmentReduce(x, 'product', { lengths }),
      ),
      operation('segmentReduce: max by lengths', [sample('distinct', 2, 5)], (x) =>
        core.segmentReduce(x, 'max', { lengths: [2, 3], axis: 1 }),
      ),
    ),
  ];
}

function orderBundles(): Bundle[] {
  const [rows, tied] = [sample('distinct', 3, 5), sample('tied', 3, 5)];
  return [
    bundle(
      'running values',
      operation('cumprod', [any(3, 5)], (x) => core.cumprod(x, 1)),
      operation('cumprod: along the first axis', [any(5, 3)], (x) => core.cumprod(x, 0)),
      operation('cumprod: long enough for blocks', [any(2, 130)], (x) => core.cumprod(x.mul(0.1).add(1), 1), {
        slack: 4,
      }),
      operation('cummax: long enough for blocks', [any(130, 2)], (x) => both(core.cummax(x, 0)), exact),
      operation('cummin: long enough for blocks', [any(2, 130)], (x) => both(core.cummin(x, 1)), exact),
      operation('logCumSumExp', [any(2, 5)], (x) => core.logCumSumExp(x, 1), { slack: 16 }),
      operation('cummax', [tied], (x) => both(core.cummax(x, 1)), exact),
      operation('cummin', [rows], (x) => both(core.cummin(x, 0)), exact),
    ),
    bundle(
      'quantiles',
      operation('quantile', [rows], (x) => core.quantile(x, [0.25, 0.75], { axis: 1 })),
      operation('quantile: computed', [rows, given([0.5])], (x, q) => core.quantile(x, q, { axis: 0 })),
      operation('nanQuantile', [rows], (x) => core.nanQuantile(x, 0.375, { axis: 1 })),
    ),
    bundle(
      'medians and modes',
      operation('median', [rows], (x) => both(core.median(x, 1)), exact),
      operation('median of all', [rows], (x) => core.median(x), exact),
      operation('nanMedian', [rows], (x) => both(core.nanMedian(x, 0)), exact),
      operation('kthValue', [rows], (x) => both(core.kthValue(x, 2, 1)), exact),
      operation('mode', [tied], (x) => both(core.mode(x)), exact),
    ),
    bundle(
      'reductions of numbers',
      operation('nanSum', [any(3, 4)], (x) => core.nanSum(x, 1), exact),
      operation('nanProd', [any(3, 4)], (x) => core.nanProd(x, 1)),
      operation('nanMean', [any(3, 4)], (x) => core.nanMean(x, 0)),
      operation('nanVariance', [any(3, 4)], (x) => core.nanVariance(x, 0)),
      operation('nanStandardDeviation', [sample('distinct', 3, 4)], (x) => core.nanStandardDeviation(x, 1), {
        slack: 8,
      }),
    ),
    bundle(
      'counts',
      operation('countNonzero', [tied], (x) => core.countNonzero(x, 1), exact),
      operation('searchSorted', [given([-1, 0, 0.5, 1]), any(2, 3)], (row, x) => core.searchSorted(row, x), exact),
      operation(
        'searchSorted: a long row, by halves',
        [given(Array.from({ length: 40 }, (_, k) => (k - 20) / 8)), any(6)],
        (row, x) => core.searchSorted(row, x, { right: true }),
        exact,
      ),
      operation('bucketize', [any(2, 3), given([-1, 0.25])], (x, row) => core.bucketize(x, row), exact),
      operation(
        'histogram',
        [any(20), any(20)],
        (x, weights) => Object.values(core.histogram(x, { bins: 4, range: [-2, 2], weights })),
        exact,
      ),
    ),
  ];
}

export function bundles(): Bundle[] {
  return [
    ...scalarBundles(),
    ...shapeBundles(),
    ...pictureBundles(),
    ...productBundles(),
    ...indexBundles(),
    ...orderBundles(),
    ...specialBundles(),
  ];
}

const awaited = (
  name: string,
  inputs: readonly Sample[],
  apply: (...inputs: Tensor[]) => Promise<readonly Tensor[]>,
): AwaitedOperation => ({ name, inputs, apply: (tensors) => apply(...tensors) });

export function awaitedOperations(): AwaitedOperation[] {
  const tied = sample('tied', 3, 4);
  return [
    awaited('nonzero', [tied], async (x) => [await core.nonzero(x)]),
    awaited('argWhere', [bool(5)], async (x) => [await core.argWhere(x)]),
    awaited('maskedSelect', [any(3, 4), bool(3, 4)], async (x, mask) => [await core.maskedSelect(x, mask)]),
    awaited('unique', [tied], async (x) => Object.values(await core.unique(x))),
    awaited('uniqueConsecutive', [tied], async (x) => Object.values(await core.uniqueConsecutive(x, { axis: 0 }))),
    awaited('bincount', [indices([0, 3, 1, 3]), any(4)], async (x, weights) => [await core.bincount(x, { weights })]),
  ];
}
