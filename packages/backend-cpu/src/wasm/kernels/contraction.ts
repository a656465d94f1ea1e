/**
 * Sums of products as packed matrix products, block by block: what is packed when, and the epilogue after it.
 * The product is found in `matrix-product.ts`; packing and multiplying are in `gemm.ts`, sources of operands in `operand.ts`.
 */
import type { Hint, Kernel } from '@nn/core';
import { sizeOf, stridesOf } from '../../shape.ts';
import { align, bytesPerElement } from '../../storage.ts';
import type { I32, Local, Statement } from '../code/assembler.ts';
import { forLoop, i32, select, whileLoop } from '../code/instructions.ts';
import type { ModuleContext } from '../code/module-context.ts';
import { analyse } from '../loops/analysis.ts';
import { emitNest } from '../loops/emit.ts';
import type { KernelCode, Phase } from '../loops/nest.ts';
import { bounded, type Driver, evenly, floats, type Layout, layoutOf, phaseOf, plus, scaled } from './driver.ts';
import { emitFewRows, emitWeighedRows, isFewRows, isWeighedRows, vectorSide } from './few-rows.ts';
import { blockColumns, blockInner, blockRows, edgeBytes, panelColumns } from './gemm.ts';
import { readerOf } from './halves.ts';
import { leadingAxes, type MatrixProduct, matrixProduct, type Run } from './matrix-product.ts';
import {
  computedOperand,
  epilogueKernel,
  type Operand,
  operandAt,
  operandOf,
  redirected,
  sumsAt,
  type Target,
} from './operand.ts';
import type { SpecialRequest } from './request.ts';

/** Below so many products the loops are as fast, and need less code. */
const smallest = 4096;
/** Packed columns of B that a thread keeps at a time. */
const spanBytes = 2 ** 22;
/** Columns of B that are packed at a time where each is used once, by a single block of rows: they stay in the cache. */
const stripColumns = 64;

export function emitContraction(
  context: ModuleContext,
  request: SpecialRequest,
  hint: Extract<Hint, { kind: 'contraction' }>,
): KernelCode | null {
  const { kernel, aliased } = request;
  if (kernel.reduce?.dtype !== 'float32' || kernel.reduce.op !== 'sum') return null;
  const analysis = analyse(kernel);
  const root = analysis.ops[analysis.valueRoot];
  if (root?.op !== 'mul') return null;
  const inPlace = !aliased && kernel.dtype === 'float32';
  const sumStrides = inPlace ? request.outStrides : stridesOf(kernel.domain);
  const total = sizeOf(kernel.domain) * sizeOf(kernel.reduce.extents);
  if (total < smallest) return null;
  // The sizes are known before any code is made; only the strides of operands may still change.
  let left = operandOf(context, kernel, analysis, hint.left, 0);
  let right = operandOf(context, kernel, analysis, hint.right, left.scratchEnd);
  let product = matrixProduct(kernel, hint, left.strides, right.strides, sumStrides);
  const halves = left.dtype !== 'float32' || right.dtype !== 'float32';
  const few = isFewRows(product, halves);
  const whole = product.rows.extent >= 4 && product.columns.extent >= 4 && product.inner.extent >= 4;
  const weighed = !few && !halves && isWeighedRows(product);
  if (!few && !weighed && !whole) return null;
  if (few && (vectorSide(product) === 'left' ? left : right).dtype !== 'float32') {
    // the vectors are read again for each row of the matrix
    if (vectorSide(product) === 'left') left = computedOperand(context, kernel, analysis, hint.left, right.scratchEnd);
    else right = computedOperand(context, kernel, analysis, hint.right, right.scratchEnd);
    product = matrixProduct(kernel, hint, left.strides, right.strides, sumStrides);
  }
  const sums = Math.max(left.scratchEnd, right.scratchEnd);
  const scratch = inPlace ? sums : sums + align(4 * sizeOf(kernel.domain));
  const target: Target = { inPlace, offset: inPlace ? 0 : sums };

  if (few) return emitFewRows(context, request, product, [left, right], target, scratch, sumStrides);
  if (weighed) return emitWeighedRows(context, request, product, [left, right], target, scratch, sumStrides);
  const phases: Phase[] = [...left.phases, ...right.phases];
  const needsEpilogue = kernel.epilogue !== undefined || !inPlace;
  const epilogue = needsEpilogue ? emitEpilogue(context, request, product, sumStrides, target) : null;
  const plan = planOf(context, product, [left, right], target, epilogue?.fused ?? null);
  phases.push(sumsOf(context, kernel, plan));
  if (epilogue && !epilogue.fused) phases.push(epilogue.phase);
  const { rows, columns, inner } = product;
  return { phases, scratch, own: plan.own.bytes, path: `gemm ${rows.extent}x${columns.extent}x${inner.extent}` };
}

