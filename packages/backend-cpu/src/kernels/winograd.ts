/**
 * Convolutions of 3x3 taps with stride 1 by Winograd's F(4x4, 3x3), forward and both gradients: tiles, filters and
 * cotangents are transformed straight into the panels of one matrix product for each of 36 frequencies.
 *   forward  M = U V, U of filters [frequency, filter, channel], V of patches [frequency, channel, tile];  input gradient:
 *   the same of the cotangent, with turned filters;  filter gradient  S = Y V^T, Y of the cotangent, summed over all tiles.
 * It owns blocks and memory; the transforms are in `winograd-transforms.ts`, the choice of the way in `conv.ts`.
 */
import type { Kernel } from '@nn/core';
import { sizeOf, stridesOf } from '../shape.ts';
import type { Expression, I32, Statement } from '../wasm/assembler.ts';
import { emitNest, type KernelCode, kernelParameters, type Phase } from '../wasm/emit.ts';
import { callVoid, forLoop, i32, memory } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import type { SpecialRequest } from '../wasm/special.ts';
import {
  affineBody,
  bounded,
  type ConvHint,
  Driver,
  evenly,
  offsetTable,
  ownLayout,
  padding,
  scaled,
} from './conv-parts.ts';
import { epilogueKernel, redirected } from './operand.ts';
import { reach, taps, tile } from './winograd-transforms.ts';

const frequencies = reach * reach;
/** Filters whose products are made before they are turned back. */
const filterBlock = 128;
/** Bytes of transformed tiles and products that should stay in the second-level cache. */
const blockBytes = 2 ** 20;

/** Bytes from one frequency to the next: an odd number of cache lines, or all 36 would fall into the same few sets. */
const apart = (floats: number): number => (Math.ceil(floats / 16) | 1) * 64;
const upTo = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
const bytesPlus = (base: I32, offset: I32 | number): I32 =>
  i32.add(base, typeof offset === 'number' ? i32.const(offset) : offset);

/** Whether the transforms cost less than they save: they are shared by filters, channels and tiles. */
export function winogradFits({ form, input, weight, output, stride, dilation, groups }: ConvHint): boolean {
  const [filters, channels] = weight as readonly [number, number];
  const space = (form === 'input' ? input : output).slice(2);
  const tiles = space.reduce((count, extent) => count * Math.ceil(extent / tile), input[0] as number);
  return (
    groups === 1 &&
    weight.length === 4 &&
    weight.slice(2).every((extent) => extent === taps) &&
    [...stride, ...dilation].every((step) => step === 1) &&
    Math.min(filters, channels) >= 8 &&
    space.every((extent) => extent >= tile) &&
    tiles >= Math.max(12, (filters * channels) / 2 ** 13)
  );
}

/** How images are cut into tiles, and tiles into blocks; `images` are padded and turned back together. */
interface Tiling {
  /** Extents in tiles, in outputs with the last tiles whole, and in places of the input. */
  readonly counts: readonly number[];
  readonly whole: readonly number[];
  readonly needed: readonly number[];
  readonly images: number;
  /** Tiles of these images, and of a block. */
  readonly tiles: number;
  readonly width: number;
}

function tilingOf(space: readonly number[], batch: number, rows: number, columns: number): Tiling {
  const counts = space.map((extent) => Math.ceil(extent / tile));
  const each = sizeOf(counts);
  const fit = Math.max(48, Math.floor(blockBytes / (4 * frequencies * (rows + columns))));
  // Blocks go across images, so that few of them end within a panel.
  let images = Math.min(batch, Math.max(1, Math.floor((2 * fit) / each)));
  while (batch % images > 0) images -= 1;
  const tiles = images * each;
  const whole = counts.map((count) => count * tile);
  const needed = whole.map((extent) => extent + taps - 1);
  return { counts, whole, needed, images, tiles, width: evenly(tiles, fit, 8) };
}

