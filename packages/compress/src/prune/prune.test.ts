/** Masks against torch.nn.utils.prune, one method after the other, and what masks do to a model that trains on. */
import { cpu } from '@nn/backend-cpu';
import { namedParameters, ones, parameters, setDefaultBackend, setSeed, type Tensor, tensor, uniform } from '@nn/core';
import { Conv2d, Embedding, Linear, MultiheadAttention, ReLU, Sequential, weightNorm } from '@nn/layers';
import { Adam } from '@nn/optim';
import { decodeTensor, encodeModel, parseSafetensors } from '@nn/serialize';
import { Training } from '@nn/train';
import { beforeAll, describe, expect, it } from 'vitest';
import golden from '../../fixtures/golden.json';
import { cubicSparsity, GradualPruning, MovementScores, prune, removePruning, sparsity } from '../index.ts';

beforeAll(() => {
  setDefaultBackend(cpu());
  setSeed(1);
});

/** A layer with one weight, of any shape. */
function holding({ data, shape }: { data: number[]; shape: number[] }): {
  weight: Tensor;
  forward: (x: Tensor) => Tensor;
} {
  const layer =
    shape.length === 4
      ? new Conv2d(shape[1]!, shape[0]!, shape[2]!, { bias: false })
      : new Linear(shape[1]!, shape[0]!, { bias: false });
  layer.weight.assign(tensor(data, { shape }));
  return layer;
}

async function maskOf(layer: object): Promise<number[]> {
  return [...(await namedParameters(layer).get('weight_mask')!.data())];
}

describe('masks are those of torch.nn.utils.prune', () => {
  for (const [k, { weight, methods, masks }] of golden.pruning.entries()) {
    it(methods.map(([method, options]) => `${String(method)} ${JSON.stringify(options)}`).join(', '), async () => {
      expect(k).toBeGreaterThanOrEqual(0);
      const layer = holding(weight);
      for (const [step, [method, options]] of methods.entries()) {
        const { amount, n, dim } = options as { amount: number; n?: number | string; dim?: number };
        await prune(layer, {
          amount,
          ...(method === 'ln_structured' && { structure: { axis: dim ?? 0, norm: Number(n) } }),
        });
        expect(await maskOf(layer)).toEqual(masks[step]);
      }
    });
  }

  it('of all weights together', async () => {
    const { values, masks } = golden.global;
    const [left, right] = [
      holding({ data: values.data.slice(0, 20), shape: [4, 5] }),
      holding({ data: values.data.slice(20), shape: [3, 2, 2, 2] }),
    ];
    const model = { left, right };
    await prune(model, { amount: 0.4, scope: 'global' });
    await prune(model, { amount: 0.4, scope: 'global' });
    expect([await maskOf(left), await maskOf(right)]).toEqual(masks);
  });
});

