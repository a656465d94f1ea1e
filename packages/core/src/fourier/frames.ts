/**
 * The spectra of overlapping frames, four of them side by side: a vector holds one sample of four frames, so that a pass of any radix is the formula of
 * transform.ts on vectors, and the results of four neighbours in time lie beside each other. Takes frames of an even length whose half has no prime
 * factor but 2, 3 and 5, in WebAssembly; where there is none, and for other lengths, one frame after the other goes through real.ts.
 *
 * A complex number of a pass is 32 bytes: four real parts, four imaginary ones. What a frame needs of the window, of the memory and of roots is laid out
 * anew when a length follows another; a memory of less than 2 MB serves all.
 */
import {
  add,
  addInt,
  type Code,
  float,
  float32,
  get,
  instantiated,
  int,
  int32,
  load,
  loadSplat,
  loop,
  moduleOf,
  multiply,
  set,
  shiftRight,
  splat,
  store,
  storeTurned,
  subtract,
  subtractInt,
  times,
  timesInt,
} from './code.ts';
import { halfOf, transformReal } from './real.ts';
import { byLength, roots } from './transform.ts';
import { realRoots } from './vectors.ts';

/** The parameters that passes have in common, and their locals. */
const [from, to, part, run, table, end, factor] = [0, 1, 2, 3, 4, 5, 6];
const [at, i, o, q] = [7, 8, 9, 10];
/** Locals of vectors: up to five numbers that go in, what becomes of them, scratch, roots. */
const [input, output, scratch, root] = [11, 21, 31, 43];
const [integers, vectors] = [4, 40];

const both = (write: (part: 0 | 1) => Code): Code => [...write(0), ...write(1)];
/** The real (0) or imaginary (1) part of a number that goes in, comes out, or is between. */
const x = (j: number, p: number): Code => get(input + 2 * j + p);
const s = (j: number, p: number): Code => get(scratch + 2 * j + p);
const setY = (k: number, p: number, value: Code): Code => set(output + 2 * k + p, value);
const setS = (k: number, p: number, value: Code): Code => set(scratch + 2 * k + p, value);
const by = (value: number, code: Code): Code => multiply(code, splat(float(value)));
/** i times the difference a - b: its parts are (b - a) of the imaginary parts and (a - b) of the real ones. */
const turned = (a: number, b: number, p: 0 | 1): Code =>
  p === 0 ? subtract(x(b, 1), x(a, 1)) : subtract(x(a, 0), x(b, 0));

/** y_k = sum over j of x_j exp(-2 pi i j k / radix). */
function butterfly(radix: number): Code {
  if (radix === 2) {
    return both((p) => [...setY(0, p, add(x(0, p), x(1, p))), ...setY(1, p, subtract(x(0, p), x(1, p)))]);
  }
  if (radix === 3) {
    // the turn t = -i sin(60) (b - c)
    return both((p) => [
      ...setS(0, p, add(x(1, p), x(2, p))),
      ...setS(1, p, by(-Math.sqrt(3) / 2, turned(1, 2, p))),
      ...setS(2, p, subtract(x(0, p), by(0.5, s(0, p)))),
      ...setY(0, p, add(x(0, p), s(0, p))),
      ...setY(1, p, add(s(2, p), s(1, p))),
      ...setY(2, p, subtract(s(2, p), s(1, p))),
    ]);
  }
  if (radix === 4) {
    return both((p) => [
      ...setS(0, p, add(x(0, p), x(2, p))),
      ...setS(1, p, subtract(x(0, p), x(2, p))),
      ...setS(2, p, add(x(1, p), x(3, p))),
      ...setS(3, p, turned(1, 3, p)),
      ...setY(0, p, add(s(0, p), s(2, p))),
      ...setY(1, p, subtract(s(1, p), s(3, p))),
      ...setY(2, p, subtract(s(0, p), s(2, p))),
      ...setY(3, p, add(s(1, p), s(3, p))),
    ]);
  }
  // cosines and sines of 72 and 144 degrees
  const [cos1, cos2] = [1, 2].map((k) => Math.cos((2 * Math.PI * k) / 5)) as [number, number];
  const [sin1, sin2] = [1, 2].map((k) => Math.sin((2 * Math.PI * k) / 5)) as [number, number];
  return both((p) => [
    ...setS(0, p, add(x(1, p), x(4, p))),
    ...setS(1, p, add(x(2, p), x(3, p))),
    ...setS(2, p, add(x(0, p), add(by(cos1, s(0, p)), by(cos2, s(1, p))))),
    ...setS(3, p, add(x(0, p), add(by(cos2, s(0, p)), by(cos1, s(1, p))))),
    ...setS(4, p, add(by(sin1, turned(1, 4, p)), by(sin2, turned(2, 3, p)))),
    ...setS(5, p, subtract(by(sin2, turned(1, 4, p)), by(sin1, turned(2, 3, p)))),
    ...setY(0, p, add(x(0, p), add(s(0, p), s(1, p)))),
    ...setY(1, p, subtract(s(2, p), s(4, p))),
    ...setY(2, p, subtract(s(3, p), s(5, p))),
    ...setY(3, p, add(s(3, p), s(5, p))),
    ...setY(4, p, add(s(2, p), s(4, p))),
  ]);
}

