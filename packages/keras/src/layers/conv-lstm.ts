/**
 * Keras' ConvLSTM1D to 3D: the sums of an LSTM are convolutions. That of the input is padded and strided as the layer says,
 * that of the state keeps its size. Gates i, f, c, o.
 */
import { conv1d, conv2d, conv3d, scan, type Tensor, zeros } from '@nn/core';
import { asValue, logical, shapeOf } from '../value.ts';
import { gateBias, gateKernel } from '../weights/variable.ts';
import { activationOf } from './activations.ts';
import { type Builder, drawnParameter, filledParameter, onlyInput, requireRank } from './layer.ts';
import { hasChannelsFirst, paddingOf, padSpace, type Windows } from './space.ts';

const order = [0, 1, 2, 3];

function convLstm(rank: 1 | 2 | 3): Builder {
  return (settings, inputs, context) => {
    const input = onlyInput(settings, inputs);
    requireRank(settings, input, rank + 3);
    const channels = shapeOf(input)[hasChannelsFirst(settings) ? 2 : rank + 2]!;
    const filters = settings.whole('filters');
    const bias = settings.flag('use_bias', true);
    const size = settings.sizes('kernel_size', rank);
    const windows: Windows = {
      size,
      stride: settings.sizes('strides', rank, 1),
      dilation: settings.sizes('dilation_rate', rank, 1),
      padding: settings.word('padding', ['valid', 'same'], 'valid'),
    };
    const ofStates: Windows = { size, stride: size.map(() => 1), dilation: size.map(() => 1), padding: 'same' };
    if (settings.flag('stateful', false)) settings.fail('states that are kept between calls (stateful) are not read.');
    if (settings.number('dropout', 0) > 0 || settings.number('recurrent_dropout', 0) > 0) {
      settings.fail('dropout inside of a ConvLSTM is not read; save the model with dropout=0.');
    }
    context.reserve(settings, [...size, channels + filters, 4 * filters], bias ? [4 * filters] : [0]);
    const fan = size.reduce((product, length) => product * length, filters);
    const weightIh = drawnParameter([4 * filters, channels, ...size], fan);
    const weightHh = drawnParameter([4 * filters, filters, ...size], fan);
    const shift = bias ? filledParameter([4 * filters], 0) : null;
    const inner = activationOf(settings, context, 'activation', 'tanh');
    const gate = activationOf(
      settings,
      context,
      'recurrent_activation',
      settings.generation === 3 ? 'sigmoid' : 'hard_sigmoid',
    );
    const convolve = rank === 1 ? conv1d : rank === 2 ? conv2d : conv3d;
    const [sequences, returnsState, backwards] = ['return_sequences', 'return_state', 'go_backwards'].map((name) =>
      settings.flag(name, false),
    );
    /** [N, steps, ...] in Keras' order to [N, steps, C, ...space], and back. */
    const isFirst = hasChannelsFirst(settings);
    const spaceAxes = Array.from({ length: rank }, (_, k) => k + 2);
    const toFirst = (x: Tensor): Tensor => (isFirst ? x : x.permute([0, 1, rank + 2, ...spaceAxes]));
    return {
      module: { weightIh, weightHh, bias: shift },
      variables: [
        gateKernel({ name: 'kernel', path: 'cell/vars/0' }, weightIh, [...size, channels, 4 * filters], order),
        gateKernel({ name: 'recurrent_kernel', path: 'cell/vars/1' }, weightHh, [...size, filters, 4 * filters], order),
        ...(shift ? [gateBias({ name: 'bias', path: 'cell/vars/2' }, [shift], [4 * filters], order)] : []),
      ],
      call: (given) => {
        if (given.length > 1) settings.fail('states to start from are not read for a ConvLSTM.');
        const value = onlyInput(settings, given);
        if (value.mask !== null) settings.fail('masks are not read for a ConvLSTM.');
        const ordered = toFirst(logical(value));
        const x = backwards ? ordered.flip(1) : ordered;
        const [batch, length, , ...space] = x.shape as [number, number, number, ...number[]];
        // all steps at once
        const flat = padSpace(x.reshape([batch * length, channels, ...space]), paddingOf(windows, space));
        const sums = convolve(flat, weightIh, { stride: windows.stride, dilation: windows.dilation });
        const shifted = shift ? sums.add(shift.reshape([4 * filters, ...space.map(() => 1)])) : sums;
        const places = shifted.shape.slice(2);
        const steps = shifted.reshape([batch, length, 4 * filters, ...places]).transpose(0, 1);
        const zero = zeros([batch, filters, ...places]);
        const pads = paddingOf(ofStates, places);
        const { carry, outputs } = scan(
          (state: { readonly hidden: Tensor; readonly cell: Tensor }, step: Tensor) => {
            const all = step.add(convolve(padSpace(state.hidden, pads), weightHh));
            const [i, f, g, o] = all.split(4, 1) as [Tensor, Tensor, Tensor, Tensor];
            const cell = gate(f, 1)
              .mul(state.cell)
              .add(gate(i, 1).mul(inner(g, 1)));
            const hidden = gate(o, 1).mul(inner(cell, 1));
            return { carry: { hidden, cell }, output: hidden };
          },
          { hidden: zero, cell: zero },
          steps,
        );
        // [steps, N, C, ...space] to Keras' [N, steps, ...space, C]
        const sequence = isFirst ? outputs.transpose(0, 1) : outputs.permute([1, 0, ...places.map((_, k) => k + 3), 2]);
        const output = sequences ? asValue(sequence) : asValue(carry.hidden, !isFirst);
        return returnsState ? [output, asValue(carry.hidden, !isFirst), asValue(carry.cell, !isFirst)] : output;
      },
    };
  };
}

export const convLstmBuilders: Readonly<Record<string, Builder>> = {
  ConvLSTM1D: convLstm(1),
  ConvLSTM2D: convLstm(2),
  ConvLSTM3D: convLstm(3),
};
