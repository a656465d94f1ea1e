/**
 * The filter gradient of convolutions of 3x3 taps with stride 1, the adjoint of Winograd's F(4x4, 3x3):
 * dW = G^T (sum over tiles of (A dy A^T) * (B^T d B)) G, a matrix product S = Y V^T for each of 36 frequencies, with tiles as
 * the inner axis. Matrices are in `filtering.ts`; what is shared with `forward.ts` in `tiles.ts`.
 */
import { sizeOf } from '../../../shape.ts';
import type { I32, Local, Statement } from '../../code/assembler.ts';
import { callVoid, forLoop, i32 } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { emitNest } from '../../loops/emit.ts';
import type { KernelCode, Phase } from '../../loops/nest.ts';
import type { ConvHint } from '../conv/geometry.ts';
import { clear, type Padding, pad, padding } from '../conv/padding.ts';
import { affineBody, offsetTable } from '../conv/tables.ts';
import { bounded, type Driver, evenly, type Layout, layoutOf, phaseOf, plus, scaled } from '../driver.ts';
import { redirected } from '../operand.ts';
import type { SpecialRequest } from '../request.ts';
import { taps } from './filtering.ts';
import {
  apart,
  epilogueFrom,
  filterBlock,
  frequencies,
  type Tiling,
  tileTable,
  tilingOf,
  upTo,
  workOf,
} from './tiles.ts';

/** Everything that the phases of one gradient agree on. */
interface Plan {
  readonly context: ModuleContext;
  readonly request: SpecialRequest;
  readonly hint: ConvHint;
  readonly channels: number;
  readonly filters: number;
  /** Filters, up to whole rows of a tile of the product, and channels, up to whole panels. */
  readonly rows: number;
  readonly columns: number;
  readonly rowBlock: number;
  readonly tiling: Tiling;
  /** Images that are padded and transformed together. */
  readonly groups: number;
  /** Parts of the batch are summed apart, for threads; their number follows from the shapes alone, and so do the bits. */
  readonly parts: number;
  readonly padded: { readonly image: Padding; readonly cotangent: Padding };
  /** Bytes from one frequency to the next, of sums and of both panels; and of the sums of all frequencies. */
  readonly steps: { readonly sums: number; readonly left: number; readonly right: number };
  readonly sumBytes: number;
  /** Channels of the result before it goes to the output, and what lies where. */
  readonly span: number;
  readonly shared: Layout;
  readonly own: Layout;
}

export function winogradWeight(context: ModuleContext, request: SpecialRequest, hint: ConvHint): KernelCode {
  const plan = planOf(context, request, hint);
  const { channels, filters, span, shared, own } = plan;
  const tables = imageTables(plan);
  const resultTable = offsetTable(context, [span], [taps * taps]);
  const main = products(plan, tables);
  const phases = [main, ...(plan.parts > 1 ? [total(plan)] : []), results(plan, resultTable)];
  const epilogue = epilogueFrom(context, request, [span * taps * taps, taps * taps, taps, 1], null);
  phases.push(redirected(context, request.kernel, epilogue, { extra: shared.at('filters') }));
  const pixels = hint.output[0]! * sizeOf(hint.output.slice(2));
  const path = `winograd weight ${filters}x${channels}x${pixels}`;
  return { phases, scratch: shared.bytes, own: own.bytes, path };
}

