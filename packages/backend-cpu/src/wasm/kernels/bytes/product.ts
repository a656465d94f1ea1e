/**
 * Sums of products of bytes, in int32: which operand is walked as a matrix and which as vectors, in what blocks, and the epilogue
 * behind them. Where the rows of the product are the first axes of what is written, a block of them is gathered, multiplied and
 * finished before the next one, in memory that stays in the cache; many rows of 7 bits are multiplied with packed panels of the other side.
 * The dot products are in `dots.ts` and `panels.ts`, the operands in `operand.ts`.
 */
import type { Hint, Kernel } from '@nn/core';
import { sizeOf, stridesOf } from '../../../shape.ts';
import { align } from '../../../storage.ts';
import type { I32, Local, Statement } from '../../code/assembler.ts';
import { callVoid, i32, whileLoop } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { analyse } from '../../loops/analysis.ts';
import { emitNest } from '../../loops/emit.ts';
import type { KernelCode, Phase } from '../../loops/nest.ts';
import { bounded, type Driver, evenly, layoutOf, phaseOf, plus, scaled } from '../driver.ts';
import { leadingAxes, type MatrixProduct, matrixProduct, type Run } from '../matrix-product.ts';
import { epilogueKernel, redirected } from '../operand.ts';
import type { SpecialRequest } from '../request.ts';
import { emitDecodedProduct } from './decoded.ts';
import { byteDots, isDirect } from './dots.ts';
import { type Bytes, bytesAt, type Gathered, gather, gatherRuns, isAlong } from './operand.ts';
import { fitPanels, packPanel, panelBytes, panelDots, panelOutputs } from './panels.ts';

/** Below so many products the loops are as fast, and need less code. */
const smallest = 4096;
/** Bytes of vectors that stay in the first cache while all rows of the matrix pass by. */
const blockBytes = 24 * 1024;
/** From so many rows on a matrix is worth packing. */
const panelRows = 24;
/** Rows of a matrix that are worth a call. */
const matrixRows = 16;

/** One side of the product: what its bytes are, and where they lie. */
interface Operand {
  readonly bytes: Bytes;
  readonly strides: ReadonlyMap<number, number>;
  readonly gathered: Gathered | null;
}

export function emitByteProduct(
  context: ModuleContext,
  request: SpecialRequest,
  hint: Extract<Hint, { kind: 'contraction' }>,
): KernelCode | null {
  const { kernel, outStrides, aliased } = request;
  const { reduce } = kernel;
  const total = sizeOf(kernel.domain) * sizeOf(reduce?.extents ?? []);
  if (reduce?.dtype === 'float32') return emitDecodedProduct(context, request, hint);
  if (reduce?.dtype !== 'int32' || reduce.op !== 'sum' || total < smallest) return null;
  const analysis = analyse(kernel);
  const [left, right] = [bytesAt(analysis, kernel, hint.left), bytesAt(analysis, kernel, hint.right)];
  if (left === null || right === null) return null;
  const extents = [...kernel.domain, ...reduce.extents];
  const isPlain = (bytes: Bytes): boolean => isAlong(bytes, hint.inner, extents);
  const inPlace = !aliased && kernel.dtype === 'int32';
  const needsEpilogue = kernel.epilogue !== undefined || !inPlace;

  const dense = stridesOf(kernel.domain);
  const sumStrides = inPlace && !needsEpilogue ? outStrides : dense;
  const side = (bytes: Bytes, axes: readonly number[], outer: number | null): Operand => {
    if (isPlain(bytes)) return { bytes, strides: bytes.form.terms, gathered: null };
    const runs = outer === null ? null : gatherRuns(context, kernel, bytes, axes, hint.inner);
    const made = runs ?? gather(context, kernel, bytes, axes, hint.inner, outer);
    return { bytes, strides: made.strides, gathered: made };
  };
  // in the order of the domain, so that rows which are its first axes are units
  const rowAxes = [...hint.batch, ...hint.rows].sort((a, b) => a - b);
  const columnAxes = [...hint.batch, ...hint.columns].sort((a, b) => a - b);
  const isLeading = hint.batch.length === 0 && rowAxes.every((axis, at) => axis === at);
  const whole = (): KernelCode => {
    const operands = [side(left, rowAxes, null), side(right, columnAxes, null)] as const;
    const product = matrixProduct(kernel, hint, operands[0].strides, operands[1].strides, sumStrides);
    return new Whole(context, request, product, operands, sumStrides, inPlace, needsEpilogue).code();
  };
  if (!isLeading || context.target.threads > 1) return whole();
  const rowCount = sizeOf(rowAxes.map((axis) => kernel.domain[axis]!));
  if (rowCount >= panelRows && isPlain(right) && fitPanels(context, right, left)) {
    const gathered = gatherRuns(context, kernel, left, rowAxes, hint.inner, true);
    const strides = gathered?.strides ?? left.form.terms;
    const product = matrixProduct(kernel, hint, strides, right.form.terms, dense);
    if (gathered && isOneProduct(kernel, product, rowAxes.length)) {
      const operands = [{ bytes: left, strides, gathered }, side(right, columnAxes, null)] as const;
      return blocked(context, request, product, operands, rowAxes.length, needsEpilogue, true);
    }
  }
  const operands = [side(left, rowAxes, rowAxes.length), side(right, columnAxes, null)] as const;
  const product = matrixProduct(kernel, hint, operands[0].strides, operands[1].strides, dense);
  if (!isOneProduct(kernel, product, rowAxes.length)) return whole();
  return blocked(context, request, product, operands, rowAxes.length, needsEpilogue, false);
}

