/**
 * Keys and values of the tokens so far, in memory of a fixed size, for generation token by token. Owns that memory, how far it
 * is filled, and where its places stand in the sequence; attention reads it like any keys and values.
 */
import {
  arange,
  numberSource,
  onReplay,
  type Parameter,
  type Shape,
  ShapeError,
  showShape,
  type Tensor,
  ValueError,
  where,
} from '@nn/core';
import { constantParameter, requireWhole, sizeAt } from '../layer.ts';
import type { Positions } from './visibility.ts';

/** After every query: what stands there is never seen. */
const NOWHERE = 2 ** 30;

/** The tokens of a cache stand one behind the other in all rows. */
export function noLengths(layer: string): ValueError {
  return new ValueError(layer, 'lengths and a cache do not go together: fill a cache with sequences of one length.', {
    layer,
  });
}

/** What a cache has after a step. */
interface Filled {
  readonly key: Tensor;
  readonly value: Tensor;
  readonly positions: Positions;
}

/**
 * The keys and values [N, heads, capacity, dimension] of one layer of attention. Give it to each call, as `{ cache }`: the
 * call's tokens are written behind those before them, and see all of these. Memory and programs stay as they are from token to
 * token, so a compiled step is compiled once. No gradient passes through.
 *
 * With a `window` old places are written over, so that a sequence may be of any length; then a call of L tokens needs a
 * capacity of window + L - 1. `MultiheadAttention.cache` and its kin make one that fits. A call with more tokens than there is
 * room for throws ValueError.
 *
 * @example
 * import { evaluate, type Tensor, zeros } from '@nn/core';
 * import { MultiheadAttention } from '@nn/layers';
 * const layer = new MultiheadAttention(8, 2, { batchFirst: true });
 * const cache = layer.cache(1, 16);
 * const step = (x: Tensor) => evaluate(() => layer.forward(x, x, x, { cache }));
 * step(zeros([1, 5, 8])); // the prompt
 * console.log(step(zeros([1, 1, 8])).shape, cache.length); // => [1, 1, 8] 6
 */
export class KeyValueCache {
  readonly capacity: number;
  readonly window: number | null;
  key: Parameter;
  value: Parameter;
  #length = 0;

  constructor(
    batch: number,
    heads: number,
    capacity: number,
    dimension: number,
    options: { readonly window?: number } = {},
  ) {
    const sizes = { batch, heads, capacity, dimension };
    for (const [name, size] of Object.entries(sizes)) requireWhole('KeyValueCache', name, size);
    this.capacity = capacity;
    this.window = options.window ?? null;
    const shape = [batch, heads, capacity, dimension];
    this.key = constantParameter(shape, 0, true);
    this.value = constantParameter(shape, 0, true);
  }

  /** How many tokens were written. */
  get length(): number {
    return this.#length;
  }

  /** Where the next `count` tokens will stand: int32 [count], for embeddings of positions. Read anew in compiled functions. */
  positions(count: number): Tensor {
    return arange(count).add(numberSource(() => this.#length));
  }

  /** Forgets all tokens. */
  reset(): void {
    this.#length = 0;
  }

  /** Takes the sequences `rows`, int32 [N], in place of those that there are: for the search with beams. */
  reorder(rows: Tensor): void {
    this.key.assign(this.key.gather(rows, 0));
    this.value.assign(this.value.gather(rows, 0));
  }

  /** Writes keys and values [N, heads, L, dimension] of the next tokens, and gives back all there are. For layers. */
  append(layer: string, key: Tensor, value: Tensor): Filled {
    const count = sizeAt(key, -2);
    this.#checkShape(layer, key.shape, count);
    this.#checkRoom(layer, count);
    const { capacity } = this;
    const last = numberSource(() => this.#length + count - 1);
    const query = this.positions(count);
    // a place was written last so many tokens ago
    const age = arange(capacity).neg().add(last).floorMod(capacity);
    const places = age.neg().add(last);
    this.#write(this.key, key, count);
    this.#write(this.value, value, count);
    const positions = { query, key: where(places.less(0), NOWHERE, places) };
    const advance = (): void => {
      this.#checkRoom(layer, count);
      this.#length += count;
    };
    advance();
    onReplay(advance, () => {
      this.#length -= count;
    });
    return { key: this.key, value: this.value, positions };
  }

  #write(store: Parameter, x: Tensor, count: number): void {
    const { capacity } = this;
    const start = numberSource(() => this.#length % capacity);
    if (this.window === null || count === 1) {
      store.assign(store.update([0, 0, start, 0], x));
      return;
    }
    // round the end: each place takes the token that falls on it, if one does
    const token = arange(capacity).sub(start).floorMod(capacity);
    const chosen = x.gather(token.minimum(count - 1), 2);
    store.assign(where(token.less(count).reshape([capacity, 1]), chosen, store));
  }

  #checkShape(layer: string, found: Shape, count: number): void {
    const [batch = 0, heads = 0, , dimension = 0] = this.key.shape;
    const expected = [batch, heads, count, dimension];
    if (showShape(found) === showShape(expected)) return;
    throw new ShapeError(
      layer,
      `its keys are ${showShape(found)}, those of the cache ${showShape(this.key.shape)}: take a cache of this layer, for as many sequences.`,
      { layer, keys: found, cache: this.key.shape },
    );
  }

  #checkRoom(layer: string, count: number): void {
    const { capacity, window } = this;
    if (window === null ? this.#length + count <= capacity : count + window - 1 <= capacity) return;
    throw new ValueError(
      layer,
      window === null
        ? `${this.#length} tokens and ${count} more do not fit into a cache of ${capacity}: make it larger, reset() it, or give the attention a window.`
        : `${count} tokens at a time with a window of ${window} need a cache of ${count + window - 1}, it has ${capacity}.`,
      { capacity, length: this.#length, count },
    );
  }

  toString(): string {
    return `KeyValueCache(${this.capacity})`;
  }
}