/** Offsets of tiles in images of `channels` channels. */
function tileTable(
  context: ModuleContext,
  { counts, images }: Tiling,
  strides: readonly number[],
  channels: number,
): Phase {
  const [channel, row] = strides as readonly [number, number];
  return offsetTable(context, [images, ...counts], [channels * channel, tile * row, tile]);
}

/** The kernel's epilogue, or a copy, from sums of other strides than the output's: one more read. */
function epilogueFrom(
  context: ModuleContext,
  { kernel, outStrides }: SpecialRequest,
  sumStrides: readonly number[],
  outerAxes: number | null,
): Phase {
  return emitNest(context, { kernel: epilogueKernel(kernel, sumStrides), outStrides, outerAxes });
}

/** A phase of the kernel whose code gets a driver. */
function phaseOf(
  context: ModuleContext,
  kernel: Kernel,
  units: number,
  work: number,
  build: (driver: Driver) => Statement[],
): Phase {
  const reference = context.module.function(null, kernelParameters(kernel), [], (builder) => {
    builder.emit(...build(new Driver(context, builder)));
  });
  return { reference, units, grain: work / units };
}

/** Forward; with `turned` the input gradient, whose hint is that of the forward product of the cotangent. */
export function winogradForward(
  context: ModuleContext,
  request: SpecialRequest,
  hint: ConvHint,
  turned: boolean,
): KernelCode {
  const { kernel } = request;
  const { input, output } = hint;
  const [batch, channels, filters] = [input[0] as number, input[1] as number, output[1] as number];
  const rows = upTo(filters, 4);
  const rowBlock = evenly(rows, filterBlock, 4);
  const tiling = tilingOf(output.slice(2), batch, channels, rowBlock);
  const { images, tiles, width, whole } = tiling;
  const blocks = Math.ceil(tiles / width);
  // Few images: blocks of tiles are units of their own, for threads; then padding and epilogue are phases for all of them.
  const split = batch / images < 8 && blocks > 1;
  const padded = split ? batch : images;
  const pad = padding(context, padded * channels, input.slice(2), tiling.needed, hint.padding);
  const sumStrides = stridesOf([filters, ...whole]);
  const sumBytes = 4 * filters * sizeOf(whole);
  const tileIn = tileTable(context, tiling, pad.strides, channels);
  const tileOut = tileTable(context, tiling, sumStrides, filters);
  const channelIn = offsetTable(context, [channels], [pad.strides[0] as number]);
  // Filters are rows and channels are summed over; in the kernel's weights [O, C, 3, 3] turned ones lie the other way.
  const steps = [turned ? taps * taps : channels * taps * taps, turned ? filters * taps * taps : taps * taps] as const;
  const filterTable = offsetTable(context, [filters], [steps[0]]);
  const innerTable = offsetTable(context, [channels], [steps[1]]);
  const epilogue = epilogueFrom(context, request, stridesOf([batch, filters, ...whole]), split ? null : 2);

  const filterBytes = apart(rows * channels);
  const rightBytes = apart(channels * width);
  const productBytes = apart(rowBlock * width);
  const shared = ownLayout([
    ['filters', frequencies * filterBytes],
    ['sums', split ? batch * sumBytes : 0],
    ['image', split ? pad.bytes : 0],
  ]);
  const layout = ownLayout([
    ['temporary', 16 * frequencies],
    ['edge', 128],
    ['tileIn', 4 * (tiles + 8)],
    ['tileOut', 4 * (tiles + 8)],
    ['channels', 4 * (channels + 8)],
    ['image', split ? 0 : pad.bytes],
    ['sums', split ? 0 : images * sumBytes],
    ['right', frequencies * rightBytes],
    ['products', frequencies * productBytes],
  ]);
  const transform = phaseOf(context, kernel, rows / 4, rows * channels * 8, (driver) => {
    const unit = driver.local();
    const tables = [layout.at('right'), layout.at('right') + 4 * (rows + 8)] as const;
    return [
      ...driver.table(filterTable, tables[0], filters),
      ...driver.table(innerTable, tables[1], channels),
      forLoop(unit, driver.begin, driver.end, 1, [
        driver.library(
          turned ? 'turnedPanels' : 'filterPanels',
          driver.builder.parameter(2, 'i32'),
          bytesPlus(driver.scratch, bytesPlus(i32.const(shared.at('filters')), scaled(unit, 16 * channels))),
          driver.at(layout.at('temporary')),
          driver.at(tables[1]),
          i32.const(channels),
          bytesPlus(driver.at(tables[0]), scaled(unit, 16)),
          i32.const(4),
          i32.const(4 * taps),
          i32.const(filterBytes),
        ),
      ]),
    ];
  });
  const fill = (driver: Driver, at: I32, first: I32): Statement[] => [
    ...(pad.copy ? [driver.copy(pad.copy, bytesPlus(at, 4 * pad.shift), first)] : []),
  ];
  const units = (batch / images) * (split ? blocks : 1);
  const work = batch * filters * sizeOf(output.slice(2)) * channels * 0.12;
  const main = phaseOf(context, kernel, units, work, (driver) => {
    const unit = driver.local();
    const group = driver.local();
    const from = driver.local();
    const sums = driver.local();
    const column = driver.local();
    const columns = driver.local();
    const last = driver.local();
    const frequency = driver.local();
    const row = driver.local();
    const height = driver.local();
    const imageBytes = 4 * images * channels * sizeOf(pad.bytes > 0 ? tiling.needed : input.slice(2));
    const own = driver.at(layout.at('image'));
    const product: Statement[] = [
      columns.set(bounded(i32.sub(i32.const(tiles), column), width)),
      driver.library(
        'patchPanels',
        from,
        driver.at(layout.at('right')),
        driver.at(layout.at('temporary')),
        driver.at(layout.at('channels')),
        i32.const(channels),
        bytesPlus(driver.at(layout.at('tileIn')), scaled(column, 4)),
        columns,
        i32.const(4 * (pad.strides[1] as number)),
        i32.const(rightBytes),
      ),
      forLoop(
        row,
        i32.const(0),
        i32.const(rows),
        rowBlock,
        [
          height.set(bounded(i32.sub(i32.const(rows), row), rowBlock)),
          forLoop(
            frequency,
            i32.const(0),
            i32.const(frequencies),
            1,
            [
              driver.library(
                'multiplyFours',
                bytesPlus(
                  bytesPlus(driver.scratch, shared.at('filters')),
                  i32.add(scaled(frequency, filterBytes), scaled(row, 4 * channels)),
                ),
                bytesPlus(driver.at(layout.at('right')), scaled(frequency, rightBytes)),
                bytesPlus(driver.at(layout.at('products')), scaled(frequency, productBytes)),
                height,
                // Whole panels: what lies beyond the last tile repeats it.
                i32.and(i32.add(columns, i32.const(7)), i32.const(-8)),
                i32.const(channels),
                i32.const(4 * width),
                i32.const(0),
                driver.at(layout.at('edge')),
              ),
            ],
            true,
          ),
          driver.library(
            'tileResults',
            driver.at(layout.at('products')),
            bytesPlus(sums, scaled(row, 4 * sizeOf(whole))),
            driver.at(layout.at('temporary')),
            bytesPlus(driver.at(layout.at('tileOut')), scaled(column, 4)),
            columns,
            bounded(i32.sub(i32.const(filters), row), rowBlock),
            i32.const(4 * width),
            i32.const(4 * sizeOf(whole)),
            i32.const(4 * (whole[1] as number)),
            i32.const(productBytes),
          ),
        ],
        true,
      ),
    ];
    return [
      ...driver.table(tileIn, layout.at('tileIn'), tiles),
      ...driver.table(tileOut, layout.at('tileOut'), tiles),
      ...driver.table(channelIn, layout.at('channels'), channels),
      ...(!split && pad.bytes > 0 ? [memory.fill(own, i32.const(0), i32.const(pad.bytes))] : []),
      forLoop(unit, driver.begin, driver.end, 1, [
        group.set(split ? i32.divU(unit, i32.const(blocks)) : unit),
        sums.set(
          split
            ? bytesPlus(bytesPlus(driver.scratch, shared.at('sums')), scaled(group, images * sumBytes))
            : driver.at(layout.at('sums')),
        ),
        from.set(
          split && pad.bytes > 0
            ? bytesPlus(bytesPlus(driver.scratch, shared.at('image')), scaled(group, imageBytes))
            : bytesPlus(
                driver.builder.parameter(1, 'i32'),
                scaled(group, 4 * images * channels * sizeOf(input.slice(2))),
              ),
        ),
        ...(!split && pad.bytes > 0 ? [...fill(driver, own, from), from.set(own)] : []),
        column.set(split ? scaled(i32.remU(unit, i32.const(blocks)), width) : i32.const(0)),
        last.set(split ? bounded(i32.add(column, i32.const(width)), tiles) : i32.const(tiles)),
        forLoop(column, column, last, width, product, true),
        ...(split
          ? []
          : [
              callVoid(
                epilogue.reference,
                ...epilogueArguments(driver, kernel, i32.sub(sums, scaled(group, images * sumBytes))),
                scaled(group, images * filters),
                scaled(i32.add(group, i32.const(1)), images * filters),
              ),
            ]),
      ]),
    ];
  });
  const phases: Phase[] = [transform];
  if (split && pad.bytes > 0) {
    phases.push(
      phaseOf(context, kernel, 1, sizeOf(input), (driver) => {
        const at = bytesPlus(driver.scratch, shared.at('image'));
        return [
          memory.fill(at, i32.const(0), i32.const(pad.bytes)),
          ...fill(driver, at, driver.builder.parameter(1, 'i32')),
        ];
      }),
    );
  }
  phases.push(main);
  if (split) phases.push(redirected(context, kernel, epilogue, { extra: shared.at('sums') }));
  const ownBytes = Math.max(layout.bytes, layout.at('right') + 4 * (rows + channels + 24));
  return {
    phases,
    scratch: shared.bytes,
    own: ownBytes,
    path: `winograd ${turned ? 'input' : 'forward'} ${filters}x${batch * sizeOf(output.slice(2))}x${channels}`,
  };
}

