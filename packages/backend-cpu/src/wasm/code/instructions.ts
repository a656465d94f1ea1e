/**
 * The instructions, one object for each type: `i32.add(a, b)`, `f32x4.mul(a, b)`, `v128.load(address, offset)`.
 * It owns opcodes (those that kernels need: add more as they do), control flow and the shapes of operands; nothing of what a
 * kernel computes.
 * Used by everything that emits code; the bytes go to `assembler.ts`.
 */
import type { Expression, F32, FunctionReference, I32, I64, Local, Statement, V128, ValueType } from './assembler.ts';
import { signed, unsigned } from './assembler.ts';

type Unary<A extends ValueType, R extends ValueType = A> = (a: Expression<A>) => Expression<R>;
type Binary<A extends ValueType, R extends ValueType = A> = (a: Expression<A>, b: Expression<A>) => Expression<R>;
type Load<R extends ValueType> = (address: I32, offset?: number) => Expression<R>;
type Store<A extends ValueType> = (address: I32, value: Expression<A>, offset?: number) => Statement;

const opcode = (code: number): number[] => (code > 0xff ? [code >> 16, ...unsigned(code & 0xffff)] : [code]);

function unaries<N extends string, A extends ValueType, R extends ValueType>(
  _from: A,
  to: R,
  codes: Record<N, number>,
): Record<N, Unary<A, R>> {
  const table: Partial<Record<N, Unary<A, R>>> = {};
  for (const name in codes) {
    const bytes = opcode(codes[name]);
    table[name] = (a) => ({ type: to, code: [a.code, bytes] });
  }
  return table as Record<N, Unary<A, R>>;
}
function binaries<N extends string, A extends ValueType, R extends ValueType>(
  _from: A,
  to: R,
  codes: Record<N, number>,
): Record<N, Binary<A, R>> {
  const table: Partial<Record<N, Binary<A, R>>> = {};
  for (const name in codes) {
    const bytes = opcode(codes[name]);
    table[name] = (a, b) => ({ type: to, code: [a.code, b.code, bytes] });
  }
  return table as Record<N, Binary<A, R>>;
}
/** Alignment hints are always 0 (bytes): they do not change the code for x64 and arm64. */
function load<R extends ValueType>(type: R, code: number): Load<R> {
  const bytes = opcode(code);
  return (address, offset = 0) => ({ type, code: [address.code, bytes, 0, unsigned(offset)] });
}
function store<A extends ValueType>(code: number): Store<A> {
  const bytes = opcode(code);
  return (address, value, offset = 0) => [address.code, value.code, bytes, 0, unsigned(offset)];
}
/** SIMD opcodes have the prefix 0xfd. */
const simd = (code: number): number => (0xfd << 16) | code;
const saturating = (code: number): number => (0xfc << 16) | code;

function floatBytes(value: number): number[] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value, true);
  return [0, 1, 2, 3].map((at) => view.getUint8(at));
}
const wordBytes = (value: number): number[] => [value, value >> 8, value >> 16, value >> 24].map((byte) => byte & 0xff);

type Name<K extends string, F> = Readonly<Record<K, F>>;

export const i32: Name<
  'add' | 'sub' | 'mul' | 'divS' | 'divU' | 'remU' | 'and' | 'or' | 'xor' | 'shl' | 'shrS' | 'shrU',
  Binary<'i32'>
