/**
 * Unusual numbers: NaN, infinities, the sign of zero, subnormal, huge and tiny ones, and integers past 2^24. Each kind is
 * a capability, because not every device has them all; each case names the one it needs and the operation.
 */
import { type Backend, type Tensor, where } from '@nn/core';
import type { Capability, ConformanceCase } from '../case.ts';
import { ConformanceError, exactly, expectData } from '../compare.ts';
import { readAll } from '../operation.ts';
import { oracle } from '../oracle.ts';
import { reference } from '../reference.ts';
import { given, type Sample, tensorOf } from '../samples.ts';

type Apply = (...inputs: Tensor[]) => Tensor;

const nan = Number.NaN;
const infinity = Number.POSITIVE_INFINITY;
const plain = [0, 0.5, -0.5, 1.5, -2.5];

const kinds: Readonly<Partial<Record<Capability | 'range', readonly number[]>>> = {
  nan: [nan, ...plain],
  infinity: [infinity, -infinity, ...plain],
  negativeZero: [-0, 0],
  subnormal: [1e-40, -3e-42, 1e-45],
  range: [3e38, -3e38, 1.2e-38, -1.2e-38, 88, -87, 1e-30, 16777217, 1e20],
};

const functions: Readonly<Record<string, Apply>> = {
  neg: (x) => x.neg(),
  abs: (x) => x.abs(),
  sign: (x) => x.sign(),
  round: (x) => x.round(),
  floor: (x) => x.floor(),
  ceil: (x) => x.ceil(),
  trunc: (x) => x.trunc(),
  exp: (x) => x.exp(),
  log: (x) => x.log(),
  log1p: (x) => x.log1p(),
  expm1: (x) => x.expm1(),
  sqrt: (x) => x.sqrt(),
  rsqrt: (x) => x.rsqrt(),
  reciprocal: (x) => x.reciprocal(),
  square: (x) => x.square(),
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  tanh: (x) => x.tanh(),
  erf: (x) => x.erf(),
  sigmoid: (x) => x.sigmoid(),
  relu: (x) => x.relu(),
  softplus: (x) => x.softplus(),
  silu: (x) => x.silu(),
  clamp: (x) => x.clamp(-1, 2),
  cast: (x) => x.cast('int32'),
  truth: (x) => x.cast('bool'),
  reshape: (x) => x.reshape([-1, 1]),
  softmax: (x) => x.unsqueeze(1).expand([x.size, 2]).softmax(),
  logSumExp: (x) => x.unsqueeze(1).expand([x.size, 2]).logSumExp(1),
  sum: (x) => x.unsqueeze(1).expand([x.size, 2]).sum(1),
  max: (x) =>
    x
      .unsqueeze(1)
      .pad([
        [0, 0],
        [1, 2],
      ])
      .max(1),
  min: (x) =>
    x
      .unsqueeze(1)
      .pad([
        [0, 0],
        [2, 1],
      ])
      .min(1),
};

const operators: Readonly<Record<string, Apply>> = {
  add: (a, b) => a.add(b),
  sub: (a, b) => a.sub(b),
  mul: (a, b) => a.mul(b),
  div: (a, b) => a.div(b),
  pow: (a, b) => a.pow(b),
  mod: (a, b) => a.mod(b),
  maximum: (a, b) => a.maximum(b),
  minimum: (a, b) => a.minimum(b),
  less: (a, b) => a.less(b),
  lessEqual: (a, b) => a.lessEqual(b),
  equal: (a, b) => a.equal(b),
  where: (a, b) => where(a.less(b), a, b),
};

/** Where functions of huge numbers are mere chance, or the sign of zero is left open. */
const leftOpen: Readonly<Partial<Record<string, readonly string[]>>> = {
  range: ['sin', 'cos', 'mod'],
  negativeZero: [
    'maximum',
    'minimum',
    'max',
    'min',
    'abs',
    'sign',
    'relu',
    'clamp',
    'round',
    'trunc',
    'expm1',
    'log1p',
    'sum',
    'mod',
  ],
  subnormal: ['mod', 'pow', 'log', 'rsqrt', 'reciprocal', 'div', 'sqrt'],
};

