/**
 * The cells of Keras' recurrent layers: parameters of nn's layers (PyTorch's order of gates), with Keras' activations, and the
 * GRU whose reset gate acts before the product. How they walk along time is `recurrent.ts`.
 */
import type { Parameter, Tensor } from '@nn/core';
import { dropout, GRU, LSTM, RNN } from '@nn/layers';
import type { Settings } from '../config/settings.ts';
import { gateBias, gateKernel, type Variable } from '../weights/variable.ts';
import { activationOf } from './activations.ts';
import type { BuildContext } from './layer.ts';

/** A step of a cell: the states after it, of which the first is the output. */
export interface KerasCell {
  readonly module: object;
  readonly variables: readonly Variable[];
  /** The widths of its states. */
  readonly widths: readonly number[];
  /** The part of a step that needs no state, for all steps at once: [..., inputs] to [..., gates * units]. */
  project(x: Tensor): Tensor;
  step(projected: Tensor, states: readonly Tensor[]): readonly Tensor[];
  /** The same along x [N, steps, inputs] by nn's own layer, where that computes the same; null where it does not. */
  readonly run: ((x: Tensor, states: readonly Tensor[]) => Walked) | null;
}

/** What a walk along time gives: [N, steps, width], the last output, and the last states. */
export interface Walked {
  readonly outputs: Tensor;
  readonly last: Tensor;
  readonly states: readonly Tensor[];
}

/** PyTorch's gates by Keras' positions: i f c o to i f g o, z r h to r z n. */
const lstmOrder = [0, 1, 2, 3];
const gruOrder = [1, 0, 2];

interface Parts {
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh: Parameter | null;
  readonly biasHh: Parameter | null;
}

function variablesOf(
  parts: Parts,
  inputs: number,
  units: number,
  order: readonly number[],
  biasShape: readonly number[],
): Variable[] {
  const width = order.length * units;
  const variables = [
    gateKernel({ name: 'kernel', path: 'vars/0' }, parts.weightIh, [inputs, width], order),
    gateKernel({ name: 'recurrent_kernel', path: 'vars/1' }, parts.weightHh, [units, width], order),
  ];
  if (parts.biasIh && parts.biasHh) {
    variables.push(gateBias({ name: 'bias', path: 'vars/2' }, [parts.biasIh, parts.biasHh], biasShape, order));
  }
  return variables;
}

/**
 * The weights of cuDNN's layers: each gate's block of a kernel holds, row by row, the matrix [units, inputs] that PyTorch has;
 * the biases of inputs and of states stand one behind the other.
 */
function cudnnVariables(parts: Parts, inputs: number, units: number, order: readonly number[]): Variable[] {
  const blocks = (name: string, path: string, parameter: Parameter, rows: number): Variable => {
    const width = order.length * units;
    return {
      ...{ name, path, shape: [rows, width], isTrainable: true, parameters: [parameter] },
      decode: (values) => {
        const result = new Float32Array(values.length);
        order.forEach((gate, to) => {
          for (let k = 0; k < rows * units; k++) {
            const [row, column] = [Math.floor(k / units), k % units];
            result[to * rows * units + k] = values[row * width + gate * units + column]!;
          }
        });
        return [result];
      },
      encode: ([values = new Float32Array()]) => {
        const result = new Float32Array(values.length);
        order.forEach((gate, to) => {
          for (let k = 0; k < rows * units; k++) {
            const [row, column] = [Math.floor(k / units), k % units];
            result[row * width + gate * units + column] = values[to * rows * units + k]!;
          }
        });
        return result;
      },
    };
  };
  const variables = [
    blocks('kernel', 'vars/0', parts.weightIh, inputs),
    blocks('recurrent_kernel', 'vars/1', parts.weightHh, units),
  ];
  if (parts.biasIh && parts.biasHh) {
    const shape = [2 * order.length * units];
    variables.push(gateBias({ name: 'bias', path: 'vars/2' }, [parts.biasIh, parts.biasHh], shape, order));
  }
  return variables;
}

function projection({ weightIh, biasIh }: Parts, x: Tensor): Tensor {
  const product = x.matmul(weightIh.transpose());
  return biasIh ? product.add(biasIh) : product;
}

function ofState({ weightHh, biasHh }: Parts, hidden: Tensor): Tensor {
  const product = hidden.matmul(weightHh.transpose());
  return biasHh ? product.add(biasHh) : product;
}

/** The part of the state that recurrent dropout leaves in training. */
function kept(settings: Settings, hidden: Tensor): Tensor {
  return dropout(hidden, settings.number('recurrent_dropout', 0));
}

/** Whether an activation is given by this name, or not at all. */
function isNamed(settings: Settings, setting: string, name: string): boolean {
  return (settings.raw(setting) ?? name) === name;
}

const isCudnn = (settings: Settings): boolean => settings.className.startsWith('CuDNN');

/** The default of the gates' activation: hard_sigmoid in Keras before tf.keras 2.0, which wrote it down. */
const gateActivation = (settings: Settings): string => (settings.generation === 1 ? 'hard_sigmoid' : 'sigmoid');