> &
  Name<'eq' | 'ne' | 'ltS' | 'ltU' | 'gtS' | 'gtU' | 'leU' | 'geS' | 'geU', Binary<'i32'>> &
  Name<'eqz', Unary<'i32'>> &
  Name<'load' | 'load8U' | 'load8S' | 'load16U', Load<'i32'>> &
  Name<'store' | 'store8' | 'store16', Store<'i32'>> & {
    readonly const: (value: number) => I32;
    readonly truncSat: Unary<'f32', 'i32'>;
    readonly reinterpret: Unary<'f32', 'i32'>;
    readonly wrap: Unary<'i64', 'i32'>;
    /** Adds to the word at `address`, atomically. */
    readonly atomicAddVoid: (address: I32, value: I32) => Statement;
  } = {
  const: (value) => ({ type: 'i32', code: [0x41, ...signed(value)] }),
  ...binaries('i32', 'i32', {
    eq: 0x46,
    ne: 0x47,
    ltS: 0x48,
    ltU: 0x49,
    gtS: 0x4a,
    gtU: 0x4b,
    leU: 0x4d,
    geS: 0x4e,
    geU: 0x4f,
    add: 0x6a,
    sub: 0x6b,
    mul: 0x6c,
    divS: 0x6d,
    divU: 0x6e,
    remU: 0x70,
    and: 0x71,
    or: 0x72,
    xor: 0x73,
    shl: 0x74,
    shrS: 0x75,
    shrU: 0x76,
  }),
  ...unaries('i32', 'i32', { eqz: 0x45 }),
  load: load('i32', 0x28),
  load8S: load('i32', 0x2c),
  load8U: load('i32', 0x2d),
  load16U: load('i32', 0x2f),
  store: store(0x36),
  store8: store(0x3a),
  store16: store(0x3b),
  truncSat: unaries('f32', 'i32', { f: saturating(0) }).f,
  reinterpret: unaries('f32', 'i32', { f: 0xbc }).f,
  wrap: unaries('i64', 'i32', { f: 0xa7 }).f,
  atomicAddVoid: (address, value) => [address.code, value.code, 0xfe, 0x1e, 2, 0, 0x1a],
};

export const i64: Name<'add' | 'mul' | 'divU' | 'or' | 'shl' | 'shrU', Binary<'i64'>> &
  Name<'eq' | 'leS', Binary<'i64', 'i32'>> & {
    readonly const: (value: number) => I64;
    readonly extendS: Unary<'i32', 'i64'>;
    readonly extendU: Unary<'i32', 'i64'>;
    readonly load: Load<'i64'>;
    readonly store: Store<'i64'>;
    readonly atomicLoad: (address: I32) => I64;
    /** Writes `value` if `expected` is there; leaves what was there. */
    readonly atomicCompareExchange: (address: I32, expected: I64, value: I64) => I64;
  } = {
  const: (value) => ({ type: 'i64', code: [0x42, ...signed(value)] }),
  ...binaries('i64', 'i32', {
    eq: 0x51,
    leS: 0x57,
  }),
  ...binaries('i64', 'i64', {
    add: 0x7c,
    mul: 0x7e,
    divU: 0x80,
    or: 0x84,
    shl: 0x86,
    shrU: 0x88,
  }),
  extendS: unaries('i32', 'i64', { f: 0xac }).f,
  extendU: unaries('i32', 'i64', { f: 0xad }).f,
  load: load('i64', 0x29),
  store: store(0x37),
  atomicLoad: (address) => ({ type: 'i64', code: [address.code, 0xfe, 0x11, 3, 0] }),
  atomicCompareExchange: (address, expected, value) => ({
    type: 'i64',
    code: [address.code, expected.code, value.code, 0xfe, 0x49, 3, 0],
  }),
};

export const f32: Name<'floor' | 'sqrt', Unary<'f32'>> &
  Name<'add' | 'sub' | 'mul' | 'div' | 'min' | 'max', Binary<'f32'>> &
  Name<'eq' | 'ne' | 'lt', Binary<'f32', 'i32'>> & {
    readonly const: (value: number) => F32;
    readonly convert: Unary<'i32', 'f32'>;
    readonly demote: Unary<'f64', 'f32'>;
    readonly reinterpret: Unary<'i32', 'f32'>;
    readonly load: Load<'f32'>;
    readonly store: Store<'f32'>;
  } = {
  const: (value) => ({ type: 'f32', code: [0x43, ...floatBytes(value)] }),
  ...unaries('f32', 'f32', { floor: 0x8e, sqrt: 0x91 }),
  ...binaries('f32', 'f32', { add: 0x92, sub: 0x93, mul: 0x94, div: 0x95, min: 0x96, max: 0x97 }),
  ...binaries('f32', 'i32', { eq: 0x5b, ne: 0x5c, lt: 0x5d }),
  convert: unaries('i32', 'f32', { f: 0xb2 }).f,
  demote: unaries('f64', 'f32', { f: 0xb6 }).f,
  reinterpret: unaries('i32', 'f32', { f: 0xbe }).f,
  load: load('f32', 0x2a),
  store: store(0x38),
};

export const f64: Name<'add' | 'mul' | 'min' | 'max', Binary<'f64'>> & { readonly promote: Unary<'f32', 'f64'> } = {
  ...binaries('f64', 'f64', { add: 0xa0, mul: 0xa2, min: 0xa4, max: 0xa5 }),
  promote: unaries('f32', 'f64', { f: 0xbb }).f,
};

