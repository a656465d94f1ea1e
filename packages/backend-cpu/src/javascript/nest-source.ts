/**
 * A nest as the source of a JavaScript function: its loops, what is computed in which of them, accumulation and store.
 * `scope.ts` knows the values, `pointers.ts` the indices, `expression.ts` single operations.
 */
import type { Body, DType } from '@nn/core';
import { type Loop, loopsFor, prefersRows, type Strides } from '../nest/loops.ts';
import type { Nest } from '../nest/nest.ts';
import { kindOf } from '../storage.ts';
import { encode } from './expression.ts';
import type { Pointers } from './pointers.ts';
import { accumulate, initial } from './reduction.ts';
import { Scope } from './scope.ts';
import { counterOf, Writer } from './writer.ts';

export interface NestSource {
  /** The body of `function (call)`. A row of accumulators is found under the name `row`. */
  readonly source: string;
  /** The row that the function needs, if any. */
  readonly row: { readonly length: number; readonly dtype: DType } | null;
}

export function nestSource(nest: Nest): NestSource {
  return new NestWriter(nest).write();
}

class NestWriter {
  readonly #nest: Nest;
  readonly #writer = new Writer();
  /** The body that is evaluated for every index, and the one that follows the reduction. */
  readonly #value: Scope;
  readonly #finish: Scope;
  readonly #epilogue: Body;
  readonly #store: Strides;
  readonly #domain: readonly Loop[];
  readonly #reduced: readonly Loop[];
  /** Whether the innermost loop of the domain runs inside the reduced ones. */
  readonly #rows: boolean;
  readonly #valuePointers: Pointers;
  readonly #finishPointers: Pointers;

