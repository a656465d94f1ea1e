import { cpu } from '@nn/backend-cpu';
import {
  type Backend,
  compile,
  debug,
  freeze,
  gradients,
  namedParameters,
  type Parameter,
  parameter,
  setDefaultBackend,
  type Tensor,
  tensor,
  unfreeze,
} from '@nn/core';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  Adam,
  AdamW,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  globalNorm,
  RMSprop,
  readLoss,
  SGD,
  stepDecay,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];
/** A bowl with its gradient: sum(x^2), 2 x. */
const bowl = (x: Tensor): Tensor => x.square().sum();

describe('step', () => {
  test('computes the loss and what stands beside it from the old parameters', async () => {
    const x = parameter([3, 4]);
    const loss = bowl(x);
    const double = x.mul(2);
    await new SGD([x], { learningRate: 0.5 }).step(loss, double);
    expect(await loss.item()).toBe(25);
    expect(await values(double)).toEqual([6, 8]);
    expect(await values(x)).toEqual([0, 0]);
  });

  test('reads the schedule at steps 0, 1, 2 and so on', async () => {
    const x = parameter([1]);
    const optimizer = new SGD({ x }, { learningRate: stepDecay(1, { every: 1, factor: 0.5 }) });
    const seen: number[] = [];
    for (let step = 0; step < 3; step++) {
      seen.push(optimizer.learningRate);
      await optimizer.step(x.sum());
    }
    expect(seen).toEqual([1, 0.5, 0.25]);
    expect(await values(x)).toEqual([1 - 1.75]);
  });

  test('is refused by eager debugging where it would spoil the parameters, and was never taken', async () => {
    const x = parameter([1, 4]);
    const optimizer = new Adam([x], { learningRate: 0.1 });
    await optimizer.step(x.log().sum());
    const before = await values(x);
    debug({ eager: true });
    try {
      await expect(optimizer.step(x.sub(2).log().sum())).rejects.toThrow(
        /^log made NaN at \[0\] from finite numbers, in \[2\] at .*optimizer\.test\.ts\S*:\d+:\d+\.$/,
      );
      expect([optimizer.stepCount, await values(x)]).toEqual([1, before]);
      await optimizer.step(x.log().sum());
      expect(optimizer.stepCount).toBe(2);
    } finally {
      debug({ eager: false });
    }
    expect((await values(x)).every(Number.isFinite)).toBe(true);
  });

  test('uses a learning rate that was set in between', async () => {
    const x = parameter([1]);
    const optimizer = new SGD({ x }, { learningRate: 1 });
    await optimizer.step(x.sum());
    optimizer.learningRate = 0.25;
    await optimizer.step(x.sum());
    expect(await values(x)).toEqual([-0.25]);
  });

  test('leaves everything as it was when the loss is not a scalar', async () => {
    const x = parameter([1, 2]);
    const optimizer = new SGD({ x });
    await expect(async () => optimizer.step(x.square())).rejects.toThrow();
    expect(optimizer.stepCount).toBe(0);
    expect(await values(x)).toEqual([1, 2]);
  });
});

test('steps that nobody waits for give the same numbers', async () => {
  const run = async (isAwaited: boolean): Promise<number[]> => {
    const x = parameter([3, -2]);
    const optimizer = new Adam([x], { learningRate: stepDecay(0.5, { every: 2, factor: 0.5 }) });
    for (let i = 0; i < 5; i++) {
      const done = optimizer.step(
        x
          .sub(tensor([i, 1]))
          .square()
          .sum(),
      );
      if (isAwaited) await done;
    }
    return values(x);
  };
  expect(await run(false)).toEqual(await run(true));
});