type VectorUnary = Unary<'v128'>;
type VectorBinary = Binary<'v128'>;
const vectorUnary = <N extends string>(codes: Record<N, number>): Record<N, VectorUnary> => {
  const prefixed: Partial<Record<N, number>> = {};
  for (const name in codes) prefixed[name] = simd(codes[name]);
  return unaries('v128', 'v128', prefixed as Record<N, number>);
};
const vectorBinary = <N extends string>(codes: Record<N, number>): Record<N, VectorBinary> => {
  const prefixed: Partial<Record<N, number>> = {};
  for (const name in codes) prefixed[name] = simd(codes[name]);
  return binaries('v128', 'v128', prefixed as Record<N, number>);
};
const extract =
  <R extends ValueType>(type: R, code: number): ((vector: V128, lane: number) => Expression<R>) =>
  (vector, lane) => ({ type, code: [vector.code, 0xfd, ...unsigned(code), lane] });
const replace =
  <A extends ValueType>(code: number): ((vector: V128, lane: number, value: Expression<A>) => V128) =>
  (vector, lane, value) => ({ type: 'v128', code: [vector.code, value.code, 0xfd, ...unsigned(code), lane] });
const shift =
  (code: number): ((vector: V128, count: I32) => V128) =>
  (vector, count) => ({ type: 'v128', code: [vector.code, count.code, 0xfd, ...unsigned(code)] });

export const v128: Name<'and' | 'andnot' | 'or' | 'xor', VectorBinary> &
  Name<'load' | 'load8x8S' | 'load8x8U' | 'load16x4U' | 'load32Splat' | 'load32Zero' | 'load64Zero', Load<'v128'>> & {
    readonly store: Store<'v128'>;
    readonly words: (words: readonly [number, number, number, number]) => V128;
    /** Bits of `a` where `mask` is set, of `b` elsewhere. */
    readonly bitselect: (a: V128, b: V128, mask: V128) => V128;
    /** As many words as a vector has, out of those of `a` and `b`. */
    readonly shuffleWords: (a: V128, b: V128, words: readonly number[]) => V128;
    readonly load32Lane: (address: I32, vector: V128, lane: number, offset?: number) => V128;
    readonly store32Lane: (address: I32, vector: V128, lane: number, offset?: number) => Statement;
    /** The first two words. */
    readonly store64Low: (address: I32, vector: V128, offset?: number) => Statement;
    /** The next two. */
    readonly store64High: (address: I32, vector: V128, offset?: number) => Statement;
  } = {
  ...vectorBinary({ and: 0x4e, andnot: 0x4f, or: 0x50, xor: 0x51 }),
  load: load('v128', simd(0x00)),
  load8x8S: load('v128', simd(0x01)),
  load8x8U: load('v128', simd(0x02)),
  load16x4U: load('v128', simd(0x04)),
  load32Splat: load('v128', simd(0x09)),
  load32Zero: load('v128', simd(0x5c)),
  load64Zero: load('v128', simd(0x5d)),
  store: store(simd(0x0b)),
  words: (words) => ({ type: 'v128', code: [0xfd, 0x0c, words.flatMap(wordBytes)] }),
  bitselect: (a, b, mask) => ({ type: 'v128', code: [a.code, b.code, mask.code, 0xfd, 0x52] }),
  shuffleWords: (a, b, words) => ({
    type: 'v128',
    code: [a.code, b.code, 0xfd, 0x0d, words.flatMap((word) => [0, 1, 2, 3].map((byte) => word * 4 + byte))],
  }),
  load32Lane: (address, vector, lane, offset = 0) => ({
    type: 'v128',
    code: [address.code, vector.code, 0xfd, 0x56, 0, unsigned(offset), lane],
  }),
  store32Lane: (address, vector, lane, offset = 0) => [
    address.code,
    vector.code,
    0xfd,
    0x5a,
    0,
    unsigned(offset),
    lane,
  ],
  store64Low: (address, vector, offset = 0) => [address.code, vector.code, 0xfd, 0x5b, 0, unsigned(offset), 0],
  store64High: (address, vector, offset = 0) => [address.code, vector.code, 0xfd, 0x5b, 0, unsigned(offset), 1],
};

