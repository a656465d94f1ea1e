import { cpu } from '@nn/backend-cpu';
import { isPadded, setDefaultBackend, setSeed } from '@nn/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { trainTestSplit } from '../splits/split.ts';
import type { DataArray } from './dataset.ts';
import { Dataset, dense, ragged } from './dataset.ts';
import { DataLoader } from './loader.ts';
import { fitNormalization } from './normalization.ts';
import { shuffledOrder } from './random.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
});

/** Ten samples; sample i has the inputs [i, -i] and the target i. */
const ten = new Dataset({
  inputs: { data: Float32Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? i / 2 : -(i - 1) / 2)), shape: [10, 2] },
  targets: { data: Int32Array.from({ length: 10 }, (_, i) => i), shape: [10] },
});

/** The samples of the batches of one loop, at most `count` of them. */
function walk(loader: DataLoader<typeof ten.fields>, count = Infinity): number[][] {
  const batches: number[][] = [];
  for (const { indices } of loader) {
    batches.push([...indices]);
    if (batches.length === count) break;
  }
  return batches;
}

describe('DataLoader', () => {
  it('ends a loop on a signal, and another loader goes on from there', () => {
    const controller = new AbortController();
    const options = { batchSize: 3, shuffle: true, seed: 5 };
    const loader = new DataLoader(ten, { ...options, signal: controller.signal });
    const seen: number[][] = [];
    const loop = (): void => {
      for (const { indices } of loader) {
        seen.push([...indices]);
        if (seen.length === 2) controller.abort(new Error('enough'));
      }
    };
    expect(loop).toThrow('enough');
    expect([seen.length, loader.position]).toEqual([2, 6]);
    expect(loop).toThrow('enough');
    const other = new DataLoader(ten, options);
    other.loadHostState(loader.hostState());
    expect([...seen, ...walk(other)]).toEqual(walk(new DataLoader(ten, options)));
  });

  it('shuffles as setSeed decides where it has no seed of its own', () => {
    const orders = [1, 1, 2].map((seed) => {
      setSeed(seed);
      return walk(new DataLoader(ten, { shuffle: true }));
    });
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[2]).not.toEqual(orders[0]);
    setSeed(1);
    const own = () => walk(new DataLoader(ten, { shuffle: true, seed: 5 }));
    expect(own()).toEqual(own());
  });

  it('makes tensors of the fields, in the order of the dataset', async () => {
    const [batch] = new DataLoader(ten, { batchSize: 4 });
    if (!batch) throw new Error('no batch');
    expect([batch.inputs.shape, batch.inputs.dtype]).toEqual([[4, 2], 'float32']);
    expect([batch.targets.shape, batch.targets.dtype]).toEqual([[4], 'int32']);
    expect([...(await batch.targets.data())]).toEqual([0, 1, 2, 3]);
    expect([...(await batch.inputs.data())].map(Math.abs)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    expect([batch.count, [...(await batch.mask.data())]]).toEqual([4, [1, 1, 1, 1]]);
  });

  it('ends with a smaller batch, or drops it', () => {
    const sizes = (loader: DataLoader<typeof ten.fields>): number[] => walk(loader).map(({ length }) => length);
    expect(sizes(new DataLoader(ten, { batchSize: 4 }))).toEqual([4, 4, 2]);
    expect(sizes(new DataLoader(ten, { batchSize: 4, dropLast: true }))).toEqual([4, 4]);
    expect(new DataLoader(ten, { batchSize: 4 }).length).toBe(3);
    expect(new DataLoader(ten, { batchSize: 4, dropLast: true }).length).toBe(2);
    expect(sizes(new DataLoader(ten, { batchSize: 11, dropLast: true }))).toEqual([]);
  });

  it('shuffles each epoch anew, as seed and epoch decide', () => {
    const loader = new DataLoader(ten, { batchSize: 10, shuffle: true, seed: 5 });
    expect([walk(loader), walk(loader)]).toEqual([[[...shuffledOrder(10, 5, 0)]], [[...shuffledOrder(10, 5, 1)]]]);
    expect(loader.epoch).toBe(2);
  });

  it('works with for await', async () => {
    let count = 0;
    for await (const batch of new DataLoader(ten, { batchSize: 5 })) count += batch.count;
    expect(count).toBe(10);
  });

  it('goes on after a loop that was left, and begins again when told to', () => {
    const loader = new DataLoader(ten, { batchSize: 4, shuffle: true });
    const whole = walk(new DataLoader(ten, { batchSize: 4, shuffle: true }));
    expect(walk(loader, 1)).toEqual(whole.slice(0, 1));
    expect([loader.epoch, loader.position]).toEqual([0, 4]);
    expect(walk(loader)).toEqual(whole.slice(1));
    expect([loader.epoch, loader.position]).toEqual([1, 0]);
    walk(loader, 2);
    loader.rewind(0);
    expect(walk(loader)).toEqual(whole);
  });

  it('shows the first batch without moving', async () => {
    const loader = new DataLoader(ten, { batchSize: 3, shuffle: true });
    expect([...(await loader.peek().targets.data())]).toEqual([0, 1, 2]);
    expect(loader.position).toBe(0);
  });

  it('stops a loop that another has overtaken', () => {
    const loader = new DataLoader(ten, { batchSize: 4 });
    expect(() => {
      for (const _ of loader) walk(loader, 1);
    }).toThrow('DataLoader: this loop was overtaken by another loop');
  });

  it('stops a loop that a rewind or a restored state has overtaken', () => {
    const loader = new DataLoader(ten, { batchSize: 4 });
    const start = loader.hostState();
    for (const change of [() => loader.rewind(), () => loader.loadHostState(start)]) {
      expect(() => {
        for (const _ of loader) change();
      }).toThrow('DataLoader: this loop was overtaken by another loop, a rewind or a restored state');
      loader.rewind(0);
    }
  });

  it('makes float32 of bytes, and normalises', async () => {
    const images = new Dataset({ images: { data: new Uint8Array([0, 51, 255, 102]), shape: [2, 2] } });
    const plain = new DataLoader(images).peek().images;
    expect([plain.dtype, [...(await plain.data())]]).toEqual(['float32', [0, 51, 255, 102]]);
    const normalize = { images: { per: 'array', offset: [0], divisor: [51] } } as const;
    expect([...(await new DataLoader(images, { normalize }).peek().images.data())]).toEqual([0, 1, 5, 2]);
  });

  it('pads batches and sequences to buckets', async () => {
    const words = new Dataset({ letters: ragged([[1], [2, 3], [4, 5, 6]]) });
    const loader = new DataLoader(words, { batchSize: 2, padTo: { samples: 2, length: [2, 4] } });
    const batches = [...loader];
    expect(batches.map(({ letters }) => letters.shape)).toEqual([
      [2, 2],
      [2, 4],
    ]);
    const [, last] = batches;
    if (!last?.lengths.letters) throw new Error('no lengths');
    expect([...(await last.letters.data())]).toEqual([4, 5, 6, 0, 0, 0, 0, 0]);
    expect([...(await last.lengths.letters.data())]).toEqual([3, 0]);
    expect([...(await last.mask.data())]).toEqual([1, 0]);
    expect(last.count).toBe(1);
  });

  it('says what does not fit', () => {
    expect(() => new DataLoader(ten, { batchSize: 0 })).toThrow('DataLoader: batchSize 0 is not a whole number');
    expect(() => new DataLoader(ten, { seed: 0.5 })).toThrow('DataLoader: seed 0.5');
    const normalize: object = { pixels: { per: 'array', offset: [0], divisor: [1] } };
    expect(() => new DataLoader(ten, { normalize })).toThrow(
      "normalize names 'pixels', the samples have inputs, targets",
    );
    expect(() => new DataLoader(ten).rewind(-1)).toThrow('epoch -1');
  });
});

