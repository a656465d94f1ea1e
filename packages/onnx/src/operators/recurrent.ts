/**
 * LSTM, GRU and RNN in every direction and layout, with peepholes, clipping, lengths and any of ONNX's activations. The inputs
 * of all steps are multiplied at once; the steps themselves are one loop (`scan`) on the device.
 */
import { scan, stack, type Tensor, tensor, where, zeros } from '@nn/core';
import { type Call, device, type Operator, type Result } from '../run/call.ts';
import { narrow, reversedRows } from './movement.ts';

type Activation = (x: Tensor) => Tensor;

/** An activation by its name; alpha and beta have a default for each. */
function activationOf(call: Call, name: string, alpha: number | undefined, beta: number | undefined): Activation {
  switch (name.toLowerCase()) {
    case 'sigmoid':
      return (x) => x.sigmoid();
    case 'tanh':
      return (x) => x.tanh();
    case 'relu':
      return (x) => x.relu();
    case 'affine':
      return (x) => x.mul(alpha ?? 1).add(beta ?? 0);
    case 'leakyrelu':
      return (x) => where(x.less(0), x.mul(alpha ?? 0.01), x);
    case 'thresholdedrelu':
      return (x) => where(x.greater(alpha ?? 1), x, 0);
    case 'scaledtanh':
      return (x) =>
        x
          .mul(beta ?? 1)
          .tanh()
          .mul(alpha ?? 1);
    case 'hardsigmoid':
      return (x) =>
        x
          .mul(alpha ?? 0.2)
          .add(beta ?? 0.5)
          .clamp(0, 1);
    case 'elu':
      return (x) =>
        where(
          x.less(0),
          x
            .minimum(0)
            .exp()
            .sub(1)
            .mul(alpha ?? 1),
          x,
        );
    case 'softsign':
      return (x) => x.div(x.abs().add(1));
    case 'softplus':
      return (x) => x.softplus();
    default:
      throw call.error(`activation '${name}' is not known.`);
  }
}

/** One direction of a recurrent node. */
interface Direction {
  readonly input: Tensor;
  readonly weights: Tensor;
  readonly recurrent: Tensor;
  readonly bias: Tensor;
  readonly activations: readonly Activation[];
  readonly hidden: Tensor;
  readonly cell: Tensor;
  readonly peepholes: Tensor | null;
}

interface State {
  hidden: Tensor;
  cell: Tensor;
}

type Step = (projected: Tensor, state: State) => State;
type MakeStep = (call: Call, direction: Direction, size: number) => Step;

const columns = (x: Tensor, k: number, size: number): Tensor => narrow(x, x.rank - 1, k * size, (k + 1) * size);

const makeRnn: MakeStep = (_, { recurrent, activations: [f] }) => {
  const turned = recurrent.transpose();
  return (projected, { hidden, cell }) => ({ hidden: f!(projected.add(hidden.matmul(turned))), cell });
};

/** Gates z, r, h. With `linear_before_reset` the reset acts on the product, as in PyTorch. */
const makeGru: MakeStep = (call, { recurrent, bias, activations: [f, g] }, size) => {
  const isLinearFirst = call.flag('linear_before_reset');
  const ofGates = narrow(recurrent, 0, 0, 2 * size).transpose();
  const ofNew = narrow(recurrent, 0, 2 * size, 3 * size).transpose();
  const all = recurrent.transpose();
  const newBias = narrow(bias, 0, 5 * size, 6 * size);
  return (projected, { hidden, cell }) => {
    const product = isLinearFirst ? hidden.matmul(all) : hidden.matmul(ofGates);
    const gate = (k: number): Tensor => f!(columns(projected, k, size).add(columns(product, k, size)));
    const update = gate(0);
    const reset = gate(1);
    const inner = isLinearFirst
      ? reset.mul(columns(product, 2, size).add(newBias))
      : reset.mul(hidden).matmul(ofNew).add(newBias);
    const candidate = g!(columns(projected, 2, size).add(inner));
    return { hidden: candidate.add(update.mul(hidden.sub(candidate))), cell };
  };
};

/** Gates i, o, f, c; peepholes i, o, f. */
const makeLstm: MakeStep = (call, { recurrent, peepholes, activations: [f, g, h] }, size) => {
  const turned = recurrent.transpose();
  const isCoupled = call.flag('input_forget');
  return (projected, { hidden, cell }) => {
    const sum = projected.add(hidden.matmul(turned));
    const peep = (k: number, c: Tensor): Tensor =>
      peepholes === null ? columns(sum, k, size) : columns(sum, k, size).add(columns(peepholes, k, size).mul(c));
    const input = f!(peep(0, cell));
    const forget = isCoupled ? input.neg().add(1) : f!(peep(2, cell));
    const next = forget.mul(cell).add(input.mul(g!(columns(sum, 3, size))));
    return { hidden: f!(peep(1, next)).mul(h!(next)), cell: next };
  };
};

const kinds = {
  RNN: { gates: 1, activations: ['Tanh'], make: makeRnn },
  GRU: { gates: 3, activations: ['Sigmoid', 'Tanh'], make: makeGru },
  LSTM: { gates: 4, activations: ['Sigmoid', 'Tanh', 'Tanh'], make: makeLstm },
} as const;