/**
 * A pass: `part` bytes lie between the numbers that a butterfly takes, `run` between those that it gives. Those of one p share their roots w^(p k), of
 * which the table has 8 bytes a number; in the last pass all are 1.
 */
function pass(radix: number, isLast: boolean): Code {
  const others = Array.from({ length: radix - 1 }, (_, k) => k + 1);
  const rooted = others.flatMap((k) => {
    const [place, c, d] = [addInt(get(table), times(shiftRight(get(at), 2), k)), root + 2 * k - 2, root + 2 * k - 1];
    return [...set(c, loadSplat(place)), ...set(d, loadSplat(place, 4))];
  });
  const result = (k: number, p: 0 | 1): Code => {
    const [re, im, c, d] = [output + 2 * k, output + 2 * k + 1, root + 2 * k - 2, root + 2 * k - 1].map(get) as [
      ...[Code, Code, Code, Code],
    ];
    if (k === 0 || isLast) return p === 0 ? re : im;
    return p === 0 ? subtract(multiply(re, c), multiply(im, d)) : add(multiply(re, d), multiply(im, c));
  };
  return loop(at, get(run), get(part), [
    ...(isLast ? [] : rooted),
    ...set(i, get(at)),
    ...set(o, addInt(get(to), times(get(at), radix))),
    ...loop(i, int(32), addInt(get(at), get(run)), [
      ...Array.from({ length: radix }, (_, j) => {
        const place = addInt(addInt(get(from), get(i)), j === 0 ? int(0) : times(get(part), j));
        return both((p) => set(input + 2 * j + p, load(place, 16 * p)));
      }).flat(),
      ...butterfly(radix),
      ...Array.from({ length: radix }, (_, k) => {
        const place = addInt(get(o), k === 0 ? int(0) : times(get(run), k));
        return both((p) => store(place, result(k, p), 16 * p));
      }).flat(),
      ...set(o, addInt(get(o), int(32))),
    ]),
  ]);
}

/** Four frames, `part` bytes apart, under the window `run`, up to `table` bytes: four samples of each are turned like a matrix. */
function cut(): Code {
  const samples = [0, 1, 2, 3].map((k) => get(input + k)) as [Code, Code, Code, Code];
  return loop(i, int(16), get(table), [
    ...set(root, load(addInt(get(run), get(i)))),
    ...[0, 1, 2, 3].flatMap((k) => {
      const place = addInt(addInt(get(from), get(i)), k === 0 ? int(0) : times(get(part), k));
      return set(input + k, multiply(load(place), get(root)));
    }),
    ...set(o, addInt(get(to), times(get(i), 4))),
    ...storeTurned(get(o), samples, scratch),
  ]);
}

/**
 * The spectra of real frames out of those of pairs (real.ts has the formulas): the parts of frequency k are written `part` bytes behind those of k - 1,
 * and the imaginary ones `run` bytes behind the real ones. `end`: the bytes of all numbers that go in.
 */
