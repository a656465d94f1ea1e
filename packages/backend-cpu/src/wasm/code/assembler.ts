/**
 * A WebAssembly assembler in expression style: `f32.add(x, f32.const(1))` is an expression, `local.set(e)` a statement.
 * It owns the binary format (sections, types, numbers) and nothing of what the code is for; operations are in `instructions.ts`.
 * Code is a tree of bytes that is flattened once, when the module is finished; so nesting costs nothing.
 */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** Bytes, code, or a function whose index is known only when the module is finished. */
export type Code = readonly (number | Code | FunctionReference)[];

/** Numbers of 32 bits in a vector of a function: 4 in WebAssembly; 8 in one that is only translated to native code. */
export type Lanes = 4 | 8;

/** Code that leaves one value of the type `type`. */
export interface Expression<T extends ValueType = ValueType> {
  readonly type: T;
  readonly code: Code;
}
export type I32 = Expression<'i32'>;
export type I64 = Expression<'i64'>;
export type F32 = Expression<'f32'>;
export type V128 = Expression<'v128'>;

/** Code that leaves nothing. */
export type Statement = Code;

export interface FunctionReference {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** Set when the module is finished: imports come first. */
  index: number;
}

const typeCode: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) {
      bytes.push(byte);
      return bytes;
    }
    bytes.push(byte | 0x80);
  }
}

const text = (value: string): number[] => {
  const bytes = Array.from(value, (character) => character.charCodeAt(0));
  return [...unsigned(bytes.length), ...bytes];
};

/** Bytes that grow at the end. */
class Bytes {
  data: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
  length = 0;

  room(more: number): void {
    if (this.length + more <= this.data.length) return;
    const larger = new Uint8Array(Math.max(this.data.length * 2, this.length + more));
    larger.set(this.data);
    this.data = larger;
  }
  push(...bytes: number[]): void {
    this.room(bytes.length);
    for (const byte of bytes) this.data[this.length++] = byte;
  }
  append(other: Bytes): void {
    this.room(other.length);
    this.data.set(other.data.subarray(0, other.length), this.length);
    this.length += other.length;
  }
  code(code: Code): void {
    this.room(code.length + 16);
    for (let at = 0; at < code.length; at++) {
      const part = code[at]!;
      if (typeof part === 'number') this.data[this.length++] = part;
      else if (isReference(part)) this.push(...unsigned(part.index));
      else {
        this.code(part);
        this.room(code.length - at + 16);
      }
    }
  }
}

const isReference = (part: Code | FunctionReference): part is FunctionReference => !Array.isArray(part);

/** A local variable or a parameter. */
export class Local<T extends ValueType = ValueType> implements Expression<T> {
  readonly type: T;
  readonly code: Code;
  readonly #index: readonly number[];

