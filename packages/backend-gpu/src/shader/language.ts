/**
 * Owns: the words of the two shading languages, GLSL ES 3.00 and WGSL: types, literals, loops, the smallest functions.
 * Does not own: the functions made of them (`numbers.ts`), nor what is printed (`printer.ts`).
 */
import { type Template, templates } from './numbers.ts';

/** What a shader computes in; bool is an integer of 0 or 1. */
export type Scalar = 'F' | 'I' | 'U';
export type Width = 1 | 4;

export interface Language {
  readonly name: 'glsl' | 'wgsl';
  type(scalar: Scalar, width: Width): string;
  /** A name for a value that does not change. */
  constant(scalar: Scalar, width: Width, name: string, value: string): string;
  variable(scalar: Scalar, width: Width, name: string, value: string): string;
  /** The head of a loop over `name` = 0, step, 2 step, ... below `end`. */
  loop(name: string, end: string, step?: number): string;
  float(value: number): string;
  int(value: number): string;
  function(
    scalar: Scalar,
    width: Width,
    name: string,
    parameters: readonly (readonly [Scalar, Width, string])[],
    body: string,
  ): string;
  /** The text of the smallest functions, by name. */
  readonly primitives: ReadonlyMap<string, string>;
}

const widths: readonly Width[] = [1, 4];

function float(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(Math.fround(value));
  return /[.e]/.test(text) ? text.replace(/^(-?\d+)e/, '$1.0e') : `${text}.0`;
}

const int = (value: number): string => (value === -2147483648 ? '(-2147483647 - 1)' : String(value));

const glslTypes = { F: ['float', 'vec4'], I: ['int', 'ivec4'], U: ['uint', 'uvec4'] } as const;
const wgslTypes = { F: ['f32', 'vec4<f32>'], I: ['i32', 'vec4<i32>'], U: ['u32', 'vec4<u32>'] } as const;

export const glsl: Language = {
  name: 'glsl',
  type: (scalar, width) => glslTypes[scalar][width === 1 ? 0 : 1],
  constant: (scalar, width, name, value) => `${glsl.type(scalar, width)} ${name} = ${value};`,
  variable: (scalar, width, name, value) => `${glsl.type(scalar, width)} ${name} = ${value};`,
  loop: (name, end, step = 1) => `for (int ${name} = 0; ${name} < ${end}; ${name} += ${step}) {`,
  float: (value) =>
    Number.isNaN(value)
      ? 'nn_nan1()'
      : Number.isFinite(Math.fround(value))
        ? float(value)
        : value > 0
          ? 'nn_infinity1()'
          : '(-nn_infinity1())',
  int,
  function: (scalar, width, name, parameters, body) =>
    `${glsl.type(scalar, width)} ${name}(${parameters.map(([s, w, n]) => `${glsl.type(s, w)} ${n}`).join(', ')}) {\n${body}\n}`,
  primitives: new Map(
    widths.flatMap((w): [string, string][] => {
      const [F, I] = [glslTypes.F[w === 1 ? 0 : 1], glslTypes.I[w === 1 ? 0 : 1]];
      const compare = (name: string, type: string, operator: string, word: string): [string, string] => [
        `nn_${name}${w}`,
        `${I} nn_${name}${w}(${type} a, ${type} b) { return ${I}(${w === 1 ? `a ${operator} b` : `${word}(a, b)`}); }`,
      ];
      return [
        compare('less', F, '<', 'lessThan'),
        compare('lessEqual', F, '<=', 'lessThanEqual'),
        compare('equal', F, '==', 'equal'),
        compare('lessI', I, '<', 'lessThan'),
        compare('equalI', I, '==', 'equal'),
        // Of bits, as drivers take `a < b ? a : b` for min(a, b), which loses NaN and the sign of zero.
        [
          `nn_select${w}`,
          `${F} nn_select${w}(${I} c, ${F} a, ${F} b) { ${I} x = floatBitsToInt(a); ${I} y = floatBitsToInt(b); return intBitsToFloat(y ^ ((x ^ y) & -c)); }`,
        ],
        [`nn_selectI${w}`, `${I} nn_selectI${w}(${I} c, ${I} a, ${I} b) { return b ^ ((a ^ b) & -c); }`],
        [`nn_bits${w}`, `${I} nn_bits${w}(${F} x) { return floatBitsToInt(x); }`],
        [`nn_float${w}`, `${F} nn_float${w}(${I} x) { return intBitsToFloat(x); }`],
        [`nn_nan${w}`, `${F} nn_nan${w}() { return ${F}(intBitsToFloat(0x7fc00000)); }`],
        [`nn_infinity${w}`, `${F} nn_infinity${w}() { return ${F}(intBitsToFloat(0x7f800000)); }`],
      ];
    }),
  ),
};

