/**
 * L-BFGS: Newton's method with a curvature made of the last steps. Owns the direction and the loop; the line search is in
 * line-search.ts. Losses and gradients are computed on the device; vectors of all weights are put together on the host,
 * because each decision needs their numbers: float32, with sums in double precision.
 */
import {
  checkOptions,
  concat,
  FormatError,
  GradientError,
  gradientsOrNull,
  namedParameters,
  type Parameter,
  parameter,
  replace,
  type Stateful,
  type Tensor,
  tensor,
  treeChildren,
  ValueError,
  zerosLike,
} from '@nn/core';
import { type Point, strongWolfe } from './line-search.ts';

export interface LBFGSOptions {
  /** The first step along each direction, and without a line search the only one. Default 1. */
  readonly learningRate?: number;
  /** Directions in one call of `step`. Default 20. */
  readonly iterations?: number;
  /** After how many evaluations of the loss `step` ends. Default 1.25 times `iterations`. */
  readonly evaluations?: number;
  /** `step` ends where no number of the gradient is larger. Default 1e-7. */
  readonly gradientTolerance?: number;
  /** `step` ends where loss and weights change by no more. Default 1e-9. */
  readonly changeTolerance?: number;
  /** How many of the last steps make the curvature. Default 100. */
  readonly history?: number;
  /** How the length of a step is found; 'none' takes the learning rate. Default 'strongWolfe'. */
  readonly lineSearch?: 'strongWolfe' | 'none';
}

/** A step s, the change of the gradient y over it, and 1 / (y s). */
interface Curvature {
  readonly s: Float32Array;
  readonly y: Float32Array;
  readonly inverse: number;
}

const names = [
  'learningRate',
  'iterations',
  'evaluations',
  'gradientTolerance',
  'changeTolerance',
  'history',
  'lineSearch',
];

/**
 * L-BFGS, for losses that are the same function in each evaluation (whole data sets, physics, fits): `step` takes a function
 * that makes the loss, calls it as often as it needs, and answers the loss before. Directions are the two-loop recursion over
 * the last steps. (Liu and Nocedal 1989; PyTorch's `torch.optim.LBFGS`, whose line search is off by default.)
 *
 * Throws ValueError for options out of range, GradientError when the loss depends on no parameter. Memory on the host is
 * 8 `history` bytes for each number of the weights, and as many where it is saved. It cannot stand inside of a compiled function: it reads numbers.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { LBFGS } from '@nn/optim';
 * const [x, y] = [parameter([-1]), parameter([2])];
 * const rosenbrock = () => x.neg().add(1).square().add(y.sub(x.square()).square().mul(100)).sum();
 * const optimizer = new LBFGS([x, y], { iterations: 60 });
 * console.log(await optimizer.step(rosenbrock)); // => 104
 * console.log((await x.item()).toFixed(2), (await y.item()).toFixed(2)); // => 1.00 1.00
 */
export class LBFGS implements Stateful {
  static readonly name: string = 'LBFGS';

  readonly parameters: readonly Parameter[];
  /** Directions taken so far. */
  stepCount = 0;
  /** Evaluations of the loss so far. */
  evaluationCount = 0;
  readonly #options: Required<LBFGSOptions>;
  readonly #size: number;
  #curvatures: Curvature[] = [];
  #scale = 1;
  /** The last gradient, and the last step. */
  #gradient: Float32Array | null = null;
  #move: Float32Array | null = null;
  /** For checkpoints: the history as tensors [history, numbers], made when somebody asks for them. */
  #saved: Readonly<Record<'steps' | 'changes' | 'gradient' | 'move', Parameter>> | null = null;
  /** What is newer: the vectors on the host, the tensors, or neither. */
  #newer: 'host' | 'saved' | null = null;
  #inverses: readonly number[] = [];

