/** 2048: equal tiles that are pushed together become one of twice their number. */
import type { Cell, Scene } from '../render/scene.ts';
import { type Box, box, type Discrete, discrete } from '../spaces.ts';
import { type LimitOptions, limitOf, type Outcome, Simulation } from './simulation.ts';

/** The four squares of each row or column in the order in which a push meets them: up, right, down, left. */
const lines: readonly (readonly (readonly number[])[])[] = [0, 1, 2, 3].map((direction) =>
  [0, 1, 2, 3].map((line) =>
    [0, 1, 2, 3].map((at) => {
      const along = direction === 0 || direction === 3 ? at : 3 - at;
      return direction % 2 === 0 ? 4 * along + line : 4 * line + along;
    }),
  ),
);

/** The tiles (exponents of two, 0 for none) after a push, and what the new tiles are worth; null where nothing moves. */
export function push2048(tiles: Uint8Array, direction: number): { tiles: Uint8Array; gain: number } | null {
  const after = new Uint8Array(16);
  let gain = 0;
  for (const line of lines[direction]!) {
    let to = 0;
    let mergeable = 0; // the tile before, as long as it has not been made in this push
    for (const place of line) {
      const tile = tiles[place]!;
      if (tile === 0) continue;
      if (tile === mergeable) {
        after[line[to - 1]!] = tile + 1;
        gain += 2 ** (tile + 1);
        mergeable = 0;
      } else {
        after[line[to++]!] = tile;
        mergeable = tile;
      }
    }
  }
  return after.every((tile, i) => tile === tiles[i]) ? null : { tiles: after, gain };
}

/**
 * 2048 by Gabriele Cirulli (2014). Actions: 0 up, 1 right, 2 down, 3 left. A push earns the numbers of the tiles that it made; then
 * a 2 (nine times in ten) or a 4 appears. A push that moves nothing earns nothing and changes nothing: `legalActions` says which
 * those are. The observation is one layer a number, [16, 4, 4].
 *
 * @example
 * import { Game2048 } from '@nn/reinforcement';
 * const game = new Game2048();
 * game.reset({ seed: 1 });
 * console.log(game.legalActions().length); // => 4
 */
export class Game2048 extends Simulation<Box, Discrete> {
  readonly name: string = 'Game2048';
  readonly observationSpace: Box = box(0, 1, [16, 4, 4]);
  readonly actionSpace: Discrete = discrete(4);
  #tiles: Uint8Array = new Uint8Array(16);
  #score = 0;

  constructor(options: LimitOptions = {}) {
    super(limitOf('Game2048', options, Number.POSITIVE_INFINITY));
  }

  get score(): number {
    return this.#score;
  }

  protected begin(): void {
    this.#tiles = new Uint8Array(16);
    this.#score = 0;
    this.#appear();
    this.#appear();
  }

  #appear(): void {
    const free = [...this.#tiles.keys()].filter((place) => this.#tiles[place] === 0);
    this.#tiles[free[this.random.integer(free.length)]!] = this.random.uniform() < 0.9 ? 1 : 2;
  }

  legalActions(): Uint8Array {
    return Uint8Array.from([0, 1, 2, 3], (direction) => (push2048(this.#tiles, direction) === null ? 0 : 1));
  }

  protected advance(action: number): Outcome {
    const pushed = push2048(this.#tiles, action);
    if (pushed === null) return { reward: 0, terminated: false };
    this.#tiles = pushed.tiles;
    this.#score += pushed.gain;
    this.#appear();
    return { reward: pushed.gain, terminated: this.legalActions().every((legal) => legal === 0) };
  }

  protected observe(): Float32Array {
    const planes = new Float32Array(256);
    this.#tiles.forEach((tile, place) => {
      planes[16 * Math.min(15, tile) + place] = 1;
    });
    return planes;
  }

  protected override tell(): { readonly score: number; readonly largest: number } {
    return { score: this.#score, largest: 2 ** Math.max(...this.#tiles) };
  }

  protected variables(): number[] {
    return [this.#score, ...this.#tiles];
  }

  protected restore([score, ...tiles]: readonly number[]): void {
    this.#score = score as number;
    this.#tiles = Uint8Array.from(tiles);
  }

  render(): Scene {
    const inks = ['plain', 'dim', 'plain', 'cyan', 'blue', 'magenta', 'red', 'yellow', 'green'] as const;
    const cells = Array.from({ length: 4 }, (_, row) =>
      Array.from({ length: 4 }, (_, column): Cell => {
        const tile = this.#tiles[4 * row + column]!;
        return tile === 0 ? { text: '' } : { text: String(2 ** tile), ink: inks[Math.min(tile, 8)]! };
      }),
    );
    return { kind: 'board', cells, caption: `score ${this.#score}, step ${this.steps}` };
  }
}
