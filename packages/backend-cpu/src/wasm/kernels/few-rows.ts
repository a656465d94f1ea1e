/**
 * A matrix product with few rows (or columns), where nothing is packed: as dot products, or as weighed sums of the rows of the
 * matrix, as it lies. Which products, and their phases.
 * The product is found in `matrix-product.ts`, the functions are in `dots.ts` and `weighed-rows.ts`.
 */
import { bytesPerElement } from '../../storage.ts';
import type { I32, Statement } from '../code/assembler.ts';
import { i32 } from '../code/instructions.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { emitNest } from '../loops/emit.ts';
import type { KernelCode, Phase } from '../loops/nest.ts';
import { dotsUnit } from './dots.ts';
import { bounded, type Driver, floats, phaseOf, plus, scaled } from './driver.ts';
import { readerOf } from './halves.ts';
import type { MatrixProduct } from './matrix-product.ts';
import { epilogueKernel, type Operand, operandAt, redirected, sumsAt, type Target } from './operand.ts';
import type { SpecialRequest } from './request.ts';
import { weighedColumns } from './weighed-rows.ts';

/** Half floats are widened again for every two vectors; packed they are widened once. */
const mostOfHalves = 8;

/**
 * Few rows, and operands whose neighbours lie along the inner axis. Packing a matrix for so few rows costs more than the
 * sums that dot products add up in the end; beyond 64 rows its panels are the better use of the cache.
 */
export function isFewRows({ rows, columns, inner, loops, sums }: MatrixProduct, halves: boolean): boolean {
  const few = Math.min(rows.extent, columns.extent);
  const many = Math.max(rows.extent, columns.extent);
  const along = inner.left === 1 && inner.right === 1 && inner.extent >= 32;
  const most = Math.max(3, Math.min(halves ? mostOfHalves : 64, inner.extent / 8));
  return along && many >= 8 && few <= most && loops.length + sums.length === 0;
}

/** So few rows that panels of four would be emptier than full, and a matrix whose neighbours lie along its columns. */
export function isWeighedRows({ rows, columns, inner, loops, sums, swapped }: MatrixProduct): boolean {
  const along = columns[swapped ? 'left' : 'right'] === 1 && columns.out === 1;
  return along && rows.extent <= 3 && columns.extent >= 16 && inner.extent >= 16 && loops.length + sums.length === 0;
}

/** The operand whose rows are the vectors: the shorter side. */
export function vectorSide({ rows, columns, swapped }: MatrixProduct): 'left' | 'right' {
  return rows.extent > columns.extent === swapped ? 'left' : 'right';
}

const bytesOf = ({ dtype }: Operand): number => bytesPerElement(dtype);

/** The code: the longer side is the matrix, the rows of the shorter one are vectors. */
export function emitFewRows(
  context: ModuleContext,
  request: SpecialRequest,
  { rows, columns, inner, swapped }: MatrixProduct,
  operands: readonly [Operand, Operand],
  target: Target,
  scratch: number,
  sumStrides: readonly number[],
): KernelCode {
  const { kernel } = request;
  const [rowSide, columnSide] = swapped ? (['right', 'left'] as const) : (['left', 'right'] as const);
  const [rowOperand, columnOperand] = swapped ? [operands[1], operands[0]] : operands;
  const sides = [
    { operand: rowOperand, count: rows.extent, step: bytesOf(rowOperand) * rows[rowSide], out: 4 * rows.out },
    {
      operand: columnOperand,
      count: columns.extent,
      step: bytesOf(columnOperand) * columns[columnSide],
      out: 4 * columns.out,
    },
  ] as const;
  const [vectors, matrix] = rows.extent > columns.extent ? [sides[1], sides[0]] : sides;
  const one = vectors.count === 1;

  // One vector waits for memory, several for the sums.
  const work = (rows.extent * columns.extent * inner.extent) / (vectors.count < 4 ? 8 : 20);
  const product = phaseOf(context, kernel, Math.ceil(matrix.count / dotsUnit), work, (driver) => {
    const { from, count, statements } = cut(driver, dotsUnit, matrix.count);
    return [
      ...statements,
      driver.function(
        readerOf(context, one ? 'dots' : 'dotPairs', matrix.operand.dtype),
        plus(operandAt(driver, matrix.operand), scaled(from, matrix.step)),
        matrix.step,
        count,
        operandAt(driver, vectors.operand),
        vectors.step,
        vectors.count,
        plus(sumsAt(driver, target), scaled(from, matrix.out)),
        matrix.out,
        vectors.out,
        inner.extent,
      ),
    ];
  });
  const path = `dots ${rows.extent}x${columns.extent}x${inner.extent}`;
  return finished(context, request, operands, { product, path }, target, scratch, sumStrides);
}

/** The code: a vector is a row of one side, the matrix the other. */
export function emitWeighedRows(
  context: ModuleContext,
  request: SpecialRequest,
  { rows, columns, inner, swapped }: MatrixProduct,
  operands: readonly [Operand, Operand],
  target: Target,
  scratch: number,
  sumStrides: readonly number[],
): KernelCode {
  const [rowSide, columnSide] = swapped ? (['right', 'left'] as const) : (['left', 'right'] as const);
  const [vectors, matrix] = swapped ? [operands[1], operands[0]] : operands;
  const units = Math.ceil(columns.extent / weighedColumns);
  const work = (rows.extent * columns.extent * inner.extent) / 8;
  const product = phaseOf(context, request.kernel, units, work, (driver) => {
    const { from, count, statements } = cut(driver, weighedColumns, columns.extent);
    return [
      ...statements,
      driver.library(
        'weighedRows',
        plus(operandAt(driver, matrix), floats(from)),
        4 * inner[columnSide],
        count,
        inner.extent,
        operandAt(driver, vectors),
        4 * inner[rowSide],
        4 * rows[rowSide],
        rows.extent,
        plus(sumsAt(driver, target), floats(from)),
        4 * rows.out,
      ),
    ];
  });
  const path = `rows ${rows.extent}x${columns.extent}x${inner.extent}`;
  return finished(context, request, operands, { product, path }, target, scratch, sumStrides);
}

/** The lines of a matrix that a call has, of `all`: `unit` of them in each of its units. */
function cut(
  driver: Driver,
  unit: number,
  all: number,
): Record<'from' | 'count', I32> & { readonly statements: Statement[] } {
  const [from, count] = [driver.local(), driver.local()];
  const statements = [
    from.set(scaled(driver.begin, unit)),
    count.set(i32.sub(bounded(scaled(driver.end, unit), all), from)),
  ];
  return { from, count, statements };
}

/** The phases of operands, of the product, and of what follows it. */
function finished(
  context: ModuleContext,
  { kernel, outStrides }: SpecialRequest,
  operands: readonly [Operand, Operand],
  { product, path }: { readonly product: Phase; readonly path: string },
  target: Target,
  scratch: number,
  sumStrides: readonly number[],
): KernelCode {
  const phases: Phase[] = [...operands[0].phases, ...operands[1].phases, product];
  if (kernel.epilogue !== undefined || !target.inPlace) {
    const nest = emitNest(context, { kernel: epilogueKernel(kernel, sumStrides), outStrides, outerAxes: null });
    phases.push(redirected(context, kernel, nest, { extra: target.inPlace ? 'out' : target.offset }));
  }
  return { phases, scratch, own: 0, path };
}
