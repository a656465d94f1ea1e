/** L-BFGS against PyTorch's in double precision; the fixture is made by scripts/golden/optimizers.py. */
import { cpu } from '@nn/backend-cpu';
import { arange, FormatError, type Parameter, parameter, setDefaultBackend, type Tensor } from '@nn/core';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { beforeAll, describe, expect, test } from 'vitest';
import fixtures from '../fixtures/lbfgs.json';
import { LBFGS, type LBFGSOptions } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const functions: Readonly<Record<string, (p: Parameter) => Tensor>> = {
  rosenbrock: (p) => {
    const [head, tail] = [p.slice([0], [p.size - 1]), p.slice([1])];
    return head.neg().add(1).square().add(tail.sub(head.square()).square().mul(10)).sum();
  },
  logCosh: (p) => {
    const x = p.sub(arange(p.size).cast('float32'));
    return x.exp().add(x.neg().exp()).div(2).log().mul(arange(p.size).cast('float32').add(1)).sum();
  },
};

describe('steps and evaluations are those of PyTorch', () => {
  test.each(fixtures.cases)('$function $options', async (item) => {
    const p = parameter(item.start);
    const optimizer = new LBFGS([p], item.options as LBFGSOptions);
    const loss = (): Tensor => functions[item.function]?.(p) ?? p.sum();
    for (const [call, right] of item.losses.entries()) {
      const found = await optimizer.step(loss);
      expect(Math.abs(found - right), `loss ${call}: ${found}, expected ${right}`).toBeLessThan(1e-4 * (1 + right));
      const values = [...(await p.data())];
      for (const [i, value] of (item.parameters[call] ?? []).entries()) {
        expect(
          Math.abs((values[i] ?? Number.NaN) - value),
          `number ${i} after ${call}: ${values[i]}, expected ${value}`,
        ).toBeLessThan(2e-3);
      }
    }
    expect(optimizer.evaluationCount).toBe(item.evaluations);
  });
});

const build = (history = 5) => {
  const model = { a: parameter([-1, 0.5]), b: parameter([[1.5]]) };
  return { model, optimizer: new LBFGS(model, { iterations: 3, history }) };
};
const lossOf =
  ({ model: { a, b } }: ReturnType<typeof build>) =>
  (): Tensor =>
    a.square().sub(b.flatten()).square().sum().add(a.sub(1).square().sum()).add(b.square().sum());

test('several parameters are one vector, and the loss falls to the minimum', async () => {
  const run = build();
  const losses: number[] = [];
  for (let k = 0; k < 16; k++) losses.push(await run.optimizer.step(lossOf(run)));
  losses.slice(1).forEach((loss, k) => {
    expect(loss).toBeLessThanOrEqual(Number(losses[k]) + 1e-6);
  });
  expect(Math.abs(Number(losses[15]) - Number(losses[14]))).toBeLessThan(1e-5);
});

test('a checkpoint goes on bit for bit', async () => {
  const run = build();
  for (let k = 0; k < 2; k++) await run.optimizer.step(lossOf(run));
  const bytes = await encodeCheckpoint(run);
  const other = build();
  await other.optimizer.step(lossOf(other));
  await loadCheckpoint(bytes, other);
  expect(await encodeCheckpoint(other)).toEqual(bytes); // not read yet
  for (let k = 0; k < 2; k++) {
    expect(await other.optimizer.step(lossOf(other))).toBe(await run.optimizer.step(lossOf(run)));
  }
  expect(await other.model.a.array()).toEqual(await run.model.a.array());
  expect(other.optimizer.evaluationCount).toBe(run.optimizer.evaluationCount);
});

describe('what cannot be is refused', () => {
  const x = parameter([1]);
  test.each([
    [() => new LBFGS({}), 'LBFGS: there is no parameter to train in what it was given.'],
    [() => new LBFGS([x], { history: 0 }), 'LBFGS: history is 0: it must be a whole number above 0.'],
    [() => new LBFGS([x], { learningRate: -1 }), 'LBFGS: learningRate is -1: it must be finite and above 0.'],
  ])('%s', (run, message) => expect(run).toThrow(message));

  test('a loss without the parameters', async () => {
    const other = parameter([2]);
    await expect(new LBFGS([x]).step(() => other.stopGradient().sum())).rejects.toThrow(
      'LBFGS: the loss depends on none of the 1 parameters',
    );
  });

  test.each([null, {}, { stepCount: 1, evaluationCount: 1, scale: 1, moved: true, inverses: [1, 1, 1] }])(
    'a state of %j',
    (state) => {
      const { optimizer } = build(2);
      expect(() => optimizer.loadHostState(state)).toThrow(FormatError);
      expect(optimizer.stepCount).toBe(0);
    },
  );
});
