/**
 * Reads Python's pickles without running anything: names of classes and functions stay names, and a call of one becomes
 * an inert record, unless the caller's hook knows the name and gives a value of ours. The opcodes are those of PyTorch's own
 * restricted reader (`weights_only`), and those by which newer protocols write the same values.
 * Source: Python, Lib/pickletools.py; what is allowed: torch/_weights_only_unpickler.py.
 */
import { decodeUtf8, excerpt, FormatError } from '@nn/core';

/** A name of Python's: a class or a function, never resolved. */
export class PickleGlobal {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
  /** 'torch._utils._rebuild_tensor_v2'. */
  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What calling `made` by `args` would have given, with the state that it would have been given then. */
export class PickleRecord {
  readonly made: unknown;
  readonly args: unknown;
  state: unknown = undefined;
  constructor(made: unknown, args: unknown) {
    this.made = made;
    this.args = args;
  }
  /** The name of its class or function, for messages. */
  get path(): string {
    return this.made instanceof PickleGlobal ? this.made.path : 'an object';
  }
}

export interface PickleHooks {
  /** The most bytes, about, that its values may take, where that is more than four times the pickle. */
  readonly maxBytes: number;
  /** The value that an identifier stands for, as a storage of PyTorch's. */
  readonly persistent: (identifier: unknown) => unknown;
  /** What a call gives, undefined where the name is unknown: then the record stays inert. */
  readonly call: (path: string, args: readonly unknown[]) => unknown;
}

/** What values take, about, in bytes: a place on the stack or in a list, a list, a dictionary, a record, a kept value. */
const costs = { place: 8, list: 48, map: 200, record: 64, kept: 40 } as const;

/** Where an object begins on the stack. */
const mark = Symbol('mark');

function fail(reason: string, what: string, data?: Readonly<Record<string, unknown>>): never {
  throw new FormatError(`pickle/${reason}`, what, data);
}

/** The value of the pickle that begins at `start`, and where it ends. 'pickle/truncated' is an error of its own: more bytes may follow. */
export function unpickle(
  bytes: Uint8Array,
  hooks: PickleHooks,
  start = 0,
): { readonly value: unknown; readonly end: number } {
  return new Unpickler(bytes, hooks, start).run();
}

class Unpickler {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly hooks: PickleHooks;
  private at: number;
  /** The bytes, about, that are left for values: one byte of a pickle may be a dictionary, or keep a value for later. */
  private left: number;
  private stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(bytes: Uint8Array, hooks: PickleHooks, start: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.hooks = hooks;
    this.at = start;
    this.left = Math.max(hooks.maxBytes, 4 * bytes.length);
  }

  run(): { value: unknown; end: number } {
    for (;;) {
      const at = this.at;
      const code = this.byte();
      if (code === 0x2e) return { value: this.pop(), end: this.at };
      if (!this.simple(code) && !this.text(code) && !this.container(code) && !this.object(code)) {
        fail(
          'opcode',
          `byte ${at} is the opcode 0x${code.toString(16)}, which no file of weights has; the file is damaged or no model.`,
          {
            at,
            code,
          },
        );
      }
    }
  }

  /** Numbers, constants, the stack and the memo. */
  private simple(code: number): boolean {
    switch (code) {
      case 0x80: // PROTO
        if (this.byte() > 5) fail('protocol', 'the protocol of the pickle is newer than 5.');
        return true;
      case 0x95: // FRAME
        this.take(8);
        return true;
      case 0x4e: // NONE
        return this.push(null);
      case 0x88: // NEWTRUE
        return this.push(true);
      case 0x89: // NEWFALSE
        return this.push(false);
      case 0x4a: // BININT
        return this.push(this.view.getInt32(this.take(4), true));
      case 0x4b: // BININT1
        return this.push(this.byte());
      case 0x4d: // BININT2
        return this.push(this.view.getUint16(this.take(2), true));
      case 0x8a: // LONG1
        return this.push(this.integer(this.byte()));
      case 0x47: // BINFLOAT, big-endian
        return this.push(this.view.getFloat64(this.take(8)));
      case 0x28: // MARK
        return this.push(mark);
      case 0x30: // POP
        this.pop();
        return true;
      case 0x68: // BINGET
        return this.push(this.remembered(this.byte()));
      case 0x6a: // LONG_BINGET
        return this.push(this.remembered(this.view.getUint32(this.take(4), true)));
      case 0x71: // BINPUT
        return this.remember(this.byte());
      case 0x72: // LONG_BINPUT
        return this.remember(this.view.getUint32(this.take(4), true));
      case 0x94: // MEMOIZE
        return this.remember(this.memo.size);
      default:
        return false;
    }
  }