/** The epilogue; `fused` when its units are the rows of the product in order, so that it can run block by block. */
function emitEpilogue(
  context: ModuleContext,
  request: SpecialRequest,
  product: MatrixProduct,
  sumStrides: readonly number[],
  target: Target,
): { readonly phase: Phase; readonly fused: Phase | null } {
  const { kernel, outStrides } = request;
  const nest = epilogueKernel(kernel, sumStrides);
  // Rows are the leading axes of the domain when columns are the trailing ones and everything before is rows and batch.
  const leading = leadingAxes(kernel, product);
  const fuses = leading !== null && blocksOf(context, product).columnBlocks === 1;
  const phase = emitNest(context, { kernel: nest, outStrides, outerAxes: fuses ? leading : null });
  const outer = redirected(context, kernel, phase, { extra: target.inPlace ? 'out' : target.offset });
  return { phase: outer, fused: fuses ? outer : null };
}

/** Rows and columns of a block, how many there are of each, and turns of the loops around them. */
type Blocks = Readonly<Record<'rowBlock' | 'columnBlock' | 'rowBlocks' | 'columnBlocks' | 'outerCount', number>>;

/**
 * Where C is cut. Threads want a few pieces each, cut from its longer side, because the operand of the other side is packed
 * anew for each; the order of additions depends on the inner blocks only.
 */
function blocksOf(context: ModuleContext, { rows, columns, loops }: MatrixProduct): Blocks {
  const { threads } = context.target;
  const outerCount = loops.reduce((count, run) => count * run.extent, 1);
  const pieces = threads > 1 ? Math.ceil((2 * threads) / outerCount) : 1;
  const wide = columns.extent > rows.extent;
  const rowBlock = evenly(rows.extent, Math.min(blockRows, Math.max(16, wide ? blockRows : rows.extent / pieces)), 12);
  const columnBlock = evenly(
    columns.extent,
    Math.min(blockColumns, Math.max(32, wide ? columns.extent / pieces : blockColumns)),
    panelColumns,
  );
  const [rowBlocks, columnBlocks] = [Math.ceil(rows.extent / rowBlock), Math.ceil(columns.extent / columnBlock)];
  return { rowBlock, columnBlock, rowBlocks, columnBlocks, outerCount };
}

/** A or B, and which of the kernel's operands it is: A is the one that has the rows. */
interface Factor {
  readonly operand: Operand;
  readonly side: 'left' | 'right';
}

const bytesOf = ({ operand }: Factor): number => bytesPerElement(operand.dtype);

/** What is known of a product before its code is written. */
interface Plan extends Blocks {
  readonly product: MatrixProduct;
  readonly target: Target;
  readonly a: Factor;
  readonly b: Factor;
  readonly innerBlock: number;
  /** A block of rows of C stays in the second cache until all k of a span are added: B is packed for all of them. */
  readonly innerSpan: number;
  /** Runs for the rows of a block as soon as their sums are there. */
  readonly epilogue: Phase | null;
  readonly own: Layout;
}

function planOf(
  context: ModuleContext,
  product: MatrixProduct,
  [left, right]: readonly [Operand, Operand],
  target: Target,
  epilogue: Phase | null,
): Plan {
  const blocks = blocksOf(context, product);
  const { rowBlock, columnBlock, rowBlocks } = blocks;
  const { inner, swapped } = product;
  const factors: readonly [Factor, Factor] = [
    { operand: left, side: 'left' },
    { operand: right, side: 'right' },
  ];
  const [a, b] = swapped ? [factors[1], factors[0]] : factors;
  const innerBlock = evenly(inner.extent, blockInner, 4);
  const innerSpan = innerBlock * Math.max(1, Math.floor(spanBytes / (4 * columnBlock * innerBlock)));
  const whole = Math.ceil(inner.extent / innerBlock) * innerBlock;
  const ofB =
    rowBlocks === 1 ? Math.min(columnBlock, stripColumns) * innerBlock : columnBlock * Math.min(innerSpan, whole);
  const own = layoutOf([
    ['a', 4 * rowBlock * innerBlock],
    ['b', 4 * ofB],
    ['edge', edgeBytes],
  ]);
  return { ...blocks, product, target, a, b, innerBlock, innerSpan, epilogue, own };
}

