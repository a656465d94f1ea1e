/** The network of the landing page: points of a small problem, training step by step, and the answers at every place. */
import { type Tensor, tensor } from '@nn/core';
import { circles, moons, spirals, xor } from '@nn/data';
import { bceWithLogits, Linear, Sequential, tanh } from '@nn/layers';
import { Adam } from '@nn/optim';
import { type Command, reach, side } from './protocol.ts';

type Problem = Extract<Command, { kind: 'begin' }>['problem'];

const count = 240;
const problems = {
  spirals: () => spirals(count, { seed: 3, noise: 0.02 }),
  moons: () => moons(count, { seed: 3, noise: 0.12 }),
  circles: () => circles(count, { seed: 3, noise: 0.06 }),
  xor: () => xor(count, { seed: 3, noise: 0.03 }),
};

export class Session {
  readonly places: Float32Array;
  readonly classes: Int32Array;
  step = 0;
  readonly #model = new Sequential(new Linear(2, 16), tanh, new Linear(16, 16), tanh, new Linear(16, 1));
  readonly #optimizer = new Adam(this.#model, { learningRate: 0.02 });
  readonly #x: Tensor;
  readonly #y: Tensor;
  readonly #grid: Tensor;

  constructor(problem: Problem) {
    const { inputs, targets } = problems[problem]().fields;
    this.classes = Int32Array.from(targets.data);
    this.places = centred(inputs.data);
    this.#x = tensor(this.places, { shape: [count, 2] });
    this.#y = tensor(Float32Array.from(this.classes), { shape: [count, 1] });
    this.#grid = tensor(cells(), { shape: [side * side, 2] });
  }

  /** One step of Adam on all points. */
  async train(): Promise<void> {
    await this.#optimizer.step(bceWithLogits(this.#model.forward(this.#x), this.#y));
    this.step++;
  }

  async look(): Promise<{ readonly loss: number; readonly correct: number; readonly answers: Float32Array }> {
    const logits = this.#model.forward(this.#x);
    const [loss, sides, answers] = await Promise.all([
      bceWithLogits(logits, this.#y).item(),
      logits.data(),
      this.#model.forward(this.#grid).sigmoid().data(),
    ]);
    const right = this.classes.filter((type, at) => (sides[at] ?? 0) > 0 === (type === 1)).length;
    return { loss, correct: right / count, answers: Float32Array.from(answers) };
  }
}

/** Points around the middle, at most 1 from it along each axis. */
function centred(data: ArrayLike<number>): Float32Array {
  const axes = [0, 1].map((axis) => {
    const values = Array.from({ length: data.length / 2 }, (_, at) => data[2 * at + axis] ?? 0);
    return { low: Math.min(...values), high: Math.max(...values) };
  });
  const half = Math.max(...axes.map(({ low, high }) => (high - low) / 2));
  return Float32Array.from(data, (value, at) => {
    const { low = 0, high = 0 } = axes[at % 2] ?? {};
    return (value - (low + high) / 2) / half;
  });
}

/** The middles of all cells of the picture. */
function cells(): Float32Array {
  const at = (cell: number): number => reach * ((2 * (cell + 0.5)) / side - 1);
  return Float32Array.from({ length: side * side * 2 }, (_, index) => {
    const cell = Math.floor(index / 2);
    return index % 2 === 0 ? at(cell % side) : -at(Math.floor(cell / side));
  });
}
