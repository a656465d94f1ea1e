/** Nodes, walks, records and storages: the parts of the graph by themselves. */
import { reference } from '@nn/conformance';
import { describe, expect, test, vi } from 'vitest';
import { BackendError } from '../errors.ts';
import { parameter, tensor } from '../index.ts';
import { prepare } from '../testing.ts';
import { hooks } from './hooks.ts';
import { constant, constantValue, hostLeaf, scalar } from './node.ts';
import { currentRecorder, type HostEvent, lift, recordAdvance, recorder, recordWith } from './recorder.ts';
import { lossOf, noteLoss, Storage } from './storage.ts';
import { inputsFirst, nextVisit } from './walk.ts';

const backend = prepare(reference());

describe('nodes', () => {
  test('are told to whoever listens', () => {
    const heard = vi.fn();
    hooks.onNode = heard;
    const y = tensor([1]).exp();
    hooks.onNode = null;
    tensor([1]).exp();
    expect(heard).toHaveBeenCalledExactlyOnceWith(y.node);
  });

  test('live on the one backend of their inputs', () => {
    const [here, there] = [tensor([1], { backend }), tensor([1], { backend: reference() })];
    expect(here.add(tensor([2])).backend).toBe(backend);
    expect(() => here.add(there)).toThrow(BackendError);
    expect(() => here.add(there)).toThrow(
      "add: its tensors live on two backends, 'reference' and 'reference': await move(tensor, backend) first.",
    );
  });

  test('of constants know their value', () => {
    expect([constantValue(constant(2, 'float32')), constantValue(scalar(2, 'float32'))]).toEqual([2, null]);
  });
});

describe('walks', () => {
  test('give every node once, after its inputs', () => {
    const x = tensor([1]);
    const y = x.exp();
    const order = inputsFirst([y.add(y.sin()).node, x.node], ({ inputs }) => inputs);
    expect(order.map(({ primitive }) => primitive.name)).toEqual(['data', 'exp', 'sin', 'add']);
    expect(order.map((node) => node.order)).toEqual([0, 1, 2, 3]);
  });

  test('go only where they are let', () => {
    const y = tensor([1]).exp().sin();
    expect(inputsFirst([y.node], ({ inputs, primitive }) => (primitive.name === 'sin' ? inputs : []))).toHaveLength(2);
  });

  test('have marks of their own', () => {
    expect(nextVisit()).toBeLessThan(nextVisit());
  });
});

describe('what a compiled function repeats', () => {
  test('is recorded in order, and only while recording', () => {
    const events: HostEvent[] = [];
    const advance = (): void => undefined;
    recordAdvance(advance, advance);
    recordWith({ ...recorder(true), events }, () => {
      lift(3, 'float32');
      recordAdvance(advance, advance);
      lift({ read: () => 4 }, 'float32');
    });
    expect(
      events.map((event) =>
        event.kind === 'number'
          ? [event.node.attributes, event.source !== null]
          : event.kind === 'advance' && event.run,
      ),
    ).toEqual([[3, false], advance, [4, true]]);
    expect(currentRecorder()).toBe(null);
  });

  test('ends when the function throws', () => {
    expect(() =>
      recordWith(recorder(true), () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(currentRecorder()).toBe(null);
  });
});

describe('storages', () => {
  test('know their bytes', () => {
    expect([new Storage('float32', [2, 3], null).bytes, new Storage('bool', [], null).bytes]).toEqual([24, 1]);
  });

  test('on a device that is gone are lost, unless the host has them', () => {
    const gone = reference();
    noteLoss(gone, new BackendError('', 'any other error'));
    const there = new Storage('float32', [1], null);
    there.backend = gone;
    expect(lossOf(there)).toBe(null);
    noteLoss(gone, new BackendError('', 'it fell out of the window', { lost: true }));
    expect(lossOf(there)?.message).toContain("A value was on 'reference', which is lost.");
    expect(lossOf(there)).toMatchObject({ cause: { message: 'it fell out of the window' } });
    there.host = Float32Array.of(1);
    expect(lossOf(there)).toBe(null);
  });

  test('are owned by the parameters that have them', async () => {
    const weight = parameter([1]);
    expect(weight.node.storage).toMatchObject({ owners: 1, owner: weight.variable.holding });
    const copy = parameter([0]);
    copy.assign(weight);
    expect(copy.variable.isDirty).toBe(true);
    await tensor([1]).exp().data();
    expect(copy.variable.isDirty).toBe(false);
    expect(weight.node.storage?.owners).toBe(2);
  });
});

test('host data is a leaf with its values', () => {
  const node = hostLeaf(Float32Array.of(1, 2), 'float32', [2], backend);
  expect([node.primitive.name, node.size, node.storage?.host, node.backend]).toEqual([
    'data',
    2,
    Float32Array.of(1, 2),
    backend,
  ]);
});