export const i8x16: Name<'narrowI16x8S' | 'narrowI16x8U' | 'ltU', VectorBinary> & {
  readonly splat: Unary<'i32', 'v128'>;
} = {
  ...vectorBinary({ narrowI16x8S: 0x65, narrowI16x8U: 0x66, ltU: 0x26 }),
  splat: unaries('i32', 'v128', { f: simd(0x0f) }).f,
};
export const i16x8: Name<'narrowI32x4S' | 'add' | 'relaxedDotI8x16', VectorBinary> &
  Name<'extendLowI8x16S' | 'extendHighI8x16S' | 'extendLowI8x16U' | 'extendHighI8x16U', VectorUnary> &
  Name<'shrU', (vector: V128, count: I32) => V128> = {
  // relaxedDotI8x16: the sums of two neighbouring products each; bytes of the second operand have 7 bits, without a sign
  ...vectorBinary({ narrowI32x4S: 0x85, add: 0x8e, relaxedDotI8x16: 0x112 }),
  ...vectorUnary({ extendLowI8x16S: 0x87, extendHighI8x16S: 0x88, extendLowI8x16U: 0x89, extendHighI8x16U: 0x8a }),
  shrU: shift(0x8d),
};

export const i32x4: Name<'add' | 'sub' | 'mul' | 'minS' | 'maxS' | 'eq' | 'ne' | 'ltS' | 'dotI16x8S', VectorBinary> &
  Name<
    'neg' | 'extendLowI16x8S' | 'extendHighI16x8S' | 'extendLowI16x8U' | 'truncSat' | 'truncSatF64Zero',
    VectorUnary
  > &
  Name<'shl' | 'shrS' | 'shrU', (vector: V128, count: I32) => V128> & {
    readonly splat: Unary<'i32', 'v128'>;
    readonly allTrue: Unary<'v128', 'i32'>;
    readonly extract: (vector: V128, lane: number) => I32;
    readonly replace: (vector: V128, lane: number, value: I32) => V128;
    /** c and the sums of four neighbouring products each; bytes of `b` have 7 bits, without a sign. */
    readonly relaxedDotAddI8x16: (a: V128, b: V128, c: V128) => V128;
  } = {
  ...vectorBinary({
    eq: 0x37,
    ne: 0x38,
    ltS: 0x39,
    add: 0xae,
    sub: 0xb1,
    mul: 0xb5,
    minS: 0xb6,
    maxS: 0xb8,
    // the sums of two neighbouring products each
    dotI16x8S: 0xba,
  }),
  ...vectorUnary({
    neg: 0xa1,
    extendLowI16x8S: 0xa7,
    extendHighI16x8S: 0xa8,
    extendLowI16x8U: 0xa9,
    truncSat: 0xf8,
    truncSatF64Zero: 0xfc,
  }),
  shl: shift(0xab),
  shrS: shift(0xac),
  shrU: shift(0xad),
  splat: unaries('i32', 'v128', { f: simd(0x11) }).f,
  allTrue: unaries('v128', 'i32', { f: simd(0xa3) }).f,
  extract: extract('i32', 0x1b),
  replace: replace<'i32'>(0x1c),
  relaxedDotAddI8x16: (a, b, c) => ({ type: 'v128', code: [a.code, b.code, c.code, 0xfd, 0x93, 0x02] }),
};

export const f32x4: Name<
  'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'pmin' | 'pmax' | 'eq' | 'ne' | 'lt' | 'gt',
  VectorBinary
> &
  Name<'abs' | 'sqrt' | 'floor' | 'convert' | 'demoteZero', VectorUnary> & {
    readonly splat: Unary<'f32', 'v128'>;
    readonly extract: (vector: V128, lane: number) => F32;
    readonly replace: (vector: V128, lane: number, value: F32) => V128;
    /** a * b + c, rounded once or twice as the processor likes. */
    readonly relaxedMadd: (a: V128, b: V128, c: V128) => V128;
  } = {
  ...vectorBinary({
    eq: 0x41,
    ne: 0x42,
    lt: 0x43,
    gt: 0x44,
    add: 0xe4,
    sub: 0xe5,
    mul: 0xe6,
    div: 0xe7,
    min: 0xe8,
    max: 0xe9,
    pmin: 0xea,
    pmax: 0xeb,
  }),
  ...vectorUnary({
    floor: 0x68,
    abs: 0xe0,
    sqrt: 0xe3,
    convert: 0xfa,
    demoteZero: 0x5e,
  }),
  splat: unaries('f32', 'v128', { f: simd(0x13) }).f,
  extract: extract('f32', 0x1f),
  replace: replace<'f32'>(0x20),
  relaxedMadd: (a, b, c) => ({ type: 'v128', code: [a.code, b.code, c.code, 0xfd, 0x85, 0x02] }),
};

