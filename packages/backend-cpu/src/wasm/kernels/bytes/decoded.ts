/**
 * Sums of float32 times what bytes mean, for few rows: whole numbers of 8 or 4 bits, less an offset, times a scale that a run of them
 * shares. The bytes are all that is read of the matrix; the more rows there are, the less that matters, and many rows are left to
 * products of packed panels. Recognises the body and makes the phases; the bytes become numbers in `decoded-dots.ts`.
 */
import type { Body, Hint, Kernel, Op } from '@nn/core';
import { sizeOf, stridesOf } from '../../../shape.ts';
import { align } from '../../../storage.ts';
import { callVoid, i32 } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { type Affine, type Analysis, analyse, isAlu } from '../../loops/analysis.ts';
import { emitNest } from '../../loops/emit.ts';
import type { KernelCode, Phase } from '../../loops/nest.ts';
import { BodyWriter } from '../body-writer.ts';
import { bounded, phaseOf, plus, scaled } from '../driver.ts';
import { epilogueKernel, redirected } from '../operand.ts';
import type { SpecialRequest } from '../request.ts';
import { decodedDots, groupFloats, rowsAtOnce } from './decoded-dots.ts';

/** Rows of float32 that each read the bytes again. */
const most = 8;
const smallest = 4096;
/** Rows of bytes that are worth a call. */
const unitRows = 4 * rowsAtOnce;

/** An element of a read. */
interface Place {
  readonly read: number;
  readonly form: Affine;
}

/** (bytes - offset) * scale, or with halves of the bytes along an axis. */
interface Decoded {
  readonly bytes: Place;
  readonly signed: boolean;
  readonly scale: Place;
  /** The axis along which a byte has two halves, and what is taken from each (an operation without operands); null: whole bytes. */
  readonly halves: { readonly axis: number; readonly offset: Op | null } | null;
}

function placeAt({ ops, forms }: Analysis, position: number): Place | null {
  const op = ops[position]!;
  const form = op.op === 'load' ? forms[op.index] : null;
  return op.op !== 'load' || !form || [...form.terms.keys()].some((term) => term < 0) ? null : { read: op.read, form };
}

function decodedAt(analysis: Analysis, kernel: Kernel, position: number): Decoded | null {
  const { ops, forms } = analysis;
  const whole = ops[position]!;
  if (!isAlu(whole) || whole.op !== 'mul' || whole.dtype !== 'float32') return null;
  const [levels, factor] = whole.args as [number, number];
  const scale = placeAt(analysis, factor);
  if (scale === null || kernel.reads[scale.read] !== 'float32') return null;
  let op = ops[levels]!;
  let offset: Op | null = null;
  if (isAlu(op) && op.op === 'sub') {
    offset = ops[op.args[1]!]!;
    if (offset.op !== 'const' && offset.op !== 'scalar') return null;
    op = ops[op.args[0]!]!;
  }
  if (!isAlu(op) || op.op !== 'cast' || op.dtype !== 'float32') return null;
  const inner = ops[op.args[0]!]!;
  if (inner.op === 'load') {
    const bytes = placeAt(analysis, op.args[0]!);
    const dtype = kernel.reads[inner.read];
    if (bytes === null || offset !== null || (dtype !== 'int8' && dtype !== 'uint8')) return null;
    return { bytes, signed: dtype === 'int8', scale, halves: null };
  }
  // and(shr(cast(byte), 4 * axis), 15)
  if (!isAlu(inner) || inner.op !== 'and') return null;
  const [shifted, mask] = inner.args.map((at) => ops[at]!) as [Op, Op];
  if (mask.op !== 'const' || mask.value !== 15 || !isAlu(shifted) || shifted.op !== 'shr') return null;
  const cast = ops[shifted.args[0]!]!;
  const shift = forms[shifted.args[1]!];
  if (!isAlu(cast) || cast.op !== 'cast' || !shift || shift.constant !== 0 || shift.terms.size !== 1) return null;
  const bytes = placeAt(analysis, cast.args[0]!);
  const [[axis, by]] = [...shift.terms] as [[number, number]];
  if (bytes === null || kernel.reads[bytes.read] !== 'uint8' || axis < 0 || by !== 4) return null;
  return { bytes, signed: false, scale, halves: { axis, offset } };
}

