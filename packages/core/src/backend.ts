/**
 * The contract between core and a device: the only file a backend author must read. It imports nothing.
 *
 * Core turns the graph of tensors into a `Program`: a straight list of loop nests over dense buffers.
 * A backend stores buffers, compiles programs and runs them. The loop nest is the meaning of a kernel;
 * a `hint`, a `group` or an `inPlace` mark is only a permission to be faster.
 */

/** Storage types. Operations compute in `float32`, `int32` and `bool`; the others only store. */
export type DType = 'float32' | 'int32' | 'bool' | 'float16' | 'bfloat16' | 'int8' | 'uint8';
export type Shape = readonly number[];
export type Axes = readonly number[];
/** Host data: float32 as Float32Array, int32 as Int32Array, bool and uint8 as Uint8Array, int8 as Int8Array, float16 and bfloat16 as the bits in a Uint16Array. */
export type TensorData = Float32Array | Int32Array | Uint16Array | Int8Array | Uint8Array;

/** A dense, row-major buffer. A scalar has the shape `[]` and one element. No buffer is ever empty. */
export interface BufferType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** What a device can do. Core never hands it a program beyond these. */
export interface Limits {
  /** The dtypes that may be stored in a buffer. Always has float32, int32 and bool. */
  readonly dtypes: readonly DType[];
  /** The most buffers one kernel may read. */
  readonly maxReads: number;
  /** The most buffers one kernel may touch, the written one included. */
  readonly maxBindings: number;
  /** The most elements in one buffer. */
  readonly maxLength: number;
  /** Whether int32 arithmetic wraps exactly over 32 bits. Where false, integers are exact to 2^24 and core draws random numbers on the host. */
  readonly exactInt32: boolean;
  /** Whether a step may write the memory that it reads. Where false, equal slots never overlap in one step, and `into` never appears. */
  readonly inPlace: boolean;
  /** Whether programs may have loops; that needs `inPlace`. Where it is not said, core writes every turn out. */
  readonly loops?: boolean;
  /**
   * Whether its memory is the processor's, so that what the host computes in between costs a copy. Where it is not said, it costs a round trip, and
   * libraries prefer what stays in a program.
   */
  readonly hostMemory?: boolean;
  /** How much core may leave on the device in results that nothing owns, before it moves them to the host. */
  readonly maxResident: { readonly count: number; readonly bytes: number };
}

export interface Backend<B extends object = object> {
  readonly name: string;
  readonly limits: Limits;
  /** Copies `data` (of exactly the size and kind that `type` asks for) before it returns. */
  upload(data: TensorData, type: BufferType): B;
  /** A copy on the host: itself where nothing has to be waited for, else the promise of it. Rejects with the device's error. */
  download(buffer: B): TensorData | Promise<TensorData>;
  /** The buffer will not be named again. Legal while queued programs still use it. */
  release(buffer: B): void;
  compile(program: Program): Executable<B> | Promise<Executable<B>>;
  /** Resolves when all enqueued work is done, or rejects with the device's error. */
  idle(): Promise<void>;
  /** Whether all is done when `run` returns: nobody need ask `idle` how far it is. Where it is not said, it is not so. */
  readonly isSynchronous?: boolean;
}

export interface Executable<B extends object = object> {
  /**
   * Runs the program: `inputs` in the order of the program's first `inputs` buffers, one number a scalar.
   * Returns one new buffer for each output. Throws before it touches a donated input, or has enqueued everything.
   * A donated input belongs to the backend afterwards: core neither uses nor releases it again, except as the output that takes
   * its memory, which may be the same object.
   */
  run(inputs: readonly B[], scalars: Float64Array): readonly B[];
  /** How each step is run (an algorithm, an instruction set), for people: `explain` and `profile` print it. */
  readonly paths?: readonly string[];
  /** About how much memory its code takes, so that core keeps a bounded amount of it. A guess is made where it is not said. */
  readonly bytes?: number;
  /** As `run`, with the time of each step (0 where steps were merged into an earlier one). */
  profile?(inputs: readonly B[], scalars: Float64Array): Measured<B> | Promise<Measured<B>>;
  release(): void;
}

/** What a measured run gives back. */
export interface Measured<B extends object = object> {
  readonly outputs: readonly B[];
  /** For each step. */
  readonly milliseconds: readonly number[];
}

