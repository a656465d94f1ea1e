/**
 * Self-play in threads: workers play games with the weights that they are sent, and send back the positions. The learning stays
 * where the agent is. What a game draws comes from a seed that the agent draws, so that the number of workers and their speed decide nothing else.
 */
import {
  NNError,
  namedParameters,
  receivedError,
  type SentError,
  ShapeError,
  sentError,
  tensor,
  ValueError,
} from '@nn/core';
import type { Game, Player, Position } from '../games/game.ts';
import { type GameModel, networkGuess } from '../games/network.ts';
import { RandomStream, streams } from '../random.ts';
import { type PlayedPosition, playGames, type SelfPlayOptions } from './play-games.ts';

/** A `Worker` of a page or of `node:worker_threads`, or within one its own end: `parentPort`, `self`. */
export interface MessagePortLike {
  postMessage(message: unknown): void;
}

/** A port that tells of messages as Node does, or as browsers do. */
interface Emitter extends MessagePortLike {
  on?(event: string, listener: (value: unknown) => void): unknown;
  addEventListener?(event: string, listener: (event: { readonly data?: unknown }) => void): void;
}

/** Games that were played to their ends. */
export interface PlayedGames<P extends Position> {
  readonly positions: readonly PlayedPosition<P>[];
  readonly winners: readonly (Player | 0)[];
}

/** Who plays the games that an `AlphaZero` learns from. */
export type SelfPlay<P extends Position> = (
  model: GameModel,
  random: RandomStream,
  options: SelfPlayOptions,
) => Promise<PlayedGames<P>>;

interface Request {
  readonly nn: 'self-play';
  readonly id: number;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly seed: number;
  readonly options: SelfPlayOptions;
}

type Answer = { readonly nn: 'self-play'; readonly id: number } & (
  | { readonly games: PlayedGames<Position> }
  | { readonly error: SentError }
);

const isOurs = (data: unknown): boolean => (Object(data) as { nn?: unknown }).nn === 'self-play';

/** Listens in Node's way or in that of pages. */
function listen(
  port: MessagePortLike,
  message: (data: unknown) => void,
  failed: (why: string) => void = () => {},
): void {
  const text = (error: unknown): string => String((Object(error) as { message?: unknown }).message ?? error);
  // the cast: each kind of port has one of the two ways, with types of its own
  const emitter = port as Emitter;
  if (emitter.on) {
    emitter.on('message', message);
    emitter.on('error', (error) => failed(text(error)));
    emitter.on('exit', (code) => failed(`it ended with code ${String(code)}`));
  } else {
    emitter.addEventListener?.('message', ({ data }) => message(data));
    emitter.addEventListener?.('error', (event) => failed(text(event)));
  }
}

/**
 * In a worker's module: plays the games that `playInWorkers` asks for. The model has to be built as that of the agent; its weights come with
 * each request.
 *
 * @example
 * import { GameNetwork, serveSelfPlay, TicTacToe } from '@nn/reinforcement';
 * import { parentPort } from 'node:worker_threads';
 * const game = new TicTacToe();
 * if (parentPort) serveSelfPlay(parentPort, game, new GameNetwork(game)); // in a page's worker: serveSelfPlay(self, ...)
 * console.log(game.name); // => TicTacToe
 */
export function serveSelfPlay<P extends Position>(port: MessagePortLike, game: Game<P>, model: GameModel): void {
  const guesser = networkGuess(game, model);
  const members = namedParameters(model);
  listen(port, async (data) => {
    if (!isOurs(data)) return;
    const { id, weights, seed, options } = data as Request;
    try {
      const wrong = [...new Set([...weights.keys(), ...members.keys()])].filter(
        (name) => weights.get(name)?.length !== members.get(name)?.size,
      );
      if (wrong.length > 0) {
        throw new ShapeError(
          'serveSelfPlay',
          `the worker's model and the agent's differ in ${wrong.join(', ')}: build both alike.`,
          { wrong },
        );
      }
      for (const [name, member] of members) member.assign(tensor(weights.get(name)!, { shape: member.shape }));
      const games = await playGames(game, guesser, new RandomStream(seed, streams.search), options);
      port.postMessage({ nn: 'self-play', id, games } satisfies Answer);
    } catch (error) {
      port.postMessage({ nn: 'self-play', id, error: sentError(error) } satisfies Answer);
    }
  });
}

/**
 * Lets workers play the games of an `AlphaZero`, each its share: `new AlphaZero(game, { selfPlay: playInWorkers(workers) })`. The workers
 * run `serveSelfPlay`, and belong to whoever started them: end them with `worker.terminate()`.
 *
 * @example
 * import { AlphaZero, playInWorkers, TicTacToe } from '@nn/reinforcement';
 * import type { Worker } from 'node:worker_threads';
 * const learnWith = (workers: Worker[]) => new AlphaZero(new TicTacToe(), { selfPlay: playInWorkers(workers) });
 * console.log(typeof learnWith); // => function
 */
export function playInWorkers<P extends Position>(workers: readonly MessagePortLike[]): SelfPlay<P> {
  if (workers.length === 0) throw new ValueError('playInWorkers', 'there are no workers; pass at least one.');
  const waiting = new Map<number, { take(games: PlayedGames<P>): void; fail(error: Error): void; worker: number }>();
  const gone = new Map<number, string>();
  const failure = (worker: number, why: string, cause?: Error): NNError =>
    new NNError('playInWorkers', `worker ${worker} failed: ${why.replace(/\.$/, '')}.`, { worker }, 'error', cause);
  workers.forEach((port, worker) => {
    listen(
      port,
      (data) => {
        if (!isOurs(data)) return;
        const answer = data as Answer;
        const request = waiting.get(answer.id);
        waiting.delete(answer.id);
        if ('error' in answer) request?.fail(failure(worker, answer.error.message, receivedError(answer.error)));
        // the cast: a worker answers with positions of the game that both have
        else request?.take(answer.games as PlayedGames<P>);
      },
      (why) => {
        gone.set(worker, why);
        for (const [id, request] of waiting) {
          if (request.worker !== worker) continue;
          waiting.delete(id);
          request.fail(failure(worker, why));
        }
      },
    );
  });
  let asked = 0;
  return async (model, random, { games = 32, ...options }) => {
    const entries = [...namedParameters(model)].map(
      async ([name, member]) => [name, await member.data('float32')] as const,
    );
    const weights = new Map(await Promise.all(entries));
    const parts = await Promise.all(
      workers.flatMap((port, worker) => {
        const share = Math.floor(games / workers.length) + (worker < games % workers.length ? 1 : 0);
        if (share === 0) return [];
        const seed = random.integer(2 ** 24);
        const why = gone.get(worker);
        if (why !== undefined) return [Promise.reject(failure(worker, why))];
        return [
          new Promise<PlayedGames<P>>((take, fail) => {
            const id = asked++;
            waiting.set(id, { take, fail, worker });
            port.postMessage({
              nn: 'self-play',
              id,
              weights,
              seed,
              options: { ...options, games: share },
            } satisfies Request);
          }),
        ];
      }),
    );
    return { positions: parts.flatMap(({ positions }) => positions), winners: parts.flatMap(({ winners }) => winners) };
  };
}
