/**
 * Sums of products as packed matrix products: any transposes, batches and einsum orders become one matrix product with
 * free strides inside loops over what does not merge into rows, columns and inner axes.
 * It owns the blocking and the epilogue; packing and multiplying are in `gemm.ts`, sources of operands in `operand.ts`.
 * (Over 400 lines: finding the matrix product, its blocks and its epilogue share the description of the operands.)
 */
import type { Axes, Hint, Kernel } from '@nn/core';
import { sizeOf, stridesOf } from '../shape.ts';
import { align } from '../storage.ts';
import { analyse } from '../wasm/analysis.ts';
import type { FunctionBuilder, I32, Local, Statement } from '../wasm/assembler.ts';
import { emitNest, type KernelCode, kernelParameters, type Phase } from '../wasm/emit.ts';
import { callVoid, forLoop, i32, select, whileLoop } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import type { SpecialRequest } from '../wasm/special.ts';
import { bounded, evenly, scaled } from './driver.ts';
import { emitFewRows, isFewRows } from './few-rows.ts';
import {
  blockColumns,
  blockInner,
  blockRows,
  edgeBytes,
  multiplyParameters,
  packParameters,
  panelColumns,
} from './gemm.ts';
import { epilogueKernel, type Operand, operandOf, redirected } from './operand.ts';

