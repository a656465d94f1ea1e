/**
 * What Winograd's forward and filter gradient share: when they are worth it, how images are cut into tiles and tiles into
 * blocks, and the epilogue behind them. The loops are in `forward.ts` and `weight-gradient.ts`.
 */
import { sizeOf } from '../../../shape.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { emitNest } from '../../loops/emit.ts';
import type { Phase } from '../../loops/nest.ts';
import type { ConvHint } from '../conv/geometry.ts';
import { offsetTable } from '../conv/tables.ts';
import { evenly } from '../driver.ts';
import { epilogueKernel } from '../operand.ts';
import type { SpecialRequest } from '../request.ts';
import { reach, taps, tile } from './filtering.ts';

export const frequencies: number = reach * reach;
/** Filters whose products are made before they are turned back. */
export const filterBlock = 128;
/** Bytes of transformed tiles and products that should stay in the second-level cache. */
const blockBytes = 2 ** 20;

/** Bytes from one frequency to the next: an odd number of cache lines, or all 36 would fall into the same few sets. */
export const apart = (floats: number): number => (Math.ceil(floats / 16) | 1) * 64;
export const upTo = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** Whether the transforms cost less than they save: they are shared by filters, channels and tiles. */
export function winogradFits({ form, input, weight, output, stride, dilation, groups }: ConvHint): boolean {
  const [filters, channels] = weight as readonly [number, number];
  const space = (form === 'input' ? input : output).slice(2);
  const tiles = space.reduce((count, extent) => count * Math.ceil(extent / tile), input[0]!);
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

/** Nanoseconds of a convolution, about. */
export const workOf = ({ input, output }: ConvHint): number => sizeOf(output) * input[1]! * 0.12;

/** How images are cut into tiles, and tiles into blocks; `images` are padded and turned back together. */
export interface Tiling {
  /** Extents in tiles, in outputs with the last tiles whole, and in places of the input. */
  readonly counts: readonly number[];
  readonly whole: readonly number[];
  readonly needed: readonly number[];
  readonly images: number;
  /** Tiles of these images, and of a block. */
  readonly tiles: number;
  readonly width: number;
}

export function tilingOf(space: readonly number[], batch: number, rows: number, columns: number): Tiling {
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
export function tileTable(
  context: ModuleContext,
  { counts, images }: Tiling,
  strides: readonly number[],
  channels: number,
): Phase {
  const [channel, row] = strides as readonly [number, number];
  return offsetTable(context, [images, ...counts], [channels * channel, tile * row, tile]);
}

/** The kernel's epilogue, or a copy, from sums of other strides than the output's: one more read. */
export function epilogueFrom(
  context: ModuleContext,
  { kernel, outStrides }: SpecialRequest,
  sumStrides: readonly number[],
  outerAxes: number | null,
): Phase {
  return emitNest(context, { kernel: epilogueKernel(kernel, sumStrides), outStrides, outerAxes });
}
