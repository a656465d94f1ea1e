/**
 * The layers of scripts/golden/networks.py against PyTorch: values, gradients of inputs and parameters, second gradients.
 * Parameters are loaded by PyTorch's names, which proves the names too.
 */
import { cpu } from '@nn/backend-cpu';
import {
  gradients,
  gradientsOrNull,
  isTensor,
  namedParameters,
  parameters,
  setDefaultBackend,
  setTraining,
  type Tensor,
  tensor,
  zerosLike,
} from '@nn/core';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import fixtures from '../fixtures/networks.json';
import * as nn from './index.ts';
import { entries, expectNear, isPacked, type Packed, unpack, weigh } from './testing.ts';

interface Case {
  readonly operation: string;
  readonly attributes: { readonly arguments: readonly unknown[]; readonly options: object };
  readonly training: boolean;
  readonly parameters: object;
  readonly inputs: readonly Packed[];
  readonly output: Packed | readonly Packed[];
  readonly gradients: readonly (Packed | null)[];
  readonly parameterGradients: object;
  readonly second?: readonly Packed[];
  readonly state?: object;
  /** What is done to the weight of the layer: a function of ours and its options. */
  readonly norm?: readonly [name: string, options: object];
  /** What is called in place of `forward`. */
  readonly method?: string;
  /** The arguments of `forward`, '$0' for the first input; without it they are the inputs. */
  readonly given?: readonly unknown[];
}

// the cast: JSON has lists where a case has pairs
const cases = fixtures.cases as unknown as readonly Case[];

beforeAll(() => setDefaultBackend(cpu()));
afterEach(() => setTraining(true));

/** Layers whose arguments are more than numbers: made from the numbers of the case. */
const makers: Readonly<Record<string, (numbers: readonly number[], options: object) => object>> = {
  TransformerEncoder: ([dimension = 0, heads = 0, layers = 0], options) =>
    new nn.TransformerEncoder(() => new nn.TransformerEncoderLayer(dimension, heads, options), layers, {
      norm: new nn.LayerNorm(dimension),
    }),
  TransformerDecoder: ([dimension = 0, heads = 0, layers = 0], options) =>
    new nn.TransformerDecoder(() => new nn.TransformerDecoderLayer(dimension, heads, options), layers, {
      norm: new nn.LayerNorm(dimension),
    }),
};

function made({ operation, attributes, norm }: Case): object {
  const maker = makers[operation];
  if (maker !== undefined) return maker(attributes.arguments.map(Number), attributes.options);
  const make: unknown = Reflect.get(nn, operation);
  if (typeof make !== 'function') throw new Error(`there is no layer ${operation}`);
  const options = Object.keys(attributes.options).length > 0 ? [attributes.options] : [];
  const layer: object = Reflect.construct(make, [...attributes.arguments, ...options]);
  const [normName, normOptions] = norm ?? [];
  const exchange: unknown = normName === undefined ? null : Reflect.get(nn, normName);
  if (typeof exchange === 'function') exchange(layer, normOptions);
  return layer;
}

function build(item: Case): object {
  const { parameters: values } = item;
  const layer = made(item);
  const named = namedParameters(layer);
  expect([...named.keys()].sort()).toEqual(Object.keys(values).sort());
  for (const [name, packed] of entries(values)) {
    if (!isPacked(packed)) throw new Error(`${name} is not a tensor`);
    expect(named.get(name)?.shape, name).toEqual(packed.shape);
    named.get(name)?.assign(unpack(packed));
  }
  return layer;
}

/** What `given` says, with the inputs in their places. */
function filled(value: unknown, inputs: readonly Tensor[]): unknown {
  if (typeof value === 'string' && value.startsWith('$')) return inputs[Number(value.slice(1))];
  if (Array.isArray(value)) return value.map((item) => filled(item, inputs));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(entries(value).map(([name, item]) => [name, filled(item, inputs)]));
}

/** The tensors of a result, in its order. */
function tensorsOf(result: unknown): Tensor[] {
  if (isTensor(result)) return [result];
  return typeof result === 'object' && result !== null ? Object.values(result).flatMap(tensorsOf) : [];
}

describe('agrees with PyTorch', () => {
  cases.forEach((item, index) => {
    const { operation, attributes, training } = item;
    test(`${index}: ${operation}(${JSON.stringify(attributes)})`, async () => {
      const layer = build(item);
      const inputs = item.inputs.map(unpack);
      setTraining(training);
      const forward: unknown = Reflect.get(layer, item.method ?? 'forward');
      if (typeof forward !== 'function') throw new Error('not a layer');
      const given = item.given === undefined ? inputs : filled(item.given, inputs);
      const outputs = tensorsOf(Reflect.apply(forward, layer, given as unknown[]));
      const expected = [item.output].flat();
      expect(outputs.length).toBe(expected.length);
      for (const [i, output] of outputs.entries()) await expectNear(`output ${i}`, output, expected[i]);
      const trained = new Set<Tensor>(parameters(layer));
      const named = [...namedParameters(layer)].filter(([, p]) => trained.has(p));
      expect(named.map(([name]) => name).sort()).toEqual(Object.keys(item.parameterGradients).sort());
      const floats = inputs.filter(({ dtype }) => dtype === 'float32');
      const targets = [...floats, ...named.map(([, p]) => p)];
      const total = weigh(outputs.filter(({ dtype }) => dtype === 'float32'));
      const found = gradientsOrNull(total, targets).map((g, k) => g ?? zerosLike(targets[k] ?? total));
      const ofInputs = item.gradients.filter((gradient) => gradient !== null);
      for (const [i, gradient] of ofInputs.entries()) {
        await expectNear(`gradient of input ${i}`, found[i] ?? tensor(0), gradient);
      }
      for (const [i, [name]] of named.entries()) {
        const gradient = found[floats.length + i] ?? tensor(0);
        await expectNear(`gradient of ${name}`, gradient, Reflect.get(item.parameterGradients, name));
      }
      const state = namedParameters(layer);
      for (const [name, value] of entries(item.state ?? {}))
        await expectNear(name, state.get(name) ?? tensor(0), value);
      if (item.second === undefined) return;
      // in the order of PyTorch's parameters, which the cotangent follows
      const order = Object.keys(item.parameterGradients).map((name) => named.findIndex(([other]) => other === name));
      const slopes = [...found.slice(0, floats.length), ...order.map((k) => found[floats.length + k] ?? tensor(0))];
      const twice = gradients(weigh(slopes), floats);
      for (const [i, gradient] of item.second.entries()) {
        const close = { absolute: 5e-5, relative: 5e-5 };
        await expectNear(`second gradient ${i}`, twice[i] ?? tensor(0), gradient, close);
      }
    });
  });
});
