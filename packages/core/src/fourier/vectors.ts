/**
 * Transforms of rows whose length is a power of 2, in WebAssembly with vectors of four float32 numbers: the passes of radix 4 of
 * transform.ts, a last one of radix 2 where the power is odd, and what takes the spectrum of a real row out of that of half as many
 * complex numbers (real.ts has the formulas), or puts it in. Owns the module, of `code.ts`, and its memory. Where WebAssembly or its vectors are missing or forbidden there is none, and transform.ts does the work.
 *
 * Complex numbers lie interleaved outside, and as a plane of real parts before one of imaginary parts inside. With N numbers
 * a row, a quarter of a plane is Q = N bytes. The length of a pass times its stride is always N, so a butterfly reads one
 * quarter apart in every pass.
 */

import {
  add,
  addInt,
  type Code,
  float32,
  get,
  type Instance,
  instantiated,
  int,
  int32,
  load,
  loadSplat,
  loop,
  moduleOf,
  multiply,
  set,
  shuffle,
  splat,
  store,
  storeTurned,
  subtract,
  subtractInt,
  times,
} from './code.ts';

/** A transform of one row: write `input`, run, read `output`, which `run` gives. */
export interface VectorTransform {
  /** N pairs. */
  readonly input: Float32Array;
  readonly output: Float32Array;
  /** With every number of the result times `scale`. */
  run(isInverse?: boolean, scale?: number): Float32Array;
  /** N + 1 pairs: the spectrum of a row of 2 N real numbers. */
  readonly spectrum: Float32Array;
  /** From `output` to all of `spectrum` but its ends, times `scale`. */
  takeApart(scale: number): void;
  /** From `spectrum` to all of `input` but its first pair, times `scale`. */
  putTogether(scale: number): void;
}

/** -i exp(-pi i k / N) for k = 1 ... N / 2: all real parts, then all imaginary ones. */
export function realRoots(n: number): Float64Array {
  const half = Math.floor(n / 2);
  const values = new Float64Array(2 * half);
  for (let k = 1; k <= half; k++) {
    values[k - 1] = -Math.sin((Math.PI * k) / n);
    values[half + k - 1] = 2 * k === n ? 0 : -Math.cos((Math.PI * k) / n); // exact, so that what cancels is 0
  }
  return values;
}

/** The parameters of all functions: where a row is and goes, Q, the stride in bytes, the roots; the sign and the scale. */
const [x, y, quarter, stride, roots, sign, scale] = [0, 1, 2, 3, 4, 5, 6];
/** Locals of integers. */
const [at, i, o] = [7, 8, 9];
/** Locals of vectors: a butterfly's four numbers, its results, its roots, and scratch. */
const [first, result, root, turn] = [10, 18, 26, 32];
const localCounts = [3, 24] as const;

const plus = (base: Code, quarters: number): Code =>
  quarters === 0 ? base : addInt(base, quarters === 1 ? get(quarter) : times(get(quarter), quarters));

/**
 * From the vectors `first` (real and imaginary parts of a, b, c, d) to `result`: sums over j of x_j exp(-2 pi i j k / 4), where
 * the sign says which way the turn goes.
 */
function butterfly(): Code {
  const part = (j: number, p: number): Code => get(first + 2 * j + p);
  const code: number[] = [];
  for (const p of [0, 1]) {
    // a + c, a - c, b + d, and i (b - d) with its sign, into results and scratch
    code.push(...set(result + p, add(part(0, p), part(2, p))));
    code.push(...set(result + 2 + p, subtract(part(0, p), part(2, p))));
    code.push(...set(result + 4 + p, add(part(1, p), part(3, p))));
  }
  code.push(...set(turn, multiply(splat(get(sign)), subtract(part(3, 1), part(1, 1)))));
  code.push(...set(turn + 1, multiply(splat(get(sign)), subtract(part(1, 0), part(3, 0)))));
  for (const p of [0, 1]) {
    const [even, left, odd] = [get(result + p), get(result + 2 + p), get(result + 4 + p)];
    code.push(...set(first + p, add(even, odd)));
    code.push(...set(first + 2 + p, subtract(left, get(turn + p))));
    code.push(...set(first + 4 + p, subtract(even, odd)));
    code.push(...set(first + 6 + p, add(left, get(turn + p))));
  }
  for (let k = 0; k < 8; k++) code.push(...set(result + k, get(first + k)));
  return code;
}

/** The results 1 to 3 times their roots. */
const twiddle = (): Code =>
  [1, 2, 3].flatMap((k) => {
    const [re, im] = [get(first + 2 * k), get(first + 2 * k + 1)];
    const [c, d] = [get(root + 2 * k - 2), get(root + 2 * k - 1)];
    return [
      ...set(result + 2 * k, subtract(multiply(re, c), multiply(im, d))),
      ...set(result + 2 * k + 1, add(multiply(re, d), multiply(im, c))),
    ];
  });

