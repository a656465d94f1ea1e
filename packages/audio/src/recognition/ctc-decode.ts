/**
 * From the log-probabilities of a CTC network to labels: the best path, or the best labels over all paths by prefix beam search (Graves et al. 2006; Hannun et al. 2014), alone or with a
 * language model. On the host; the loss is `ctc` of `@nn/layers`.
 */
import { checkOptions, isTensor, ShapeError, type Tensor, ValueError } from '@nn/core';
import type { LabelModel } from './language-model.ts';

export interface CtcDecodeOptions {
  /** The class that stands for no label; 0 by default. */
  readonly blank?: number;
  /** How many steps of each row count: [N]; all by default. */
  readonly inputLengths?: readonly number[];
}

export interface CtcBeamOptions extends CtcDecodeOptions {
  /** How many beginnings are kept at each step; 16 by default. */
  readonly beamWidth?: number;
  /** How many results each row gives; 1 by default. */
  readonly results?: number;
  /** What says how likely a label is after others. */
  readonly languageModel?: LabelModel;
  /** What its logarithms are multiplied by; 0.5 by default. */
  readonly languageWeight?: number;
  /** What each label adds to the score, against a language model's liking for few; 0 by default. */
  readonly labelBonus?: number;
}

export interface CtcResult {
  readonly labels: readonly number[];
  /** The logarithm of the probability: of the best path ('greedy'), of all paths kept, with the language model's share. */
  readonly score: number;
}

export interface CtcGreedyResult extends CtcResult {
  /** The step at which each label begins. */
  readonly steps: readonly number[];
}

interface Rows {
  readonly data: Float32Array;
  readonly steps: number;
  readonly batch: number;
  readonly classes: number;
  readonly blank: number;
  readonly lengths: readonly number[];
}

async function rowsOf(operation: string, x: Tensor, options: CtcDecodeOptions): Promise<Rows> {
  if (!isTensor(x) || x.rank !== 3) {
    const shape = isTensor(x) ? `[${x.shape.join(', ')}]` : String(x);
    throw new ShapeError(operation, `takes log-probabilities [steps, N, classes], as the loss does, got ${shape}.`);
  }
  const [steps = 0, batch = 0, classes = 0] = x.shape;
  const { blank = 0, inputLengths = new Array<number>(batch).fill(steps) } = options;
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes) {
    throw new ValueError(operation, `blank is ${blank}: there are ${classes} classes.`, { blank, classes });
  }
  const wrong = inputLengths.findIndex((length) => !Number.isInteger(length) || length < 0 || length > steps);
  if (inputLengths.length !== batch || wrong !== -1) {
    throw new ValueError(
      operation,
      `inputLengths must be ${batch} whole numbers from 0 to ${steps}, got [${inputLengths.join(', ')}].`,
      { inputLengths },
    );
  }
  return { data: await x.data('float32'), steps, batch, classes, blank, lengths: inputLengths };
}

/**
 * The best path: the likeliest class of each step, repeats taken together, blanks left out.
 *
 * @example
 * import { ctcGreedyDecode } from '@nn/audio';
 * import { tensor } from '@nn/core';
 * const steps = tensor([[[0.1, 0.9]], [[0.2, 0.8]], [[0.7, 0.3]], [[0.1, 0.9]]]).log(); // a, a, blank, a
 * const [first] = await ctcGreedyDecode(steps);
 * console.log(first?.labels, first?.steps); // => [ 1, 1 ] [ 0, 3 ]
 */
export async function ctcGreedyDecode(x: Tensor, options: CtcDecodeOptions = {}): Promise<CtcGreedyResult[]> {
  checkOptions('ctcGreedyDecode', options, ['blank', 'inputLengths']);
  const rows = await rowsOf('ctcGreedyDecode', x, options);
  const { data, batch, classes, blank, lengths } = rows;
  return lengths.map((length, n) => {
    const stream = new CtcStream({ blank });
    const steps: number[] = [];
    const labels: number[] = [];
    for (let t = 0; t < length; t++) {
      const at = (t * batch + n) * classes;
      for (const label of stream.push(data.subarray(at, at + classes))) {
        labels.push(label);
        steps.push(t);
      }
    }
    return { labels, steps, score: stream.score };
  });
}

/**
 * The best path as steps come: `push` takes the log-probabilities of the next steps and gives the labels that begin with them.
 *
 * @example
 * import { CtcStream } from '@nn/audio';
 * const stream = new CtcStream();
 * console.log(stream.push([Math.log(0.2), Math.log(0.8)]), stream.push([Math.log(0.1), Math.log(0.9)])); // => [ 1 ] []
 */
export class CtcStream {
  readonly blank: number;
  /** The logarithm of the probability of the path so far. */
  score = 0;
  #last: number;

  constructor(options: { readonly blank?: number } = {}) {
    checkOptions('CtcStream', options, ['blank']);
    this.blank = options.blank ?? 0;
    this.#last = this.blank;
  }

  /** The labels that begin at this step: none or one. */
  push(row: ArrayLike<number>): number[] {
    let best = 0;
    for (let c = 1; c < row.length; c++) if (row[c]! > row[best]!) best = c;
    this.score += row[best]!;
    const isNew = best !== this.#last && best !== this.blank;
    this.#last = best;
    return isNew ? [best] : [];
  }
}

