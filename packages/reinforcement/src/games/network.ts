/** A network for board games: convolutions over the board, then what to play and what it is worth. */
import { type CompiledFunction, compile, concat, type Tensor, tensor } from '@nn/core';
import { Conv2d, Linear } from '@nn/layers';
import type { Guess, Guesser } from '../search/tree-search.ts';
import type { Game, Position } from './game.ts';

export interface GameNetworkOptions {
  /** Of each convolution; 32 by default. */
  readonly channels?: number;
  /** Pairs of convolutions with a way around them (He et al. 2016); 2 by default. */
  readonly blocks?: number;
  /** Neurons of the layer before both answers; 64 by default. */
  readonly hidden?: number;
}

/** What a model of a game answers. */
export interface GameOutputs {
  /** Logits of all moves, [N, moves]. */
  readonly policy: Tensor;
  /** [N], -1 to 1: for who is to move. */
  readonly value: Tensor;
}

export interface GameModel {
  /** `boards`: [N, planes, rows, columns] as `encode` writes them. */
  forward(boards: Tensor): GameOutputs;
}

class Block {
  readonly first: Conv2d;
  readonly second: Conv2d;

  constructor(channels: number) {
    this.first = new Conv2d(channels, channels, 3, { padding: 1 });
    this.second = new Conv2d(channels, channels, 3, { padding: 1 });
  }

  forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x).relu()).add(x).relu();
  }
}

/**
 * A small residual network, as AlphaZero's, without normalisation (which so few layers do not need).
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { ConnectFour, GameNetwork } from '@nn/reinforcement';
 * const { policy, value } = new GameNetwork(new ConnectFour()).forward(zeros([3, 2, 6, 7]));
 * console.log(policy.shape, value.shape); // => [3, 7] [3]
 */
export class GameNetwork implements GameModel {
  readonly entry: Conv2d;
  readonly blocks: readonly Block[];
  readonly narrow: Conv2d;
  readonly hidden: Linear;
  readonly policy: Linear;
  readonly value: Linear;

  constructor(game: Game, { channels = 32, blocks = 2, hidden = 64 }: GameNetworkOptions = {}) {
    this.entry = new Conv2d(game.planes, channels, 3, { padding: 1 });
    this.blocks = Array.from({ length: blocks }, () => new Block(channels));
    const narrowed = Math.max(4, Math.floor(channels / 4));
    this.narrow = new Conv2d(channels, narrowed, 1);
    this.hidden = new Linear(narrowed * game.rows * game.columns, hidden);
    this.policy = new Linear(hidden, game.moves);
    this.value = new Linear(hidden, 1);
  }

  forward(boards: Tensor): GameOutputs {
    const seen = this.blocks.reduce((x, block) => block.forward(x), this.entry.forward(boards).relu());
    const hidden = this.hidden.forward(this.narrow.forward(seen).relu().flatten(1)).relu();
    return { policy: this.policy.forward(hidden), value: this.value.forward(hidden).tanh().squeeze(1) };
  }
}

/** How many positions a compiled call takes: so few sizes are compiled, whatever number of games is under way. */
const rooms = [1, 8, 32, 64, 128, 256, 512];
const most = 512;

/** A model as a `Guesser` for searches: one compiled call for all positions. */
export function networkGuess<P extends Position>(game: Game<P>, model: GameModel): Guesser<P> {
  const call: CompiledFunction<[Tensor], Tensor> = compile((boards: Tensor) => {
    const { policy, value } = model.forward(boards);
    return concat([policy.softmax(1), value.unsqueeze(1)], 1);
  });
  const area = game.planes * game.rows * game.columns;
  const width = game.moves + 1;
  const guess = async (positions: readonly P[]): Promise<Guess[]> => {
    const room = rooms.find((size) => size >= positions.length) ?? most;
    const boards = new Float32Array(room * area);
    positions.forEach((position, i) => {
      boards.set(game.encode(position), i * area);
    });
    const shape = [room, game.planes, game.rows, game.columns];
    const rows = await (await call(tensor(boards, { shape }))).data('float32');
    return positions.map((_, i): Guess => {
      const row = rows.subarray(i * width, (i + 1) * width);
      return { priors: row.subarray(0, game.moves), value: row[game.moves]! };
    });
  };
  return async (positions) => {
    const parts: Guess[][] = [];
    for (let at = 0; at < positions.length; at += most) parts.push(await guess(positions.slice(at, at + most)));
    return parts.flat();
  };
}
