/**
 * Convolutions and their two gradients, channels first, of any rank, stride, dilation, padding and groups.
 * Each is one packed product for an image and a group, whose right panels are taken from the zero-padded image by
 * tables (`im2col.ts`):  forward  out = W patches(x);  weights  dW = dy patches(x)^T;  input, stride 1: the forward
 * product of dy with turned weights;  input, other strides: patches of dx = W^T dy, added up.
 * 3x3 taps with stride 1 and enough channels take fewer products: see `winograd.ts`.
 * Few channels in a group (depthwise) go through affine loops over the padded batch instead: see `depthwise.ts`.
 * (Over 400 lines: the three drivers share their tables, padding and layout, and differ in the order of their loops.)
 */
import type { Kernel } from '@nn/core';
import { sizeOf, stridesOf } from '../shape.ts';
import type { I32, Statement } from '../wasm/assembler.ts';
import { emitNest, type KernelCode, kernelParameters, type Phase } from '../wasm/emit.ts';
import { callVoid, forLoop, i32, memory } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import type { SpecialRequest } from '../wasm/special.ts';
import {
  affineBody,
  align,
  bounded,
  type ConvHint,
  Driver,
  evenly,
  neededExtents,
  offsetTable,
  ownLayout,
  type Padding,
  padding,
  placesIn,
  scaled,
} from './conv-parts.ts';
import { emitDepthwise } from './depthwise.ts';
import { edgeBytes } from './gemm.ts';
import { epilogueKernel, redirected } from './operand.ts';
import { winogradForward } from './winograd.ts';
import { winogradFits } from './winograd-tiles.ts';
import { winogradWeight } from './winograd-weight.ts';

export function emitConvolution(context: ModuleContext, request: SpecialRequest, hint: ConvHint): KernelCode | null {
  const { kernel } = request;
  if (kernel.reduce?.dtype !== 'float32' || kernel.reduce.op !== 'sum') return null;
  if (kernel.reads[0] !== 'float32' || kernel.reads[1] !== 'float32') return null;
  if (sizeOf(kernel.domain) * sizeOf(kernel.reduce.extents) < 4096) return null;
  // Products that are then summed in float32; anything else (fused operands) is left to the loops.
  const { groups, input, weight, output, form } = hint;
  const filters = (output[1] as number) / groups;
  const channels = weight[1] as number;
  const rows = form === 'input' ? channels : filters;
  if (form !== 'weight' && rows < 4) return emitDepthwise(context, request, hint);
  if (form === 'weight' && (filters < 4 || channels * sizeOf(weight.slice(2)) < 4)) {
    return emitDepthwise(context, request, hint);
  }
  if (winogradFits(hint)) {
    if (form === 'weight') return winogradWeight(context, request, hint);
    const turned = form === 'input';
    return winogradForward(context, request, turned ? turnedHint(hint) : hint, turned);
  }
  // Where the sums go: straight to the output, or through scratch.
  const direct = !request.aliased && kernel.dtype === 'float32' && sameStrides(request);
  const sumsBytes = direct ? 0 : align(4 * sizeOf(kernel.domain));
  const sums: SumsPlace = { direct, bytes: sumsBytes };
  if (form === 'forward') return forward(context, request, { hint, sums, turned: null });
  if (form === 'weight') return weightGradient(context, request, hint, sums);
  if (hint.stride.every((step) => step === 1)) {
    return forward(context, request, { hint: turnedHint(hint), sums, turned: hint });
  }
  void input;
  return inputGradient(context, request, hint, sums);
}

interface SumsPlace {
  readonly direct: boolean;
  readonly bytes: number;
}

function sameStrides({ kernel, outStrides }: SpecialRequest): boolean {
  const dense = stridesOf(kernel.domain);
  return kernel.domain.every((extent, axis) => extent === 1 || dense[axis] === outStrides[axis]);
}

