/**
 * The addon in this process: loaded by Node itself, linked to a memory, and compared with plain loops before anything relies on
 * it. What differs is not used.
 */
import process from 'node:process';
import type { CrewTier, LibraryTier, LinkedTier, NativeCode, ProgramTier } from '@nn/backend-cpu/tier';
import { functions, tileRows } from './c/products.ts';
import { programSource } from './c/program.ts';
import { messageOf, Unavailable } from './compiler.ts';

type Call = (...words: number[]) => void;
type Linked = Readonly<Record<string, Call>> & { readonly move: (memory: Uint8Array) => void };
interface Addon {
  link(memory: Uint8Array): Linked;
  /** Threads of native code; nothing where there is no memory for them. */
  crew(threads: number, control: number): object | undefined;
  own: CrewTier['own'];
}
interface ProgramAddon {
  link: NativeCode['link'];
}

/** The tier of a file, and its threads. Throws `Unavailable` where it cannot be loaded, or computes something else than it should. */
export function loadTier(file: string): LibraryTier & { readonly crew: CrewTier } {
  const addon = load<Addon>(file);
  check(addon);
  const make: CrewTier['make'] = (threads, control) => {
    const made = addon.crew(threads, control);
    if (made === undefined) throw new Unavailable('there is no memory for threads');
    return made;
  };
  return {
    crew: { make, own: (crew, address, bytes) => addon.own(crew, address, bytes) },
    tileRows,
    link: (memory): LinkedTier => {
      const { move, ...linked } = addon.link(memory);
      return { functions: linked, move: (elsewhere) => move(elsewhere) };
    },
    source: `(memory) => {
      const load = (file) => {
        const module = { exports: {} };
        process.dlopen(module, file);
        return module.exports;
      };
      const { move, ...functions } = load(${JSON.stringify(file)}).link(memory);
      return { functions, open: (name, host) => load(name).link(memory, host) };
    }`,
  };
}

/** Programs as addons, whose files are made by `fileOf`. */
export function programTier(
  options: Omit<ProgramTier, 'build'>,
  fileOf: (source: string) => Promise<string>,
): ProgramTier {
  const build = async (program: Uint8Array, library: Uint8Array): Promise<NativeCode> => {
    const name = await fileOf(programSource(program, library));
    const { link } = load<ProgramAddon>(name);
    return { name, link: (memory, functions, crew) => link(memory, functions, crew) };
  };
  return { ...options, build };
}

function load<A>(file: string): A {
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, file);
  } catch (error) {
    throw new Unavailable(`the compiled code could not be loaded (${messageOf(error)})`);
  }
  return module.exports as A;
}

/** Products, dot products and weighed rows of all kinds of edges, beside sums in double precision. */
function check(addon: Addon): void {
  const floats = new Float32Array(1 << 15);
  const linked = addon.link(new Uint8Array(floats.buffer));
  for (const name of Object.keys(functions)) {
    if (typeof linked[name] !== 'function') throw new Unavailable(`the compiled code has no ${name}`);
  }
  for (const [rows, columns, inner] of [
    [6, 16, 9],
    [5, 8, 3],
    [13, 37, 21],
    [1, 1, 1],
    [7, 24, 40],
  ] as const) {
    checkPacking(floats, linked.packRows as Call, panelsOf(rows, tileRows), rows, inner);
    const eights = Array<number>(Math.ceil(columns / 8)).fill(8);
    checkPacking(floats, linked.packColumns as Call, eights, columns, inner);
    checkProduct(floats, linked.multiply as Call, tileRows, [rows, columns, inner]);
    checkProduct(floats, linked.multiplyFours as Call, 4, [rows, columns, inner]);
    checkDots(floats, linked.dots as Call, [rows, columns, inner]);
    checkWeighed(floats, linked.weighedRows as Call, [rows, columns, inner]);
  }
}

const pattern = (at: number): number => ((at * 37) % 41) / 16 - 1.25;

/** The widths of the panels that so many rows are packed into. */
export function panelsOf(rows: number, height: number): number[] {
  const rest = rows % 6;
  const sixes = height === 6 ? Math.max(0, rows - (rest === 0 || rest === 5 ? 0 : rest < 3 ? rest + 6 : rest)) : 0;
  return [...Array(Math.ceil(sixes / 6)).fill(6), ...Array(Math.ceil(Math.max(0, rows - sixes) / 4)).fill(4)];
}

