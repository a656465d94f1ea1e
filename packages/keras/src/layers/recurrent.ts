/**
 * Keras' recurrent layers along time: masks (a step that does not count repeats the output before it), both directions,
 * states in and out, several cells on top of each other. What nn's own layer computes is left to it.
 */
import { ones, scan, type Tensor, where, zeros } from '@nn/core';
import { dropout } from '@nn/layers';
import { fieldOf, isObject, type Json, textOf } from '../config/json.ts';
import { Settings } from '../config/settings.ts';
import { asValue, logical, type Value } from '../value.ts';
import { below, type Variable } from '../weights/variable.ts';
import {
  type BuildContext,
  type Builder,
  type BuiltLayer,
  type CallOptions,
  onlyInput,
  requireRank,
  valuesOf,
} from './layer.ts';
import { gruCell, type KerasCell, lstmCell, simpleCell, type Walked } from './recurrent-cells.ts';

type CellBuilder = (settings: Settings, inputs: number, context: BuildContext) => KerasCell;

/**
 * A cell along x [N, steps, inputs], whose `mask` is [N, steps]. The output of a step that does not count is the one before it, or 0
 * where `zeroes` (zero_output_for_mask).
 */
function walk(cell: KerasCell, x: Tensor, mask: Tensor | null, start: readonly Tensor[], zeroes: boolean): Walked {
  if (mask === null && cell.run) return cell.run(x, start);
  const first = { states: [...start], output: zeros(start[0]!.shape) };
  const counts = mask === null ? null : mask.transpose(0, 1).unsqueeze(-1);
  const { carry, outputs } = scan(
    (before: typeof first, { step, real }: { readonly step: Tensor; readonly real: Tensor | null }) => {
      const after = cell.step(step, before.states);
      const states = after.map((state, k) => (real === null ? state : where(real, state, before.states[k]!)));
      const output = real === null ? after[0]! : where(real, after[0]!, zeroes ? 0 : before.output);
      return { carry: { states, output }, output };
    },
    first,
    { step: cell.project(x.transpose(0, 1)), real: counts },
  );
  return { outputs: outputs.transpose(0, 1), last: carry.output, states: carry.states };
}

/** A layer made of cells: one, or several of which each reads the outputs of the one before. */
function recurrent(
  settings: Settings,
  cells: readonly KerasCell[],
  variables: readonly Variable[],
  module: object,
): BuiltLayer {
  const backwards = settings.flag('go_backwards', false);
  const sequences = settings.flag('return_sequences', false);
  const returnsState = settings.flag('return_state', false);
  if (settings.flag('stateful', false))
    settings.fail(
      'states that are kept between calls (stateful) are not read; save the model with stateful=False, and hand states on through initial_state.',
    );
  if (settings.flag('time_major', false)) settings.fail('steps before samples (time_major) are not read.');
  const zeroes = settings.flag('zero_output_for_mask', false);
  const rate = settings.number('dropout', 0);
  return {
    module,
    variables,
    call: (given, options) => {
      const input = onlyInput(settings, given);
      requireRank(settings, input, 3);
      const x = logical(input);
      const states = statesOf(given.slice(1), options);
      const count = cells.reduce((sum, { widths }) => sum + widths.length, 0);
      if (states.length > 0 && states.length !== count)
        settings.fail(`has ${count} states, ${states.length} are given.`);
      const batch = x.shape[0]!;
      let steps = backwards ? x.flip(1) : x;
      // one choice for all steps, as Keras makes it
      if (rate > 0) steps = steps.mul(dropout(ones([batch, 1, x.shape[2]!]), rate));
      const mask = input.mask !== null && backwards ? input.mask.flip(1) : input.mask;
      const ends: Tensor[] = [];
      let walked: Walked | undefined;
      for (const cell of cells) {
        const start = cell.widths.map((width, k) => states[ends.length + k] ?? zeros([batch, width]));
        walked = walk(cell, walked?.outputs ?? steps, mask, start, zeroes);
        ends.push(...walked.states);
      }
      if (!walked) return settings.fail('has no cell.');
      const output = sequences ? asValue(walked.outputs, false, mask) : asValue(walked.last);
      return returnsState ? [output, ...ends.map((state) => asValue(state))] : output;
    },
  };
}

/** States to start from: further inputs, or the argument `initial_state`. */
function statesOf(inputs: readonly Value[], options: CallOptions): Tensor[] {
  return [...inputs, ...valuesOf(options.initial_state)].map(logical);
}

function widthOf(settings: Settings, inputs: readonly Value[]): number {
  const input = onlyInput(settings, inputs);
  requireRank(settings, input, 3);
  return logical(input).shape[2]!;
}

function ofOneCell(make: CellBuilder): Builder {
  return (settings, inputs, context) => {
    const cell = make(settings, widthOf(settings, inputs), context);
    return recurrent(
      settings,
      [cell],
      cell.variables.map((variable) => below(variable, 'cell')),
      cell.module,
    );
  };
}

const cellBuilders: Readonly<Record<string, CellBuilder>> = {
  LSTMCell: lstmCell,
  GRUCell: gruCell,
  SimpleRNNCell: simpleCell,
};

/** RNN, made of the cells that it is given. */
const rnn: Builder = (settings, inputs, context) => {
  const outer = settings.object('cell');
  const isStack = textOf(outer, 'class_name') === 'StackedRNNCells';
  const listed = isStack ? fieldOf(fieldOf(outer, 'config'), 'cells') : [outer];
  if (!Array.isArray(listed)) return settings.wrong('cell', 'a cell');
  let width = widthOf(settings, inputs);
  const names = new Map<string, number>();
  const cells: KerasCell[] = [];
  const variables: Variable[] = [];
  for (const description of listed as readonly Json[]) {
    const className = textOf(description, 'class_name') ?? '';
    const make = Object.hasOwn(cellBuilders, className) ? cellBuilders[className] : undefined;
    const config = fieldOf(description, 'config');
    if (!make || !isObject(config))
      return settings.fail(`a cell of the class '${className}' is not read; LSTMCell, GRUCell and SimpleRNNCell are.`);
    const cell = make(new Settings(settings.layer, className, config, settings.generation), width, context);
    // Keras numbers what stands in a list by the names of the classes
    const key = className
      .toLowerCase()
      .replace('simplernncell', 'simple_rnn_cell')
      .replace('lstmcell', 'lstm_cell')
      .replace('grucell', 'gru_cell');
    const at = names.get(key) ?? 0;
    names.set(key, at + 1);
    const numbered = `${key}${at === 0 ? '' : `_${at}`}`;
    const path = isStack ? `cell/cells/${numbered}` : 'cell';
    variables.push(...cell.variables.map((variable) => below(variable, path, `${numbered}/`)));
    cells.push(cell);
    width = cell.widths[0] ?? width;
  }
  return recurrent(settings, cells, variables, isStack ? cells.map(({ module }) => module) : cells[0]!.module);
};

export const recurrentBuilders: Readonly<Record<string, Builder>> = {
  LSTM: ofOneCell(lstmCell),
  GRU: ofOneCell(gruCell),
  SimpleRNN: ofOneCell(simpleCell),
  CuDNNLSTM: ofOneCell(lstmCell),
  CuDNNGRU: ofOneCell(gruCell),
  RNN: rnn,
};