  constructor(type: T, index: number) {
    this.type = type;
    this.#index = unsigned(index);
    this.code = [0x20, ...this.#index];
  }
  set(value: Expression<T>): Statement {
    return [value.code, 0x21, this.#index];
  }
}

type Tuple<T, N extends number, Items extends T[] = []> = Items['length'] extends N
  ? Items
  : Tuple<T, N, [...Items, T]>;

/** The types of `count` words. */
export const words = (count: number): 'i32'[] => new Array<'i32'>(count).fill('i32');

/** A function under construction: its parameters, locals and statements. */
export class FunctionBuilder implements FunctionReference {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  index = -1;
  readonly lanes: Lanes;
  readonly #locals: ValueType[] = [];
  readonly #body: Statement[] = [];

  constructor(parameters: readonly ValueType[], results: readonly ValueType[], lanes: Lanes = 4) {
    this.parameters = parameters;
    this.results = results;
    this.lanes = lanes;
  }
  parameter<T extends ValueType>(position: number, type: T): Local<T> {
    if (this.parameters[position] !== type) throw new TypeError(`parameter ${position} is not ${type}`);
    return new Local(type, position);
  }
  /** The first `count` parameters, where all of them are i32. */
  words<N extends number>(count: N): Tuple<Local<'i32'>, N> {
    return Array.from({ length: count }, (_, at) => this.parameter(at, 'i32')) as Tuple<Local<'i32'>, N>;
  }
  local<T extends ValueType>(type: T): Local<T> {
    this.#locals.push(type);
    return new Local(type, this.parameters.length + this.#locals.length - 1);
  }
  emit(...statements: Statement[]): void {
    this.#body.push(...statements);
  }
  /** The entry of the code section. */
  write(into: Bytes): void {
    const runs: number[] = [];
    let count = 0;
    for (let from = 0; from < this.#locals.length; ) {
      let to = from;
      while (to < this.#locals.length && this.#locals[to] === this.#locals[from]) to += 1;
      runs.push(...unsigned(to - from), typeCode[this.#locals[from]!]);
      count += 1;
      from = to;
    }
    const body = new Bytes();
    body.push(...unsigned(count), ...runs);
    body.code(this.#body);
    body.push(0x0b);
    into.push(...unsigned(body.length));
    into.append(body);
  }
}

/** The memory that a module imports as `memory.memory`, in pages of 64 KiB. */
export interface MemoryType {
  readonly minimum: number;
  readonly maximum: number;
  readonly shared: boolean;
}

/** A module under construction. */
export class ModuleBuilder {
  readonly #imports: { module: string; name: string; reference: FunctionReference }[] = [];
  readonly #functions: { name: string | null; builder: FunctionBuilder }[] = [];
  readonly #table: FunctionReference[] = [];
  readonly #memory: MemoryType | null;

  constructor(memory: MemoryType | null = null) {
    this.#memory = memory;
  }
  import(
    module: string,
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ): FunctionReference {
    const known = this.#imports.find((entry) => entry.module === module && entry.name === name);
    if (known) return known.reference;
    const reference = { parameters, results, index: -1 };
    this.#imports.push({ module, name, reference });
    return reference;
  }
  /** Adds a function, exported when it has a name. */
  function(
    name: string | null,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    build: (builder: FunctionBuilder) => void,
    lanes: Lanes = 4,
  ): FunctionBuilder {
    const builder = new FunctionBuilder(parameters, results, lanes);
    build(builder);
    this.#functions.push({ name, builder });
    return builder;
  }
  /** Adds the function to the table (for `callIndirect`); returns its place. */
  tableEntry(reference: FunctionReference): number {
    this.#table.push(reference);
    return this.#table.length - 1;
  }
  /** The type index and the table index after the opcode `call_indirect` are resolved through `typeOf`. */
  readonly #types: string[] = [];
  typeIndex(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const bytes = [0x60, parameters.length, ...parameters.map((type) => typeCode[type])];
    bytes.push(results.length, ...results.map((type) => typeCode[type]));
    const key = bytes.join();
    const known = this.#types.indexOf(key);
    return known >= 0 ? known : this.#types.push(key) - 1;
  }
  bytes(): Uint8Array<ArrayBuffer> {
    let index = 0;
    for (const { reference } of this.#imports) reference.index = index++;
    for (const { builder } of this.#functions) builder.index = index++;
    const importTypes = this.#imports.map(({ reference }) => this.typeIndex(reference.parameters, reference.results));
    const functionTypes = this.#functions.map(({ builder }) => this.typeIndex(builder.parameters, builder.results));

    const out = new Bytes();
    out.push(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const section = (id: number, entries: readonly (readonly number[])[]): void => {
      if (entries.length === 0) return;
      const body = new Bytes();
      body.push(...unsigned(entries.length));
      for (const entry of entries) body.push(...entry);
      out.push(id, ...unsigned(body.length));
      out.append(body);
    };
    section(
      1,
      this.#types.map((key) => key.split(',').map(Number)),
    );
    const imports = this.#imports.map(({ module, name }, at) => [
      ...text(module),
      ...text(name),
      0x00,
      ...unsigned(importTypes[at]!),
    ]);
    if (this.#memory) {
      const { minimum, maximum, shared } = this.#memory;
      imports.push([
        ...text('memory'),
        ...text('memory'),
        0x02,
        shared ? 3 : 1,
        ...unsigned(minimum),
        ...unsigned(maximum),
      ]);
    }
    section(2, imports);
    section(
      3,
      functionTypes.map((type) => unsigned(type)),
    );
    if (this.#table.length > 0) section(4, [[0x70, 0x00, ...unsigned(this.#table.length)]]);
    section(
      7,
      this.#functions.flatMap(({ name, builder }) =>
        name === null ? [] : [[...text(name), 0x00, ...unsigned(builder.index)]],
      ),
    );
    if (this.#table.length > 0) {
      const entries = this.#table.flatMap((reference) => unsigned(reference.index));
      section(9, [[0x00, 0x41, 0x00, 0x0b, ...unsigned(this.#table.length), ...entries]]);
    }
    const bodies = new Bytes();
    bodies.push(...unsigned(this.#functions.length));
    for (const { builder } of this.#functions) builder.write(bodies);
    out.push(10, ...unsigned(bodies.length));
    out.append(bodies);
    // Which functions have vectors of 8: for who translates the module, no engine could run it.
    const wide = this.#functions.flatMap(({ builder }) => (builder.lanes === 8 ? unsigned(builder.index) : []));
    if (wide.length > 0) out.push(0, ...unsigned(wide.length + 5), ...text('wide'), ...wide);
    return out.data.slice(0, out.length);
  }
}