describe('the state of a loader', () => {
  const make = (seed: number): DataLoader<typeof ten.fields> =>
    new DataLoader(ten, { batchSize: 3, shuffle: true, seed });

  it('continues at every position with the order of the run that was not interrupted', () => {
    const straight = make(7);
    const expected = [...walk(straight), ...walk(straight)];
    for (let stop = 1; stop <= expected.length; stop++) {
      const first = make(7);
      const seen: number[][] = [];
      while (seen.length < stop) seen.push(...walk(first, Math.min(stop - seen.length, 4)));
      const resumed = make(0);
      resumed.loadHostState(JSON.parse(JSON.stringify(first.hostState())));
      while (resumed.epoch < 2) seen.push(...walk(resumed));
      expect(seen, `stopped after ${stop} batches`).toEqual(expected);
    }
  });

  it('ends the epoch at once when it was taken after the last batch', () => {
    const loader = make(7);
    for (const _ of loader) if (loader.position === 10) break;
    expect([loader.epoch, loader.position]).toEqual([0, 10]);
    expect(walk(loader)).toEqual([]);
    expect([loader.epoch, loader.position]).toEqual([1, 0]);
  });

  it('is refused, and nothing changes, where it belongs to other data or is damaged', () => {
    const loader = make(7);
    walk(loader, 2);
    const state = loader.hostState();
    const message = (change: object): string => {
      try {
        loader.loadHostState({ ...state, ...change });
      } catch (error) {
        return String(error);
      }
      return 'accepted';
    };
    expect(message({ size: 11, position: 11 })).toContain('belongs to 11 samples, this dataset has 10');
    expect(message({ shuffle: false })).toContain('has shuffle false, this loader has true');
    for (const damage of [{ position: 11 }, { position: -1 }, { epoch: 0.5 }, { seed: '7' }, { size: null }]) {
      expect(message(damage)).toContain('is not that of a loader');
    }
    expect(() => loader.loadHostState(null)).toThrow('is not that of a loader');
    expect(loader.hostState()).toEqual(state);
  });
});

