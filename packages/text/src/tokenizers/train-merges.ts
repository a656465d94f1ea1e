/**
 * The learning of BPE and WordPiece: the pair of symbols that comes most often becomes a symbol, again and again. Owns counts
 * and their order; which symbols words begin with is up to the trainers. (Sennrich, Haddow and Birch 2016.)
 */
import type { AbortSignalLike } from '@nn/core';
import { breathing } from '../breathe.ts';
import { Heap } from './heap.ts';

export interface MergeTask {
  /** Symbols by id; new ones are appended. */
  readonly tokens: string[];
  /** Words as ids of symbols, and how often each comes. */
  readonly words: readonly { readonly symbols: number[]; readonly count: number }[];
  /** How many tokens there shall be. */
  readonly size: number;
  /** Pairs that come less often are not merged. */
  readonly minimumCount: number;
  /** The token of two symbols. */
  readonly join: (left: string, right: string) => string;
  readonly signal?: AbortSignalLike | undefined;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** Words that have had it. */
  readonly words: Set<number>;
}

/** A pair with the count that it had when it was put into the heap. */
interface Offer {
  readonly pair: Pair;
  readonly count: number;
}

const PAIR = 2 ** 24;

/**
 * Merges until there are `size` tokens, and gives the pairs that were merged, in order. Of pairs that come equally often that
 * with the smaller ids is first, as in Hugging Face's trainer.
 */
export async function learnMerges(task: MergeTask): Promise<(readonly [string, string])[]> {
  const { tokens, words, size, minimumCount, join } = task;
  const rest = breathing(task.signal);
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const pairs = new Map<number, Pair>();
  const touched = new Set<Pair>();
  const change = (left: number, right: number, by: number, word: number): void => {
    const key = left * PAIR + right;
    let pair = pairs.get(key);
    if (pair === undefined) {
      pair = { left, right, count: 0, words: new Set() };
      pairs.set(key, pair);
    }
    pair.count += by;
    if (by > 0) {
      pair.words.add(word);
      touched.add(pair);
    }
  };
  for (const [at, { symbols, count }] of words.entries()) {
    for (let i = 0; i + 1 < symbols.length; i++) change(symbols[i]!, symbols[i + 1]!, count, at);
    if (at % 1024 === 0) await rest();
  }
  const heap = new Heap<Offer>((a, b) => isBefore(a, b));
  const offerTouched = (): void => {
    for (const pair of touched) if (pair.count > 0) heap.push({ pair, count: pair.count });
    touched.clear();
  };
  offerTouched();
  const merges: (readonly [string, string])[] = [];
  while (tokens.length < size) {
    const top = heap.pop();
    if (top === undefined) break;
    const { pair } = top;
    if (top.count !== pair.count) {
      if (pair.count > 0) heap.push({ pair, count: pair.count });
      continue;
    }
    if (pair.count < Math.max(1, minimumCount)) break;
    const [left, right] = [tokens[pair.left]!, tokens[pair.right]!];
    const token = join(left, right);
    let id = idOf.get(token);
    if (id === undefined) {
      id = tokens.length;
      tokens.push(token);
      idOf.set(token, id);
    }
    merges.push([left, right]);
    for (const word of pair.words) {
      const { symbols, count } = words[word]!;
      mergeIn(symbols, pair.left, pair.right, id, (a, b, by) => change(a, b, by * count, word));
    }
    pair.count = 0;
    pair.words.clear();
    offerTouched();
    await rest();
  }
  return merges;
}

function isBefore(a: Offer, b: Offer): boolean {
  if (a.count !== b.count) return a.count > b.count;
  if (a.pair.left !== b.pair.left) return a.pair.left < b.pair.left;
  return a.pair.right < b.pair.right;
}

/** Joins a pair wherever it stands in a word, and tells which neighbours came and went. */
function mergeIn(
  symbols: number[],
  left: number,
  right: number,
  id: number,
  change: (left: number, right: number, by: number) => void,
): void {
  let to = 0;
  for (let i = 0; i < symbols.length; i++) {
    const isPair = symbols[i] === left && symbols[i + 1] === right;
    if (isPair) {
      if (to > 0) {
        change(symbols[to - 1]!, left, -1);
        change(symbols[to - 1]!, id, 1);
      }
      const next = symbols[i + 2];
      if (next !== undefined) {
        change(right, next, -1);
        change(id, next, 1);
      }
      i++;
    }
    symbols[to++] = isPair ? id : symbols[i]!;
  }
  symbols.length = to;
}