test('a step that fails on the device changes nothing, and the next one works', async () => {
  const device = cpu();
  let isBroken = false;
  const flaky: Backend = {
    name: 'flaky',
    limits: device.limits,
    upload: (data, type) => device.upload(data, type),
    download: (buffer) => device.download(buffer),
    release: (buffer) => device.release(buffer),
    compile: (program) => {
      if (isBroken) throw new Error('out of memory');
      return device.compile(program);
    },
    idle: () => device.idle(),
  };
  const x = parameter([3, 4], { backend: flaky });
  const optimizer = new Adam([x], { learningRate: 0.5 });
  await optimizer.step(bowl(x));
  const before = await values(x);
  isBroken = true;
  await expect(optimizer.step(bowl(x.mul(2)))).rejects.toThrow('out of memory');
  expect([optimizer.stepCount, await values(x)]).toEqual([1, before]);
  isBroken = false;
  await optimizer.step(bowl(x.mul(2)));
  expect(optimizer.stepCount).toBe(2);
  expect(await values(x)).not.toEqual(before);
});

test('parameters that the loss does not depend on stay as they are, also with weight decay', async () => {
  const [a, b] = [parameter([1]), parameter([1])];
  const optimizer = new SGD([a, b], { learningRate: 0.5, weightDecay: 1, momentum: 0.9 });
  await optimizer.step(a.sum());
  expect([await values(a), await values(b)]).toEqual([[0], [1]]);
  expect(() => optimizer.step(tensor([1]).sum())).toThrow(
    'step: the loss depends on none of the 2 parameters: it was made without them, or behind a stopGradient or noGradient.',
  );
});

describe('minimize', () => {
  test('changes only the parameters that it is given, and counts steps for each', async () => {
    const model = { a: parameter([1]), b: parameter([1]) };
    const optimizer = new Adam(model, { learningRate: 0.5 });
    await optimizer.minimize(bowl(model.a).add(bowl(model.b)), [model.a]);
    expect(await values(model.b)).toEqual([1]);
    // the first step of Adam is learningRate * sign(gradient): so it is for b too, one step later
    await optimizer.minimize(bowl(model.b), { b: model.b });
    expect((await values(model.b))[0]).toBeCloseTo(0.5, 6);
    expect(optimizer.stepCount).toBe(2);
  });

  test('refuses a parameter of another optimizer', () => {
    const x = parameter([1]);
    expect(() => new SGD([x]).minimize(bowl(x), [parameter([1])])).toThrow(
      'minimize: a parameter is not one of this optimizer: give it to the constructor too.',
    );
  });
});

describe('apply', () => {
  test('takes gradients in the order of the parameters', async () => {
    const [a, b] = [parameter([1]), parameter([1, 1])];
    const optimizer = new SGD([a, b], { learningRate: 1 });
    await optimizer.apply([tensor([0.5]), tensor([0.25, 0.75])]);
    expect([await values(a), await values(b)]).toEqual([[0.5], [0.75, 0.25]]);
  });

  test('refuses too few gradients, and those of another shape', () => {
    const optimizer = new SGD([parameter([1]), parameter([1, 1])]);
    expect(() => optimizer.apply([tensor([1])])).toThrow(
      'apply: 1 gradients for 2 parameters: give one for each, in the order of optimizer.parameters.',
    );
    expect(() => optimizer.apply([tensor([1]), tensor([1])])).toThrow('apply: gradient 1 is [1], its parameter [2].');
  });
});

describe('accumulate', () => {
  test('adds gradients up until the next step, and then starts anew', async () => {
    const x = parameter([1, 2]);
    const optimizer = new SGD([x], { learningRate: 1 });
    await optimizer.accumulate(x.mul(tensor([1, 0])).sum());
    await optimizer.accumulate(x.mul(tensor([0, 0.5])).sum());
    expect(await values(x)).toEqual([1, 2]);
    await optimizer.step(x.mul(tensor([0.25, 0.25])).sum());
    expect(await values(x)).toEqual([-0.25, 1.25]);
    await optimizer.step(x.sum());
    expect(await values(x)).toEqual([-1.25, 0.25]);
    expect(optimizer.stepCount).toBe(2);
  });

  test('is applied alone by step(null)', async () => {
    const x = parameter([1]);
    const optimizer = new SGD([x], { learningRate: 1 });
    await optimizer.accumulate(x.mul(0.5).sum());
    await optimizer.step(null);
    expect(await values(x)).toEqual([0.5]);
    expect(() => optimizer.step(null)).toThrow('step: there is no loss and nothing was accumulated');
  });
});

