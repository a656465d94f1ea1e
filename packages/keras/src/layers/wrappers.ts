/** Layers of Keras around another layer: TimeDistributed and Bidirectional. */
import { concat } from '@nn/core';
import { fieldOf, isObject, type JsonObject, textOf } from '../config/json.ts';
import { asValue, logical, type Value } from '../value.ts';
import { below } from '../weights/variable.ts';
import { type Builder, onlyInput, valuesOf } from './layer.ts';

/** Each step by itself: [N, steps, ...] as [N * steps, ...]. */
const timeDistributed: Builder = (settings, inputs, context) => {
  const flat = (value: Value): Value => {
    const x = logical(value);
    const [batch, steps, ...rest] = x.shape;
    if (batch === undefined || steps === undefined || rest.length === 0) return settings.fail('takes [N, steps, ...].');
    return asValue(x.reshape([batch * steps, ...rest]));
  };
  const inner = context.build(settings.object('layer'), [flat(onlyInput(settings, inputs))]);
  return {
    module: inner.module,
    variables: inner.variables.map((variable) => below(variable, 'layer')),
    call: (given) => {
      const input = onlyInput(settings, given);
      const [batch = 1, steps = 1] = logical(input).shape;
      const result = inner.call([flat(input)], {});
      if (!('tensor' in result)) return settings.fail('the layer inside gave several results.');
      const y = logical(result);
      return asValue(y.reshape([batch, steps, ...y.shape.slice(1)]), false, input.mask);
    },
  };
};

/** The description with some of its settings replaced. */
function changed(description: JsonObject, changes: JsonObject): JsonObject {
  const config = fieldOf(description, 'config');
  return { ...description, config: { ...(isObject(config) ? config : {}), ...changes } };
}

/** A layer that reads forwards and one that reads backwards; the outputs of the second are turned round again. */
const bidirectional: Builder = (settings, inputs, context) => {
  const description = settings.object('layer');
  const config = fieldOf(description, 'config');
  const name = textOf(config, 'name') ?? 'layer';
  const isBackwards = fieldOf(config, 'go_backwards') === true;
  const other = settings.has('backward_layer')
    ? settings.object('backward_layer')
    : changed(description, { go_backwards: !isBackwards });
  const mode =
    settings.raw('merge_mode') === null ? null : settings.word('merge_mode', ['concat', 'sum', 'mul', 'ave'], 'concat');
  const sequences = fieldOf(config, 'return_sequences') === true;
  const [first] = inputs;
  const forward = context.build(description, first ? [first] : []);
  const backward = context.build(other, first ? [first] : []);
  return {
    module: { forward_layer: forward.module, backward_layer: backward.module },
    variables: [
      ...forward.variables.map((variable) => below(variable, 'forward_layer', `forward_${name}/`)),
      ...backward.variables.map((variable) => below(variable, 'backward_layer', `backward_${name}/`)),
    ],
    call: (given, options) => {
      const input = onlyInput(settings, given);
      // those of the layer that reads forwards first
      const states = [...given.slice(1), ...valuesOf(options.initial_state)];
      const half = states.length / 2;
      const { initial_state: _, ...rest } = options;
      const ahead = listOf(forward.call([input, ...states.slice(0, half)], rest));
      const back = listOf(backward.call([input, ...states.slice(half)], rest));
      const [y, z] = [logical(ahead[0]!), sequences ? logical(back[0]!).flip(1) : logical(back[0]!)];
      const mask = sequences ? input.mask : null;
      const ends = [...ahead.slice(1), ...back.slice(1)];
      if (mode === null) return [asValue(y, false, mask), asValue(z, false, mask), ...ends];
      const merged =
        mode === 'concat'
          ? concat([y, z], -1)
          : mode === 'mul'
            ? y.mul(z)
            : mode === 'sum'
              ? y.add(z)
              : y.add(z).div(2);
      const output = asValue(merged, false, mask);
      return ends.length > 0 ? [output, ...ends] : output;
    },
  };
};

function listOf(result: Value | readonly Value[]): readonly Value[] {
  return 'tensor' in result ? [result] : result;
}

export const wrapperBuilders: Readonly<Record<string, Builder>> = {
  TimeDistributed: timeDistributed,
  Bidirectional: bidirectional,
};