/** The step of a form along some axes, as one run; null where they are none. */
function stepAlong(form: Affine, axes: readonly number[], extents: readonly number[]): number | null {
  let step: number | null = null;
  let stride = 0;
  for (const axis of [...axes].reverse()) {
    if (extents[axis] === 1) continue;
    const own = form.terms.get(axis) ?? 0;
    if (step === null) step = own;
    else if (own !== stride) return null;
    stride = own * extents[axis]!;
  }
  return step ?? 0;
}

export function emitDecodedProduct(
  context: ModuleContext,
  request: SpecialRequest,
  hint: Extract<Hint, { kind: 'contraction' }>,
): KernelCode | null {
  const { kernel, outStrides, aliased } = request;
  const { reduce } = kernel;
  if (reduce?.dtype !== 'float32' || reduce.op !== 'sum' || hint.batch.length > 0) return null;
  const extents = [...kernel.domain, ...reduce.extents];
  const count = (axes: readonly number[]): number => sizeOf(axes.map((axis) => extents[axis]!));
  if (sizeOf(extents) < smallest) return null;
  const analysis = analyse(kernel);
  // the bytes may be on either side
  const isRight = decodedAt(analysis, kernel, hint.right) !== null;
  const decoded = decodedAt(analysis, kernel, isRight ? hint.right : hint.left);
  const x = placeAt(analysis, isRight ? hint.left : hint.right);
  const [ofX, ofBytes] = isRight ? [hint.rows, hint.columns] : [hint.columns, hint.rows];
  if (decoded === null || x === null || kernel.reads[x.read] !== 'float32' || count(ofX) > most) return null;

  // inner axes in the order of memory: groups, halves, bytes
  const { bytes, scale, halves } = decoded;
  const inner = hint.inner.filter((axis) => extents[axis]! > 1 && axis !== halves?.axis);
  const run = inner.filter((axis) => !scale.form.terms.has(axis));
  const groups = inner.filter((axis) => scale.form.terms.has(axis));
  const [length, groupCount] = [count(run), count(groups)];
  const numbers = halves ? 2 * length : length;
  const fits =
    length % 16 === 0 &&
    stepAlong(bytes.form, run, extents) === 1 &&
    stepAlong(x.form, run, extents) === 1 &&
    (groupCount === 1 ||
      (stepAlong(bytes.form, groups, extents) === length &&
        stepAlong(x.form, groups, extents) === numbers &&
        stepAlong(scale.form, groups, extents) === 1)) &&
    (!halves || (!bytes.form.terms.has(halves.axis) && x.form.terms.get(halves.axis) === length));
  const sumStrides = !aliased && kernel.dtype === 'float32' ? outStrides : stridesOf(kernel.domain);
  const steps = {
    x: stepAlong(x.form, ofX, extents),
    bytes: stepAlong(bytes.form, ofBytes, extents),
    scale: stepAlong(scale.form, ofBytes, extents),
    rows: stepAlong({ constant: 0, terms: new Map(sumStrides.entries()) }, ofBytes, extents),
    vectors: stepAlong({ constant: 0, terms: new Map(sumStrides.entries()) }, ofX, extents),
  };
  if (!fits || Object.values(steps).includes(null) || (halves && extents[halves.axis] !== 2)) return null;
  const {
    x: xStep,
    bytes: rowBytes,
    scale: scaleStep,
    rows: rowStep,
    vectors: vectorStep,
  } = steps as Record<keyof typeof steps, number>;

  const inPlace = !aliased && kernel.dtype === 'float32';
  const vectors = count(ofX);
  const rows = count(ofBytes);
  const prepared = halves ? groupFloats(length) * groupCount : 0;
  const sums = align(4 * prepared * vectors);
  const scratch = sums + (inPlace ? 0 : align(4 * sizeOf(kernel.domain)));
  const phases: Phase[] = [];
  if (halves) {
    const shape = { length, groups: groupCount, vectors, vectorStep: xStep, start: x.form.constant };
    for (const nest of preparations(kernel, x.read, shape, halves.offset)) {
      const phase = emitNest(context, { kernel: nest.kernel, outStrides: nest.strides, outerAxes: null });
      phases.push(redirected(context, kernel, phase, { out: 4 * nest.start }));
    }
  }
  const dots = decodedDots(context, { length, signed: decoded.signed, halves: halves !== null });
  const work = (rows * vectors * groupCount * numbers) / 12;
  phases.push(
    phaseOf(context, kernel, Math.ceil(rows / unitRows), work, (driver) => {
      const [first, last, vector] = [driver.local(), driver.local(), driver.local()];
      const at = (place: Place, bytesEach: number): ReturnType<typeof plus> =>
        plus(driver.read(place.read), bytesEach * place.form.constant);
      const out = inPlace ? driver.out : plus(driver.scratch, sums);
      return [
        first.set(scaled(driver.begin, unitRows)),
        last.set(bounded(scaled(driver.end, unitRows), rows)),
        driver.blocks(vectors, 1, (index) => [
          vector.set(
            halves ? plus(driver.scratch, scaled(index, 4 * prepared)) : plus(at(x, 4), scaled(index, 4 * xStep)),
          ),
          callVoid(
            dots,
            plus(at(bytes, 1), scaled(first, rowBytes)),
            i32.const(rowBytes),
            plus(at(scale, 4), scaled(first, 4 * scaleStep)),
            i32.const(4 * scaleStep),
            i32.sub(last, first),
            vector,
            plus(plus(out, scaled(index, 4 * vectorStep)), scaled(first, 4 * rowStep)),
            i32.const(4 * rowStep),
            i32.const(groupCount),
          ),
        ]),
      ];
    }),
  );
  if (kernel.epilogue !== undefined || !inPlace) {
    const nest = emitNest(context, { kernel: epilogueKernel(kernel, sumStrides), outStrides, outerAxes: null });
    phases.push(redirected(context, kernel, nest, { extra: inPlace ? 'out' : sums }));
  }
  const path = `${halves ? 'halves of bytes' : 'bytes'} as numbers ${rows}x${vectors}x${groupCount * numbers}`;
  return { phases, scratch, own: 0, path };
}