/** Whether the rows are the first axes of the results, and nothing goes around the product. */
const isOneProduct = (kernel: Kernel, product: MatrixProduct, rowAxes: number): boolean =>
  leadingAxes(kernel, product) === rowAxes && product.loops.length === 0 && product.rows.extent >= 4;

const pathOf = ({ rows, columns, inner }: MatrixProduct, direct: boolean): string =>
  `bytes ${rows.extent}x${columns.extent}x${inner.extent}${direct ? ' (7 bits)' : ''}`;

/** Blocks of rows, each gathered, multiplied and finished. */
function blocked(
  context: ModuleContext,
  { kernel, outStrides }: SpecialRequest,
  product: MatrixProduct,
  [left, right]: readonly [Operand, Operand],
  rowAxes: number,
  needsEpilogue: boolean,
  inPanels: boolean,
): KernelCode {
  const { rows, columns, inner } = product;
  const sumStrides = stridesOf(kernel.domain);
  const block = evenly(rows.extent, Math.max(8, Math.floor(blockBytes / inner.extent)), 4);
  const units = Math.ceil(rows.extent / block);
  const fixed = right.gathered;
  const phases: Phase[] = fixed ? [redirected(context, kernel, fixed.phase, { out: 0 })] : [];
  if (inPanels) phases.push(packed(context, kernel, product, right));
  const isDense = outStrides.every((stride, axis) => kernel.domain[axis] === 1 || stride === sumStrides[axis]);
  const direct = !needsEpilogue && isDense;
  const nest = direct ? null : epilogueKernel(kernel, sumStrides, 'int32');
  const epilogue = nest && emitNest(context, { kernel: nest, outStrides, outerAxes: rowAxes });
  const layout = layoutOf([
    // what copies of whole runs write behind the last one
    ['rows', left.gathered ? block * rows.left + 16 : 0],
    ['sums', direct ? 0 : 4 * block * columns.extent],
  ]);
  const dots = inPanels ? panelDots(context, left.bytes) : byteDots(context, right.bytes, left.bytes, false);
  const work = workOf(product, 1);
  phases.push(
    phaseOf(
      context,
      kernel,
      units,
      work,
      (driver) => {
        const [unit, first, count] = [driver.local(), driver.local(), driver.local()];
        const { gathered } = left;
        const back = (place: string, rowBytes: number): I32 => i32.sub(driver.at(place), scaled(first, rowBytes));
        const vectors = gathered
          ? driver.at('rows')
          : plus(driver.read(left.bytes.read), plus(scaled(first, rows.left), left.bytes.form.constant));
        const sums = direct ? plus(driver.out, scaled(first, 4 * rows.out)) : driver.at('sums');
        return [
          driver.units(unit, [
            first.set(scaled(unit, block)),
            count.set(bounded(i32.sub(i32.const(rows.extent), first), block)),
            ...(gathered
              ? [driver.call(gathered.phase, first, i32.add(first, count), { out: back('rows', rows.left) })]
              : []),
            inPanels
              ? callVoid(
                  dots,
                  ...[driver.scratch, i32.const(panelBytes(inner.extent)), i32.const(columns.extent)],
                  ...[vectors, i32.const(rows.left), count],
                  ...[sums, i32.const(4 * rows.out), i32.const(Math.ceil(inner.extent / 8))],
                )
              : callVoid(
                  dots,
                  fixed ? driver.scratch : plus(driver.read(right.bytes.read), right.bytes.form.constant),
                  i32.const(columns.right),
                  i32.const(columns.extent),
                  vectors,
                  i32.const(rows.left),
                  count,
                  sums,
                  i32.const(4 * columns.out),
                  i32.const(4 * rows.out),
                  i32.const(inner.extent),
                ),
            ...(epilogue
              ? [driver.call(epilogue, first, i32.add(first, count), { extra: back('sums', 4 * rows.out) })]
              : []),
          ]),
        ];
      },
      layout,
    ),
  );
  const path = pathOf(product, isDirect(context, right.bytes, left.bytes));
  const panels = Math.ceil(columns.extent / panelOutputs);
  const scratch = inPanels ? align(panels * panelBytes(inner.extent)) : fixed ? align(fixed.bytes) : 0;
  return { phases, scratch, own: layout.bytes, path: inPanels ? `${path}, panels` : path };
}