/** The input gradient with stride 1 as the forward product of the cotangent. */
function turnedHint(hint: ConvHint): ConvHint {
  const { input, weight, output, dilation, groups } = hint;
  const taps = weight.slice(2);
  return {
    ...hint,
    form: 'forward',
    input: output,
    output: input,
    weight: [input[1] as number, (output[1] as number) / groups, ...taps],
    padding: taps.map((extent, axis) => (dilation[axis] as number) * (extent - 1) - (hint.padding[axis] as number)),
  };
}

function epilogueOf(
  context: ModuleContext,
  request: SpecialRequest,
  sums: SumsPlace,
  outerAxes: number | null,
): Phase | null {
  const { kernel, outStrides } = request;
  if (!kernel.epilogue && sums.direct) return null;
  const nest = epilogueKernel(kernel, sums.direct ? outStrides : stridesOf(kernel.domain));
  const phase = emitNest(context, { kernel: nest, outStrides, outerAxes });
  return redirected(context, kernel, phase, { extra: sums.direct ? 'out' : 0 });
}

function forward(
  context: ModuleContext,
  request: SpecialRequest,
  { hint, sums, turned }: { hint: ConvHint; sums: SumsPlace; turned: ConvHint | null },
): KernelCode {
  const { kernel } = request;
  const { groups, input, weight, output } = hint;
  const images = input[0] as number;
  const channels = weight[1] as number;
  const filters = (output[1] as number) / groups;
  const out = output.slice(2);
  const kernelSpace = weight.slice(2);
  const pixelCount = sizeOf(out);
  const tapCount = channels * sizeOf(kernelSpace);
  const pad = padding(context, channels, input.slice(2), neededExtents(hint), hint.padding);
  const places = placesIn(pad, hint);
  // Turned weights meet the taps in the opposite order: the offsets fall instead of rising.
  const turns = places.taps.map((step) => (turned ? -step : step));
  const origin = turned
    ? places.taps.reduce((sum, step, axis) => sum + step * ((kernelSpace[axis] as number) - 1), 0)
    : 0;
  const tapTable = offsetTable(context, [channels, ...kernelSpace], [pad.strides[0] as number, ...turns], origin);
  const pixelTable = offsetTable(context, out, places.pixels);
  const depth = evenly(tapCount, 384, 4);
  const rowBlock = evenly(filters, 96, 4);
  const width = evenly(pixelCount, Math.max(128, Math.floor(180_000 / depth)), 8);
  const blocks = Math.ceil(pixelCount / width);
  // Few images: blocks of pixels are units of their own, for threads; then the epilogue comes after all of them.
  const split = images * groups < 8 && blocks > 1;
  const units = images * groups * (split ? blocks : 1);
  const epilogue = epilogueOf(context, request, sums, split ? null : 2);

  // Weights [O, C/g, ...] of the kernel that is read; turned: rows are its input channels, laid out anew in scratch.
  const turnedBytes = turned ? align(4 * sizeOf(weight)) : 0;
  const phases: Phase[] = [];
  if (turned) phases.push(turnWeights(context, kernel, turned, sums.bytes));
  const layout = ownLayout([
    ['taps', 4 * (tapCount + 8)],
    ['pixels', 4 * (pixelCount + 8)],
    ['image', pad.bytes],
    ['left', 4 * (rowBlock + 4) * depth],
    ['right', 4 * width * depth],
    ['edge', edgeBytes],
  ]);
  const reference = context.module.function(null, kernelParameters(kernel), [], (builder) => {
    const driver = new Driver(context, builder);
    const sumsAt: I32 = sums.direct ? builder.parameter(0, 'i32') : driver.scratch;
    const image = builder.parameter(1, 'i32');
    const weights: I32 = turned ? i32.add(driver.scratch, i32.const(sums.bytes)) : builder.parameter(2, 'i32');
    const unit = driver.local();
    const pair = driver.local();
    const group = driver.local();
    const from = driver.local();
    const base = driver.local();
    const to = driver.local();
    const column = driver.local();
    const lastColumn = driver.local();
    const columns = driver.local();
    const k = driver.local();
    const inner = driver.local();
    const row = driver.local();
    const height = driver.local();
    const product = forLoop(
      column,
      split ? scaled(i32.remU(unit, i32.const(blocks)), width) : i32.const(0),
      lastColumn,
      width,
      [
        columns.set(bounded(i32.sub(i32.const(pixelCount), column), width)),
        forLoop(
          k,
          i32.const(0),
          i32.const(tapCount),
          depth,
          [
            inner.set(bounded(i32.sub(i32.const(tapCount), k), depth)),
            driver.library(
              'packPixels',
              base,
              driver.at(layout.at('right')),
              i32.add(driver.at(layout.at('taps')), i32.shl(k, i32.const(2))),
              inner,
              i32.add(driver.at(layout.at('pixels')), i32.shl(column, i32.const(2))),
              columns,
            ),
            forLoop(
              row,
              i32.const(0),
              i32.const(filters),
              rowBlock,
              [
                height.set(bounded(i32.sub(i32.const(filters), row), rowBlock)),
                driver.library(
                  'packRows',
                  i32.add(
                    weights,
                    i32.add(scaled(i32.add(scaled(group, filters), row), 4 * tapCount), i32.shl(k, i32.const(2))),
                  ),
                  driver.at(layout.at('left')),
                  i32.const(4 * tapCount),
                  i32.const(4),
                  height,
                  inner,
                ),
                driver.library(
                  'multiply',
                  driver.at(layout.at('left')),
                  driver.at(layout.at('right')),
                  i32.add(to, i32.add(scaled(row, 4 * pixelCount), i32.shl(column, i32.const(2)))),
                  height,
                  columns,
                  inner,
                  i32.const(4 * pixelCount),
                  k,
                  driver.at(layout.at('edge')),
                ),
              ],
              true,
            ),
          ],
          true,
        ),
      ],
    );
    const loop: Statement[] = [
      pair.set(split ? i32.divU(unit, i32.const(blocks)) : unit),
      group.set(groups === 1 ? i32.const(0) : i32.remU(pair, i32.const(groups))),
      from.set(i32.add(image, scaled(pair, 4 * channels * sizeOf(input.slice(2))))),
      base.set(pad.bytes > 0 ? driver.at(layout.at('image')) : from),
      ...(pad.copy ? [driver.copy(pad.copy, i32.add(base, i32.const(4 * pad.shift)), from)] : []),
      to.set(i32.add(sumsAt, scaled(pair, 4 * filters * pixelCount))),
      lastColumn.set(
        split
          ? bounded(scaled(i32.add(i32.remU(unit, i32.const(blocks)), i32.const(1)), width), pixelCount)
          : i32.const(pixelCount),
      ),
      product,
      ...(epilogue && !split
        ? [
            callVoid(
              epilogue.reference,
              ...kernelParameters(kernel)
                .slice(0, -2)
                .map((type, at) => builder.parameter(at, type)),
              scaled(pair, filters),
              scaled(i32.add(pair, i32.const(1)), filters),
            ),
          ]
        : []),
    ];
    builder.emit(
      ...driver.table(tapTable, layout.at('taps'), tapCount),
      ...driver.table(pixelTable, layout.at('pixels'), pixelCount),
      ...(pad.bytes > 0 ? [memory.fill(driver.at(layout.at('image')), i32.const(0), i32.const(pad.bytes))] : []),
      forLoop(unit, driver.begin, driver.end, 1, loop),
    );
  });
  const work = (images * (output[1] as number) * pixelCount * tapCount) / 22;
  phases.push({ reference, units, grain: work / units });
  if (epilogue && split) phases.push(epilogue);
  return {
    phases,
    scratch: sums.bytes + turnedBytes,
    own: layout.bytes,
    path: `conv ${turned ? 'input' : 'forward'} ${filters}x${pixelCount}x${tapCount}`,
  };
}

