/**
 * Ghost norms of RNN, LSTM and GRU: along time their weights multiply the inputs and the states before, so each is a product
 * with as many positions as there are steps. Owns the gradients of the two products; the walk is the layer's.
 */
import { concat, isTensor, type Parameter, type Tensor, zeros } from '@nn/core';
import { GRU, LSTM, RNN, type Watched } from '@nn/layers';
import { type Contribution, product, sum } from './contribution.ts';
import type { Call } from './watching.ts';

/** What the cells of PyTorch have. */
interface PlainCell {
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh: Parameter | null;
  readonly biasHh: Parameter | null;
}

type Plain = RNN | LSTM | GRU;

/** Whether the call is one whose states can be read off its results. */
export function isPlainRecurrent({ unit: { layer }, inputs: [, start], projections }: Call): boolean {
  if (!isPlain(layer) || projections.length !== layer.cells.length) return false;
  if (layer.layers > 1 && layer.dropout > 0) return false;
  if (layer instanceof LSTM && layer.projection !== null) return false;
  if (start === undefined) return true;
  if (typeof start !== 'object' || start === null || ('mask' in start && start.mask !== undefined)) return false;
  // backwards, padding comes first, and its outputs are 0, which is the state only where that starts at 0
  const hasState = 'hidden' in start && start.hidden !== undefined;
  return !(hasState && 'lengths' in start && start.lengths !== undefined && layer.bidirectional);
}

function isPlain(layer: Watched): layer is Plain {
  return [RNN, LSTM, GRU].some((kind) => layer.constructor === kind);
}

/** What every cell of the call adds, given the slopes of its products with the inputs. */
export function recurrentUses(layer: Watched, call: Call, slopes: readonly (Tensor | null)[]): Contribution[] {
  if (!isPlain(layer)) return [];
  const directions = layer.bidirectional ? 2 : 1;
  return layer.cells.flatMap((cell: PlainCell, k) => {
    const [slope, projection] = [slopes[k] ?? null, call.projections[k]];
    if (slope === null || projection === undefined) return [];
    const [sequence, projected] = projection;
    const [level, direction] = [Math.floor(k / directions), k % directions];
    const states = statesBefore(layer, call, level, direction);
    const [d, a, h] = [slope, sequence, states].map((x) => x.transpose(0, 1)) as [Tensor, Tensor, Tensor]; // the cast: three of three
    const inner = layer instanceof GRU ? insideReset(cell, projected.transpose(0, 1), h, d) : d;
    const uses = [product(cell.weightIh, a, d), product(cell.weightHh, h, inner)];
    if (cell.biasIh !== null) uses.push(sum(cell.biasIh, d));
    if (cell.biasHh !== null) uses.push(sum(cell.biasHh, inner));
    return uses.filter(({ parameter }) => parameter.trainable);
  });
}

/** The states that the steps of one cell started from, [length, N, hidden]. */
function statesBefore(
  layer: Plain,
  { inputs: [, start], output, projections }: Call,
  level: number,
  direction: number,
): Tensor {
  const directions = layer.bidirectional ? 2 : 1;
  const above = projections[(level + 1) * directions]?.[0];
  const top = output as { readonly output: Tensor }; // the cast: what recurrent layers give
  const all = above ?? (layer.batchFirst ? top.output.transpose(0, 1) : top.output);
  const [length, rows] = all.shape as readonly [number, number];
  const own = all.split(directions, 2)[direction]!;
  const given = typeof start === 'object' && start !== null && 'hidden' in start ? start.hidden : undefined;
  const first = isTensor(given)
    ? given.at(level * directions + direction).unsqueeze(0)
    : zeros([1, rows, layer.hidden]);
  if (length === 1) return first;
  return direction === 0 ? concat([first, own.slice([0], [length - 1])], 0) : concat([own.slice([1]), first], 0);
}

/** The slopes of a GRU's product with the state, in which n is multiplied by the reset gate: (dr, dz, r dn). */
function insideReset(cell: PlainCell, projected: Tensor, states: Tensor, slopes: Tensor): Tensor {
  const product = states.matmul(cell.weightHh.transpose());
  const recurrent = cell.biasHh === null ? product : product.add(cell.biasHh);
  const reset = projected.split(3, 2)[0]!.add(recurrent.split(3, 2)[0]!).sigmoid();
  const [r, z, n] = slopes.split(3, 2) as [Tensor, Tensor, Tensor]; // the cast: three of three
  return concat([r, z, n.mul(reset)], 2);
}