/** Steps to run in order. Each buffer is an input or is written by exactly one step, before it is read. */
export interface Program {
  /**
   * The inputs come first. Buffers with equal slots share memory: their lives do not overlap, except where a step's
   * `inPlace` or `into.base` says so. Inputs and outputs never share a slot, except for donations.
   */
  readonly buffers: readonly (BufferType & { readonly slot: number })[];
  readonly inputs: number;
  /** Output number `output` (a position in `outputs`) may take over the memory of input `input`; they have equal slots. Proved by core. */
  readonly donations: readonly { readonly input: number; readonly output: number }[];
  readonly scalars: readonly DType[];
  readonly steps: readonly Step[];
  readonly groups: readonly Group[];
  /** Steps that run again and again: ranges that do not overlap, and that no group enters or leaves. None where it is not said. */
  readonly loops?: readonly Loop[];
  /** Buffers to return: distinct, never inputs. */
  readonly outputs: readonly number[];
}

/**
 * Steps `first` to `last` (both included) run `count` times, in order; turns are numbered from 0. In each turn a step writes its
 * buffer anew, a `piece` besides those of the turns before. `carried`: what a turn leaves in `from`, which a step of the loop
 * writes, the next one finds in `to`, which a step before the loop wrote; both have equal slots, so nothing moves.
 */
export interface Loop {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly carried: readonly { readonly from: number; readonly to: number }[];
}

/** One kernel bound to buffers. */
export interface Step {
  readonly kernel: Kernel;
  /** The buffer that is written. Its size is that of the kernel's domain (row-major), or of `into.shape`; with `piece` it is larger. */
  readonly write: number;
  /** For each read of the kernel: the buffer, and the element that counts as its element 0; in a loop, `offset + turn * move`. */
  readonly reads: readonly { readonly buffer: number; readonly offset: number; readonly move?: number }[];
  /** For each scalar slot of the kernel: the program's scalar. */
  readonly scalars: readonly number[];
  /** Every load of this read is at the element being written, so the two may share memory. */
  readonly inPlace?: number;
  /**
   * The kernel's domain is a box inside the written buffer of the shape `shape`, at `start`; the rest of it is copied
   * from the buffer `base` (of the same type), or left undefined where `base` is null (later steps fill it).
   * Where base and written buffer have equal slots nothing needs copying. Starts are in range.
   */
  readonly into?: {
    readonly base: number | null;
    readonly shape: Shape;
    readonly start: readonly (number | { readonly scalar: number })[];
  };
  /**
   * The domain is a run of elements of the written buffer: from `offset` on, in a loop from `offset + turn * move`. The others
   * are those of the buffer `base`, which has an equal slot, or, where that is null, what other turns write.
   */
  readonly piece?: { readonly base: number | null; readonly offset: number; readonly move: number };
}

/**
 * Steps `first` to `last` (both included) whose domains share their first `outer` axes. The buffers in `local` are
 * written and read only inside the group and only at the same outer index, so a backend may run the whole group once
 * for each outer index and keep them in a small scratch row. Running the steps one after the other is always right.
 */
export interface Group {
  readonly first: number;
  readonly last: number;
  readonly outer: number;
  readonly local: readonly number[];
}

/**
 * A loop nest: `out[i] = epilogue(reduce over r of value(i, r))`, for every index `i` of the domain and `r` of the
 * extents. Axis numbers run over the domain first, then over the reduced extents. Without `reduce`, `out[i] = value(i)`
 * and there is no epilogue. Keys are equal exactly when kernels are equal, whatever their buffers and offsets.
 */
export interface Kernel {
  readonly key: string;
  readonly domain: Shape;
  readonly dtype: DType;
  readonly reads: readonly DType[];
  readonly scalars: readonly DType[];
  readonly reduce?: {
    readonly op: 'sum' | 'product' | 'max' | 'min';
    readonly extents: Shape;
    readonly dtype: DType;
  };
  readonly value: Body;
  readonly epilogue?: Body;
  readonly hint?: Hint;
}

/** A straight line of at most 128 operations. Operands are earlier positions; the last operation is the result. */
export type Body = readonly Op[];

/**
 * `axis`: the index along an axis of the domain, or (in `value`) of the extents; int32.
 * `load`: the element of a read whose flat index is the (int32) value at position `index`; always in range.
 * `accumulator`: the finished reduction; only in `epilogue`.
 */
