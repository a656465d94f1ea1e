/** Prefixes: what they compute and learn (PyTorch as PEFT has it), caches and generation, switching, files, what they refuse. */
import { cpu } from '@nn/backend-cpu';
import {
  evaluate,
  gradients,
  namedParameters,
  type Parameter,
  parameters,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
} from '@nn/core';
import {
  type AttentionPrefix,
  attention,
  crossEntropy,
  GroupedQueryAttention,
  MultiheadAttention,
  type PrefixableAttention,
  Sequential,
  summary,
} from '@nn/layers';
import { Adam } from '@nn/optim';
import { encodeSafetensors, loadModel, parseSafetensors } from '@nn/serialize';
import { Bert, type DecoderCall, GPT2, generateAll, Llama, Marian, T5 } from '@nn/text';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import golden from '../../fixtures/prefix.json';
import { expectClose, type Packed, unpack } from '../golden-tests.ts';
import {
  adapterNames,
  addLora,
  addPrefix,
  encodeAdapter,
  loadAdapter,
  mergeAdapters,
  pruneHeads,
  quantise,
  readyForInference,
  removeAdapter,
  useAdapters,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));
beforeEach(() => setSeed(1));

/** Two layers of attention, one behind the other. */
class Pair {
  readonly parts: readonly MultiheadAttention[];
  constructor({ dimension, heads }: { readonly dimension: number; readonly heads: number }) {
    this.parts = [0, 1].map(() => new MultiheadAttention(dimension, heads, { batchFirst: true }));
  }
  forward(x: Tensor, keyPaddingMask: Tensor): Tensor {
    return this.parts.reduce((y, part) => part.forward(y, y, y, { causal: true, keyPaddingMask }), x);
  }
}

const ids = (...rows: number[][]): Tensor => tensor(rows, { dtype: 'int32' });

describe("prefixes are PEFT's, slopes too, with and without a projection", () => {
  /** How each network is made, and called with the inputs of its case. */
  const kinds: Readonly<Record<string, (options: never) => { model: object; call: (a: Tensor, b: Tensor) => Tensor }>> =
    {
      GPT2: (options) => wrap(new GPT2(options), (model, a) => model.forward(a)),
      Llama: (options) => wrap(new Llama(options), (model, a) => model.forward(a)),
      Bert: (options) => wrap(new Bert(options), (model, a, mask) => model.forward(a, { mask })),
      MultiheadAttention: (options) => wrap(new Pair(options), (model, a, padding) => model.forward(a, padding)),
    };
  function wrap<M extends object>(model: M, call: (model: M, a: Tensor, b: Tensor) => Tensor) {
    return { model, call: (a: Tensor, b: Tensor) => call(model, a, b) };
  }

  for (const [i, one] of golden.cases.entries()) {
    it(`${one.kind} (${i})`, async () => {
      const { model, call } = kinds[one.kind]!(one.options as never);
      const weights = Object.entries(one.weights as unknown as Record<string, Packed>).map(
        ([name, { shape, data }]) => [
          one.kind === 'MultiheadAttention' ? `parts.${name}` : name,
          { dtype: 'float32' as const, shape, data: Float32Array.from(data) },
        ],
      );
      await loadModel(encodeSafetensors(weights as never), model);
      const { length, projection } = one;
      const { parameters: learned, paths } = addPrefix(model, { length, ...(projection !== null && { projection }) });
      expect(paths).toHaveLength(2);
      const given = one.learned.map((packed) => unpack(packed));
      // without a projection each layer has its own columns
      const values = projection === null ? given[0]!.split(2, 1) : given;
      expect(learned.map(({ shape }) => shape)).toEqual(values.map(({ shape }) => shape));
      for (const [k, member] of learned.entries()) member.assign(values[k]!.stopGradient());
      const [a, b = a] = one.inputs.map((packed) => unpack(packed));
      const y = call(a!, b!);
      expectClose(await y.data(), one.output.data);
      const cotangent = Array.from({ length: y.size }, (_, k) => (((7 * k) % 11) - 5) / 8);
      const slopes = gradients(y.mul(tensor(cotangent, { shape: y.shape })).sum(), [...learned]);
      const wanted = one.slopes.map((packed) => unpack(packed));
      const right = projection === null ? wanted[0]!.split(2, 1) : wanted;
      for (const [k, slope] of slopes.entries()) expectClose(await slope.data(), await right[k]!.data(), 3);
      // the file holds what PEFT's would
      const files = await encodeAdapter(model);
      const stored = parseSafetensors(files['adapter_model.safetensors']).tensors;
      expect([...stored.keys()]).toEqual(['prompt_embeddings']);
      if (projection === null) expect(stored.get('prompt_embeddings')!.shape).toEqual(one.learned[0]!.shape);
      removeAdapter(model);
      await loadAdapter(model, files);
      expectClose(await evaluate(() => call(a!, b!)).data(), one.output.data);
    });
  }
});