export const wgsl: Language = {
  name: 'wgsl',
  type: (scalar, width) => wgslTypes[scalar][width === 1 ? 0 : 1],
  constant: (_scalar, _width, name, value) => `let ${name} = ${value};`,
  variable: (scalar, width, name, value) => `var ${name} : ${wgsl.type(scalar, width)} = ${value};`,
  loop: (name, end, step = 1) => `for (var ${name} : i32 = 0; ${name} < ${end}; ${name} += ${step}) {`,
  float: (value) => glsl.float(value),
  int: (value) => (value === -2147483648 ? 'i32(-2147483648)' : String(value)),
  function: (scalar, width, name, parameters, body) =>
    `fn ${name}(${parameters.map(([s, w, n]) => `${n} : ${wgsl.type(s, w)}`).join(', ')}) -> ${wgsl.type(scalar, width)} {\n${body}\n}`,
  primitives: new Map(
    widths.flatMap((w): [string, string][] => {
      const [F, I] = [wgslTypes.F[w === 1 ? 0 : 1], wgslTypes.I[w === 1 ? 0 : 1]];
      const compare = (name: string, type: string, operator: string): [string, string] => [
        `nn_${name}${w}`,
        `fn nn_${name}${w}(a : ${type}, b : ${type}) -> ${I} { return ${I}(a ${operator} b); }`,
      ];
      const choose = (name: string, type: string): [string, string] => [
        `nn_${name}${w}`,
        `fn nn_${name}${w}(c : ${I}, a : ${type}, b : ${type}) -> ${type} { return select(b, a, c != ${I}(0)); }`,
      ];
      // A constant NaN does not compile, so its bits come out of a variable.
      return [
        compare('less', F, '<'),
        compare('lessEqual', F, '<='),
        compare('equal', F, '=='),
        compare('lessI', I, '<'),
        compare('equalI', I, '=='),
        choose('select', F),
        choose('selectI', I),
        [`nn_bits${w}`, `fn nn_bits${w}(x : ${F}) -> ${I} { return bitcast<${I}>(x); }`],
        [`nn_float${w}`, `fn nn_float${w}(x : ${I}) -> ${F} { return bitcast<${F}>(x); }`],
        [`nn_nan${w}`, `fn nn_nan${w}() -> ${F} { return ${F}(bitcast<f32>(nn_exponent | 0x400000u)); }`],
        [`nn_infinity${w}`, `fn nn_infinity${w}() -> ${F} { return ${F}(bitcast<f32>(nn_exponent)); }`],
      ];
    }),
  ),
};

/** `text / by` for integers 0 <= text <= max. Division of integers is slow on GPUs. */
export function quotient(language: Language, width: Width, text: string, max: number, by: number): string {
  if (by === 1) return text;
  if (max < by) return `${language.type('I', width)}(0)`;
  if (Number.isInteger(Math.log2(by))) return `(${text} >> ${language.type('U', width)}(${Math.log2(by)}u))`;
  if (max < 2 ** 21) return `nn_share${width}(${text}, ${language.type('F', width)}(${language.float(1 / by)}))`;
  return `(${text} / ${language.type('I', width)}(${by}))`;
}

/** The remainder of `quotient`; `text` is a name. */
export function remainder(language: Language, width: Width, text: string, max: number, by: number): string {
  if (max < by) return text;
  if (Number.isInteger(Math.log2(by))) return `(${text} & ${language.type('I', width)}(${by - 1}))`;
  return `(${text} - ${quotient(language, width, text, max, by)} * ${by})`;
}

/** The text of all functions that `text` calls, in an order in which each stands before its use. */
export function library(language: Language, text: string): string {
  const done = new Map<string, string>();
  const include = (source: string): void => {
    for (const [name] of source.matchAll(/\bnn_[A-Za-z0-9]+(?=\()/g)) {
      if (done.has(name)) continue;
      const found = language.primitives.get(name) ?? functions(language).get(name);
      if (found === undefined) continue;
      include(found.slice(found.indexOf('{')));
      done.set(name, found);
    }
  };
  include(text);
  const head = language.name === 'wgsl' ? 'var<private> nn_exponent : u32 = 0x7f800000u;\n' : '';
  return head + [...done.values()].join('\n');
}

const made = new Map<Language, Map<string, string>>();

function functions(language: Language): Map<string, string> {
  let map = made.get(language);
  if (map === undefined) {
    map = new Map(
      widths.flatMap((width) =>
        templates.map((t): [string, string] => [`nn_${t.name}${width}`, render(language, t, width)]),
      ),
    );
    made.set(language, map);
  }
  return map;
}

function render(language: Language, template: Template, width: Width): string {
  const parameters = template.parameters.split(', ').map((one): readonly [Scalar, Width, string] => {
    const [scalar, name] = one.split(' ');
    return [scalar as Scalar, width, name!];
  });
  const body = template.body
    .replace(/^([FIU]) (\w+) = (.*);$/gm, (_, scalar: Scalar, name: string, value: string) =>
      language.variable(scalar, width, name, value),
    )
    .replace(/^repeat (\d+)$/gm, (_, count: string) => language.loop('turn', count))
    .replace(/^end$/gm, '}')
    .replace(/(\w+)#\(/g, `nn_$1${width}(`)
    .replace(/\b([FIU])\(/g, (_, scalar: Scalar) => `${language.type(scalar, width)}(`);
  return language.function(template.result, width, `nn_${template.name}${width}`, parameters, body);
}