function planOf(context: ModuleContext, request: SpecialRequest, hint: ConvHint): Plan {
  const { input, output } = hint;
  const [batch, channels, filters] = [input[0]!, input[1]!, output[1]!];
  const rows = upTo(filters, 4);
  const columns = upTo(channels, 8);
  const rowBlock = evenly(rows, filterBlock, 4);
  const tiling = tilingOf(output.slice(2), batch, rowBlock, columns);
  const { images, tiles, width, whole, needed } = tiling;
  const groups = batch / images;
  const steps = { sums: apart(rows * columns), left: apart(rowBlock * width), right: apart(columns * width) };
  const sumBytes = frequencies * steps.sums;
  const parts = Math.max(1, Math.min(8, groups, Math.floor(2 ** 23 / sumBytes)));
  const padded = {
    image: padding(context, images * channels, input.slice(2), needed, hint.padding),
    cotangent: padding(context, images * filters, output.slice(2), whole, [0, 0]),
  };
  const span = upTo(channels, 4);
  const shared = layoutOf([
    ['sums', parts * sumBytes],
    ['filters', 4 * filters * span * taps * taps],
  ]);
  const own = layoutOf([
    ['temporary', 16 * frequencies],
    ['edge', 128],
    ['tileIn', 4 * (tiles + 8)],
    ['tileOut', 4 * (tiles + 8)],
    ['channels', 4 * (span + 8)],
    ['filters', 4 * (filters + 8)],
    ['image', padded.image.bytes],
    ['cotangent', padded.cotangent.bytes],
    ['left', frequencies * steps.left],
    ['right', frequencies * steps.right],
  ]);
  const sizes = { channels, filters, rows, columns, rowBlock, groups, parts, sumBytes, span };
  return { context, request, hint, ...sizes, tiling, padded, steps, shared, own };
}

/** Where tiles, channels and filters lie in images and cotangents. */
function imageTables({ context, tiling, padded, channels, filters }: Plan): (driver: Driver) => Statement[] {
  const { image, cotangent } = padded;
  const tileIn = tileTable(context, tiling, image.strides, channels);
  const tileOut = tileTable(context, tiling, cotangent.strides, filters);
  const channelTable = offsetTable(context, [channels], [image.strides[0]!]);
  const filterTable = offsetTable(context, [filters], [cotangent.strides[0]!]);
  return (driver) => [
    ...driver.table(tileIn, 'tileIn', tiling.tiles),
    ...driver.table(tileOut, 'tileOut', tiling.tiles),
    ...driver.table(channelTable, 'channels', channels),
    ...driver.table(filterTable, 'filters', filters),
  ];
}

/** S = Y V^T of some filters and one part of the batch: a unit. */
function products(plan: Plan, tables: (driver: Driver) => Statement[]): Phase {
  const { context, request, hint, rows, columns, rowBlock, tiling, groups, parts, padded, sumBytes, shared, own } =
    plan;
  const { images, tiles, width } = tiling;
  const rowBlocks = Math.ceil(rows / rowBlock);
  const build = (driver: Driver): Statement[] => {
    const [unit, part, row, height] = [driver.local(), driver.local(), driver.local(), driver.local()];
    const [sums, group, last, image, cotangent] = [
      driver.local(),
      driver.local(),
      driver.local(),
      driver.local(),
      driver.local(),
    ];
    const [column, count, frequency, adds] = [driver.local(), driver.local(), driver.local(), driver.local()];
    const block = tileProducts(plan, driver, { row, height, sums, image, cotangent, column, count, frequency, adds });
    /** The first group of a part. */
    const border = (index: I32): I32 => (parts === groups ? index : i32.divU(scaled(index, groups), i32.const(parts)));
    /** The images of this group, in zeros where they need them. */
    const padImages = (local: Local<'i32'>, name: 'image' | 'cotangent', read: number, shape: readonly number[]) => {
      const from = plus(driver.read(read), scaled(group, 4 * images * sizeOf(shape.slice(1))));
      if (padded[name].bytes === 0) return [local.set(from)];
      return [local.set(driver.at(name)), ...pad(padded[name], driver, driver.at(name), from)];
    };
    return [
      ...tables(driver),
      ...clear(padded.image, driver.at('image')),
      ...clear(padded.cotangent, driver.at('cotangent')),
      driver.units(unit, [
        part.set(i32.divU(unit, i32.const(rowBlocks))),
        row.set(scaled(i32.remU(unit, i32.const(rowBlocks)), rowBlock)),
        height.set(bounded(i32.sub(i32.const(rows), row), rowBlock)),
        sums.set(plus(plus(driver.scratch, shared.at('sums')), plus(scaled(part, sumBytes), scaled(row, 4 * columns)))),
        adds.set(i32.const(0)),
        last.set(border(plus(part, 1))),
        forLoop(
          group,
          border(part),
          last,
          1,
          [
            ...padImages(image, 'image', 0, hint.input),
            ...padImages(cotangent, 'cotangent', 1, hint.output),
            forLoop(column, i32.const(0), i32.const(tiles), width, block, true),
          ],
          true,
        ),
      ]),
    ];
  };
  return phaseOf(context, request.kernel, parts * rowBlocks, workOf(hint), build, own);
}