/** Lines of a matrix in panels of these widths, whose numbers are neighbours along k, and across. */
function checkPacking(floats: Float32Array, pack: Call, widths: readonly number[], lines: number, inner: number): void {
  const [source, target] = [0, 8192];
  for (const [across, along] of [
    [inner, 1],
    [1, lines],
    [2, 2 * lines],
  ] as const) {
    floats.fill(-1);
    for (let line = 0; line < lines; line++)
      for (let k = 0; k < inner; k++) floats[source + line * across + k * along] = pattern(line * inner + k);
    pack(4 * source, 4 * target, 4 * across, 4 * along, lines, inner);
    let at = target;
    let first = 0;
    for (const width of widths) {
      for (let k = 0; k < inner; k++)
        for (let line = first; line < first + width; line++)
          compare('packed number', floats[at++] as number, line < lines ? pattern(line * inner + k) : 0);
      first += width;
    }
    compare('packed number, behind the end', floats[at] as number, -1);
  }
}
function checkProduct(
  floats: Float32Array,
  multiply: Call,
  height: number,
  [rows, columns, inner]: readonly [number, number, number],
): void {
  const [left, right, target, edge] = [0, 8192, 16384, 24576];
  const a = (row: number, k: number): number => pattern(row * inner + k);
  const b = (k: number, column: number): number => pattern(3 + k * columns + column);
  floats.fill(0);
  let at = left;
  let first = 0;
  for (const width of panelsOf(rows, height)) {
    for (let k = 0; k < inner; k++)
      for (let row = first; row < first + width; row++) floats[at++] = row < rows ? a(row, k) : 0;
    first += width;
  }
  at = right;
  for (let panel = 0; panel < columns; panel += 8)
    for (let k = 0; k < inner; k++)
      for (let column = panel; column < panel + 8; column++) floats[at++] = column < columns ? b(k, column) : 0;
  const bytes = [left, right, target].map((place) => 4 * place);
  for (const times of [1, 2]) {
    multiply(...bytes, rows, columns, inner, 4 * columns, times - 1, 4 * edge);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += a(row, k) * b(k, column);
        compare('product', floats[target + row * columns + column] as number, times * sum);
      }
    }
  }
  compare('product, behind its end', floats[target + rows * columns] as number, 0);
}

function checkDots(floats: Float32Array, dots: Call, [rows, vectors, inner]: readonly [number, number, number]): void {
  const [matrix, other, results] = [0, 8192, 16384];
  floats.fill(0);
  for (let at = 0; at < rows * inner; at++) floats[matrix + at] = pattern(at);
  for (let at = 0; at < vectors * inner; at++) floats[other + at] = pattern(at + 5);
  dots(4 * matrix, 4 * inner, rows, 4 * other, 4 * inner, vectors, 4 * results, 4, 4 * rows, inner);
  for (let vector = 0; vector < vectors; vector++) {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += pattern(row * inner + k) * pattern(vector * inner + k + 5);
      compare('dot product', floats[results + vector * rows + row] as number, sum);
    }
  }
}

function checkWeighed(
  floats: Float32Array,
  weighedRows: Call,
  [vectors, columns, inner]: readonly [number, number, number],
): void {
  const [matrix, other, results] = [0, 8192, 16384];
  floats.fill(0);
  for (let at = 0; at < inner * columns; at++) floats[matrix + at] = pattern(at);
  for (let at = 0; at < vectors * inner; at++) floats[other + at] = pattern(at + 5);
  // the numbers of a vector lie apart here, those of all vectors side by side
  const [place, step] = [(at: number): number => 4 * at, 4 * vectors];
  weighedRows(
    place(matrix),
    place(columns),
    columns,
    inner,
    place(other),
    step,
    4,
    vectors,
    place(results),
    place(columns),
  );
  for (let vector = 0; vector < vectors; vector++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += pattern(k * columns + column) * pattern(k * vectors + vector + 5);
      compare('weighed sum of rows', floats[results + vector * columns + column] as number, sum);
    }
  }
  compare('weighed sum of rows, behind its end', floats[results + vectors * columns] as number, 0);
}

function compare(what: string, found: number, expected: number): void {
  if (Math.abs(found - expected) <= 1e-4 * Math.max(1, Math.abs(expected))) return;
  throw new Unavailable(`the compiled code is wrong: a ${what} is ${found} and should be ${expected}`);
}
