/**
 * Grows random graphs of operations on numbers that leave no rounding: floats are small multiples of 1/8, and every
 * value's magnitude and bits behind the point are tracked, so that sums in any order are exact in float32. All choices
 * follow from the seed. Past 400 lines because each operation stands beside what it does to sizes and bits.
 */
import { concat, conv2d, oneHot, randomValue, where } from '@nn/core';
import type { GraphDType, GraphLeaf, GraphStep, RandomGraph } from './random-graphs.ts';

/** What is known of a value while the graph grows. */
interface Known {
  readonly position: number;
  readonly dtype: GraphDType;
  readonly shape: readonly number[];
  /** The greatest magnitude, and the bits behind the point. */
  readonly size: number;
  readonly bits: number;
}

type Result = Omit<Known, 'position'>;

const largestTensor = 400;

export class GraphGenerator {
  readonly #seed: number;
  #draws = 0;
  readonly #values: (GraphLeaf | GraphStep)[] = [];
  readonly #known: Known[] = [];
  readonly #used = new Set<number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  run(length: number): RandomGraph {
    const leaves = 2 + this.#below(2);
    for (let leaf = 0; leaf < leaves; leaf++) this.#leaf(this.#pick(['float32', 'float32', 'int32', 'bool'] as const));
    for (let tries = 0; this.#values.length < length + leaves && tries < length * 8; tries++) this.#grow();
    const ends = this.#known.map(({ position }) => position).filter((position) => !this.#used.has(position));
    const extra = this.#chance(0.4) ? [this.#below(this.#values.length)] : [];
    const roots = [...new Set([...ends, ...extra])].filter((position) => this.#values[position]!.kind === 'step');
    return { seed: this.#seed, values: this.#values, roots };
  }

  #leaf(dtype: GraphDType, shape = this.#shape()): Known {
    const size = sizeOf(shape);
    const draw = (): number => {
      if (dtype === 'bool') return this.#below(2);
      return dtype === 'int32' ? this.#below(9) - 4 : (this.#below(33) - 16) / 8;
    };
    const numbers = Array.from({ length: size }, draw);
    const data =
      dtype === 'float32'
        ? Float32Array.from(numbers)
        : dtype === 'int32'
          ? Int32Array.from(numbers)
          : Uint8Array.from(numbers);
    this.#values.push({ kind: 'leaf', dtype, shape, data });
    const bound = { float32: 2, int32: 4, bool: 1 }[dtype];
    return this.#know({ dtype, shape, size: bound, bits: dtype === 'float32' ? 3 : 0 });
  }

  #know(result: Result): Known {
    const known = { ...result, position: this.#values.length - 1 };
    this.#known.push(known);
    return known;
  }

  #step(name: string, operands: readonly Known[], apply: GraphStep['apply'], result: Result): Known {
    for (const { position } of operands) this.#used.add(position);
    this.#values.push({ kind: 'step', name, operands: operands.map(({ position }) => position), apply });
    return this.#know(result);
  }

