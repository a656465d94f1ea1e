/**
 * WebAssembly with vectors of four float32 numbers, written byte by byte: the few instructions that transforms need, as expressions, and a module of
 * functions of one type around them. `vectors.ts` and `frames.ts` say what the functions do.
 */

/** Instructions; those of an expression leave its value on the stack. */
export type Code = readonly number[];

export const int32 = 0x7f;
export const float32 = 0x7d;
const vector = 0x7b;

const unsigned = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]);
export const get = (local: number): Code => [0x20, local];
export const set = (local: number, value: Code): Code => [...value, 0x21, local];
export const addInt = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const subtractInt = (a: Code, b: Code): Code => [...a, ...b, 0x6b];
/** A number up to 63. */
export const int = (value: number): Code => [0x41, value];
export const times = (value: Code, by: number): Code => [...value, ...int(by), 0x6c];
export const timesInt = (a: Code, b: Code): Code => [...a, ...b, 0x6c];
/** Divided by a power of 2, rounded down. */
export const shiftRight = (value: Code, by: number): Code => [...value, ...int(by), 0x76];
export const load = (address: Code, offset = 0): Code => [...address, 0xfd, 0x00, 0x00, ...unsigned(offset)];
export const loadSplat = (address: Code, offset = 0): Code => [...address, 0xfd, 0x09, 0x00, ...unsigned(offset)];
export const store = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  0xfd,
  0x0b,
  0x00,
  ...unsigned(offset),
];
export const float = (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
export const splat = (value: Code): Code => [...value, 0xfd, 0x13];
export const add = (a: Code, b: Code): Code => [...a, ...b, 0xfd, 0xe4, 0x01];
export const subtract = (a: Code, b: Code): Code => [...a, ...b, 0xfd, 0xe5, 0x01];
export const multiply = (a: Code, b: Code): Code => [...a, ...b, 0xfd, 0xe6, 0x01];
/** Four lanes of eight. */
export const shuffle = (a: Code, b: Code, lanes: readonly number[]): Code => [
  ...a,
  ...b,
  0xfd,
  0x0d,
  ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
];
/** Stores four vectors as the columns of a matrix whose rows lie one behind the other, 64 bytes; by way of four locals from `scratch` on. */
export const storeTurned = (address: Code, [a, b, c, d]: readonly [Code, Code, Code, Code], scratch: number): Code => [
  ...set(scratch, shuffle(a, b, [0, 4, 1, 5])),
  ...set(scratch + 1, shuffle(a, b, [2, 6, 3, 7])),
  ...set(scratch + 2, shuffle(c, d, [0, 4, 1, 5])),
  ...set(scratch + 3, shuffle(c, d, [2, 6, 3, 7])),
  ...[0, 1, 2, 3].flatMap((row) => {
    const [left, right] = [get(scratch + (row >> 1)), get(scratch + 2 + (row >> 1))];
    return store(address, shuffle(left, right, row % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7]), 16 * row);
  }),
];
/** Repeats the body, at whose end `local` grows by `step`, while it is below `end`. */
export const loop = (local: number, step: Code, end: Code, body: Code): Code => [
  ...[0x03, 0x40],
  ...body,
  ...set(local, addInt(get(local), step)),
  ...get(local),
  ...end,
  ...[0x49, 0x0d, 0x00, 0x0b],
];

/** A section of a module: its number, and its items with their count in front. */
const section = (id: number, items: readonly Code[]): Code => {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
};

export interface Functions {
  /** The types of what all of them take; they give nothing back. */
  readonly parameters: readonly number[];
  /** How many locals follow the parameters: integers, then vectors. */
  readonly locals: readonly [integers: number, vectors: number];
  readonly bodies: readonly Code[];
}

/** A module of functions, exported as 'a', 'b' and so on, on a memory that is given. */
export function moduleOf({ parameters, locals, bodies }: Functions): Uint8Array<ArrayBuffer> {
  const codes = bodies.map((code) => {
    const body = [2, locals[0], int32, locals[1], vector, ...code, 0x0b];
    return [...unsigned(body.length), ...body];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [[0x60, parameters.length, ...parameters, 0]]),
    ...section(2, [[1, 0x6d, 1, 0x6d, 2, 0, 1]]), // a memory m.m of at least one page
    ...section(
      3,
      bodies.map(() => [0]),
    ),
    ...section(
      7,
      bodies.map((_, k) => [1, 0x61 + k, 0, k]),
    ),
    ...section(10, codes),
  ]);
}

/** A module that runs. */
export interface Instance<F> {
  readonly memory: WebAssembly.Memory;
  readonly functions: readonly F[];
  /** Takes so many bytes of the memory for good; says where they begin. */
  take(bytes: number): number;
}

/** The module of the process, or null where there can be none: that is found out at the first call. */
export function instantiated<F>(bytes: () => Uint8Array<ArrayBuffer>): () => Instance<F> | null {
  let made: Instance<F> | null | undefined;
  return () => {
    made ??= made === null ? null : instantiate<F>(bytes);
    return made;
  };
}

function instantiate<F>(bytes: () => Uint8Array<ArrayBuffer>): Instance<F> | null {
  try {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes()), { m: { m: memory } });
    let used = 0;
    return {
      memory,
      functions: Object.keys(exports)
        .sort()
        .map((name) => exports[name] as F),
      take(count) {
        const start = used;
        used += count;
        const missing = used - memory.buffer.byteLength;
        if (missing > 0) memory.grow(Math.ceil(missing / 2 ** 16));
        return start;
      },
    };
  } catch {
    return null; // no WebAssembly, no vectors in it, or a policy that forbids both
  }
}