  /** Text and bytes; bytes stay a view of the file. */
  private text(code: number): boolean {
    switch (code) {
      case 0x58: // BINUNICODE
        return this.push(this.string(this.view.getUint32(this.take(4), true)));
      case 0x8c: // SHORT_BINUNICODE
        return this.push(this.string(this.byte()));
      case 0x55: // SHORT_BINSTRING
        return this.push(this.string(this.byte()));
      case 0x54: // BINSTRING
        return this.push(this.string(this.view.getUint32(this.take(4), true)));
      case 0x43: // SHORT_BINBYTES
        return this.push(this.raw(this.byte()));
      case 0x42: // BINBYTES
        return this.push(this.raw(this.view.getUint32(this.take(4), true)));
      default:
        return false;
    }
  }

  private container(code: number): boolean {
    switch (code) {
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        return this.push([], costs.list);
      case 0x7d: // EMPTY_DICT
        return this.push(new Map(), costs.map);
      case 0x8f: // EMPTY_SET
        return this.push(new Set(), costs.map);
      case 0x74: // TUPLE
      case 0x6c: // LIST
        return this.push(this.toMark(), costs.list);
      case 0x85: // TUPLE1, TUPLE2, TUPLE3
      case 0x86:
      case 0x87: {
        const items: unknown[] = [];
        for (let k = 0x84; k < code; k++) items.unshift(this.pop());
        return this.push(items, costs.list);
      }
      case 0x64: {
        // DICT
        const items = this.toMark();
        this.push(new Map(), costs.map);
        return this.setItems(items);
      }
      case 0x61: // APPEND
        return this.append([this.pop()]);
      case 0x65: // APPENDS
        return this.append(this.toMark());
      case 0x73: {
        // SETITEM
        const value = this.pop();
        return this.setItems([this.pop(), value]);
      }
      case 0x75: // SETITEMS
        return this.setItems(this.toMark());
      case 0x90: {
        // ADDITEMS
        const items = this.toMark();
        const target = this.top();
        if (target instanceof Set) for (const item of items) target.add(item);
        return true;
      }
      case 0x91: // FROZENSET
        return this.push(new Set(this.toMark()), costs.map);
      default:
        return false;
    }
  }

  /** Names, calls and states: nothing of them is run. */
  private object(code: number): boolean {
    switch (code) {
      case 0x63: {
        // GLOBAL
        const module = this.line();
        return this.push(new PickleGlobal(module, this.line()), costs.record);
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = this.pop();
        return this.push(new PickleGlobal(String(this.pop()), String(name)), costs.record);
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = this.pop();
        return this.push(this.called(this.pop(), args), costs.map);
      }
      case 0x92: {
        // NEWOBJ_EX, with arguments by name
        this.pop();
        const args = this.pop();
        return this.push(this.called(this.pop(), args), costs.map);
      }
      case 0x62: {
        // BUILD: the state of a dictionary or a tensor (its _metadata, its hooks) has no meaning here
        const state = this.pop();
        const target = this.top();
        if (target instanceof PickleRecord) target.state = state;
        return true;
      }
      case 0x51: // BINPERSID
        return this.push(this.hooks.persistent(this.pop()));
      default:
        return false;
    }
  }

