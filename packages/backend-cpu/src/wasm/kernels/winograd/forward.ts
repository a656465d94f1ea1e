/**
 * Convolutions of 3x3 taps with stride 1 by Winograd's F(4x4, 3x3), and their input gradient: one matrix product M = U V for
 * each of 36 frequencies, U of filters [frequency, filter, channel], V of patches [frequency, channel, tile], both
 * transformed straight into the product's panels. The input gradient is the same of the cotangent, with turned filters.
 * Matrices are in `filtering.ts`, transforms in `panels.ts` and `results.ts`, the choice in `conv.ts`.
 */
import { sizeOf, stridesOf } from '../../../shape.ts';
import type { Statement } from '../../code/assembler.ts';
import { forLoop, i32 } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import type { KernelCode, Phase } from '../../loops/nest.ts';
import type { ConvHint } from '../conv/geometry.ts';
import { clear, type Padding, pad, padding } from '../conv/padding.ts';
import { offsetTable } from '../conv/tables.ts';
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

/** Everything that the phases of one convolution agree on. */
interface Plan {
  readonly context: ModuleContext;
  readonly request: SpecialRequest;
  readonly hint: ConvHint;
  readonly turned: boolean;
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  /** Filters, up to whole rows of a tile of the product, and how many of them are multiplied before they are turned back. */
  readonly rows: number;
  readonly rowBlock: number;
  readonly tiling: Tiling;
  /** Few images: blocks of tiles are units of their own, for threads; then padding and epilogue are phases for all of them. */
  readonly split: boolean;
  readonly padded: Padding;
  /** Bytes of the sums of one image, tiles being whole. */
  readonly sumBytes: number;
  /** Bytes from one frequency to the next, of filters, patches and products. */
  readonly steps: { readonly filters: number; readonly patches: number; readonly products: number };
  /** What all threads share, and a thread's own memory. */
  readonly shared: Layout;
  readonly own: Layout;
}

/** Forward; with `turned` the input gradient, whose hint is that of the forward product of the cotangent. */
export function winogradForward(
  context: ModuleContext,
  request: SpecialRequest,
  hint: ConvHint,
  turned = false,
): KernelCode {
  const plan = planOf(context, request, hint, turned);
  const { kernel } = request;
  const { batch, filters, channels, split, padded, tiling } = plan;
  const tables = imageTables(plan);
  const transform = filterTransform(plan);
  const sumStrides = stridesOf([batch, filters, ...tiling.whole]);
  const epilogue = epilogueFrom(context, request, sumStrides, split ? null : 2);
  const phases = [
    transform,
    ...(split && padded.bytes > 0 ? [padAll(plan)] : []),
    products(plan, tables, split ? null : epilogue),
    ...(split ? [redirected(context, kernel, epilogue, { extra: plan.shared.at('sums') })] : []),
  ];
  return {
    phases,
    scratch: plan.shared.bytes,
    own: Math.max(plan.own.bytes, plan.own.at('right') + 4 * (plan.rows + channels + 24)),
    path: `winograd ${turned ? 'input' : 'forward'} ${filters}x${batch * sizeOf(hint.output.slice(2))}x${channels}`,
  };
}

