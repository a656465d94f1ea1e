/**
 * Attention over long sequences, some queries at a time (Rabe and Staats 2021; Dao et al. 2022). A block sees all keys, so its
 * softmax is that of whole rows. The gradient computes the scores of each block again. Owns the order of that work: memory
 * stays linear because one block is through before the next begins.
 */
import { concat, customGradient, isTraining, ones, repeatable, type Shape, type Tensor, where, zeros } from '@nn/core';
import { countOf, sizeAt } from '../layer.ts';
import { dropout } from '../noise/dropout.ts';
import { apart, type KeysAndValues, weighed, withPrefix } from './prefix.ts';
import { type Neighbourhood, positionsOf, seen, sightOf, type Visibility } from './visibility.ts';

interface BlockOptions extends Visibility, Neighbourhood {
  readonly scale: number;
  readonly dropout?: number;
  readonly prefix?: KeysAndValues;
}

/** Queries from `start` to `stop`, and the keys that they may see: from `first` to `last`. */
interface Block {
  readonly start: number;
  readonly stop: number;
  readonly first: number;
  readonly last: number;
}

/** The output of `attention`, `rows` queries at a time. */
export function attendInBlocks(query: Tensor, key: Tensor, value: Tensor, options: BlockOptions, rows: number): Tensor {
  const blocks = blocksOf(sizeAt(query, -2), sizeAt(key, -2), options, rows);
  const { bias, slopes, prefix } = options;
  const extra = [prefix?.key, prefix?.value, bias, slopes].filter((part) => part !== undefined);
  const all = [query, key, value, ...extra];
  // the draws of each block's dropout, so that its gradient drops the same weights
  const drawn = blocks.map((block) => repeatable(() => kept(query, key, block, options)));
  const shape = [...leadOf(query, key), sizeAt(query, -2), sizeAt(value, -1)];
  const forward = (): Tensor =>
    blocks.reduce((output, block, i) => {
      const { weights } = look(query, key, block, options);
      const v = rowsOf(value, block.first, block.last);
      const rows = weighed(dropped(weights, drawn[i]?.result ?? null), v, prefix);
      // not one concat of all, which would wait for the weights of all blocks
      return output.update([...shape.slice(0, -2).map(() => 0), block.start, 0], rows);
    }, zeros(shape));
  const again = (i: number, block: Block): Tensor | null =>
    drawn[i]?.repeat(() => kept(query, key, block, options)) ?? null;
  return customGradient(forward, (g) => gradientsOf(g, query, key, value, options, blocks, again))(...all);
}

/**
 * Where nothing but the position hides, keys that no query of a block sees are left out. There are few widths, so that one
 * block's memory fits the next: a quarter of all keys and its multiples, or that of a window.
 */
function blocksOf(queries: number, keys: number, options: BlockOptions, rows: number): Block[] {
  const { visible, hidden, bias, positions, causal = false, window } = options;
  // otherwise a row may see nothing, and then it is a mean of all keys
  const isPlain = !visible && !hidden && !bias && !positions && keys >= queries;
  const quarter = Math.ceil(keys / 4);
  const reach = (window ?? keys) - 1;
  const width = rows + (causal ? reach : 2 * reach);
  return Array.from({ length: Math.ceil(queries / rows) }, (_, i) => {
    const start = i * rows;
    const stop = Math.min(start + rows, queries);
    if (!isPlain) return { start, stop, first: 0, last: keys };
    if (window !== undefined && width < keys) {
      const first = Math.min(Math.max(0, start - reach), keys - width);
      return { start, stop, first, last: first + width };
    }
    return { start, stop, first: 0, last: causal ? Math.min(keys, Math.ceil(stop / quarter) * quarter) : keys };
  });
}

/** Some rows of what has rows: an axis of 1 stands for all. */
function rowsOf(x: Tensor, start: number, stop: number, axis: number = x.rank - 2): Tensor {
  const size = x.shape[axis] ?? 0;
  if (size === 1 || (start === 0 && stop === size)) return x;
  return x.at(...x.shape.map((_, a) => (a === axis ? [start, stop] : [])));
}

/** The part of a mask, a bias or slopes that lies over a block. */
function over<Mask extends Tensor | undefined>(mask: Mask, { start, stop, first, last }: Block): Mask | Tensor {
  if (mask === undefined) return mask;
  const rows = mask.rank < 2 ? mask : rowsOf(mask, start, stop);
  return rows.rank < 1 ? rows : rowsOf(rows, first, last, rows.rank - 1);
}

function optionsOver(options: BlockOptions, block: Block): BlockOptions {
  const { visible, hidden, bias, slopes } = options;
  return {
    ...options,
    ...(visible && { visible: over(visible, block) }),
    ...(hidden && { hidden: over(hidden, block) }),
    ...(bias && { bias: over(bias, block) }),
    ...(slopes && { slopes: over(slopes, block) }),
  };
}

interface Look {
  readonly weights: Tensor;
  readonly hidden: Tensor | null;
  readonly distance: Tensor;
  readonly q: Tensor;
  readonly k: Tensor;
}