describe('parameter groups', () => {
  test('have their own options and learning rates', async () => {
    const [a, b] = [parameter([1]), parameter([1])];
    const groups = [
      { parameters: { a }, learningRate: 0.5 },
      { parameters: [b], weightDecay: 1 },
    ];
    const optimizer = new SGD(groups, { learningRate: 0.25 });
    expect(optimizer.learningRates).toEqual([0.5, 0.25]);
    await optimizer.step(a.add(b).sum());
    expect([await values(a), await values(b)]).toEqual([[0.5], [0.5]]);
  });

  test('may not share a parameter, nor be empty', () => {
    const x = parameter([1]);
    expect(() => new SGD([{ parameters: [x] }, { parameters: { x } }])).toThrow(
      'SGD: a parameter stands in two groups: name each in one.',
    );
    expect(() => new SGD({})).toThrow('SGD: there is no parameter to train in what it was given');
  });
});

test('nesterov needs momentum', () => {
  expect(() => new SGD([parameter([1])], { nesterov: true })).toThrow(
    'SGD: nesterov needs momentum above 0 and no dampening, got momentum 0 and dampening 0.',
  );
});

test('a learning rate that is not a number is named with its step', () => {
  const x = parameter([1]);
  const optimizer = new SGD([x], { learningRate: () => Number.NaN });
  expect(() => optimizer.step(bowl(x))).toThrow(
    'The learning rate at step 0 is NaN: it must be a finite number of at least 0.',
  );
  expect(optimizer.stepCount).toBe(0);
});

describe('clipping', () => {
  const gradient = (): Tensor[] => [tensor([3, 0]), tensor([[4]])];

  test('by value limits each number', async () => {
    const [a, b] = clipByValue(gradient(), 3.5);
    expect([await a?.array(), await b?.array()]).toEqual([[3, 0], [[3.5]]]);
  });

  test('norms whose squares leave the range of float32', async () => {
    const [huge] = clipByGlobalNorm([tensor([3e20, 4e20])], 1);
    const [a, b] = (await huge?.data()) ?? [];
    expect([a, b]).toEqual([expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)]);
    expect(await globalNorm([tensor([3e20]), tensor([[4e20]])]).item()).toBeCloseTo(5e20, -15);
    expect(await globalNorm([tensor([3e-30]), tensor([[4e-30]])]).item()).toBeCloseTo(5e-30, 36);
  });

  test('by norm limits each gradient alone', async () => {
    const [a, b] = clipByNorm(gradient(), 3.5);
    expect(await a?.array()).toEqual([3, 0]);
    expect((await values(b ?? tensor(0)))[0]).toBeCloseTo(3.5, 5);
  });

  test('by global norm keeps the direction, and leaves small gradients alone', async () => {
    expect(await globalNorm(gradient()).item()).toBe(5);
    const [a, b] = clipByGlobalNorm(gradient(), 2.5);
    expect((await values(a ?? tensor(0)))[0]).toBeCloseTo(1.5, 5);
    expect((await values(b ?? tensor(0)))[0]).toBeCloseTo(2, 5);
    const same = clipByGlobalNorm(gradient(), 6);
    expect(await same[1]?.array()).toEqual([[4]]);
  });

  test('refuses a limit of 0', () => {
    expect(() => clipByValue(gradient(), 0)).toThrow('clipByValue: the limit is 0: it must be above 0.');
  });
});

