/**
 * Reads the modules that @nn/backend-cpu emits: the sections of WebAssembly's binary format that it writes, and its own one,
 * "wide", which names the functions whose vectors have 8 lanes. What it does not write is not understood.
 * Input of `translate.ts`.
 */

export type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export interface Signature {
  readonly parameters: readonly Type[];
  readonly results: readonly Type[];
}

export interface WasmFunction extends Signature {
  readonly lanes: 4 | 8;
  readonly locals: readonly Type[];
  /** Instructions, with the `end` of the function. */
  readonly body: Uint8Array;
}

export interface WasmModule {
  /** Functions that come from elsewhere: they have the first numbers. */
  readonly imports: readonly (Signature & { readonly from: string; readonly name: string })[];
  readonly functions: readonly WasmFunction[];
  /** Numbers of functions. */
  readonly exports: ReadonlyMap<string, number>;
  readonly table: readonly number[];
}

/** Bytes that are read one after the other. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get isDone(): boolean {
    return this.at >= this.bytes.length;
  }
  byte(): number {
    return this.#view.getUint8(this.at++);
  }
  /** LEB128. */
  unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  signed(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return byte & 64 ? value - scale * 128 : value;
    }
  }
  /** 32 bits as they are. */
  word(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }
  slice(length: number): Uint8Array {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text(): string {
    return String.fromCharCode(...this.slice(this.unsigned()));
  }
  list<T>(read: () => T): T[] {
    return Array.from({ length: this.unsigned() }, read);
  }
}

const types: ReadonlyMap<number, Type> = new Map<number, Type>([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
]);

function typeOf(code: number): Type {
  const type = types.get(code);
  if (type === undefined) throw new TypeError(`there is no type ${code}`);
  return type;
}

export function readModule(bytes: Uint8Array): WasmModule {
  const reader = new Reader(bytes, 8);
  const sections = new Map<number, Reader>();
  const wide = new Set<number>();
  while (!reader.isDone) {
    const id = reader.byte();
    const section = new Reader(reader.slice(reader.unsigned()));
    if (id !== 0) sections.set(id, section);
    else if (section.text() === 'wide') while (!section.isDone) wide.add(section.unsigned());
  }
  const listOf = <T>(id: number, read: (section: Reader) => T): T[] => {
    const section = sections.get(id);
    return section ? section.list(() => read(section)) : [];
  };
  const signatures = listOf(1, (section): Signature => {
    section.byte();
    const [parameters, results] = [0, 1].map(() => section.list(() => typeOf(section.byte()))) as [Type[], Type[]];
    return { parameters, results };
  });
  const imports = listOf(2, (section) => {
    const [from, name, kind] = [section.text(), section.text(), section.byte()];
    if (kind === 0) return [{ from, name, ...(signatures[section.unsigned()] as Signature) }];
    // the memory, with its limits
    section.byte();
    section.unsigned();
    section.unsigned();
    return [];
  }).flat();
  const declared = listOf(3, (section) => signatures[section.unsigned()] as Signature);
  const exports = new Map(
    listOf(7, (section) => {
      const name = section.text();
      section.byte();
      return [name, section.unsigned()] as const;
    }),
  );
  const elements = listOf(9, (section) => {
    // of table 0, from 0 on: (i32.const 0) end
    section.slice(4);
    return section.list(() => section.unsigned());
  });
  const codes = listOf(10, (section) => section.slice(section.unsigned()));
  const functions = codes.map((code, at): WasmFunction => {
    const inside = new Reader(code);
    const locals = inside
      .list((): Type[] => {
        const count = inside.unsigned();
        return new Array<Type>(count).fill(typeOf(inside.byte()));
      })
      .flat();
    const body = code.subarray(inside.at);
    return { ...(declared[at] as Signature), lanes: wide.has(imports.length + at) ? 8 : 4, locals, body };
  });
  return { imports, functions, exports, table: elements.flat() };
}