/** The weights of a block [..., rows, keys], those of a prefix in front. */
function look(query: Tensor, key: Tensor, block: Block, options: BlockOptions): Look {
  const { start, stop, first, last } = block;
  const inner = optionsOver(options, block);
  const q = rowsOf(query, start, stop);
  const k = rowsOf(key, first, last);
  const places = positionsOf(options, start, stop - start, sizeAt(key, -2));
  const sight = sightOf(inner, { query: places.query, key: rowsOf(places.key, first, last, 0) });
  const own = seen(q.matmul(k.transpose()).mul(options.scale), inner, sight);
  const scores = withPrefix(q, own, options.scale, options.prefix);
  return { weights: scores.softmax(-1), ...sight, q, k };
}

/** The axes before the rows, as the scores have them. */
function leadOf(query: Tensor, key: Tensor): Shape {
  return query.matmul(key.transpose()).shape.slice(0, -2);
}

/** What the dropout of a block leaves of weights that are all 1; null where it does nothing. */
function kept(query: Tensor, key: Tensor, { start, stop, first, last }: Block, options: BlockOptions): Tensor | null {
  const rate = options.dropout ?? 0;
  if (rate === 0 || !isTraining()) return null;
  const front = options.prefix === undefined ? 0 : sizeAt(options.prefix.key, -2);
  return dropout(ones([...leadOf(query, key), stop - start, front + last - first]), rate);
}

const dropped = (weights: Tensor, keep: Tensor | null): Tensor => (keep === null ? weights : weights.mul(keep));

/** Sums away the axes along which a tensor of `shape` was repeated. */
function sumTo(x: Tensor, shape: Shape): Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((size, axis) => (axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : []));
  return axes.length === 0 ? x : x.sum(axes, { keepAxes: true }).reshape(shape);
}

/** Rows in their place among zeros: those of `whole` from `start` on. */
function placed(rows: Tensor, start: number, whole: Tensor): Tensor {
  const axis = whole.rank - 2;
  const after = sizeAt(whole, axis) - start - sizeAt(rows, axis);
  return rows.pad(rows.shape.map((_, a) => (a === axis ? [start, after] : [0, 0])));
}

/**
 * With weights P = softmax(S), S = scale Q K^T + ..., and what dropout keeps M: O = (P M) V, so
 * dV = (P M)^T dO; dP = (dO V^T) M; dS = P (dP - rowsum(P dP)); dQ = scale dS K; dK = scale dS^T Q. Keys and values of a prefix
 * are the first of K and V.
 */
function gradientsOf(
  g: Tensor,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: BlockOptions,
  blocks: readonly Block[],
  keptAgain: (i: number, block: Block) => Tensor | null,
): (Tensor | null)[] {
  const { scale, bias, slopes, prefix } = options;
  const whole = [query, key, value, ...(prefix === undefined ? [] : [prefix.key, prefix.value])];
  const ofBias: Tensor[] = [];
  let ofSlopes: Tensor | null = null;
  // One tensor has the sums of all gradients so far: what asks for a part of it asks for a whole block before the next.
  const shapes = whole.map(({ shape }) => shape);
  let sums = shapes.map((shape) => zeros(shape));
  for (const [i, block] of blocks.entries()) {
    const { start, stop, first, last } = block;
    const { weights, hidden, distance, q, k } = look(query, key, block, options);
    const keep = keptAgain(i, block);
    const out = rowsOf(g, start, stop);
    const v = rowsOf(value, first, last);
    const front = prefix && { key: prefix.value, value: prefix.value };
    const ofWeights = dropped(withPrefix(out, out.matmul(v.transpose()), 1, front), keep);
    const all = apart(weights.mul(ofWeights.sub(weights.mul(ofWeights).sum(-1, { keepAxes: true }))), prefix);
    const ofScores = hidden === null ? all.rest : where(hidden, 0, all.rest);
    const used = apart(dropped(weights, keep), prefix);
    const ofQuery = ofScores.matmul(k);
    const ofFront =
      prefix && all.front && used.front
        ? {
            query: all.front.matmul(prefix.key),
            key: sumTo(all.front.transpose().matmul(q).mul(scale), prefix.key.shape),
            value: sumTo(used.front.transpose().matmul(out), prefix.value.shape),
          }
        : null;
    const ofQueries = ofFront === null ? ofQuery : ofQuery.add(ofFront.query);
    const parts = [
      placed(sumTo(ofQueries.mul(scale), q.shape), start, query),
      placed(sumTo(ofScores.transpose().matmul(q).mul(scale), k.shape), first, key),
      placed(sumTo(used.rest.transpose().matmul(out), v.shape), first, value),
      ...(ofFront === null ? [] : [ofFront.key, ofFront.value]),
    ];
    const joined = concat(parts.map((part, at) => (sums[at] ?? part).add(part).reshape([-1])));
    sums = joined.split(shapes.map(countOf)).map((piece, at) => piece.reshape(shapes[at] ?? []));
    if (bias !== undefined) ofBias.push(ofScores);
    if (slopes !== undefined) {
      const sum = sumTo(ofScores.mul(distance).neg(), over(slopes, block).shape);
      ofSlopes = ofSlopes === null ? sum : ofSlopes.add(sum);
    }
  }
  return [
    ...sums,
    ...(bias === undefined ? [] : [sumTo(concat(ofBias, g.rank - 2), bias.shape)]),
    ...(slopes === undefined ? [] : [ofSlopes]),
  ];
}