describe('doubles', () => {
  const times = new Dataset({ time: dense([[1.7e12], [1.7e12 + 60000], [1.7e12 + 120000]]) });

  it('are normalised before they are rounded to float32', async () => {
    const warn = vi.spyOn(console, 'warn');
    const normalize = { time: fitNormalization(times.fields.time) };
    const { time } = new DataLoader(times, { normalize }).peek();
    expect([time.dtype, await time.array()]).toEqual([
      'float32',
      [[-Math.fround(Math.sqrt(1.5))], [0], [Math.fround(Math.sqrt(1.5))]],
    ]);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('warn once where samples become equal by rounding, and not for the noise of arithmetic', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const loader = new DataLoader(times);
    for (let epoch = 0; epoch < 2; epoch++) for (const { time } of loader) await time.data();
    expect(warn.mock.calls).toEqual([
      [
        "DataLoader: 'time' holds 1700000000000 and 1700000060000, which are one number as float32: normalise them first, as normalize: { time: fitNormalization(train.fields.time) }.",
      ],
    ]);
    new DataLoader(new Dataset({ x: dense([[0.1 + 0.2], [0.3], [5]]) })).peek();
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});

describe('fields of any name', () => {
  it('become tensors, with normalisation and padding of their own alone', async () => {
    const names = ['constructor', '__proto__', 'toString'];
    const fields: Record<string, DataArray<Float64Array>> = Object.create(null);
    for (const [i, name] of names.entries()) fields[name] = dense([[i], [i + 10]]);
    const dataset = new Dataset(fields).take([1, 0]);
    const batch = new DataLoader(dataset, { padTo: { samples: 3, values: {} }, normalize: {} }).peek();
    for (const [i, name] of names.entries()) expect(await batch[name]?.array()).toEqual([[i + 10], [i], [0]]);
    expect(() => new DataLoader(ten, { normalize: { constructor: fitNormalization(dense([1])) } as object })).toThrow(
      "normalize names 'constructor'",
    );
    expect(() => trainTestSplit(ten, { stratifyBy: 'constructor' })).toThrow(
      "stratifyBy 'constructor' must name a field",
    );
  });
});

it('marks the fields of a batch whose rows it padded', () => {
  const words = new Dataset({ letters: ragged([[1], [2], [3], [4, 5]]), label: dense([0, 1, 0, 1]) });
  const batches = [...new DataLoader(words, { batchSize: 2 })];
  expect(batches.map(({ letters }) => isPadded(letters))).toEqual([false, true]);
  expect(batches.map(({ label }) => isPadded(label))).toEqual([false, false]);
  // a row that is no sample has no steps, and says nothing about those that are
  const [more] = new DataLoader(new Dataset({ letters: ragged([[1]]) }), { padTo: { samples: 4 } });
  expect(more && isPadded(more.letters)).toBe(false);
});

describe('a position', () => {
  it('does not move when a batch cannot be made', () => {
    const uneven = new Dataset({ x: ragged([[1], [2], [3, 4, 5]]) });
    const loader = new DataLoader(uneven, { batchSize: 1, padTo: { length: 2 } });
    expect(() => {
      for (const _ of loader);
    }).toThrow('padTo: 3 is more than the largest of the buckets');
    expect([loader.position, loader.epoch]).toEqual([2, 0]);
  });

  it('is checked when it is restored, and then not changed', () => {
    const loader = new DataLoader(ten, { shuffle: true, seed: 4 });
    const good = loader.hostState();
    for (const wrong of [
      { seed: 2 ** 33 },
      { seed: 0.5 },
      { epoch: 1e308 },
      { epoch: -1 },
      { position: 11 },
      { position: Number.NaN },
      { position: -1 },
      { size: '10' },
    ]) {
      expect(() => loader.loadHostState({ ...good, ...wrong })).toThrow('is not that of a loader');
      expect(loader.hostState()).toEqual(good);
    }
  });
});