/** One block of tiles: both transforms, and the products of all frequencies, added to the sums. */
function tileProducts(
  { channels, columns, tiling, padded, steps }: Plan,
  driver: Driver,
  at: Readonly<
    Record<'row' | 'height' | 'sums' | 'image' | 'cotangent' | 'column' | 'count' | 'frequency' | 'adds', Local<'i32'>>
  >,
): Statement[] {
  const patches = driver.library(
    'patchPanels',
    at.image,
    driver.at('right'),
    driver.at('temporary'),
    plus(driver.at('tileIn'), scaled(at.column, 4)),
    at.count,
    driver.at('channels'),
    channels,
    4 * padded.image.strides[1]!,
    steps.right,
  );
  const cotangents = driver.library(
    'cotangentPanels',
    at.cotangent,
    driver.at('left'),
    driver.at('temporary'),
    plus(driver.at('tileOut'), scaled(at.column, 4)),
    at.count,
    plus(driver.at('filters'), scaled(at.row, 4)),
    at.height,
    4 * padded.cotangent.strides[1]!,
    steps.left,
  );
  const multiply = driver.library(
    'multiplyFours',
    plus(driver.at('left'), scaled(at.frequency, steps.left)),
    plus(driver.at('right'), scaled(at.frequency, steps.right)),
    plus(at.sums, scaled(at.frequency, steps.sums)),
    at.height,
    columns,
    at.count,
    4 * columns,
    at.adds,
    driver.at('edge'),
  );
  return [
    at.count.set(bounded(i32.sub(i32.const(tiling.tiles), at.column), tiling.width)),
    patches,
    cotangents,
    forLoop(at.frequency, i32.const(0), i32.const(frequencies), 1, [multiply], true),
    at.adds.set(i32.const(1)),
  ];
}

/** The sums of all parts, in the place of the first. */
function total({ context, request, parts, sumBytes, shared }: Plan): Phase {
  const all = sumBytes / 4;
  const nest = emitNest(context, {
    kernel: {
      domain: [all],
      dtype: 'float32',
      reads: ['float32'],
      scalars: [],
      reduce: { op: 'sum', extents: [parts], dtype: 'float32' },
      value: affineBody([1, all], 0, 0),
    },
    outStrides: [1],
    outerAxes: null,
  });
  return phaseOf(context, request.kernel, nest.units, nest.units * nest.grain, (driver) => {
    const at = plus(driver.scratch, shared.at('sums'));
    return [callVoid(nest.reference, at, at, driver.scratch, driver.own, driver.begin, driver.end)];
  });
}

/** dW = G^T S G, filter by filter. */
function results(
  { context, request, channels, filters, columns, span, steps, shared, own }: Plan,
  table: Phase,
): Phase {
  const build = (driver: Driver): Statement[] => {
    const unit = driver.local();
    return [
      ...driver.table(table, 'channels', span),
      driver.units(unit, [
        driver.library(
          'filterResults',
          plus(plus(driver.scratch, shared.at('sums')), scaled(unit, 4 * columns)),
          plus(plus(driver.scratch, shared.at('filters')), scaled(unit, 4 * span * taps * taps)),
          driver.at('temporary'),
          driver.at('channels'),
          channels,
          1,
          0,
          0,
          4 * taps,
          steps.sums,
        ),
      ]),
    ];
  };
  return phaseOf(context, request.kernel, filters, filters * channels * 30, build, own);
}
