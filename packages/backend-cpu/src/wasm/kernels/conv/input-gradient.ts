/**
 * The gradient of the input with strides above 1, for each image and group: patches[tap, pixel] = sum over filters of
 * W[filter, tap] dy[filter, pixel], a packed matrix product for some taps at a time, which are then added to a padded image
 * where they overlap. What lies inside the padding is dx.
 */
import { stridesOf } from '../../../shape.ts';
import { i32 } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import type { KernelCode } from '../../loops/nest.ts';
import { floats, phaseOf, plus, scaled } from '../driver.ts';
import type { SpecialRequest } from '../request.ts';
import { sumsAt, sumsOf } from '../sums.ts';
import { type ConvHint, neededExtents, sizesOf } from './geometry.ts';
import { clear, paddedBytes } from './padding.ts';
import { blocksOf, ownLayout, patchTables } from './patches.ts';
import { copyNest } from './tables.ts';

export function emitInputGradient(context: ModuleContext, request: SpecialRequest, hint: ConvHint): KernelCode {
  const { images, groups, channels, filters, places, pixels, taps, work } = sizesOf(hint);
  const space = hint.input.slice(2);
  const extents = neededExtents(hint).map((extent, axis) => Math.max(extent, hint.padding[axis]! + space[axis]!));
  const strides = stridesOf([channels, ...extents]);
  const padded = { strides, bytes: paddedBytes(channels, extents), copy: null, shift: 0 };
  const tables = patchTables(context, hint, padded);
  const shift = hint.padding.reduce((sum, zeros, axis) => sum + zeros * strides[axis + 1]!, 0);
  const inside = [channels, ...space];
  const copyOut = copyNest(context, inside, strides, shift, stridesOf(inside));
  const blocks = blocksOf(taps, pixels, filters, () => 512);
  const sums = sumsOf(context, request, 2);
  const layout = ownLayout(hint, padded.bytes, blocks, 4 * blocks.rows * pixels);
  const product = phaseOf(
    context,
    request.kernel,
    images * groups,
    work,
    (driver) => {
      const [pair, group, cotangent] = [driver.local(), driver.local(), driver.local()];
      const patches = driver.blocks(taps, blocks.rows, (row, height) => [
        driver.blocks(filters, blocks.inner, (filter, inner) => [
          // W^T: rows are taps, neighbours in memory.
          driver.library(
            'packRows',
            plus(driver.read(1), floats(plus(scaled(plus(scaled(group, filters), filter), taps), row))),
            driver.at('left'),
            4,
            4 * taps,
            height,
            inner,
          ),
          driver.blocks(pixels, blocks.columns, (column, columns) => [
            driver.library(
              'packColumns',
              plus(cotangent, floats(plus(scaled(filter, pixels), column))),
              driver.at('right'),
              4,
              4 * pixels,
              columns,
              inner,
            ),
            driver.library(
              'multiply',
              driver.at('left'),
              driver.at('right'),
              plus(driver.at('patches'), floats(column)),
              height,
              columns,
              inner,
              4 * pixels,
              filter,
              driver.at('edge'),
            ),
          ]),
        ]),
        driver.library(
          'addPatches',
          driver.at('patches'),
          driver.at('image'),
          plus(driver.at('taps'), floats(row)),
          height,
          driver.at('pixels'),
          pixels,
        ),
      ]);
      return [
        ...tables(driver),
        driver.units(pair, [
          group.set(groups === 1 ? i32.const(0) : i32.remU(pair, i32.const(groups))),
          cotangent.set(plus(driver.read(0), scaled(pair, 4 * filters * pixels))),
          ...clear(padded, driver.at('image')),
          patches,
          driver.copy(copyOut, plus(sumsAt(sums, driver), scaled(pair, 4 * channels * places)), driver.at('image')),
          ...(sums.epilogue
            ? [driver.call(sums.epilogue, scaled(pair, channels), scaled(plus(pair, 1), channels))]
            : []),
        ]),
      ];
    },
    layout,
  );
  return {
    phases: [product],
    scratch: sums.bytes,
    own: layout.bytes,
    path: `conv input ${taps}x${pixels}x${filters} (strided)`,
  };
}
