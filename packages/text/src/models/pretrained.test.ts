import { cpu } from '@nn/backend-cpu';
import { namedParameters, setDefaultBackend, tensor } from '@nn/core';
import { encodeModel, encodeSafetensors, loadTensors } from '@nn/serialize';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  Bert,
  BertForMaskedLM,
  BertForSequenceClassification,
  fromPretrained,
  GPT2,
  Llama,
  Marian,
  type PretrainedModel,
  T5,
  trainBpe,
} from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

type Files = Readonly<Record<string, object>>;
const folderOf = (files: Files) => async (name: string) => files[name] ?? null;

const gpt2Config = { model_type: 'gpt2', vocab_size: 300, n_positions: 16, n_embd: 8, n_layer: 1, n_head: 2 };
const gpt2 = (): GPT2 => new GPT2({ vocabularySize: 300, contextLength: 16, dimension: 8, layers: 1, heads: 2 });
const bertSizes = {
  vocab_size: 20,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 16,
  max_position_embeddings: 12,
};
const bertOptions = { vocabularySize: 20, dimension: 8, layers: 1, heads: 2, feedForward: 16, contextLength: 12 };
const llamaSizes = {
  vocab_size: 20,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 16,
};
const llamaOptions = {
  vocabularySize: 20,
  dimension: 8,
  layers: 1,
  heads: 4,
  keyValueHeads: 2,
  feedForward: 16,
  epsilon: 1e-6,
};

/** The parameters under names of a file. */
async function weights(
  model: object,
  rename: (name: string) => string = (name) => name,
  more: Files = {},
): Promise<Uint8Array> {
  const { tensors } = await loadTensors(await encodeModel(model));
  const extra = Object.keys(more).map(
    (name) => [name, { dtype: 'float32' as const, shape: [1], data: Float32Array.of(0) }] as const,
  );
  return encodeSafetensors([...[...tensors].map(([name, value]) => [rename(name), value] as const), ...extra]);
}