describe('the state of an optimizer', () => {
  test('is found by walking it, without the parameters of the model', () => {
    const model = { a: parameter([1]), b: parameter([1, 2]) };
    const names = (optimizer: object): string[] => [...namedParameters(optimizer).keys()].sort();
    expect(names(new SGD(model))).toEqual([]);
    expect(names(new SGD(model, { momentum: 0.9 }))).toEqual(['direction.a', 'direction.b']);
    expect(names(new Adam([{ parameters: [model.a], amsgrad: true }, { parameters: [model.b] }]))).toEqual([
      'first_moment.a',
      'first_moment.b',
      'largest_second_moment.a',
      'second_moment.a',
      'second_moment.b',
    ]);
    expect(names(new RMSprop([model.a], { centered: true, momentum: 0.5 }))).toEqual([
      'direction.a',
      'mean_gradient.a',
      'mean_square.a',
    ]);
  });

  test('carries a run on exactly where another stopped', async () => {
    const run = async (optimizer: AdamW, x: Parameter, steps: number): Promise<void> => {
      for (let step = 0; step < steps; step++)
        await optimizer.step(
          x
            .sub(tensor([1, 2]))
            .square()
            .sum(),
        );
    };
    const make = (): [Parameter, AdamW] => {
      const x = parameter([3, -1]);
      return [x, new AdamW([x], { learningRate: stepDecay(0.1, { every: 3 }) })];
    };
    const [whole, first] = make();
    await run(first, whole, 8);
    const [part, second] = make();
    await run(second, part, 4);
    const [resumed, third] = make();
    third.loadHostState(JSON.parse(JSON.stringify(second.hostState())));
    resumed.assign(tensor(await part.data(), { shape: [2] }));
    const saved = namedParameters(second);
    for (const [name, target] of namedParameters(third)) {
      target.assign(tensor((await saved.get(name)?.data()) ?? [], { shape: [2] }));
    }
    await run(third, resumed, 4);
    expect(await values(resumed)).toEqual(await values(whole));
  });

  test('cannot be saved while accumulated gradients wait', async () => {
    const x = parameter([1]);
    const optimizer = new SGD([x]);
    await optimizer.accumulate(x.sum());
    expect(() => optimizer.hostState()).toThrow('SGD: accumulated gradients wait for a step and cannot be saved');
    await optimizer.step(null);
    expect(optimizer.hostState()).toEqual({ stepCount: 1, names: ['0'], steps: [1], learningRates: [0.01] });
  });

  test('of another model is refused', () => {
    const state = new SGD([parameter([1])]).hostState();
    expect(() => new SGD([parameter([1]), parameter([2])]).loadHostState(state)).toThrow(
      'SGD: the saved state has 1 parameters in 1 groups, this optimizer 2 in 1; it has none of 1: build it for the same model.',
    );
    expect(() => new SGD([parameter([1])]).loadHostState({ stepCount: 1 })).toThrow(
      "SGD: the saved state has no 'names'.",
    );
  });

  test('finds its parameters by name in any order, and names those that differ', async () => {
    const pair = (): { p: Parameter; q: Parameter } => ({ p: parameter([1, 1]), q: parameter([2, 2]) });
    const one = pair();
    const saved = new Adam(one);
    await saved.minimize(one.p.sum(), [one.p]);
    await saved.step(one.p.sum().add(one.q.mul(3).sum()));
    const { p, q } = pair();
    const turned = new Adam({ q, p });
    const state: unknown = JSON.parse(JSON.stringify(saved.hostState()));
    turned.loadHostState(state);
    expect(turned.hostState()).toMatchObject({ names: ['q', 'p'], steps: [1, 2] });
    expect([...namedParameters(turned).keys()].sort()).toEqual([...namedParameters(saved).keys()].sort());
    expect(() => new Adam({ p, r: q }).loadHostState(state)).toThrow(
      'Adam: the saved state has 2 parameters in 1 groups, this optimizer 2 in 1; it has none of r and has some of q: build it for the same model.',
    );
    const groups = [{ parameters: { weight: p } }, { parameters: { weight: q } }];
    expect([...namedParameters(new SGD(groups, { momentum: 0.5 })).keys()]).toEqual(['direction.#0', 'direction.#1']);
  });

  test('with numbers that no training makes is refused, and nothing changes', async () => {
    const x = parameter([1]);
    const optimizer = new Adam([x], { learningRate: 0.5 });
    await optimizer.step(x.sum());
    const good = optimizer.hostState();
    for (const [wrong, message] of [
      [{ stepCount: -1 }, 'its counts must be whole numbers, 0 or more'],
      [{ stepCount: 1e308 }, 'its counts must be whole numbers, 0 or more'],
      [{ steps: [-1] }, 'its counts must be whole numbers'],
      [{ steps: [-1e308] }, 'its counts must be whole numbers'],
      [{ steps: [Number.NaN] }, 'its counts must be whole numbers'],
      [{ steps: [0.5] }, 'its counts must be whole numbers'],
      [{ steps: '1' }, 'its counts must be whole numbers'],
      [{ learningRates: [1e308] }, 'its learning rates must be numbers that float32 holds, 0 or more'],
      [{ learningRates: [-1] }, 'its learning rates must be numbers'],
      [{ learningRates: [Number.NaN] }, 'its learning rates must be numbers'],
      [{ learningRates: [Infinity] }, 'its learning rates must be numbers'],
      [{ learningRates: ['0.1'] }, 'its learning rates must be numbers'],
      [{ names: [7] }, 'does not name its parameters'],
      [{ names: [] }, 'does not name its parameters'],
    ] as const) {
      expect(() => optimizer.loadHostState({ ...Object(good), ...wrong }), JSON.stringify(wrong)).toThrow(message);
      expect(optimizer.hostState()).toEqual(good);
    }
  });
});

