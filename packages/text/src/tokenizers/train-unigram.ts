/**
 * Learns a unigram model from texts: from very many pieces those go that the texts can best do without, as their probabilities
 * are estimated anew. Owns expectation, maximisation and pruning; the best cut of a word is in unigram.ts. (Kudo 2018.)
 */
import { checkOptions } from '@nn/core';
import { breathing } from '../breathe.ts';
import { listOf } from './special.ts';
import { characters, META_SPACE, metaWords } from './split.ts';
import { Tokenizer } from './tokenizer.ts';
import { requireSize, type TrainTokenizerOptions } from './train-bpe.ts';
import { byCodePoint } from './train-word-piece.ts';
import { Pieces, Trie } from './trie.ts';
import { Cutter, isHighSurrogate, UnigramModel } from './unigram.ts';
import { countWords, type Texts } from './words.ts';

export interface TrainUnigramOptions extends Omit<TrainTokenizerOptions, 'minimumCount'> {
  /** Pieces have at most so many characters. Default 16. */
  readonly longestPiece?: number;
  /** Pieces to begin with. Default 1,000,000. */
  readonly seedSize?: number;
  /** The share of pieces that each pruning keeps. Default 0.75. */
  readonly shrinkingFactor?: number;
  /** Estimations between two prunings. Default 2. */
  readonly iterations?: number;
}

interface Piece {
  readonly text: string;
  score: number;
}

interface Word {
  readonly text: string;
  readonly count: number;
}

/**
 * Learns a unigram tokenizer as SentencePiece has it, by the steps of Hugging Face's trainer: seeds are characters and substrings
 * scored by count times length; two rounds of expectation and maximisation (pieces expected less than half a time go; digamma
 * of the counts) between prunings to three quarters, until 1.1 times the size is left. `special.unknown` defaults to '<unk>'.
 *
 * @example
 * import { trainUnigram } from '@nn/text';
 * const tokenizer = await trainUnigram(['hug pug pun bun hugs', 'hugs hug hug'], { size: 14 });
 * console.log(tokenizer.decode(tokenizer.encode('hugs  bun'))); // => hugs bun
 */
export async function trainUnigram(texts: Texts, options: TrainUnigramOptions = {}): Promise<Tokenizer> {
  checkOptions('trainUnigram', options, [
    ...['size', 'special', 'signal', 'longestPiece'],
    ...['seedSize', 'shrinkingFactor', 'iterations'],
  ]);
  const { size = 8000, longestPiece = 16, seedSize = 1_000_000, shrinkingFactor = 0.75, iterations = 2 } = options;
  const special = { ...options.special, unknown: options.special?.unknown ?? '<unk>' };
  const rest = breathing(options.signal);
  const counts = await countWords('trainUnigram', texts, metaWords, options.signal);
  const words = Array.from(counts, ([text, count]) => ({ text: META_SPACE + text, count }));
  const first = listOf('trainUnigram', special);
  const required = new Set(words.flatMap(({ text }) => characters(text)));
  requireSize('trainUnigram', size, first.length + required.size, 'special tokens and characters of the texts');
  const wanted = size - first.length;
  let pieces = await seeds(words, longestPiece, seedSize, rest);
  for (;;) {
    for (let i = 0; i < iterations; i++) pieces = maximized(pieces, await expected(pieces, words, rest), required);
    const target = Math.max(Math.floor(1.1 * wanted), wanted);
    if (pieces.length <= target) break;
    const kept = await pruned(pieces, words, Math.max(target, Math.floor(shrinkingFactor * pieces.length)), rest);
    if (kept.length === pieces.length) break;
    pieces = kept;
  }
  const list: (readonly [string, number])[] = first.map((token) => [token, 0]);
  list.push(...finished(pieces, required, wanted, first));
  const model = new UnigramModel(list, first.indexOf(special.unknown));
  return new Tokenizer({ model, special });
}

