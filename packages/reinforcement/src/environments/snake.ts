/** Snake: it grows with each apple and must not meet a wall or itself. */
import { ValueError } from '@nn/core';
import type { Cell, Scene } from '../render/scene.ts';
import { type Box, box, type Discrete, discrete } from '../spaces.ts';
import { type LimitOptions, limitOf, type Outcome, Simulation } from './simulation.ts';

export interface SnakeOptions extends LimitOptions {
  /** Squares of a side, 4 to 32; 8 by default. */
  readonly size?: number;
  /**
   * What is seen: 'planes' is the board as three layers [3, size, size] (head, body, apple), for a convolutional network; 'features' is
   * eleven numbers (danger ahead, to the right and to the left; the direction as four; where the apple is as four), for a small one.
   */
  readonly observation?: 'planes' | 'features';
}

/** Up, right, down, left. */
const directions = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
] as const;

/**
 * Snake on a square board. Actions: 0 straight on, 1 turns to the right, 2 to the left. An apple earns 1, death costs 1, and a full
 * board ends the game as won. Truncated when no apple was eaten for size x size x 2 steps: it runs in circles.
 *
 * @example
 * import { sceneText, Snake } from '@nn/reinforcement';
 * const snake = new Snake({ size: 4 });
 * snake.reset({ seed: 1 });
 * console.log(sceneText(snake.render()).length); // => 5
 */
export class Snake extends Simulation<Box, Discrete> {
  readonly name: string = 'Snake';
  readonly observationSpace: Box;
  readonly actionSpace: Discrete = discrete(3);
  readonly #size: number;
  readonly #seesPlanes: boolean;
  /** Squares from the head to the tail. */
  #body: number[] = [];
  #direction = 1;
  #apple = 0;
  #hunger = 0;

  constructor(options: SnakeOptions = {}) {
    const { size = 8, observation = 'planes' } = options;
    const limit = limitOf('Snake', options, Number.POSITIVE_INFINITY, ['size', 'observation']);
    if (!Number.isInteger(size) || size < 4 || size > 32) {
      throw new ValueError('Snake', `size ${size} is not an integer from 4 to 32.`, { size });
    }
    if (observation !== 'planes' && observation !== 'features') {
      throw new ValueError('Snake', `observation '${String(observation)}' is neither 'planes' nor 'features'.`);
    }
    super(limit);
    this.#size = size;
    this.#seesPlanes = observation === 'planes';
    this.observationSpace = this.#seesPlanes ? box(0, 1, [3, size, size]) : box(0, 1, [11]);
  }

  /** Apples eaten in this episode. */
  get score(): number {
    return Math.max(0, this.#body.length - 3);
  }

  protected begin(): void {
    const middle = Math.floor(this.#size / 2);
    const head = middle * this.#size + middle;
    this.#body = [head, head - 1, head - 2];
    this.#direction = 1;
    this.#hunger = 0;
    this.#placeApple();
  }

  #placeApple(): void {
    const taken = new Set(this.#body);
    let left = this.random.integer(this.#size ** 2 - taken.size);
    for (let place = 0; place < this.#size ** 2; place++) {
      if (taken.has(place)) continue;
      if (left-- === 0) this.#apple = place;
    }
  }

  /** The square one step on in a direction, or -1 for the wall. */
  #ahead(direction: number): number {
    const [down, right] = directions[direction & 3]!;
    const head = this.#body[0]!;
    const row = Math.floor(head / this.#size) + down;
    const column = (head % this.#size) + right;
    const isInside = row >= 0 && row < this.#size && column >= 0 && column < this.#size;
    return isInside ? row * this.#size + column : -1;
  }

  /** Whether a step to the square ends the game. The tip of the tail moves on, so its square is free. */
  #isDeadly(place: number): boolean {
    const at = this.#body.indexOf(place);
    return place < 0 || (at >= 0 && at < this.#body.length - 1);
  }

  protected advance(action: number): Outcome {
    this.#direction = (this.#direction + [0, 1, 3][action]!) & 3;
    const next = this.#ahead(this.#direction);
    this.#hunger++;
    if (this.#isDeadly(next)) return { reward: -1, terminated: true };
    if (next !== this.#apple) {
      this.#body.pop();
      this.#body.unshift(next);
      return { reward: 0, terminated: false, truncated: this.#hunger >= 2 * this.#size ** 2 };
    }
    this.#body.unshift(next);
    this.#hunger = 0;
    if (this.#body.length === this.#size ** 2) return { reward: 1, terminated: true };
    this.#placeApple();
    return { reward: 1, terminated: false };
  }

  protected observe(): Float32Array {
    return this.#seesPlanes ? this.#planes() : this.#features();
  }

  #planes(): Float32Array {
    const area = this.#size ** 2;
    const planes = new Float32Array(3 * area);
    // The body fades towards its tail, which tells which squares are free soon.
    this.#body.forEach((place, at) => {
      planes[(at === 0 ? 0 : area) + place] = at === 0 ? 1 : 1 - at / (this.#body.length + 1);
    });
    planes[2 * area + this.#apple] = 1;
    return planes;
  }

  #features(): Float32Array {
    const seen = new Float32Array(11);
    [0, 1, 3].forEach((turn, i) => {
      seen[i] = this.#isDeadly(this.#ahead(this.#direction + turn)) ? 1 : 0;
    });
    seen[3 + this.#direction] = 1;
    const [row, column] = [Math.floor(this.#apple / this.#size), this.#apple % this.#size];
    const [headRow, headColumn] = [Math.floor(this.#body[0]! / this.#size), this.#body[0]! % this.#size];
    [row < headRow, column > headColumn, row > headRow, column < headColumn].forEach((is, i) => {
      seen[7 + i] = is ? 1 : 0;
    });
    return seen;
  }

  protected override tell(): { readonly score: number } {
    return { score: this.score };
  }

  protected variables(): number[] {
    const body = Array.from({ length: this.#size ** 2 }, (_, i) => this.#body[i] ?? -1);
    return [this.#direction, this.#apple, this.#hunger, ...body];
  }

  protected restore([direction, apple, hunger, ...body]: readonly number[]): void {
    [this.#direction, this.#apple, this.#hunger] = [direction as number, apple as number, hunger as number];
    this.#body = body.filter((place) => place >= 0);
  }

  render(): Scene {
    const cells = Array.from({ length: this.#size }, (_, row) =>
      Array.from({ length: this.#size }, (_, column): Cell => {
        const place = row * this.#size + column;
        const at = this.#body.indexOf(place);
        if (at === 0) return { text: '@', ink: 'green', marked: true };
        if (at > 0) return { text: 'o', ink: 'green' };
        return place === this.#apple ? { text: '*', ink: 'red' } : { text: '' };
      }),
    );
    return { kind: 'board', cells, caption: `apples ${this.score}, step ${this.steps}` };
  }
}