const gpt = (): GPT2 =>
  new GPT2({ vocabularySize: 11, contextLength: 40, dimension: 16, layers: 2, heads: 2, dropout: 0 });
const llama = (window?: number): Llama =>
  new Llama({
    ...{ vocabularySize: 11, contextLength: 40, dimension: 16, layers: 2, heads: 4, keyValueHeads: 2 },
    ...(window !== undefined && { window }),
  });

describe('a prefix in models', () => {
  it('is seen through caches, paddings and windows as without, and is of no batch', async () => {
    for (const model of [gpt(), llama(), llama(3)]) {
      addPrefix(model, { length: 4 });
      const run = (x: Tensor, call: DecoderCall = {}): Tensor => evaluate(() => model.forward(x, call));
      const whole = run(ids([1, 2, 3, 4, 5, 6]));
      const caches = model.caches(1, 12);
      const parts = [ids([1, 2, 3]), ids([4]), ids([5, 6])];
      let at = 0;
      for (const part of parts) {
        const length = part.shape[1]!;
        const found = run(part, { caches });
        expectClose(await found.data(), await whole.at([], [at, at + length]).data());
        at += length;
      }
      // padding on the left is not counted, and rows of a batch do not see each other
      const padded = run(ids([0, 0, 1, 2, 3, 4], [6, 5, 4, 3, 2, 1]), { padding: tensor([2, 0], { dtype: 'int32' }) });
      expectClose(await padded.at([0, 1], [2, 6]).data(), await run(ids([1, 2, 3, 4])).data());
      expectClose(await padded.at([1, 2]).data(), await run(ids([6, 5, 4, 3, 2, 1])).data());
    }
  });

  it('generates with a cache what it generates without', async () => {
    for (const model of [gpt(), llama()]) {
      const before = await generateAll(model, [[1, 2, 3], [4]], { maxTokens: 6, temperature: 0 });
      addPrefix(model, { length: 5 });
      const cached = await generateAll(model, [[1, 2, 3], [4]], { maxTokens: 6, temperature: 0 });
      const again = await generateAll(model, [[1, 2, 3], [4]], { maxTokens: 6, temperature: 0, cache: false });
      expect(cached.map((row) => row.ids)).toEqual(again.map((row) => row.ids));
      expectClose(
        cached.map((row) => row.logProbability),
        again.map((row) => row.logProbability),
        3,
      );
      expect(cached.map((row) => row.logProbability)).not.toEqual(before.map((row) => row.logProbability));
    }
  });

  it('takes positions of GPT-2 and BERT, as many tokens as fit are generated, and one more is refused', async () => {
    const model = gpt();
    addPrefix(model, { length: 30 });
    expect(model.contextLength).toBe(10);
    const [row] = await generateAll(model, [1, 2, 3], { maxTokens: 20, temperature: 0, endId: null });
    expect([row!.ids.length, row!.finish]).toEqual([7, 'context']);
    expect(() => model.forward(ids(Array.from({ length: 11 }, () => 1)))).toThrow(
      'GPT2: 11 tokens are 1 more than the 10 positions of the model',
    );
    useAdapters(model, []);
    expect(model.contextLength).toBe(40);
    const bert = new Bert({ vocabularySize: 9, contextLength: 12, dimension: 8, layers: 1, heads: 2 });
    addPrefix(bert, { length: 4 });
    expect(bert.contextLength).toBe(8);
  });

  it('stands before encoders, decoders and what looks from one at the other', async () => {
    const shape = { vocabularySize: 9, dimension: 8, encoderLayers: 1, decoderLayers: 1, heads: 2, dropout: 0 };
    for (const model of [new T5({ ...shape, headDimension: 4 }), new Marian(shape)]) {
      const call = (): Tensor => evaluate(() => model.forward(ids([1, 2, 3]), ids([4, 5])));
      const before = await call().data();
      const { paths } = addPrefix(model, { length: 2, targets: /encoder.*(SelfAttention|self_attn)$/ });
      expect(paths).toHaveLength(1);
      removeAdapter(model);
      expect(await call().data()).toEqual(before);
      const all = addPrefix(model, { length: 2, projection: 3 });
      expect(all.paths).toHaveLength(3);
      expect(all.parameters).toHaveLength(5);
      const slopes = gradients(
        call()
          .square()
          .sum()
          .add(
            model
              .forward(ids([1, 2, 3]), ids([4, 5]))
              .square()
              .sum(),
          ),
        [...all.parameters],
      );
      for (const slope of slopes) expect((await slope.abs().sum().item()) > 0).toBe(true);
      const loaded = await encodeAdapter(model);
      const after = await call().data();
      removeAdapter(model);
      await loadAdapter(model, loaded);
      expectClose(await call().data(), after);
      const rows = await generateAll(model, [[1, 2], [3]], { maxTokens: 3, temperature: 0, endId: null });
      const slow = await generateAll(model, [[1, 2], [3]], { maxTokens: 3, temperature: 0, endId: null, cache: false });
      expect(rows.map((row) => row.ids)).toEqual(slow.map((row) => row.ids));
    }
  });

  it('teaches a frozen language model another text', async () => {
    const model = new GPT2({ vocabularySize: 6, contextLength: 16, dimension: 16, layers: 2, heads: 2, dropout: 0 });
    const counting = ids([0, 1, 2, 3, 4, 5, 0, 1, 2], [3, 4, 5, 0, 1, 2, 3, 4, 5]);
    const backwards = ids([5, 4, 3, 2, 1, 0, 5, 4, 3], [2, 1, 0, 5, 4, 3, 2, 1, 0]);
    const loss = (text: Tensor): Tensor =>
      crossEntropy(model.forward(text.at([], [0, 8])).reshape([16, 6]), text.at([], [1, 9]).reshape([16]));
    const first = new Adam(model, { learningRate: 0.02 });
    for (let step = 0; step < 60; step++) await first.step(loss(counting));
    expect(await loss(counting).item()).toBeLessThan(0.1);
    const kept = await Promise.all([...namedParameters(model).values()].map((member) => member.data()));
    const [before, far] = [await loss(counting).item(), await loss(backwards).item()];
    const { parameters: learned } = addPrefix(model, { name: 'backwards', length: 4 });
    expect(parameters(model)).toEqual(learned);
    const second = new Adam(model, { learningRate: 0.1 });
    for (let step = 0; step < 150; step++) await second.step(loss(backwards));
    // what it had learned before stands against it; a prefix alone turns it round
    expect(await loss(backwards).item()).toBeLessThan(far / 10);
    useAdapters(model, []);
    expect(await loss(counting).item()).toBe(before);
    const members = [...namedParameters(model)].filter(([name]) => !name.includes('prefix'));
    for (const [k, [, member]] of members.entries()) expect(await member.data()).toEqual(kept[k]);
  });
});