export type Op = { readonly dtype: DType } & (
  | { readonly op: 'const'; readonly value: number }
  | { readonly op: 'scalar'; readonly slot: number }
  | { readonly op: 'axis'; readonly axis: number }
  | { readonly op: 'load'; readonly read: number; readonly index: number }
  | { readonly op: 'accumulator' }
  | { readonly op: Alu; readonly args: readonly number[] }
);

/**
 * The scalar functions. Arguments have the dtype of the result except for the comparisons (equal dtypes in, bool out),
 * `where` (bool, then two of the result's), `cast` (any) and `random` (three int32 in, float32 out).
 * - int32 wraps over 32 bits (`Math.imul`, `| 0`); shift counts are taken modulo 32; `shr` keeps the sign.
 * - `and or xor` work on the bits of int32 and on bool. `less equal` are false when an operand is NaN.
 * - `mod` has the sign of the dividend (as `%`), `floorMod` that of the divisor; `floorDiv` rounds down. Integer division by 0 gives 0.
 * - `pow` is C's: `x^0` and `1^y` are 1, NaN included; an int32 power with a negative exponent is truncated. `div` of int32 truncates.
 * - On bool, `add max or` are or, `mul min and` are and, `sub xor` are xor.
 * - `max min` give NaN when an operand is NaN (the max and min reductions too).
 * - `cast` to an integer truncates and saturates, NaN to 0; to bool it is `x != 0`.
 * - `random(seed, stream, counter)` is a multiple of 2^-24 in [0, 1); see `randomValue` in core's `random.ts`.
 * - A sum may be taken in any order. float32 results are rounded at least when they are stored.
 */
// biome-ignore format: a table
export type Alu =
  | 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'floorDiv' | 'floorMod' | 'pow' | 'max' | 'min'
  | 'exp' | 'log' | 'sqrt' | 'sin' | 'cos' | 'tanh' | 'erf' | 'floor' | 'cast'
  | 'less' | 'equal' | 'and' | 'or' | 'xor' | 'shl' | 'shr' | 'where' | 'random';

/** What a loop nest computes, in larger words. Positions are positions in `value`; axes count as in `Op`'s `axis`. */
export type Hint =
  /**
   * A sum of products `left * right`: `left` varies only with batch, rows and inner axes, `right` only with batch,
   * columns and inner axes. Batch, rows and columns are all the axes of the domain (in the domain's order within each
   * list), inner all the extents. `left` and `right` are positions of loads or of small expressions.
   */
  | {
      readonly kind: 'contraction';
      readonly batch: Axes;
      readonly rows: Axes;
      readonly columns: Axes;
      readonly inner: Axes;
      readonly left: number;
      readonly right: number;
    }
  /**
   * A convolution or one of its two gradients, channels first, of any rank of space. `input` is [N, C, ...space],
   * `weight` [O, C / groups, ...kernel], `output` [N, O, ...out]. `padding` is the zeros before each axis of space.
   * Reads 0 and 1 are dense: forward reads (input, weight), `input` reads (output's cotangent, weight),
   * `weight` reads (input, output's cotangent). Further reads belong to the epilogue.
   */
  | {
      readonly kind: 'conv';
      readonly form: 'forward' | 'input' | 'weight';
      readonly input: Shape;
      readonly weight: Shape;
      readonly output: Shape;
      readonly stride: Shape;
      readonly dilation: Shape;
      readonly padding: Shape;
      readonly groups: number;
    }
  /**
   * `sum (or max) over r of where(index(r) == i[axis], update(i without axis, r), the neutral element)`: for each r, add the
   * value at position `update` to (or take the larger of it and) the element whose index along the domain's `axis` is the
   * value at position `index` (int32, in range or ignored).
   */
  | { readonly kind: 'scatter'; readonly axis: number; readonly index: number; readonly update: number }
  /** `op over r <= i[axis] of operand(i with axis replaced by r)`: a running sum, product, maximum or minimum, as `reduce.op` says. One extent, as long as the axis. `operand` is the position of that value. */
  | { readonly kind: 'scan'; readonly axis: number; readonly operand: number }
  /** The int32 position that element i takes when its row along `axis` is sorted ascending (stable, NaN last). One extent. `operand` is the position of the compared value at r. */
  | { readonly kind: 'rank'; readonly axis: number; readonly operand: number };
