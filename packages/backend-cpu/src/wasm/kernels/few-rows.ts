/**
 * A matrix product with few rows (or columns) as dot products, where nothing is packed: which products, and their phases.
 * The product is found in `matrix-product.ts`, the functions are in `dots.ts`.
 */
import { i32 } from '../code/instructions.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { emitNest } from '../loops/emit.ts';
import type { KernelCode, Phase } from '../loops/nest.ts';
import { dotsUnit } from './dots.ts';
import { bounded, phaseOf, plus, scaled } from './driver.ts';
import type { MatrixProduct } from './matrix-product.ts';
import { epilogueKernel, type Operand, operandAt, redirected, sumsAt, type Target } from './operand.ts';
import type { SpecialRequest } from './request.ts';

/**
 * Few rows, and operands whose neighbours lie along the inner axis. Packing a matrix for so few rows costs more than the
 * sums that dot products add up in the end; beyond 64 rows its panels are the better use of the cache.
 */
export function isFewRows({ rows, columns, inner, loops, sums }: MatrixProduct): boolean {
  const few = Math.min(rows.extent, columns.extent);
  const many = Math.max(rows.extent, columns.extent);
  const along = inner.left === 1 && inner.right === 1 && inner.extent >= 32;
  return along && many >= 8 && few <= Math.max(3, Math.min(64, inner.extent / 8)) && loops.length + sums.length === 0;
}

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
  const { kernel, outStrides } = request;
  const [rowSide, columnSide] = swapped ? (['right', 'left'] as const) : (['left', 'right'] as const);
  const [rowOperand, columnOperand] = swapped ? [operands[1], operands[0]] : operands;
  const sides = [
    { operand: rowOperand, count: rows.extent, step: 4 * rows[rowSide], out: 4 * rows.out },
    { operand: columnOperand, count: columns.extent, step: 4 * columns[columnSide], out: 4 * columns.out },
  ] as const;
  const [vectors, matrix] = rows.extent > columns.extent ? [sides[1], sides[0]] : sides;
  const one = vectors.count === 1;

  // One vector waits for memory, several for the sums.
  const work = (rows.extent * columns.extent * inner.extent) / (vectors.count < 4 ? 8 : 20);
  const product = phaseOf(context, kernel, Math.ceil(matrix.count / dotsUnit), work, (driver) => {
    const { begin, end } = driver;
    const [from, count] = [driver.local(), driver.local()];
    return [
      from.set(scaled(begin, dotsUnit)),
      count.set(i32.sub(bounded(scaled(end, dotsUnit), matrix.count), from)),
      driver.library(
        one ? 'dots' : 'dotPairs',
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
  const phases: Phase[] = [...operands[0].phases, ...operands[1].phases, product];
  if (kernel.epilogue !== undefined || !target.inPlace) {
    const nest = emitNest(context, { kernel: epilogueKernel(kernel, sumStrides), outStrides, outerAxes: null });
    phases.push(redirected(context, kernel, nest, { extra: target.inPlace ? 'out' : target.offset }));
  }
  return { phases, scratch, own: 0, path: `dots ${rows.extent}x${columns.extent}x${inner.extent}` };
}
