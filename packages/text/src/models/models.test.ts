import { cpu } from '@nn/backend-cpu';
import { type DType, gradients, namedParameters, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { encodeSafetensors, loadModel } from '@nn/serialize';
import { beforeAll, describe, expect, test } from 'vitest';
import fixture from '../../fixtures/language.json' with { type: 'json' };
import {
  AttentionLSTM,
  Bert,
  BertForMaskedLM,
  BertForSequenceClassification,
  GPT2,
  Llama,
  Marian,
  PointerGenerator,
  T5,
} from '../index.ts';
import { distanceTable } from './t5.ts';

beforeAll(() => setDefaultBackend(cpu()));

interface Packed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Case {
  readonly kind: string;
  readonly options: object;
  readonly inputs: readonly Packed[];
  readonly weights: Readonly<Record<string, Packed>>;
  readonly output: Packed;
  readonly gradientSums: Readonly<Record<string, number>>;
}

const unpack = ({ dtype, shape, data }: Packed): Tensor =>
  tensor(
    dtype === 'float32' ? Float32Array.from(data) : dtype === 'bool' ? Uint8Array.from(data) : Int32Array.from(data),
    {
      shape,
      dtype: dtype as DType,
    },
  );

/** How each model is made and called with the inputs of its case. */
const kinds: Readonly<Record<string, (options: never) => { model: object; call: (...inputs: Tensor[]) => Tensor }>> = {
  GPT2: (options) => wrap(new GPT2(options), (model, ids) => model.forward(ids)),
  Llama: (options) => wrap(new Llama(options), (model, ids) => model.forward(ids)),
  Bert: (options) => wrap(new Bert(options), (model, ids, types, mask) => model.forward(ids, { types, mask })),
  BertForMaskedLM: (options) =>
    wrap(new BertForMaskedLM(options), (model, ids, types, mask) => model.forward(ids, { types, mask })),
  BertForSequenceClassification: (options) =>
    wrap(new BertForSequenceClassification(options), (model, ids, types, mask) => model.forward(ids, { types, mask })),
  Marian: (options) =>
    wrap(new Marian(options), (model, source, target, sourceMask) => model.forward(source, target, { sourceMask })),
  T5: (options) =>
    wrap(new T5(options), (model, source, target, sourceMask) => model.forward(source, target, { sourceMask })),
  AttentionLSTM: (options) =>
    wrap(new AttentionLSTM(options), (model, source, target, sourceMask) =>
      model.forward(source, target, { sourceMask }),
    ),
  PointerGenerator: (options) =>
    wrap(new PointerGenerator(options), (model, ids, target, mask, extended) => {
      return model.forward({ ids, extended, mask, unknown: 2 }, target).logProbabilities;
    }),
};

function wrap<M extends object>(model: M, call: (model: M, a: Tensor, b: Tensor, c: Tensor, d: Tensor) => Tensor) {
  return { model, call: (...[a, b = a, c = a, d = a]: Tensor[]) => call(model, a!, b!, c!, d!) };
}

const cotangent = (size: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => (((7 * i) % 11) - 5) / 8);

describe('PyTorch gives the same values and gradients', () => {
  test.each((fixture.cases as unknown as Case[]).map((each, i) => [`${each.kind} (${i})`, each] as const))(
    '%s',
    async (_, given) => {
      const { model, call } = kinds[given.kind]!(given.options as never);
      const bytes = encodeSafetensors(
        Object.entries(given.weights).map(([name, { shape, data }]) => [
          name,
          { dtype: 'float32' as const, shape, data: Float32Array.from(data) },
        ]),
      );
      // strict: the names are those of the originals, no more and no less
      await loadModel(bytes, model);
      const output = call(...given.inputs.map(unpack));
      expect(output.shape).toEqual(given.output.shape);
      const found = await output.data();
      for (const [i, right] of given.output.data.entries()) {
        expect(Math.abs(found[i]! - right), `value ${i}`).toBeLessThan(2e-5 * (1 + Math.abs(right)));
      }
      const loss = output.mul(tensor(cotangent(output.size), { shape: output.shape })).sum();
      const named = [...namedParameters(model)].filter(([name]) => name in given.gradientSums);
      const slopes = gradients(
        loss,
        named.map(([, parameter]) => parameter),
      );
      const read = await Promise.all(slopes.map((slope) => slope.data('float32')));
      for (const [i, [name]] of named.entries()) {
        const slope = read[i]!;
        const weights = cotangent(slope.length);
        const sum = slope.reduce((total, value, k) => total + value * weights[k]!, 0);
        const size = slope.reduce((total, value) => total + Math.abs(value), 1);
        expect(Math.abs(sum - given.gradientSums[name]!), name).toBeLessThan(2e-4 * size);
      }
      const untold = Object.keys(given.gradientSums).filter((name) => !named.some(([own]) => own === name));
      expect(untold).toEqual([]);
    },
  );
});

test.each(Object.entries(fixture.buckets))('distances fall into the buckets of PyTorch: %s', async (name, right) => {
  const [buckets, longest, both] = name.split(' ');
  const table = distanceTable(Number(buckets), Number(longest), both === 'True');
  expect(await table.array()).toEqual(right);
});
