/**
 * Owns: the text of each scalar operation, from the texts of its arguments.
 * Does not own: where it is printed and how wide its arguments are (`printer.ts`).
 */
import type { Alu, Body, DType } from '@nn/core';
import type { Forms } from '../nest/affine.ts';
import { isHalf } from '../nest/halves.ts';
import { type Language, quotient, remainder, type Scalar, type Width } from './language.ts';

/** What surrounds an operation. */
export interface Surroundings {
  readonly language: Language;
  readonly body: Body;
  readonly forms: Forms;
  /** Gives a text a name, so that it can be used twice. */
  readonly name: (text: string) => string;
}

/** The text of `op` for arguments of one width; null where it is its first argument. */
export function arithmetic(
  op: Alu,
  dtype: DType,
  args: readonly number[],
  texts: readonly string[],
  width: Width,
  { language, body, forms, name }: Surroundings,
): string | null {
  const [a, b, c] = texts as [string, string, string];
  const dtypes = args.map((arg) => body[arg]!.dtype);
  const isFloat = dtypes[0] === 'float32' || isHalf(dtypes[0]!);
  const call = (named: string, ...inputs: readonly string[]): string => `nn_${named}${width}(${inputs.join(', ')})`;
  const type = (scalar: Scalar): string => language.type(scalar, width);
  switch (op) {
    case 'add':
    case 'sub': {
      if (dtype === 'bool') return op === 'add' ? `${a} | ${b}` : `${a} ^ ${b}`;
      const [left, right] = args.map((arg, at) => {
        const text = at === 0 ? a : b;
        return isFloat && cancels(body, arg, args[1 - at]!) ? call('keep', text) : text;
      });
      return `${left} ${op === 'add' ? '+' : '-'} ${right}`;
    }
    case 'mul': {
      if (dtype === 'bool') return `${a} & ${b}`;
      // Compilers take x * 0 for 0, which it is not for NaN and infinities.
      const factor = (arg: number, text: string): string => (isFloat && isZero(body, arg) ? call('zero') : text);
      return `${factor(args[0]!, a)} * ${factor(args[1]!, b)}`;
    }
    case 'div':
      return isFloat ? `${a} / ${b}` : call('divI', a, b);
    case 'mod':
    case 'floorMod':
    case 'floorDiv': {
      if (isFloat) return call(op, a, b);
      const [left, right] = args as readonly [number, number];
      const isPlain = dtypes[0] === 'int32' && forms.range(left).min >= 0 && forms.range(right).min > 0;
      const by = body[right]!;
      if (isPlain && by.op === 'const') {
        const cut = op === 'floorDiv' ? quotient : remainder;
        const named = name(a);
        return cut(language, width, named, forms.range(left).max, by.value);
      }
      return call(`${op}I`, a, b);
    }
    case 'max':
    case 'min': {
      if (!isFloat) return `${op}(${a}, ${b})`;
      const [left, right] = args.map((arg) => body[arg]);
      // With a constant on one side the comparison alone keeps NaN.
      const keep = (x: string, bound: string): string =>
        call('select', op === 'max' ? call('less', x, bound) : call('less', bound, x), bound, x);
      if (right?.op === 'const' && !Number.isNaN(right.value)) return keep(a, b);
      if (left?.op === 'const' && !Number.isNaN(left.value)) return keep(b, a);
      return call(op, a, b);
    }
    case 'floor':
      return isFloat ? `floor(${a})` : a;
    case 'exp':
    case 'log':
    case 'sqrt':
    case 'sin':
    case 'cos':
    case 'tanh':
    case 'erf':
      return call(op, a);
    case 'pow':
      return call(isFloat ? op : 'powI', a, b);
    case 'cast': {
      if (isHalf(dtype)) return dtypes[0] === dtype ? null : call(dtype, isFloat ? a : `${type('F')}(${a})`);
      if (dtype === 'float32') return isFloat ? null : `${type('F')}(${a})`;
      if (dtype === 'bool') {
        if (dtypes[0] === 'bool') return null;
        return `${type('I')}(1) - ${isFloat ? call('equal', a, `${type('F')}(0.0)`) : call('equalI', a, `${type('I')}(0)`)}`;
      }
      return isFloat ? call('truncate', a) : null;
    }
    case 'less':
      return call(isFloat ? 'less' : 'lessI', a, b);
    case 'equal':
      return call(isFloat ? 'equal' : 'equalI', a, b);
    case 'and':
      return `${a} & ${b}`;
    case 'or':
      return `${a} | ${b}`;
    case 'xor':
      return `${a} ^ ${b}`;
    case 'shl':
      return `${a} << ${type('U')}(${b} & ${type('I')}(31))`;
    case 'shr':
      return `${a} >> ${type('U')}(${b} & ${type('I')}(31))`;
    case 'where':
      return call(dtype === 'float32' ? 'select' : 'selectI', a, b, c);
    case 'random':
      return call('random', a, b, c);
  }
}

/**
 * Whether a compiler that rearranges sums would cancel something between a sum and what is now added to it, as in
 * (1 + x) - 1, whose rounding is wanted.
 */
function cancels(body: Body, sum: number, other: number): boolean {
  const op = body[sum]!;
  if (op.op !== 'add' && op.op !== 'sub') return false;
  const isConst = (position: number): boolean => body[position]?.op === 'const';
  return op.args.includes(other) || (isConst(other) && op.args.some(isConst));
}

function isZero(body: Body, position: number): boolean {
  const op = body[position]!;
  return op.op === 'const' && op.value === 0;
}
