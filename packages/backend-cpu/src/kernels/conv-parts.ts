/**
 * What the drivers of convolutions share: zero-padded images, tables of byte offsets, places in a thread's own memory, and
 * calls of the library. The drivers are `conv.ts` (patches), `winograd.ts` and `depthwise.ts`.
 */
import type { Hint, Op, Shape } from '@nn/core';
import { sizeOf, stridesOf } from '../shape.ts';
import type { FunctionBuilder, I32, Local, Statement, ValueType } from '../wasm/assembler.ts';
import { emitNest, type Phase } from '../wasm/emit.ts';
import { callVoid, i32, select } from '../wasm/instructions.ts';
import type { ModuleContext } from '../wasm/module-context.ts';
import { multiplyParameters, packParameters } from './gemm.ts';
import { patchParameters } from './im2col.ts';
import { panelParameters, resultParameters } from './winograd-transforms.ts';

export type ConvHint = Extract<Hint, { kind: 'conv' }>;

export const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;
export const evenly = (size: number, block: number, multiple: number): number => {
  const blocks = Math.ceil(size / block);
  return Math.ceil(size / blocks / multiple) * multiple;
};

/** A body that is `constant + sum of coefficient * axis`, or a load at that index. */
export function affineBody(coefficients: readonly number[], constant: number, read: number | null): Op[] {
  const ops: Op[] = [{ dtype: 'int32', op: 'const', value: constant }];
  let sum = 0;
  coefficients.forEach((coefficient, axis) => {
    if (coefficient === 0) return;
    const at = ops.push({ dtype: 'int32', op: 'axis', axis }) - 1;
    const factor = ops.push({ dtype: 'int32', op: 'const', value: coefficient }) - 1;
    const term = ops.push({ dtype: 'int32', op: 'mul', args: [at, factor] }) - 1;
    sum = ops.push({ dtype: 'int32', op: 'add', args: [sum, term] }) - 1;
  });
  if (read !== null) ops.push({ dtype: 'float32', op: 'load', read, index: sum });
  else if (sum === 0) ops.push({ dtype: 'int32', op: 'add', args: [0, 0] });
  return ops;
}

/** A function that copies one group's channels of an image into the middle of zeros: (target, image, ...). */
export interface Padding {
  /** Extents of the padded space, and its strides including the channel's, in elements. */
  readonly extents: Shape;
  readonly strides: readonly number[];
  /** Bytes of all padded channels; 0 where the image can be used as it is. */
  readonly bytes: number;
  readonly copy: Phase | null;
  /** Elements from the start of the padded space to the image's first element. */
  readonly shift: number;
}

/** `before` may be negative: then the image is cropped. `step` leaves gaps of zeros between neighbours. */
export function padding(
  context: ModuleContext,
  channels: number,
  space: Shape,
  extents: Shape,
  before: Shape,
  step: Shape = space.map(() => 1),
): Padding {
  const plain = before.every((zeros, axis) => zeros === 0 && (extents[axis] as number) <= (space[axis] as number));
  if (plain && step.every((gap) => gap === 1)) {
    return { extents: space, strides: stridesOf([channels, ...space]), bytes: 0, copy: null, shift: 0 };
  }
  const strides = stridesOf([channels, ...extents]);
  // The part of the image that falls inside: first <= index, before + index * step < extent.
  const first = before.map((zeros, axis) => (zeros < 0 ? Math.ceil(-zeros / (step[axis] as number)) : 0));
  const counts = space.map((extent, axis) => {
    const room = Math.ceil(((extents[axis] as number) - (before[axis] as number)) / (step[axis] as number));
    return Math.max(0, Math.min(extent, room) - (first[axis] as number));
  });
  const from = stridesOf([channels, ...space]);
  const offset = first.reduce((sum, index, axis) => sum + index * (from[axis + 1] as number), 0);
  const shift = first.reduce(
    (sum, index, axis) =>
      sum + ((before[axis] as number) + index * (step[axis] as number)) * (strides[axis + 1] as number),
    0,
  );
  const domain = [channels, ...counts];
  const copy = counts.some((count) => count === 0)
    ? null
    : emitNest(context, {
        kernel: { domain, dtype: 'float32', reads: ['float32'], scalars: [], value: affineBody(from, offset, 0) },
        outStrides: strides.map((stride, axis) => (axis === 0 ? stride : stride * (step[axis - 1] as number))),
        outerAxes: null,
      });
  return { extents, strides, bytes: align(4 * channels * sizeOf(extents) + 64), copy, shift };
}