  /** Adds one operation, if the one that was drawn fits. */
  #grow(): Known | undefined {
    // the newest values are the likeliest operands, so that chains grow
    const recent = this.#known.slice(-5);
    const x = this.#chance(0.7) ? this.#pick(recent) : this.#pick(this.#known);
    const kind = this.#below(12);
    if (kind < 4) return this.#pointwise(x);
    if (kind < 6) return this.#reduce(x);
    if (kind < 9) return this.#view(x);
    if (kind < 10) return this.#product(x);
    return this.#index(x);
  }

  #pointwise(x: Known): Known | undefined {
    const partner = this.#partner(x);
    const shape = broadcast(x.shape, partner.shape);
    if (shape === null || sizeOf(shape) > largestTensor) return undefined;
    const both = [x, partner];
    const isFloat = x.dtype === 'float32' || partner.dtype === 'float32';
    const dtype: GraphDType = isFloat ? 'float32' : 'int32';
    const bits = Math.max(x.bits, partner.bits);
    const larger = Math.max(x.size, partner.size);
    const number = (this.#below(17) - 8) / (x.dtype === 'float32' ? 4 : 1);
    const same = { dtype: x.dtype, shape: x.shape, size: x.size, bits: x.bits };
    const arithmetic: Result = x.dtype === 'bool' ? { ...same, dtype: 'int32' as const } : same;
    switch (this.#below(13)) {
      case 0:
        if (!fits(x.size + partner.size, bits)) return undefined;
        return this.#step('add', both, ([a, b]) => a!.add(b!), { dtype, shape, size: x.size + partner.size, bits });
      case 1:
        if (!fits(x.size + partner.size, bits)) return undefined;
        return this.#step('sub', both, ([a, b]) => a!.sub(b!), { dtype, shape, size: x.size + partner.size, bits });
      case 2: {
        const size = x.size * partner.size;
        if (!fits(size, x.bits + partner.bits)) return undefined;
        return this.#step('mul', both, ([a, b]) => a!.mul(b!), { dtype, shape, size, bits: x.bits + partner.bits });
      }
      case 3: {
        const result = {
          dtype: x.dtype === 'bool' && partner.dtype === 'bool' ? ('bool' as const) : dtype,
          shape,
          size: larger,
          bits,
        };
        return this.#chance(0.5)
          ? this.#step('maximum', both, ([a, b]) => a!.maximum(b!), result)
          : this.#step('minimum', both, ([a, b]) => a!.minimum(b!), result);
      }
      case 4:
        return this.#step('less', both, ([a, b]) => a!.less(b!), { dtype: 'bool', shape, size: 1, bits: 0 });
      case 5:
        return this.#step('equal', both, ([a, b]) => a!.equal(b!), { dtype: 'bool', shape, size: 1, bits: 0 });
      case 6: {
        const result = x.dtype === 'bool' && partner.dtype === 'bool' ? ('bool' as const) : dtype;
        const condition = this.#pick(this.#known);
        const whole = broadcast(shape, condition.shape);
        if (whole === null || sizeOf(whole) > largestTensor) return undefined;
        const choose: GraphStep['apply'] = ([c, a, b]) => where(c!, a!, b!);
        return this.#step('where', [condition, ...both], choose, { dtype: result, shape: whole, size: larger, bits });
      }
      case 7:
        if (x.dtype !== 'float32') return undefined;
        return this.#step('relu', [x], ([a]) => a!.relu(), same);
      case 8:
        if (x.dtype !== 'float32') return undefined;
        return this.#step('floor', [x], ([a]) => a!.floor(), { ...same, size: x.size + 1, bits: 0 });
      case 9:
        return this.#step('abs', [x], ([a]) => a!.abs(), arithmetic);
      case 10:
        if (!fits(x.size * 2, x.bits + 2)) return undefined;
        return this.#step(`mul by ${number}`, [x], ([a]) => a!.mul(number), {
          ...arithmetic,
          size: x.size * 8,
          bits: x.bits + 2,
        });
      case 11:
        if (!fits(x.size + 8, Math.max(x.bits, 2))) return undefined;
        return this.#step(`add ${number}`, [x], ([a]) => a!.add(number), {
          ...arithmetic,
          size: x.size + 8,
          bits: Math.max(x.bits, x.dtype === 'float32' ? 2 : 0),
        });
      default: {
        const to = this.#pick(['float32', 'int32', 'bool'] as const);
        const bound = to === 'bool' ? 1 : x.size;
        return this.#step(`cast to ${to}`, [x], ([a]) => a!.cast(to), {
          dtype: to,
          shape: x.shape,
          size: bound,
          bits: to === 'float32' ? x.bits : 0,
        });
      }
    }
  }

  #reduce(x: Known): Known | undefined {
    if (x.shape.length === 0) return undefined;
    const axis = this.#below(x.shape.length);
    const all = this.#chance(0.25);
    const axes = all ? x.shape.map((_, a) => a) : [axis];
    const keepAxes = this.#chance(0.4);
    const count = axes.reduce((product, a) => product * x.shape[a]!, 1);
    const shape = keepAxes
      ? x.shape.map((n, a) => (axes.includes(a) ? 1 : n))
      : x.shape.filter((_, a) => !axes.includes(a));
    const words = `(axes ${axes.join(', ')}${keepAxes ? ', kept' : ''})`;
    const number = x.dtype === 'bool' ? 'int32' : x.dtype;
    const one = x.shape.map((n, a) => (a === axis ? 1 : n));
    switch (this.#below(7)) {
      case 0:
      case 1:
        if (!fits(x.size * count, x.bits)) return undefined;
        return this.#step(`sum${words}`, [x], ([a]) => a!.sum(axes, { keepAxes }), {
          dtype: number,
          shape,
          size: x.size * count,
          bits: x.bits,
        });
      case 2:
        return this.#step(`max${words}`, [x], ([a]) => a!.max(axes, { keepAxes }), { ...x, shape });
      case 3:
        return this.#step(`min${words}`, [x], ([a]) => a!.min(axes, { keepAxes }), { ...x, shape });
      case 4: {
        const result = {
          dtype: 'int32' as const,
          shape: x.shape.filter((_, a) => a !== axis),
          size: x.shape[axis]!,
          bits: 0,
        };
        return this.#step(`argMax(axis ${axis})`, [x], ([a]) => a!.argMax(axis), result);
      }
      case 5:
        if (!fits(x.size * x.shape[axis]!, x.bits)) return undefined;
        return this.#step(`cumsum(axis ${axis})`, [x], ([a]) => a!.cumsum(axis), {
          dtype: number,
          shape: x.shape,
          size: x.size * x.shape[axis]!,
          bits: x.bits,
        });
      default:
        if (x.dtype === 'bool' || !fits(x.size * 2, x.bits)) return undefined;
        // every element less the largest of its row: a reduction and its input in one
        if (one.length === 0) return undefined;
        return this.#step(`x - max(axis ${axis})`, [x], ([a]) => a!.sub(a!.max(axis, { keepAxes: true })), {
          ...x,
          size: x.size * 2,
        });
    }
  }

  #view(x: Known): Known | undefined {
    const rank = x.shape.length;
    const axis = rank === 0 ? 0 : this.#below(rank);
    const length = x.shape[axis] ?? 1;
    switch (this.#below(9)) {
      case 0: {
        const order = x.shape.map((_, a) => a);
        for (let i = rank - 1; i > 0; i--) {
          const k = this.#below(i + 1);
          [order[i], order[k]] = [order[k]!, order[i]!];
        }
        return this.#step(`permute(${order})`, [x], ([a]) => a!.permute(order), {
          ...x,
          shape: order.map((a) => x.shape[a]!),
        });
      }
      case 1: {
        const shape = this.#factors(sizeOf(x.shape));
        return this.#step(`reshape(${shape})`, [x], ([a]) => a!.reshape(shape), { ...x, shape });
      }
      case 2:
        if (rank === 0) return undefined;
        return this.#step(`flip(${axis})`, [x], ([a]) => a!.flip(axis), x);
      case 3: {
        if (rank === 0) return undefined;
        const amounts = x.shape.map((): [number, number] =>
          this.#chance(0.5) ? [this.#below(3), this.#below(3)] : [0, 0],
        );
        const shape = x.shape.map((n, a) => n + amounts[a]![0] + amounts[a]![1]);
        if (sizeOf(shape) > largestTensor) return undefined;
        return this.#step(`pad(${JSON.stringify(amounts)})`, [x], ([a]) => a!.pad(amounts), { ...x, shape });
      }
      case 4: {
        const step = this.#pick([1, 1, 2, -1]);
        const low = this.#below(length);
        const high = low + 1 + this.#below(length - low);
        if (rank === 0) return undefined;
        const range = step > 0 ? [low, high, step] : [high - 1, low === 0 ? null : low - 1, -1];
        const count = step === 2 ? Math.ceil((high - low) / 2) : high - low;
        const items = x.shape.map((_, a): (number | null)[] => (a === axis ? range : [null]));
        const shape = x.shape.map((n, a) => (a === axis ? count : n));
        return this.#step(`at(axis ${axis}: ${JSON.stringify(range)})`, [x], ([a]) => a!.at(...items), { ...x, shape });
      }
      case 5: {
        const shape = [1 + this.#below(3), ...x.shape.map((n) => (n === 1 ? 1 + this.#below(3) : n))];
        if (sizeOf(shape) > largestTensor) return undefined;
        return this.#step(`expand(${shape})`, [x], ([a]) => a!.expand(shape), { ...x, shape });
      }
      case 6:
        return this.#step(`unsqueeze(${axis})`, [x], ([a]) => a!.unsqueeze(axis), {
          ...x,
          shape: [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)],
        });
      case 7: {
        if (rank < 2) return undefined;
        return this.#step('transpose', [x], ([a]) => a!.transpose(), {
          ...x,
          shape: [...x.shape.slice(0, -2), x.shape.at(-1)!, x.shape.at(-2)!],
        });
      }
      default: {
        if (rank === 0) return undefined;
        const partner = this.#known.find(
          ({ shape, dtype, position }) =>
            position !== x.position &&
            dtype === x.dtype &&
            shape.length === rank &&
            shape.every((n, a) => a === axis || n === x.shape[a]),
        );
        const other = partner ?? x;
        const shape = x.shape.map((n, a) => (a === axis ? n + other.shape[axis]! : n));
        if (sizeOf(shape) > largestTensor) return undefined;
        return this.#step(`concat(axis ${axis})`, [x, other], (pieces) => concat(pieces, axis), {
          ...x,
          shape,
          size: Math.max(x.size, other.size),
          bits: Math.max(x.bits, other.bits),
        });
      }
    }
  }

  #product(x: Known): Known | undefined {
    if (x.dtype === 'bool' || x.shape.length === 0) return undefined;
    const inner = x.shape.at(-1)!;
    if (x.shape.length === 4 && x.dtype === 'float32' && this.#chance(0.6)) {
      const [, channels, height, width] = x.shape as [number, number, number, number];
      const weight = this.#leaf('float32', [
        1 + this.#below(2),
        channels,
        1 + this.#below(Math.min(3, height)),
        1 + this.#below(Math.min(3, width)),
      ]);
      const count = sizeOf(weight.shape.slice(1));
      const bits = x.bits + weight.bits;
      if (!fits(x.size * weight.size * count, bits)) return undefined;
      const shape = [x.shape[0]!, weight.shape[0]!, height - weight.shape[2]! + 1, width - weight.shape[3]! + 1];
      return this.#step('conv2d', [x, weight], ([a, b]) => conv2d(a!, b!), {
        dtype: 'float32',
        shape,
        size: x.size * weight.size * count,
        bits,
      });
    }
    const matching = this.#known.find(
      ({ shape, dtype }) => dtype === x.dtype && shape.length === 2 && shape[0] === inner,
    );
    const right = matching ?? this.#leaf(x.dtype, [inner, 1 + this.#below(4)]);
    const size = x.size * right.size * inner;
    const shape = [...x.shape.slice(0, -1), right.shape[1]!];
    if (!fits(size, x.bits + right.bits) || sizeOf(shape) > largestTensor) return undefined;
    return this.#step('matmul', [x, right], ([a, b]) => a!.matmul(b!), {
      dtype: x.dtype,
      shape,
      size,
      bits: x.bits + right.bits,
    });
  }

  #index(x: Known): Known | undefined {
    if (x.shape.length === 0) return undefined;
    const axis = this.#below(x.shape.length);
    const length = x.shape[axis]!;
    const indices =
      this.#known.find(({ dtype, shape }) => dtype === 'int32' && shape.length <= 1) ??
      this.#leaf('int32', [1 + this.#below(4)]);
    switch (this.#below(6)) {
      case 0: {
        const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
        if (sizeOf(shape) > largestTensor) return undefined;
        // computed, since those outside are refused where they are known
        return this.#step(`gather(axis ${axis})`, [x, indices], ([a, i]) => a!.gather(i!.add(0), axis), {
          ...x,
          shape,
        });
      }
      case 1: {
        if (indices.shape.length !== 1 || x.dtype === 'bool') return undefined;
        const count = indices.shape[0]!;
        const updates = this.#leaf(
          x.dtype,
          x.shape.map((n, a) => (a === axis ? count : n)),
        );
        const size = x.size + updates.size * count;
        const bits = Math.max(x.bits, updates.bits);
        if (!fits(size, bits)) return undefined;
        const add: GraphStep['apply'] = ([a, i, u]) => a!.scatterAdd(i!, u!, axis);
        return this.#step(`scatterAdd(axis ${axis})`, [x, indices, updates], add, { ...x, size, bits });
      }
      case 2: {
        const box = this.#leaf(
          x.dtype,
          x.shape.map((n) => 1 + this.#below(n)),
        );
        const starts = x.shape.map((n, a) => this.#below(n - box.shape[a]! + 1));
        const set: GraphStep['apply'] = ([a, b]) => a!.update(starts, b!);
        return this.#step(`update(${starts})`, [x, box], set, {
          ...x,
          size: Math.max(x.size, box.size),
          bits: Math.max(x.bits, box.bits),
        });
      }
      case 3:
        return this.#step(`sort(axis ${axis})`, [x], ([a]) => a!.sort(axis).values, x);
      case 4:
        return this.#step(`argSort(axis ${axis})`, [x], ([a]) => a!.argSort(axis), {
          dtype: 'int32',
          shape: x.shape,
          size: length,
          bits: 0,
        });
      default:
        if (x.dtype !== 'int32' || sizeOf(x.shape) * 3 > largestTensor) return undefined;
        return this.#step('oneHot(3)', [x], ([a]) => oneHot(a!, 3), {
          dtype: 'float32',
          shape: [...x.shape, 3],
          size: 1,
          bits: 0,
        });
    }
  }

  /** Another value that broadcasts with x, or a new leaf. */
  #partner(x: Known): Known {
    const fitting = this.#known.filter(({ shape }) => broadcast(x.shape, shape) !== null);
    if (fitting.length > 0 && this.#chance(0.75)) return this.#pick(fitting);
    return this.#leaf(
      x.dtype === 'bool' ? 'int32' : x.dtype,
      x.shape.map((n) => (this.#chance(0.3) ? 1 : n)),
    );
  }

  #shape(): number[] {
    return Array.from({ length: this.#below(5) }, () => 1 + this.#below(4));
  }

  /** A random shape of `size` elements. */
  #factors(size: number): number[] {
    const shape: number[] = [];
    let rest = size;
    for (const prime of [2, 3, 5, 7]) {
      while (rest % prime === 0 && this.#chance(0.7)) {
        rest /= prime;
        if (shape.length > 0 && this.#chance(0.5)) shape[this.#below(shape.length)]! *= prime;
        else shape.push(prime);
      }
    }
    shape.splice(this.#below(shape.length + 1), 0, rest);
    return shape;
  }

  #below(count: number): number {
    return Math.floor(randomValue(this.#seed, 0x67a9, this.#draws++) * count);
  }

  #chance(probability: number): boolean {
    return randomValue(this.#seed, 0x67a9, this.#draws++) < probability;
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!;
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function broadcast(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 1; axis <= rank; axis++) {
    const [left, right] = [a.at(-axis) ?? 1, b.at(-axis) ?? 1];
    const [m, n] = [axis > a.length ? 1 : left, axis > b.length ? 1 : right];
    if (m !== n && m !== 1 && n !== 1) return null;
    shape.unshift(Math.max(m, n));
  }
  return shape;
}

/** Whether numbers up to `size` with so many bits behind the point are exact in float32. */
function fits(size: number, bits: number): boolean {
  return Math.log2(Math.max(size, 1)) + bits <= 22;
}