/** The rows of the matrix in panels, in scratch. */
function packed(context: ModuleContext, kernel: Kernel, { columns, inner }: MatrixProduct, { bytes }: Operand): Phase {
  const units = Math.ceil(columns.extent / panelOutputs);
  return phaseOf(context, kernel, units, (units * panelBytes(inner.extent)) / 8, (driver) => {
    const unit = driver.local();
    return [
      driver.units(unit, [
        callVoid(
          packPanel(context),
          ...[plus(driver.read(bytes.read), bytes.form.constant), i32.const(columns.right), i32.const(columns.extent)],
          scaled(unit, panelOutputs),
          plus(driver.scratch, scaled(unit, panelBytes(inner.extent))),
          i32.const(inner.extent),
        ),
      ]),
    ];
  });
}

/** Nanoseconds, about. */
const workOf = ({ rows, columns, inner }: MatrixProduct, turns: number): number =>
  (turns * rows.extent * columns.extent * inner.extent) / 40;

/** All operands gathered, then all sums, then the epilogue: any axes, few rows, threads. */
class Whole {
  readonly #context: ModuleContext;
  readonly #request: SpecialRequest;
  readonly #product: MatrixProduct;
  readonly #operands: readonly [Operand, Operand];
  readonly #sumStrides: readonly number[];
  readonly #direct: boolean;
  /** Where gathered operands and sums begin in scratch. */
  readonly #places: { readonly left: number; readonly right: number; readonly sums: number; readonly end: number };

