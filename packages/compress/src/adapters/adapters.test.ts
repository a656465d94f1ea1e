/** Adapters: what they compute and learn (PyTorch, PEFT's formulas), merging and back to the bit, switching, files. */
import { cpu } from '@nn/backend-cpu';
import {
  evaluate,
  eye,
  gradients,
  namedParameters,
  type Parameter,
  parameter,
  parameters,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from '@nn/core';
import { Conv1d, Conv2d, Embedding, Linear, MultiheadAttention, ReLU, Sequential } from '@nn/layers';
import { Adam } from '@nn/optim';
import { parseSafetensors } from '@nn/serialize';
import { GPT2 } from '@nn/text';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import golden from '../../fixtures/golden.json';
import { expectClose, unpack } from '../golden-tests.ts';
import {
  adapterNames,
  addIa3,
  addLora,
  cost,
  encodeAdapter,
  loadAdapter,
  mergeAdapters,
  quantise,
  readyForInference,
  removeAdapter,
  unmergeAdapters,
  useAdapters,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));
beforeEach(() => setSeed(1));

/** Gives what an adapter learns values of its own: at first it changes nothing. */
function stir(learned: readonly Parameter[]): void {
  for (const member of learned) member.assign(uniform(member.shape).sub(0.3));
}

const run = async (model: { forward: (x: Tensor) => Tensor }, x: Tensor): Promise<ArrayLike<number>> =>
  evaluate(() => model.forward(x)).data();

describe("LoRA, rsLoRA and DoRA are PEFT's, slopes too, merged too", () => {
  for (const one of golden.adapters) {
    it(`${one.kind} ${JSON.stringify(one.options)}`, async () => {
      const layer = one.kind === 'linear' ? new Linear(6, 4) : new Conv2d(2, 3, 3, { stride: 2, padding: 1 });
      layer.weight.assign(unpack(one.weight));
      layer.bias!.assign(unpack(one.bias));
      const before = await layer.weight.data();
      const { parameters: learned } = addLora({ layer }, one.options);
      expect(learned).toHaveLength(one.learned.length);
      for (const [k, member] of learned.entries()) member.assign(unpack(one.learned[k]!));
      const y = layer.forward(unpack(one.x));
      expectClose(await y.data(), one.output.data);
      const cotangent = tensor(
        Array.from({ length: y.size }, (_, i) => (((7 * i) % 11) - 5) / 8),
        { shape: y.shape },
      );
      const slopes = gradients(y.mul(cotangent).sum(), [...learned]);
      for (const [k, slope] of slopes.entries()) expectClose(await slope.data(), one.slopes[k]!.data, 3);
      expect(mergeAdapters({ layer })).toEqual(['layer']);
      expectClose(await layer.forward(unpack(one.x)).data(), one.output.data);
      expect(await layer.weight.data()).not.toEqual(before);
      expect(unmergeAdapters({ layer })).toEqual(['layer']);
      expect(await layer.weight.data()).toEqual(before); // to the bit
      expectClose(await layer.forward(unpack(one.x)).data(), one.output.data);
    });
  }
});

/** A model with every kind of layer that adapters know. */
class Mixed {
  words = new Embedding(10, 8);
  attention = new MultiheadAttention(8, 2, { batchFirst: true });
  conv = new Conv1d(8, 8, 3, { padding: 1 });
  body = new Linear(8, 8);
  head = new Linear(8, 3);
  forward(ids: Tensor): Tensor {
    const x = this.words.forward(ids);
    const y = this.conv.forward(this.attention.forward(x).transpose(1, 2)).transpose(1, 2);
    return this.head.forward(this.body.forward(y).relu().mean(1));
  }
}
const ids = (): Tensor =>
  tensor(
    [
      [1, 2, 3, 4],
      [9, 0, 5, 5],
    ],
    { dtype: 'int32' },
  );

