/**
 * Secure aggregation: a server learns the sum of vectors, and of no client its own. Each two clients agree on a mask that one
 * adds and the other takes away, each adds one of its own, and shares of both let the survivors take away what those who
 * dropped out leave behind. Sums are exact modulo 2^32. Against servers that are curious, not against ones that lie about who
 * is there. (Bonawitz et al. 2017.)
 *
 * The way of a round: advertise -> share -> mask -> unmask -> sum.
 */
import { ValueError } from '@nn/core';
import { fillRandom } from '../cryptographic.ts';
import { agree, expandSeed, type KeyPair, makeKeyPair, privateBytes, privateKeyOf, seal, unseal } from './keys.ts';
import { mostClients } from './quantize.ts';
import { joinSecret, type SecretShare, splitSecret } from './shamir.ts';

/** What a client tells everybody: public keys of 65 bytes. */
export interface Advertisement {
  readonly client: number;
  /** For what it sends to others. */
  readonly channelKey: Uint8Array<ArrayBuffer>;
  /** For the masks. */
  readonly maskKey: Uint8Array<ArrayBuffer>;
}

/** Shares for one other client, which the server passes on and cannot read. */
export interface SealedShares {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What a survivor tells of one client: a share of its own mask where it survived, of its key where it dropped out. */
export interface RevealedShare {
  readonly of: number;
  readonly kind: 'seed' | 'key';
  readonly share: SecretShare;
}

/** Adds or takes away modulo 2^32. */
function add(vector: Uint32Array, mask: Uint32Array, sign: 1 | -1): void {
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! + sign * mask[i]!;
}

/** The side of a client, for one round: a second vector under the same masks would tell their difference. */
export class SecureClient {
  static readonly name: string = 'SecureClient';

  readonly client: number;
  readonly #threshold: number;
  #channel: KeyPair | null = null;
  #mask: KeyPair | null = null;
  readonly #seed = new Uint8Array(32);
  #peers: readonly Advertisement[] = [];
  readonly #kept = new Map<number, { readonly seed: SecretShare; readonly key: SecretShare }>();
  #isMasked = false;
  #isRevealed = false;