function planOf(context: ModuleContext, request: SpecialRequest, hint: ConvHint, turned: boolean): Plan {
  const { input, output } = hint;
  const [batch, channels, filters] = [input[0]!, input[1]!, output[1]!];
  const rows = upTo(filters, 4);
  const rowBlock = evenly(rows, filterBlock, 4);
  const tiling = tilingOf(output.slice(2), batch, channels, rowBlock);
  const { images, tiles, width, whole } = tiling;
  const split = batch / images < 8 && tiles > width;
  const padded = padding(context, (split ? batch : images) * channels, input.slice(2), tiling.needed, hint.padding);
  const sumBytes = 4 * filters * sizeOf(whole);
  const steps = {
    filters: apart(rows * channels),
    patches: apart(channels * width),
    products: apart(rowBlock * width),
  };
  const shared = layoutOf([
    ['filters', frequencies * steps.filters],
    ['sums', split ? batch * sumBytes : 0],
    ['image', split ? padded.bytes : 0],
  ]);
  const own = layoutOf([
    ['temporary', 16 * frequencies],
    ['edge', 128],
    ['tileIn', 4 * (tiles + 8)],
    ['tileOut', 4 * (tiles + 8)],
    ['channels', 4 * (channels + 8)],
    ['image', split ? 0 : padded.bytes],
    ['sums', split ? 0 : images * sumBytes],
    ['right', frequencies * steps.patches],
    ['products', frequencies * steps.products],
  ]);
  const sizes = { batch, channels, filters, rows, rowBlock };
  return { context, request, hint, turned, ...sizes, tiling, split, padded, sumBytes, steps, shared, own };
}

/** Where tiles and channels lie in images and sums. */
function imageTables({ context, tiling, padded, channels, filters }: Plan): (driver: Driver) => Statement[] {
  const tileIn = tileTable(context, tiling, padded.strides, channels);
  const tileOut = tileTable(context, tiling, stridesOf([filters, ...tiling.whole]), filters);
  const channelIn = offsetTable(context, [channels], [padded.strides[0]!]);
  return (driver) => [
    ...driver.table(tileIn, 'tileIn', tiling.tiles),
    ...driver.table(tileOut, 'tileOut', tiling.tiles),
    ...driver.table(channelIn, 'channels', channels),
  ];
}

/** Filters of a unit of their transform: as many as native code has lanes. */
const together = 8;

/** U = G g G^T of all filters. They are rows, and channels are summed over; in [O, C, 3, 3] turned ones lie the other way. */
function filterTransform({ context, request, turned, channels, filters, rows, steps, shared, own }: Plan): Phase {
  const [filterStep, channelStep] = turned ? [1, filters] : [channels, 1];
  const filterTable = offsetTable(context, [filters], [filterStep * taps * taps]);
  const channelTable = offsetTable(context, [channels], [channelStep * taps * taps]);
  // The tables lie where panels of patches will be.
  const filterAt = own.at('right');
  const channelAt = filterAt + 4 * (rows + 8);
  const build = (driver: Driver): Statement[] => {
    const unit = driver.local();
    return [
      ...driver.table(filterTable, filterAt, filters),
      ...driver.table(channelTable, channelAt, channels),
      driver.units(unit, [
        driver.library(
          turned ? 'turnedPanels' : 'filterPanels',
          driver.read(1),
          plus(driver.scratch, plus(i32.const(shared.at('filters')), scaled(unit, 4 * together * channels))),
          driver.at('temporary'),
          driver.at(channelAt),
          channels,
          plus(driver.at(filterAt), scaled(unit, 4 * together)),
          bounded(i32.sub(i32.const(rows), scaled(unit, together)), together),
          4 * taps,
          steps.filters,
        ),
      ]),
    ];
  };
  return phaseOf(context, request.kernel, Math.ceil(rows / together), rows * channels * 8, build, own);
}

/** All images into zeros, in memory that threads share. */
function padAll({ context, request, hint, padded, shared }: Plan): Phase {
  return phaseOf(context, request.kernel, 1, sizeOf(hint.input), (driver) => {
    const at = plus(driver.scratch, shared.at('image'));
    return [...clear(padded, at), ...pad(padded, driver, at, driver.read(0))];
  });
}