  constructor(source: object, options: LBFGSOptions = {}) {
    checkOptions('LBFGS', options, names);
    const { iterations = 20 } = options;
    const all = {
      learningRate: 1,
      iterations,
      evaluations: Math.floor((iterations * 5) / 4),
      gradientTolerance: 1e-7,
      changeTolerance: 1e-9,
      history: 100,
      lineSearch: 'strongWolfe',
      ...options,
    } as const;
    for (const name of ['iterations', 'evaluations', 'history'] as const) {
      check(name, all[name], Number.isInteger(all[name]) && all[name] > 0, 'a whole number above 0');
    }
    check('learningRate', all.learningRate, all.learningRate > 0 && all.learningRate < Infinity, 'finite and above 0');
    for (const name of ['gradientTolerance', 'changeTolerance'] as const) {
      check(name, all[name], all[name] >= 0, 'at least 0');
    }
    const isSearch = all.lineSearch === 'strongWolfe' || all.lineSearch === 'none';
    check('lineSearch', all.lineSearch, isSearch, "'strongWolfe' or 'none'");
    this.#options = all;
    this.parameters = [...namedParameters(source).values()].filter(({ trainable }) => trainable);
    if (this.parameters.length === 0)
      throw new ValueError('LBFGS', 'there is no parameter to train in what it was given.');
    this.#size = this.parameters.reduce((sum, { size }) => sum + size, 0);
    // what a walk finds here is the history; the parameters belong to the model
    Object.defineProperty(this, treeChildren, { value: () => this.#tensors() });
  }

  /** Takes directions until one of the limits is reached; the loss at the weights before. */
  async step(loss: () => Tensor): Promise<number> {
    const { iterations, evaluations, gradientTolerance, changeTolerance, learningRate, lineSearch } = this.#options;
    await this.#read();
    this.#newer = 'host';
    const before = this.evaluationCount;
    let { value, gradient } = await this.#evaluate(loss);
    const first = value;
    if (largestOf(gradient) <= gradientTolerance) return first;
    for (let iteration = 1; iteration <= iterations; iteration++) {
      const direction = this.#direction(gradient);
      const slope = dot(gradient, direction);
      this.#gradient = gradient;
      this.stepCount++;
      if (slope > -changeTolerance) {
        this.#move = null;
        break;
      }
      const length = this.stepCount === 1 ? Math.min(1, 1 / sumOfSizes(gradient)) * learningRate : learningRate;
      const old = value;
      let taken = length;
      const start = await this.#weights();
      if (lineSearch === 'none') {
        await this.#moveTo(start, direction, length);
        if (iteration < iterations) ({ value, gradient } = await this.#evaluate(loss));
      } else {
        const at = async (step: number): Promise<Point> => {
          await this.#moveTo(start, direction, step);
          const found = await this.#evaluate(loss);
          return { step, loss: found.value, gradient: found.gradient, slope: dot(found.gradient, direction) };
        };
        const origin = { step: 0, loss: value, slope, gradient };
        const { point } = await strongWolfe(at, origin, length, largestOf(direction), changeTolerance);
        await this.#moveTo(start, direction, point.step);
        [value, gradient, taken] = [point.loss, point.gradient, point.step];
      }
      this.#move = direction.map((number) => number * taken);
      const isDone =
        this.evaluationCount - before >= evaluations ||
        largestOf(gradient) <= gradientTolerance ||
        largestOf(this.#move) <= changeTolerance ||
        Math.abs(value - old) < changeTolerance;
      if (isDone) break;
    }
    return first;
  }

  /** -H g: the two loops over the last steps, newest first and oldest first. */
  #direction(gradient: Float32Array): Float32Array {
    this.#learn(gradient);
    const way = gradient.map((number) => -number);
    const shares = this.#curvatures.map(() => 0);
    for (let k = this.#curvatures.length - 1; k >= 0; k--) {
      const { s, y, inverse } = this.#curvatures[k] as Curvature;
      const share = dot(s, way) * inverse;
      shares[k] = share;
      addTo(way, y, -share);
    }
    for (let i = 0; i < way.length; i++) way[i] = Number(way[i]) * this.#scale;
    this.#curvatures.forEach(({ s, y, inverse }, k) => {
      addTo(way, s, Number(shares[k]) - dot(y, way) * inverse);
    });
    return way;
  }

  /** Takes the curvature along the last step in, where the loss curves upwards. */
  #learn(gradient: Float32Array): void {
    const [s, old] = [this.#move, this.#gradient];
    if (s === null || old === null) return;
    const y = gradient.map((number, i) => number - Number(old[i]));
    const product = dot(y, s);
    if (!(product > 1e-10)) return;
    this.#curvatures = [...this.#curvatures, { s, y, inverse: 1 / product }].slice(-this.#options.history);
    this.#scale = product / dot(y, y);
  }

  async #evaluate(loss: () => Tensor): Promise<{ value: number; gradient: Float32Array }> {
    const made = loss();
    const found = gradientsOrNull(made, this.parameters);
    if (found.every((gradient) => gradient === null)) {
      throw new GradientError('LBFGS', `the loss depends on none of the ${this.parameters.length} parameters.`);
    }
    const parts = found.map((gradient, k) => {
      const member = this.parameters[k] as Parameter;
      return (gradient ?? zerosLike(member)).reshape([member.size]);
    });
    this.evaluationCount++;
    const [value, gradient] = await Promise.all([made.item(), concat(parts, 0).data()]);
    return { value, gradient: Float32Array.from(gradient) };
  }