/** The block of C at hand: its columns, its rows, and where its matrices begin. */
interface Corner {
  readonly column: Local<'i32'>;
  readonly width: Local<'i32'>;
  readonly firstRow: Local<'i32'>;
  readonly lastRow: Local<'i32'>;
  readonly a: Local<'i32'>;
  readonly b: Local<'i32'>;
  readonly c: Local<'i32'>;
}

/** The phase that computes all sums; a unit is a block of rows of a block of columns of one turn of the loops. */
function sumsOf(context: ModuleContext, kernel: Kernel, plan: Plan): Phase {
  const { product, target, a, b, epilogue, rowBlock, columnBlock, rowBlocks, columnBlocks, outerCount, own } = plan;
  const { rows, columns, inner, loops, sums } = product;
  const units = outerCount * columnBlocks * rowBlocks;
  const terms = inner.extent * sums.reduce((count, run) => count * run.extent, 1);
  const work = (rows.extent * columns.extent * terms * outerCount) / 22;
  const build = (driver: Driver): Statement[] => {
    const [unit, block, outer] = [driver.local(), driver.local(), driver.local()];
    const corner: Corner = {
      firstRow: driver.local(),
      lastRow: driver.local(),
      column: driver.local(),
      width: driver.local(),
      a: driver.local(),
      b: driver.local(),
      c: driver.local(),
    };
    const { firstRow, lastRow, column, width } = corner;
    return [
      unit.set(driver.begin),
      whileLoop(i32.ltU(unit, driver.end), [
        // One block of columns of one turn of the loops, and the rows of it that are ours.
        block.set(rowBlocks === 1 ? unit : i32.divU(unit, i32.const(rowBlocks))),
        firstRow.set(rowBlocks === 1 ? i32.const(0) : scaled(i32.remU(unit, i32.const(rowBlocks)), rowBlock)),
        lastRow.set(i32.add(firstRow, scaled(i32.sub(driver.end, unit), rowBlock))),
        lastRow.set(select(i32.const(rows.extent), lastRow, i32.gtU(lastRow, i32.const(rows.extent)))),
        column.set(columnBlocks === 1 ? i32.const(0) : scaled(i32.remU(block, i32.const(columnBlocks)), columnBlock)),
        width.set(bounded(i32.sub(i32.const(columns.extent), column), columnBlock)),
        outer.set(columnBlocks === 1 ? block : i32.divU(block, i32.const(columnBlocks))),
        ...moved(driver, outer, loops, [
          { at: corner.a, from: operandAt(driver, a.operand), side: a.side, bytes: bytesOf(a) },
          { at: corner.b, from: operandAt(driver, b.operand), side: b.side, bytes: bytesOf(b) },
          { at: corner.c, from: sumsAt(driver, target), side: 'out', bytes: 4 },
        ]),
        ...addedUp(driver, plan, corner),
        ...(epilogue
          ? [
              driver.call(
                epilogue,
                i32.add(scaled(outer, rows.extent), firstRow),
                i32.add(scaled(outer, rows.extent), lastRow),
              ),
            ]
          : []),
        unit.set(
          i32.add(scaled(block, rowBlocks), i32.divU(i32.add(lastRow, i32.const(rowBlock - 1)), i32.const(rowBlock))),
        ),
      ]),
    ];
  };
  return phaseOf(context, kernel, units, work, build, own);
}

/** The product of each turn of the loops whose products are added up. */
function addedUp(driver: Driver, plan: Plan, corner: Corner): Statement[] {
  const { sums } = plan.product;
  if (sums.length === 0) return packed(driver, plan, corner, i32.const(0));
  const [turn, a, b] = [driver.local(), driver.local(), driver.local()];
  const count = sums.reduce((all, run) => all * run.extent, 1);
  const body = [
    ...moved(driver, turn, sums, [
      { at: a, from: corner.a, side: plan.a.side, bytes: bytesOf(plan.a) },
      { at: b, from: corner.b, side: plan.b.side, bytes: bytesOf(plan.b) },
    ]),
    ...packed(driver, plan, { ...corner, a, b }, turn),
  ];
  return [forLoop(turn, i32.const(0), i32.const(count), 1, body, true)];
}