  /** `client` is its number, from 0; `threshold` how many must survive for a sum, more than half. */
  constructor(client: number, threshold: number) {
    this.client = client;
    this.#threshold = threshold;
    fillRandom(this.#seed);
  }

  async advertise(): Promise<Advertisement> {
    this.#channel ??= await makeKeyPair();
    this.#mask ??= await makeKeyPair();
    return { client: this.client, channelKey: this.#channel.publicBytes, maskKey: this.#mask.publicBytes };
  }

  /** Shares for each of the others. Throws ValueError where the clients are too few for the threshold. */
  async share(all: readonly Advertisement[]): Promise<SealedShares[]> {
    const [channel, mask] = this.#keys('share');
    if (2 * this.#threshold <= all.length || this.#threshold > all.length) {
      throw new ValueError(
        'share',
        `a threshold of ${this.#threshold} among ${all.length} clients: it must be more than half of them, or a server could learn a vector from either half.`,
        { threshold: this.#threshold, clients: all.length },
      );
    }
    this.#peers = [...all].sort((a, b) => a.client - b.client);
    const seeds = splitSecret(this.#seed, all.length, this.#threshold);
    const keys = splitSecret(await privateBytes(mask), all.length, this.#threshold);
    const sealed: SealedShares[] = [];
    for (const [k, { client, channelKey }] of this.#peers.entries()) {
      const [seed, key] = [seeds[k]!, keys[k]!];
      if (client === this.client) {
        this.#kept.set(client, { seed, key });
        continue;
      }
      const plain = new Uint8Array([seed.index, ...seed.bytes, ...key.bytes]);
      const bytes = await seal(await agree(channel.privateKey, channelKey, 'channel'), plain);
      sealed.push({ from: this.client, to: client, bytes });
    }
    return sealed;
  }

  /** The vector under its masks. Takes the shares that the others sent; who sent none has dropped out before. */
  async mask(vector: Uint32Array, received: readonly SealedShares[]): Promise<Uint32Array> {
    const [channel, mask] = this.#keys('mask');
    if (this.#isMasked)
      throw new ValueError('mask', 'a vector was masked before: every round needs a new SecureClient.');
    this.#isMasked = true;
    const masked = vector.slice();
    add(masked, await expandSeed(this.#seed, vector.length), 1);
    for (const { from, to, bytes } of received) {
      const peer = this.#peers.find(({ client }) => client === from);
      if (to !== this.client || peer === undefined) {
        throw new ValueError('mask', `shares from client ${from} to client ${to} came to client ${this.client}.`);
      }
      const plain = await unseal(await agree(channel.privateKey, peer.channelKey, 'channel'), bytes);
      const index = plain[0]!;
      const [seed, key] = [plain.slice(1, 33), plain.slice(33)];
      this.#kept.set(from, { seed: { index, bytes: seed }, key: { index, bytes: key } });
      const common = await agree(mask.privateKey, peer.maskKey, 'mask');
      // the one of the lower number adds, the other takes away
      add(masked, await expandSeed(common, vector.length), this.client < from ? 1 : -1);
    }
    return masked;
  }

  /** What the server needs to know of each: never both shares of one client, and only once. */
  unmask(survivors: readonly number[]): RevealedShare[] {
    if (survivors.length < this.#threshold) {
      throw new ValueError(
        'unmask',
        `${survivors.length} clients survived, ${this.#threshold} are needed: the sum would tell too much.`,
        {
          survivors: survivors.length,
        },
      );
    }
    if (this.#isRevealed)
      throw new ValueError('unmask', 'shares were revealed before: a second answer could unmask a single vector.');
    this.#isRevealed = true;
    return [...this.#kept].map(([of, { seed, key }]) =>
      survivors.includes(of) ? { of, kind: 'seed', share: seed } : { of, kind: 'key', share: key },
    );
  }

  #keys(operation: string): [KeyPair, KeyPair] {
    if (this.#channel !== null && this.#mask !== null) return [this.#channel, this.#mask];
    throw new ValueError(operation, 'there are no keys yet: call advertise() first.');
  }
}

/**
 * The sum of the survivors' vectors, modulo 2^32, from what they sent. `sharers` are the clients whose shares were passed
 * on. Throws ValueError where too few answered. (The server's side.)
 */
export async function secureSum(
  masked: ReadonlyMap<number, Uint32Array>,
  advertisements: readonly Advertisement[],
  sharers: readonly number[],
  revealed: readonly (readonly RevealedShare[])[],
  threshold: number,
): Promise<Uint32Array> {
  const [first] = masked.values();
  if (first === undefined || masked.size < threshold || revealed.length < threshold) {
    throw new ValueError(
      'secureSum',
      `${masked.size} vectors and ${revealed.length} answers came, ${threshold} of each are needed.`,
      { vectors: masked.size, answers: revealed.length, threshold },
    );
  }
  if (masked.size > mostClients) {
    throw new ValueError(
      'secureSum',
      `${masked.size} clients are more than ${mostClients}, whose sums fit into 32 bits.`,
    );
  }
  const secretOf = (client: number, kind: 'seed' | 'key'): Uint8Array<ArrayBuffer> => {
    const shares = revealed.flat().filter((each) => each.of === client && each.kind === kind);
    if (shares.length < threshold) {
      throw new ValueError(
        'secureSum',
        `${shares.length} shares of the ${kind} of client ${client} came, ${threshold} are needed.`,
      );
    }
    return new Uint8Array(joinSecret(shares.slice(0, threshold).map(({ share }) => share)));
  };
  const sum = new Uint32Array(first.length);
  for (const [client, vector] of masked) {
    add(sum, vector, 1);
    add(sum, await expandSeed(secretOf(client, 'seed'), sum.length), -1);
  }
  const keyOf = new Map(advertisements.map(({ client, maskKey }) => [client, maskKey]));
  for (const gone of sharers.filter((client) => !masked.has(client))) {
    const key = await privateKeyOf(secretOf(gone, 'key'), keyOf.get(gone)!);
    for (const client of masked.keys()) {
      const common = await agree(key, keyOf.get(client)!, 'mask');
      // the survivor's sign is taken back
      add(sum, await expandSeed(common, sum.length), client < gone ? -1 : 1);
    }
  }
  return sum;
}

/** How many of so many clients must stay, where nothing else is said: two thirds, rounded up, and more than half. */
export function usualThreshold(clients: number): number {
  return Math.max(Math.floor(clients / 2) + 1, Math.ceil((2 * clients) / 3));
}

export interface SecureRoundOptions {
  /** How many must survive. Default: two thirds, rounded up, and more than half. */
  readonly threshold?: number;
  /** Who drops out after its shares are sent, and who after its vector is: for trying it out. */
  readonly dropAfterShares?: readonly number[];
  readonly dropAfterVector?: readonly number[];
}

/**
 * A whole round in one process: the sum of the vectors of those that did not drop out before sending theirs. What a
 * simulation and a test need; over a network the same calls are made on both sides.
 *
 * @example
 * import { dequantizeSum, quantizeVector, simulateSecureSum } from '@nn/privacy';
 * const vectors = [0.5, 1.5, -1].map((value) => quantizeVector(Float32Array.of(value)));
 * const sum = await simulateSecureSum(vectors);
 * console.log(dequantizeSum(sum, 3)[0]?.toFixed(3)); // => 1.000
 */
export async function simulateSecureSum(
  vectors: readonly Uint32Array[],
  options: SecureRoundOptions = {},
): Promise<Uint32Array> {
  const { threshold = usualThreshold(vectors.length), dropAfterShares = [], dropAfterVector = [] } = options;
  const clients = vectors.map((_, k) => new SecureClient(k, threshold));
  const advertisements = await Promise.all(clients.map((client) => client.advertise()));
  const sealed = (await Promise.all(clients.map((client) => client.share(advertisements)))).flat();
  const masked = new Map<number, Uint32Array>();
  for (const client of clients.filter(({ client: number }) => !dropAfterShares.includes(number))) {
    const received = sealed.filter(({ to }) => to === client.client);
    masked.set(client.client, await client.mask(vectors[client.client]!, received));
  }
  const survivors = [...masked.keys()];
  const answering = clients.filter(({ client }) => masked.has(client) && !dropAfterVector.includes(client));
  const revealed = answering.map((client) => client.unmask(survivors));
  return secureSum(masked, advertisements, [...clients.keys()], revealed, threshold);
}
