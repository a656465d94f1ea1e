/**
 * The matrix product in a contraction: any transposes, batches and einsum orders are one product with free strides, inside
 * loops over what does not merge into rows, columns and inner axes.
 * It makes no code: `contraction.ts` packs and multiplies, `few-rows.ts` takes dot products.
 */
import type { Axes, Hint, Kernel } from '@nn/core';

/** Axes that all three matrices walk as one, with the distances between neighbours in elements. */
export interface Run {
  readonly extent: number;
  readonly left: number;
  readonly right: number;
  readonly out: number;
}

/** C[i, j] = sum over k of A[i, k] B[k, j], inside loops. */
export interface MatrixProduct {
  readonly rows: Run;
  readonly columns: Run;
  readonly inner: Run;
  /** Loops around the product that choose other results. */
  readonly loops: readonly Run[];
  /** Loops whose products are added up. */
  readonly sums: readonly Run[];
  /** Whether A is the kernel's right operand. */
  readonly swapped: boolean;
}

const one: Run = { extent: 1, left: 0, right: 0, out: 0 };

function mergeRuns(axes: Axes, extents: readonly number[], strides: (axis: number) => Omit<Run, 'extent'>): Run[] {
  const runs: Run[] = [];
  for (const axis of axes) {
    const extent = extents[axis]!;
    if (extent === 1) continue;
    const step = strides(axis);
    const last = runs.at(-1);
    const joins =
      last && last.left === step.left * extent && last.right === step.right * extent && last.out === step.out * extent;
    if (joins) runs[runs.length - 1] = { extent: last.extent * extent, ...step };
    else runs.push({ extent, ...step });
  }
  return runs;
}

const largest = (runs: readonly Run[]): Run => runs.reduce((best, run) => (run.extent > best.extent ? run : best), one);

/** The matrix product in a contraction; rows and columns of one element where it is none. */
export function matrixProduct(
  kernel: Kernel,
  hint: Extract<Hint, { kind: 'contraction' }>,
  left: ReadonlyMap<number, number>,
  right: ReadonlyMap<number, number>,
  outStrides: readonly number[],
): MatrixProduct {
  const extents = [...kernel.domain, ...(kernel.reduce?.extents ?? [])];
  const strides = (axis: number): Omit<Run, 'extent'> => ({
    left: left.get(axis) ?? 0,
    right: right.get(axis) ?? 0,
    out: outStrides[axis] ?? 0,
  });
  const rows = mergeRuns(hint.rows, extents, strides);
  const columns = mergeRuns(hint.columns, extents, strides);
  const inner = mergeRuns(hint.inner, extents, strides);
  const batch = mergeRuns(hint.batch, extents, strides);
  const contiguous = columns.find((run) => run.out === 1);
  const swapped = !contiguous && rows.some((run) => run.out === 1);
  const column = contiguous ?? (swapped ? rows.find((run) => run.out === 1)! : one);
  const others = swapped ? columns : rows;
  const row = largest(others);
  const depth = largest(inner);
  const loops = [...batch, ...rows, ...columns].filter((run) => run !== row && run !== column);
  return { rows: row, columns: column, inner: depth, loops, sums: inner.filter((run) => run !== depth), swapped };
}

/** The number of leading axes whose positions are the rows (times batches) of the product, in order; or null. */
export function leadingAxes(kernel: Kernel, product: MatrixProduct): number | null {
  if (product.swapped) return null;
  let axes = kernel.domain.length;
  let columns = 1;
  while (axes > 0 && columns < product.columns.extent) {
    axes -= 1;
    columns *= kernel.domain[axes]!;
  }
  if (columns !== product.columns.extent || product.columns.out !== 1) return null;
  // Walking loops and rows in order must visit the rows of the output one after the other.
  let expected = columns;
  for (const run of [product.rows, ...[...product.loops].reverse()]) {
    if (run.extent === 1) continue;
    if (run.out !== expected) return null;
    expected *= run.extent;
  }
  return axes;
}