  private called(made: unknown, args: unknown): unknown {
    if (made instanceof PickleGlobal && Array.isArray(args)) {
      const value = this.hooks.call(made.path, args);
      if (value !== undefined) return value;
    }
    return new PickleRecord(made, args);
  }

  private push(value: unknown, cost = 0): true {
    this.spend(costs.place + cost);
    this.stack.push(value);
    return true;
  }

  private spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0)
      fail(
        'memory',
        `byte ${this.at}: the values of the pickle take more than ${this.hooks.maxBytes} bytes, which is maxBytes; it is no file of weights.`,
      );
  }

  private pop(): unknown {
    if (this.stack.length === 0) fail('stack', `byte ${this.at} takes from an empty stack; the file is damaged.`);
    const value = this.stack.pop();
    return value === mark
      ? fail('stack', `byte ${this.at} takes an object that has not begun; the file is damaged.`)
      : value;
  }

  private top(): unknown {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  private toMark(): unknown[] {
    const at = this.stack.lastIndexOf(mark);
    if (at < 0) fail('stack', `byte ${this.at} ends an object that has not begun; the file is damaged.`);
    const items = this.stack.splice(at + 1);
    this.stack.pop();
    return items;
  }

  private append(items: readonly unknown[]): true {
    const target = this.top();
    // What a record of an unknown class would append stays out of it: nobody looks into it.
    if (Array.isArray(target)) for (const item of items) target.push(item);
    else if (target instanceof Set) for (const item of items) target.add(item);
    return true;
  }

  private setItems(items: readonly unknown[]): true {
    const target = this.top();
    if (items.length % 2 === 1) fail('stack', `byte ${this.at} sets a key without a value; the file is damaged.`);
    if (!(target instanceof Map)) return true;
    this.spend(costs.kept * (items.length / 2));
    for (let k = 0; k < items.length; k += 2) target.set(items[k], items[k + 1]);
    return true;
  }

  private remember(key: number): true {
    if (!this.memo.has(key)) this.spend(costs.kept);
    this.memo.set(key, this.top());
    return true;
  }

  private remembered(key: number): unknown {
    return this.memo.has(key)
      ? this.memo.get(key)
      : fail('memo', `byte ${this.at} asks for value ${key}, which was never kept; the file is damaged.`);
  }

  /** Where the next `length` bytes begin. */
  private take(length: number): number {
    const begin = this.at;
    if (begin + length > this.bytes.length) {
      fail(
        'truncated',
        `the pickle ends at byte ${this.bytes.length}, ${begin + length} are needed; the file is truncated.`,
        {
          needed: begin + length,
        },
      );
    }
    this.at = begin + length;
    return begin;
  }

  private byte(): number {
    return this.bytes[this.take(1)] as number;
  }

  private raw(length: number): Uint8Array {
    const begin = this.take(length);
    return this.bytes.subarray(begin, begin + length);
  }

  /** UTF-8; text of Python 2 may be in any encoding, and is then taken byte by byte. */
  private string(length: number): string {
    const bytes = this.raw(length);
    const text = decodeUtf8(bytes);
    this.spend(length);
    if (text !== undefined) return text;
    let latin = '';
    for (const byte of bytes) latin += String.fromCharCode(byte);
    return latin;
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) this.take(this.bytes.length - this.at + 1);
    const text = this.string(end - this.at);
    this.at = end + 1;
    if (text.length > 1000)
      fail('name', `the name '${excerpt(text)}' in the pickle is no name of Python's; the file is damaged.`);
    return text;
  }

  /** Two's complement, little-endian: a number where it is one exactly. */
  private integer(length: number): number | bigint {
    const bytes = this.raw(length);
    let value = 0n;
    for (let k = length - 1; k >= 0; k--) value = (value << 8n) | BigInt(bytes[k]!);
    const signed = length > 0 ? BigInt.asIntN(8 * length, value) : 0n;
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }
}
