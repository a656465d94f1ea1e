/**
 * Convolutions of 3x3 taps with stride 1 by Winograd's F(4x4, 3x3), and their input gradient: one matrix product M = U V for
 * each of 36 frequencies, U of filters [frequency, filter, channel], V of patches [frequency, channel, tile], both
 * transformed straight into the product's panels. The input gradient is the same of the cotangent, with turned filters.
 * The transforms are in `winograd-transforms.ts`, the filter gradient in `winograd-weight.ts`, the choice in `conv.ts`.
 */
import type { Kernel } from '@nn/core';
import { sizeOf, stridesOf } from '../shape.ts';
import type { Expression, I32, Statement } from '../wasm/assembler.ts';
import { type KernelCode, kernelParameters, type Phase } from '../wasm/emit.ts';
import { callVoid, forLoop, i32, memory } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import type { SpecialRequest } from '../wasm/special.ts';
import { bounded, type ConvHint, type Driver, evenly, offsetTable, ownLayout, padding, scaled } from './conv-parts.ts';
import { redirected } from './operand.ts';
import {
  apart,
  bytesPlus,
  epilogueFrom,
  filterBlock,
  frequencies,
  phaseOf,
  tileTable,
  tilingOf,
  upTo,
} from './winograd-tiles.ts';
import { taps } from './winograd-transforms.ts';

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
