/** The LSTM whose sums are normalised. */
import type { Parameter, Tensor } from '@nn/core';
import { type Layer, splitInto } from '../layer.ts';
import { LayerNorm } from '../normalization/normalization.ts';
import { type Cell, type LSTMState, PlainCell } from './cell.ts';
import { type LSTMResult, type LSTMStart, Recurrent, type RecurrentOptions } from './recurrent.ts';

export interface LayerNormLSTMOptions extends Omit<RecurrentOptions, 'bias'> {
  /** Added to the variances. Default 1e-5. */
  readonly epsilon?: number;
}

class LayerNormLSTMCell extends PlainCell implements Cell<LSTMState> {
  normIh: LayerNorm;
  normHh: LayerNorm;
  normC: LayerNorm;

  constructor(inputs: number, hidden: number, epsilon: number) {
    super('LayerNormLSTM', 4, inputs, hidden, { bias: false }, []);
    this.normIh = new LayerNorm(4 * hidden, { epsilon });
    this.normHh = new LayerNorm(4 * hidden, { epsilon });
    this.normC = new LayerNorm(hidden, { epsilon });
  }

  get widths(): { readonly hidden: number; readonly cell: number } {
    return { hidden: this.hidden, cell: this.hidden };
  }

  override members(): Readonly<Record<string, Parameter | Layer | null>> {
    return { ...super.members(), norm_ih: this.normIh, norm_hh: this.normHh, norm_c: this.normC };
  }

  override project(input: Tensor): Tensor {
    return this.normIh.forward(super.project(input));
  }

  step(projected: Tensor, state: LSTMState): LSTMState {
    const sums = projected.add(this.normHh.forward(state.hidden.matmul(this.weightHh.transpose())));
    const { i, f, g, o } = splitInto(['i', 'f', 'g', 'o'], sums);
    const cell = f.sigmoid().mul(state.cell).add(i.sigmoid().mul(g.tanh()));
    return { hidden: o.sigmoid().mul(this.normC.forward(cell).tanh()), cell };
  }
}

/**
 * An LSTM with layer normalisation: gates i, f, g, o = LN(W_ih x) + LN(W_hh h); c' = f c + i g; h' = o tanh(LN(c')).
 * (Ba, Kiros and Hinton 2016, equations 20 to 22; the norms have the biases.)
 *
 * Shapes and options are those of `LSTM`. Parameters of layer 0 are `weight_ih_l0`, `weight_hh_l0` and the weights and biases
 * of `norm_ih_l0`, `norm_hh_l0` and `norm_c_l0`. Throws ShapeError for an input or a state of another shape.
 *
 * @example
 * import { zeros } from '@nn/core';
 * import { LayerNormLSTM } from '@nn/layers';
 * console.log(new LayerNormLSTM(3, 5, { batchFirst: true }).forward(zeros([4, 10, 3])).output.shape); // => [4, 10, 5]
 */
export class LayerNormLSTM extends Recurrent<LSTMState> {
  constructor(inputs: number, hidden: number, options: LayerNormLSTMOptions = {}) {
    const { epsilon = 1e-5 } = options;
    super(
      'LayerNormLSTM',
      inputs,
      hidden,
      options,
      ['epsilon'],
      (width) => new LayerNormLSTMCell(width, hidden, epsilon),
    );
  }

  forward(input: Tensor, start: LSTMStart = {}): LSTMResult {
    return this.run(input, start);
  }
}
