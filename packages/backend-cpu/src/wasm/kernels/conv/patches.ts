/**
 * What the products over patches share: the tables by which patches of a padded image are found (see `im2col.ts`), and a
 * thread's own memory, which has them, the padded image, and the packed panels of both operands.
 */
import type { Statement } from '../../code/assembler.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { type Driver, evenly, type Layout, layoutOf } from '../driver.ts';
import { edgeBytes } from '../gemm.ts';
import { type ConvHint, neededExtents, sizesOf } from './geometry.ts';
import { type Padding, padding, placesIn } from './padding.ts';
import { offsetTable } from './tables.ts';

/** The blocks of a matrix product: so many rows, columns and inner places are packed at a time. */
export interface Blocks {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
}

/** Blocks that fit into the caches (see `gemm.ts`), of equal size where there are several; `most` columns. */
export function blocksOf(rows: number, columns: number, inner: number, most: (inner: number) => number): Blocks {
  const depth = evenly(inner, 384, 4);
  return { rows: evenly(rows, 96, 4), columns: evenly(columns, most(depth), 8), inner: depth };
}

/** Fills the tables `taps` and `pixels` of a thread. */
export type Tables = (driver: Driver) => Statement[];

/** `turned`: the taps come in the opposite order, the offsets fall instead of rising. */
export function patchTables(
  context: ModuleContext,
  hint: ConvHint,
  pad: Pick<Padding, 'strides'>,
  turned = false,
): Tables {
  const places = placesIn(pad, hint);
  const kernel = hint.weight.slice(2);
  const { channels, pixels, taps } = sizesOf(hint);
  const steps = places.taps.map((step) => (turned ? -step : step));
  const last = places.taps.reduce((sum, step, axis) => sum + step * (kernel[axis]! - 1), 0);
  const tapTable = offsetTable(context, [channels, ...kernel], [pad.strides[0]!, ...steps], turned ? last : 0);
  const pixelTable = offsetTable(context, hint.output.slice(2), places.pixels);
  return (driver) => [...driver.table(tapTable, 'taps', taps), ...driver.table(pixelTable, 'pixels', pixels)];
}

/** The padded images of one group, and the tables of their patches. */
export function patchesOf(
  context: ModuleContext,
  hint: ConvHint,
  turned = false,
): { readonly padded: Padding; readonly tables: Tables } {
  const space = hint.input.slice(2);
  const padded = padding(context, sizesOf(hint).channels, space, neededExtents(hint), hint.padding);
  return { padded, tables: patchTables(context, hint, padded, turned) };
}

/** `patches`: bytes of products that wait to be added up. */
export function ownLayout(hint: ConvHint, imageBytes: number, blocks: Blocks, patches: number | null = null): Layout {
  const { pixels, taps } = sizesOf(hint);
  return layoutOf([
    ['taps', 4 * (taps + 8)],
    ['pixels', 4 * (pixels + 8)],
    ['image', imageBytes],
    ...(patches === null ? [] : [['patches', patches] as const]),
    ['left', 4 * (blocks.rows + 4) * blocks.inner],
    ['right', 4 * blocks.columns * blocks.inner],
    ['edge', edgeBytes],
  ]);
}