describe('adapters of a model', () => {
  it('begin as nothing, learn alone, and stand beside every kind of layer', async () => {
    const model = new Mixed();
    const before = await run(model, ids());
    const adapter = addLora(model, { rank: 2, alpha: 4, targets: () => true });
    expect(adapter.paths).toEqual(['words', 'attention', 'attention.out_proj', 'conv', 'body', 'head']);
    expect(await run(model, ids())).toEqual(before);
    // r (in + out) each: the table, the three projections as one, the taps of the convolution
    const sizes = [2 * 18, 2 * (8 + 24), 2 * 16, 2 * (8 * 3 + 8), 2 * 16, 2 * 11];
    const count = sizes.reduce((sum, size) => sum + size, 0);
    expect(parameters(model).reduce((sum, { size }) => sum + size, 0)).toBe(count);
    expect((await cost(model, [1, 4], { dtype: 'int32' })).trainableParameters).toBe(count);
    const frozen = [...namedParameters(model)].filter(([name]) => !name.includes('adapters'));
    const kept = await Promise.all(frozen.map(([, member]) => member.data()));
    const optimizer = new Adam(model, { learningRate: 0.1 });
    const loss = (): Tensor =>
      model
        .forward(ids())
        .sub(
          tensor([
            [1, 0, 0],
            [0, 0, 1],
          ]),
        )
        .square()
        .mean();
    const start = await loss().item();
    for (let step = 0; step < 15; step++) await optimizer.step(loss());
    expect(await loss().item()).toBeLessThan(0.7 * start);
    for (const [k, [, member]] of frozen.entries()) expect(await member.data()).toEqual(kept[k]);
    const trained = await run(model, ids());
    expect(mergeAdapters(model)).toEqual(adapter.paths);
    expectClose(await run(model, ids()), trained);
    unmergeAdapters(model);
    expect(await run(model, ids())).toEqual(trained);
    for (const [k, [, member]] of frozen.entries()) expect(await member.data()).toEqual(kept[k]);
    removeAdapter(model);
    expect(await run(model, ids())).toEqual(before);
    expect([...namedParameters(model).keys()].sort()).toEqual([...namedParameters(new Mixed()).keys()].sort());
  });

  it('are switched, and added up, without a copy', async () => {
    const model = new Mixed();
    const none = await run(model, ids());
    stir(addLora(model, { name: 'a', rank: 1, targets: ['body', 'attention'] }).parameters);
    const a = await run(model, ids());
    stir(addIa3(model, { name: 'b', targets: ['body', 'attention', 'conv'], feedForward: 'conv' }).parameters);
    const b = await run(model, ids());
    expect(adapterNames(model)).toEqual(['a', 'b']);
    expect(parameters(model).map(({ shape }) => shape)).toEqual([
      [16, 1],
      [1, 8, 1],
      [8, 1],
    ]);
    const { weight } = model.body;
    useAdapters(model, ['a']);
    expect(await run(model, ids())).toEqual(a);
    useAdapters(model, []);
    expect(await run(model, ids())).toEqual(none);
    expect(parameters(model)).toEqual([]);
    useAdapters(model, ['b']);
    expect(await run(model, ids())).toEqual(b);
    mergeAdapters(model);
    expectClose(await run(model, ids()), b);
    unmergeAdapters(model);
    useAdapters(model, ['a', 'b']);
    const both = await run(model, ids());
    expect(both).not.toEqual(b);
    mergeAdapters(model);
    expectClose(await run(model, ids()), both);
    expect(model.body.weight).toBe(weight);
  });

  it('drop inputs in training alone, and are merged for inference', async () => {
    const model = new Sequential(new Linear(16, 16), new ReLU(), new Linear(16, 2));
    stir(addLora(model, { rank: 2, dropout: 0.5 }).parameters);
    const x = uniform([4, 16]);
    expect(await model.forward(x).array()).not.toEqual(await model.forward(x).array());
    const before = await run(model, x);
    expect(await run(model, x)).toEqual(before);
    expect((await readyForInference(model, [1, 16])).mergedAdapters).toEqual(['0', '2']);
    expectClose(await run(model, x), before);
    expect(adapterNames(model)).toEqual([]);
  });

  it('stand beside GPT-2, whose weights lie the other way', async () => {
    const gpt = new GPT2({ vocabularySize: 11, contextLength: 8, dimension: 8, layers: 1, heads: 2 });
    const { paths, parameters: learned } = addLora(gpt, { rank: 2, targets: /\.c_/ });
    expect(paths.length).toBeGreaterThanOrEqual(3);
    stir(learned);
    const tokens = tensor([[1, 2, 3]], { dtype: 'int32' });
    const logits = async (): Promise<ArrayLike<number>> => evaluate(() => gpt.forward(tokens)).data();
    const before = await logits();
    expect(mergeAdapters(gpt)).toEqual(paths);
    expectClose(await logits(), before);
  });

  it('stand beside layers whose weights have few bits, which they cannot be merged into', async () => {
    /** A Linear of 8 bits, as others may have them. */
    class Bytes {
      readonly inputs = 4;
      readonly outputs = 2;
      weight = parameter(Int8Array.from([1, -2, 3, 4, 5, 6, -7, 8]), { shape: [2, 4], dtype: 'int8', buffer: true });
      forward(x: Tensor): Tensor {
        return x.matmul(this.weight.cast('float32').transpose()).mul(0.1);
      }
    }
    const model = { body: new Bytes() };
    const x = uniform([3, 4]);
    const before = await run(model.body, x);
    const { parameters: learned } = addLora(model, { rank: 1, targets: 'body' });
    expect(await run(model.body, x)).toEqual(before);
    const optimizer = new Adam(model, { learningRate: 0.1 });
    for (let step = 0; step < 3; step++) await optimizer.step(model.body.forward(x).square().mean());
    expect(await run(model.body, x)).not.toEqual(before);
    expect(learned).toHaveLength(2);
    expect(() => mergeAdapters(model)).toThrow(
      'the weight of body is no float32 parameter (it is quantised, or computed from others)',
    );
  });

  it('learn beside a quantised model (QLoRA), whose weights stay', async () => {
    const model = new Sequential(new Linear(32, 16), new ReLU(), new Linear(16, 2));
    await quantise(model, { mode: 'weights', bits: 4, groupSize: 16 });
    const x = uniform([8, 32]);
    const before = await run(model, x);
    const kept = [...namedParameters(model).values()].filter(({ isBuffer }) => isBuffer);
    const stored = await Promise.all(kept.map((member) => member.data()));
    // the same numbers as float32: W^T + b is what a layer makes of the unit matrix, b what it makes of zeros
    const floats = [new Linear(32, 16), new Linear(16, 2)] as const;
    const twin = new Sequential(floats[0], new ReLU(), floats[1]);
    for (const [k, float] of floats.entries()) {
      const quantised = new Sequential(model.at(2 * k)!);
      const inputs = k === 0 ? 32 : 16;
      const bias = quantised.forward(zeros([1, inputs]));
      float.weight.assign(quantised.forward(eye(inputs)).sub(bias).transpose().stopGradient());
      float.bias?.assign(bias.reshape([-1]).stopGradient());
      for (const member of parameters(float)) member.frozen = true;
    }
    setSeed(5);
    const { paths } = addLora(model, { rank: 2 });
    setSeed(5);
    addLora(twin, { rank: 2 });
    expect(paths).toEqual(['0', '2']);
    expect(await run(model, x)).toEqual(before);
    const optimizer = new Adam(model, { learningRate: 0.1 });
    const beside = new Adam(twin, { learningRate: 0.1 });
    const loss = (of: Sequential): Tensor => of.forward(x).sub(1).square().mean();
    const start = await loss(model).item();
    for (let step = 0; step < 8; step++) {
      await optimizer.step(loss(model));
      await beside.step(loss(twin));
      // it learns what it would learn beside float32, step by step
      expect(Math.abs((await loss(model).item()) / (await loss(twin).item()) - 1)).toBeLessThan(1e-3);
    }
    expect(await loss(model).item()).toBeLessThan(start);
    for (const [k, member] of kept.entries()) expect(await member.data()).toEqual(stored[k]);
    const files = await encodeAdapter(model);
    expect(parseSafetensors(files['adapter_model.safetensors']).tensors.size).toBe(4);
    expect(() => mergeAdapters(model)).toThrow('is no float32 parameter (it is quantised');
  });

  it('are not merged into weights that others read, too, and nothing is merged then', async () => {
    const tokens = tensor([[1, 2, 3]], { dtype: 'int32' });
    const gpt = new GPT2({ vocabularySize: 11, contextLength: 8, dimension: 8, layers: 1, heads: 2 });
    stir(addLora(gpt, { rank: 2, targets: ['wte', 'c_attn'] }).parameters);
    const before = await evaluate(() => gpt.forward(tokens)).data();
    expect(() => mergeAdapters(gpt)).toThrow(
      'mergeAdapters: transformer.wte: its table makes the scores of the output, too, which would change with it',
    );
    expect(await evaluate(() => gpt.forward(tokens)).data()).toEqual(before);
    const [table, head] = [new Embedding(11, 8), new Linear(8, 11, { bias: false })];
    head.weight = table.weight;
    const pair = { table, head };
    addLora(pair, { rank: 2, targets: 'table' });
    expect(() => mergeAdapters(pair)).toThrow('mergeAdapters: table: head has the same weight');
    // the same layer in two places is one layer
    const twice = new Sequential(new Linear(4, 4));
    const both = { first: twice, second: twice };
    addLora(both, { rank: 1 });
    expect(mergeAdapters(both)).toEqual(['first.0']);
  });

  it('say what they cannot do, and have then changed nothing', async () => {
    const model = new Mixed();
    expect(() => addLora(model, { targets: 'nothing' })).toThrow(
      'addLora: no layer that an adapter can stand beside fits nothing: there are words, attention',
    );
    expect(() => addLora(model, { rank: 0 })).toThrow('addLora: rank is 0');
    expect(() => addLora(model, { decomposed: true, targets: ['body', 'words'] })).toThrow(
      'words: DoRA needs a Linear or Conv of a float32 weight.',
    );
    expect(() => addLora(model, { dropout: 0.1, targets: 'attention' })).toThrow('leave dropout out');
    expect(() => addIa3(model, { targets: 'words' })).toThrow('addIa3: words is a table, which IA3 does not scale.');
    expect(parameters(model)).toHaveLength(namedParameters(model).size);
    expect(() => useAdapters(model, ['x'])).toThrow("useAdapters: there is no adapter 'x': the model has none.");
    expect(() => removeAdapter(model, 'x')).toThrow("removeAdapter: there is no adapter 'x'");
    addLora(model, { name: 'long', decomposed: true, targets: 'head' });
    addLora(model, { name: 'short', targets: 'head' });
    expect(() => useAdapters(model, ['long', 'short'])).toThrow(
      'head: DoRA sets the lengths of rows, which does not add up with other adapters',
    );
    addLora(model, { targets: 'body' });
    expect(() => addLora(model)).toThrow("there is an adapter 'default' already");
    mergeAdapters(model);
    expect(() => useAdapters(model, [])).toThrow('unmergeAdapters(model) first');
    expect(() => addLora(model, { name: 'b' })).toThrow('unmergeAdapters(model) first');
    expect(() => removeAdapter(model)).toThrow('unmergeAdapters(model) first');
  });
});