/** Labels so far, as a chain to the beginning: equal labels are one object, found by the last label below their beginning. */
interface Prefix {
  readonly before: Prefix | null;
  readonly label: number;
  readonly next: Map<number, Prefix>;
  /** What the language model and the bonus have given. */
  readonly extra: number;
  /** Log-probabilities of all paths that spell this, by whether they end with a blank. */
  blank: number;
  open: number;
  nextBlank: number;
  nextOpen: number;
}

const never = Number.NEGATIVE_INFINITY;

function logAdd(a: number, b: number): number {
  if (a === never) return b;
  if (b === never) return a;
  const top = Math.max(a, b);
  return top + Math.log1p(Math.exp(-Math.abs(a - b)));
}

function labelsOf(prefix: Prefix): number[] {
  const labels: number[] = [];
  for (let at: Prefix | null = prefix; at?.before; at = at.before) labels.push(at.label);
  return labels.reverse();
}

/**
 * The best labels over all paths that spell them, by prefix beam search; with a language model by log p(labels | sound) + languageWeight log p(labels) + labelBonus |labels|. Rows of `results`
 * each, the best first.
 *
 * @example
 * import { ctcBeamDecode, ctcGreedyDecode } from '@nn/audio';
 * import { tensor } from '@nn/core';
 * const steps = tensor([[[0.6, 0.4]], [[0.6, 0.4]]]).log(); // the best path is blank, blank; but 'a' is spelled by three
 * const [greedy] = await ctcGreedyDecode(steps);
 * const [[best] = []] = await ctcBeamDecode(steps);
 * console.log(greedy?.labels, best?.labels, Math.exp(best?.score ?? 0).toFixed(2)); // => [] [ 1 ] 0.64
 */
export async function ctcBeamDecode(x: Tensor, options: CtcBeamOptions = {}): Promise<CtcResult[][]> {
  const names = ['beamWidth', 'results', 'languageModel', 'languageWeight', 'labelBonus'] as const;
  checkOptions('ctcBeamDecode', options, ['blank', 'inputLengths', ...names]);
  const { beamWidth = 16, results = 1 } = options;
  for (const [name, value] of Object.entries({ beamWidth, results })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new ValueError('ctcBeamDecode', `${name} is ${value}: it must be a whole number from 1.`, { [name]: value });
  }
  const rows = await rowsOf('ctcBeamDecode', x, options);
  return rows.lengths.map((length, n) => search(rows, n, length, { ...options, beamWidth, results }));
}

function search(
  { data, batch, classes, blank }: Rows,
  n: number,
  length: number,
  options: CtcBeamOptions & { readonly beamWidth: number; readonly results: number },
): CtcResult[] {
  const { beamWidth, results, languageModel, languageWeight = 0.5, labelBonus = 0 } = options;
  const empty = { next: new Map<number, Prefix>(), nextBlank: never, nextOpen: never };
  const root: Prefix = { ...empty, before: null, label: blank, extra: 0, blank: 0, open: never };
  const total = (prefix: Prefix): number => logAdd(prefix.blank, prefix.open) + prefix.extra;
  const grown = (prefix: Prefix, label: number): Prefix => {
    const found = prefix.next.get(label);
    if (found) return found;
    const liked = languageModel ? languageWeight * languageModel.score(labelsOf(prefix), label) : 0;
    const made = {
      ...{ before: prefix, label, next: new Map<number, Prefix>(), extra: prefix.extra + liked + labelBonus },
      ...{ blank: never, open: never, nextBlank: never, nextOpen: never },
    };
    prefix.next.set(label, made);
    return made;
  };
  let beam = [root];
  for (let t = 0; t < length; t++) {
    const at = (t * batch + n) * classes;
    const reached = new Set<Prefix>();
    for (const prefix of beam) {
      const all = logAdd(prefix.blank, prefix.open);
      reached.add(prefix);
      // a blank, or the last label again, spells the same
      prefix.nextBlank = logAdd(prefix.nextBlank, all + data[at + blank]!);
      if (prefix.before) prefix.nextOpen = logAdd(prefix.nextOpen, prefix.open + data[at + prefix.label]!);
      for (let c = 0; c < classes; c++) {
        const likely = data[at + c]!;
        if (c === blank || likely === never) continue;
        // the same label again is a new one only behind a blank
        const from = prefix.before && c === prefix.label ? prefix.blank : all;
        if (from === never) continue;
        const longer = grown(prefix, c);
        longer.nextOpen = logAdd(longer.nextOpen, from + likely);
        reached.add(longer);
      }
    }
    const list = [...reached];
    for (const prefix of list) {
      [prefix.blank, prefix.open] = [prefix.nextBlank, prefix.nextOpen];
      [prefix.nextBlank, prefix.nextOpen] = [never, never];
    }
    list.sort((a, b) => total(b) - total(a));
    // what leaves the beam begins anew if it is reached again
    for (const prefix of list.splice(beamWidth)) [prefix.blank, prefix.open] = [never, never];
    beam = list;
  }
  return beam
    .map((prefix) => {
      const labels = labelsOf(prefix);
      const ending = languageModel?.end ? languageWeight * languageModel.end(labels) : 0;
      return { labels, score: total(prefix) + ending };
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, results);
}