describe('prefixes as adapters', () => {
  const model = () => new Pair({ dimension: 8, heads: 2 });
  const x = () => uniform([2, 5, 8]);
  const none = tensor([false, false, false, false, false, false, false, false, false, false], { shape: [2, 5] });
  const run = async (of: Pair, input: Tensor): Promise<ArrayLike<number>> =>
    evaluate(() => of.forward(input, none)).data();

  it('are switched without copies, also beside LoRA, and gone when they are removed', async () => {
    const pair = model();
    const input = x();
    const names = [...namedParameters(pair).keys()];
    const plain = await run(pair, input);
    const a = addPrefix(pair, { name: 'a', length: 3 });
    const withA = await run(pair, input);
    expect(withA).not.toEqual(plain);
    const b = addPrefix(pair, { name: 'b', length: 2, projection: true, targets: 'parts.1' });
    expect(b.paths).toEqual(['parts.1']);
    const withB = await run(pair, input);
    const lora = addLora(pair, { name: 'c', rank: 1 });
    for (const member of lora.parameters) member.assign(uniform(member.shape).sub(0.3));
    const withC = await run(pair, input);
    expect(adapterNames(pair).sort()).toEqual(['a', 'b', 'c']);
    useAdapters(pair, ['a']);
    expect(parameters(pair)).toEqual(a.parameters);
    expect(await run(pair, input)).toEqual(withA);
    useAdapters(pair, ['b']);
    expect(await run(pair, input)).toEqual(withB);
    useAdapters(pair, ['a', 'c']);
    const both = await run(pair, input);
    expect(() => useAdapters(pair, ['a', 'b'])).toThrow(
      'useAdapters: parts.1: two prefixes would stand before one attention, each learned to be the only one: use one of them.',
    );
    expect(await run(pair, input)).toEqual(both);
    expect(() => mergeAdapters(pair)).toThrow(
      "mergeAdapters: 'a' is a prefix, keys and values that no weight can hold: it stays as it is in inference, and others are merged after useAdapters(model, ['c']).",
    );
    expect(await run(pair, input)).toEqual(both);
    useAdapters(pair, ['c']);
    mergeAdapters(pair);
    expectClose(await run(pair, input), withC);
    expect(() => addPrefix(pair, { name: 'd' })).toThrow('addPrefix: adapters are merged into the weights');
    mergeAdapters(pair, { forget: true });
    for (const name of ['a', 'b']) removeAdapter(pair, name);
    expect([...namedParameters(pair).keys()]).toEqual(names);
    expect(pair.parts.map(({ prefix }) => prefix)).toEqual([null, null]);
  });

  it('stand before layers of few bits, whose weights stay, and learn', async () => {
    const blocks = new Llama({ vocabularySize: 7, dimension: 32, layers: 1, heads: 4, keyValueHeads: 2 });
    const { layers } = await quantise(blocks, { mode: 'weights', bits: 4, groupSize: 16 });
    expect(layers.length).toBeGreaterThan(6);
    const text = ids([1, 2, 3, 4, 5, 6]);
    const stored = [...namedParameters(blocks).values()].filter(({ isBuffer }) => isBuffer);
    const kept = await Promise.all(stored.map((member) => member.data()));
    const { parameters: learned } = addPrefix(blocks, { length: 4 });
    const loss = (): Tensor =>
      blocks
        .forward(text.at([], [0, 5]))
        .at([], [], 3)
        .square()
        .mean();
    const optimizer = new Adam(blocks, { learningRate: 0.1 });
    const start = await loss().item();
    for (let step = 0; step < 8; step++) await optimizer.step(loss());
    expect(await loss().item()).toBeLessThan(0.7 * start);
    for (const [k, member] of stored.entries()) expect(await member.data()).toEqual(kept[k]);
    expect(parameters(blocks)).toEqual(learned);
  });

  it('stay in inference, with what a projection makes computed once', async () => {
    const layer = new GroupedQueryAttention(8, 4, { keyValueHeads: 2, rotary: true, batchFirst: true });
    const of = new Sequential(layer);
    const count = summary(of, [1, 5, 8]).multiplyAdds;
    addPrefix(of, { name: 'first', length: 3, projection: 6 });
    addLora(of, { name: 'second', rank: 1 });
    useAdapters(of, ['first', 'second']);
    // 5 queries of 4 heads of 2 look at 3 keys more, and take 3 values more
    expect(summary(of, [1, 5, 8]).multiplyAdds - count).toBe(2 * 5 * 3 * 8);
    const input = x();
    const before = await evaluate(() => of.forward(input)).data();
    const report = await readyForInference(of, [1, 5, 8]);
    expect(report.mergedAdapters).toHaveLength(4);
    expectClose(await evaluate(() => of.forward(input)).data(), before);
    expect(adapterNames(of)).toEqual(['first']);
    expect([...namedParameters(of).keys()].filter((name) => name.includes('prefix'))).toEqual([
      '0.prefix.first.values',
    ]);
    expect(parameters(of)).toEqual([]);
  });

  it('start at 0 where asked, and are found in layers of others', async () => {
    /** Attention without projections, as somebody may have it. */
    class Bare implements PrefixableAttention {
      readonly heads = 1;
      readonly headDimension = 4;
      prefix: AttentionPrefix | null = null;
      forward(input: Tensor): Tensor {
        const prefix = this.prefix?.keysAndValues();
        return attention(input, input, input, { ...(prefix && { prefix }) }).output;
      }
    }
    const of = { bare: new Bare() };
    const input = uniform([1, 3, 4]);
    const before = await of.bare.forward(input).data();
    const { paths, parameters: learned } = addPrefix(of, { length: 2, start: 'zeros' });
    expect([paths, await learned[0]!.data()]).toEqual([['bare'], new Float32Array(16)]);
    // keys of 0 have the score 0 and values of 0: they take a share of the weights
    const scores = input.matmul(input.transpose()).mul(0.5);
    const total = scores.exp().sum(-1, { keepAxes: true });
    const right = await total
      .div(total.add(2))
      .mul(tensor(before, { shape: [1, 3, 4] }))
      .data();
    expectClose(await of.bare.forward(input).data(), right, 5);
  });

  it('say what they cannot do, and have then changed nothing', async () => {
    const pair = model();
    const before = parameters(pair).length;
    expect(() => addPrefix(pair, { length: 0 })).toThrow('addPrefix: length is 0: it must be a whole number above 0.');
    expect(() => addPrefix(pair, { projection: 0.5 })).toThrow(
      'addPrefix: projection is 0.5: it must be a whole number',
    );
    expect(() => addPrefix(pair, { start: 'ones' as never })).toThrow("addPrefix: start is ones: it must be 'normal'");
    expect(() => addPrefix(pair, { targets: 'body' })).toThrow(
      'addPrefix: no attention that a prefix can stand before fits body: there are parts.0, parts.1.',
    );
    pair.parts[0]!.prefix = { length: 0, keysAndValues: () => null };
    expect(() => addPrefix(pair)).toThrow('addPrefix: parts.0 has a prefix that is no adapter: set it to null first.');
    pair.parts[0]!.prefix = null;
    expect(parameters(pair)).toHaveLength(before);
    addPrefix(pair);
    expect(() => addPrefix(pair)).toThrow("addPrefix: there is an adapter 'default' already");
    await expect(pruneHeads(pair.parts[0]!, [0])).rejects.toThrow(
      'has a prefix of keys for its heads: removeAdapter(model) first.',
    );
  });
});

