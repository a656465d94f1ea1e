/**
 * Layers, activations and losses against PyTorch: values, gradients of inputs and parameters, running statistics.
 * The fixtures are made by scripts/golden/layers.py. Parameters are loaded by PyTorch's names, which proves the names too.
 */
import { cpu } from '@nn/backend-cpu';
import {
  gradients,
  isTraining,
  namedParameters,
  parameters,
  setDefaultBackend,
  setTraining,
  type Tensor,
  tensor,
} from '@nn/core';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import functionFixtures from '../fixtures/functions.json';
import layerFixtures from '../fixtures/layers.json';
import * as nn from './index.ts';
import { entries, expectNear, isPacked, type Packed, unpack, weigh } from './testing.ts';

interface LayerCase {
  readonly operation: string;
  readonly attributes: { readonly arguments: readonly unknown[]; readonly options: object };
  readonly training: boolean;
  readonly parameters: object;
  readonly inputs: readonly Packed[];
  readonly output: Packed | readonly Packed[];
  readonly gradients: readonly (Packed | null)[];
  readonly parameterGradients: object;
  readonly state?: object | undefined;
  readonly inputNames?: readonly string[] | undefined;
  readonly causal?: boolean | undefined;
  readonly lengths?: readonly number[] | undefined;
}

interface FunctionCase {
  readonly operation: string;
  readonly attributes: object;
  readonly inputs: readonly Packed[];
  readonly output: Packed;
  readonly gradients: readonly (Packed | null)[];
}

const layerCases: readonly LayerCase[] = layerFixtures.cases;
const functionCases: readonly FunctionCase[] = functionFixtures.cases;

beforeAll(() => setDefaultBackend(cpu()));
afterEach(() => setTraining(true));

/** The layer of a case, its parameters loaded by name. */
function build({ operation, attributes, parameters: values }: LayerCase): object {
  const make: unknown = Reflect.get(nn, operation);
  if (typeof make !== 'function') throw new Error(`there is no layer ${operation}`);
  const layer: object = Reflect.construct(make, [...attributes.arguments, attributes.options].filter(isGiven));
  const named = namedParameters(layer);
  expect([...named.keys()].sort()).toEqual(Object.keys(values).sort());
  for (const [name, packed] of entries(values)) {
    const target = named.get(name);
    if (!isPacked(packed)) throw new Error(`${name} is not a tensor`);
    expect(target?.shape, name).toEqual(packed.shape);
    target?.assign(unpack(packed));
  }
  return layer;
}

/** Flatten takes no options: an empty record would stand for its first axis. */
function isGiven(value: unknown): boolean {
  return typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length > 0;
}

function call(layer: object, { inputNames, causal, lengths }: LayerCase, inputs: readonly Tensor[]): Tensor[] {
  const [x, ...rest] = inputs;
  if (x === undefined) throw new Error('the case has no input');
  if (layer instanceof nn.LSTM) {
    const [hidden, cell] = rest;
    const result = layer.forward(x, { ...(hidden && cell && { hidden, cell }), ...(lengths && { lengths }) });
    return [result.output, result.hidden, result.cell];
  }
  if (layer instanceof nn.RNN || layer instanceof nn.GRU) {
    const result = layer.forward(x, { ...(rest[0] && { hidden: rest[0] }), ...(lengths && { lengths }) });
    return [result.output, result.hidden];
  }
  const named = new Map(inputNames?.map((name, i) => [name, inputs[i]] as const));
  const given = ['hidden', 'bias', 'keyPaddingMask'].flatMap((name) =>
    named.has(name) ? [[name, named.get(name)]] : [],
  );
  const masks: nn.AttentionMasks = { causal: causal ?? false, ...Object.fromEntries(given) };
  if (layer instanceof nn.MultiheadAttention) {
    const result = layer.withWeights(x, rest[0], rest[1], masks);
    return [result.output, result.weights];
  }
  if (layer instanceof nn.TransformerEncoderLayer) return [layer.forward(x, masks)];
  const forward: unknown = Reflect.get(layer, 'forward');
  if (typeof forward !== 'function') throw new Error('not a layer');
  return [inputNames?.includes('second') ? forward.call(layer, x, ...rest) : forward.call(layer, x)];
}

describe('layers agree with PyTorch', () => {
  layerCases.forEach((item, index) => {
    const { operation, attributes, training } = item;
    test(`${index}: ${operation}(${JSON.stringify(attributes)}) ${training ? 'in training' : 'in evaluation'}`, async () => {
      const layer = build(item);
      const inputs = item.inputs.map(unpack);
      setTraining(training);
      expect(isTraining()).toBe(training);
      const outputs = call(layer, item, inputs);
      const trained = new Set<Tensor>(parameters(layer));
      const named = [...namedParameters(layer)].filter(([, p]) => trained.has(p));
      const floats = inputs.filter((input) => input.dtype === 'float32');
      const found = gradients(weigh(outputs), [...floats, ...named.map(([, p]) => p)]);
      const expected = [item.output].flat();
      for (const [i, output] of outputs.entries()) await expectNear(`output ${i}`, output, expected[i]);
      const ofInputs = item.gradients.filter((gradient) => gradient !== null);
      for (const [i, gradient] of ofInputs.entries()) {
        await expectNear(`gradient of input ${i}`, found[i] ?? tensor(0), gradient);
      }
      expect(named.map(([name]) => name).sort()).toEqual(Object.keys(item.parameterGradients).sort());
      for (const [i, [name]] of named.entries()) {
        const gradient = found[floats.length + i] ?? tensor(0);
        await expectNear(`gradient of ${name}`, gradient, Reflect.get(item.parameterGradients, name));
      }
      const state = namedParameters(layer);
      for (const [name, value] of entries(item.state ?? {}))
        await expectNear(name, state.get(name) ?? tensor(0), value);
    });
  });
});

describe('activations and losses agree with PyTorch', () => {
  functionCases.forEach((item, index) => {
    test(`${index}: ${item.operation}(${Object.keys(item.attributes).join(', ')})`, async () => {
      const compute: unknown = Reflect.get(nn, item.operation);
      if (typeof compute !== 'function') throw new Error(`there is no function ${item.operation}`);
      const options = Object.fromEntries(
        entries(item.attributes).map(([name, value]) => [name, isPacked(value) ? unpack(value) : value]),
      );
      const { target, probabilities, ...others } = options;
      const inputs = item.inputs.map(unpack);
      const fixed = [target, probabilities].filter((value) => value !== undefined);
      const output: Tensor = compute(...inputs, ...fixed, ...(Object.keys(others).length > 0 ? [others] : []));
      await expectNear('output', output, item.output);
      const floats = inputs.filter((input) => input.dtype === 'float32');
      const found = gradients(weigh([output]), floats);
      const expected = item.gradients.filter((gradient) => gradient !== null);
      for (const [i, gradient] of expected.entries()) {
        await expectNear(`gradient ${i}`, found[i] ?? tensor(0), gradient);
      }
    });
  });
});