  async #weights(): Promise<Float32Array> {
    const flat = concat(
      this.parameters.map((member) => member.reshape([member.size])),
      0,
    );
    return Float32Array.from(await flat.data());
  }

  #moveTo(start: Float32Array, direction: Float32Array, step: number): Promise<void> {
    const flat = Float32Array.from(start, (number, i) => number + step * Number(direction[i]));
    let from = 0;
    return replace(
      this.parameters.map((member) => {
        const values = flat.slice(from, from + member.size);
        from += member.size;
        return [member, tensor(values, { shape: member.shape })];
      }),
    );
  }

  /** The history as tensors, with what the host knows. */
  #tensors(): Readonly<Record<'steps' | 'changes' | 'gradient' | 'move', Parameter>> {
    const { history } = this.#options;
    const empty = (...shape: readonly number[]): Parameter =>
      parameter(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape, buffer: true });
    this.#saved ??= {
      steps: empty(history, this.#size),
      changes: empty(history, this.#size),
      gradient: empty(this.#size),
      move: empty(this.#size),
    };
    if (this.#newer === 'host') {
      const rows = (vectors: readonly Float32Array[]): Tensor => {
        const all = new Float32Array(history * this.#size);
        vectors.forEach((vector, row) => void all.set(vector, row * this.#size));
        return tensor(all, { shape: [history, this.#size] });
      };
      const { steps, changes, gradient, move } = this.#saved;
      steps.assign(rows(this.#curvatures.map(({ s }) => s)));
      changes.assign(rows(this.#curvatures.map(({ y }) => y)));
      gradient.assign(tensor(this.#gradient ?? new Float32Array(this.#size)));
      move.assign(tensor(this.#move ?? new Float32Array(this.#size)));
      this.#newer = null;
    }
    return this.#saved;
  }

  /** Takes the history over from the tensors of a checkpoint. */
  async #read(): Promise<void> {
    if (this.#newer !== 'saved') return;
    const { steps, changes, gradient, move } = this.#tensors();
    const [s, y, last, moved] = await Promise.all([steps.data(), changes.data(), gradient.data(), move.data()]);
    const row = (of: ArrayLike<number>, k: number): Float32Array =>
      Float32Array.from({ length: this.#size }, (_, i) => Number(of[k * this.#size + i]));
    this.#curvatures = this.#inverses.map((inverse, k) => ({ s: row(s, k), y: row(y, k), inverse }));
    this.#gradient = Float32Array.from(last);
    this.#move = this.#move === null ? null : Float32Array.from(moved);
    this.#newer = null;
  }

  /** For checkpoints: counts and scalars. The vectors are found by walking the tree. */
  hostState(): unknown {
    return {
      stepCount: this.stepCount,
      evaluationCount: this.evaluationCount,
      scale: this.#scale,
      moved: this.#move !== null,
      inverses: this.#newer === 'saved' ? this.#inverses : this.#curvatures.map(({ inverse }) => inverse),
    };
  }

  /** Goes on where `hostState` was taken. Throws FormatError, and changes nothing, for the state of anything else. */
  loadHostState(state: unknown): void {
    const saved = new Map<string, unknown>(typeof state === 'object' && state !== null ? Object.entries(state) : []);
    const [stepCount, evaluationCount, scale] = ['stepCount', 'evaluationCount', 'scale'].map((name) =>
      saved.get(name),
    );
    const [moved, inverses] = [saved.get('moved'), saved.get('inverses')];
    if (!isNumber(stepCount) || !isNumber(evaluationCount) || !isNumber(scale) || typeof moved !== 'boolean') {
      throw new FormatError('LBFGS', 'the saved state is not one of counts and curvatures.');
    }
    if (!Array.isArray(inverses) || inverses.length > this.#options.history || !inverses.every(isNumber)) {
      throw new FormatError('LBFGS', `the saved state has no curvatures of at most ${this.#options.history} steps.`);
    }
    this.stepCount = stepCount;
    this.evaluationCount = evaluationCount;
    this.#scale = scale;
    this.#move = moved ? new Float32Array(this.#size) : null;
    this.#inverses = inverses;
    this.#newer = 'saved';
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

function check(name: string, value: unknown, isRight: boolean, what: string): void {
  if (!isRight) throw new ValueError('LBFGS', `${name} is ${String(value)}: it must be ${what}.`, { [name]: value });
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, number, i) => sum + number * Number(b[i]), 0);
}

function addTo(target: Float32Array, vector: Float32Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = Number(target[i]) + factor * Number(vector[i]);
}

function largestOf(vector: Float32Array): number {
  return vector.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
}

function sumOfSizes(vector: Float32Array): number {
  return vector.reduce((sum, number) => sum + Math.abs(number), 0);
}
