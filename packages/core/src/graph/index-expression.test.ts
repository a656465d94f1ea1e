/** Every rewrite of index arithmetic, checked by evaluating the simplified and the plain expression at every point. */
import { describe, expect, test } from 'vitest';
import { randomValue } from '../random-value.ts';
import { type Index, IndexSpace } from './index-expression.ts';

type Point = readonly number[];

/** An expression as it was asked for, beside what the space made of it. */
interface Pair {
  readonly index: Index;
  readonly plain: (point: Point) => number;
  readonly words: string;
}

const floorDiv = (a: number, n: number): number => Math.floor(a / n);
const floorMod = (a: number, n: number): number => a - n * Math.floor(a / n);

/** The value of a form by its definition. Computed atoms are the point's coordinates behind the axes. */
function evaluate(index: Index, point: Point): number {
  let sum = index.constant;
  index.atoms.forEach((atom, i) => {
    let value: number;
    switch (atom.kind) {
      case 'axis':
      case 'computed':
        value = point[atom.source] as number;
        break;
      case 'floorDiv':
        value = floorDiv(evaluate(atom.of as Index, point), atom.by);
        break;
      case 'floorMod':
        value = floorMod(evaluate(atom.of as Index, point), atom.by);
        break;
      case 'clamp':
        value = Math.min(Math.max(evaluate(atom.of as Index, point), atom.source), atom.by);
        break;
    }
    sum += (index.factors[i] as number) * value;
  });
  return sum;
}

function* points(extents: readonly number[]): Generator<Point> {
  const point = extents.map(() => 0);
  for (;;) {
    yield point;
    let axis = extents.length - 1;
    while (axis >= 0 && ++(point[axis] as number) === extents[axis]) point[axis--] = 0;
    if (axis < 0) return;
  }
}

function expectSame(pairs: readonly Pair[], extents: readonly number[], label: string): void {
  for (const point of points(extents)) {
    for (const { index, plain, words } of pairs) {
      const right = plain(point);
      if (evaluate(index, point) !== right || right < index.min || right > index.max) {
        expect.fail(
          `${label}: ${words} at [${point}]: ${evaluate(index, point)} in [${index.min}, ${index.max}], ${right} is right`,
        );
      }
    }
  }
}

class ExpressionGenerator {
  private draws = 0;
  private readonly seed: number;
  readonly space = new IndexSpace();
  readonly extents: readonly number[];

  constructor(seed: number) {
    this.seed = seed;
    const extents: number[] = [];
    const rank = 1 + this.below(4);
    for (let axis = 0, room = 4096; axis < rank; axis++) {
      const extent = 1 + this.below(Math.min(room, this.pick([2, 4, 7, 12, 32])));
      extents.push(extent);
      room = Math.floor(room / extent);
    }
    this.extents = extents;
  }

  below(count: number): number {
    return Math.floor(randomValue(this.seed, 0x1dea, this.draws++) * count);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  leaf(): Pair {
    const axis = this.below(this.extents.length);
    const extent = this.extents[axis] as number;
    const plain = (point: Point): number => point[axis] as number;
    // a computed value is known by its range alone; here it is a coordinate as well
    if (this.below(5) === 0)
      return { index: this.space.computed(axis, 0, extent - 1), plain, words: `computed${axis}` };
    if (this.below(6) === 0) {
      const constant = this.below(40) - 20;
      return { index: this.space.constant(constant), plain: () => constant, words: `${constant}` };
    }
    return { index: this.space.axis(axis, extent), plain, words: `axis${axis}` };
  }

  expression(depth: number): Pair {
    if (depth === 0) return this.leaf();
    const a = this.expression(depth - 1);
    const n = this.pick([1, 2, 3, 4, 5, 6, 8, 12, 24]);
    const { space } = this;
    switch (this.below(8)) {
      case 0:
      case 1: {
        const b = this.expression(this.below(depth));
        return {
          index: space.add(a.index, b.index),
          plain: (p) => a.plain(p) + b.plain(p),
          words: `(${a.words} + ${b.words})`,
        };
      }
      case 2: {
        const factor = this.pick([-3, -1, 0, 1, 2, 4, 6, 12]);
        return {
          index: space.scale(a.index, factor),
          plain: (p) => a.plain(p) * factor,
          words: `${factor} ${a.words}`,
        };
      }
      case 3: {
        const by = this.below(30) - 15;
        return { index: space.shift(a.index, by), plain: (p) => a.plain(p) + by, words: `(${a.words} + ${by})` };
      }
      case 7: {
        // quotient and remainder of one expression, with factors that do or do not put it together again
        const factor = this.pick([1, 1, -1, 2]);
        const other = this.pick([factor * n, factor * n, factor * n + 1, 1]);
        return {
          index: space.add(
            space.scale(space.floorMod(a.index, n), factor),
            space.scale(space.floorDiv(a.index, n), other),
          ),
          plain: (p) => factor * floorMod(a.plain(p), n) + other * floorDiv(a.plain(p), n),
          words: `(${factor} (${a.words} mod ${n}) + ${other} floor(${a.words} / ${n}))`,
        };
      }
      case 4:
        return {
          index: space.floorDiv(a.index, n),
          plain: (p) => floorDiv(a.plain(p), n),
          words: `floor(${a.words} / ${n})`,
        };
      case 5:
        return {
          index: space.floorMod(a.index, n),
          plain: (p) => floorMod(a.plain(p), n),
          words: `(${a.words} mod ${n})`,
        };
      default: {
        const low = this.below(20) - 10;
        const high = low + this.below(20);
        const clamp = (p: Point): number => Math.min(Math.max(a.plain(p), low), high);
        return { index: space.clamp(a.index, low, high), plain: clamp, words: `clamp(${a.words}, ${low}, ${high})` };
      }
    }
  }

  /** What reshapes do: a flat index taken apart by another shape. */
  reshape(): Pair[] {
    const flat = this.space.flatten(
      this.extents.map((extent, axis) => this.space.axis(axis, extent)),
      this.extents,
    );
    const size = this.extents.reduce((product, extent) => product * extent, 1);
    const shape: number[] = [];
    let rest = size;
    for (const prime of [2, 2, 3, 5, 7, 2])
      if (rest % prime === 0 && this.below(3) > 0) rest /= shape[shape.push(prime) - 1] as number;
    shape.splice(this.below(shape.length + 1), 0, rest);
    const plainFlat = (point: Point): number =>
      this.extents.reduce((sum, extent, axis) => sum * extent + (point[axis] as number), 0);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1));
    return [
      { index: flat, plain: plainFlat, words: 'flat' },
      ...this.space.unflatten(flat, shape).map((index, axis) => ({
        index,
        plain: (point: Point) => floorDiv(plainFlat(point), strides[axis] as number) % (shape[axis] as number),
        words: `axis ${axis} of [${shape}] from [${this.extents}]`,
      })),
      {
        index: this.space.flatten(this.space.unflatten(flat, shape), shape),
        plain: plainFlat,
        words: `to [${shape}] and back`,
      },
    ];
  }
}