  constructor(nest: Nest) {
    this.#nest = nest;
    const border = nest.domain.length;
    const extents = [...nest.domain, ...nest.extents];
    this.#store = moving(nest.store.strides, nest.domain);
    const last = nest.value.length - 1;
    this.#value = new Scope(nest, nest.value, nest.scatter ? [last, nest.scatter.index] : [last], 'v', {
      strides: moving(nest.accumulator?.strides ?? [], nest.domain),
      dtype: nest.accumulator?.dtype ?? nest.store.dtype,
    });
    const dtype = (nest.reduce ?? nest.scan ?? nest.store).dtype;
    this.#epilogue = nest.epilogue ?? [{ op: 'accumulator', dtype }];
    // sums and products are kept in double precision, and rounded once when they are finished
    const op = (nest.reduce ?? nest.scan)?.op;
    const isWide = kindOf(dtype) === 'float' && op !== 'max' && op !== 'min';
    const sum = nest.epilogue && isWide ? 'Math.fround(sum)' : 'sum';
    this.#finish = new Scope(nest, this.#epilogue, [this.#epilogue.length - 1], 'e', { name: sum });

    const loops = loopsFor(
      extents.map((_, axis) => axis),
      extents,
      [...this.#value.strides, ...this.#finish.strides, this.#store],
      this.#value.analysis.pinned | this.#finish.analysis.pinned,
      nest.scan ? 1 << (border - 1) : 0,
      border,
    );
    this.#domain = loops.filter(({ axes }) => axes[0]! < border);
    this.#reduced = loops.filter(({ axes }) => axes[0]! >= border);
    this.#rows = prefersRows(this.#domain.at(-1), this.#reduced.at(-1), this.#value.strides);
    const inner = this.#domain.slice(this.#outer.length);
    const all = [...this.#outer, ...this.#reduced, ...inner];
    this.#valuePointers = this.#value.enter(all, all.map(counterOf), [this.#store]);
    this.#finishPointers = this.#finish.enter(this.#domain, this.#domain.map(counterOf), [this.#store]);
  }

  /** The loops of the domain around everything else. */
  get #outer(): readonly Loop[] {
    return this.#rows || this.#nest.scan ? this.#domain.slice(0, -1) : this.#domain;
  }

  get #result(): string {
    return this.#value.text(this.#nest.value.length - 1);
  }

  write(): NestSource {
    const { reduce, scan, scatter } = this.#nest;
    const twice = reduce !== undefined || scan !== undefined;
    this.#header();
    this.#hoisted(-1, twice);
    this.#outer.forEach((loop, level) => {
      this.#writer.open(
        loop,
        twice
          ? [
              [this.#valuePointers, level],
              [this.#finishPointers, level],
            ]
          : [[this.#valuePointers, level]],
      );
      this.#hoisted(level, twice);
    });
    if (scan) this.#scan(scan);
    else if (reduce && this.#rows) this.#reduceRows(reduce);
    else if (reduce) this.#reduce(reduce);
    else if (scatter) this.#scatter(scatter);
    else this.#save(this.#value, this.#result, this.#nest.value.at(-1)!.dtype);
    this.#writer.close();
    const length = this.#rows ? this.#domain.at(-1)!.extent : 0;
    return { source: this.#writer.text(), row: length > 0 ? { length, dtype: reduce!.dtype } : null };
  }

  #header(): void {
    const { store, accumulator, value, epilogue = [], offsets, scatter } = this.#nest;
    const lines = [`const out = call.${scatter?.isWide ? 'wide' : 'out'};`];
    if (store.based || accumulator?.based) lines.push('const base = call.base;');
    if (accumulator) lines.push('const accumulated = call.accumulator;');
    const reads = new Set<number>();
    const scalars = new Map<number, DType>();
    for (const op of [...value, ...epilogue]) {
      if (op.op === 'load') reads.add(op.read);
      if (op.op === 'scalar') scalars.set(op.slot, op.dtype);
    }
    for (const read of reads) {
      lines.push(`const r${read} = call.reads[${read}];`);
      if (offsets[read]) lines.push(`const o${read} = call.offsets[${read}];`);
    }
    for (const [slot, dtype] of scalars) {
      const number = `call.scalars[call.slots[${slot}]]`;
      const text = { float: `Math.fround(${number})`, integer: `${number} | 0`, boolean: `${number} !== 0` };
      lines.push(`const s${slot} = ${text[kindOf(dtype)]};`);
    }
    this.#writer.lines(lines);
  }

  /** What is computed in an outer loop, once for all turns of the loops inside; level -1 is outside of all. */
  #hoisted(level: number, twice: boolean): void {
    this.#writer.lines(this.#value.statements(level));
    if (twice && level < this.#domain.length - 1) this.#writer.lines(this.#finish.statements(level));
  }

  /** Opens the reduced loops, or any that only the value runs in, from `level` on. */
  #openInside(loops: readonly Loop[], level: number): void {
    loops.forEach((loop, offset) => {
      this.#writer.open(loop, [[this.#valuePointers, level + offset]]);
      this.#writer.lines(this.#value.statements(level + offset));
    });
  }

  #save(scope: Scope, text: string, dtype: DType): void {
    const { store } = this.#nest;
    const element = `out[${scope.pointer(this.#store)}${store.based ? ' + base' : ''}]`;
    this.#writer.line(`${element} = ${encode(text, dtype, store.dtype)};`);
  }

  /** The epilogue, with the reduction in `sum`, and its store. */
  #finished(): void {
    const end = this.#epilogue.length - 1;
    this.#writer.lines(this.#finish.statements(this.#domain.length - 1));
    this.#save(this.#finish, this.#finish.text(end), this.#epilogue[end]!.dtype);
  }

  #reduce({ op, dtype }: NonNullable<Nest['reduce']>): void {
    this.#writer.line(`let sum = ${initial(op, dtype)};`);
    this.#openInside(this.#reduced, this.#outer.length);
    this.#writer.line(`sum = ${accumulate(op, dtype, 'sum', this.#result)};`);
    this.#writer.close(this.#reduced.length);
    this.#finished();
  }

  /** One accumulator for each index of the innermost domain loop, which runs inside the reduced ones. */
  #reduceRows({ op, dtype }: NonNullable<Nest['reduce']>): void {
    const level = this.#outer.length;
    const loop = this.#domain.at(-1)!;
    const i = counterOf(loop);
    const boolean = kindOf(dtype) === 'boolean';
    const kept = (text: string): string => `row[${i}] = ${boolean ? `${text} ? 1 : 0` : text};`;
    const element = boolean ? `(row[${i}] !== 0)` : `row[${i}]`;
    this.#writer.open(loop, []);
    this.#writer.line(kept(initial(op, dtype)));
    this.#writer.close(1);
    this.#openInside([...this.#reduced, loop], level);
    this.#writer.line(kept(accumulate(op, dtype, element, this.#result)));
    this.#writer.close(this.#reduced.length + 1);
    this.#writer.open(loop, [[this.#finishPointers, level]]);
    this.#writer.line(`const sum = ${element};`);
    this.#finished();
  }

  #scan({ op, dtype }: NonNullable<Nest['scan']>): void {
    const level = this.#outer.length;
    this.#writer.line(`let sum = ${initial(op, dtype)};`);
    this.#writer.open(this.#domain.at(-1)!, [
      [this.#valuePointers, level],
      [this.#finishPointers, level],
    ]);
    this.#writer.lines(this.#value.statements(level));
    this.#writer.line(`sum = ${accumulate(op, dtype, 'sum', this.#result)};`);
    this.#finished();
  }

  #scatter({ op, index, extent, stride }: NonNullable<Nest['scatter']>): void {
    const { dtype, based } = this.#nest.store;
    const start = [this.#value.pointer(this.#store), `Math.imul(place, ${stride})`, ...(based ? ['base'] : [])];
    this.#writer.lines([
      `const place = ${this.#value.text(index)};`,
      `if (place >= 0 && place < ${extent}) {`,
      `  const element = ${start.join(' + ')} | 0;`,
      `  out[element] = ${accumulate(op, dtype, 'out[element]', this.#result)};`,
      '}',
    ]);
  }
}

/** The strides of the axes that move. */
function moving(strides: readonly number[], extents: readonly number[]): Strides {
  return new Map(strides.flatMap((stride, axis) => (extents[axis]! > 1 && stride !== 0 ? [[axis, stride]] : [])));
}
