/**
 * The forward product: for each image and group  out[filter, pixel] = sum over taps of W[filter, tap] x[tap, pixel],  a packed
 * matrix product whose right panels are patches of the padded image. The input gradient with stride 1 is the same product of
 * the cotangent with turned filters: dx[c, y] = sum over o, k of w[o, c, k] dy[o, y - k].
 */
import type { Kernel } from '@nn/core';
import { sizeOf, stridesOf } from '../../../shape.ts';
import { align } from '../../../storage.ts';
import { forLoop, i32 } from '../../code/instructions.ts';
import type { ModuleContext } from '../../code/module-context.ts';
import { emitNest } from '../../loops/emit.ts';
import type { KernelCode, Phase } from '../../loops/nest.ts';
import { bounded, floats, phaseOf, plus, scaled } from '../driver.ts';
import { redirected } from '../operand.ts';
import type { SpecialRequest } from '../request.ts';
import { sumsAt, sumsOf } from '../sums.ts';
import { type ConvHint, sizesOf } from './geometry.ts';
import { clear, pad } from './padding.ts';
import { blocksOf, ownLayout, patchesOf } from './patches.ts';
import { affineBody } from './tables.ts';

/** `hint` is of the product; `gradient`: of the kernel, where that is an input gradient. */
export function emitForward(
  context: ModuleContext,
  request: SpecialRequest,
  hint: ConvHint,
  gradient: ConvHint | null = null,
): KernelCode {
  const { kernel } = request;
  const { images, groups, channels, filters, places, pixels, taps, work } = sizesOf(hint);
  const { padded, tables } = patchesOf(context, hint, gradient !== null);
  const blocks = blocksOf(filters, pixels, taps, (depth) => Math.max(128, Math.floor(180_000 / depth)));
  const pieces = Math.ceil(pixels / blocks.columns);
  // Few images: blocks of pixels are units of their own, for threads; then the epilogue comes after all of them.
  const split = images * groups < 8 && pieces > 1;
  const units = images * groups * (split ? pieces : 1);
  const sums = sumsOf(context, request, split ? null : 2);
  const turn = gradient ? turnWeights(context, kernel, gradient, sums.bytes) : null;
  const layout = ownLayout(hint, padded.bytes, blocks);
  const product = phaseOf(
    context,
    kernel,
    units,
    work,
    (driver) => {
      const weights = turn ? plus(driver.scratch, sums.bytes) : driver.read(1);
      const [unit, pair, group] = [driver.local(), driver.local(), driver.local()];
      const [from, image, to] = [driver.local(), driver.local(), driver.local()];
      const [column, lastColumn, columns] = [driver.local(), driver.local(), driver.local()];
      const piece = i32.remU(unit, i32.const(pieces));
      const panels = driver.blocks(taps, blocks.inner, (tap, inner) => [
        driver.library(
          'packPixels',
          image,
          driver.at('right'),
          plus(driver.at('taps'), floats(tap)),
          inner,
          plus(driver.at('pixels'), floats(column)),
          columns,
        ),
        driver.blocks(filters, blocks.rows, (row, height) => [
          driver.library(
            'packRows',
            plus(weights, plus(scaled(plus(scaled(group, filters), row), 4 * taps), floats(tap))),
            driver.at('left'),
            4 * taps,
            4,
            height,
            inner,
          ),
          driver.library(
            'multiply',
            driver.at('left'),
            driver.at('right'),
            plus(to, plus(scaled(row, 4 * pixels), floats(column))),
            height,
            columns,
            inner,
            4 * pixels,
            tap,
            driver.at('edge'),
          ),
        ]),
      ]);
      return [
        ...tables(driver),
        ...clear(padded, driver.at('image')),
        driver.units(unit, [
          pair.set(split ? i32.divU(unit, i32.const(pieces)) : unit),
          group.set(groups === 1 ? i32.const(0) : i32.remU(pair, i32.const(groups))),
          from.set(plus(driver.read(0), scaled(pair, 4 * channels * places))),
          image.set(padded.bytes > 0 ? driver.at('image') : from),
          ...pad(padded, driver, image, from),
          to.set(plus(sumsAt(sums, driver), scaled(pair, 4 * filters * pixels))),
          lastColumn.set(split ? bounded(scaled(plus(piece, 1), blocks.columns), pixels) : i32.const(pixels)),
          forLoop(column, split ? scaled(piece, blocks.columns) : i32.const(0), lastColumn, blocks.columns, [
            columns.set(bounded(i32.sub(i32.const(pixels), column), blocks.columns)),
            panels,
          ]),
          ...(sums.epilogue && !split
            ? [driver.call(sums.epilogue, scaled(pair, filters), scaled(plus(pair, 1), filters))]
            : []),
        ]),
      ];
    },
    layout,
  );
  const phases = [...(turn ? [turn] : []), product, ...(sums.epilogue && split ? [sums.epilogue] : [])];
  return {
    phases,
    scratch: sums.bytes + (turn ? align(4 * sizeOf(hint.weight)) : 0),
    own: layout.bytes,
    path: `conv ${gradient ? 'input' : 'forward'} ${filters}x${pixels}x${taps}`,
  };
}

/** [O, C/g, k] as [g, C/g, O/g, k], in scratch: rows of the turned filters are the channels of the input. */
function turnWeights(context: ModuleContext, kernel: Kernel, { groups, weight }: ConvHint, at: number): Phase {
  const channels = weight[1]!;
  const filters = weight[0]! / groups;
  const taps = sizeOf(weight.slice(2));
  const domain = [groups, channels, filters, taps];
  const value = affineBody([filters * channels * taps, taps, channels * taps, 1], 0, 1);
  const phase = emitNest(context, {
    kernel: { domain, dtype: 'float32', reads: kernel.reads, scalars: kernel.scalars, value },
    outStrides: stridesOf(domain),
    outerAxes: null,
  });
  return redirected(context, kernel, phase, { out: at });
}
