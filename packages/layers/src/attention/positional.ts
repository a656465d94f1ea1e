/** Encodings of position that are added to a sequence of vectors: fixed waves, and learned vectors. */
import { hostNormalLater, type Parameter, parameter, ShapeError, showShape, type Tensor, tensor } from '@nn/core';
import { type Layer, requireWhole } from '../layer.ts';
import { dropout } from '../noise/dropout.ts';

export interface PositionalEncodingOptions {
  /** Share of values dropped in training, after the sum. Default 0. */
  readonly dropout?: number;
  /** Whether inputs are [N, length, dimension]; otherwise they are [length, N, dimension]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean;
}

function lengthOf(layer: string, input: Tensor, dimension: number, batchFirst: boolean): number {
  if (input.rank !== 3 || input.shape[2] !== dimension) {
    throw new ShapeError(
      layer,
      `takes ${batchFirst ? '[N, length' : '[length, N'}, ${dimension}], got ${showShape(input.shape)}.`,
      { layer, shape: input.shape },
    );
  }
  return input.shape[batchFirst ? 1 : 0] ?? 0;
}

/**
 * Adds sin(p / 10000^(2i/d)) to the even and cos to the odd values of the vector at position p; the shape stays.
 * (Vaswani et al. 2017.) Has no parameters. Throws ShapeError for an input of another width.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { SinusoidalPositionalEncoding } from '@nn/layers';
 * const layer = new SinusoidalPositionalEncoding(2, { batchFirst: true });
 * console.log(await layer.forward(zeros([1, 1, 2])).array()); // => [[[0, 1]]]
 */
export class SinusoidalPositionalEncoding implements Layer {
  readonly dimension: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly #tables = new Map<number, Tensor>();

  constructor(dimension: number, options: PositionalEncodingOptions = {}) {
    this.dimension = dimension;
    requireWhole(String(this), 'dimension', dimension);
    this.dropout = options.dropout ?? 0;
    this.batchFirst = options.batchFirst ?? false;
  }

  /** Positions start at `offset`, for sequences that continue. */
  forward(input: Tensor, offset = 0): Tensor {
    const length = lengthOf(String(this), input, this.dimension, this.batchFirst);
    const rows = this.table(offset + length).slice([offset, 0], [offset + length, this.dimension]);
    return dropout(input.add(this.batchFirst ? rows : rows.unsqueeze(1)), this.dropout);
  }

  /** At least `length` rows, computed in double precision: a table for each power of 2, so that a call's is always the same. */
  private table(length: number): Tensor {
    const rows = Math.max(64, 2 ** Math.ceil(Math.log2(length)));
    const known = this.#tables.get(rows);
    if (known !== undefined) return known;
    const values = new Float32Array(rows * this.dimension);
    for (let position = 0; position < rows; position++) {
      for (let i = 0; i < this.dimension; i++) {
        const angle = position * 10000 ** (-(i - (i % 2)) / this.dimension);
        values[position * this.dimension + i] = i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
      }
    }
    const table = tensor(values, { shape: [rows, this.dimension], borrow: true });
    this.#tables.set(rows, table);
    return table;
  }

  toString(): string {
    return `SinusoidalPositionalEncoding(${this.dimension})`;
  }
}

/**
 * Adds a learned vector per position, for sequences of up to `maximumLength`; the shape stays.
 *
 * `weight` is [maximumLength, dimension], normal with deviation 0.02, as in GPT-2 and BERT. Throws ShapeError for an
 * input of another width or one that is too long.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LearnedPositionalEncoding } from '@nn/layers';
 * console.log(new LearnedPositionalEncoding(128, 8, { batchFirst: true }).forward(zeros([4, 10, 8])).shape); // => [4, 10, 8]
 */
export class LearnedPositionalEncoding implements Layer {
  readonly maximumLength: number;
  readonly dimension: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  weight: Parameter;

  constructor(maximumLength: number, dimension: number, options: PositionalEncodingOptions = {}) {
    this.maximumLength = maximumLength;
    this.dimension = dimension;
    requireWhole(String(this), 'maximumLength', maximumLength);
    requireWhole(String(this), 'dimension', dimension);
    this.dropout = options.dropout ?? 0;
    this.batchFirst = options.batchFirst ?? false;
    this.weight = parameter(hostNormalLater(maximumLength * dimension, 0.02), { shape: [maximumLength, dimension] });
  }

  /** Positions start at `offset`, for sequences that continue. */
  forward(input: Tensor, offset = 0): Tensor {
    const length = lengthOf(String(this), input, this.dimension, this.batchFirst);
    if (!(offset >= 0) || offset + length > this.maximumLength) {
      throw new ShapeError(
        String(this),
        `positions ${offset} to ${offset + length - 1} do not fit: it has ${this.maximumLength}. Make it longer, or cut the input.`,
        { layer: String(this), length, offset },
      );
    }
    const rows = this.weight.slice([offset, 0], [offset + length, this.dimension]);
    return dropout(input.add(this.batchFirst ? rows : rows.unsqueeze(1)), this.dropout);
  }

  toString(): string {
    return `LearnedPositionalEncoding(${this.maximumLength}, ${this.dimension})`;
  }
}
