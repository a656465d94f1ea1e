/**
 * Functions of WebAssembly as functions in C, instruction by instruction: what is on the stack becomes a name, a local a
 * variable, a jump a `goto`. So C means what the module means, and the compiler does the rest. Each function gets the place
 * that it works on; addresses are numbers behind the start of its memory. Instructions on vectors are calls of `vectors.ts`.
 */
import {
  extracts,
  loads,
  type Plain,
  plain,
  replaces,
  shifts,
  splats,
  stores,
  vectorLoads,
  vectors,
} from './instructions.ts';
import { Reader, type Signature, type Type, type WasmFunction, type WasmModule } from './module.ts';

/** What stands for a number in C, and the variable that it is, if it is one. */
interface Entry {
  readonly text: string;
  readonly type: Type;
  readonly local: number | null;
}

/** Names of the functions of a module: of imports and of its own. */
export type Names = (index: number) => string;

const spelled: Readonly<Record<Exclude<Type, 'v128'>, string>> = {
  i32: 'uint32_t',
  i64: 'uint64_t',
  f32: 'float',
  f64: 'double',
};
const cType = (type: Type, lanes: number): string => (type === 'v128' ? `V${lanes}` : spelled[type]);

/** Functions with longer bodies are not put in line. */
const shortBody = 300;

/** The first line of a function, which also declares it. */
export function head({ parameters, results, lanes, body }: WasmFunction, name: string): string {
  const list = parameters.map((type, at) => `, ${cType(type, lanes)} l${at}`);
  const result = results[0] === undefined ? 'void' : cType(results[0], lanes);
  const whole = body.length > shortBody ? ' __attribute__((noinline))' : '';
  return `static${whole} ${result} ${name}(struct place *place${list.join('')})`;
}

export function translate(module: WasmModule, index: number, names: Names): string {
  return new Translation(module, index, names).text();
}

class Translation {
  readonly #module: WasmModule;
  readonly #function: WasmFunction;
  readonly #name: string;
  readonly #names: Names;
  readonly #lines: string[] = [];
  readonly #stack: Entry[] = [];
  readonly #labels: { readonly name: string; readonly isLoop: boolean; isUsed: boolean }[] = [];
  #temporaries = 0;
  #blocks = 0;

  constructor(module: WasmModule, index: number, names: Names) {
    this.#module = module;
    this.#function = module.functions[index - module.imports.length]!;
    this.#name = names(index);
    this.#names = names;
  }

