/**
 * Random numbers from one seed. Every draw has a number, and every element hashes (seed, draw, position), so the same
 * program gives the same numbers on every device, in any order of evaluation, and again after a checkpoint. There is one
 * shared stream, and as many more as there are generators (docs/decisions/0017-random-generators.md).
 */
import type { Shape } from './backend.ts';
import { checkOptions, FormatError, ValueError } from './errors.ts';
import { constant, type Node } from './graph/node.ts';
import { lift, recordAdvance } from './graph/recorder.ts';
import { add, minimum, multiply, subtract } from './ops/arithmetic.ts';
import { less } from './ops/compare.ts';
import { cast, cos, floor, log, sqrt } from './ops/functions.ts';
import { random } from './ops/sources.ts';
import { randomValue } from './random-value.ts';
import { checkRoom, checkSynchronous } from './settings.ts';
import { checkShape } from './shape.ts';
import { type Tensor, wrap } from './tensor.ts';
import type { Stateful } from './tree.ts';

export interface RandomState {
  readonly seed: number;
  /** How many draws were made. */
  readonly counter: number;
}

const isWord = (value: unknown): value is number => typeof value === 'number' && (value | 0) === value;

/**
 * A stream of random numbers of its own, for a model or a training that must not depend on what else draws: `withRandom`
 * draws from it. As a field of a model it is saved and restored by checkpoints.
 *
 * @example
 * import { RandomGenerator, uniform, withRandom } from '@nn/core';
 * const [a, b] = [new RandomGenerator(7), new RandomGenerator(7)];
 * const x = withRandom(a, () => uniform([2]));
 * uniform([2]); // another stream
 * const y = withRandom(b, () => uniform([2]));
 * console.log((await x.sub(y).array())); // => [0, 0]
 */
export class RandomGenerator implements Stateful {
  static readonly name: string = 'RandomGenerator';

  #seed: number;
  #counter = 0;

  /** Throws ValueError unless the seed is a whole number. */
  constructor(seed = 0) {
    this.#seed = checkedSeed('RandomGenerator', seed);
  }

  get seed(): number {
    return this.#seed;
  }

  /** How many draws were made. */
  get counter(): number {
    return this.#counter;
  }

  /** @internal Counts draws, or takes them back. */
  advance(by: 1 | -1): void {
    this.#counter = (this.#counter + by) | 0;
  }

