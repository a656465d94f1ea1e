/**
 * Writes the straight-line body of a kernel: equal operations are written once, index expressions become integer
 * operations, and what the result does not need is dropped at the end.
 */
import type { Alu, Body, DType, Op } from '../backend.ts';
import type { Index, IndexSpace } from '../graph/index-expression.ts';
import type { Value } from '../graph/primitive.ts';

export class BodyWriter {
  readonly space: IndexSpace;
  readonly #ops: Op[] = [];
  readonly #positions = new Map<string, Value>();
  readonly #written = new Map<number, Value>();

  constructor(space: IndexSpace) {
    this.space = space;
  }

  emit(op: Alu, dtype: DType, ...args: readonly Value[]): Value {
    if (op === 'cast' && this.#dtypeOf(args[0]!) === dtype) return args[0]!;
    if (op === 'where') {
      const condition = this.#ops[args[0]!]!;
      if (condition.op === 'const') return (condition.value === 0 ? args[2] : args[1])!;
      if (args[1] === args[2]) return args[1]!;
    }
    return this.#write({ op, dtype, args });
  }

  constant(value: number, dtype: DType): Value {
    return this.#write({ op: 'const', dtype, value: dtype === 'float32' ? Math.fround(value) : value });
  }

  scalar(slot: number, dtype: DType): Value {
    return this.#write({ op: 'scalar', dtype, slot });
  }

  load(read: number, index: Value, dtype: DType): Value {
    return this.#write({ op: 'load', dtype, read, index });
  }

  accumulator(dtype: DType): Value {
    return this.#write({ op: 'accumulator', dtype });
  }

  /** low <= index < high; null where the bounds prove it. */
  inside(index: Index, low: number, high: number): Value | null {
    if (index.min >= low && index.max < high) return null;
    if (index.max < low || index.min >= high) return this.constant(0, 'bool');
    const position = this.integer(index);
    const above = index.min >= low ? null : this.emit('less', 'bool', this.constant(low - 1, 'int32'), position);
    const below = index.max < high ? null : this.emit('less', 'bool', position, this.constant(high, 'int32'));
    if (above === null || below === null) return (above ?? below) as Value;
    return this.emit('and', 'bool', above, below);
  }

  /** An index expression as int32 operations. */
  integer(index: Index): Value {
    const known = this.#written.get(index.id);
    if (known !== undefined) return known;
    let total: Value | null = null;
    index.atoms.forEach((atom, i) => {
      const factor = index.factors[i]!;
      const value = this.#atom(atom);
      const term = factor === 1 ? value : this.emit('mul', 'int32', value, this.constant(factor, 'int32'));
      total = total === null ? term : this.emit('add', 'int32', total, term);
    });
    const shift = index.constant;
    let value: Value;
    if (total === null) value = this.constant(shift, 'int32');
    else value = shift === 0 ? total : this.emit('add', 'int32', total, this.constant(shift, 'int32'));
    this.#written.set(index.id, value);
    return value;
  }

  /** The operations that `result` needs, in order, and where the given positions went (-1: dropped). */
  finish(result: Value, keep: readonly Value[] = []): { body: Body; positions: number[] } {
    return select(this.#ops, result, keep);
  }

  #dtypeOf(value: Value): DType {
    return this.#ops[value]!.dtype;
  }

  #atom(atom: Index['atoms'][number]): Value {
    switch (atom.kind) {
      case 'axis':
        return this.#write({ op: 'axis', dtype: 'int32', axis: atom.source });
      case 'computed':
        return atom.source;
      case 'clamp': {
        const of = atom.of as Index;
        let value = this.integer(of);
        if (of.min < atom.source) value = this.emit('max', 'int32', value, this.constant(atom.source, 'int32'));
        if (of.max > atom.by) value = this.emit('min', 'int32', value, this.constant(atom.by, 'int32'));
        return value;
      }
      default:
        return this.emit(atom.kind, 'int32', this.integer(atom.of as Index), this.constant(atom.by, 'int32'));
    }
  }

  #write(op: Op): Value {
    const key = keyOf(op);
    const known = this.#positions.get(key);
    if (known !== undefined) return known;
    const position = this.#ops.push(op) - 1;
    this.#positions.set(key, position);
    return position;
  }
}

/**
 * Takes the constant that all loads of a read add to their index out of the bodies: `x[i + 96]` and `x[i + 128]` are one
 * kernel, bound at two offsets. Returns the new bodies, and the constant of each read.
 */
export function takeOffsets(bodies: readonly Body[], reads: number): { bodies: Body[]; offsets: number[] } {
  const found: (number | undefined)[] = new Array(reads).fill(undefined);
  for (const body of bodies) {
    for (const op of body) {
      if (op.op !== 'load') continue;
      const added = addedConstant(body, op.index);
      const known = found[op.read];
      found[op.read] = known === undefined || known === added ? added : 0;
    }
  }
  const offsets = found.map((offset) => offset ?? 0);
  if (offsets.every((offset) => offset === 0)) return { bodies: [...bodies], offsets };
  const rewritten = bodies.map((body) =>
    body.map((op): Op => {
      if (op.op !== 'load' || offsets[op.read] === 0) return op;
      const index = body[op.index]!;
      return { ...op, index: ('args' in index ? index.args[0] : op.index)! };
    }),
  );
  return { bodies: rewritten, offsets };
}

/** The positive constant that an index adds last, or 0. */
function addedConstant(body: Body, position: number): number {
  const index = body[position]!;
  if (index.op !== 'add') return 0;
  const constant = body[index.args[1]!]!;
  return constant.op === 'const' && constant.value > 0 ? constant.value : 0;
}

/** The operations that the last one needs, in order, and where the given positions went (-1: dropped). */
export function prune(body: Body, keep: readonly Value[] = []): { body: Body; positions: number[] } {
  return select(body, body.length - 1, keep);
}

function select(ops: Body, result: Value, keep: readonly Value[]): { body: Body; positions: number[] } {
  const needed = new Uint8Array(ops.length);
  needed[result] = 1;
  for (let at = result; at >= 0; at--) {
    if (needed[at] === 1) for (const operand of operandsOf(ops[at]!)) needed[operand] = 1;
  }
  const moved = new Int32Array(ops.length).fill(-1);
  const body: Op[] = [];
  ops.forEach((op, at) => {
    if (needed[at] === 1) moved[at] = body.push(renumber(op, moved)) - 1;
  });
  return { body, positions: keep.map((position) => moved[position]!) };
}

export function operandsOf(op: Op): readonly number[] {
  if (op.op === 'load') return [op.index];
  return 'args' in op ? op.args : [];
}

function renumber(op: Op, moved: Int32Array): Op {
  if (op.op === 'load') return { ...op, index: moved[op.index]! };
  return 'args' in op ? { ...op, args: op.args.map((arg) => moved[arg]!) } : op;
}

/** One operation as text; equal text is equal meaning. */
export function keyOf(op: Op): string {
  switch (op.op) {
    case 'const':
      return `${op.dtype}#${Object.is(op.value, -0) ? '-0' : op.value}`;
    case 'scalar':
      return `${op.dtype}$${op.slot}`;
    case 'axis':
      return `@${op.axis}`;
    case 'load':
      return `${op.dtype}[${op.read}:${op.index}]`;
    case 'accumulator':
      return 'acc';
    default:
      return `${op.dtype} ${op.op}(${op.args.join()})`;
  }
}
