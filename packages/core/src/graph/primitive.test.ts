/** Primitives as anybody may make them: what their rules promise. */
import { reference } from '@nn/conformance';
import { describe, expect, it } from 'vitest';
import { gradients, tensor } from '../index.ts';
import { add, multiply } from '../ops/arithmetic.ts';
import { wrap } from '../tensor.ts';
import { prepare } from '../testing.ts';
import { apply, type Node } from './node.ts';
import { type Binary, definePrimitive, type Inputs, type Primitive, type Types } from './primitive.ts';

prepare(reference());

const asked: string[] = [];
const ask = (name: string, cotangent: () => Node): (() => Node) => {
  return () => {
    asked.push(name);
    return cotangent();
  };
};

/** a^2 b, as one primitive made outside of core. */
const SquareTimes: Primitive<null, Binary> = definePrimitive({
  name: 'squareTimes',
  kind: 'pointwise',
  infer: ([a]) => a,
  // d(a^2 b) = 2 a b da + a^2 db
  gradient: (g, [a, b]) => [
    ask('a', () => multiply(g, multiply(add(a, a), b))),
    ask('b', () => multiply(g, multiply(a, a))),
  ],
  lower: (node, at) => {
    const a = at.input(0, at.index);
    return at.emit('mul', node.dtype, at.emit('mul', node.dtype, a, a), at.input(1, at.index));
  },
});

describe('a primitive', () => {
  it('makes the cotangents that somebody asked for, and no other', async () => {
    const a = tensor([1, 2, 3]);
    const b = tensor([4, 5, 6]);
    const y = wrap(apply(SquareTimes, [a.node, b.node], null));
    expect(await y.array()).toEqual([4, 20, 54]);

    asked.length = 0;
    const [ofB] = gradients(y.sum(), [b]);
    expect(await ofB.array()).toEqual([1, 4, 9]);
    expect(asked).toEqual(['b']);

    asked.length = 0;
    const [ofA] = gradients(y.sum(), [a]);
    expect(await ofA.array()).toEqual([8, 20, 36]);
    expect(asked).toEqual(['a']);

    asked.length = 0;
    gradients(y.sum(), [a, b]);
    expect(asked).toEqual(['a', 'b']);
  });

  it('has as many cotangents as inputs, known to the types', () => {
    const infer = ([a]: Types<Binary>) => a;
    const lower = () => 0;
    // @ts-expect-error: a rule for two inputs gives two cotangents
    definePrimitive<null, Binary>({ name: 'one', kind: 'pointwise', infer, lower, gradient: (g) => [g] });
    // where the number of inputs varies, the rule gives a list
    definePrimitive<null, Inputs>({
      name: 'any',
      kind: 'pointwise',
      infer: () => tensor(0).node,
      lower,
      gradient: (g, x) => x.map(() => g),
    });
  });

  it('says whose rule gave a cotangent of the wrong shape', () => {
    const Wrong: Primitive<null, Binary> = definePrimitive({
      name: 'wrong',
      kind: 'pointwise',
      infer: ([a]) => a,
      gradient: (_, [a]) => [null, () => a],
      lower: (_, at) => at.input(0, at.index),
    });
    const b = tensor(1);
    const y = wrap(apply(Wrong, [tensor([1, 2]).node, b.node], null));
    expect(() => gradients(y.sum(), [b])).toThrow('gradients: the rule of wrong gave [2] for input 1 of the shape [].');
  });
});
