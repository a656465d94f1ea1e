/** Worlds of squares, small enough for tables: a map with holes and a goal, and the walk along a cliff. */
import { checkOptions, ValueError } from '@nn/core';
import type { Cell, Scene } from '../render/scene.ts';
import { type Discrete, discrete } from '../spaces.ts';
import { type LimitOptions, limitOf, type Outcome, Simulation } from './simulation.ts';

export interface GridWorldOptions extends LimitOptions {
  /** Rows of letters: S start, G goal, H hole, # wall, F or . free. */
  readonly map?: readonly string[];
  /** The probability that a step goes to one of the two sides instead; 0 by default, 2/3 is the ice of Gymnasium. */
  readonly slippery?: number;
}

/** Left, down, right, up: the order of Gymnasium's FrozenLake. */
const moves = [
  [0, -1],
  [1, 0],
  [0, 1],
  [-1, 0],
] as const;

const lake = ['SFFF', 'FHFH', 'FFFH', 'HFFG'];

/** Squares with one visitor: the state is the number of the square, counted along the rows. */
abstract class Squares extends Simulation<Discrete, Discrete> {
  readonly observationSpace: Discrete;
  readonly actionSpace: Discrete = discrete(4);
  protected readonly rows: number;
  protected readonly columns: number;
  protected place = 0;

  constructor(rows: number, columns: number, limit: number) {
    super(limit);
    [this.rows, this.columns] = [rows, columns];
    this.observationSpace = discrete(rows * columns);
  }

  /** Where a step leads; the edge stops it. */
  protected towards([down, right]: readonly [number, number]): number {
    const row = Math.floor(this.place / this.columns) + down;
    const column = (this.place % this.columns) + right;
    const isInside = row >= 0 && row < this.rows && column >= 0 && column < this.columns;
    return isInside ? row * this.columns + column : this.place;
  }

  protected observe(): number {
    return this.place;
  }

  protected variables(): number[] {
    return [this.place];
  }

  protected restore([place]: readonly [number]): void {
    this.place = place;
  }

  render(): Scene {
    const cells = Array.from({ length: this.rows }, (_, row) =>
      Array.from({ length: this.columns }, (_, column): Cell => {
        const place = row * this.columns + column;
        return place === this.place ? { text: '@', marked: true } : this.cell(place);
      }),
    );
    return { kind: 'board', cells, caption: `step ${this.steps}` };
  }

  protected abstract cell(place: number): Cell;
}

/**
 * A map of squares. The goal earns 1 and ends the episode, a hole ends it, all else earns 0; truncated after 100 steps. Actions: 0
 * left, 1 down, 2 right, 3 up. Without options it is Gymnasium's FrozenLake-v1 on dry ground; `slippery: 2 / 3` makes it ice.
 *
 * @example
 * import { GridWorld } from '@nn/reinforcement';
 * const world = new GridWorld({ map: ['S.', '#G'] });
 * world.reset();
 * console.log(world.step(1).observation, world.step(2).observation, world.step(1).reward); // => 0 1 1
 */
export class GridWorld extends Squares {
  readonly name: string = 'GridWorld';
  readonly #map: string;
  readonly #slippery: number;

  constructor(options: GridWorldOptions = {}) {
    const { map = lake, slippery = 0 } = options;
    const limit = limitOf('GridWorld', options, 100, ['map', 'slippery']);
    const columns = map[0]?.length ?? 0;
    const letters = map.join('');
    if (columns === 0 || map.some((row) => row.length !== columns)) {
      throw new ValueError('GridWorld', 'the rows of a map have one length of 1 and more.', { map });
    }
    const wrong = /[^SGHF#.]/.exec(letters)?.[0];
    if (wrong !== undefined) {
      throw new ValueError('GridWorld', `a map is made of S, G, H, #, F and the dot, not of '${wrong}'.`, { wrong });
    }
    if (letters.split('S').length !== 2) {
      throw new ValueError(
        'GridWorld',
        `a map has one S, where an episode begins; this has ${letters.split('S').length - 1}.`,
      );
    }
    if (!(slippery >= 0 && slippery <= 1)) {
      throw new ValueError('GridWorld', `slippery ${slippery} is not a probability from 0 to 1.`, { slippery });
    }
    super(map.length, columns, limit);
    this.#map = letters;
    this.#slippery = slippery;
  }

  protected begin(): void {
    this.place = this.#map.indexOf('S');
  }

  protected advance(action: number): Outcome {
    let direction = action;
    if (this.#slippery > 0 && this.random.uniform() < this.#slippery) {
      direction = (action + (this.random.uniform() < 0.5 ? 1 : 3)) % 4;
    }
    const next = this.towards(moves[direction]!);
    if (this.#map[next] !== '#') this.place = next;
    const letter = this.#map[this.place];
    return { reward: letter === 'G' ? 1 : 0, terminated: letter === 'G' || letter === 'H' };
  }

  protected cell(place: number): Cell {
    const letter = this.#map[place];
    if (letter === 'G') return { text: 'G', ink: 'green' };
    if (letter === 'H') return { text: 'O', ink: 'blue' };
    return letter === '#' ? { text: '#' } : { text: '' };
  }
}

/** Up, right, down, left: the order of Gymnasium's CliffWalking. */
const compass = [moves[3], moves[2], moves[1], moves[0]] as const;

/**
 * CliffWalking-v0 of Gymnasium (Sutton and Barto, example 6.6): 4 rows of 12 squares, from the lower left corner to the lower right
 * one. Each step costs 1; a step off the cliff between them costs 100 and leads back to the start. Actions: 0 up, 1 right, 2 down, 3
 * left. It has no limit of steps unless one is given.
 *
 * @example
 * import { CliffWalking } from '@nn/reinforcement';
 * const cliff = new CliffWalking();
 * cliff.reset();
 * console.log(cliff.step(1).reward, cliff.step(0).reward); // => -100 -1
 */
export class CliffWalking extends Squares {
  readonly name: string = 'CliffWalking';

  constructor(options: LimitOptions = {}) {
    checkOptions('CliffWalking', options, ['limit']);
    super(4, 12, options.limit ?? Number.POSITIVE_INFINITY);
  }

  protected begin(): void {
    this.place = 36;
  }

  protected advance(action: number): Outcome {
    const next = this.towards(compass[action]!);
    const isFall = next > 36 && next < 47;
    this.place = isFall ? 36 : next;
    return { reward: isFall ? -100 : -1, terminated: next === 47 };
  }

  protected cell(place: number): Cell {
    if (place === 47) return { text: 'G', ink: 'green' };
    return place > 36 ? { text: '#', ink: 'red' } : { text: '' };
  }
}
