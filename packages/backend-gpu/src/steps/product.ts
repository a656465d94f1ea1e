/**
 * Owns: the fast product of matrices: 4 or 8 rows by 4 columns for each invocation, from fetches of four numbers.
 * Does not own: which operands a step has (`contraction.ts`, `convolution.ts`).
 * On WebGL the rows are outputs of one shader (createKernelMap), on WebGPU stores; a second shader puts them in order and
 * applies the epilogue.
 */
import type { Op, Step } from '@nn/core';
import { Forms } from '../nest/affine.ts';
import { collapse, type Nest, write } from '../nest/nest.ts';
import { type Lowering, lengthOf, type Read } from '../program/lowering.ts';
import { quotient, remainder } from '../shader/language.ts';
import type { Shader } from '../shader/shader.ts';
import { compact } from './reduction.ts';

/** One matrix of a product, in memory. Strides are in elements, a multiple of 4 each, except the 1 of its `along`. */
export interface Operand {
  readonly read: Read;
  /** What lies next to each other in memory: the terms of the sum, or the rows (columns) of the result. */
  readonly along: 'inner' | 'outer';
  readonly base: number;
  readonly batch: readonly number[];
  /** One stride a run; or of the flat index: `flat` where four are neighbours, padded at the end, else its stride. */
  readonly outer: readonly number[] | 'flat' | { readonly stride: number };
  readonly inner: readonly number[];
}

export interface Sizes {
  readonly batch: readonly number[];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly inner: readonly number[];
}

/** Where the tiles of a product lie. */
export interface Tiles {
  readonly slots: readonly number[];
  /** Rows of a tile: 4 or 8. */
  readonly height: number;
  readonly rowGroups: number;
  readonly columnGroups: number;
  readonly count: number;
}

const isStrides = (outer: Operand['outer']): outer is readonly number[] => Array.isArray(outer);

const four = [0, 1, 2, 3] as const;
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);
const lanes = ['x', 'y', 'z', 'w'] as const;