/** Both parts of four interleaved numbers, into two locals. */
const loadPairs = (address: Code, local: number): Code => {
  const [low, high] = [load(address), load(addInt(address, int(16)))];
  return [...set(local, shuffle(low, high, [0, 2, 4, 6])), ...set(local + 1, shuffle(low, high, [1, 3, 5, 7]))];
};

/** Both parts of four numbers, scaled, interleaved. */
const storePairs = (address: Code, re: Code, im: Code): Code => [
  ...set(turn, multiply(re, splat(get(scale)))),
  ...set(turn + 1, multiply(im, splat(get(scale)))),
  ...store(address, shuffle(get(turn), get(turn + 1), [0, 4, 1, 5])),
  ...store(addInt(address, int(16)), shuffle(get(turn), get(turn + 1), [2, 6, 3, 7])),
];

/** Interleaved to planes, stride 1: four butterflies side by side, whose results are then turned like a matrix. */
const firstPass = (): Code =>
  loop(i, int(16), get(quarter), [
    ...[0, 1, 2, 3].flatMap((j) => loadPairs(addInt(get(x), times(plus(get(i), j), 2)), first + 2 * j)),
    ...[0, 1, 2, 3, 4, 5].flatMap((k) => set(root + k, load(addInt(plus(get(roots), k), get(i))))),
    ...butterfly(),
    ...twiddle(),
    ...[0, 1].flatMap((p) => {
      const four = [0, 2, 4, 6].map((k) => get(result + k + p)) as [Code, Code, Code, Code];
      return storeTurned(plus(addInt(get(y), times(get(i), 4)), 4 * p), four, first);
    }),
  ]);

/** Planes to planes, a stride of four numbers or more: one root for all of them. */
const middlePass = (): Code =>
  loop(at, get(stride), get(quarter), [
    ...[0, 1, 2, 3, 4, 5].flatMap((k) => set(root + k, loadSplat(addInt(plus(get(roots), k), get(at))))),
    ...set(i, get(at)),
    ...set(o, addInt(get(y), times(get(at), 4))),
    ...loop(i, int(16), addInt(get(at), get(stride)), [
      ...[0, 1, 2, 3].flatMap((j) =>
        [0, 1].flatMap((p) => set(first + 2 * j + p, load(plus(addInt(get(x), get(i)), j + 4 * p)))),
      ),
      ...butterfly(),
      ...twiddle(),
      ...[0, 1, 2, 3].flatMap((k) =>
        [0, 1].flatMap((p) => store(plus(addInt(get(o), times(get(stride), k)), 4 * p), get(result + 2 * k + p))),
      ),
      ...set(o, addInt(get(o), int(16))),
    ]),
  ]);

/** Planes to interleaved numbers: all roots are 1. */
const lastPass = (): Code =>
  loop(i, int(16), get(quarter), [
    ...[0, 1, 2, 3].flatMap((j) =>
      [0, 1].flatMap((p) => set(first + 2 * j + p, load(plus(addInt(get(x), get(i)), j + 4 * p)))),
    ),
    ...butterfly(),
    ...[0, 1, 2, 3].flatMap((k) =>
      storePairs(addInt(get(y), times(plus(get(i), k), 2)), get(result + 2 * k), get(result + 2 * k + 1)),
    ),
  ]);

const lastPassOf2 = (): Code =>
  loop(i, int(16), times(get(quarter), 2), [
    ...[0, 1].flatMap((j) =>
      [0, 1].flatMap((p) => set(first + 2 * j + p, load(plus(addInt(get(x), get(i)), 2 * j + 4 * p)))),
    ),
    ...[0, 1].flatMap((k) => {
      const of = k === 0 ? add : subtract;
      const [re, im] = [of(get(first), get(first + 2)), of(get(first + 1), get(first + 3))];
      return storePairs(addInt(get(y), times(plus(get(i), 2 * k), 2)), re, im);
    }),
  ]);

const reversed = (value: Code): Code => shuffle(value, value, [3, 2, 1, 0]);

/**
 * Four pairs a at k = 1, 2, ... from the front with their four partners b at N - k from the back, of `x` to `y`: with E = a + conj(b)
 * and t = v (a - conj(b)) they become E + t and conj(E - t). The root v of `roots` is turned the other way by the sign. In the
 * middle a pair meets itself, and both stores say the same.
 */
