import { cpu } from '@nn/backend-cpu';
import type { Parameter, Stateful } from '@nn/core';
import { parameter, randomState, setDefaultBackend, setSeed } from '@nn/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeCheckpoint, loadCheckpoint } from './checkpoint.ts';
import type { Json } from './exact-json.ts';
import { decodeTensor, encodeSafetensors, parseSafetensors } from './safetensors.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
});

const floats = (...values: number[]): Parameter => parameter(new Float32Array(values), { shape: [values.length] });

class Model {
  layer: { weight: Parameter; bias: Parameter };
  runningMean: Parameter;
  constructor(value: number) {
    this.layer = { weight: floats(value, value + 1), bias: floats(value + 2) };
    this.runningMean = parameter(new Float32Array([value + 3]), { shape: [1], trainable: false });
  }
}

/** Holds its model's parameters, as optimizers do, and moments and a count of its own. */
class Optimizer implements Stateful {
  groups: { parameters: Parameter[] }[];
  moments: Parameter[];
  stepCount: number;
  best = Infinity;
  constructor(model: Model, value: number) {
    this.groups = [{ parameters: [model.layer.weight, model.layer.bias] }];
    this.moments = [floats(value, value), floats(value)];
    this.stepCount = value;
  }
  hostState(): Json {
    return { stepCount: this.stepCount, best: this.best };
  }
  loadHostState(state: unknown): void {
    const { stepCount, best } = Object(state) as { stepCount: unknown; best: unknown };
    if (typeof stepCount !== 'number' || typeof best !== 'number') throw new Error('no step count');
    this.stepCount = stepCount;
    this.best = best;
  }
}

function build(value: number): { model: Model; optimizer: Optimizer } {
  const model = new Model(value);
  return { model, optimizer: new Optimizer(model, value * 100) };
}

async function contents({ model, optimizer }: { model: Model; optimizer: Optimizer }): Promise<unknown> {
  const parameters = [model.layer.weight, model.layer.bias, model.runningMean, ...optimizer.moments];
  const values = await Promise.all(parameters.map(async (each) => [...(await each.data())]));
  return { values, state: optimizer.hostState() };
}

describe('a checkpoint', () => {
  it('brings back parameters, statistics, moments and host state', async () => {
    const bytes = await encodeCheckpoint(build(1));
    const other = build(5);
    await loadCheckpoint(bytes, other);
    expect(await contents(other)).toEqual(await contents(build(1)));
    expect(other.optimizer.best).toBe(Infinity);
  });

  it('is safetensors with each parameter once, under the name of its model', async () => {
    for (const order of [
      ['model', 'optimizer'],
      ['optimizer', 'model'],
    ] as const) {
      const run = build(1);
      const { tensors } = parseSafetensors(
        await encodeCheckpoint(Object.fromEntries(order.map((part) => [part, run[part]]))),
      );
      expect([...tensors.keys()].sort()).toEqual([
        'model.layer.bias',
        'model.layer.weight',
        'model.running_mean',
        'optimizer.moments.0',
        'optimizer.moments.1',
      ]);
    }
  });

  it('brings back the random state, unless told not to', async () => {
    setSeed(3);
    const saved = randomState();
    const bytes = await encodeCheckpoint(build(1));
    setSeed(8);
    const other = randomState();
    await loadCheckpoint(bytes, build(2), { random: false });
    expect(randomState()).toEqual(other);
    await loadCheckpoint(bytes, build(2));
    expect(randomState()).toEqual(saved);
  });

  it('keeps notes', async () => {
    const notes = { epoch: 3, losses: [0.5, Number.NaN], name: 'ünï' };
    expect(await loadCheckpoint(await encodeCheckpoint(build(1), { notes }), build(1))).toEqual({ notes });
    expect(await loadCheckpoint(await encodeCheckpoint(build(1)), build(1))).toEqual({ notes: null });
  });

  it('takes the state of the moment of the call, though the run goes on', async () => {
    const run = build(1);
    const promise = encodeCheckpoint(run);
    run.optimizer.stepCount = 999;
    run.model.layer.bias.assign(floats(999));
    const other = build(5);
    await loadCheckpoint(await promise, other);
    expect(await contents(other)).toEqual(await contents(build(1)));
  });

  it('lends its model alone', async () => {
    const { model } = build(5);
    await loadCheckpoint(await encodeCheckpoint(build(1)), { model });
    expect([...(await model.layer.weight.data())]).toEqual([1, 2]);
  });

  it('finds state within fields, lists and maps', async () => {
    const counter = (count: number): Stateful & { count: number } => ({
      count,
      hostState() {
        return this.count;
      },
      loadHostState(state) {
        this.count = Number(state);
      },
    });
    const holder = (count: number) => ({
      list: [counter(count)],
      map: new Map([['a', counter(count + 1)]]),
      deep: { inside: counter(count + 2) },
    });
    const other = holder(50);
    await loadCheckpoint(await encodeCheckpoint({ holder: holder(1) }), { holder: other });
    expect([other.list[0]?.count, other.map.get('a')?.count, other.deep.inside.count]).toEqual([1, 2, 3]);
  });
});

