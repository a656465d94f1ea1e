/**
 * Rounds in which the server learns the weighted sum of what clients changed, and of no client its own: what a client
 * answers, and how the server leads it through. The masks are `secure/`'s, who is asked is `server.ts`'.
 *
 * The way of a round: prepare (train, keys) -> share -> mask -> unmask -> sum.
 */
import { ValueError } from '@nn/core';
import {
  type Advertisement,
  type RevealedShare,
  type SealedShares,
  SecureClient,
  secureSum,
  usualThreshold,
} from '../secure/aggregation.ts';
import { dequantizeSum, mostMagnitude, quantizeVector } from '../secure/quantize.ts';
import { answersOf, type LeftOut, requireEnough } from './answers.ts';
import type { FederatedClient, TrainRequest } from './server.ts';
import type { ClientUpdate } from './strategies.ts';

export interface SecureSums {
  /** How many of those that are asked must stay to the end, more than half. Default: two thirds, rounded up. */
  readonly threshold?: number;
  /** No client may have more samples: changes travel times examples / mostExamples. Default 1000. */
  readonly mostExamples?: number;
}

/** What a client is told before it trains. */
export interface MaskedRequest extends TrainRequest {
  /** Its number in this round. */
  readonly client: number;
  readonly threshold: number;
  readonly mostExamples: number;
}

/** A client whose update no server sees: `maskedClient` makes one. Its calls come in this order, once in a round. */
export interface MaskedClient {
  /** Trains, keeps the result and tells its keys. */
  prepare(request: MaskedRequest): Promise<Advertisement>;
  /** Shares of its secrets for each of the others. */
  share(all: readonly Advertisement[]): Promise<readonly SealedShares[]>;
  /** Its examples and its change, times examples / mostExamples, as integers under masks: [1 + numbers]. */
  mask(received: readonly SealedShares[]): Promise<Uint32Array>;
  /** What the server needs to take the masks from the sum of these. */
  unmask(survivors: readonly number[]): Promise<readonly RevealedShare[]>;
}

/** Shares are of one byte each, of which 0 is the secret. */
export const mostMasked = 255;

/**
 * A client that trains as `client` does, and tells the server its change under masks only. It refuses a round whose model
 * it cannot tell exactly: with more samples than `mostExamples`, or with a change beyond ±8.
 *
 * @example
 * import { FederatedServer, fedAvg, maskedClient } from '@nn/privacy';
 * const clients = [1, 2, 6].map((goal) =>
 *   maskedClient({ train: async ({ vector }) => ({ vector: vector.map(() => goal), examples: 10 }) }),
 * );
 * const server = new FederatedServer(Float32Array.of(0), clients, { strategy: fedAvg(), secure: {} });
 * await server.round();
 * console.log(server.vector[0]?.toFixed(2)); // => 3.00
 */
export function maskedClient(client: FederatedClient): MaskedClient {
  let begun = 0;
  let now: { readonly secure: SecureClient; readonly words: Uint32Array } | null = null;
  const ready = (operation: string) => {
    if (now !== null) return now;
    throw new ValueError(operation, 'no round has begun: prepare() comes first.');
  };
  return {
    async prepare({ round, vector, client: own, threshold, mostExamples }) {
      const mine = ++begun;
      now = null;
      const words = wordsOf(await client.train({ round, vector: vector.slice() }), vector, mostExamples);
      const secure = new SecureClient(own, threshold);
      const advertisement = await secure.advertise();
      if (mine !== begun) throw new ValueError('prepare', `round ${round} was given up: another one has begun.`);
      now = { secure, words };
      return advertisement;
    },
    share: async (all) => ready('share').secure.share(all),
    mask: async (received) => {
      const { secure, words } = ready('mask');
      return secure.mask(words, received);
    },
    unmask: async (survivors) => ready('unmask').secure.unmask(survivors),
  };
}

/** The examples, then each change times examples / mostExamples, as integers whose sums are exact. */
function wordsOf({ vector, examples }: ClientUpdate, sent: Float32Array, mostExamples: number): Uint32Array {
  if (!(Number.isInteger(examples) && examples >= 1 && examples <= mostExamples)) {
    throw new ValueError(
      'prepare',
      `the client trained on ${examples} examples: a secure sum takes 1 to mostExamples, ${mostExamples}.`,
      { examples, mostExamples },
    );
  }
  if (vector.length !== sent.length) {
    throw new ValueError('prepare', `the update has ${vector.length} numbers, the model ${sent.length}.`);
  }
  const weighted = vector.map((value, i) => ((value - sent[i]!) * examples) / mostExamples);
  const wide = weighted.find((value) => !(Math.abs(value) <= mostMagnitude));
  if (wide !== undefined) {
    throw new ValueError(
      'prepare',
      `a number changed by ${(wide * mostExamples) / examples}: times examples / mostExamples, ${examples} / ${mostExamples}, it must be within ±${mostMagnitude}.`,
      { change: wide },
    );
  }
  const words = new Uint32Array(1 + weighted.length);
  words[0] = examples;
  words.set(quantizeVector(weighted), 1);
  return words;
}