/** All characters, and the substrings of words that come at least twice, by count times length. */
async function seeds(words: readonly Word[], longest: number, most: number, rest: () => Promise<void> | undefined) {
  const trie = new Trie();
  // by node: how often it comes; 0 inside of a surrogate pair
  let counts = new Float64Array(1024);
  for (const { text, count } of words) {
    for (let start = 0; start < text.length; start += isHighSurrogate(text, start) ? 2 : 1) {
      let node = 0;
      let stop = start;
      for (let length = 1; length <= Math.max(1, longest) && stop < text.length; length++) {
        if (isHighSurrogate(text, stop)) node = trie.enter(node, text.charCodeAt(stop++));
        node = trie.enter(node, text.charCodeAt(stop++));
        if (node >= counts.length) counts = widened(counts);
        counts[node]! += count;
      }
    }
    await rest();
  }
  const [letters, scored]: [Piece[], Piece[]] = [[], []];
  for (let node = 1; node < trie.size; node++) {
    const count = counts[node]!;
    if (count === 0) continue;
    const text = trie.textOf(node);
    const { length } = characters(text);
    if (length === 1) letters.push({ text, score: count });
    else if (count >= 2) scored.push({ text, score: count * length });
  }
  scored.sort((a, b) => b.score - a.score || (a.text < b.text ? -1 : 1));
  const all: Piece[] = [...letters, ...scored.slice(0, Math.max(0, most - letters.length))];
  all.sort((a, b) => b.score - a.score || (a.text < b.text ? -1 : 1));
  const logSum = Math.log(all.reduce((sum, { score }) => sum + score, 0));
  for (const piece of all) piece.score = Math.log(piece.score) - logSum;
  return all;
}

function widened(numbers: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(2 * numbers.length);
  wider.set(numbers);
  return wider;
}

/**
 * How often each piece is expected over all cuts of all words, each cut as often as it is probable: forwards and backwards
 * over the places of a word. alpha(j) = logsumexp over pieces i..j of alpha(i) + score; beta the same from the end.
 */
async function expected(pieces: readonly Piece[], words: readonly Word[], rest: () => Promise<void> | undefined) {
  const { trie, ids: idOf, scores } = new Pieces(pieces);
  const counts = new Float64Array(pieces.length);
  const longest = words.reduce((most, { text }) => Math.max(most, text.length), 0);
  const [alpha, beta] = [new Float64Array(longest + 1), new Float64Array(longest + 1)];
  const [starts, stops, ids]: [number[], number[], number[]] = [[], [], []];
  for (const { text, count } of words) {
    const n = text.length;
    starts.length = stops.length = ids.length = 0;
    alpha.fill(Number.NEGATIVE_INFINITY, 0, n + 1);
    beta.fill(Number.NEGATIVE_INFINITY, 0, n + 1);
    alpha[0] = 0;
    beta[n] = 0;
    for (let start = 0; start < n; start++) {
      if (alpha[start] === Number.NEGATIVE_INFINITY) continue;
      let node = 0;
      for (let stop = start + 1; stop <= n; stop++) {
        node = trie.child(node, text.charCodeAt(stop - 1));
        if (node < 0) break;
        const id = idOf[node]!;
        if (id < 0) continue;
        starts.push(start);
        stops.push(stop);
        ids.push(id);
        alpha[stop] = logAdd(alpha[stop]!, alpha[start]! + scores[id]!);
      }
    }
    for (let arc = ids.length - 1; arc >= 0; arc--) {
      const [start, stop] = [starts[arc]!, stops[arc]!];
      beta[start] = logAdd(beta[start]!, beta[stop]! + scores[ids[arc]!]!);
    }
    const whole = alpha[n]!;
    for (let arc = 0; arc < ids.length; arc++) {
      const id = ids[arc]!;
      counts[id]! += count * Math.exp(alpha[starts[arc]!]! + scores[id]! + beta[stops[arc]!]! - whole);
    }
    await rest();
  }
  return counts;
}

function logAdd(a: number, b: number): number {
  const [high, low] = a > b ? [a, b] : [b, a];
  return low === Number.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(low - high));
}

