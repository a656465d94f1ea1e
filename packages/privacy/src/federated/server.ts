/**
 * Rounds of federated training: choose clients, send the model, wait for those that answer in time, make the next model.
 * A client is anything with `train`: an object of this process, a worker, a page at the other end of a WebSocket
 * (`ports.ts`). Owns who takes part; strategies own the arithmetic.
 */
import { checkOptions, type Stateful, ValueError } from '@nn/core';
import { RandomSequence } from '@nn/data';
import type { ClientUpdate, FederatedStrategy } from './strategies.ts';

/** What a client is asked. */
export interface TrainRequest {
  readonly round: number;
  readonly vector: Float32Array;
}

/** Trains the model it is sent on data that only it has. */
export interface FederatedClient {
  train(request: TrainRequest): Promise<ClientUpdate>;
}

export interface FederatedOptions {
  readonly strategy: FederatedStrategy;
  /** Clients asked in a round, at least 1. Default: all. */
  readonly clientsPerRound?: number;
  /** Fewer answers than this fail the round. Default 1. */
  readonly minimum?: number;
  /** Milliseconds after which a client is late, and its answer is not waited for. Default: no limit. */
  readonly timeout?: number;
  /** Of the choice of clients. Default 0. */
  readonly seed?: number;
}

/** What happened in a round. */
export interface RoundReport {
  readonly round: number;
  /** Positions of the clients whose updates were used. */
  readonly used: readonly number[];
  /** Why the others that were asked were not, by position. */
  readonly left: ReadonlyMap<number, string>;
}

/**
 * The server of a federated training. Clients that fail, are late, or send what is no update of this model (of another
 * length, not finite, of no examples) are left out of the round, and named. A checkpoint keeps the round, not the state of the
 * strategy.
 *
 * @example
 * import { FederatedServer, fedAvg } from '@nn/privacy';
 * const clients = [1, 3].map((goal) => ({
 *   train: async ({ vector }: { vector: Float32Array }) => ({ vector: vector.map((w) => w + 0.5 * (goal - w)), examples: 10 }),
 * }));
 * const server = new FederatedServer(Float32Array.of(0), clients, { strategy: fedAvg() });
 * for (let round = 0; round < 20; round++) await server.round();
 * console.log(server.vector[0]?.toFixed(3)); // => 2.000
 */
export class FederatedServer implements Stateful {
  static readonly name: string = 'FederatedServer';

  /** The model as it is now. */
  vector: Float32Array;
  readonly #clients: readonly FederatedClient[];
  readonly #options: FederatedOptions;
  #round = 0;

  constructor(vector: Float32Array, clients: readonly FederatedClient[], options: FederatedOptions) {
    checkOptions('FederatedServer', options, ['strategy', 'clientsPerRound', 'minimum', 'timeout', 'seed']);
    const { clientsPerRound = clients.length } = options;
    if (!(Number.isInteger(clientsPerRound) && clientsPerRound >= 1 && clientsPerRound <= clients.length)) {
      throw new ValueError(
        'FederatedServer',
        `clientsPerRound is ${clientsPerRound}: it must be a whole number from 1 to ${clients.length}, the clients.`,
        { clientsPerRound },
      );
    }
    this.vector = vector;
    this.#clients = clients;
    this.#options = options;
  }

  /** One round. Throws ValueError, and leaves the model as it is, where fewer than `minimum` clients answer. */
  async round(): Promise<RoundReport> {
    const { strategy, minimum = 1 } = this.#options;
    const round = this.#round;
    const asked = this.#choose(round);
    const left = new Map<number, string>();
    const updates = new Map<number, ClientUpdate>();
    await Promise.all(
      asked.map(async (position) => {
        try {
          const update = await this.#within(this.#clients[position]!.train({ round, vector: this.vector.slice() }));
          const wrong = whatIsWrong(update, this.vector.length);
          if (wrong === null) updates.set(position, update);
          else left.set(position, wrong);
        } catch (error) {
          left.set(position, error instanceof Error ? error.message : String(error));
        }
      }),
    );
    // in the order of the clients, whoever answered first
    const used = asked.filter((position) => updates.has(position));
    if (used.length < minimum) {
      const reasons = [...left].slice(0, 3).map(([position, why]) => `client ${position}: ${why}`);
      throw new ValueError(
        'round',
        `${used.length} of ${asked.length} clients answered, ${minimum} are needed (${reasons.join('; ')}).`,
        {
          used: used.length,
          minimum,
        },
      );
    }
    this.vector = strategy.aggregate(
      this.vector,
      used.map((position) => updates.get(position)!),
    );
    this.#round = round + 1;
    return { round, used, left };
  }

  hostState(): { readonly round: number; readonly vector: readonly number[] } {
    return { round: this.#round, vector: [...this.vector] };
  }

  loadHostState(state: unknown): void {
    const isState = typeof state === 'object' && state !== null && 'round' in state && 'vector' in state;
    if (
      !isState ||
      typeof state.round !== 'number' ||
      !Array.isArray(state.vector) ||
      state.vector.length !== this.vector.length
    ) {
      throw new ValueError('FederatedServer', 'the state to restore is not that of a server of this model.', {});
    }
    this.#round = state.round;
    this.vector = Float32Array.from(state.vector);
  }

  #choose(round: number): number[] {
    const all = Int32Array.from(this.#clients, (_, k) => k);
    const { clientsPerRound = all.length, seed = 0 } = this.#options;
    if (clientsPerRound === all.length) return [...all];
    return [...new RandomSequence(seed, 0x1b000000 + round).shuffle(all).slice(0, clientsPerRound)].sort(
      (a, b) => a - b,
    );
  }

  /** The answer, unless it is late. */
  #within<T>(answer: Promise<T>): Promise<T> {
    const { timeout } = this.#options;
    if (timeout === undefined) return answer;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`late: no answer within ${timeout} ms`)), timeout);
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}

/** Why an answer is no update of a model of this size; null where it is one. */
function whatIsWrong(update: ClientUpdate, size: number): string | null {
  if (!(update?.vector instanceof Float32Array)) return 'the answer is no update';
  if (update.vector.length !== size) return `the update has ${update.vector.length} numbers, the model ${size}`;
  if (!(Number.isInteger(update.examples) && update.examples > 0))
    return `the update is of ${update.examples} examples`;
  return update.vector.every(Number.isFinite) ? null : 'the update is not finite';
}