/** V = B^T d B of some tiles, M = U V, and the tiles A^T M A of the output; `epilogue`: of the images, right behind. */
function products(plan: Plan, tables: (driver: Driver) => Statement[], epilogue: Phase | null): Phase {
  const { context, request, hint, batch, channels, filters, tiling, split, padded, sumBytes, shared, own } = plan;
  const { images, tiles, width } = tiling;
  const blocks = Math.ceil(tiles / width);
  const units = (batch / images) * (split ? blocks : 1);
  const build = (driver: Driver): Statement[] => {
    const [unit, group, from, sums] = [driver.local(), driver.local(), driver.local(), driver.local()];
    const [column, columns, last] = [driver.local(), driver.local(), driver.local()];
    const image = driver.at('image');
    const space = sizeOf(hint.input.slice(2));
    const groupBytes = (extents: number): number => 4 * images * channels * extents;
    const panels = [
      columns.set(bounded(i32.sub(i32.const(tiles), column), width)),
      ...tileProducts(plan, driver, { from, sums, column, columns }),
    ];
    return [
      ...tables(driver),
      ...(split ? [] : clear(padded, image)),
      driver.units(unit, [
        group.set(split ? i32.divU(unit, i32.const(blocks)) : unit),
        sums.set(
          split ? plus(plus(driver.scratch, shared.at('sums')), scaled(group, images * sumBytes)) : driver.at('sums'),
        ),
        from.set(
          split && padded.bytes > 0
            ? plus(plus(driver.scratch, shared.at('image')), scaled(group, groupBytes(sizeOf(tiling.needed))))
            : plus(driver.read(0), scaled(group, groupBytes(space))),
        ),
        ...(!split && padded.bytes > 0 ? [...pad(padded, driver, image, from), from.set(image)] : []),
        column.set(split ? scaled(i32.remU(unit, i32.const(blocks)), width) : i32.const(0)),
        last.set(split ? bounded(plus(column, width), tiles) : i32.const(tiles)),
        forLoop(column, column, last, width, panels, true),
        ...(epilogue
          ? [
              driver.call(epilogue, scaled(group, images * filters), scaled(plus(group, 1), images * filters), {
                extra: i32.sub(sums, scaled(group, images * sumBytes)),
              }),
            ]
          : []),
      ]),
    ];
  };
  return phaseOf(context, request.kernel, units, workOf(hint), build, own);
}

/** One block of tiles, for all filters. */
function tileProducts(
  { padded, tiling, steps, channels, filters, rows, rowBlock, shared }: Plan,
  driver: Driver,
  at: Readonly<Record<'from' | 'sums' | 'column' | 'columns', ReturnType<Driver['local']>>>,
): Statement[] {
  const [frequency, row, height] = [driver.local(), driver.local(), driver.local()];
  const { whole, width } = tiling;
  const filterBytes = 4 * sizeOf(whole);
  const panels = driver.library(
    'patchPanels',
    at.from,
    driver.at('right'),
    driver.at('temporary'),
    driver.at('channels'),
    channels,
    plus(driver.at('tileIn'), scaled(at.column, 4)),
    at.columns,
    4 * padded.strides[1]!,
    steps.patches,
  );
  const multiply = driver.library(
    'multiplyFours',
    plus(plus(driver.scratch, shared.at('filters')), plus(scaled(frequency, steps.filters), scaled(row, 4 * channels))),
    plus(driver.at('right'), scaled(frequency, steps.patches)),
    plus(driver.at('products'), scaled(frequency, steps.products)),
    height,
    // Whole panels: what lies beyond the last tile repeats it.
    i32.and(plus(at.columns, 7), i32.const(-8)),
    channels,
    4 * width,
    0,
    driver.at('edge'),
  );
  return [
    panels,
    forLoop(
      row,
      i32.const(0),
      i32.const(rows),
      rowBlock,
      [
        height.set(bounded(i32.sub(i32.const(rows), row), rowBlock)),
        forLoop(frequency, i32.const(0), i32.const(frequencies), 1, [multiply], true),
        driver.library(
          'tileResults',
          driver.at('products'),
          plus(at.sums, scaled(row, filterBytes)),
          driver.at('temporary'),
          plus(driver.at('tileOut'), scaled(at.column, 4)),
          at.columns,
          bounded(i32.sub(i32.const(filters), row), rowBlock),
          4 * width,
          filterBytes,
          4 * whole[1]!,
          steps.products,
        ),
      ],
      true,
    ),
  ];
}
