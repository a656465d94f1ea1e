/**
 * Optimizers and schedules against PyTorch: 25 steps of a 2-4-1 network, losses and parameters on the way.
 * The fixtures are made by scripts/golden/optimizers.py.
 */
import { cpu } from '@nn/backend-cpu';
import { type Parameter, parameter, setDefaultBackend, type Tensor, tensor } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import fixtures from '../fixtures/optimizers.json';
import scheduleFixtures from '../fixtures/schedules.json';
import * as optim from './index.ts';

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Case {
  readonly optimizer: string;
  readonly options: object;
  readonly groups?: readonly { readonly parameters: readonly string[] }[] | undefined;
  readonly losses: readonly number[];
  readonly parameters: readonly object[];
  /** The weights to use after the last step, where they are not those that are trained. */
  readonly average?: object | undefined;
}

const cases: readonly Case[] = fixtures.cases;
const start: Readonly<Record<string, Packed>> = fixtures.start;

const unpack = ({ shape, data }: Packed): Tensor => tensor(Float32Array.from(data), { shape });

/** Calls an exported function or class by its name in a fixture. */
function make(name: string, values: readonly unknown[]): unknown {
  const made: unknown = Reflect.get(optim, name);
  if (typeof made !== 'function') throw new Error(`there is no ${name}`);
  return /^[A-Z]/.test(name) ? Reflect.construct(made, [...values]) : made(...values);
}

function optionsOf(item: Case): object {
  return Object.fromEntries(
    Object.entries(item.options).map(([name, value]: [string, unknown]) => {
      if (typeof value !== 'object' || value === null || !('schedule' in value && 'arguments' in value))
        return [name, value];
      return [name, make(String(value.schedule), [value.arguments].flat())];
    }),
  );
}

function near(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 3e-6 + 1e-5 * Math.abs(expected);
}

async function expectWeights(model: Readonly<Record<string, Parameter>>, weights: object, when: string): Promise<void> {
  for (const [name, values] of Object.entries(weights)) {
    const actual = [...((await model[name]?.data()) ?? [])];
    const all: unknown = values;
    if (!Array.isArray(all)) throw new Error(`${name} is not a list`);
    all.map(Number).forEach((number, i) => {
      const found = actual[i] ?? Number.NaN;
      expect(near(found, number), `${name}[${i}] ${when}: ${found}, expected ${number}`).toBe(true);
    });
  }
}

beforeAll(() => setDefaultBackend(cpu()));

describe('optimizers follow the trajectories of PyTorch, or of the formula in double precision', () => {
  cases.forEach((item, index) => {
    test(`${index}: ${item.optimizer}(${JSON.stringify(item.options)})${item.groups ? ' in two groups' : ''}`, async () => {
      const model: Record<string, Parameter> = {};
      for (const [name, packed] of Object.entries(start)) {
        model[name] = parameter(Float32Array.from(packed.data), { shape: packed.shape });
      }
      const [w1, b1, w2, b2] = Object.values(model);
      if (!w1 || !b1 || !w2 || !b2) throw new Error('the fixture has other parameters');
      const groups = item.groups?.map((group) => ({
        ...group,
        parameters: group.parameters.map((name) => model[name]),
      }));
      const trained = new Set(item.groups?.flatMap((group) => group.parameters) ?? Object.keys(model));
      for (const [name, member] of Object.entries(model)) member.frozen = !trained.has(name);
      const optimizer = make(item.optimizer, [groups ?? model, optionsOf(item)]);
      if (!(optimizer instanceof optim.Optimizer)) throw new Error(`${item.optimizer} is not an optimizer`);
      const [x, y] = [unpack(fixtures.x), unpack(fixtures.y)];
      for (const [step, expected] of item.losses.entries()) {
        const output = x.matmul(w1.transpose()).add(b1).tanh().matmul(w2.transpose()).add(b2);
        const loss = output.sub(y).square().mean();
        await optimizer.step(loss);
        const value = await loss.item();
        expect(near(value, expected), `loss ${step}: ${value}, expected ${expected}`).toBe(true);
        const snapshot = item.parameters[fixtures.at.indexOf(step + 1)];
        if (snapshot === undefined) continue;
        await expectWeights(model, snapshot, `after ${step + 1}`);
      }
      if (item.average !== undefined) {
        if (!(optimizer instanceof optim.AveragingOptimizer)) throw new Error(`${item.optimizer} does not average`);
        const average = item.average;
        await optimizer.during(() => expectWeights(model, average, 'of the average'));
        await expectWeights(model, item.parameters.at(-1) ?? {}, 'after the average');
      }
      expect(optimizer.stepCount).toBe(item.losses.length);
    });
  });
});

describe('schedules give the rates of PyTorch', () => {
  scheduleFixtures.cases.forEach((item, index) => {
    test(`${index}: ${item.schedule}(${JSON.stringify(item.arguments)})`, () => {
      const schedule = make(item.schedule, item.arguments);
      if (typeof schedule !== 'function') throw new Error('not a schedule');
      item.values.forEach((expected, step) => {
        const actual = Number(schedule(step));
        expect(Math.abs(actual - expected), `step ${step}: ${actual}, expected ${expected}`).toBeLessThan(1e-8);
      });
    });
  });
});
