import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { conv, defaults, dense, withTask } from '../model/spec.ts';
import { histogram, look, numbers, rangesOf, unitStates } from './look.ts';
import type { UnitState } from './protocol.ts';
import { Session } from './session.ts';

setDefaultBackend(cpu());

/** The states of units from their outputs [samples, units, ...]. */
async function statesOf(values: readonly number[], shape: readonly number[], activation: string): Promise<UnitState[]> {
  const [low, high, flat] = rangesOf(tensor([...values], { shape }), activation);
  return unitStates(await numbers(low), await numbers(high), await numbers(flat));
}

describe('what is told of units', () => {
  it('calls a unit dead when it says the same to every sample', async () => {
    // two samples of three units
    expect(await statesOf([0, 1, 0.5, 0, 2, 0.5], [2, 3], 'relu')).toEqual(['dead', 'alive', 'dead']);
  });

  it('calls a unit saturated when nearly all that it says is at an end of its range', async () => {
    const values = Array.from({ length: 100 }, (_, i) => [i % 2 ? 0.999 : -0.999, i / 100]).flat();
    expect(await statesOf(values, [100, 2], 'tanh')).toEqual(['saturated', 'alive']);
    expect(await statesOf(values, [100, 2], 'relu')).toEqual(['alive', 'alive']);
    const shares = values.map((value) => (value + 1) / 2);
    expect(await statesOf(shares, [100, 2], 'sigmoid')).toEqual(['saturated', 'alive']);
  });

  it('looks at whole feature maps', async () => {
    const maps = [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 1, 1];
    expect(await statesOf(maps, [2, 2, 2, 2], 'relu')).toEqual(['dead', 'alive']);
  });
});

it('looking at images again and again fills the memory of the device up to a level, and no further', async () => {
  const session = await Session.make(
    { ...withTask(defaults, 'digits'), samples: 320, layers: [conv(6), conv(8), dense(16, 'relu')] },
    {},
  );
  const megabytes = async (looks: number): Promise<number> => {
    let used = 0;
    for (let k = 0; k < looks; k++) {
      await session.trainStep();
      used = (await look(session, true)).memory.used;
    }
    return used / 2 ** 20;
  };
  // what was read stays on the device until the line of read values, 8 MB, is full
  const level = await megabytes(60);
  expect(level).toBeLessThan(12);
  expect((await megabytes(20)) - level).toBeLessThan(0.25);
});

describe('a histogram', () => {
  it('counts every value once, over a range around 0', () => {
    const { range, counts } = histogram(new Float32Array([-2, -1, 0, 0.5, 2]));
    expect(range).toBe(2);
    expect(counts.reduce((a, b) => a + b)).toBe(5);
    expect([counts[0], counts[15], counts.at(-1)]).toEqual([1, 1, 1]);
  });

  it('has one full bin where all is 0', () => {
    expect(histogram(new Float32Array(4)).counts[15]).toBe(4);
  });
});