describe('simplified index expressions have the values and bounds of the plain ones', () => {
  test.each(Array.from({ length: 20 }, (_, k) => k))('random expressions, seeds %i * 25 to + 24', (k) => {
    for (let seed = 25 * k; seed < 25 * (k + 1); seed++) {
      const generator = new ExpressionGenerator(seed);
      const pairs = Array.from({ length: 6 }, () => generator.expression(1 + generator.below(5)));
      expectSame(pairs, generator.extents, `seed ${seed}`);
    }
  });

  test('random reshapes', () => {
    for (let seed = 0; seed < 200; seed++) {
      const generator = new ExpressionGenerator(seed);
      expectSame(generator.reshape(), generator.extents, `seed ${seed}`);
    }
  });
});

describe('simplified index expressions are simple', () => {
  const space = new IndexSpace();
  const [i, j, k] = [space.axis(0, 6), space.axis(1, 4), space.axis(2, 10)] as const;

  test('equal expressions are one object', () => {
    expect(space.add(space.scale(i, 4), j)).toBe(space.add(j, space.scale(i, 4)));
    expect(space.shift(space.shift(i, 3), -3)).toBe(i);
  });

  test('an axis of one step is 0', () => {
    expect(space.axis(5, 1)).toBe(space.zero);
  });

  test('a reshape there and back is nothing', () => {
    const flat = space.flatten([i, j], [6, 4]);
    expect(space.unflatten(flat, [6, 4])).toEqual([i, j]);
    expect(space.flatten(space.unflatten(flat, [3, 8]), [3, 8])).toBe(flat);
    expect(space.flatten(space.unflatten(flat, [5, 2, 24]), [5, 2, 24])).toBe(flat);
  });

  test('a reshape that joins or splits whole axes has no division left', () => {
    const flat = space.flatten([i, j, k], [6, 4, 10]);
    for (const part of space.unflatten(flat, [24, 10]))
      expect(part.atoms.every(({ kind }) => kind === 'axis')).toBe(true);
    for (const part of space.unflatten(flat, [6, 40]))
      expect(part.atoms.every(({ kind }) => kind === 'axis')).toBe(true);
  });

  test.each<[string, Index, Index]>([
    ['multiples leave a division', space.floorDiv(space.add(space.scale(i, 12), j), 4), space.scale(i, 3)],
    ['multiples leave a remainder', space.floorMod(space.add(space.scale(i, 12), j), 4), j],
    ['common factors of a division cancel', space.floorDiv(space.scale(k, 4), 8), space.floorDiv(k, 2)],
    [
      'common factors of a remainder move out',
      space.floorMod(space.scale(k, 4), 8),
      space.scale(space.floorMod(k, 2), 4),
    ],
    ['divisions in a row are one', space.floorDiv(space.floorDiv(k, 2), 3), space.floorDiv(k, 6)],
    ['a remainder of a remainder', space.floorMod(space.floorMod(k, 6), 3), space.floorMod(k, 3)],
    ['quotient and remainder are the whole', space.add(space.scale(space.floorDiv(k, 3), 3), space.floorMod(k, 3)), k],
    ['a clamp that the bounds prove', space.clamp(i, -1, 7), i],
    ['a clamp that is always at its end', space.clamp(space.shift(i, 20), 0, 9), space.constant(9)],
    ['a division that is always 0', space.floorDiv(j, 4), space.zero],
    ['a remainder of a shifted range', space.floorMod(space.shift(j, 8), 4), j],
    ['a sum that cancels', space.add(i, space.scale(i, -1)), space.zero],
  ])('%s', (_, found, right) => {
    expect(found).toBe(right);
  });
});