const realPass = (): Code => {
  const [ar, ai, br, bi, evenR, evenI, oddR, oddI] = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => first + k) as number[] as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  const [v, w, turnR, turnI] = [root, root + 1, root + 2, root + 3];
  const sum = (to: number, of: typeof add, a: number, b: number): Code => set(to, of(get(a), get(b)));
  return loop(at, int(16), times(get(quarter), 2), [
    ...set(i, addInt(int(8), times(get(at), 2))),
    ...set(o, subtractInt(times(get(quarter), 8), addInt(int(32), times(get(at), 2)))),
    ...loadPairs(addInt(get(x), get(i)), ar),
    ...loadPairs(addInt(get(x), get(o)), br),
    ...set(br, reversed(get(br))),
    ...set(bi, reversed(get(bi))),
    ...set(v, load(addInt(get(roots), get(at)))),
    ...set(w, multiply(splat(get(sign)), load(addInt(plus(get(roots), 2), get(at))))),
    ...sum(evenR, add, ar, br),
    ...sum(evenI, subtract, ai, bi),
    ...sum(oddR, subtract, ar, br),
    ...sum(oddI, add, ai, bi),
    ...set(turnR, subtract(multiply(get(oddR), get(v)), multiply(get(oddI), get(w)))),
    ...set(turnI, add(multiply(get(oddR), get(w)), multiply(get(oddI), get(v)))),
    ...sum(ar, add, evenR, turnR),
    ...sum(ai, add, evenI, turnI),
    ...sum(br, subtract, evenR, turnR),
    ...sum(bi, subtract, turnI, evenI),
    ...storePairs(addInt(get(y), get(i)), get(ar), get(ai)),
    ...storePairs(addInt(get(y), get(o)), reversed(get(br)), reversed(get(bi))),
  ]);
};

/** The module: five functions of one type. */
const moduleBytes = (): Uint8Array<ArrayBuffer> =>
  moduleOf({
    parameters: [int32, int32, int32, int32, int32, float32, float32],
    locals: localCounts,
    bodies: [firstPass(), middlePass(), lastPass(), lastPassOf2(), realPass()],
  });

type Pass = (x: number, y: number, quarter: number, stride: number, roots: number, sign: number, scale: number) => void;

const instance = /* @__PURE__ */ instantiated<Pass>(moduleBytes);

/** Shorter rows are faster in JavaScript; longer ones would keep too much memory for good. */
const [shortest, longest] = [64, 2 ** 18];

/** The transform of rows of n numbers, or null where this file has none. */
export function vectorTransformOf(n: number): VectorTransform | null {
  if (n < shortest || n > longest || (n & (n - 1)) !== 0) return null;
  const found = kept.get(n);
  if (found !== undefined) return found;
  const module = instance();
  if (module === null) return null;
  const transform = make(n, module);
  kept.set(n, transform);
  return transform;
}

const kept = /* @__PURE__ */ new Map<number, VectorTransform>();

function make(n: number, module: Instance<Pass>): VectorTransform {
  const { memory, functions } = module;
  const passes = functions as readonly [Pass, Pass, Pass, Pass, Pass];
  // three rows, which serve as input, as planes by turns, and as output, the roots of both directions, and for real rows the
  // spectrum and its roots
  const [row, rootBytes] = [8 * n, 6 * n];
  const start = module.take(4 * row + 16 + 2 * rootBytes + 4 * n);
  let next = start;
  const [one, two, three, forward, backward, halves, whole] = [
    row,
    row,
    row,
    rootBytes,
    rootBytes,
    4 * n,
    row + 16,
  ].map((bytes) => {
    next += bytes;
    return next - bytes;
  }) as [number, number, number, number, number, number, number];
  for (const [place, direction] of [
    [forward, -1],
    [backward, 1],
  ] as const) {
    const table = new Float32Array(memory.buffer, place, (6 * n) / 4);
    for (let k = 1; k <= 3; k++) {
      for (let p = 0; p < n / 4; p++) {
        const angle = (direction * 2 * Math.PI * k * p) / n;
        table[((2 * k - 2) * n) / 4 + p] = Math.cos(angle);
        table[((2 * k - 1) * n) / 4 + p] = Math.sin(angle);
      }
    }
  }
  new Float32Array(memory.buffer, halves, n).set(realRoots(n));
  const viewOf = (address: number, length: number): (() => Float32Array) => {
    let view = new Float32Array(memory.buffer, address, length);
    return () => {
      // memory that has grown lies elsewhere
      if (view.length === 0) view = new Float32Array(memory.buffer, address, length);
      return view;
    };
  };
  const [input, output, spectrum] = [viewOf(one, 2 * n), viewOf(three, 2 * n), viewOf(whole, 2 * n + 2)];
  return {
    get input() {
      return input();
    },
    get output() {
      return output();
    },
    get spectrum() {
      return spectrum();
    },
    takeApart: (scale) => passes[4](three, whole, n, 0, halves, 1, scale),
    putTogether: (scale) => passes[4](whole, one, n, 0, halves, -1, scale),
    run: (isInverse = false, scale = 1) => {
      const roots = isInverse ? backward : forward;
      const sign = isInverse ? -1 : 1;
      let [x, y] = [two, one];
      passes[0](one, two, n, 4, roots, sign, scale);
      let stride = 4;
      for (; n / stride > 4; stride *= 4) {
        passes[1](x, y, n, 4 * stride, roots, sign, scale);
        [x, y] = [y, x];
      }
      if (n / stride === 4) passes[2](x, three, n, 4 * stride, roots, sign, scale);
      else passes[3](x, three, n, 4 * stride, roots, sign, scale);
      return output();
    },
  };
}
