/**
 * Texts as rows of one length for a language model: one behind the other, cut where a row ends, with the number of the text at each
 * token so that attention keeps them apart. On the host; batches of the rows are made by a `DataLoader`.
 */
import { checkOptions, ValueError } from '@nn/core';

/** Targets that count nothing in a loss: the `ignoreIndex` of `crossEntropy` where none is given. */
export const ignored = -100;

export interface PackOptions {
  /** Tokens in a row. */
  readonly length: number;
  /** A token behind each text, which the model learns to end with. Default: none. */
  readonly endId?: number;
  /** What fills the last row. Default 0. */
  readonly paddingId?: number;
  /** Leaves out a last row that is not full. Default false. */
  readonly dropLast?: boolean;
}

/** int32 [rows, length] on the host, as a `Dataset` of @nn/data takes its fields. */
export interface PackedField {
  readonly data: Int32Array;
  readonly shape: readonly [rows: number, length: number];
}

/** A type, not an interface: `new Dataset(rows)` takes it by its names. */
export type PackedRows = {
  readonly inputs: PackedField;
  /** The token that comes next in the same text; -100, which `crossEntropy` ignores, where the text ends and in padding. */
  readonly targets: PackedField;
  /** 1, 2, ... for the texts of a row, 0 for padding: the `documents` of a decoder's call. */
  readonly documents: PackedField;
};

/**
 * Rows of `length` tokens from texts that were encoded, without padding but in the last one. A text that crosses the end of a row goes
 * on in the next, and no target is lost. Throws ValueError where there is no token that another one follows.
 *
 * @example
 * import { packTexts } from '@nn/text';
 * const { inputs, targets, documents } = packTexts([[5, 6, 7], [8, 9]], { length: 4, endId: 1 });
 * console.log([...inputs.data]); // => [ 5, 6, 7, 1, 8, 9, 1, 0 ]
 * console.log([...targets.data]); // => [ 6, 7, 1, -100, 9, 1, -100, -100 ]
 * console.log([...documents.data]); // => [ 1, 1, 1, 1, 1, 1, 1, 0 ]
 */
export function packTexts(texts: Iterable<ArrayLike<number>>, options: PackOptions): PackedRows {
  checkOptions('packTexts', options, ['length', 'endId', 'paddingId', 'dropLast']);
  const { length, endId, paddingId = 0, dropLast = false } = options;
  if (!Number.isInteger(length) || length < 1) {
    throw new ValueError('packTexts', `length is ${length}: it must be a whole number of tokens, at least 1.`, {
      length,
    });
  }
  const tokens: number[] = [];
  const next: number[] = [];
  const texted: number[] = [];
  let text = 0;
  for (const given of texts) {
    const own = Array.from(given);
    const wrong = own.findIndex((id) => !Number.isInteger(id) || id < 0);
    if (wrong >= 0) {
      throw new ValueError(
        'packTexts',
        `token ${wrong} of text ${text} is ${own[wrong]}: texts must be encoded, as by tokenizer.encode.`,
        { text, token: wrong },
      );
    }
    if (endId !== undefined) own.push(endId);
    for (const [i, id] of own.entries()) {
      tokens.push(id);
      next.push(own[i + 1] ?? ignored);
      texted.push(text);
    }
    text++;
  }
  const rows = dropLast ? Math.floor(tokens.length / length) : Math.ceil(tokens.length / length);
  const used = rows * length;
  if (!next.slice(0, used).some((id) => id !== ignored)) {
    throw new ValueError(
      'packTexts',
      `${text} texts of ${tokens.length} tokens in all have nothing to learn in rows of ${length}: no token that another one follows.`,
      { texts: text, tokens: tokens.length, length },
    );
  }
  const inputs = new Int32Array(used).fill(paddingId);
  const targets = new Int32Array(used).fill(ignored);
  const documents = new Int32Array(used);
  for (let at = 0; at < Math.min(used, tokens.length); at++) {
    inputs[at] = tokens[at]!;
    targets[at] = next[at]!;
    const isSame = at % length !== 0 && texted[at] === texted[at - 1];
    documents[at] = isSame ? documents[at - 1]! : at % length === 0 ? 1 : documents[at - 1]! + 1;
  }
  const field = (data: Int32Array): PackedField => ({ data, shape: [rows, length] });
  return { inputs: field(inputs), targets: field(targets), documents: field(documents) };
}
