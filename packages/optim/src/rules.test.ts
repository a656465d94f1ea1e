/**
 * What holds for every optimizer, whatever its rule: compiled steps give the bits of plain ones, a checkpoint in the
 * middle changes nothing, and one program serves all steps.
 */
import { cpu } from '@nn/backend-cpu';
import { type Backend, compile, namedParameters, setDefaultBackend, setSeed, type Tensor, tensor } from '@nn/core';
import { Linear } from '@nn/layers';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { beforeEach, describe, expect, test } from 'vitest';
import * as optim from './index.ts';

beforeEach(() => setDefaultBackend(cpu()));

const makers = {
  SGD: (model: object) => new optim.SGD(model, { momentum: 0.9, dampening: 0.1 }),
  Adagrad: (model: object) => new optim.Adagrad(model, { initialAccumulator: 0.1 }),
  Adadelta: (model: object) => new optim.Adadelta(model),
  Adam: (model: object) => new optim.Adam(model, { amsgrad: true }),
  AdamW: (model: object) => new optim.AdamW(model),
  Adamax: (model: object) => new optim.Adamax(model),
  Adan: (model: object) => new optim.Adan(model, { weightDecay: 0.1 }),
  Adafactor: (model: object) => new optim.Adafactor(model, { learningRate: 0.05, weightDecay: 0.1 }),
  ASGD: (model: object) => new optim.ASGD(model, { t0: 3 }),
  FTRL: (model: object) => new optim.FTRL(model, { learningRate: 0.5, l1: 0.01 }),
  LAMB: (model: object) => new optim.LAMB(model, { learningRate: 0.05, weightDecay: 0.1 }),
  Lion: (model: object) => new optim.Lion(model, { learningRate: 0.01, weightDecay: 0.1 }),
  Muon: (model: object) => new optim.Muon([...namedParameters(model).values()].filter(({ rank }) => rank > 1)),
  NAdam: (model: object) => new optim.NAdam(model, { learningRate: 0.05 }),
  RAdam: (model: object) => new optim.RAdam(model, { learningRate: 0.05, betas: [0.9, 0.9] }),
  RMSprop: (model: object) => new optim.RMSprop(model, { momentum: 0.5, centered: true }),
  Rprop: (model: object) => new optim.Rprop(model),
  ScheduleFreeAdamW: (model: object) => new optim.ScheduleFreeAdamW(model, { learningRate: 0.05, warmUpSteps: 4 }),
};

function build(make: (model: object) => object): {
  run: { model: Linear; optimizer: object };
  step: (x: Tensor) => Tensor;
} {
  setSeed(3);
  const model = new Linear(3, 2);
  const optimizer = make(model);
  if (!(optimizer instanceof optim.Optimizer)) throw new Error('not an optimizer');
  for (const member of namedParameters(model).values()) member.frozen = !optimizer.parameters.includes(member);
  const target = tensor([0.5, -0.25]);
  const body = (x: Tensor): Tensor => {
    const loss = model.forward(x).tanh().sub(target).square().mean();
    void optimizer.step(loss);
    return loss;
  };
  return { run: { model, optimizer }, step: body };
}

type Step = (x: Tensor) => Tensor | Promise<Tensor>;

const inputs = (k: number): Tensor =>
  tensor(
    Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 5 * k)),
    { shape: [4, 3] },
  );

async function take(step: Step, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let k = from; k < to; k++) losses.push(await (await step(inputs(k))).item());
  return losses;
}

async function weights(model: object): Promise<number[][]> {
  return Promise.all([...namedParameters(model).values()].map(async (each) => [...(await each.data())]));
}

test('every optimizer is here', () => {
  const isRule = ([name, value]: [string, unknown]): boolean =>
    /^[A-Z]/.test(name) && typeof value === 'function' && value.prototype instanceof optim.Optimizer;
  const names = Object.entries(optim)
    .filter(isRule)
    .map(([name]) => name);
  expect(names.filter((name) => name !== 'AveragingOptimizer').sort()).toEqual(Object.keys(makers).sort());
});

