/**
 * The features that are taken away or left: single elements of a sample, or groups of them. Owns which element belongs to which
 * feature, and what a model says of many choices of features at once.
 */
import { concat, type Shape, showShape, type Tensor, tensor, ValueError, vmap, where } from '@nn/core';
import { baselinesOf, checkedInputs } from '../model.ts';

export interface GroupOptions {
  /**
   * The feature of each element of a sample, row by row: 0 to features - 1. Elements of one feature come and go together.
   * Default: each element is a feature.
   */
  readonly groups?: ArrayLike<number> | undefined;
}

export interface Players {
  readonly count: number;
  /** The feature of each element of a sample. */
  readonly groups: Int32Array;
  /** [...], the shape of a sample. */
  readonly shape: Shape;
}

export function playersOf(operation: string, x: Tensor, groups: ArrayLike<number> | undefined): Players {
  checkedInputs(operation, x);
  const shape = x.shape.slice(1);
  const size = shape.reduce((product, n) => product * n, 1);
  const of = Int32Array.from({ length: size }, (_, i) => groups?.[i] ?? i);
  const count = of.reduce((most, group) => Math.max(most, group + 1), 0);
  const wrong = groups === undefined ? -1 : of.findIndex((group, i) => group < 0 || group !== groups[i]);
  if (groups !== undefined && (groups.length !== size || wrong >= 0)) {
    throw new ValueError(
      operation,
      groups.length === size
        ? `groups has ${groups[wrong]} at element ${wrong}: features are numbered 0, 1, 2, ...`
        : `groups has ${groups.length} numbers, a sample ${showShape(shape)} has ${size} elements: give one for each.`,
    );
  }
  return { count, groups: of, shape };
}

/** Rows of 0 and 1, one a feature: as bool [rows, ...shape of a sample]. */
export function maskOf({ groups, count, shape }: Players, rows: readonly Uint8Array[]): Tensor {
  const data = new Uint8Array(rows.length * groups.length);
  rows.forEach((row, r) => {
    for (let i = 0; i < groups.length; i++) data[r * groups.length + i] = row[groups[i] as number] as number;
  });
  if (count === 0) throw new ValueError('maskOf', 'a sample has no elements.');
  return tensor(data, { shape: [rows.length, ...shape], dtype: 'bool' });
}

/** What stands for a feature that is not there: one value, or all samples [B, ...] of a background, whose mean counts. */
export interface Absence {
  readonly baseline: Tensor;
  readonly background: Tensor | null;
}

export interface AbsenceOptions {
  /** Samples [B, ...] that stand for what is not there, in place of a baseline: the mean of their scores counts. */
  readonly background?: Tensor | undefined;
}

export function absenceOf(
  operation: string,
  x: Tensor,
  { baseline, background }: AbsenceOptions & { readonly baseline?: number | Tensor | undefined },
): Absence {
  const [base] = baselinesOf(operation, baseline, [x]);
  if (background !== undefined) {
    if (baseline !== undefined)
      throw new ValueError(operation, 'there are a baseline and a background: give one of them.');
    if (background.shape.slice(1).join() !== x.shape.slice(1).join()) {
      throw new ValueError(
        operation,
        `the background is ${showShape(background.shape)}, the input ${showShape(x.shape)}: give samples of the same shape.`,
      );
    }
  }
  return { baseline: base as Tensor, background: background ?? null };
}

/** About so many elements of input are looked at together. */
const ELEMENTS_AT_ONCE = 2 ** 22;

/**
 * The scores of all samples where only what `present` marks is there: [rows, N] in pieces, each a batch that fits into memory.
 * `present` is bool [rows, ...shape of a sample].
 */
export function scoresWith(
  score: (inputs: readonly Tensor[]) => Tensor,
  x: Tensor,
  absence: Absence,
  present: Tensor,
): Tensor[] {
  const { baseline, background } = absence;
  const one = (mask: Tensor): Tensor => {
    if (background === null) return score([where(mask, x, baseline)]);
    return vmap((b: Tensor) => score([where(mask, x, b)]))(background).mean(0);
  };
  const rows = present.shape[0] as number;
  const each = x.size * (background?.shape[0] ?? 1);
  const atOnce = Math.max(1, Math.min(rows, Math.floor(ELEMENTS_AT_ONCE / each)));
  const pieces: Tensor[] = [];
  for (let first = 0; first < rows; first += atOnce) {
    const none = present.shape.slice(1).map(() => null);
    const piece = present.slice([first, ...none.map(() => 0)], [Math.min(rows, first + atOnce), ...none]);
    pieces.push(vmap(one)(piece));
  }
  return pieces;
}

/** The same, read piece by piece: rows x N numbers. */
export async function readScores(pieces: readonly Tensor[]): Promise<Float64Array> {
  const parts: ArrayLike<number>[] = [];
  for (const piece of pieces) parts.push(await piece.data());
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The same as one tensor. */
export function joined(pieces: readonly Tensor[]): Tensor {
  return pieces.length === 1 ? (pieces[0] as Tensor) : concat(pieces, 0);
}

/** Numbers for each sample and feature [N x features], spread over the elements of each: [N, ...]. */
export function spread(values: ArrayLike<number>, samples: number, { groups, count, shape }: Players): Tensor {
  const data = new Float32Array(samples * groups.length);
  for (let n = 0; n < samples; n++) {
    for (let i = 0; i < groups.length; i++) {
      data[n * groups.length + i] = values[n * count + (groups[i] as number)] as number;
    }
  }
  return tensor(data, { shape: [samples, ...shape] });
}