export function multiply(lowering: Lowering, sizes: Sizes, left: Operand, right: Operand): Tiles {
  const { language, maxWrites } = lowering.target;
  const columnGroups = Math.ceil(lengthOf(sizes.columns) / 4);
  const height = heightOf(sizes, columnGroups, lowering);
  const rowGroups = Math.ceil(lengthOf(sizes.rows) / height);
  const count = lengthOf(sizes.batch) * rowGroups * columnGroups;
  const lines: string[] = [];
  const int = (name: string, text: string): void => void lines.push(language.constant('I', 1, name, text));

  int('tileRow', quotient(language, 1, 't', count - 1, columnGroups));
  int('column', remainder(language, 1, 't', count - 1, columnGroups));
  int('batch', quotient(language, 1, 'tileRow', count / columnGroups - 1, rowGroups));
  int('row', remainder(language, 1, 'tileRow', count / columnGroups - 1, rowGroups));

  // The offset of a flat index in texels; axes that are one run in memory are taken together.
  const offset = (flat: string, shape: readonly number[], strides: readonly number[]): string => {
    const terms: string[] = [];
    let inner = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis]!;
      let run = shape[axis]!;
      while (axis > 0 && strides[axis - 1] === stride * run) run *= shape[--axis]!;
      if (stride !== 0 && run !== 1) {
        const quotient = inner === 1 ? flat : `${flat} / ${inner}`;
        const index = axis === 0 ? `(${quotient})` : `(${quotient} - ${flat} / ${inner * run} * ${run})`;
        terms.push(stride === 4 ? index : `${index} * ${stride / 4}`);
      }
      inner *= run;
    }
    return terms.length === 0 ? '0' : terms.join(' + ');
  };
  // As `offset`, of groups of four along the last axis, whose stride is 1.
  const groupOffset = (group: string, shape: readonly number[], strides: readonly number[]): string => {
    const last = shape.length - 1;
    return offset(
      group,
      shape.map((size, axis) => (axis === last ? Math.ceil(size / 4) : size)),
      strides.map((stride, axis) => (axis === last ? 4 : stride)),
    );
  };

  const rows = lengthOf(sizes.rows);
  const columns = lengthOf(sizes.columns);
  const place = (
    name: string,
    operand: Operand,
    group: string,
    shape: readonly number[],
    total: number,
    lineCount: number,
  ): void => {
    const start = operand.base / 4;
    int(`${name}Batch`, `${offset('batch', sizes.batch, operand.batch)} + ${start}`);
    if (operand.along === 'outer') {
      for (const at of range(lineCount / 4)) {
        const texel = `${name}Texel${at}`;
        const last = Math.ceil(total / 4) - 1;
        int(texel, lineCount === 4 ? group : `min(${group} * ${lineCount / 4} + ${at}, ${last})`);
        int(
          `${name}${at}`,
          `${name}Batch + ${isStrides(operand.outer) ? groupOffset(texel, shape, operand.outer) : texel}`,
        );
      }
      return;
    }
    for (const at of range(lineCount)) {
      // The last group may be short: its missing lines repeat the last one, and are never looked at.
      const line = `${group} * ${lineCount} + ${at}`;
      int(`${name}Line${at}`, total % lineCount === 0 ? line : `min(${line}, ${total - 1})`);
      const lineName = `${name}Line${at}`;
      const { outer } = operand;
      const index = isStrides(outer)
        ? offset(lineName, shape, outer)
        : outer === 'flat'
          ? lineName
          : `${lineName} * ${outer.stride / 4}`;
      int(`${name}${at}`, `${name}Batch + ${index}`);
    }
  };
  place('a', left, 'row', sizes.rows, rows, height);
  place('b', right, 'column', sizes.columns, columns, 4);
  for (const i of range(height))
    lines.push(language.variable('F', 4, `c${i}`, `${language.type('F', 4)}(${language.float(0)})`));

  const depth = sizes.inner.length;
  const extent = sizes.inner[depth - 1]!;
  const isPacked = left.along === 'inner' || right.along === 'inner';
  const outerLoops = sizes.inner.slice(0, -1);
  for (const [at, size] of outerLoops.entries()) lines.push(language.loop(`k${at}`, String(size)));
  const before = (operand: Operand): string =>
    outerLoops.map((_, at) => (operand.inner[at] === 0 ? '' : ` + k${at} * ${operand.inner[at]! / 4}`)).join('');
  const texelsOf = (operand: Operand): readonly number[] => {
    const lineCount = operand === left ? height : 4;
    return range(operand.along === 'outer' ? lineCount / 4 : lineCount);
  };
  for (const [name, operand] of [
    ['a', left],
    ['b', right],
  ] as const) {
    for (const at of texelsOf(operand)) int(`${name}From${at}`, `${name}${at}${before(operand)}`);
  }

  const vector = language.type('F', 4);
  // In GLSL an index that is a number in float32 is fetched faster; it is exact in this range.
  const walks = [left, right].map(
    ({ read }) => language.name === 'glsl' && lowering.slots[read.buffer]!.length <= 2 ** 24,
  );
  for (const [at, operand] of [left, right].entries()) {
    if (!walks[at]) continue;
    const name = operand === left ? 'a' : 'b';
    for (const line of texelsOf(operand))
      lines.push(language.constant('F', 1, `${name}Walk${line}`, `float(${name}From${line})`));
  }
  const fetch = (read: 0 | 1, steps: readonly number[]): void => {
    const name = read === 0 ? 'a' : 'b';
    const operand = read === 0 ? left : right;
    const stride = operand.inner[depth - 1]! / 4;
    const load = (value: string, from: number, packed: boolean, step: number): void => {
      const [start, k, k4, by] = walks[read]
        ? [`nn_walk${read}(${name}Walk${from}`, 'kf', 'kf4', language.float(stride)]
        : [`nn_read${read}(${name}From${from}`, 'k', 'k4', String(stride)];
      const index = packed ? k : `(${k4} + ${walks[read] ? language.float(step) : step}) * ${by}`;
      lines.push(language.constant('F', 4, value, `${start} + ${index})`));
    };
    for (const at of texelsOf(operand)) {
      if (operand.along === 'inner') load(`${name}v${at}`, at, true, 0);
      else for (const step of steps) load(`${name}v${step}_${at}`, at, false, step);
    }
  };
  const turn = (count: number, first: string, steps: readonly number[]): void => {
    lines.push(language.loop('k', String(count)));
    int('k4', first);
    if (walks.includes(true)) lines.push('float kf = float(k);', 'float kf4 = float(k4);');
    fetch(0, steps);
    fetch(1, steps);
    add(steps);
    lines.push('}');
  };
  const add = (steps: readonly number[]): void => {
    const leftAt = (i: number, q: number): string =>
      left.along === 'inner' ? `av${i}.${lanes[q]}` : `av${q}_${i >> 2}.${lanes[i & 3]}`;
    for (const i of range(height)) {
      if (right.along === 'outer') {
        lines.push(`c${i} = c${i} + ${steps.map((q) => `bv${q}_0 * ${leftAt(i, q)}`).join(' + ')};`);
      } else if (left.along === 'inner') {
        lines.push(`c${i} = c${i} + ${vector}(${four.map((j) => `dot(av${i}, bv${j})`).join(', ')});`);
      } else {
        lines.push(
          `c${i} = c${i} + ${steps.map((q) => `${vector}(${four.map((j) => `bv${j}.${lanes[q]}`).join(', ')}) * ${leftAt(i, q)}`).join(' + ')};`,
        );
      }
    }
  };
  const whole = Math.floor(extent / 4);
  if (whole > 0) turn(whole, 'k * 4', four);
  if (extent % 4 !== 0) {
    if (isPacked) throw new Error('a packed sum has a multiple of 4 terms');
    turn(extent % 4, `k + ${whole * 4}`, [0]);
  }
  lines.push('}'.repeat(outerLoops.length));

  const isSplit = maxWrites >= height;
  const slots = isSplit
    ? range(height).map(() => lowering.temporary(count * 4, 'float32'))
    : [lowering.temporary(count * 4 * height, 'float32')];
  for (const i of range(height).slice(1))
    lines.push(isSplit ? `nn_result${i} = c${i};` : `result[t + ${i * count}] = c${i};`);
  lines.push('return c0;');
  const shader: Shader = { body: lines.join('\n'), reads: ['F', 'F'], parameters: [], result: 'F' };
  lowering.stage(shader, count, [left.read, right.read], slots, []);
  return { slots, height, rowGroups, columnGroups, count };
}