/** Axes that all three matrices walk as one, with the distances between neighbours in elements. */
interface Run {
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

const single: Run = { extent: 1, left: 0, right: 0, out: 0 };
/** Below so many products the loops are as fast, and need less code. */
const smallest = 4096;
/** Packed columns of B that a thread keeps at a time. */
const spanBytes = 2 ** 22;
/** Columns of B that are packed at a time where each is used once, by a single block of rows: they stay in the cache. */
const stripColumns = 64;

function mergeRuns(axes: Axes, extents: readonly number[], strides: (axis: number) => Omit<Run, 'extent'>): Run[] {
  const runs: Run[] = [];
  for (const axis of axes) {
    const extent = extents[axis] as number;
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

const largest = (runs: readonly Run[]): Run =>
  runs.reduce((best, run) => (run.extent > best.extent ? run : best), single);

/** The matrix product in a contraction, or null where none is worth packing. */
export function matrixProduct(
  kernel: Kernel,
  hint: Extract<Hint, { kind: 'contraction' }>,
  left: ReadonlyMap<number, number>,
  right: ReadonlyMap<number, number>,
  outStrides: readonly number[],
): MatrixProduct | null {
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
  const column = contiguous ?? (swapped ? (rows.find((run) => run.out === 1) as Run) : single);
  const others = swapped ? columns : rows;
  const row = largest(others);
  const depth = largest(inner);
  const loops = [...batch, ...rows, ...columns].filter((run) => run !== row && run !== column);
  return { rows: row, columns: column, inner: depth, loops, sums: inner.filter((run) => run !== depth), swapped };
}

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
  const left = operandOf(context, kernel, analysis, hint.left, 0);
  const right = operandOf(context, kernel, analysis, hint.right, left.scratchEnd);
  const product = matrixProduct(kernel, hint, left.strides, right.strides, sumStrides);
  if (!product) return null;
  const few = isFewRows(product);
  const whole = product.rows.extent >= 4 && product.columns.extent >= 4 && product.inner.extent >= 4;
  if (!few && !whole) return null;
  const sumsAt = right.scratchEnd;
  const scratch = inPlace ? sumsAt : sumsAt + align(4 * sizeOf(kernel.domain));
  const target: Target = { inPlace, offset: inPlace ? 0 : sumsAt };

  const phases: Phase[] = [...left.phases, ...right.phases];
  if (few) return emitFewRows(context, request, product, [left, right], target, scratch, sumStrides);
  const needsEpilogue = kernel.epilogue !== undefined || !inPlace;
  const epilogue = needsEpilogue ? emitEpilogue(context, request, product, sumStrides, target) : null;
  const driver = emitDriver(context, kernel, product, [left, right], target, epilogue?.fused ?? null);
  phases.push(driver.phase);
  if (epilogue && !epilogue.fused) phases.push(epilogue.phase);
  const { rows, columns, inner } = product;
  return { phases, scratch, own: driver.own, path: `gemm ${rows.extent}x${columns.extent}x${inner.extent}` };
}

/** Where the sums go: to the output itself, or to `offset` in scratch. */
export interface Target {
  readonly inPlace: boolean;
  readonly offset: number;
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

/** The number of leading axes whose positions are the rows (times batches) of the product, in order; or null. */
function leadingAxes(kernel: Kernel, product: MatrixProduct): number | null {
  if (product.swapped) return null;
  let axes = kernel.domain.length;
  let columns = 1;
  while (axes > 0 && columns < product.columns.extent) {
    axes -= 1;
    columns *= kernel.domain[axes] as number;
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

/**
 * Where C is cut. Threads want a few pieces each, cut from its longer side, because the operand of the other side is packed
 * anew for each; the order of additions depends on the inner blocks only.
 */
function blocksOf(
  context: ModuleContext,
  { rows, columns, loops }: MatrixProduct,
): Readonly<Record<'rowBlock' | 'columnBlock' | 'rowBlocks' | 'columnBlocks' | 'outerCount', number>> {
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

function emitDriver(
  context: ModuleContext,
  kernel: Kernel,
  product: MatrixProduct,
  operands: readonly [Operand, Operand],
  target: Target,
  fusedEpilogue: Phase | null,
): { readonly phase: Phase; readonly own: number } {
  const { rows, columns, inner, loops, sums, swapped } = product;
  const { rowBlock, columnBlock, rowBlocks, columnBlocks, outerCount } = blocksOf(context, product);
  const innerBlock = evenly(inner.extent, blockInner, 4);
  const units = outerCount * columnBlocks * rowBlocks;
  const packedA = align(4 * rowBlock * innerBlock);
  // A block of rows of C stays in the second cache until all k in this span are added: B is packed for all of them.
  const innerSpan = innerBlock * Math.max(1, Math.floor(spanBytes / (4 * columnBlock * innerBlock)));
  const spanColumns = columnBlock * Math.min(innerSpan, Math.ceil(inner.extent / innerBlock) * innerBlock);
  const packedB = align(4 * (rowBlocks === 1 ? Math.min(columnBlock, stripColumns) * innerBlock : spanColumns));
  const own = packedA + packedB + edgeBytes;
  const packRows = context.library('packRows', packParameters, []);
  const packColumns = context.library('packColumns', packParameters, []);
  const multiply = context.library('multiply', multiplyParameters, []);
  const [a, b] = swapped ? ([operands[1], operands[0]] as const) : operands;
  const side = swapped ? (['right', 'left'] as const) : (['left', 'right'] as const);
  const parameters = kernelParameters(kernel);
  const count = parameters.length;

  const reference = context.module.function(null, parameters, [], (builder) => {
    const scratch = builder.parameter(count - 4, 'i32');
    const mine = builder.parameter(count - 3, 'i32');
    const begin = builder.parameter(count - 2, 'i32');
    const end = builder.parameter(count - 1, 'i32');
    const base = (operand: Operand): I32 =>
      i32.add(
        operand.parameter === null ? scratch : builder.parameter(operand.parameter, 'i32'),
        i32.const(operand.offset),
      );
    const sumsBase: I32 = target.inPlace ? builder.parameter(0, 'i32') : i32.add(scratch, i32.const(target.offset));
    const local = (): Local<'i32'> => builder.local('i32');
    const unit = local();
    const block = local();
    const outer = local();
    const firstRow = local();
    const lastRow = local();
    const column = local();
    const width = local();
    const aAt = local();
    const bAt = local();
    const cAt = local();
    const edge = i32.add(mine, i32.const(packedA + packedB));

    const [aSide, bSide] = side;
    const k = local();
    const depth = local();
    const row = local();
    const height = local();
    const inBlocks = (from: I32, to: I32, body: Statement[]): Statement =>
      forLoop(
        k,
        from,
        to,
        innerBlock,
        [depth.set(bounded(i32.sub(i32.const(inner.extent), k), innerBlock)), ...body],
        true,
      );
    const product = (aFrom: I32, bFrom: I32, adds: I32): Statement[] => {
      const packA = callVoid(
        packRows,
        i32.add(aFrom, i32.add(scaled(k, 4 * inner[aSide]), scaled(row, 4 * rows[aSide]))),
        mine,
        i32.const(4 * rows[aSide]),
        i32.const(4 * inner[aSide]),
        height,
        depth,
      );
      const packB = (panels: I32, from: I32, wide: I32): Statement =>
        callVoid(
          packColumns,
          i32.add(bFrom, i32.add(scaled(k, 4 * inner[bSide]), scaled(from, 4 * columns[bSide]))),
          panels,
          i32.const(4 * columns[bSide]),
          i32.const(4 * inner[bSide]),
          wide,
          depth,
        );
      const multiplyPanels = (panels: I32, from: I32, wide: I32): Statement =>
        callVoid(
          multiply,
          mine,
          panels,
          i32.add(cAt, i32.add(scaled(row, 4 * rows.out), i32.shl(from, i32.const(2)))),
          height,
          wide,
          depth,
          i32.const(4 * rows.out),
          i32.or(adds, i32.ne(k, i32.const(0))),
          edge,
        );
      const panels = i32.add(mine, i32.const(packedA));
      if (rowBlocks === 1) {
        const strip = local();
        const wide = local();
        const last = local();
        return [
          row.set(firstRow),
          height.set(i32.sub(lastRow, firstRow)),
          last.set(i32.add(column, width)),
          inBlocks(i32.const(0), i32.const(inner.extent), [
            packA,
            forLoop(strip, column, last, stripColumns, [
              wide.set(bounded(i32.sub(last, strip), stripColumns)),
              packB(panels, strip, wide),
              multiplyPanels(panels, strip, wide),
            ]),
          ]),
        ];
      }
      const multiplySpan = (from: I32, to: I32): Statement[] => {
        const panelsOfBlock = i32.add(panels, scaled(i32.sub(k, from), 4 * columnBlock));
        return [
          inBlocks(from, to, [packB(panelsOfBlock, column, width)]),
          forLoop(row, firstRow, lastRow, rowBlock, [
            height.set(bounded(i32.sub(lastRow, row), rowBlock)),
            inBlocks(from, to, [packA, multiplyPanels(panelsOfBlock, column, width)]),
          ]),
        ];
      };
      if (innerSpan >= inner.extent) return multiplySpan(i32.const(0), i32.const(inner.extent));
      const from = local();
      const to = local();
      return [
        forLoop(from, i32.const(0), i32.const(inner.extent), innerSpan, [
          to.set(bounded(i32.add(from, i32.const(innerSpan)), inner.extent)),
          ...multiplySpan(from, to),
        ]),
      ];
    };
    builder.emit(
      unit.set(begin),
      whileLoop(i32.ltU(unit, end), [
        // One block of columns of one turn of the loops, and the rows of it that are ours.
        block.set(rowBlocks === 1 ? unit : i32.divU(unit, i32.const(rowBlocks))),
        firstRow.set(rowBlocks === 1 ? i32.const(0) : scaled(i32.remU(unit, i32.const(rowBlocks)), rowBlock)),
        lastRow.set(i32.add(firstRow, scaled(i32.sub(end, unit), rowBlock))),
        lastRow.set(select(i32.const(rows.extent), lastRow, i32.gtU(lastRow, i32.const(rows.extent)))),
        column.set(columnBlocks === 1 ? i32.const(0) : scaled(i32.remU(block, i32.const(columnBlocks)), columnBlock)),
        width.set(bounded(i32.sub(i32.const(columns.extent), column), columnBlock)),
        outer.set(columnBlocks === 1 ? block : i32.divU(block, i32.const(columnBlocks))),
        ...offsets(builder, outer, loops, [
          { at: aAt, from: base(a), side: aSide },
          { at: bAt, from: base(b), side: bSide },
          { at: cAt, from: sumsBase, side: 'out' },
        ]),
        ...addedUp(builder, sums, aAt, bAt, aSide, bSide, product),
        ...(fusedEpilogue
          ? [
              callVoid(
                fusedEpilogue.reference,
                ...parameters.slice(0, -2).map((type, at) => builder.parameter(at, type)),
                i32.add(scaled(outer, rows.extent), firstRow),
                i32.add(scaled(outer, rows.extent), lastRow),
              ),
            ]
          : []),
        unit.set(
          i32.add(scaled(block, rowBlocks), i32.divU(i32.add(lastRow, i32.const(rowBlock - 1)), i32.const(rowBlock))),
        ),
      ]),
    );
  });
  const work =
    (rows.extent * columns.extent * inner.extent * outerCount * sums.reduce((n, run) => n * run.extent, 1)) / 22;
  return { phase: { reference, units, grain: work / units }, own };
}

interface Moving {
  readonly at: Local<'i32'>;
  readonly from: I32;
  readonly side: 'left' | 'right' | 'out';
}
/** Sets addresses to where turn `turn` of the loops has its matrices. */
export function offsets(
  builder: FunctionBuilder,
  turn: Local<'i32'>,
  loops: readonly Run[],
  moving: readonly Moving[],
): Statement[] {
  const statements: Statement[] = moving.map(({ at, from }) => at.set(from));
  if (loops.length === 0) return statements;
  const rest = builder.local('i32');
  const index = builder.local('i32');
  statements.push(rest.set(turn));
  loops
    .slice()
    .reverse()
    .forEach((run, depth) => {
      const last = depth === loops.length - 1;
      statements.push(index.set(last ? rest : i32.remU(rest, i32.const(run.extent))));
      for (const { at, side } of moving) {
        if (run[side] !== 0) statements.push(at.set(i32.add(at, scaled(index, 4 * run[side]))));
      }
      if (!last) statements.push(rest.set(i32.divU(rest, i32.const(run.extent))));
    });
  return statements;
}

/** The product for each turn of the loops that are added up. */
function addedUp(
  builder: FunctionBuilder,
  sums: readonly Run[],
  aAt: Local<'i32'>,
  bAt: Local<'i32'>,
  aSide: 'left' | 'right',
  bSide: 'left' | 'right',
  product: (a: I32, b: I32, adds: I32) => Statement[],
): Statement[] {
  if (sums.length === 0) return product(aAt, bAt, i32.const(0));
  const turn = builder.local('i32');
  const a = builder.local('i32');
  const b = builder.local('i32');
  const count = sums.reduce((all, run) => all * run.extent, 1);
  return [
    forLoop(
      turn,
      i32.const(0),
      i32.const(count),
      1,
      [
        ...offsets(builder, turn, sums, [
          { at: a, from: aAt, side: aSide },
          { at: b, from: bAt, side: bSide },
        ]),
        ...product(a, b, turn),
      ],
      true,
    ),
  ];
}