describe('files of prefixes', () => {
  const set = async (learned: readonly Parameter[]): Promise<void> => {
    for (const member of learned) member.assign(uniform(member.shape));
  };

  it("have PEFT's names and settings, and give the prefix back to the layers that it was of", async () => {
    const model = llama();
    const text = ids([1, 2, 3, 4]);
    await set(addPrefix(model, { length: 3, targets: 'model.layers.1.self_attn' }).parameters);
    const files = await encodeAdapter(model);
    expect(JSON.parse(files['adapter_config.json'])).toEqual({
      peft_type: 'PREFIX_TUNING',
      task_type: 'CAUSAL_LM',
      num_virtual_tokens: 3,
      token_dim: 8,
      num_attention_heads: 2,
      num_layers: 1,
      num_transformer_submodules: 1,
      encoder_hidden_size: 8,
      prefix_projection: false,
      base_model_name_or_path: null,
      inference_mode: true,
    });
    const before = await evaluate(() => model.forward(text)).data();
    removeAdapter(model);
    const { paths } = await loadAdapter(model, files, { name: 'again' });
    expect([paths, adapterNames(model)]).toEqual([['model.layers.1.self_attn'], ['again']]);
    expect(await evaluate(() => model.forward(text)).data()).toEqual(before);
    const asClass = await encodeAdapter(model, 'again', { taskType: 'SEQ_CLS' });
    expect(JSON.parse(asClass['adapter_config.json']).task_type).toBe('SEQ_CLS');
  });

  it('that do not fit are refused, and the model has no new adapter', async () => {
    const model = llama();
    await set(addPrefix(model, { length: 3 }).parameters);
    const files = await encodeAdapter(model);
    const [name, stored] = [...parseSafetensors(files['adapter_model.safetensors']).tensors][0]!;
    const values = Float32Array.from({ length: 3 * 32 }, (_, i) => i);
    const bare = (data: Float32Array, shape: number[], ...more: string[]) =>
      encodeSafetensors([name, ...more].map((key) => [key, { dtype: 'float32', shape, data }]));
    const changed = (weights: Uint8Array, change: object) => ({
      'adapter_model.safetensors': weights,
      'adapter_config.json': JSON.stringify({ ...JSON.parse(files['adapter_config.json']), ...change }),
    });
    expect(stored.shape).toEqual([3, 32]);
    removeAdapter(model);
    // as others write it, without paths: before each attention, in order
    const { parameters: learned } = await loadAdapter(model, changed(bare(values, [3, 32]), {}), { name: 'other' });
    expect([...(await learned[1]!.data())].slice(0, 3)).toEqual([16, 17, 18]);
    removeAdapter(model, 'other');
    const refused: readonly (readonly [ReturnType<typeof changed>, string])[] = [
      [
        changed(bare(values, [3, 32]), { num_layers: 4 }),
        'loadAdapter: the prefix is for 4 layers, and 2 are meant (model.layers.0.self_attn, ...): say which, { targets }.',
      ],
      [
        changed(bare(values, [6, 16]), {}),
        "loadAdapter: prompt_embeddings is [6, 16] in the file, and [3, 32] for the model's 2 layers, of the same size each.",
      ],
      [changed(bare(values, [3, 32], 'score.weight'), {}), "loadAdapter: the tensor 'score.weight' is not a prefix's"],
      [changed(bare(values, [3, 32]), { num_transformer_submodules: 2 }), 'num_transformer_submodules is 2'],
    ];
    for (const [file, text] of refused) await expect(loadAdapter(model, file)).rejects.toThrow(text);
    expect(adapterNames(model)).toEqual([]);
    addLora(model, { rank: 1, targets: 'q_proj' });
    const lora = await encodeAdapter(model);
    await expect(loadAdapter(model, lora, { name: 'b', targets: 'q_proj' })).rejects.toThrow(
      'loadAdapter: the layers of an adapter of the kind LORA are in its file: leave targets out.',
    );
    const mixed = { small: new MultiheadAttention(8, 2), large: new MultiheadAttention(12, 2) };
    addPrefix(mixed, { length: 2 });
    await expect(encodeAdapter(mixed)).rejects.toThrow(
      "encodeAdapter: large has 2 heads of 6 for keys, small 2 of 4: PEFT's file has one size for all.",
    );
  });
});