function takeApart(): Code {
  const scale = splat(get(factor));
  const zero = splat(float(0));
  const last = addInt(get(to), timesInt(shiftRight(get(end), 5), get(part)));
  const sum = (of: typeof add, k: 0 | 1, j: 0 | 1): Code => of(x(0, k), x(1, j));
  const [v, w] = [get(root), get(root + 1)];
  return [
    ...both((p) => set(input + p, load(get(from), 16 * p))),
    ...store(get(to), multiply(sumOfParts(add), scale)),
    ...store(addInt(get(to), get(run)), zero),
    ...store(last, multiply(sumOfParts(subtract), scale)),
    ...store(addInt(last, get(run)), zero),
    ...set(i, int(32)),
    ...set(at, subtractInt(get(end), int(32))),
    ...set(o, addInt(get(to), get(part))),
    ...set(q, subtractInt(last, get(part))),
    ...loop(i, int(32), addInt(get(at), int(32)), [
      ...both((p) => [
        ...set(input + p, load(addInt(get(from), get(i)), 16 * p)),
        ...set(input + 2 + p, load(addInt(get(from), get(at)), 16 * p)),
      ]),
      ...set(root, multiply(scale, loadSplat(addInt(get(table), shiftRight(get(i), 2))))),
      ...set(root + 1, multiply(scale, loadSplat(addInt(get(table), shiftRight(get(i), 2)), 4))),
      // E = a + conj(b), half of it, and t = v (a - conj(b)), with v halved in the table
      ...setS(0, 0, by(0.5, multiply(scale, sum(add, 0, 0)))),
      ...setS(0, 1, by(0.5, multiply(scale, sum(subtract, 1, 1)))),
      ...setS(1, 0, sum(subtract, 0, 0)),
      ...setS(1, 1, sum(add, 1, 1)),
      ...setS(2, 0, subtract(multiply(s(1, 0), v), multiply(s(1, 1), w))),
      ...setS(2, 1, add(multiply(s(1, 0), w), multiply(s(1, 1), v))),
      ...store(get(o), add(s(0, 0), s(2, 0))),
      ...store(addInt(get(o), get(run)), add(s(0, 1), s(2, 1))),
      ...store(get(q), subtract(s(0, 0), s(2, 0))),
      ...store(addInt(get(q), get(run)), subtract(s(2, 1), s(0, 1))),
      ...set(at, subtractInt(get(at), int(32))),
      ...set(o, addInt(get(o), get(part))),
      ...set(q, subtractInt(get(q), get(part))),
    ]),
  ];
}

/** Of the number that goes in first: its parts together, or one less the other. */
function sumOfParts(of: typeof add): Code {
  return of(x(0, 0), x(0, 1));
}

const radices = [2, 3, 4, 5];

type Function = (
  from: number,
  to: number,
  part: number,
  run: number,
  table: number,
  end: number,
  factor: number,
) => void;

const instance = /* @__PURE__ */ instantiated<Function>(() =>
  moduleOf({
    parameters: [int32, int32, int32, int32, int32, int32, float32],
    locals: [integers, vectors],
    bodies: [
      cut(),
      takeApart(),
      ...radices.map((radix) => pass(radix, false)),
      ...radices.map((radix) => pass(radix, true)),
    ],
  }),
);

interface Plan {
  /** The radices of the passes; null where a length has others. */
  readonly factors: readonly number[] | null;
  /** The roots of the passes, interleaved, then those of the real frames, halved, with two numbers in front. */
  readonly tables: Float32Array;
}

const longest = 16384;

const planOf: (n: number) => Plan = /* @__PURE__ */ byLength((n) => {
  const m = n / 2;
  const factors: number[] = [];
  let rest = m;
  for (const radix of [4, 2, 3, 5]) {
    while (rest % radix === 0) {
      factors.push(radix);
      rest /= radix;
    }
  }
  if (n % 2 === 1 || m < 2 || rest !== 1 || n > longest) return { factors: null, tables: new Float32Array(0) };
  const split = realRoots(m);
  const half = split.length / 2;
  const tables = new Float32Array(2 * m + 2 + 2 * half);
  tables.set(roots(m, m));
  for (let k = 0; k < half; k++) {
    tables[2 * m + 2 + 2 * k] = split[k]! / 2;
    tables[2 * m + 3 + 2 * k] = split[half + k]! / 2;
  }
  return { factors, tables };
});

/** What is cut out of a row, and how it is scaled. */
export interface FrameShape {
  readonly size: number;
  readonly hop: number;
  readonly scale: number;
}

/** How many frames a row of so many samples has. */
export function frameCount(length: number, { size, hop }: FrameShape): number {
  return Math.floor((length - size) / hop) + 1;
}