  constructor(
    context: ModuleContext,
    request: SpecialRequest,
    product: MatrixProduct,
    operands: readonly [Operand, Operand],
    sumStrides: readonly number[],
    inPlace: boolean,
    needsEpilogue: boolean,
  ) {
    const bytes = (operand: Operand): number => align(operand.gathered?.bytes ?? 0);
    this.#context = context;
    this.#request = request;
    this.#product = product;
    this.#operands = operands;
    this.#sumStrides = sumStrides;
    this.#direct = inPlace && !needsEpilogue;
    const right = bytes(operands[0]);
    const sums = right + bytes(operands[1]);
    const end = sums + (this.#direct ? 0 : align(4 * sizeOf(request.kernel.domain)));
    this.#places = { left: 0, right, sums, end };
  }

  code(): KernelCode {
    const { kernel, outStrides } = this.#request;
    const [left, right] = this.#operands;
    const { loops } = this.#product;
    const phases: Phase[] = [];
    for (const [operand, out] of [
      [left, this.#places.left],
      [right, this.#places.right],
    ] as const) {
      if (operand.gathered) phases.push(redirected(this.#context, kernel, operand.gathered.phase, { out }));
    }
    phases.push(this.#sums());
    if (!this.#direct) {
      const nest = epilogueKernel(kernel, this.#sumStrides, 'int32');
      const phase = emitNest(this.#context, { kernel: nest, outStrides, outerAxes: null });
      phases.push(redirected(this.#context, kernel, phase, { extra: this.#places.sums }));
    }
    const turns = loops.reduce((count, run) => count * run.extent, 1);
    const path = pathOf(this.#product, isDirect(this.#context, this.#matrix.bytes, this.#vectors.bytes));
    return { phases, scratch: this.#places.end, own: 0, path: turns === 1 ? path : `${path}, ${turns} times` };
  }

  /** The longer side is the matrix. */
  get #rowsAreMatrix(): boolean {
    return this.#product.rows.extent > 4 * this.#product.columns.extent;
  }
  /** The operand that has the rows of the product. */
  get #ofRows(): Operand {
    return this.#operands[this.#product.swapped ? 1 : 0];
  }
  get #ofColumns(): Operand {
    return this.#operands[this.#product.swapped ? 0 : 1];
  }
  get #matrix(): Operand {
    return this.#rowsAreMatrix ? this.#ofRows : this.#ofColumns;
  }
  get #vectors(): Operand {
    return this.#rowsAreMatrix ? this.#ofColumns : this.#ofRows;
  }

  #sums(): Phase {
    const { rows, columns, inner, loops } = this.#product;
    const [matrixRun, vectorRun] = this.#rowsAreMatrix ? [rows, columns] : [columns, rows];
    const [matrix, vectors] = [this.#matrix, this.#vectors];
    const matrixSide = this.#sideOf(matrix);
    const vectorSide = this.#sideOf(vectors);
    const chunks = Math.ceil(matrixRun.extent / matrixRows);
    const turns = loops.reduce((count, run) => count * run.extent, 1);
    const dots = byteDots(this.#context, matrix.bytes, vectors.bytes, vectorRun.extent === 1);
    const { kernel } = this.#request;
    return phaseOf(this.#context, kernel, turns * chunks, workOf(this.#product, turns), (driver) => {
      const [unit, turn, first, last, count] = [0, 1, 2, 3, 4].map(() => driver.local()) as [
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
      ];
      const [a, b, c] = [driver.local(), driver.local(), driver.local()];
      return [
        unit.set(driver.begin),
        // all rows of one turn that are ours
        whileLoop(i32.ltU(unit, driver.end), [
          turn.set(i32.divU(unit, i32.const(chunks))),
          first.set(i32.remU(unit, i32.const(chunks))),
          last.set(bounded(i32.add(first, i32.sub(driver.end, unit)), chunks)),
          count.set(i32.sub(bounded(scaled(last, matrixRows), matrixRun.extent), scaled(first, matrixRows))),
          ...this.#moved(driver, turn, [
            { at: a, from: this.#at(driver, matrix), side: matrixSide, bytes: 1 },
            { at: b, from: this.#at(driver, vectors), side: vectorSide, bytes: 1 },
            { at: c, from: this.#direct ? driver.out : plus(driver.scratch, this.#places.sums), side: 'out', bytes: 4 },
          ]),
          callVoid(
            dots,
            i32.add(a, scaled(first, matrixRows * matrixRun[matrixSide])),
            i32.const(matrixRun[matrixSide]),
            count,
            b,
            i32.const(vectorRun[vectorSide]),
            i32.const(vectorRun.extent),
            i32.add(c, scaled(first, 4 * matrixRows * matrixRun.out)),
            i32.const(4 * matrixRun.out),
            i32.const(4 * vectorRun.out),
            i32.const(inner.extent),
          ),
          unit.set(i32.add(unit, i32.sub(last, first))),
        ]),
      ];
    });
  }

  #sideOf(operand: Operand): 'left' | 'right' {
    return operand === this.#operands[0] ? 'left' : 'right';
  }

  #at(driver: Driver, { bytes, gathered }: Operand): I32 {
    if (!gathered) return plus(driver.read(bytes.read), bytes.form.constant);
    return plus(driver.scratch, this.#operands[0].gathered === gathered ? this.#places.left : this.#places.right);
  }

  /** Sets addresses to where turn `turn` of the loops has its matrices. */
  #moved(
    driver: Driver,
    turn: Local<'i32'>,
    moving: readonly {
      readonly at: Local<'i32'>;
      readonly from: I32;
      readonly side: Exclude<keyof Run, 'extent'>;
      readonly bytes: number;
    }[],
  ): Statement[] {
    const rest = driver.local();
    const statements: Statement[] = [...moving.map(({ at, from }) => at.set(from)), rest.set(turn)];
    for (const run of [...this.#product.loops].reverse()) {
      const index = i32.remU(rest, i32.const(run.extent));
      for (const { at, side, bytes } of moving) {
        if (run[side] !== 0) statements.push(at.set(i32.add(at, scaled(index, bytes * run[side]))));
      }
      statements.push(rest.set(i32.divU(rest, i32.const(run.extent))));
    }
    return statements;
  }
}