/** [O, C/g, k] as [g, C/g, O/g, k], in scratch. */
function turnWeights(context: ModuleContext, kernel: Kernel, hint: ConvHint, at: number): Phase {
  const { groups, weight } = hint;
  const channels = weight[1] as number;
  const filters = (weight[0] as number) / groups;
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

/** dW[o, taps] = sum over images and pixels of dy[n, o, p] patches(x_n)[taps, p]. */
function weightGradient(context: ModuleContext, request: SpecialRequest, hint: ConvHint, sums: SumsPlace): KernelCode {
  const { kernel } = request;
  const { groups, input, weight, output } = hint;
  const images = input[0] as number;
  const channels = weight[1] as number;
  const filters = (output[1] as number) / groups;
  const out = output.slice(2);
  const kernelSpace = weight.slice(2);
  const pixelCount = sizeOf(out);
  const tapCount = channels * sizeOf(kernelSpace);
  const pad = padding(context, channels, input.slice(2), neededExtents(hint), hint.padding);
  const places = placesIn(pad, hint);
  const tapTable = offsetTable(context, [channels, ...kernelSpace], [pad.strides[0] as number, ...places.taps]);
  const pixelTable = offsetTable(context, out, places.pixels);
  const depth = evenly(pixelCount, 384, 4);
  const rowBlock = evenly(filters, 96, 4);
  const width = evenly(tapCount, context.target.threads > 1 ? 160 : 512, 8);
  const blocks = Math.ceil(tapCount / width);
  const units = groups * blocks;
  const epilogue = epilogueOf(context, request, sums, null);
  const layout = ownLayout([
    ['taps', 4 * (tapCount + 8)],
    ['pixels', 4 * (pixelCount + 8)],
    ['image', pad.bytes],
    ['left', 4 * (rowBlock + 4) * depth],
    ['right', 4 * width * depth],
    ['edge', edgeBytes],
  ]);
  const reference = context.module.function(null, kernelParameters(kernel), [], (builder) => {
    const driver = new Driver(context, builder);
    const sumsAt: I32 = sums.direct ? builder.parameter(0, 'i32') : driver.scratch;
    const image = builder.parameter(1, 'i32');
    const cotangent = builder.parameter(2, 'i32');
    const unit = driver.local();
    const group = driver.local();
    const column = driver.local();
    const columns = driver.local();
    const n = driver.local();
    const from = driver.local();
    const base = driver.local();
    const left = driver.local();
    const to = driver.local();
    const k = driver.local();
    const inner = driver.local();
    const row = driver.local();
    const height = driver.local();
    const product = forLoop(
      k,
      i32.const(0),
      i32.const(pixelCount),
      depth,
      [
        inner.set(bounded(i32.sub(i32.const(pixelCount), k), depth)),
        driver.library(
          'packTaps',
          base,
          driver.at(layout.at('right')),
          i32.add(driver.at(layout.at('taps')), i32.shl(column, i32.const(2))),
          columns,
          i32.add(driver.at(layout.at('pixels')), i32.shl(k, i32.const(2))),
          inner,
        ),
        forLoop(
          row,
          i32.const(0),
          i32.const(filters),
          rowBlock,
          [
            height.set(bounded(i32.sub(i32.const(filters), row), rowBlock)),
            driver.library(
              'packRows',
              i32.add(left, i32.add(scaled(row, 4 * pixelCount), i32.shl(k, i32.const(2)))),
              driver.at(layout.at('left')),
              i32.const(4 * pixelCount),
              i32.const(4),
              height,
              inner,
            ),
            driver.library(
              'multiply',
              driver.at(layout.at('left')),
              driver.at(layout.at('right')),
              i32.add(to, scaled(row, 4 * tapCount)),
              height,
              columns,
              inner,
              i32.const(4 * tapCount),
              i32.or(n, k),
              driver.at(layout.at('edge')),
            ),
          ],
          true,
        ),
      ],
      true,
    );
    const loop: Statement[] = [
      group.set(i32.divU(unit, i32.const(blocks))),
      column.set(scaled(i32.remU(unit, i32.const(blocks)), width)),
      columns.set(bounded(i32.sub(i32.const(tapCount), column), width)),
      to.set(i32.add(sumsAt, i32.add(scaled(group, 4 * filters * tapCount), i32.shl(column, i32.const(2))))),
      forLoop(
        n,
        i32.const(0),
        i32.const(images),
        1,
        [
          from.set(i32.add(image, scaled(i32.add(scaled(n, groups), group), 4 * channels * sizeOf(input.slice(2))))),
          left.set(i32.add(cotangent, scaled(i32.add(scaled(n, groups), group), 4 * filters * pixelCount))),
          base.set(pad.bytes > 0 ? driver.at(layout.at('image')) : from),
          ...(pad.copy ? [driver.copy(pad.copy, i32.add(base, i32.const(4 * pad.shift)), from)] : []),
          product,
        ],
        true,
      ),
    ];
    builder.emit(
      ...driver.table(tapTable, layout.at('taps'), tapCount),
      ...driver.table(pixelTable, layout.at('pixels'), pixelCount),
      ...(pad.bytes > 0 ? [memory.fill(driver.at(layout.at('image')), i32.const(0), i32.const(pad.bytes))] : []),
      forLoop(unit, driver.begin, driver.end, 1, loop),
    );
  });
  const work = (images * (output[1] as number) * pixelCount * tapCount) / 22;
  const phases: Phase[] = [{ reference, units, grain: work / units }];
  if (epilogue) phases.push(epilogue);
  return {
    phases,
    scratch: sums.bytes,
    own: layout.bytes,
    path: `conv weight ${filters}x${tapCount}x${images * pixelCount}`,
  };
}

/** Strides above 1: patches of dx = W^T dy for some taps at a time, added up in a padded image. */
function inputGradient(context: ModuleContext, request: SpecialRequest, hint: ConvHint, sums: SumsPlace): KernelCode {
  const { kernel } = request;
  const { groups, input, weight, output } = hint;
  const images = input[0] as number;
  const channels = weight[1] as number;
  const filters = (output[1] as number) / groups;
  const space = input.slice(2);
  const kernelSpace = weight.slice(2);
  const pixelCount = sizeOf(output.slice(2));
  const tapCount = channels * sizeOf(kernelSpace);
  const extents = neededExtents(hint).map((extent, axis) =>
    Math.max(extent, (hint.padding[axis] as number) + (space[axis] as number)),
  );
  const strides = stridesOf([channels, ...extents]);
  const pad: Padding = { extents, strides, bytes: align(4 * channels * sizeOf(extents) + 64), copy: null, shift: 0 };
  const places = placesIn(pad, hint);
  const tapTable = offsetTable(context, [channels, ...kernelSpace], [strides[0] as number, ...places.taps]);
  const pixelTable = offsetTable(context, output.slice(2), places.pixels);
  // The image inside the padding, copied out when all patches are in.
  const shift = hint.padding.reduce((sum, zeros, axis) => sum + zeros * (strides[axis + 1] as number), 0);
  const copyOut = emitNest(context, {
    kernel: {
      domain: [channels, ...space],
      dtype: 'float32',
      reads: ['float32'],
      scalars: [],
      value: affineBody(strides, shift, 0),
    },
    outStrides: stridesOf([channels, ...space]),
    outerAxes: null,
  });
  const depth = evenly(filters, 384, 4);
  const rowBlock = evenly(tapCount, 96, 4);
  const width = evenly(pixelCount, 512, 8);
  const units = images * groups;
  const epilogue = epilogueOf(context, request, sums, 2);
  const layout = ownLayout([
    ['taps', 4 * (tapCount + 8)],
    ['pixels', 4 * (pixelCount + 8)],
    ['image', pad.bytes],
    ['patches', 4 * rowBlock * pixelCount],
    ['left', 4 * (rowBlock + 4) * depth],
    ['right', 4 * width * depth],
    ['edge', edgeBytes],
  ]);
  const reference = context.module.function(null, kernelParameters(kernel), [], (builder) => {
    const driver = new Driver(context, builder);
    const sumsAt: I32 = sums.direct ? builder.parameter(0, 'i32') : driver.scratch;
    const cotangent = builder.parameter(1, 'i32');
    const weights = builder.parameter(2, 'i32');
    const pair = driver.local();
    const group = driver.local();
    const right = driver.local();
    const row = driver.local();
    const height = driver.local();
    const column = driver.local();
    const columns = driver.local();
    const k = driver.local();
    const inner = driver.local();
    const product = forLoop(
      k,
      i32.const(0),
      i32.const(filters),
      depth,
      [
        inner.set(bounded(i32.sub(i32.const(filters), k), depth)),
        // W^T: rows are taps, neighbours in memory; k runs over filters.
        driver.library(
          'packRows',
          i32.add(weights, i32.shl(i32.add(scaled(i32.add(scaled(group, filters), k), tapCount), row), i32.const(2))),
          driver.at(layout.at('left')),
          i32.const(4),
          i32.const(4 * tapCount),
          height,
          inner,
        ),
        forLoop(
          column,
          i32.const(0),
          i32.const(pixelCount),
          width,
          [
            columns.set(bounded(i32.sub(i32.const(pixelCount), column), width)),
            driver.library(
              'packColumns',
              i32.add(right, i32.shl(i32.add(scaled(k, pixelCount), column), i32.const(2))),
              driver.at(layout.at('right')),
              i32.const(4),
              i32.const(4 * pixelCount),
              columns,
              inner,
            ),
            driver.library(
              'multiply',
              driver.at(layout.at('left')),
              driver.at(layout.at('right')),
              i32.add(driver.at(layout.at('patches')), i32.shl(column, i32.const(2))),
              height,
              columns,
              inner,
              i32.const(4 * pixelCount),
              k,
              driver.at(layout.at('edge')),
            ),
          ],
          true,
        ),
      ],
      true,
    );
    const loop: Statement[] = [
      group.set(groups === 1 ? i32.const(0) : i32.remU(pair, i32.const(groups))),
      right.set(i32.add(cotangent, scaled(pair, 4 * filters * pixelCount))),
      memory.fill(driver.at(layout.at('image')), i32.const(0), i32.const(pad.bytes)),
      forLoop(
        row,
        i32.const(0),
        i32.const(tapCount),
        rowBlock,
        [
          height.set(bounded(i32.sub(i32.const(tapCount), row), rowBlock)),
          product,
          driver.library(
            'addPatches',
            driver.at(layout.at('patches')),
            driver.at(layout.at('image')),
            i32.add(driver.at(layout.at('taps')), i32.shl(row, i32.const(2))),
            height,
            driver.at(layout.at('pixels')),
            i32.const(pixelCount),
          ),
        ],
        true,
      ),
      driver.copy(copyOut, i32.add(sumsAt, scaled(pair, 4 * channels * sizeOf(space))), driver.at(layout.at('image'))),
      ...(epilogue
        ? [
            callVoid(
              epilogue.reference,
              ...kernelParameters(kernel)
                .slice(0, -2)
                .map((type, at) => builder.parameter(at, type)),
              scaled(pair, channels),
              scaled(i32.add(pair, i32.const(1)), channels),
            ),
          ]
        : []),
    ];
    builder.emit(
      ...driver.table(tapTable, layout.at('taps'), tapCount),
      ...driver.table(pixelTable, layout.at('pixels'), pixelCount),
      forLoop(pair, driver.begin, driver.end, 1, loop),
    );
  });
  const work = (images * (output[1] as number) * pixelCount * tapCount) / 22;
  return {
    phases: [{ reference, units, grain: work / units }],
    scratch: sums.bytes,
    own: layout.bytes,
    path: `conv input ${tapCount}x${pixelCount}x${filters} (strided)`,
  };
}