/** A table of byte offsets, as a function that fills it: (target, scratch, own, begin, end). */
export function offsetTable(
  context: ModuleContext,
  domain: Shape,
  coefficients: readonly number[],
  constant = 0,
): Phase {
  const value = affineBody(
    coefficients.map((coefficient) => 4 * coefficient),
    4 * constant,
    null,
  );
  return emitNest(context, {
    kernel: { domain, dtype: 'int32', reads: [], scalars: [], value },
    outStrides: stridesOf(domain),
    outerAxes: null,
  });
}

type LibraryFunction =
  | 'packRows'
  | 'packColumns'
  | 'multiply'
  | 'multiplyFours'
  | 'packPixels'
  | 'packTaps'
  | 'addPatches'
  | 'patchPanels'
  | 'filterPanels'
  | 'turnedPanels'
  | 'cotangentPanels'
  | 'tileResults'
  | 'filterResults';

const libraryParameters: Readonly<Record<LibraryFunction, readonly ValueType[]>> = {
  packRows: packParameters,
  packColumns: packParameters,
  multiply: multiplyParameters,
  multiplyFours: multiplyParameters,
  packPixels: patchParameters,
  packTaps: patchParameters,
  addPatches: patchParameters,
  patchPanels: panelParameters,
  filterPanels: panelParameters,
  turnedPanels: panelParameters,
  cotangentPanels: panelParameters,
  tileResults: resultParameters,
  filterResults: resultParameters,
};

/** What the drivers share while their function is built. */
export class Driver {
  readonly context: ModuleContext;
  readonly builder: FunctionBuilder;
  readonly scratch: Local<'i32'>;
  readonly own: Local<'i32'>;
  readonly begin: Local<'i32'>;
  readonly end: Local<'i32'>;

  constructor(context: ModuleContext, builder: FunctionBuilder) {
    const count = builder.parameters.length;
    this.context = context;
    this.builder = builder;
    this.scratch = builder.parameter(count - 4, 'i32');
    this.own = builder.parameter(count - 3, 'i32');
    this.begin = builder.parameter(count - 2, 'i32');
    this.end = builder.parameter(count - 1, 'i32');
  }
  local(): Local<'i32'> {
    return this.builder.local('i32');
  }
  at(offset: number): I32 {
    return i32.add(this.own, i32.const(offset));
  }
  /** Fills a table and repeats its last entry up to a multiple of 8. */
  table(phase: Phase, offset: number, entries: number): Statement[] {
    const statements: Statement[] = [
      callVoid(phase.reference, this.at(offset), this.scratch, this.own, i32.const(0), i32.const(phase.units)),
    ];
    for (let at = entries; at < Math.ceil(entries / 8) * 8; at++) {
      statements.push(i32.store(this.at(offset), i32.load(this.own, offset + 4 * (entries - 1)), 4 * at));
    }
    return statements;
  }
  copy(phase: Phase, to: I32, from: I32): Statement {
    return callVoid(phase.reference, to, from, this.scratch, this.own, i32.const(0), i32.const(phase.units));
  }
  library(name: LibraryFunction, ...values: I32[]): Statement {
    return callVoid(this.context.library(name, libraryParameters[name], []), ...values);
  }
}

export const scaled = (value: I32, factor: number): I32 => (factor === 1 ? value : i32.mul(value, i32.const(factor)));
export const bounded = (value: I32, most: number): I32 =>
  select(value, i32.const(most), i32.ltS(value, i32.const(most)));

/** How far apart the places of neighbouring outputs and taps are in the padded image. */
export function placesIn(pad: Padding, hint: ConvHint): { pixels: number[]; taps: number[] } {
  const space = pad.strides.slice(1);
  return {
    pixels: space.map((stride, axis) => stride * (hint.stride[axis] as number)),
    taps: space.map((stride, axis) => stride * (hint.dilation[axis] as number)),
  };
}

export function neededExtents(hint: ConvHint): number[] {
  const out = hint.output.slice(2);
  const taps = hint.weight.slice(2);
  return out.map(
    (extent, axis) =>
      (extent - 1) * (hint.stride[axis] as number) + ((taps[axis] as number) - 1) * (hint.dilation[axis] as number) + 1,
  );
}

/** Places inside a thread's own memory, one after the other. */
export function ownLayout(parts: readonly (readonly [string, number])[]): {
  at: (name: string) => number;
  bytes: number;
} {
  const places = new Map<string, number>();
  let bytes = 0;
  for (const [name, size] of parts) {
    places.set(name, bytes);
    bytes += align(size);
  }
  return { at: (name) => places.get(name) as number, bytes };
}