/**
 * Leads the clients through one round. The mean of those whose masked vectors came, as one update, and their positions.
 * Throws ValueError where fewer than the threshold, or than `minimum`, stay, and where the sum is none that could be.
 */
export async function maskedRound(
  clients: readonly MaskedClient[],
  asked: readonly number[],
  request: TrainRequest,
  { threshold = usualThreshold(asked.length), mostExamples = 1000 }: SecureSums,
  {
    timeout,
    left,
    minimum,
  }: { readonly timeout: number | undefined; readonly left: LeftOut; readonly minimum: number },
): Promise<{ readonly updates: readonly ClientUpdate[]; readonly used: readonly number[] }> {
  const { vector } = request;
  const enough = Math.max(threshold, minimum);
  const stage = async <T>(
    positions: Iterable<number>,
    ask: (client: MaskedClient, position: number) => Promise<T>,
    whatIsWrong: (answer: T, position: number) => string | null,
    needed = enough,
  ): Promise<Map<number, T>> => {
    const reason = { timeout, left };
    const answers = await answersOf([...positions], (each) => ask(clients[each]!, each), whatIsWrong, reason);
    requireEnough(answers.size, asked.length, needed, left);
    return answers;
  };

  const keys = await stage(
    asked,
    (client, own) => client.prepare({ ...request, vector: vector.slice(), client: own, threshold, mostExamples }),
    (told, own) => (areKeysOf(told, own) ? null : 'the answer is no pair of keys'),
  );
  const told = [...keys.values()];
  const members = [...keys.keys()];
  const shares = await stage(
    members,
    (client) => client.share(told),
    (sealed, own) => (areSharesOf(sealed, own, members) ? null : 'its shares are not one for each other client'),
  );
  const sealed = [...shares.values()].flat();
  const masked = await stage(
    shares.keys(),
    (client, own) => client.mask(sealed.filter(({ to }) => to === own)),
    (words) =>
      words instanceof Uint32Array && words.length === vector.length + 1 ? null : 'the answer is no masked vector',
  );
  const survivors = [...masked.keys()];
  const revealed = await stage(
    survivors,
    (client) => client.unmask(survivors),
    (answer, own) =>
      areRevealed(answer, members.indexOf(own) + 1, [...shares.keys()]) ? null : 'its answer is no shares of secrets',
    threshold,
  );

  const sum = await secureSum(masked, told, [...shares.keys()], [...revealed.values()], threshold);
  const examples = sum[0]!;
  if (!(examples >= survivors.length && examples <= survivors.length * mostExamples)) {
    throw new ValueError(
      'round',
      `the sum of ${survivors.length} clients says ${examples} examples, which cannot be: one of them sent a false vector or false shares.`,
      { examples, clients: survivors.length, mostExamples },
    );
  }
  const changes = dequantizeSum(sum.subarray(1), survivors.length);
  const mean = vector.map((value, i) => value + (changes[i]! * mostExamples) / examples);
  return { updates: [{ vector: mean, examples }], used: survivors };
}

const isBytes = (value: unknown, length?: number): boolean =>
  value instanceof Uint8Array && (length === undefined || value.length === length);

function areKeysOf(told: Advertisement, own: number): boolean {
  return told?.client === own && isBytes(told.channelKey, 65) && isBytes(told.maskKey, 65);
}

function areSharesOf(sealed: readonly SealedShares[], own: number, members: readonly number[]): boolean {
  if (!Array.isArray(sealed) || sealed.length !== members.length - 1) return false;
  const to = new Set(sealed.map((each) => each?.to));
  const isFor = (each: SealedShares): boolean => each.from === own && isBytes(each.bytes);
  return sealed.every(isFor) && members.every((member) => member === own || to.has(member));
}

/** One share of each that sent shares, all at the place of their holder. */
function areRevealed(revealed: readonly RevealedShare[], index: number, sharers: readonly number[]): boolean {
  if (!Array.isArray(revealed) || revealed.length !== sharers.length) return false;
  const of = new Set(revealed.map((each) => each?.of));
  const isShare = ({ kind, share }: RevealedShare): boolean =>
    (kind === 'seed' || kind === 'key') && share?.index === index && isBytes(share.bytes, 32);
  return sharers.every((sharer) => of.has(sharer)) && revealed.every(isShare);
}