/** New scores digamma(count) - digamma(sum), the mean of log-probabilities under a Dirichlet prior that favours few pieces. */
function maximized(pieces: readonly Piece[], counts: Float64Array, required: ReadonlySet<string>): Piece[] {
  const kept = pieces
    .map(({ text }, id) => ({ text, score: counts[id]! }))
    // a character stays, so that every word has a cut
    .map((piece) => (required.has(piece.text) ? { ...piece, score: Math.max(piece.score, 0.5) } : piece))
    .filter(({ score }) => score >= 0.5);
  const logSum = digamma(kept.reduce((sum, { score }) => sum + score, 0));
  return kept.map(({ text, score }) => ({ text, score: digamma(score) - logSum }));
}

/** The slope of ln gamma: by its recurrence up to 7, then by its series. */
function digamma(given: number): number {
  let [x, result] = [given, 0];
  for (; x < 7; x++) result -= 1 / x;
  x -= 0.5;
  const xx = 1 / (x * x);
  return result + Math.log(x) + xx / 24 - ((7 / 960) * xx ** 2 - (31 / 8064) * xx ** 3 + (127 / 30720) * xx ** 4);
}

/**
 * The pieces whose loss costs the texts most, `keep` of them. The loss of a piece is how much less probable its words get
 * when it is cut into the best other pieces.
 */
async function pruned(
  pieces: readonly Piece[],
  words: readonly Word[],
  keep: number,
  rest: () => Promise<void> | undefined,
): Promise<Piece[]> {
  const tree = new Pieces(pieces);
  const cutter = new Cutter(tree, -1e3);
  const frequency = new Float64Array(pieces.length);
  let total = 0;
  for (const { text, count } of words) {
    total += count;
    for (const id of cutter.cut(text).ids) if (id >= 0) frequency[id]! += count;
    await rest();
  }
  const sum = frequency.reduce((all, count) => all + count, 0);
  const logSum = Math.log(sum);
  const always: Piece[] = [];
  const candidates: { readonly piece: Piece; readonly loss: number }[] = [];
  for (const [id, piece] of pieces.entries()) {
    const isLetter = characters(piece.text).length === 1;
    const best = isLetter ? null : cutter.cut(piece.text);
    // cut by its own model: the texts never use it
    if (best !== null && best.ids.length >= 2) continue;
    const other = isLetter ? null : cutter.cut(piece.text, id);
    if (other === null || other.ids.includes(-1)) {
      always.push(piece);
      continue;
    }
    if (frequency[id] === 0) continue;
    // without the piece its parts come so much more often, and all pieces together more often by the parts but one
    const share = frequency[id]! / total;
    const logOther = Math.log(sum + frequency[id]! * (other.ids.length - 1));
    const parts = other.ids.reduce((log, part) => log + Math.log(frequency[part]! + frequency[id]!) - logOther, 0);
    candidates.push({ piece, loss: share * (Math.log(frequency[id]!) - logSum - parts) });
    await rest();
  }
  candidates.sort((a, b) => b.loss - a.loss || (a.piece.text < b.piece.text ? -1 : 1));
  return [...always, ...candidates.slice(0, Math.max(0, keep - always.length)).map(({ piece }) => piece)];
}

/** All characters, then the most probable pieces, `size` of them, by score. */
function finished(
  pieces: readonly Piece[],
  required: ReadonlySet<string>,
  size: number,
  special: readonly string[],
): (readonly [string, number])[] {
  const scores = new Map(pieces.map(({ text, score }) => [text, score]));
  const least = pieces.reduce((low, { score }) => Math.min(low, score), 0);
  const chosen = new Map<string, number>();
  for (const [i, letter] of byCodePoint(required).entries()) {
    chosen.set(letter, scores.get(letter) ?? least - 1e-4 * (i + 1));
  }
  const rest = pieces
    .filter(({ text }) => !required.has(text))
    .sort((a, b) => b.score - a.score || (a.text < b.text ? -1 : 1));
  for (const { text, score } of rest) if (chosen.size < size) chosen.set(text, score);
  return [...chosen].filter(([text]) => !special.includes(text)).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}
