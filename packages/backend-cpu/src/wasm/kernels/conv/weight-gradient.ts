/**
 * The gradient of the filters: dW[filter, tap] = sum over images and pixels of dy[filter, pixel] x[tap, pixel], for each group
 * one packed matrix product with the pixels as the inner axis, added up image by image. Units are blocks of taps.
 */
import { forLoop, i32 } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import type { KernelCode } from '../../loops/nest.ts';
import { bounded, floats, phaseOf, plus, scaled } from '../driver.ts';
import type { SpecialRequest } from '../request.ts';
import { sumsAt, sumsOf } from '../sums.ts';
import { type ConvHint, sizesOf } from './geometry.ts';
import { clear, pad } from './padding.ts';
import { blocksOf, ownLayout, patchesOf } from './patches.ts';

export function emitWeightGradient(context: ModuleContext, request: SpecialRequest, hint: ConvHint): KernelCode {
  const { images, groups, channels, filters, places, pixels, taps, work } = sizesOf(hint);
  const { padded, tables } = patchesOf(context, hint);
  const blocks = blocksOf(filters, taps, pixels, () => (context.target.threads > 1 ? 160 : 512));
  const pieces = Math.ceil(taps / blocks.columns);
  const sums = sumsOf(context, request);
  const layout = ownLayout(hint, padded.bytes, blocks);
  const product = phaseOf(
    context,
    request.kernel,
    groups * pieces,
    work,
    (driver) => {
      const [unit, group, column, columns] = [driver.local(), driver.local(), driver.local(), driver.local()];
      const [n, from, image, left, to] = [
        driver.local(),
        driver.local(),
        driver.local(),
        driver.local(),
        driver.local(),
      ];
      const panels = driver.blocks(pixels, blocks.inner, (pixel, inner) => [
        driver.library(
          'packTaps',
          image,
          driver.at('right'),
          plus(driver.at('taps'), floats(column)),
          columns,
          plus(driver.at('pixels'), floats(pixel)),
          inner,
        ),
        driver.blocks(filters, blocks.rows, (row, height) => [
          driver.library(
            'packRows',
            plus(left, plus(scaled(row, 4 * pixels), floats(pixel))),
            driver.at('left'),
            4 * pixels,
            4,
            height,
            inner,
          ),
          driver.library(
            'multiply',
            driver.at('left'),
            driver.at('right'),
            plus(to, scaled(row, 4 * taps)),
            height,
            columns,
            inner,
            4 * taps,
            i32.or(n, pixel),
            driver.at('edge'),
          ),
        ]),
      ]);
      const pair = plus(scaled(n, groups), group);
      const oneImage = [
        from.set(plus(driver.read(0), scaled(pair, 4 * channels * places))),
        left.set(plus(driver.read(1), scaled(pair, 4 * filters * pixels))),
        image.set(padded.bytes > 0 ? driver.at('image') : from),
        ...pad(padded, driver, image, from),
        panels,
      ];
      return [
        ...tables(driver),
        ...clear(padded, driver.at('image')),
        driver.units(unit, [
          group.set(i32.divU(unit, i32.const(pieces))),
          column.set(scaled(i32.remU(unit, i32.const(pieces)), blocks.columns)),
          columns.set(bounded(i32.sub(i32.const(taps), column), blocks.columns)),
          to.set(plus(sumsAt(sums, driver), plus(scaled(group, 4 * filters * taps), floats(column)))),
          forLoop(n, i32.const(0), i32.const(images), 1, oneImage, true),
        ]),
      ];
    },
    layout,
  );
  return {
    phases: sums.epilogue ? [product, sums.epilogue] : [product],
    scratch: sums.bytes,
    own: layout.bytes,
    path: `conv weight ${filters}x${taps}x${images * pixels}`,
  };
}