describe('files', () => {
  it("have PEFT's names and settings, and give the adapter back", async () => {
    for (const make of [
      (model: object) => addLora(model, { rank: 2, alpha: 3, rankStabilized: true, targets: () => true }),
      (model: object) => addLora(model, { rank: 2, decomposed: true, targets: ['body', 'conv'] }),
      (model: object) => addIa3(model, { targets: ['body', 'head'], feedForward: ['head'] }),
    ]) {
      const model = new Mixed();
      const base = [...namedParameters(model)].map(([name, member]) => [name, member] as const);
      stir(make(model).parameters);
      const files = await encodeAdapter(model);
      const other = new Mixed();
      for (const [name, member] of base) namedParameters(other).get(name)!.assign(member.stopGradient());
      const { paths } = await loadAdapter(other, files, { name: 'again' });
      expect(adapterNames(other)).toEqual(['again']);
      expect(paths.length).toBeGreaterThan(1);
      expect(await run(other, ids())).toEqual(await run(model, ids()));
    }
    const model = new Mixed();
    addLora(model, { rank: 2, alpha: 5, targets: ['words', 'body'] });
    const files = await encodeAdapter(model);
    expect(JSON.parse(files['adapter_config.json'])).toMatchObject({
      peft_type: 'LORA',
      r: 2,
      lora_alpha: 5,
      target_modules: ['words', 'body'],
      use_dora: false,
    });
    expect([...parseSafetensors(files['adapter_model.safetensors']).tensors.keys()].sort()).toEqual([
      'base_model.model.body.lora_A.weight',
      'base_model.model.body.lora_B.weight',
      'base_model.model.words.lora_embedding_A',
      'base_model.model.words.lora_embedding_B',
    ]);
  });

  it('that do not fit are refused, and the model has no new adapter', async () => {
    const model = new Mixed();
    addLora(model, { rank: 2, targets: ['body', 'head'] });
    const files = await encodeAdapter(model);
    const config = (change: object) => ({
      ...files,
      'adapter_config.json': JSON.stringify({ ...JSON.parse(files['adapter_config.json']), ...change }),
    });
    const other = { body: new Linear(8, 8), forward: (x: Tensor) => x };
    await expect(loadAdapter(other, files)).rejects.toThrow(
      "loadAdapter: the model has no layer 'head' that the adapter could stand beside.",
    );
    const wide = { body: new Linear(8, 8), head: new Linear(9, 3) };
    await expect(loadAdapter(wide, files)).rejects.toThrow(
      'loadAdapter: head.lora_A.weight is [2, 8] in the file, and [2, 9] in the model.',
    );
    await expect(loadAdapter(new Mixed(), config({ peft_type: 'LOHA' }))).rejects.toThrow(
      'the adapter is of the kind LOHA: LORA, IA3 and PREFIX_TUNING are read.',
    );
    await expect(loadAdapter(new Mixed(), config({ rank_pattern: { body: 4 } }))).rejects.toThrow(
      'the setting rank_pattern is not read.',
    );
    expect([...adapterNames(other), ...adapterNames(wide)]).toEqual([]);
    await expect(encodeAdapter(other)).rejects.toThrow("encodeAdapter: the model has no adapter 'default'.");
  });
});
