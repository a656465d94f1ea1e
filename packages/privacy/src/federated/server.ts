/**
 * Rounds of federated training: choose clients, send the model, wait for those that answer in time, make the next model.
 * A client is anything with `train`: an object of this process, a worker, a page at the other end of a WebSocket
 * (`ports.ts`). Owns who takes part; strategies own the arithmetic.
 */
import { checkOptions, type Stateful, ValueError } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { usualThreshold } from '../secure/aggregation.ts';
import { answersOf, requireEnough } from './answers.ts';
import { type MaskedClient, maskedRound, mostMasked, type SecureSums } from './masked.ts';
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
  /** Learns the sum of the updates and no single one, from clients of `maskedClient`, 3 to 255 a round. Default: plain updates. */
  readonly secure?: SecureSums;
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
 * length, not finite, of no examples) are left out of the round, and named. A checkpoint keeps the model, the round and the
 * moments of the strategy: what is resumed goes on as if nothing had been.
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
  readonly #clients: readonly (FederatedClient | MaskedClient)[];
  readonly #options: FederatedOptions;
  #round = 0;

  constructor(vector: Float32Array, clients: readonly (FederatedClient | MaskedClient)[], options: FederatedOptions) {
    checkOptions('FederatedServer', options, ['strategy', 'clientsPerRound', 'minimum', 'timeout', 'seed', 'secure']);
    const { clientsPerRound = clients.length, secure, strategy } = options;
    if (!(Number.isInteger(clientsPerRound) && clientsPerRound >= 1 && clientsPerRound <= clients.length)) {
      throw new ValueError(
        'FederatedServer',
        `clientsPerRound is ${clientsPerRound}: it must be a whole number from 1 to ${clients.length}, the clients.`,
        { clientsPerRound },
      );
    }
    const stranger = clients.findIndex((client) => isMasked(client) !== (secure !== undefined));
    if (stranger >= 0) {
      throw new ValueError(
        'FederatedServer',
        secure === undefined
          ? `client ${stranger} tells its update under masks only: give { secure: {} }.`
          : `client ${stranger} tells its plain update: make it maskedClient(client), or leave out secure.`,
        { client: stranger },
      );
    }
    if (secure !== undefined) checkSecure(secure, strategy, clientsPerRound);
    this.vector = vector;
    this.#clients = clients;
    this.#options = options;
  }

  /**
   * One round. Throws ValueError, and leaves the model as it is, where fewer than `minimum` clients answer, or of masked ones
   * fewer than the threshold.
   */
  async round(): Promise<RoundReport> {
    const { strategy, minimum = 1, timeout, secure } = this.#options;
    const round = this.#round;
    const asked = this.#choose(round);
    const left = new Map<number, string>();
    const request = { round, vector: this.vector };
    const { used, updates } =
      secure === undefined
        ? await this.#plainRound(asked, request, left)
        : await maskedRound(this.#clients.filter(isMasked), asked, request, secure, { timeout, left, minimum });
    this.vector = strategy.aggregate(this.vector, updates);
    this.#round = round + 1;
    return { round, used, left };
  }

  async #plainRound(asked: readonly number[], { round, vector }: TrainRequest, left: Map<number, string>) {
    const { minimum = 1, timeout } = this.#options;
    const clients = this.#clients.filter(isPlain);
    const answers = await answersOf(
      asked,
      (position) => clients[position]!.train({ round, vector: vector.slice() }),
      (update) => whatIsWrong(update, vector.length),
      { timeout, left },
    );
    requireEnough(answers.size, asked.length, minimum, left);
    return { used: [...answers.keys()], updates: [...answers.values()] };
  }

  hostState(): {
    readonly round: number;
    readonly vector: readonly number[];
    readonly strategy: readonly [name: string, state: unknown];
  } {
    const { strategy } = this.#options;
    return {
      round: this.#round,
      vector: [...this.vector],
      strategy: [strategy.name, strategy.hostState?.() ?? null],
    };
  }

  loadHostState(state: unknown): void {
    const { round, vector, strategy } = serverState(state, this.vector.length);
    const { name } = this.#options.strategy;
    if (strategy[0] !== name) {
      throw new ValueError(
        'FederatedServer',
        `the state to restore is of a training by ${strategy[0]}, this one is by ${name}: its moments do not fit.`,
        { strategy: strategy[0] },
      );
    }
    this.#options.strategy.loadHostState?.(strategy[1]);
    this.#round = round;
    this.vector = Float32Array.from(vector);
  }

  #choose(round: number): number[] {
    const all = Int32Array.from(this.#clients, (_, k) => k);
    const { clientsPerRound = all.length, seed = 0 } = this.#options;
    if (clientsPerRound === all.length) return [...all];
    return [...new RandomSequence(seed, 0x1b000000 + round).shuffle(all).slice(0, clientsPerRound)].sort(
      (a, b) => a - b,
    );
  }
}

const isMasked = (client: FederatedClient | MaskedClient): client is MaskedClient => 'prepare' in client;
const isPlain = (client: FederatedClient | MaskedClient): client is FederatedClient => !isMasked(client);

/** Throws ValueError for what no secure round could be made of. */
function checkSecure(secure: SecureSums, { name, needsOnlyMean }: FederatedStrategy, clients: number): void {
  checkOptions('FederatedServer', secure, ['threshold', 'mostExamples']);
  const { threshold = usualThreshold(clients), mostExamples = 1000 } = secure;
  const wrong = !needsOnlyMean
    ? `${name} needs single updates, which secure sums do not show: take a strategy of the mean, or leave out secure.`
    : clients < 3 || clients > mostMasked
      ? `a secure sum takes 3 to ${mostMasked} clients a round, not ${clients}.`
      : !(Number.isInteger(threshold) && 2 * threshold > clients && threshold <= clients)
        ? `threshold is ${threshold}: of ${clients} clients it must be more than half, and not more than all.`
        : !(Number.isInteger(mostExamples) && mostExamples >= 1 && mostExamples < 2 ** 22)
          ? `mostExamples is ${mostExamples}: it must be a whole number from 1 to 4194303.`
          : null;
  if (wrong !== null) throw new ValueError('FederatedServer', wrong, { clients, threshold, mostExamples });
}

/** Throws ValueError for what is not the state of a server of so many numbers. */
function serverState(state: unknown, size: number): ReturnType<FederatedServer['hostState']> {
  const { round, vector, strategy } = (typeof state === 'object' && state !== null ? state : {}) as Record<
    string,
    unknown
  >; // the cast: each is checked
  const isOfServer =
    Number.isInteger(round) &&
    Array.isArray(vector) &&
    vector.length === size &&
    vector.every(Number.isFinite) &&
    Array.isArray(strategy) &&
    typeof strategy[0] === 'string';
  if (isOfServer) return { round: Number(round), vector, strategy: [strategy[0], strategy[1] ?? null] };
  throw new ValueError('FederatedServer', 'the state to restore is not that of a server of this model.', {});
}

/** Why an answer is no update of a model of this size; null where it is one. */
function whatIsWrong(update: ClientUpdate, size: number): string | null {
  if (!(update?.vector instanceof Float32Array)) return 'the answer is no update';
  if (update.vector.length !== size) return `the update has ${update.vector.length} numbers, the model ${size}`;
  if (!(Number.isInteger(update.examples) && update.examples > 0))
    return `the update is of ${update.examples} examples`;
  return update.vector.every(Number.isFinite) ? null : 'the update is not finite';
}