test('a compiled step counts, and follows the schedule, as a plain one does', async () => {
  const train = async (compiled: boolean): Promise<number[]> => {
    const x = parameter([3, -2]);
    const optimizer = new Adam([x], { learningRate: stepDecay(0.5, { every: 2, factor: 0.5 }) });
    const body = (target: Tensor): Tensor => {
      const loss = x.sub(target).square().sum();
      void optimizer.step(loss);
      return loss;
    };
    const step = compiled ? compile(body) : body;
    const losses: number[] = [];
    for (let i = 0; i < 6; i++) losses.push(await (await step(tensor([i, 1]))).item());
    expect(optimizer.stepCount).toBe(6);
    return [...losses, ...(await values(x))];
  };
  expect(await train(true)).toEqual(await train(false));
});

test('gradients of a list of parameters are those that apply expects', async () => {
  const x = parameter([3]);
  const optimizer = new SGD([x], { learningRate: 0.25 });
  await optimizer.apply(gradients(bowl(x), optimizer.parameters));
  expect(await values(x)).toEqual([1.5]);
});

describe('options', () => {
  const x = parameter([1]);
  /** As JavaScript calls it: without types. */
  const make = (Kind: typeof SGD | typeof Adam | typeof RMSprop, ...args: readonly unknown[]): SGD =>
    Reflect.construct(Kind, args);

  test('that do not exist are refused, with those that do', () => {
    expect(() => make(SGD, [x], { lr: 0.1 })).toThrow(
      'SGD: no option lr: learningRate, weightDecay, maximize, momentum, dampening, nesterov, clip, transform, constraint, masterWeights.',
    );
    expect(() => make(Adam, [x], { eps: 1 })).toThrow('Adam: no option eps');
    expect(() => make(AdamW, [x], 0.01)).toThrow('AdamW: takes options by name, { learningRate');
    expect(() => make(RMSprop, [x], { decay: 0.9 })).toThrow('RMSprop: no option decay');
  });

  test.each([
    [
      SGD,
      { learningRate: '0.1' },
      "SGD: learningRate is '0.1', a string: it must be a number, finite and at least 0 or a function of the step.",
    ],
    [SGD, { learningRate: -1 }, 'SGD: learningRate is -1: it must be a number, finite and at least 0'],
    [
      SGD,
      { clip: { globalNorm: Number.NaN } },
      'SGD: clip is globalNorm: NaN: it must be one limit above 0, as { value }, { norm } or { globalNorm }.',
    ],
    [Adam, { clip: { norm: -1 } }, 'Adam: clip is norm: -1: it must be one limit'],
    [Adam, { clip: { norm: 1, value: 1 } }, 'Adam: clip is norm: 1, value: 1: it must be one limit'],
    [Adam, { clip: { maxNorm: 1 } }, 'Adam: clip is maxNorm: 1: it must be one limit'],
    [RMSprop, { clip: 1 }, 'RMSprop: clip is 1: it must be one limit'],
    [SGD, { momentum: Number.NaN }, 'SGD: momentum is NaN: it must be a number, finite and at least 0.'],
    [SGD, { weightDecay: Number.NaN }, 'SGD: weightDecay is NaN'],
    [Adam, { betas: [2, -1] }, 'Adam: betas[0] is 2: it must be a number, from 0 to below 1.'],
    [Adam, { betas: [0.9] }, 'Adam: betas must be two numbers, got 0.9.'],
    [AdamW, { epsilon: Number.NaN }, 'AdamW: epsilon is NaN'],
    [RMSprop, { alpha: 1.5 }, 'RMSprop: alpha is 1.5: it must be a number, from 0 to 1.'],
  ] as const)('outside of their range are refused: %o %o', (Kind, options, message) => {
    expect(() => make(Kind, [x], options)).toThrow(message);
  });

  test('of groups are checked like those of the optimizer, and so is a rate that is set', () => {
    expect(() => make(SGD, [{ parameters: [x], lr: 1 }])).toThrow('SGD: a group: no option lr: learningRate,');
    expect(() => make(SGD, [{ parameters: [x], momentum: -1 }])).toThrow('SGD: a group: momentum is -1');
    const optimizer = make(SGD, [x]);
    expect(() => Reflect.set(optimizer, 'learningRate', 'fast')).toThrow("SGD: learningRate is 'fast', a string");
    expect(optimizer.learningRate).toBe(0.01);
  });
});

