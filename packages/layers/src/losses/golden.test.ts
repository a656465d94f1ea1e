/** Activations, distances and losses against PyTorch and the papers' formulas: values, first and second gradients. */
import { cpu } from '@nn/backend-cpu';
import { gradients, gradientsOrNull, setDefaultBackend, type Tensor, zeros } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import fixtures from '../../fixtures/losses.json';
import * as nn from '../index.ts';
import { entries, expectNear, isPacked, type Packed, unpack, weigh } from '../testing.ts';

interface Case {
  readonly operation: string;
  readonly attributes: object;
  readonly inputs: readonly Packed[];
  readonly output: Packed;
  readonly gradients: readonly (Packed | null)[];
  readonly second?: readonly (Packed | null)[] | undefined;
}

const cases: readonly Case[] = fixtures.cases;

beforeAll(() => setDefaultBackend(cpu()));

cases.forEach(({ operation, attributes, ...item }, index) => {
  test(`${index}: ${operation}(${JSON.stringify(attributes).slice(0, 60)})`, async () => {
    const compute: unknown = Reflect.get(nn, operation);
    if (typeof compute !== 'function') throw new Error(`there is no function ${operation}`);
    const named = entries(attributes).map(([name, value]) => [name, isPacked(value) ? unpack(value) : value]);
    const { counts, logits, ...options } = Object.fromEntries(named);
    const inputs = item.inputs.map(unpack);
    const [first, ...rest] = inputs;
    const given = logits === true ? [first?.logSoftmax(-1), ...rest] : inputs;
    const args = [...given, ...(counts === undefined ? [] : [counts])];
    const output: Tensor = compute(...args, ...(Object.keys(options).length > 0 ? [options] : []));
    await expectNear('output', output, item.output);
    const wanted = inputs.filter((_, i) => item.gradients[i] !== null);
    const found = gradients(weigh([output]), wanted);
    const expected = item.gradients.filter((gradient) => gradient !== null);
    expect(found.length).toBe(expected.length);
    for (const [i, gradient] of found.entries()) await expectNear(`gradient ${i}`, gradient, expected[i]);
    if (item.second === undefined) return;
    const twice = gradientsOrNull(weigh(found), wanted);
    const second = item.second.filter((gradient) => gradient !== null);
    for (const [i, gradient] of twice.entries()) {
      // null where the first gradient does not depend on the input
      await expectNear(`second gradient ${i}`, gradient ?? zeros(wanted[i]?.shape ?? []), second[i], {
        absolute: 1e-4,
        relative: 1e-4,
      });
    }
  });
});