  hostState(): RandomState {
    return { seed: this.#seed, counter: this.#counter };
  }

  /** Goes on where `hostState` was taken. Throws FormatError for anything else. */
  loadHostState(state: unknown): void {
    const { seed, counter } = checkedState('RandomGenerator', state);
    this.#seed = seed;
    this.#counter = counter;
  }
}

function checkedState(operation: string, state: unknown): RandomState {
  const isState = typeof state === 'object' && state !== null && 'seed' in state && 'counter' in state;
  if (isState && isWord(state.seed) && isWord(state.counter)) return { seed: state.seed, counter: state.counter };
  throw new FormatError(operation, 'the saved state is not a seed and a counter of 32 bits each.');
}

function checkedSeed(operation: string, value: number): number {
  if (!Number.isInteger(value)) throw new ValueError(operation, `needs a whole number, got ${value}.`);
  return value | 0;
}

/** The stream that everything draws from that names no other. */
const shared: RandomGenerator = /* @__PURE__ */ new RandomGenerator();
/** The generator of the innermost `withRandom`. */
let own: RandomGenerator | null = null;
/** While a checkpointed part is recomputed: the draws that its first pass made, to be made again. */
let replay: { readonly draws: readonly Draw[]; next: number } | null = null;
let record: Draw[] | null = null;

/** Seed and number of a draw, as the lifted numbers that a random node needs. */
type Draw = readonly [seed: Node, draw: Node];

/** Starts the shared stream of random numbers anew; a whole number. */
export function setSeed(value: number): void {
  shared.loadHostState({ seed: checkedSeed('setSeed', value), counter: 0 });
}

/**
 * Runs `work` with all its random numbers (dropout, initial weights, draws) from `generator`, whatever else draws meanwhile.
 * Not for async functions: wrap each synchronous part.
 */
export function withRandom<T>(generator: RandomGenerator, work: () => T): T {
  if (!(generator instanceof RandomGenerator)) {
    throw new ValueError('withRandom', `needs a RandomGenerator, got ${typeof generator}: new RandomGenerator(seed).`);
  }
  const outer = own;
  own = generator;
  try {
    return checkSynchronous('withRandom', work());
  } finally {
    own = outer;
  }
}

/** What a checkpoint must keep so that the shared stream goes on where it was. */
export function randomState(): RandomState {
  return shared.hostState();
}

/** The shared stream goes on where `randomState` was taken. Throws FormatError, and changes nothing, for anything else. */
export function setRandomState(state: RandomState): void {
  shared.loadHostState(checkedState('setRandomState', state));
}

/** The next draw of the stream. */
function nextDraw(): Draw {
  // the same nodes: inside a compiled function they are read anew with the first pass
  if (replay !== null) {
    const again = replay.draws[replay.next++]!;
    record?.push(again);
    return again;
  }
  const generator = own ?? shared;
  generator.advance(1);
  recordAdvance(
    () => generator.advance(1),
    () => generator.advance(-1),
    own,
  );
  const draw: Draw = [lift({ read: () => generator.seed }, 'int32'), lift({ read: () => generator.counter }, 'int32')];
  record?.push(draw);
  return draw;
}

/** @internal Runs `work` and gives back the draws it made. */
export function recordDraws<T>(work: () => T): { result: T; draws: readonly Draw[] } {
  const outer = record;
  const draws: Draw[] = [];
  record = draws;
  try {
    return { result: work(), draws };
  } finally {
    record = outer;
    outer?.push(...draws);
  }
}

/** @internal Runs `work` so that it draws the same numbers again. */
export function replayDraws<T>(draws: readonly Draw[], work: () => T): T {
  const outer = { replay, record };
  replay = { draws, next: 0 };
  record = null; // they were recorded when they were made
  try {
    return work();
  } finally {
    ({ replay, record } = outer);
  }
}

/**
 * Runs `work`, and gives back how to run other work with the random numbers that it drew: a gradient that computes anew what
 * it needs, as that of `checkpoint`, meets the same dropout.
 *
 * @example
 * import { repeatable, uniform } from '@nn/core';
 * const { result, repeat } = repeatable(() => uniform([2]));
 * console.log(await result.sub(repeat(() => uniform([2]))).array()); // => [0, 0]
 */
export function repeatable<T>(work: () => T): {
  readonly result: T;
  readonly repeat: <Other>(other: () => Other) => Other;
} {
  const { result, draws } = recordDraws(() => checkSynchronous('repeatable', work()));
  return { result, repeat: (other) => replayDraws(draws, () => checkSynchronous('repeatable', other())) };
}

function uniformNode(shape: Shape): Node {
  const [key, draw] = nextDraw();
  return random(key, draw, shape);
}

const float = (value: number): Node => constant(value, 'float32');

/**
 * Numbers in [low, high), all equally likely; multiples of 2^-24 of the range.
 *
 * @example
 * import { setSeed, uniform } from '@nn/core';
 * setSeed(1);
 * const x = uniform([1000]);
 * console.log((await x.max().item()) < 1); // => true
 */
export function uniform(shape: Shape, options: { readonly low?: number; readonly high?: number } = {}): Tensor {
  checkShape('uniform', shape);
  checkOptions('uniform', options, ['low', 'high']);
  const { low = 0, high = 1 } = options;
  const unit = uniformNode(shape);
  if (low === 0 && high === 1) return wrap(unit);
  return wrap(add(multiply(unit, lift(high - low, 'float32')), lift(low, 'float32')));
}

/**
 * Normally distributed numbers (Box and Muller 1958).
 *
 * @example
 * import { normal, setSeed } from '@nn/core';
 * setSeed(1);
 * const x = normal([10000], { mean: 3 });
 * console.log(Math.round(await x.mean().item())); // => 3
 */
export function normal(
  shape: Shape,
  options: { readonly mean?: number; readonly standardDeviation?: number } = {},
): Tensor {
  checkShape('normal', shape);
  checkOptions('normal', options, ['mean', 'standardDeviation']);
  const { mean = 0, standardDeviation = 1 } = options;
  // sqrt(-2 log(1 - u)) cos(2 pi v), and 1 - u is never 0
  const radius = sqrt(multiply(log(subtract(float(1), uniformNode(shape))), float(-2)));
  const unit = multiply(radius, cos(multiply(uniformNode(shape), float(2 * Math.PI))));
  return wrap(add(multiply(unit, lift(standardDeviation, 'float32')), lift(mean, 'float32')));
}

/** 1 with probability `probability`, else 0; float32. */
export function bernoulli(shape: Shape, probability: number): Tensor {
  checkShape('bernoulli', shape);
  if (!(probability >= 0 && probability <= 1)) {
    throw new ValueError('bernoulli', `the probability must lie in [0, 1], got ${probability}.`);
  }
  return wrap(cast(less(uniformNode(shape), lift(probability, 'float32')), 'float32'));
}

/** Whole numbers in [low, high), int32. The range may have at most 2^24 numbers. */
export function randomInteger(shape: Shape, low: number, high: number): Tensor {
  checkShape('randomInteger', shape);
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low || high - low > 2 ** 24) {
    throw new ValueError('randomInteger', `[${low}, ${high}) is not a range of 1 to 2^24 whole numbers.`);
  }
  const scaled = cast(floor(multiply(uniformNode(shape), lift(high - low, 'float32'))), 'int32');
  return wrap(add(minimum(scaled, lift(high - low - 1, 'int32')), lift(low, 'int32')));
}