test('the learning rate of one group can be set, and those of the others stay', async () => {
  const [a, b] = [parameter([1]), parameter([1])];
  const optimizer = new SGD([{ parameters: [a] }, { parameters: [b] }], { learningRate: 0.25 });
  const [first] = optimizer.groups;
  if (first === undefined) throw new Error('there are two groups');
  first.learningRate = stepDecay(0.5, { every: 1, factor: 0.5 });
  expect([optimizer.learningRates, first.parameters]).toEqual([[0.5, 0.25], [a]]);
  await optimizer.step(a.add(b).sum());
  expect([await values(a), await values(b), first.learningRate]).toEqual([[0.5], [0.75], 0.25]);
});

describe('freezing', () => {
  const make = () => {
    const model = {
      body: { weight: parameter([1]), mean: parameter([5], { buffer: true }) },
      head: { weight: parameter([1]) },
    };
    return { model, loss: () => model.body.weight.add(model.head.weight).add(model.body.mean).sum() };
  };

  test('is obeyed at any time, in plain and in compiled steps', async () => {
    for (const isCompiled of [false, true]) {
      const { model, loss } = make();
      const optimizer = new AdamW(model, { learningRate: 0.5, weightDecay: 0.1 });
      const body = () => void optimizer.step(loss());
      const step = isCompiled ? compile(body) : async () => body();
      const read = async () => [...(await values(model.body.weight)), ...(await values(model.head.weight))];
      expect(freeze(model, 'body')).toEqual(['body.weight', 'body.mean']);
      for (let k = 0; k < 3; k++) await step();
      const [still, moved] = await read();
      expect([still, moved === 1]).toEqual([1, false]);
      unfreeze(model);
      await step();
      // as its own first step: 1 - 0.5 * 0.1 decays, and then goes one learning rate down
      expect((await read())[0]).toBeCloseTo(0.95 - 0.5, 5);
      model.head.weight.trainable = false;
      const before = (await read())[1];
      await step();
      expect((await read())[1]).toBe(before);
      expect(await values(model.body.mean)).toEqual([5]);
    }
  });

  test('of everything is said, and so is a pattern that fits nothing', () => {
    const { model, loss } = make();
    const optimizer = new SGD(model);
    freeze(model);
    expect(() => optimizer.step(loss())).toThrow('step: all 2 parameters are frozen: unfreeze(model) some first.');
    expect(() => freeze(model, /^backbone/)).toThrow(
      'freeze: no parameter fits /^backbone/: there are body.weight, body.mean, head.weight.',
    );
    expect(() => Reflect.set(model.body.mean, 'trainable', true)).toThrow(
      'trainable: body.mean is a buffer (running statistics, a counter), which is never trained',
    );
  });

  test('leaves buffers out even when they are named', () => {
    const { model } = make();
    unfreeze(model);
    expect(new SGD([...namedParameters(model).values()]).parameters).toEqual([model.body.weight, model.head.weight]);
  });
});