describe('a checkpoint that does not fit', () => {
  /** The load must fail with the message, and change nothing. */
  async function refused(bytes: Uint8Array, run: Record<string, object>, message: string | RegExp): Promise<void> {
    const { model, optimizer } = build(5);
    const parts: Record<string, object> = { model, optimizer, ...run };
    const random = randomState();
    await expect(loadCheckpoint(bytes, parts)).rejects.toThrow(message);
    expect(await contents({ model, optimizer })).toEqual(await contents(build(5)));
    expect(randomState()).toEqual(random);
  }

  it('lists all names that are missing, unexpected or different, and changes nothing', async () => {
    const run = build(1);
    const changed = {
      layer: { weight: floats(1, 2, 3), scale: floats(1) },
      runningMean: parameter(new Int32Array([1]), { shape: [1], trainable: false }),
    };
    const bytes = await encodeCheckpoint({ ...run, model: changed, optimizer: { moments: run.optimizer.moments } });
    await refused(
      bytes,
      {},
      'loadCheckpoint: the file does not fit, and nothing was changed; ' +
        'missing in the file: model.layer.bias, the state of optimizer; unexpected in the file: model.layer.scale; ' +
        "different: 'model.layer.weight' has the shape [3] in the file, [2] here, 'model.running_mean' is I32 in the file, float32 here.",
    );
    // names as facts, not the words of the message
    await expect(loadCheckpoint(bytes, run)).rejects.toMatchObject({
      data: {
        missing: ['model.layer.bias'],
        unexpected: ['model.layer.scale'],
        missingStates: ['optimizer'],
        unexpectedStates: [],
      },
    });
  });

  it('takes a part whose name begins that of another one', async () => {
    const bytes = await encodeCheckpoint({ net: new Model(1), network: new Model(5) });
    const model = new Model(0);
    await loadCheckpoint(bytes, { net: model });
    expect(await model.layer.weight.array()).toEqual([1, 2]);
  });

  it('names parts that the file does not have', async () => {
    await refused(
      await encodeCheckpoint({ model: new Model(1) }),
      {},
      "the file has no part 'optimizer'; it has model.",
    );
  });

  it('gives every state back when one refuses', async () => {
    const bytes = await encodeCheckpoint({ ...build(1), last: { hostState: () => 7, loadHostState: () => undefined } });
    const last = {
      hostState: () => 1,
      loadHostState: (state: unknown) => {
        if (state === 7) throw new Error('seven is not for me');
      },
    };
    await refused(
      bytes,
      { last },
      "loadCheckpoint: 'last' refuses its state in the file, and nothing was changed: seven is not for me",
    );
  });

  it('keeps the reason where an object refuses its state of before, too, and gives the others theirs', async () => {
    const kept = {
      held: 7,
      hostState: () => kept.held,
      loadHostState: (state: unknown) => {
        kept.held = Number(state);
      },
    };
    const never = {
      hostState: () => 1,
      loadHostState: () => {
        throw new Error('none is for me');
      },
    };
    const bytes = await encodeCheckpoint({ kept, never });
    kept.held = 8;
    const loading = loadCheckpoint(bytes, { kept, never });
    await expect(loading).rejects.toMatchObject({
      message:
        "loadCheckpoint: 'never' refuses its state in the file, and the states of before could not be given back to 'never', which must be built anew: none is for me",
      data: { name: 'never', lost: ['never'] },
    });
    expect(kept.held).toBe(8);
  });

  it('says so when it is a model alone, of another version, or damaged', async () => {
    const bytes = await encodeCheckpoint(build(1));
    const edit = (from: string, to: string): Uint8Array => {
      const text = String.fromCharCode(...bytes);
      expect(text).toContain(from);
      expect(from.length).toBe(to.length);
      return Uint8Array.from(text.replace(from, to), (character) => character.charCodeAt(0));
    };
    await refused(
      edit('nn.checkpoint', 'nn.checkp0int'),
      {},
      'is safetensors, but no checkpoint; load a model alone with loadModel',
    );
    await refused(edit('version\\":1', 'version\\":9'), {}, 'the file has version 9, this package reads version 1');
    await refused(edit('states', 'stat\u0065z'), {}, 'lacks parts, states or random');
    await refused(edit('seed\\"', 'sead\\"'), {}, 'lacks parts, states or random');
    await refused(edit('{\\"version', '[\\"version'), {}, 'is not JSON; the file is damaged');
    await refused(bytes.subarray(0, 300), {}, 'truncated');
  });

  it('refuses random state that core would not write, and JSON nested without end', async () => {
    const bytes = await encodeCheckpoint(build(1));
    const file = parseSafetensors(bytes);
    const record = JSON.parse(file.metadata.get('nn.checkpoint') ?? '');
    const tensors = [...file.tensors].map(([name, stored]) => [name, decodeTensor(name, stored)] as const);
    const withRecord = (text: string): Uint8Array => encodeSafetensors(tensors, { 'nn.checkpoint': text });
    for (const random of [
      { seed: 2 ** 33, counter: 0 },
      { seed: 0.5, counter: 0 },
      { seed: 1, counter: -1e308 },
      { seed: null, counter: 1 },
      [],
    ]) {
      await refused(
        withRecord(JSON.stringify({ ...record, random })),
        {},
        'lacks parts, states or random, or they are not what',
      );
    }
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
    await refused(withRecord(`{"version":1,"notes":${deep}}`), {}, 'is not JSON; the file is damaged');
  });

  it('throws nothing but format errors, and changes nothing, for 1,000 files with random damage', async () => {
    const good = await encodeCheckpoint(build(1));
    let state = 99;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const header = good.length - 40;
    const run = build(5);
    const before = JSON.stringify(await contents(run));
    let refusals = 0;
    for (let round = 0; round < 1000; round++) {
      const bytes = good.slice();
      bytes[below(header)] = 32 + below(95);
      try {
        await loadCheckpoint(bytes, run);
        await loadCheckpoint(await encodeCheckpoint(build(5)), run);
      } catch (error) {
        expect(error).toMatchObject({ code: 'format' });
        refusals++;
      }
      expect(JSON.stringify(await contents(run))).toBe(before);
    }
    expect(refusals).toBeGreaterThan(700);
  });
});