/** Every operation of the tables with every kind of number that it defines. */
export function specialCases(): ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  for (const [kind, values] of Object.entries(kinds)) {
    const isOpen = (name: string): boolean => leftOpen[kind]?.includes(name) === true;
    for (const [name, apply] of Object.entries(functions)) {
      if (!isOpen(name)) cases.push(specialCase(kind, name, [given(values)], apply));
    }
    const partners = [...values, 3, -0.75, 0];
    const left = values.flatMap((value) => partners.map(() => value));
    const right = values.flatMap(() => partners);
    for (const [name, apply] of Object.entries(operators)) {
      if (isOpen(name)) continue;
      cases.push(specialCase(kind, name, [given(left), given(right)], apply));
      cases.push(specialCase(kind, `${name}, exchanged`, [given(right), given(left)], apply));
    }
  }
  return [...cases, ...integerCases()];
}

function specialCase(kind: string, name: string, inputs: readonly Sample[], apply: Apply): ConformanceCase {
  const operation = name.split(',')[0]!;
  return {
    group: 'special numbers',
    name: `${kind} in ${name}`,
    // the infinities of overflow and of 1 / 0 are needed wherever numbers are extreme
    needs: kind === 'range' ? [`infinity/${operation}`] : [`${kind as Capability}/${operation}`],
    run: async ({ backend, options }) => {
      const compute = async (on: Backend): Promise<ArrayLike<number>> => {
        const result = apply(...inputs.map((input, k) => tensorOf(input, k, on)));
        return (await readAll([result]))[0]!.data;
      };
      const expected = await oracle(`${kind} in ${name}`, () => compute(reference({ rounding: 'float32' })));
      const actual = await compute(backend);
      const relative = (options.functionError ?? 1e-5) * (operation === 'pow' ? 10 : 1);
      // numbers below the normal range have few digits
      expectData(actual, expected, { relative, absolute: kind === 'subnormal' ? 3e-45 : 1e-38 }, `${kind} in ${name}`);
      if (kind !== 'negativeZero') return;
      for (let i = 0; i < expected.length; i++) {
        if (expected[i] !== 0 || Object.is(actual[i], expected[i])) continue;
        throw new ConformanceError(`${name}: element ${i} is a zero of the other sign.`);
      }
    },
  };
}

const large = [2 ** 31 - 1, -(2 ** 31), 16777217, 16777216, -16777219, 123456789, -7, 0, 46341];

function integerCases(): ConformanceCase[] {
  const left = large.flatMap((value) => large.map(() => value));
  const right = large.flatMap(() => large);
  const pair = [given(left, [left.length], 'int32'), given(right, [right.length], 'int32')];
  const table: Readonly<Record<string, Apply>> = {
    add: (a, b) => a.add(b),
    sub: (a, b) => a.sub(b),
    mul: (a, b) => a.mul(b),
    mod: (a, b) => a.mod(b),
    floorMod: (a, b) => a.floorMod(b),
    floorDiv: (a, b) => a.floorDiv(b),
    maximum: (a, b) => a.maximum(b),
    less: (a, b) => a.less(b),
    equal: (a, b) => a.equal(b),
    bitwiseAnd: (a, b) => a.bitwiseAnd(b),
    bitwiseOr: (a, b) => a.bitwiseOr(b),
    bitwiseXor: (a, b) => a.bitwiseXor(b),
    shiftLeft: (a, b) => a.shiftLeft(b),
    shiftRight: (a, b) => a.shiftRight(b),
  };
  const cases = Object.entries(table).map(([name, apply]) => integerCase(name, pair, apply));
  const single = [given(large, [large.length], 'int32')];
  cases.push(
    integerCase('sum', single, (x) => x.sum()),
    integerCase('prod', single, (x) => x.add(1).prod()),
    integerCase('max', single, (x) => x.max()),
    integerCase('matmul', single, (x) => x.unsqueeze(1).matmul(x.unsqueeze(0))),
    integerCase('cumsum', single, (x) => x.cumsum(0)),
    integerCase('sort', single, (x) => x.sort(0, { descending: true }).values),
    integerCase('gather', single, (x) => x.gather([1, 0, 3])),
    integerCase('cast', [given([3e9, -3e9, 16777220, 2147483520, -2147483648])], (x) => x.cast('int32')),
  );
  return cases;
}

function integerCase(name: string, inputs: readonly Sample[], apply: Apply): ConformanceCase {
  return {
    group: 'special numbers',
    name: `large integers in ${name}`,
    needs: [`exactInt32/${name}`],
    run: async ({ backend }) => {
      const compute = async (on: Backend): Promise<ArrayLike<number>> =>
        (await readAll([apply(...inputs.map((input, k) => tensorOf(input, k, on)))]))[0]!.data;
      const expected = await oracle(`large integers in ${name}`, () => compute(reference()));
      expectData(await compute(backend), expected, exactly, name);
    },
  };
}