/**
 * The vectors in the order in which halves of bytes come (see `decoded-dots.ts`): of a group [chunk, half, byte of a word, word], each
 * times 256^-byte; behind them, lane by lane, the sums that take the offset away.
 */
function preparations(
  { reads, scalars }: Kernel,
  read: number,
  {
    length,
    groups,
    vectors,
    vectorStep,
    start,
  }: Record<'length' | 'groups' | 'vectors' | 'vectorStep' | 'start', number>,
  offset: Op | null,
): { readonly kernel: Parameters<typeof emitNest>[1]['kernel']; readonly strides: number[]; readonly start: number }[] {
  const floats = groupFloats(length);
  const chunks = length / 16;
  // [vector, group, chunk, half, byte, word]
  const extents = [vectors, groups, chunks, 2, 4, 4];
  const from = [vectorStep, 2 * length, 16, length, 1, 4];
  const index = (body: BodyWriter, axes: readonly number[]): number =>
    body.sum(
      axes.map((axis, at) => [body.axis(axis), from[at]!] as const),
      start,
    );
  const ordered = new BodyWriter();
  const value = ordered.load(read, index(ordered, [0, 1, 2, 3, 4, 5]));
  let factor = ordered.push({ dtype: 'float32', op: 'const', value: 1 });
  for (const byte of [1, 2, 3]) {
    const isByte = ordered.alu('equal', 'bool', ordered.axis(4), ordered.integer(byte));
    const small = ordered.push({ dtype: 'float32', op: 'const', value: 256 ** -byte });
    factor = ordered.alu('where', 'float32', isByte, small, factor);
  }
  ordered.alu('mul', 'float32', value, factor);
  const nests = [
    {
      kernel: { domain: extents, dtype: 'float32' as const, reads, scalars, value: ordered.ops },
      strides: [groups * floats, floats, 128 / 4, 16, 4, 1],
      start: 0,
    },
  ];
  // the axes of the domain come first: vector, group, word; then chunk, half, byte
  const sums = new BodyWriter();
  sums.load(read, index(sums, [0, 1, 3, 4, 5, 2]));
  const taken: Op[] = [
    { dtype: 'float32', op: 'accumulator' },
    offset ?? { dtype: 'float32', op: 'const', value: 0 },
    { dtype: 'float32', op: 'const', value: -1 },
    { dtype: 'float32', op: 'mul', args: [1, 2] },
    { dtype: 'float32', op: 'mul', args: [0, 3] },
  ];
  const epilogue: Body = taken;
  const behind = {
    kernel: {
      domain: [vectors, groups, 4],
      dtype: 'float32' as const,
      reads,
      scalars,
      reduce: { op: 'sum' as const, extents: [chunks, 2, 4], dtype: 'float32' as const },
      value: sums.ops,
      epilogue,
    },
    strides: [groups * floats, floats, 1],
    start: 2 * length,
  };
  return [...nests, behind];
}