describe('prune', () => {
  it('keeps 2 of each 4 neighbours', async () => {
    const layer = new Linear(8, 2, { bias: false });
    layer.weight.assign(
      tensor([
        [1, -2, 3, 4, 0.5, 0.25, -8, 0.125],
        [1, 1, 1, 1, 4, 3, 2, 1],
      ]),
    );
    expect((await prune(layer, { structure: { keep: 2, of: 4 } })).share).toBe(0.5);
    expect(await maskOf(layer)).toEqual([0, 0, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 0]);
  });

  it('takes whole slices, and as much as a sparsity asks for', async () => {
    const layer = new Linear(3, 4, { bias: false });
    layer.weight.assign(
      tensor([
        [1, 1, 1],
        [3, 3, 3],
        [0.5, 9, 0],
        [2, 2, 2],
      ]),
    );
    await prune(layer, { amount: 1 / 4, structure: { axis: 0, norm: 1 } });
    expect(await maskOf(layer)).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect((await prune(layer, { sparsity: 0.5, structure: { axis: 0 } })).share).toBe(0.5);
    expect((await prune(layer, { sparsity: 0.5 })).share).toBe(0.5); // it is there already
    expect((await prune(layer, { sparsity: 0.75 })).share).toBe(0.75);
  });

  it('takes any at random, and all weights of a model but embeddings unless told', async () => {
    const model = { words: new Embedding(9, 4), body: new Linear(4, 4), attention: new MultiheadAttention(4, 2) };
    const { rows, share } = await prune(model, { amount: 0.5, method: 'random' });
    expect(rows.map(({ name, zeros }) => [name, zeros])).toEqual([
      ['body.weight', 8],
      ['attention.inProjWeight', 24],
      ['attention.out_proj.weight', 8],
    ]);
    expect(share).toBe(0.5);
    expect((await prune(model, { amount: 6, which: 'words.weight' })).rows.map(({ zeros }) => zeros)).toContain(6);
    // the model runs as before
    expect(model.attention.forward(ones([2, 1, 4])).shape).toEqual([2, 1, 4]);
  });

  it('keeps zeros through training, of an optimizer made before; removePruning makes them last', async () => {
    const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 1));
    const optimizer = new Adam(model, { learningRate: 0.05 });
    await prune(model, { amount: 0.5 });
    const x = uniform([32, 4]);
    const before = await model.forward(x).array();
    for (let step = 0; step < 5; step++)
      await optimizer.step(
        model
          .forward(x)
          .sub(x.sum(1, { keepAxes: true }))
          .square()
          .mean(),
      );
    const first = model.at(0) as Linear;
    const zeros = async (): Promise<number> =>
      (await first.weight.mul(1).data()).filter((value: number) => value === 0).length;
    expect(await zeros()).toBe(16);
    expect(await model.forward(x).array()).not.toEqual(before);
    const after = await model.forward(x).array();
    expect(removePruning(model)).toEqual(['0.weight', '2.weight']);
    expect(await model.forward(x).array()).toEqual(after);
    expect(await zeros()).toBe(16);
    expect(parameters(model)).toHaveLength(4);
    expect((await sparsity(model)).size).toBe(0);
  });

  it("has PyTorch's names in files", async () => {
    const layer = new Linear(2, 2, { bias: false });
    layer.weight.assign(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    await prune(layer, { amount: 0.5 });
    const { tensors } = parseSafetensors(await encodeModel(layer));
    expect([...tensors.keys()].sort()).toEqual(['weight_mask', 'weight_orig']);
    expect([...decodeTensor('weight_mask', tensors.get('weight_mask')!).data]).toEqual([0, 0, 1, 1]);
  });

  it('says what it cannot do, and has then done nothing', async () => {
    const layer = new Linear(6, 2);
    const refused = (options: Parameters<typeof prune>[1]) => expect(prune(layer, options)).rejects;
    await refused({}).toThrow('prune: give either amount or sparsity.');
    await refused({ amount: 1.5 }).toThrow('prune: amount is 1.5: it must be a share from 0 to 1, or a whole number');
    await refused({ amount: 13 }).toThrow('prune: amount is 13, and 12 are left: give at most that many, or a share.');
    await refused({ structure: { keep: 2, of: 4 } }).toThrow(
      'prune: weight has rows of 6 numbers, which are no groups of 4.',
    );
    await refused({ structure: { keep: 4, of: 4 } }).toThrow('keep 4 of 4');
    await refused({ amount: 0.5, which: 'wieght' }).toThrow('prune: no weight fits wieght: there are weight, bias.');
    await refused({ amount: 0.5, scope: 'global', structure: { axis: 0 } }).toThrow("scope 'global' compares elements");
    await refused({ amount: 0.5, structure: { axis: 2 } }).toThrow('prune: axis is 2, and weight has 2 axes.');
    await refused({ amount: 0.5, scores: new Map() }).toThrow('the scores of weight must be [2, 6]: there are none.');
    expect([...namedParameters(layer).keys()]).toEqual(['weight', 'bias']);
    await expect(prune(weightNorm(new Linear(2, 2)), { amount: 0.5 })).rejects.toThrow('removeWeightNorm(layer)');
  });
});

describe('pruning in training', () => {
  it('follows a schedule as a callback of a Training', async () => {
    const model = new Linear(8, 8, { bias: false });
    const schedule = cubicSparsity({ initial: 0.25, final: 0.75, begin: 0, end: 8 });
    const pruning = new GradualPruning(model, { schedule, every: 4 });
    const shares: number[] = [];
    await new Training({
      model,
      optimizer: new Adam(model, { learningRate: 0.01 }),
      data: Array.from({ length: 8 }, () => uniform([4, 8])),
      step: (x) => model.forward(x).square().mean(),
      epochs: 1,
      callbacks: [pruning, { handle: ({ type }) => void (type === 'step' && shares.push(pruning.last?.share ?? 0)) }],
    }).run();
    expect(shares).toEqual([0, 0, 0, 44 / 64, 44 / 64, 44 / 64, 44 / 64, 48 / 64]);
    expect(() => cubicSparsity({ final: 1.5, begin: 0, end: 1 })).toThrow('they must rise, from 0 to 1');
    expect(() => cubicSparsity({ final: 0.5, begin: 3, end: 3 })).toThrow('it must end after it begins');
  });

  it('scores of movement go with the step, and prune what moves towards 0', async () => {
    const model = new Linear(3, 1, { bias: false });
    model.weight.assign(tensor([[1, -1, 5]]));
    const optimizer = new Adam(model, { learningRate: 0.1 });
    const movement = new MovementScores(model);
    const x = tensor([[1, 1, 0.5]]);
    for (let step = 0; step < 2; step++) {
      const loss = model.forward(x).sum();
      movement.update(loss);
      await optimizer.step(loss);
    }
    // weights were 1, -1, 5 and then 0.9, -1.1, 4.9 with slopes 1, 1, 0.5
    const scores = await movement.scores.get('weight')!.data();
    [-1.9, 2.1, -4.95].forEach((expected, i) => void expect(scores[i]).toBeCloseTo(expected, 5));
    await prune(model, { amount: 1 / 3, scores: movement.scores });
    expect(await maskOf(model)).toEqual([1, 1, 0]);
  });
});