export const f64x2: Name<'add' | 'sub' | 'mul' | 'div' | 'pmin' | 'pmax', VectorBinary> &
  Name<'extract', (vector: V128, lane: number) => Expression<'f64'>> &
  Name<'nearest' | 'convertLow' | 'promoteLow', VectorUnary> = {
  ...vectorBinary({
    add: 0xf0,
    sub: 0xf1,
    mul: 0xf2,
    div: 0xf3,
    pmin: 0xf6,
    pmax: 0xf7,
  }),
  ...vectorUnary({
    nearest: 0x94,
    convertLow: 0xfe,
    promoteLow: 0x5f,
  }),
  extract: extract('f64', 0x21),
};
export const i64x2: Name<'sub', VectorBinary> &
  Name<'shl', (vector: V128, count: I32) => V128> &
  Name<'extendLowI32x4S', VectorUnary> = {
  ...vectorBinary({ sub: 0xd1 }),
  ...vectorUnary({ extendLowI32x4S: 0xc7 }),
  shl: shift(0xcb),
};

export const memory: {
  readonly copy: (to: I32, from: I32, bytes: I32) => Statement;
  readonly fill: (to: I32, byte: I32, bytes: I32) => Statement;
} = {
  copy: (to, from, bytes) => [to.code, from.code, bytes.code, 0xfc, 0x0a, 0, 0],
  fill: (to, byte, bytes) => [to.code, byte.code, bytes.code, 0xfc, 0x0b, 0],
};

/** `condition ? a : b`; both are evaluated. */
export function select<T extends ValueType>(a: Expression<T>, b: Expression<T>, condition: I32): Expression<T> {
  return { type: a.type, code: [a.code, b.code, condition.code, 0x1b] };
}
export function call<R extends ValueType>(type: R, target: FunctionReference, ...values: Expression[]): Expression<R> {
  return { type, code: [values.map((value) => value.code), 0x10, target] };
}
export function callVoid(target: FunctionReference, ...values: Expression[]): Statement {
  return [values.map((value) => value.code), 0x10, target];
}
/** Calls the function at place `index` of the module's table; `type` is its type's index in the module. */
export function callIndirect(type: number, index: I32, ...values: Expression[]): Statement {
  return [values.map((value) => value.code), index.code, 0x11, unsigned(type), 0];
}
/** A loop without a condition. `leave(depth)` and `again(depth)` jump from inside `depth` blocks (each `when` is one). */
export function loopForever(
  build: (leave: (depth: number) => Statement, again: (depth: number) => Statement) => readonly Statement[],
): Statement {
  const leave = (depth: number): Statement => [0x0c, depth + 1];
  const again = (depth: number): Statement => [0x0c, depth];
  return [0x02, 0x40, 0x03, 0x40, build(leave, again), 0x0b, 0x0b];
}
export function when(condition: I32, then: readonly Statement[], otherwise: readonly Statement[] = []): Statement {
  return [condition.code, 0x04, 0x40, then, otherwise.length > 0 ? [0x05, otherwise] : [], 0x0b];
}
/** Runs the body at least once, and again while the condition holds. */
export function doWhile(body: readonly Statement[], condition: I32): Statement {
  return [0x03, 0x40, body, condition.code, 0x0d, 0, 0x0b];
}
/** Runs the body while the condition holds. */
export function whileLoop(condition: I32, body: readonly Statement[]): Statement {
  return [0x02, 0x40, 0x03, 0x40, condition.code, 0x45, 0x0d, 1, body, 0x0c, 0, 0x0b, 0x0b];
}
/** `for (i = from; i < to; i += step)`, unsigned. `runs`: the loop is known to run at least once. */
export function forLoop(
  index: Local<'i32'>,
  from: I32,
  to: I32,
  step: number,
  body: readonly Statement[],
  runs = false,
): Statement {
  const loop = doWhile([...body, index.set(i32.add(index, i32.const(step)))], i32.ltU(index, to));
  return [index.set(from), runs ? loop : when(i32.ltU(index, to), [loop])];
}
