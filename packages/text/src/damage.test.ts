/**
 * Damaged tokenizer.json and config.json: each gives something that works, or a typed error, by our own code and through
 * @huggingface/tokenizers. The damage is drawn from one seed; NN_MUTATIONS sets the number of rounds for each kind of file.
 */
import { cpu } from '@nn/backend-cpu';
import { isNNError, setDefaultBackend } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { huggingFace } from './hugging-face/index.ts';
import {
  characterTokenizer,
  fromPretrained,
  loadTokenizer,
  type Tokenizer,
  trainBpe,
  trainUnigram,
  trainWordPiece,
  wordTokenizer,
} from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const rounds = Number(process.env.NN_MUTATIONS ?? 40);
const timeout = 30_000 + 200 * rounds;

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const odd: readonly Json[] = [
  ...[null, 3, -1, 1.5, 1e9, 1e308, true, '', 'x', '\u0000', '__proto__', [], {}, [[]], ['a'], [null]],
  ...[{ type: 3 }, { type: 'X' }, { id: 'A' }, { ['__proto__']: 1 }],
];

/** A copy in which something is something else, missing, or there twice. */
function damaged(json: Json, random: RandomSequence): Json {
  if (typeof json !== 'object' || json === null) return odd[random.integer(odd.length)]!;
  const isHere = random.integer(8) === 0;
  const entries = Object.entries(json);
  if (entries.length === 0 || isHere) return odd[random.integer(odd.length)]!;
  const at = random.integer(entries.length);
  const kind = random.integer(6);
  const changed = entries.flatMap(([name, value], k): (readonly [string, Json])[] => {
    if (k !== at) return [[name, value]];
    if (kind === 0) return [];
    if (kind === 1)
      return [
        [name, value],
        [`${name}_`, value],
      ];
    return [[name, damaged(value, random)]];
  });
  return Array.isArray(json) ? changed.map(([, value]) => value) : Object.fromEntries(changed);
}

/** What is thrown and is no error of ours, with the damage that did it. */
async function surprises(json: Json, seed: number, use: (damaged: object) => Promise<unknown>): Promise<string[]> {
  const found: string[] = [];
  const random = new RandomSequence(seed);
  for (let round = 0; round < rounds; round++) {
    const wrong = damaged(json, random);
    try {
      await use(wrong as object); // the cast: what is no object is refused
    } catch (error) {
      if (!isNNError(error)) found.push(`${String(error)} of ${JSON.stringify(wrong).slice(-600)}`);
    }
  }
  return found;
}

const lines = ['the cat sat on the mat', 'a newer tower, the lowest', "it's 3 o'clock"];
const special = { begin: '<s>', end: '</s>', padding: '<pad>', unknown: '<unk>' };

describe('a damaged tokenizer.json works or is refused by a typed error', () => {
  test.each<readonly [string, () => Promise<Tokenizer> | Tokenizer]>([
    ['BPE', () => trainBpe(lines, { size: 280, special })],
    ['WordPiece', () => trainWordPiece(lines, { size: 60, minimumCount: 1 })],
    ['Unigram', () => trainUnigram(lines, { size: 40, special })],
    ['characters', () => characterTokenizer(lines, { special })],
    ['words', () => wordTokenizer(lines, { special })],
  ])('%s', { timeout }, async (_, make) => {
    const json: Json = JSON.parse(JSON.stringify(await make()));
    const use = async (wrong: object, library: boolean): Promise<void> => {
      const tokenizer = await loadTokenizer(wrong, library ? { library: huggingFace } : {});
      tokenizer.decode(tokenizer.encode('the cat \u00e9 3'));
      tokenizer.batch([['a', 'b']]);
      JSON.stringify(tokenizer);
    };
    // the library prints patterns that it does not know
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(await surprises(json, 1, (wrong) => use(wrong, false))).toEqual([]);
    expect(await surprises(json, 2, (wrong) => use(wrong, true))).toEqual([]);
  });
});

describe('a damaged config.json is refused by a typed error, or its weights are missed', () => {
  test.each<readonly [string, Record<string, Json>]>([
    ['gpt2', { n_positions: 16, n_embd: 8, n_layer: 1, n_head: 2, activation_function: 'gelu_new' }],
    [
      'llama',
      {
        ...{ hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 2 },
        ...{ num_key_value_heads: 1, max_position_embeddings: 16, rms_norm_eps: 1e-6, rope_theta: 1e4 },
        ...{ hidden_act: 'silu', tie_word_embeddings: false, rope_scaling: null },
      },
    ],
    [
      'bert',
      {
        ...{ architectures: ['BertForSequenceClassification'], hidden_size: 8, intermediate_size: 16 },
        ...{ num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 16, type_vocab_size: 2 },
        ...{ hidden_act: 'gelu', id2label: { 0: 'a', 1: 'b' } },
      },
    ],
    [
      'marian',
      {
        ...{ d_model: 8, encoder_layers: 1, decoder_layers: 1, encoder_attention_heads: 2, decoder_attention_heads: 2 },
        ...{ encoder_ffn_dim: 16, decoder_ffn_dim: 16, max_position_embeddings: 16, activation_function: 'swish' },
        ...{ pad_token_id: 49, eos_token_id: 0, decoder_start_token_id: 49, scale_embedding: true },
      },
    ],
    [
      't5',
      {
        ...{ d_model: 8, d_kv: 4, d_ff: 16, num_layers: 1, num_heads: 2, relative_attention_num_buckets: 8 },
        ...{ feed_forward_proj: 'relu', pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 },
      },
    ],
  ])('%s', { timeout }, async (name, fields) => {
    const config = { model_type: name, vocab_size: 50, ...fields };
    const found = await surprises(config, 3, async (wrong) => {
      // sizes that are left out are those of the published models, which take seconds to draw
      const whole = {
        n_embd: 8,
        hidden_size: 8,
        d_model: 8,
        n_layer: 1,
        num_hidden_layers: 1,
        num_layers: 1,
        vocab_size: 50,
      };
      const usable =
        typeof wrong === 'object' && wrong !== null && !Array.isArray(wrong) ? { ...whole, ...wrong } : wrong;
      const files = async (file: string) =>
        file === 'config.json' ? new TextEncoder().encode(JSON.stringify(usable)) : null;
      await fromPretrained(files);
    });
    expect(found).toEqual([]);
  });
});
