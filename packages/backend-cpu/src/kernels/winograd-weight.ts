/**
 * The filter gradient of convolutions of 3x3 taps with stride 1, the adjoint of Winograd's F(4x4, 3x3):
 * dW = G^T (sum over tiles of (A dy A^T) * (B^T d B)) G, a matrix product S = Y V^T for each of 36 frequencies, with tiles as
 * the inner axis. The transforms are in `winograd-transforms.ts`; what is shared with `winograd.ts` in `winograd-tiles.ts`.
 */
import { sizeOf } from '../shape.ts';
import type { I32, Statement } from '../wasm/assembler.ts';
import { emitNest, type KernelCode, type Phase } from '../wasm/emit.ts';
import { callVoid, forLoop, i32, memory } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import type { SpecialRequest } from '../wasm/special.ts';
import { affineBody, bounded, type ConvHint, evenly, offsetTable, ownLayout, padding, scaled } from './conv-parts.ts';
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