/** Whether activations are those of nn's layers. */
function isStandard(settings: Settings): boolean {
  return (
    isNamed(settings, 'activation', 'tanh') &&
    (settings.raw('recurrent_activation') ?? gateActivation(settings)) === 'sigmoid' &&
    settings.number('recurrent_dropout', 0) === 0
  );
}

function runOf(module: GRU | RNN): KerasCell['run'] {
  return (x, [hidden]) => {
    const result = module.forward(x, { hidden: hidden!.unsqueeze(0) });
    const last = result.hidden.squeeze(0);
    return { outputs: result.output, last, states: [last] };
  };
}

export function lstmCell(settings: Settings, inputs: number, context: BuildContext): KerasCell {
  const units = settings.whole('units');
  const bias = settings.flag('use_bias', true);
  context.reserve(settings, [inputs + units, 4 * units], bias ? [4 * units] : [0]);
  const module = new LSTM(inputs, units, { bias, batchFirst: true });
  const parts = module.cells[0]!;
  const inner = activationOf(settings, context, 'activation', 'tanh');
  const gate = activationOf(settings, context, 'recurrent_activation', gateActivation(settings));
  const variables = isCudnn(settings)
    ? cudnnVariables(parts, inputs, units, lstmOrder)
    : variablesOf(parts, inputs, units, lstmOrder, [4 * units]);
  return {
    module,
    variables,
    widths: [units, units],
    run: isStandard(settings)
      ? (x, [hidden, cell]) => {
          const result = module.forward(x, { hidden: hidden!.unsqueeze(0), cell: cell!.unsqueeze(0) });
          const last = result.hidden.squeeze(0);
          return { outputs: result.output, last, states: [last, result.cell.squeeze(0)] };
        }
      : null,
    project: (x) => projection(parts, x),
    step: (projected, [hidden, cell]) => {
      const sums = projected.add(ofState(parts, kept(settings, hidden!)));
      const [i, f, g, o] = sums.split(4, -1) as [Tensor, Tensor, Tensor, Tensor];
      const next = gate(f, 1)
        .mul(cell!)
        .add(gate(i, 1).mul(inner(g, 1)));
      return [gate(o, 1).mul(inner(next, 1)), next];
    },
  };
}

export function gruCell(settings: Settings, inputs: number, context: BuildContext): KerasCell {
  const units = settings.whole('units');
  const bias = settings.flag('use_bias', true);
  // the default since tf.keras 2.0; before it was always before the product
  const resetsAfter = isCudnn(settings) || settings.flag('reset_after', settings.generation === 3);
  context.reserve(settings, [inputs + units, 3 * units], bias ? [6 * units] : [0]);
  const module = new GRU(inputs, units, { bias, batchFirst: true });
  const parts = module.cells[0]!;
  const inner = activationOf(settings, context, 'activation', 'tanh');
  const gate = activationOf(settings, context, 'recurrent_activation', gateActivation(settings));
  const variables = isCudnn(settings)
    ? cudnnVariables(parts, inputs, units, gruOrder)
    : variablesOf(parts, inputs, units, gruOrder, resetsAfter ? [2, 3 * units] : [3 * units]);
  return {
    module,
    variables,
    widths: [units],
    run: resetsAfter && isStandard(settings) ? runOf(module) : null,
    project: (x) => projection(parts, x),
    step: (projected, [state]) => {
      const hidden = kept(settings, state!);
      const [xr, xz, xn] = projected.split(3, -1) as [Tensor, Tensor, Tensor];
      if (resetsAfter) {
        const [hr, hz, hn] = ofState(parts, hidden).split(3, -1) as [Tensor, Tensor, Tensor];
        const z = gate(xz.add(hz), 1);
        const n = inner(xn.add(gate(xr.add(hr), 1).mul(hn)), 1);
        return [n.add(z.mul(state!.sub(n)))];
      }
      // n = tanh(x_n + W_hn (r h)): the reset gate acts on the state
      const [wr, wz, wn] = parts.weightHh.split(3, 0) as [Tensor, Tensor, Tensor];
      const [br, bz, bn] = (parts.biasHh?.split(3, 0) ?? [0, 0, 0]) as [Tensor, Tensor, Tensor];
      const r = gate(xr.add(hidden.matmul(wr.transpose())).add(br), 1);
      const z = gate(xz.add(hidden.matmul(wz.transpose())).add(bz), 1);
      const n = inner(xn.add(r.mul(hidden).matmul(wn.transpose())).add(bn), 1);
      return [n.add(z.mul(state!.sub(n)))];
    },
  };
}

export function simpleCell(settings: Settings, inputs: number, context: BuildContext): KerasCell {
  const units = settings.whole('units');
  const bias = settings.flag('use_bias', true);
  context.reserve(settings, [inputs + units, units], bias ? [units] : [0]);
  const module = new RNN(inputs, units, { bias, batchFirst: true });
  const parts = module.cells[0]!;
  const inner = activationOf(settings, context, 'activation', 'tanh');
  return {
    module,
    variables: variablesOf(parts, inputs, units, [0], [units]),
    widths: [units],
    run:
      isNamed(settings, 'activation', 'tanh') && settings.number('recurrent_dropout', 0) === 0 ? runOf(module) : null,
    project: (x) => projection(parts, x),
    step: (projected, [hidden]) => [inner(projected.add(ofState(parts, kept(settings, hidden!))), 1)],
  };
}
