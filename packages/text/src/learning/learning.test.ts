/** What models learn from: rows that lose no target, holes by BERT's rules, decoders that are told what came before. */
import { cpu } from '@nn/backend-cpu';
import { compile, evaluate, setDefaultBackend, setSeed, tensor } from '@nn/core';
import { crossEntropy } from '@nn/layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { GPT2, maskTokens, packTexts, teacherForcing, wordTokenizer } from '../index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const words = Array.from({ length: 95 }, (_, i) => `w${i}`).join(' ');
const special = { padding: '[PAD]', unknown: '[UNK]', begin: '[CLS]', end: '[SEP]', mask: '[MASK]' };
const tokenizer = wordTokenizer([words], { special });

describe('packTexts', () => {
  test('every token has its successor as its target, whatever the length of the rows', () => {
    const texts = [[1, 2, 3, 4, 5], [], [6], [7, 8, 9]];
    for (const length of [1, 2, 3, 4, 7, 20]) {
      const { inputs, targets, documents } = packTexts(texts, { length, endId: 50, paddingId: 60 });
      const tokens = texts.flatMap((text) => [...text, 50]);
      const next = texts.flatMap((text) => [...text.slice(1), ...(text.length > 0 ? [50] : []), -100]);
      const padding = inputs.data.length - tokens.length;
      expect(inputs.shape).toEqual([Math.ceil(tokens.length / length), length]);
      expect([...inputs.data]).toEqual([...tokens, ...new Array(padding).fill(60)]);
      expect([...targets.data]).toEqual([...next, ...new Array(padding).fill(-100)]);
      // within a row the numbers change exactly where a text ends, and padding is 0
      for (let at = 0; at < tokens.length; at++) {
        if (at % length === 0) expect(documents.data[at]).toBe(1);
        else expect(documents.data[at]! - documents.data[at - 1]!).toBe(next[at - 1] === -100 ? 1 : 0);
      }
      expect([...documents.data.slice(tokens.length)]).toEqual(new Array(padding).fill(0));
    }
    expect(packTexts(texts, { length: 4, dropLast: true }).inputs.shape).toEqual([2, 4]);
  });

  test('a packed text costs what it costs alone', async () => {
    setSeed(2);
    const model = new GPT2({ vocabularySize: 10, contextLength: 8, dimension: 8, layers: 2, heads: 2, dropout: 0 });
    const texts = [
      [1, 2, 3],
      [4, 5, 6, 7],
    ];
    const lossOf = async (rows: number[][], length: number): Promise<number> => {
      const { inputs, targets, documents } = packTexts(rows, { length });
      const scores = model.forward(tensor(inputs.data, { shape: inputs.shape }), {
        documents: tensor(documents.data, { shape: documents.shape }),
      });
      return crossEntropy(scores.transpose(1, 2), tensor(targets.data, { shape: targets.shape }), {
        reduction: 'sum',
      }).item();
    };
    const alone = (await lossOf([texts[0]!], 3)) + (await lossOf([texts[1]!], 4));
    expect(await lossOf(texts, 8)).toBeCloseTo(alone, 4);
  });

  test('what cannot be learned from is named', () => {
    expect(() => packTexts([[3], [4]], { length: 2 })).toThrow(
      'packTexts: 2 texts of 2 tokens in all have nothing to learn in rows of 2: no token that another one follows.',
    );
    expect(() => packTexts([[1, 2.5]], { length: 2 })).toThrow(
      'packTexts: token 1 of text 0 is 2.5: texts must be encoded, as by tokenizer.encode.',
    );
    expect(() => packTexts([[1, 2]], { length: 0 })).toThrow('packTexts: length is 0: it must be a whole number');
  });
});

describe('maskTokens', () => {
  test("BERT's shares, and never a special or padded token", async () => {
    setSeed(3);
    const [rows, length] = [64, 200];
    const values = Int32Array.from({ length: rows * length }, (_, i) => (i % length === 0 ? 2 : 5 + (i % 95)));
    const ids = tensor(values, { shape: [rows, length] });
    const real = Uint8Array.from(values, (_, i) => (i % length < 150 ? 1 : 0));
    const mask = tensor(real, { shape: [rows, length], dtype: 'bool' });
    const exercise = evaluate(() => maskTokens(ids, tokenizer, { mask }));
    const [inputs, targets] = await Promise.all([exercise.inputs.data(), exercise.targets.data()]);
    const counts = { chosen: 0, masked: 0, same: 0, other: 0 };
    values.forEach((id, i) => {
      if (targets[i] === -100) {
        expect(inputs[i]).toBe(id);
        return;
      }
      expect([targets[i], real[i], id === 2]).toEqual([id, 1, false]);
      counts.chosen++;
      if (inputs[i] === tokenizer.ids.mask) counts.masked++;
      else if (inputs[i] === id) counts.same++;
      else counts.other++;
    });
    const open = rows * 149;
    // within four standard deviations; a random token is the same or the mask in 2 of 100
    const near = (count: number, share: number, of: number): void =>
      expect(Math.abs(count - share * of)).toBeLessThan(4 * Math.sqrt(of * share * (1 - share)));
    near(counts.chosen, 0.15, open);
    near(counts.masked, 0.801, counts.chosen);
    near(counts.same, 0.101, counts.chosen);
    near(counts.other, 0.098, counts.chosen);
  });

  test('draws anew in each call of a compiled function, and the same after the same seed', async () => {
    const ids = tensor(
      Int32Array.from({ length: 60 }, (_, i) => 5 + i),
      { shape: [1, 60] },
    );
    const fast = compile(() => maskTokens(ids, tokenizer).targets);
    const draw = async (): Promise<string[]> => {
      setSeed(4);
      const seen: string[] = [];
      for (let call = 0; call < 4; call++) seen.push(String(await (await fast()).array()));
      return seen;
    };
    const first = await draw();
    expect(new Set(first).size).toBe(4);
    expect(await draw()).toEqual(first);
  });

  test('what does not fit is named', () => {
    const ids = tensor([[5, 6]], { dtype: 'int32' });
    expect(() => maskTokens(ids, wordTokenizer([words]))).toThrow('maskTokens: the tokenizer has no mask token');
    expect(() => maskTokens(ids, tokenizer, { masked: 0.95 })).toThrow(
      'maskTokens: masked 0.95 and random 0.1 are more than 1 together',
    );
    expect(() => maskTokens(ids, tokenizer, { probability: 15 })).toThrow(
      'maskTokens: probability is 15: it must be a share from 0 to 1.',
    );
    expect(() => maskTokens(tensor([[5, 6]]), tokenizer)).toThrow('maskTokens: takes int32 ids [N, L], got float32');
    expect(() => teacherForcing(ids, { startId: 1, mask: tensor([[true]]) })).toThrow(
      'teacherForcing: the mask must be [1, 2] as the ids, got [1, 1].',
    );
    expect(() => teacherForcing(ids, { startId: -1 })).toThrow('teacherForcing: startId is -1');
  });
});
