/** Walks over models: names as PyTorch has them, every parameter once. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import {
  isStateful,
  namedParameters,
  type Parameter,
  parameter,
  parameters,
  tensor,
  treeChildren,
  walkTree,
} from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

class Linear {
  weight = parameter([[1]]);
  bias: Parameter | null = parameter([0]);
  readonly label = 'plain values are passed over';
  forward = (): void => undefined;
}

const names = (model: object): string[] => [...namedParameters(model).keys()];

describe('names follow the fields', () => {
  test('through objects, arrays and maps', () => {
    const model = { layers: [new Linear(), new Linear()], heads: new Map([['left', new Linear()]]) };
    expect(names(model)).toEqual([
      'layers.0.weight',
      'layers.0.bias',
      'layers.1.weight',
      'layers.1.bias',
      'heads.left.weight',
      'heads.left.bias',
    ]);
  });

  test('in snake case', () => {
    const model = { runningMean: parameter([0], { trainable: false }), weightIhL0: parameter([1]) };
    expect(names(model)).toEqual(['running_mean', 'weight_ih_l0']);
  });

  test('or what stands in their place', () => {
    const linear = new Linear();
    const model = { [treeChildren]: () => ({ 0: linear, last: parameter([2]) }), hidden: parameter([3]) };
    expect(names(model)).toEqual(['0.weight', '0.bias', 'last']);
  });

  test('and become the names of parameters without one', () => {
    const model = { layer: new Linear(), own: parameter([1], { name: 'mine' }) };
    namedParameters(model);
    expect([model.layer.weight.name, model.own.name]).toEqual(['layer.weight', 'mine']);
  });
});

test('tied parameters are found once', () => {
  const shared = parameter([1]);
  expect(names({ encoder: { weight: shared }, decoder: { weight: shared } })).toEqual(['encoder.weight']);
});

test('cycles and data end the walk', () => {
  const model: Record<string, unknown> = { weight: parameter([1]), data: new Float32Array(1000), value: tensor([1]) };
  model.self = model;
  expect(names(model)).toEqual(['weight']);
});

test('parameters are the trainable ones', () => {
  const model = { weight: parameter([1]), mean: parameter([0], { trainable: false }) };
  expect(parameters(model)).toEqual([model.weight]);
});

test('a visitor stays out where it says so', () => {
  const seen: string[] = [];
  walkTree({ a: { b: { c: {} } }, d: {} }, (_, name) => {
    seen.push(name);
    return name !== 'a';
  });
  expect(seen).toEqual(['', 'a', 'd']);
});

test('state of the host is known by its methods', () => {
  expect(isStateful({ hostState: () => 1, loadHostState: () => undefined })).toBe(true);
  expect([isStateful({ hostState: () => 1 }), isStateful(null), isStateful(3)]).toEqual([false, false, false]);
});

test('names a parameter by each path that leads to it where aliases are asked for, also through shared layers and cycles', () => {
  const weight = parameter([1]);
  const layer: Record<string, unknown> = { weight, bias: parameter([2]) };
  layer.self = layer;
  const model = { encoder: layer, decoder: { weight }, again: layer };
  expect([...namedParameters(model).keys()]).toEqual(['encoder.weight', 'encoder.bias']);
  expect([...namedParameters(model, { aliases: true }).keys()]).toEqual([
    'encoder.weight',
    'encoder.bias',
    'decoder.weight',
    'again.weight',
    'again.bias',
  ]);
});