/** Frames of rows [N, L] under windows [N, size] to [N, 2, F, T]: all real parts, then all imaginary ones. */
export function transformFrames(
  rows: Float32Array,
  windows: Float32Array,
  result: Float32Array,
  length: number,
  shape: FrameShape,
): void {
  const { size } = shape;
  const { factors, tables } = planOf(size);
  const module = factors === null ? null : instance();
  const each = 2 * halfOf(size) * frameCount(length, shape);
  for (let row = 0; row * length < rows.length; row++) {
    const x = rows.subarray(row * length, (row + 1) * length);
    const window = windows.subarray(row * size, (row + 1) * size);
    const y = result.subarray(row * each, (row + 1) * each);
    if (factors === null || module === null) oneByOne(x, window, y, shape);
    else fourByFour(x, window, y, shape, factors, tables, module);
  }
}

function oneByOne(x: Float32Array, window: Float32Array, y: Float32Array, shape: FrameShape): void {
  const { size, hop, scale } = shape;
  const [count, half] = [frameCount(x.length, shape), halfOf(size)];
  const [frame, spectrum] = [new Float32Array(size), new Float32Array(2 * half)];
  const weights = { ends: scale, others: scale };
  for (let t = 0; t < count; t++) {
    for (let k = 0; k < size; k++) frame[k] = x[t * hop + k]! * window[k]!;
    transformReal(size, frame, 0, spectrum, 0, weights);
    for (let k = 0; k < half; k++) {
      y[k * count + t] = spectrum[2 * k]!;
      y[(half + k) * count + t] = spectrum[2 * k + 1]!;
    }
  }
}

/** Bytes of results, and of samples, that are in the memory at once; more than that only where four frames need more. */
const [mostResults, mostSamples] = [2 ** 19, 2 ** 20];

function fourByFour(
  x: Float32Array,
  window: Float32Array,
  y: Float32Array,
  shape: FrameShape,
  factors: readonly number[],
  tables: Float32Array,
  { memory, functions }: NonNullable<ReturnType<typeof instance>>,
): void {
  const { size, hop, scale } = shape;
  const [count, half] = [frameCount(x.length, shape), halfOf(size)];
  const lines = 2 * half;
  const fitting = Math.min(mostResults / (4 * lines), mostSamples / (4 * hop), count);
  const chunk = Math.max(4, 4 * Math.floor(fitting / 4), count <= fitting ? count : 0);
  const span = (chunk - 1) * hop + size;
  // samples of a frame are taken by fours
  const padded = 4 * Math.ceil(size / 4);
  const places = [tables.length, padded, 4 * padded, 4 * padded, span + 4, lines * chunk].map((length) => 4 * length);
  let next = 0;
  const [roots, windowAt, one, two, samples, results] = places.map((bytes) => {
    next += Math.ceil(bytes / 16) * 16;
    return next - Math.ceil(bytes / 16) * 16;
  }) as [number, number, number, number, number, number];
  if (next > memory.buffer.byteLength) memory.grow(Math.ceil((next - memory.buffer.byteLength) / 2 ** 16));
  const view = new Float32Array(memory.buffer);
  view.set(tables, roots / 4);
  view.fill(0, windowAt / 4 + size, windowAt / 4 + padded);
  view.set(window, windowAt / 4);
  const [cutFrames, apart] = functions as [Function, Function];
  const passes = factors.map((radix, k) => {
    return functions[2 + radices.indexOf(radix) + (k === factors.length - 1 ? radices.length : 0)] as Function;
  });
  for (let start = 0; start < count; start += chunk) {
    // the last ones again with some before them, so that there are four
    const first = Math.max(0, Math.min(start, count - chunk));
    const part = x.subarray(first * hop, first * hop + span);
    view.set(part, samples / 4);
    view.fill(0, samples / 4 + part.length, samples / 4 + span + 4);
    for (let group = 0; group < chunk; group += 4) {
      const t = Math.min(group, chunk - 4);
      cutFrames(samples + 4 * t * hop, one, 4 * hop, windowAt, 4 * padded, 0, 0);
      let [a, b, stride, rest] = [one, two, 32, size / 2];
      passes.forEach((work, k) => {
        const radix = factors[k]!;
        rest /= radix;
        work(a, b, stride * rest, stride, roots, 0, 0);
        stride *= radix;
        [a, b] = [b, a];
      });
      apart(a, results + 4 * t, 4 * chunk, 4 * chunk * half, roots + 4 * size, 16 * size, scale);
    }
    const found = Math.min(chunk, count);
    if (found === chunk && chunk === count) y.set(view.subarray(results / 4, results / 4 + lines * chunk));
    else {
      for (let line = 0; line < lines; line++) {
        const at = results / 4 + line * chunk;
        y.set(view.subarray(at, at + found), line * count + first);
      }
    }
  }
}