/**
 * A class for each row of logits, drawn with the probabilities `logits.softmax(axis)`: int32, without the axis. A
 * temperature divides: `categorical(logits.div(0.8))`. (The Gumbel-max trick: Gumbel 1954; Maddison et al. 2014.)
 *
 * @example
 * import { categorical, tensor } from '@nn/core';
 * console.log(await categorical(tensor([[0, 50, 0], [50, 0, 0]])).array()); // => [1, 0]
 */
export function categorical(logits: Tensor, axis = -1): Tensor {
  const noise = uniform(logits.shape).log().neg().log();
  return logits.sub(noise).argMax(axis);
}

/** The next draw on the host, at once: `count` numbers in [0, 1), equal to those of `uniform([count])`. */
export function hostUniform(count: number): Float32Array {
  checkRoom('hostUniform', [count]);
  return hostUniformLater(count)();
}

/**
 * The same draw, made by calling what this gives: the generator moves on now, so later draws do not depend on whether, and when, it
 * is called.
 *
 * @example
 * import { hostUniformLater, parameter } from '@nn/core';
 * const draw = hostUniformLater(6);
 * const weight = parameter(() => draw().map((u) => u - 0.5), { shape: [2, 3] });
 * console.log(weight.shape); // => [2, 3]
 */
export function hostUniformLater(count: number): () => Float32Array {
  checkRoom('hostUniformLater', [count]);
  const { seed, counter } = drawOnHost();
  return () => {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = randomValue(seed, counter, i);
    return values;
  };
}

/** `count` normally distributed numbers on the host, from the next two draws. */
export function hostNormal(count: number): Float32Array {
  checkRoom('hostNormal', [count]);
  return hostNormalLater(count)();
}

/** The same times a deviation, made by calling what this gives; see `hostUniformLater`. */
export function hostNormalLater(count: number, standardDeviation = 1): () => Float32Array {
  checkRoom('hostNormalLater', [count]);
  const [u, v] = [drawOnHost(), drawOnHost()];
  return () => {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const [radius, angle] = [randomValue(u.seed, u.counter, i), randomValue(v.seed, v.counter, i)];
      const unit = Math.sqrt(-2 * Math.log(1 - radius)) * Math.cos(2 * Math.PI * angle);
      values[i] = Math.fround(unit) * standardDeviation;
    }
    return values;
  };
}

/** Where the numbers of the next draw come from: `randomValue` of it and their place. */
function drawOnHost(): RandomState {
  const generator = own ?? shared;
  generator.advance(1);
  return generator.hostState();
}