describe('fromPretrained', () => {
  test.each<readonly [string, object, () => PretrainedModel, (name: string) => string, string[]]>([
    [
      'gpt2 without its prefix, with masks',
      gpt2Config,
      gpt2,
      (name) => name.replace('transformer.', ''),
      ['h.0.attn.bias', 'lm_head.weight'],
    ],
    [
      'llama',
      { model_type: 'llama', ...llamaSizes },
      () => new Llama(llamaOptions),
      (name) => name,
      ['model.layers.0.self_attn.rotary_emb.inv_freq'],
    ],
    [
      'qwen2, tied',
      { model_type: 'qwen2', tie_word_embeddings: true, ...llamaSizes },
      () => new Llama({ ...llamaOptions, tied: true, attentionBias: 'queryKeyValue' }),
      (name) => name,
      [],
    ],
    [
      'mistral',
      { model_type: 'mistral', sliding_window: 4, ...llamaSizes },
      () => new Llama({ ...llamaOptions, window: 4 }),
      (name) => name,
      [],
    ],
    [
      'bert of old files',
      { model_type: 'bert', ...bertSizes },
      () => new Bert(bertOptions),
      (name) =>
        `bert.${name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta')}`,
      ['bert.embeddings.position_ids', 'cls.seq_relationship.weight'],
    ],
    [
      'bert for masked words',
      { model_type: 'bert', architectures: ['BertForMaskedLM'], ...bertSizes },
      () => new BertForMaskedLM(bertOptions),
      (name) => name,
      ['cls.predictions.decoder.weight', 'bert.pooler.dense.weight'],
    ],
    [
      'bert for classes',
      {
        model_type: 'bert',
        architectures: ['BertForSequenceClassification'],
        id2label: { 0: 'a', 1: 'b', 2: 'c' },
        ...bertSizes,
      },
      () => new BertForSequenceClassification({ ...bertOptions, classes: 3 }),
      (name) => name,
      [],
    ],
    [
      'marian',
      {
        model_type: 'marian',
        vocab_size: 20,
        d_model: 8,
        encoder_layers: 1,
        decoder_layers: 1,
        encoder_attention_heads: 2,
        decoder_attention_heads: 2,
        encoder_ffn_dim: 16,
        decoder_ffn_dim: 16,
        scale_embedding: true,
        activation_function: 'swish',
      },
      () =>
        new Marian({ vocabularySize: 20, dimension: 8, encoderLayers: 1, decoderLayers: 1, heads: 2, feedForward: 16 }),
      (name) => name,
      ['model.encoder.embed_tokens.weight', 'model.encoder.embed_positions.weight', 'lm_head.weight'],
    ],
    [
      't5 of version 1.1',
      {
        model_type: 't5',
        vocab_size: 20,
        d_model: 8,
        d_kv: 4,
        d_ff: 16,
        num_layers: 1,
        num_heads: 2,
        feed_forward_proj: 'gated-gelu',
        tie_word_embeddings: false,
      },
      () =>
        new T5({
          vocabularySize: 20,
          dimension: 8,
          headDimension: 4,
          feedForward: 16,
          encoderLayers: 1,
          heads: 2,
          gated: true,
          tied: false,
          activation: 'gelu_new',
        }),
      (name) => name,
      ['encoder.embed_tokens.weight'],
    ],
  ])('reads %s', async (_, config, make, rename, more) => {
    const made = make();
    const file = await weights(made, rename, Object.fromEntries(more.map((name) => [name, {}])));
    const { model, tokenizer } = await fromPretrained(folderOf({ 'config.json': config, 'model.safetensors': file }));
    expect(tokenizer).toBeNull();
    const ids = tensor([[3, 1, 4, 1, 5]]);
    const run = (each: PretrainedModel) =>
      each instanceof Marian || each instanceof T5 ? each.forward(ids, ids) : each.forward(ids);
    for (const each of [made, model]) Object.assign(each, 'bert' in each ? {} : { dropout: 0 });
    for (const each of [made, model]) if ('bert' in each) Object.assign(each.bert, { dropout: 0 });
    expect(await run(model).array()).toEqual(await run(made).array());
  });

  test('reads files in parts, and the tokenizer beside them', async () => {
    const made = gpt2();
    const { tensors } = await loadTensors(await encodeModel(made));
    const all = [...tensors];
    const half = Math.floor(all.length / 2);
    const map = Object.fromEntries(all.map(([name], i) => [name, i < half ? 'a.safetensors' : 'b.safetensors']));
    const tokenizer = await trainBpe(['to be or not to be'], { size: 260, special: { end: '<|endoftext|>' } });
    const files = {
      'config.json': gpt2Config,
      'model.safetensors.index.json': { weight_map: map },
      'a.safetensors': encodeSafetensors(all.slice(0, half)),
      'b.safetensors': encodeSafetensors(all.slice(half)),
      'tokenizer.json': JSON.parse(JSON.stringify(tokenizer)),
      'tokenizer_config.json': { eos_token: '<|endoftext|>' },
    };
    const found = await fromPretrained(folderOf(files));
    expect(found.tokenizer?.ids.end).toBe(0);
    expect(found.tokenizer?.encode('to be')).toEqual(tokenizer.encode('to be'));
    for (const [name, parameter] of namedParameters(found.model)) {
      expect(await parameter.data(), name).toEqual(await namedParameters(made).get(name)!.data());
    }
    const { 'b.safetensors': _, ...less } = files;
    await expect(fromPretrained(folderOf(less))).rejects.toThrow(
      'fromPretrained: the folder has no b.safetensors, which its index names.',
    );
    const short = { ...files, 'model.safetensors.index.json': { weight_map: { x: 'a.safetensors' } } };
    await expect(fromPretrained(folderOf(short))).rejects.toThrow('fromPretrained: no part of model.safetensors has ');
    const outside = { ...files, 'model.safetensors.index.json': { weight_map: { x: '../a.safetensors' } } };
    await expect(fromPretrained(folderOf(outside))).rejects.toThrow('the folder has no ../a.safetensors');
  });

  test.each<readonly [string, Files, string]>([
    ['no config', {}, 'fromPretrained: the folder has no config.json.'],
    ['no kind', { 'config.json': {} }, "fromPretrained: config.json has no 'model_type', which must be a text."],
    [
      'a kind that is not known',
      { 'config.json': { model_type: 'bloom' } },
      "fromPretrained: model_type is 'bloom', which is not known: gpt2, llama, mistral, qwen2, bert, marian, t5 are.",
    ],
    [
      'a size that is none',
      { 'config.json': { ...gpt2Config, n_embd: '8' } },
      'fromPretrained: n_embd of config.json must be a number, it is "8".',
    ],
    [
      'more layers than any network has',
      { 'config.json': { ...gpt2Config, n_layer: 1e9 } },
      'fromPretrained: n_layer of config.json must be at most 4096, it is 1000000000.',
    ],
    [
      'a vocabulary that no network has',
      { 'config.json': { ...gpt2Config, vocab_size: 1e308 } },
      'GPT2: vocabularySize is 1e+308: it must be at most 16777216.',
    ],
    [
      'more positions than a table has',
      {
        'config.json': {
          ...{ model_type: 'marian', vocab_size: 50, d_model: 64, encoder_layers: 1, decoder_layers: 1 },
          ...{ encoder_attention_heads: 2, decoder_attention_heads: 2, encoder_ffn_dim: 16, decoder_ffn_dim: 16 },
          ...{ max_position_embeddings: 16_000_000, activation_function: 'swish' },
          ...{ pad_token_id: 49, eos_token_id: 0, decoder_start_token_id: 49 },
        },
      },
      'Marian: 16000000 positions of 64 numbers are too many for a table: contextLength must be at most 4194304.',
    ],
    [
      'a size that is missing',
      { 'config.json': { ...gpt2Config, vocab_size: null } },
      "fromPretrained: config.json has no 'vocab_size', which must be a number.",
    ],
    [
      'heads that do not divide',
      { 'config.json': { ...gpt2Config, n_head: 3 } },
      'GPT2: the dimension 8 does not divide into 3 heads.',
    ],
    [
      'an activation that is not known',
      { 'config.json': { ...gpt2Config, activation_function: 'wave' } },
      "fromPretrained: activation_function is 'wave', an activation that is not known.",
    ],
    [
      'a choice that is not supported',
      { 'config.json': { ...gpt2Config, scale_attn_weights: false } },
      'fromPretrained: scale_attn_weights is false, but only true is supported.',
    ],
    [
      'scaling that is not supported',
      { 'config.json': { model_type: 'llama', ...llamaSizes, rope_scaling: { rope_type: 'yarn', factor: 2 } } },
      "fromPretrained: rope_scaling is of the type 'yarn': only 'linear' with a factor is supported.",
    ],
    [
      'a head that is not known',
      { 'config.json': { model_type: 'bert', architectures: ['BertForX'], ...bertSizes } },
      "fromPretrained: the architecture 'BertForX' is not known: BertModel, BertForMaskedLM and BertForSequenceClassification are.",
    ],
    [
      'no weights',
      { 'config.json': gpt2Config },
      'fromPretrained: the folder has neither model.safetensors nor its parts nor pytorch_model.bin.',
    ],
    [
      'a config that is no JSON',
      { 'config.json': new TextEncoder().encode('{') },
      'fromPretrained: the file is no JSON:',
    ],
  ])('of a folder with %s says so', async (_, files, message) => {
    await expect(fromPretrained(folderOf(files))).rejects.toThrow(message);
  });

  test('of weights that do not fit puts both sides next to each other, and of damaged ones says so', async () => {
    const file = await weights(
      new GPT2({ vocabularySize: 300, contextLength: 16, dimension: 12, layers: 1, heads: 2 }),
    );
    await expect(fromPretrained(folderOf({ 'config.json': gpt2Config, 'model.safetensors': file }))).rejects.toThrow(
      /transformer\.h\.0\.attn\.c_attn\.bias +\[24\] +\[36\]/,
    );
    const damaged = file.slice(0, -10);
    await expect(fromPretrained(folderOf({ 'config.json': gpt2Config, 'model.safetensors': damaged }))).rejects.toThrow(
      /^fromPretrained: model\.safetensors: safetensors: /,
    );
  });
});