function recurrent(kind: keyof typeof kinds): Operator {
  const { gates, activations: usual, make } = kinds[kind];
  return (call: Call): Result => {
    const isBatchFirst = call.integer('layout', 0) === 1;
    const x = isBatchFirst ? call.tensor(0).transpose(0, 1) : call.tensor(0);
    const [weights, state] = [call.tensor(1), call.tensor(2)];
    const batch = x.shape[1]!;
    const size = call.integer('hidden_size', state.shape[2] ?? 0);
    const count = weights.shape[0]!;
    const way = call.text('direction', 'forward');
    const bias = call.optionalTensor(3) ?? zeros([count, 2 * gates * size]);
    const lengths = call.optionalTensor(4);
    const startOf = (position: number): Tensor => {
      const given = call.optionalTensor(position);
      if (given === null) return zeros([count, batch, size]);
      return isBatchFirst ? given.transpose(0, 1) : given;
    };
    const [hidden, cell] = [startOf(5), startOf(6)];
    const peepholes = kind === 'LSTM' ? call.optionalTensor(7) : null;
    const names = call.texts('activations');
    const alphas = [...call.floats('activation_alpha', [])];
    const betas = [...call.floats('activation_beta', [])];
    const results = Array.from({ length: count }, (_, k) => {
      const activations = usual.map((name, position) => {
        const asked = names[k * usual.length + position] ?? name;
        const [takesAlpha, takesBeta] = parametersOf(asked);
        return activationOf(
          call,
          asked,
          takesAlpha ? alphas.shift() : undefined,
          takesBeta ? betas.shift() : undefined,
        );
      });
      const row = (t: Tensor): Tensor => narrow(t, 0, k, k + 1).squeeze(0);
      const direction: Direction = {
        input: x,
        weights: row(weights),
        recurrent: row(state),
        bias: row(bias),
        activations,
        hidden: row(hidden),
        cell: row(cell),
        peepholes: peepholes === null ? null : row(peepholes),
      };
      return oneWay(call, direction, make, gates, size, lengths, way === 'reverse' || k === 1);
    });
    const order = (t: Tensor, axes: number[]): Tensor => (isBatchFirst ? t.permute(axes) : t);
    const all = order(
      stack(
        results.map(({ outputs }) => outputs),
        1,
      ),
      [2, 0, 1, 3],
    );
    const last = order(
      stack(
        results.map(({ state: { hidden: h } }) => h),
        0,
      ),
      [1, 0, 2],
    );
    const lastCell = order(
      stack(
        results.map(({ state: { cell: c } }) => c),
        0,
      ),
      [1, 0, 2],
    );
    const type = call.type(0);
    const given = [device(type, all), device(type, last), device(type, lastCell)];
    return given.slice(0, kind === 'LSTM' ? 3 : 2);
  };
}

/** Which activations take numbers of the lists `activation_alpha` and `activation_beta`. */
function parametersOf(name: string): readonly [alpha: boolean, beta: boolean] {
  const lower = name.toLowerCase();
  const both = ['affine', 'scaledtanh', 'hardsigmoid'].includes(lower);
  return [both || ['leakyrelu', 'thresholdedrelu', 'elu'].includes(lower), both];
}

function oneWay(
  call: Call,
  direction: Direction,
  make: MakeStep,
  gates: number,
  size: number,
  lengths: Tensor | null,
  isReverse: boolean,
): { outputs: Tensor; state: State } {
  const { input, weights, bias } = direction;
  const [steps, batch, width] = input.shape as [number, number, number];
  const clip = call.attribute('clip') === undefined ? null : call.float('clip', 0);
  const clipped = (f: Activation): Activation => (clip === null ? f : (x) => f(x.clamp(-clip, clip)));
  const step = make(call, { ...direction, activations: direction.activations.map(clipped) }, size);
  const turnsRows = isReverse && lengths !== null;
  const rows = turnsRows ? reversedRows(input, lengths, 0, 1) : input;
  // what the recurrent product adds is known beforehand, too, but for the new gate of a GRU, which is reset
  const inputBias = narrow(bias, 0, 0, gates * size);
  const recurrentBias = narrow(bias, 0, gates * size, 2 * gates * size);
  const constantBias = gates === 3 ? narrow(recurrentBias, 0, 0, 2 * size).pad([[0, size]]) : recurrentBias;
  const projected = rows
    .reshape([steps * batch, width])
    .matmul(weights.transpose())
    .add(inputBias.add(constantBias))
    .reshape([steps, batch, gates * size]);
  const start = { hidden: direction.hidden, cell: direction.cell };
  if (lengths === null) {
    const { carry, outputs } = scan(
      (state: State, row: Tensor) => {
        const next = step(row, state);
        return { carry: next, output: next.hidden };
      },
      start,
      projected,
      { reverse: isReverse },
    );
    return { outputs, state: carry };
  }
  const counts = tensor(Int32Array.from({ length: steps }, (_, k) => k)).reshape([steps, 1, 1]);
  const inside = counts.less(lengths.cast('int32').reshape([1, batch, 1]));
  const { carry, outputs } = scan(
    (state: State, [row, isInside]: [Tensor, Tensor]) => {
      const next = step(row, state);
      const kept = { hidden: where(isInside, next.hidden, state.hidden), cell: where(isInside, next.cell, state.cell) };
      return { carry: kept, output: where(isInside, next.hidden, 0) };
    },
    start,
    [projected, inside] as [Tensor, Tensor],
  );
  return { outputs: turnsRows ? reversedRows(outputs, lengths, 0, 1) : outputs, state: carry };
}

export const recurrence: Readonly<Record<string, Operator>> = {
  LSTM: recurrent('LSTM'),
  GRU: recurrent('GRU'),
  RNN: recurrent('RNN'),
};