/** One product: blocks of A and B are packed and multiplied. `adds`: not 0 where the sums have begun. */
function packed(
  driver: Driver,
  plan: Plan,
  { column, width, firstRow, lastRow, a, b, c }: Corner,
  adds: I32,
): Statement[] {
  const { product, rowBlock, columnBlock, rowBlocks, innerBlock, innerSpan } = plan;
  const { rows, columns, inner } = product;
  const [aSide, bSide] = [plan.a.side, plan.b.side];
  const [aBytes, bBytes] = [bytesOf(plan.a), bytesOf(plan.b)];
  const [k, depth, row, height] = [driver.local(), driver.local(), driver.local(), driver.local()];
  const panels = driver.at('b');
  const inBlocks = (from: I32, to: I32, body: Statement[]): Statement => {
    const bounds = depth.set(bounded(i32.sub(i32.const(inner.extent), k), innerBlock));
    return forLoop(k, from, to, innerBlock, [bounds, ...body], true);
  };
  const packA = driver.function(
    readerOf(driver.context, 'packRows', plan.a.operand.dtype),
    i32.add(a, i32.add(scaled(k, aBytes * inner[aSide]), scaled(row, aBytes * rows[aSide]))),
    driver.at('a'),
    aBytes * rows[aSide],
    aBytes * inner[aSide],
    height,
    depth,
  );
  const packB = (to: I32, from: I32, count: I32): Statement =>
    driver.function(
      readerOf(driver.context, 'packColumns', plan.b.operand.dtype),
      i32.add(b, i32.add(scaled(k, bBytes * inner[bSide]), scaled(from, bBytes * columns[bSide]))),
      to,
      bBytes * columns[bSide],
      bBytes * inner[bSide],
      count,
      depth,
    );
  const multiply = (panelsOfB: I32, from: I32, count: I32): Statement =>
    driver.library(
      'multiply',
      driver.at('a'),
      panelsOfB,
      i32.add(c, i32.add(scaled(row, 4 * rows.out), floats(from))),
      height,
      count,
      depth,
      4 * rows.out,
      i32.or(adds, i32.ne(k, i32.const(0))),
      driver.at('edge'),
    );

  if (rowBlocks === 1) {
    const [strip, count, last] = [driver.local(), driver.local(), driver.local()];
    return [
      row.set(firstRow),
      height.set(i32.sub(lastRow, firstRow)),
      last.set(i32.add(column, width)),
      inBlocks(i32.const(0), i32.const(inner.extent), [
        packA,
        forLoop(strip, column, last, stripColumns, [
          count.set(bounded(i32.sub(last, strip), stripColumns)),
          packB(panels, strip, count),
          multiply(panels, strip, count),
        ]),
      ]),
    ];
  }
  const span = (from: I32, to: I32): Statement[] => {
    const panelsOfBlock = i32.add(panels, scaled(i32.sub(k, from), 4 * columnBlock));
    return [
      inBlocks(from, to, [packB(panelsOfBlock, column, width)]),
      forLoop(row, firstRow, lastRow, rowBlock, [
        height.set(bounded(i32.sub(lastRow, row), rowBlock)),
        inBlocks(from, to, [packA, multiply(panelsOfBlock, column, width)]),
      ]),
    ];
  };
  if (innerSpan >= inner.extent) return span(i32.const(0), i32.const(inner.extent));
  const [from, to] = [driver.local(), driver.local()];
  return [
    forLoop(from, i32.const(0), i32.const(inner.extent), innerSpan, [
      to.set(bounded(plus(from, innerSpan), inner.extent)),
      ...span(from, to),
    ]),
  ];
}

interface Moving {
  readonly at: Local<'i32'>;
  readonly from: I32;
  readonly side: Factor['side'] | 'out';
  /** Of an element. */
  readonly bytes: number;
}
/** Sets addresses to where turn `turn` of the loops has its matrices. */
function moved(driver: Driver, turn: Local<'i32'>, loops: readonly Run[], moving: readonly Moving[]): Statement[] {
  const statements: Statement[] = moving.map(({ at, from }) => at.set(from));
  if (loops.length === 0) return statements;
  const [rest, index] = [driver.local(), driver.local()];
  statements.push(rest.set(turn));
  [...loops].reverse().forEach((run, depth) => {
    const last = depth === loops.length - 1;
    statements.push(index.set(last ? rest : i32.remU(rest, i32.const(run.extent))));
    for (const { at, side, bytes } of moving) {
      if (run[side] !== 0) statements.push(at.set(i32.add(at, scaled(index, bytes * run[side]))));
    }
    if (!last) statements.push(rest.set(i32.divU(rest, i32.const(run.extent))));
  });
  return statements;
}