/** Eight rows where enough tiles are left to keep a device busy: fewer fetches for each product than with four. */
function heightOf(sizes: Sizes, columnGroups: number, { target }: Lowering): 4 | 8 {
  const tiles = lengthOf(sizes.batch) * Math.floor(lengthOf(sizes.rows) / 8) * columnGroups;
  // The tiles are read again as one buffer, or as a texture for each row.
  const canWrite = target.maxWrites === 1 || (target.maxWrites >= 8 && target.maxReads >= 12);
  return canWrite && (tiles >= 1024 || target.always === true) ? 8 : 4;
}

/** The axes of the domain that make up the batch, rows and columns of a product, most significant first. */
export interface Roles {
  readonly batch: readonly number[];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/** Puts tiles in order: the epilogue of a nest whose finished sums lie in them, each in `cuts` parts to be added up. */
export function finishProduct(lowering: Lowering, step: Step, nest: Nest, roles: Roles, tiles: Tiles, cuts = 1): void {
  const sources = tiles.slots.map((buffer) => ({ buffer, offset: 0 }));
  const [kept, reads] = compact(withRoles(nest, roles), step.reads);
  const first = kept.reads.length;
  const full = { ...kept, reads: [...kept.reads, ...sources.map(() => 'float32' as const)] };
  const forms = new Forms(full.value, full.domain);
  const argsOf = (position: number): readonly number[] => {
    const op = full.value[position];
    return op !== undefined && 'args' in op ? op.args : [];
  };
  const [lines, batchAt] = argsOf(full.value.length - 1) as [number, number];
  const [rowAt, columnAt] = argsOf(lines) as [number, number];
  lowering.nest(full, [...reads, ...sources], step.scalars, step.write, (print, emit) => {
    const row = print(forms.at(rowAt));
    const column = print(forms.at(columnAt));
    const batch = print(forms.at(batchAt));
    const { language } = lowering.target;
    const { height } = tiles;
    const shift = (by: number): string => `${language.type('U', 1)}(${by}u)`;
    const fetch = (lane: string): string => {
      const pick = (value: { text: string; width: 1 | 4 }): string =>
        value.width === 4 ? `${value.text}.${lane}` : value.text;
      const tile = `(${pick(batch)} * ${tiles.rowGroups} + (${pick(row)} >> ${shift(height === 8 ? 3 : 2)})) * ${tiles.columnGroups} + (${pick(column)} >> ${shift(2)})`;
      const texels = Array.from({ length: cuts }, (_, part) => {
        const at = part === 0 ? tile : `${tile} + ${(part * tiles.count) / cuts}`;
        return sources.length === 1
          ? `nn_read${first}(${at} + (${pick(row)} & ${height - 1}) * ${tiles.count})`
          : `nn_tiles${first}of${height}(${pick(row)} & ${height - 1}, ${at})`;
      });
      return texels.join(' + ');
    };
    // Where the lanes lie along the columns they are one row of a tile.
    if (row.width === 1 && batch.width === 1) return emit('F', 4, fetch('x'));
    const parts = lanes.map(
      (lane) => `${emit('F', 4, fetch(lane)).text}[${column.width === 4 ? `${column.text}.${lane}` : column.text} & 3]`,
    );
    return emit('F', 4, `${language.type('F', 4)}(${parts.join(', ')})`);
  });
}

/** The nest with max(max(row, column), batch) as its value, so that collapsing its axes keeps the three apart and moves them along. */
function withRoles(nest: Nest, roles: Roles): Nest {
  const value: Op[] = [];
  const flat = (axes: readonly number[]): number => {
    const factors = new Map<number, number>();
    let stride = 1;
    for (const axis of [...axes].reverse()) {
      factors.set(axis, stride);
      stride *= nest.domain[axis]!;
    }
    return write(value, { base: 0, axes: factors, others: new Map() });
  };
  const max = (a: number, b: number): number => value.push({ op: 'max', dtype: 'int32', args: [a, b] }) - 1;
  max(max(flat(roles.rows), flat(roles.columns)), flat(roles.batch));
  const { reduce: _, ...rest } = nest;
  return collapse({ ...rest, value, epilogue: nest.epilogue ?? [{ op: 'accumulator', dtype: 'float32' }] });
}