test('trainable parameters that no optimizer holds are spoken of once, with shape and line', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  try {
    const hidden = parameter([[1, 2]]);
    const teacher = parameter([1]);
    const [a, b] = [parameter([1]), parameter([1])];
    freeze({ teacher });
    const optimizer = new SGD([a]);
    const other = new SGD([b]);
    const loss = () => hidden.mul(a).sum().add(b.sum()).add(teacher.sum());
    for (let k = 0; k < 2; k++) {
      await optimizer.step(loss());
      await other.step(loss());
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toMatch(
      /^nn: the loss depends on trainable parameters that no optimizer holds, so they are not trained:\n {2}a parameter \[1, 2\], made at .*optimizer\.test\.ts\S*:\d+:\d+\n/,
    );
  } finally {
    warn.mockRestore();
  }
});

test.each([
  ['that comes with a later batch', 1, () => parameter([[1, 2]])],
  ['whose first value is not computed yet', 0, () => parameter(tensor([[1, 1]]).mul(tensor([[1, 2]])))],
])('a parameter that no optimizer holds is spoken of once: one %s', async (_, firstStep, make) => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  try {
    const a = parameter([1]);
    const optimizer = new SGD([a]);
    let hidden: Tensor | null = null;
    for (let k = 0; k < 4; k++) {
      if (k >= firstStep) hidden ??= make();
      await optimizer.step(hidden === null ? a.sum() : a.mul(hidden).sum());
      expect(warn).toHaveBeenCalledTimes(k >= firstStep ? 1 : 0);
    }
    expect(warn.mock.calls[0]?.[0]).toMatch(
      /no optimizer holds.*\n {2}a parameter \[1, 2\], made at .*optimizer\.test\.ts/,
    );
  } finally {
    warn.mockRestore();
  }
});

describe('readLoss', () => {
  test('gives the loss, and names the step that was not finite, once', async () => {
    for (const isCompiled of [false, true]) {
      const x = parameter([1, 4]);
      const optimizer = new SGD([x], { learningRate: 0.125 });
      const body = (shift: Tensor): Tensor => {
        const loss = x.sub(shift).sqrt().sum();
        void optimizer.step(loss);
        return loss;
      };
      const step = isCompiled ? compile(body) : async (shift: Tensor) => body(shift);
      expect(await readLoss(optimizer, await step(tensor([0])))).toBe(3);
      await step(tensor([0]));
      await step(tensor([2])); // the third
      const last = await step(tensor([0]));
      await expect(readLoss(optimizer, last)).rejects.toThrow(
        'SGD: the loss of step 3 is not finite, so neither are the parameters from then on',
      );
      x.assign(tensor([1, 4]));
      expect(await readLoss(optimizer, await step(tensor([0])))).toBe(3);
    }
  });

  test('names a gradient where the loss is finite', async () => {
    const x = parameter([0, 4]);
    const optimizer = new Adam([x]);
    const loss = x.sqrt().sum();
    await readLoss(optimizer, x.sum());
    await optimizer.step(loss);
    await expect(readLoss(optimizer, loss)).rejects.toThrow('Adam: a gradient of step 1 is not finite');
  });
});

test('maximize climbs', async () => {
  const x = parameter([3]);
  await new SGD([x], { learningRate: 0.25, maximize: true }).step(bowl(x));
  expect(await values(x)).toEqual([4.5]);
});

test('what was accumulated for one step is no part of the next', async () => {
  const x = parameter([0]);
  const optimizer = new SGD([x], { learningRate: 1 });
  for (let turn = 0; turn < 3; turn++) {
    await optimizer.accumulate(x.mul(2).sum());
    await optimizer.step(null);
  }
  expect(await values(x)).toEqual([-6]);
});

test('nesterov takes no dampening', () => {
  expect(() => new SGD([parameter([1])], { nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow(
    'SGD: nesterov needs momentum above 0 and no dampening, got momentum 0.9 and dampening 0.1.',
  );
});