  text(): string {
    const { parameters, results, locals, lanes, body } = this.#function;
    const types = [...parameters, ...locals];
    const reader = new Reader(body);
    while (!reader.isDone) this.#instruction(reader, types);
    if (results.length > 0) this.#lines.push(`return ${this.#pop().text};`);
    const variables = new Map<Type, string[]>();
    locals.forEach((type, at) => {
      const zero = type === 'v128' ? '{0}' : '0';
      variables.set(type, [...(variables.get(type) ?? []), `l${parameters.length + at} = ${zero}`]);
    });
    const declared = [...variables].map(([type, list]) => `${cType(type, lanes)} ${list.join(', ')};`);
    const memory = 'char *const base = place->base;';
    return [`${head(this.#function, this.#name)} {`, memory, ...declared, ...this.#lines, '}'].join('\n');
  }

  #pop(): Entry {
    return this.#stack.pop()!;
  }
  #popped(count: number): string[] {
    return this.#stack.splice(this.#stack.length - count).map(({ text }) => text);
  }
  /** Something computed, under a name of its own: what comes after must not change it. */
  #push(type: Type, text: string): void {
    const name = `t${this.#temporaries++}`;
    this.#lines.push(`const ${cType(type, this.#function.lanes)} ${name} = ${text};`);
    this.#stack.push({ text: name, type, local: null });
  }
  #pushVector(name: string, operands: readonly (string | number)[]): void {
    this.#push('v128', `${name}_${this.#function.lanes}(${operands.join(', ')})`);
  }
  #literal(type: Type, text: string): void {
    this.#stack.push({ text, type, local: null });
  }
  /** Variables on the stack get names of their own before they may change; null: all of them. */
  #settle(local: number | null): void {
    this.#stack.forEach((entry, at) => {
      if (entry.local === null || (local !== null && entry.local !== local)) return;
      const name = `t${this.#temporaries++}`;
      this.#lines.push(`const ${cType(entry.type, this.#function.lanes)} ${name} = ${entry.text};`);
      this.#stack[at] = { ...entry, text: name, local: null };
    });
  }
  #assign(index: number, value: string): void {
    this.#settle(index);
    this.#lines.push(`l${index} = ${value};`);
  }

  #open(isLoop: boolean): void {
    this.#settle(null);
    const name = `b${this.#blocks++}`;
    this.#labels.push({ name, isLoop, isUsed: false });
    if (isLoop) this.#lines.push(`${name}:;`);
  }
  #jump(depth: number): string {
    const label = this.#labels.at(-1 - depth);
    // out of the outermost block is out of the function
    if (!label) return 'return;';
    label.isUsed = true;
    return `goto ${label.name};`;
  }
  #close(): void {
    const label = this.#labels.pop();
    if (!label) return;
    this.#lines.push('}');
    if (!label.isLoop && label.isUsed) this.#lines.push(`${label.name}:;`);
  }

  #instruction(reader: Reader, types: readonly Type[]): void {
    const code = reader.byte();
    const simple = plain.get(code);
    if (simple) {
      this.#plain(simple);
      return;
    }
    switch (code) {
      case 0x02:
      case 0x03:
        reader.byte();
        this.#open(code === 0x03);
        this.#lines.push('{');
        return;
      case 0x04: {
        reader.byte();
        const condition = this.#pop().text;
        this.#open(false);
        this.#lines.push(`if (${condition}) {`);
        return;
      }
      case 0x05:
        this.#lines.push('} else {');
        return;
      case 0x0b:
        this.#close();
        return;
      case 0x0c:
        this.#lines.push(this.#jump(reader.unsigned()));
        return;
      case 0x0d:
        this.#lines.push(`if (${this.#pop().text}) ${this.#jump(reader.unsigned())}`);
        return;
      case 0x10: {
        const index = reader.unsigned();
        this.#call(this.#names(index), this.#signature(index));
        return;
      }
      case 0x11: {
        reader.unsigned();
        reader.unsigned();
        // only phases stand in the table: five words each
        const place = this.#pop().text;
        this.#call(`table[${place}]`, { parameters: new Array<Type>(5).fill('i32'), results: [] });
        return;
      }
      case 0x1a:
        this.#pop();
        return;
      case 0x1b: {
        const { type } = this.#stack.at(-2)!;
        const [a, b, condition] = this.#popped(3);
        this.#push(type, `${condition} ? ${a} : ${b}`);
        return;
      }
      case 0x20: {
        const index = reader.unsigned();
        this.#stack.push({ text: `l${index}`, type: types[index]!, local: index });
        return;
      }
      case 0x21: {
        const index = reader.unsigned();
        const value = this.#pop().text;
        this.#assign(index, value);
        return;
      }
      case 0x41:
        this.#literal('i32', `${reader.signed() >>> 0}u`);
        return;
      case 0x42:
        this.#literal('i64', `(uint64_t)${reader.signed()}ll`);
        return;
      case 0x43:
        this.#literal('f32', `floatOf(${reader.word()}u)`);
        return;
      case 0xfc:
        this.#extended(reader);
        return;
      case 0xfd:
        this.#vector(reader);
        return;
      case 0xfe:
        this.#atomic(reader);
        return;
      default:
        this.#memory(code, reader);
        return;
    }
  }

  #signature(index: number): Signature {
    const { imports, functions } = this.#module;
    return imports[index] ?? functions[index - imports.length]!;
  }
  #call(name: string, { parameters, results }: Signature): void {
    const call = `${name}(${['place', ...this.#popped(parameters.length)].join(', ')})`;
    if (results[0] === undefined) this.#lines.push(`${call};`);
    else this.#push(results[0], call);
  }
  #plain([type, text]: Plain): void {
    const operands = this.#popped(text.includes('$1') ? 2 : 1);
    this.#push(
      type,
      text.replace(/\$(\d)/g, (_, at) => operands[Number(at)]!),
    );
  }
  /** The place that an address names, after the alignment, which says nothing. */
  #place(reader: Reader, address: string): string {
    reader.unsigned();
    const offset = reader.unsigned();
    return offset === 0 ? `(base + ${address})` : `(base + ${address} + ${offset})`;
  }
  #memory(code: number, reader: Reader): void {
    const load = loads.get(code);
    const store = stores.get(code);
    if (load) {
      this.#push(load[0], `${load[1]}${this.#place(reader, this.#pop().text)}`);
      return;
    }
    if (store === undefined) throw new TypeError(`there is no translation of the instruction ${code.toString(16)}`);
    const [address, value] = this.#popped(2) as [string, string];
    this.#lines.push(`${store}${this.#place(reader, address)} = ${value};`);
  }
  #extended(reader: Reader): void {
    const code = reader.unsigned();
    if (code === 0) {
      this.#push('i32', `truncated(${this.#pop().text})`);
      return;
    }
    const [to, from, bytes] = this.#popped(3);
    if (code === 10) this.#lines.push(`__builtin_memmove(base + ${to}, base + ${from}, ${bytes});`);
    else if (code === 11) this.#lines.push(`__builtin_memset(base + ${to}, ${from}, ${bytes});`);
    else throw new TypeError(`there is no translation of the instruction fc ${code}`);
    reader.slice(code === 10 ? 2 : 1);
  }
  #atomic(reader: Reader): void {
    const code = reader.byte();
    const order = '__ATOMIC_SEQ_CST';
    if (code === 0x11) {
      const place = this.#place(reader, this.#pop().text);
      this.#push('i64', `__atomic_load_n((uint64_t *)${place}, ${order})`);
      return;
    }
    if (code === 0x1e) {
      const [address, value] = this.#popped(2) as [string, string];
      const place = this.#place(reader, address);
      this.#push('i32', `__atomic_fetch_add((uint32_t *)${place}, ${value}, ${order})`);
      return;
    }
    if (code !== 0x49) throw new TypeError(`there is no translation of the instruction fe ${code}`);
    const [address, expected, value] = this.#popped(3) as [string, string, string];
    this.#push('i64', `exchanged((uint64_t *)${this.#place(reader, address)}, ${expected}, ${value})`);
  }

  #vector(reader: Reader): void {
    const { lanes } = this.#function;
    const code = reader.unsigned();
    const load = vectorLoads.get(code);
    if (load !== undefined) {
      this.#pushVector(load, [this.#place(reader, this.#pop().text)]);
      return;
    }
    const whole = vectors.get(code);
    if (whole) {
      this.#pushVector(whole[0], this.#popped(whole[1]));
      return;
    }
    const shift = shifts.get(code);
    if (shift !== undefined) {
      this.#pushVector(shift, this.#popped(2));
      return;
    }
    const splat = splats.get(code);
    if (splat !== undefined) {
      this.#pushVector(splat, this.#popped(1));
      return;
    }
    const extract = extracts.get(code);
    if (extract) {
      const vector = this.#pop().text;
      this.#push(extract[0], `${extract[1]}_${lanes}(${vector}, ${reader.byte()})`);
      return;
    }
    const replace = replaces.get(code);
    if (replace !== undefined) {
      const [vector, value] = this.#popped(2) as [string, string];
      this.#pushVector(replace, [vector, reader.byte(), value]);
      return;
    }
    switch (code) {
      case 0x0b:
      case 0x5a:
      case 0x5b: {
        const [address, value] = this.#popped(2) as [string, string];
        const place = this.#place(reader, address);
        const name = code === 0x0b ? 'store' : code === 0x5a ? 'storeOne' : 'storeTwo';
        const lane = code === 0x0b ? '' : `, ${reader.byte()}`;
        this.#lines.push(`v128_${name}_${lanes}(${place}, ${value}${lane});`);
        return;
      }
      case 0x0c: {
        const words = [0, 1, 2, 3].map(() => `${reader.word()}u`);
        this.#pushVector('v128_words', words);
        return;
      }
      case 0x0d: {
        const [a, b] = this.#popped(2) as [string, string];
        const words = Array.from({ length: lanes }, () => reader.slice(4)[0]! / 4);
        this.#push('v128', `SHUFFLE_${lanes}(${[a, b, ...words].join(', ')})`);
        return;
      }
      case 0x56: {
        const [address, vector] = this.#popped(2) as [string, string];
        const place = this.#place(reader, address);
        this.#pushVector('v128_loadLane', [place, vector, reader.byte()]);
        return;
      }
      case 0xa3:
        this.#push('i32', `i32x4_allTrue_${lanes}(${this.#pop().text})`);
        return;
      default:
        throw new TypeError(`there is no translation of the instruction fd ${code.toString(16)}`);
    }
  }
}
