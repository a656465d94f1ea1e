/**
 * What LSTM and GRU make of a state, given the products with their weights. Owns no weight, so that cells that multiply in another
 * way (with weights of few bits) have the same equations.
 */
import type { Tensor } from '@nn/core';
import { splitInto } from '../layer.ts';
import type { LSTMState } from './cell.ts';

/**
 * The states of an LSTM after a step: i, f, g, o are the quarters of `sums` = W_ih x + b_ih + W_hh h + b_hh along `axis`;
 * c' = f c + i g; h' = o tanh(c'). (Hochreiter and Schmidhuber 1997.)
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { lstmStep } from '@nn/layers';
 * console.log(lstmStep(zeros([4, 20]), zeros([4, 5])).hidden.shape); // => [4, 5]
 */
export function lstmStep(sums: Tensor, cell: Tensor, axis = -1): LSTMState {
  const { i, f, g, o } = splitInto(['i', 'f', 'g', 'o'], sums, axis);
  const next = f.sigmoid().mul(cell).add(i.sigmoid().mul(g.tanh()));
  return { hidden: o.sigmoid().mul(next.tanh()), cell: next };
}

/**
 * The state of a GRU after a step: r, z, n are the thirds of `input` = W_ih x + b_ih and of `recurrent` = W_hh h + b_hh along the last
 * axis; n = tanh(x_n + r h_n); h' = (1 - z) n + z h. (Cho et al. 2014, as cuDNN and PyTorch have it.)
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { gruStep } from '@nn/layers';
 * console.log(gruStep(zeros([4, 15]), zeros([4, 15]), zeros([4, 5])).shape); // => [4, 5]
 */
export function gruStep(input: Tensor, recurrent: Tensor, hidden: Tensor): Tensor {
  const x = splitInto(['r', 'z', 'n'], input);
  const h = splitInto(['r', 'z', 'n'], recurrent);
  const reset = x.r.add(h.r).sigmoid();
  const update = x.z.add(h.z).sigmoid();
  const candidate = x.n.add(reset.mul(h.n)).tanh();
  return candidate.add(update.mul(hidden.sub(candidate)));
}
