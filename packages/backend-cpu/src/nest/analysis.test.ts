import { BodyBuilder } from '@nn/conformance';
import type { Body } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { analyse } from './analysis.ts';

/** All values of an int32 body without loads, by trying every index. */
function everyValue(body: Body, extents: readonly [number, number]): number[][] {
  const found: number[][] = body.map(() => []);
  for (let i = 0; i < extents[0]; i++) {
    for (let j = 0; j < extents[1]; j++) {
      const values: number[] = [];
      for (const op of body) values.push(evaluate(op, values, [i, j]));
      values.forEach((value, position) => {
        found[position]!.push(value);
      });
    }
  }
  return found;
}

function evaluate(op: Body[number], values: readonly number[], index: readonly number[]): number {
  if (op.op === 'const') return op.value;
  if (op.op === 'axis') return index[op.axis]!;
  const [a, b] = ('args' in op ? op.args : []).map((operand) => values[operand]!) as [number, number];
  switch (op.op) {
    case 'add':
      return (a + b) | 0;
    case 'sub':
      return (a - b) | 0;
    case 'mul':
      return Math.imul(a, b);
    case 'max':
    case 'min':
      return Math[op.op](a, b);
    case 'floorDiv':
      return Math.floor(a / b);
    case 'floorMod':
      return a - b * Math.floor(a / b);
    case 'mod':
      return (a % b) + 0;
    default:
      throw new Error(op.op);
  }
}

describe('analyse', () => {
  it('bounds every integer by a range that holds all its values', () => {
    const ops = ['add', 'sub', 'mul', 'max', 'min', 'floorDiv', 'floorMod', 'mod'] as const;
    for (let seed = 1; seed < 400; seed++) {
      let state = seed;
      const below = (count: number): number => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        return (state >> 8) % count;
      };
      const body = new BodyBuilder();
      const values = [body.axis(0), body.axis(1), body.constant(below(9) - 4, 'int32')];
      for (let i = 0; i < 5; i++) {
        const op = ops[below(ops.length)]!;
        const divides = op === 'floorDiv' || op === 'floorMod' || op === 'mod';
        const right = divides ? body.constant(1 + below(5), 'int32') : values[below(values.length)]!;
        values.push(body.alu(op, 'int32', values[below(values.length)]!, right));
      }
      const extents = [1 + below(5), 1 + below(5)] as [number, number];
      const { ranges } = analyse(body.ops, extents, [body.ops.length - 1], 0);
      const wrong = everyValue(body.ops, extents).filter((found, position) => {
        const [low, high] = ranges[position]!;
        return found.some((value) => value < low || value > high);
      });
      expect(wrong, `seed ${seed}`).toEqual([]);
    }
  });

  it('computes no index that is a sum of axes, and pins axes whose index is a value', () => {
    const body = new BodyBuilder();
    const flat = body.index([
      [0, 5],
      [1, 1],
    ]);
    const loaded = body.load(0, flat);
    const second = body.alu('cast', 'float32', body.axis(1));
    const result = body.alu('add', 'float32', loaded, second);
    const { computed, pinned, indices } = analyse(body.ops, [4, 5], [result], 0);
    expect(computed[flat]).toBe(false);
    expect(pinned).toBe(0b10);
    expect(Object.fromEntries(indices.get(loaded)!.strides)).toEqual({ 0: 5, 1: 1 });
  });
});