describe('encodeCheckpoint refuses', () => {
  it('notes that hold themselves, are nested without end, or are no JSON', async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    for (const notes of [cyclic, deep, new Date(0), { when: new Date(0) }]) {
      const saved = Reflect.apply(encodeCheckpoint, undefined, [{ model: new Model(1) }, { notes }]);
      await expect(saved).rejects.toThrow(
        'saveCheckpoint: notes hold something that JSON cannot keep, as undefined, an instance of a class, or what holds itself.',
      );
    }
  });

  it('state that would not come back as it was', async () => {
    const odd = { hostState: () => ({ when: new Date(0) }), loadHostState: () => undefined };
    await expect(encodeCheckpoint({ odd })).rejects.toThrow("the state of 'odd' holds something that JSON cannot keep");
  });

  it('part names with a dot', async () => {
    await expect(encodeCheckpoint({ 'a.b': {} })).rejects.toThrow("the part 'a.b' has a dot in its name");
  });

  it('asks for state that is on a device, all of one moment', async () => {
    let [held, onDevice] = [1, 2];
    const counter = {
      hostState: (): never => {
        throw new RangeError('a part is on the device');
      },
      readState: (): Promise<unknown> => {
        const state = { sum: held + onDevice };
        return Promise.resolve().then(() => state);
      },
      loadHostState: (state: unknown): void => {
        const { sum } = state as { sum: number };
        if (sum < 0) throw new RangeError('below 0');
        [held, onDevice] = [sum, 0];
      },
    };
    const saving = encodeCheckpoint({ counter });
    onDevice = 50;
    const bytes = await saving;
    await loadCheckpoint(bytes, { counter });
    expect([held, onDevice]).toEqual([3, 0]);
    // one that refuses leaves the others as they were
    let mine = 1;
    const refuses = {
      hostState: () => ({ mine }),
      loadHostState: (state: unknown): void => {
        if ((state as { mine: number }).mine === 1) throw new RangeError('mine');
      },
    };
    const both = await encodeCheckpoint({ counter, refuses });
    [held, onDevice, mine] = [7, 4, 2];
    await expect(loadCheckpoint(both, { counter, refuses })).rejects.toThrow("'refuses' refuses its state");
    expect(held + onDevice).toBe(11);
  });
});

it('refuses one part in the place of all, whose own state would be lost', async () => {
  const run = { ...new Model(1), hostState: () => 1, loadHostState: () => undefined };
  const words = 'checkpoint: the parts are objects by name, { model, optimizer }, and not';
  await expect(encodeCheckpoint(run)).rejects.toThrow(words);
  const bytes = await encodeCheckpoint({ layer: run.layer, runningMean: run.runningMean });
  await expect(loadCheckpoint(bytes, run)).rejects.toThrow(words);
});