/** The parameters of an epilogue before its range of units, with the sums as the last read. */
function epilogueArguments(driver: Driver, kernel: Kernel, sums: I32): Expression[] {
  const parameters = kernelParameters(kernel);
  const values = parameters.slice(0, -2).map((type, at) => driver.builder.parameter(at, type));
  return [...values.slice(0, 1 + kernel.reads.length), sums, ...values.slice(1 + kernel.reads.length)];
}

/** dW = G^T (sum over tiles of (A dy A^T) * (B^T d B)) G: the adjoint of the forward transforms. */
export function winogradWeight(context: ModuleContext, request: SpecialRequest, hint: ConvHint): KernelCode {
  const { kernel } = request;
  const { input, output } = hint;
  const [batch, channels, filters] = [input[0] as number, input[1] as number, output[1] as number];
  const rows = upTo(filters, 4);
  const columns = upTo(channels, 8);
  const rowBlock = evenly(rows, filterBlock, 4);
  const rowBlocks = Math.ceil(rows / rowBlock);
  const tiling = tilingOf(output.slice(2), batch, rowBlock, columns);
  const { images, tiles, width, whole, needed } = tiling;
  const groups = batch / images;
  const frequencyBytes = apart(rows * columns);
  const sumBytes = frequencies * frequencyBytes;
  const leftBytes = apart(rowBlock * width);
  const rightBytes = apart(columns * width);
  // Parts of the batch are summed apart, for threads; their number follows from the shapes alone, and so do the bits.
  const parts = Math.max(1, Math.min(8, groups, Math.floor(2 ** 23 / sumBytes)));
  const pad = padding(context, images * channels, input.slice(2), needed, hint.padding);
  const cotangentPad = padding(context, images * filters, output.slice(2), whole, [0, 0]);
  const tileIn = tileTable(context, tiling, pad.strides, channels);
  const tileOut = tileTable(context, tiling, cotangentPad.strides, filters);
  const channelTable = offsetTable(context, [channels], [pad.strides[0] as number]);
  const filterTable = offsetTable(context, [filters], [cotangentPad.strides[0] as number]);
  const channelSpan = upTo(channels, 4);
  const resultTable = offsetTable(context, [channelSpan], [taps * taps]);
  const shared = ownLayout([
    ['sums', parts * sumBytes],
    ['filters', 4 * filters * channelSpan * taps * taps],
  ]);
  const layout = ownLayout([
    ['temporary', 16 * frequencies],
    ['edge', 128],
    ['tileIn', 4 * (tiles + 8)],
    ['tileOut', 4 * (tiles + 8)],
    ['channels', 4 * (channelSpan + 8)],
    ['filters', 4 * (filters + 8)],
    ['image', pad.bytes],
    ['cotangent', cotangentPad.bytes],
    ['left', frequencies * leftBytes],
    ['right', frequencies * rightBytes],
  ]);
  const work = batch * filters * sizeOf(output.slice(2)) * channels * 0.12;
  const main = phaseOf(context, kernel, parts * rowBlocks, work, (driver) => {
    const unit = driver.local();
    const part = driver.local();
    const row = driver.local();
    const height = driver.local();
    const sums = driver.local();
    const group = driver.local();
    const last = driver.local();
    const image = driver.local();
    const cotangent = driver.local();
    const column = driver.local();
    const count = driver.local();
    const frequency = driver.local();
    const adds = driver.local();
    const padded = (local: typeof image, space: typeof pad, name: string, read: number, bytes: number): Statement[] => {
      const from = bytesPlus(driver.builder.parameter(read, 'i32'), scaled(group, bytes));
      if (space.bytes === 0) return [local.set(from)];
      const own = driver.at(layout.at(name));
      return [local.set(own), ...(space.copy ? [driver.copy(space.copy, bytesPlus(own, 4 * space.shift), from)] : [])];
    };
    const panels = (
      name: 'patchPanels' | 'cotangentPanels',
      from: I32,
      to: string,
      inner: string,
      lane: I32,
      lanes: I32,
      rowBytes: number,
      frequencyStep: number,
    ): Statement =>
      driver.library(
        name,
        from,
        driver.at(layout.at(to)),
        driver.at(layout.at('temporary')),
        bytesPlus(driver.at(layout.at(inner)), scaled(column, 4)),
        count,
        lane,
        lanes,
        i32.const(rowBytes),
        i32.const(frequencyStep),
      );
    const block: Statement[] = [
      count.set(bounded(i32.sub(i32.const(tiles), column), width)),
      panels(
        'patchPanels',
        image,
        'right',
        'tileIn',
        driver.at(layout.at('channels')),
        i32.const(channels),
        4 * (pad.strides[1] as number),
        rightBytes,
      ),
      panels(
        'cotangentPanels',
        cotangent,
        'left',
        'tileOut',
        bytesPlus(driver.at(layout.at('filters')), scaled(row, 4)),
        height,
        4 * (cotangentPad.strides[1] as number),
        leftBytes,
      ),
      forLoop(
        frequency,
        i32.const(0),
        i32.const(frequencies),
        1,
        [
          driver.library(
            'multiplyFours',
            bytesPlus(driver.at(layout.at('left')), scaled(frequency, leftBytes)),
            bytesPlus(driver.at(layout.at('right')), scaled(frequency, rightBytes)),
            bytesPlus(sums, scaled(frequency, frequencyBytes)),
            height,
            i32.const(columns),
            count,
            i32.const(4 * columns),
            adds,
            driver.at(layout.at('edge')),
          ),
        ],
        true,
      ),
      adds.set(i32.const(1)),
    ];
    const boundary = (index: I32): I32 =>
      parts === groups ? index : i32.divU(scaled(index, groups), i32.const(parts));
    return [
      ...driver.table(tileIn, layout.at('tileIn'), tiles),
      ...driver.table(tileOut, layout.at('tileOut'), tiles),
      ...driver.table(channelTable, layout.at('channels'), channels),
      ...driver.table(filterTable, layout.at('filters'), filters),
      ...(
        [
          ['image', pad],
          ['cotangent', cotangentPad],
        ] as const
      ).flatMap(([name, { bytes }]) =>
        bytes > 0 ? [memory.fill(driver.at(layout.at(name)), i32.const(0), i32.const(bytes))] : [],
      ),
      forLoop(unit, driver.begin, driver.end, 1, [
        part.set(i32.divU(unit, i32.const(rowBlocks))),
        row.set(scaled(i32.remU(unit, i32.const(rowBlocks)), rowBlock)),
        height.set(bounded(i32.sub(i32.const(rows), row), rowBlock)),
        sums.set(
          bytesPlus(
            bytesPlus(driver.scratch, shared.at('sums')),
            i32.add(scaled(part, sumBytes), scaled(row, 4 * columns)),
          ),
        ),
        adds.set(i32.const(0)),
        last.set(boundary(i32.add(part, i32.const(1)))),
        forLoop(
          group,
          boundary(part),
          last,
          1,
          [
            ...padded(image, pad, 'image', 1, 4 * images * channels * sizeOf(input.slice(2))),
            ...padded(cotangent, cotangentPad, 'cotangent', 2, 4 * images * filters * sizeOf(output.slice(2))),
            forLoop(column, i32.const(0), i32.const(tiles), width, block, true),
          ],
          true,
        ),
      ]),
    ];
  });
  const phases: Phase[] = [main];
  if (parts > 1) {
    const all = sumBytes / 4;
    const total = emitNest(context, {
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
    phases.push({
      ...phaseOf(context, kernel, total.units, 0, (driver) => {
        const at = bytesPlus(driver.scratch, shared.at('sums'));
        return [callVoid(total.reference, at, at, driver.scratch, driver.own, driver.begin, driver.end)];
      }),
      grain: total.grain,
    });
  }
  phases.push(
    phaseOf(context, kernel, filters, filters * channels * 30, (driver) => {
      const unit = driver.local();
      return [
        ...driver.table(resultTable, layout.at('channels'), channelSpan),
        forLoop(unit, driver.begin, driver.end, 1, [
          driver.library(
            'filterResults',
            bytesPlus(bytesPlus(driver.scratch, shared.at('sums')), scaled(unit, 4 * columns)),
            bytesPlus(bytesPlus(driver.scratch, shared.at('filters')), scaled(unit, 4 * channelSpan * taps * taps)),
            driver.at(layout.at('temporary')),
            driver.at(layout.at('channels')),
            i32.const(channels),
            i32.const(1),
            i32.const(0),
            i32.const(0),
            i32.const(4 * taps),
            i32.const(frequencyBytes),
          ),
        ]),
      ];
    }),
  );
  const epilogue = epilogueFrom(context, request, [channelSpan * taps * taps, taps * taps, taps, 1], null);
  phases.push(redirected(context, kernel, epilogue, { extra: shared.at('filters') }));
  return {
    phases,
    scratch: shared.bytes,
    own: layout.bytes,
    path: `winograd weight ${filters}x${channels}x${batch * sizeOf(output.slice(2))}`,
  };
}