describe.each(Object.entries(makers))('%s', (_, make) => {
  test('gives the same bits compiled, and after a checkpoint, and lowers the loss', async () => {
    const { run, step } = build(make);
    const losses = await take(step, 0, 8);
    const plain = await weights(run.model);
    expect([...losses, ...plain.flat()].every(Number.isFinite)).toBe(true);

    const compiled = build(make);
    expect(await take(compile(compiled.step), 0, 8)).toEqual(losses);
    expect(await weights(compiled.run.model)).toEqual(plain);

    const first = build(make);
    await take(first.step, 0, 3);
    const bytes = await encodeCheckpoint(first.run);
    const second = build(make);
    await take(second.step, 4, 5); // what it learned is replaced
    await loadCheckpoint(bytes, second.run);
    expect(await take(second.step, 3, 8)).toEqual(losses.slice(3));
    expect(await weights(second.run.model)).toEqual(plain);

    const [untrained, trained] = [build(make).step(inputs(0)), compiled.step(inputs(0))];
    expect(await trained.item()).toBeLessThan(await untrained.item());
  });

  test('needs one program for all steps', async () => {
    const device = cpu();
    let programs = 0;
    const counting: Backend = {
      name: 'counting',
      limits: device.limits,
      upload: (data, type) => device.upload(data, type),
      download: (buffer) => device.download(buffer),
      release: (buffer) => device.release(buffer),
      idle: () => device.idle(),
      compile: (program) => {
        programs++;
        return device.compile(program);
      },
    };
    setDefaultBackend(counting);
    const { step } = build(make);
    await take(step, 0, 3);
    const before = programs;
    await take(step, 3, 12);
    expect([before > 0, programs - before]).toEqual([true, 0]);
  });
});

describe('optimizers that average', () => {
  test.each([
    ['ASGD', makers.ASGD],
    ['ScheduleFreeAdamW', makers.ScheduleFreeAdamW],
  ] as const)('%s swaps in and out, and does not train in between', async (_, make) => {
    const { run, step } = build(make);
    const { optimizer } = run;
    if (!(optimizer instanceof optim.AveragingOptimizer)) throw new Error('it does not average');
    expect(() => optimizer.swapIn()).toThrow('swapIn: there is no average yet: take a step first.');
    const compiled = compile(step);
    await take(compiled, 0, 6);
    const trained = await weights(run.model);
    await optimizer.swapIn();
    const used = await weights(run.model);
    expect(used).not.toEqual(trained);
    expect(() => step(inputs(0))).toThrow(
      'step: the model holds the weights to use: call swapOut before it is trained further.',
    );
    await expect(compiled(inputs(0))).rejects.toThrow('step: the model holds the weights to use');
    expect(() => optimizer.swapIn()).toThrow('swapIn: the model holds the weights to use already.');

    const other = build(make);
    await loadCheckpoint(await encodeCheckpoint(run), other.run);
    expect([await weights(other.run.model), Reflect.get(other.run.optimizer, 'isSwapped')]).toEqual([used, true]);

    await optimizer.swapOut();
    const back = (await weights(run.model)).flat();
    back.forEach((value, i) => {
      expect(value).toBeCloseTo(trained.flat()[i] ?? Number.NaN, 5);
    });
    await take(compiled, 6, 8);
    expect(optimizer.stepCount).toBe(8);
  });
});

describe('what cannot be is refused', () => {
  const model = () => new Linear(2, 2);
  const cases: [string, () => unknown, string][] = [
    ['etas', () => new optim.Rprop(model(), { etas: [2, 3] }), 'Rprop: etas are 2 and 3: one must be between 0 and 1'],
    ['a vector for Muon', () => new optim.Muon(model()), 'Muon: bias is [2], and only matrices can be made orthogonal'],
    [
      'half an iteration',
      () => new optim.Muon([model().weight], { iterations: 0.5 }),
      'Muon: iterations is 0.5: it must be a whole number.',
    ],
    [
      'three betas for two',
      () => Reflect.construct(optim.Lion, [model(), { betas: [0.1, 0.2, 0.3] }]),
      'Lion: betas must be two numbers, got 0.1,0.2,0.3.',
    ],
    [
      'two betas for three',
      () => Reflect.construct(optim.Adan, [model(), { betas: [0.1, 0.2] }]),
      'Adan: betas must be three numbers, got 0.1,0.2.',
    ],
    [
      'a power above 0',
      () => new optim.FTRL(model(), { learningRatePower: 1 }),
      'FTRL: learningRatePower is 1: it must be a number, from -1 to 0.',
    ],
    [
      'an average that never shows',
      () => new optim.ScheduleFreeAdamW(model(), { betas: [0, 0.9] }),
      'ScheduleFreeAdamW: betas[0] is 0, so the average never shows: it must be above 0.',
    ],
  ];
  for (const [name, run, message] of cases) test(name, () => expect(run).toThrow(message));

  test('a state of another optimizer', () => {
    const optimizer = new optim.ASGD(model());
    expect(() => optimizer.loadHostState(new optim.SGD(model()).hostState())).toThrow(
      'ASGD: the saved state does not say whether the weights were swapped.',
    );
  });
});
