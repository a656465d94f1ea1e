import { cpu } from '@nn/backend-cpu';
import { type Backend, evaluate, setDefaultBackend, setSeed, tensor } from '@nn/core';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  AttentionLSTM,
  Bert,
  beamSearch,
  characterTokenizer,
  extendedSource,
  type Generative,
  GPT2,
  generate,
  generateAll,
  Llama,
  Marian,
  oneOfTexts,
  PointerGenerator,
  T5,
  textConstraint,
  tokenChances,
  trainBpe,
  trainUnigram,
  trainWordPiece,
  wordTokenizer,
} from '../index.ts';
import { adjusted, type ChoiceOptions, TokenChoice } from './choose.ts';
import { heaviest, largest } from './select.ts';
import { TextStream } from './text-stream.ts';

let backend: Backend;
beforeAll(() => {
  backend = cpu();
  setDefaultBackend(backend);
});
beforeEach(() => setSeed(7));

const letters = characterTokenizer(['abcdefghij'], { special: { end: '$' } });
const gpt = (): GPT2 => new GPT2({ vocabularySize: 11, contextLength: 40, dimension: 16, layers: 2, heads: 2 });
const llama = (): Llama =>
  new Llama({ vocabularySize: 11, contextLength: 40, dimension: 16, layers: 2, heads: 4, keyValueHeads: 2 });
const marian = (): Marian =>
  new Marian({
    vocabularySize: 11,
    dimension: 16,
    encoderLayers: 1,
    decoderLayers: 2,
    heads: 2,
    contextLength: 40,
    startDeviation: 0.3,
  });
const t5 = (): T5 =>
  new T5({ vocabularySize: 11, dimension: 16, encoderLayers: 1, heads: 2, headDimension: 8, feedForward: 16 });

/** Weights as they start are too much alike to tell one token from another. */
function louder<M extends object>(model: M): M {
  return model;
}

describe('generate', () => {
  test.each<readonly [string, () => Generative]>([
    ['GPT2', gpt],
    ['Llama', llama],
    ['Marian', marian],
    ['T5', t5],
  ])('of %s gives the same with a cache, without, and alone', async (_, make) => {
    const model = louder(make());
    const prompts = [[1, 2, 3, 4, 5], [6, 7], [8]];
    const options = { maxTokens: 12, seed: 5, temperature: 0.9, endId: null } as const;
    const cached = await generateAll(model, prompts, options);
    const plain = await generateAll(model, prompts, { ...options, cache: false });
    expect(plain.map(({ ids }) => ids)).toEqual(cached.map(({ ids }) => ids));
    for (const [n, row] of cached.entries()) expect(plain[n]!.logProbability).toBeCloseTo(row.logProbability, 3);
    const greedy = { maxTokens: 8, temperature: 0, endId: null } as const;
    const together = await generateAll(model, prompts, greedy);
    for (const [n, prompt] of prompts.entries()) {
      const [alone] = await generateAll(model, prompt, greedy);
      expect(alone!.ids).toEqual(together[n]!.ids);
      expect(alone!.logProbability).toBeCloseTo(together[n]!.logProbability, 3);
    }
  });

  test('takes the most probable token of the model at each step where the temperature is 0', async () => {
    const model = gpt();
    const [{ ids } = { ids: [] }] = await generateAll(model, [3, 1, 4], { temperature: 0, maxTokens: 6, endId: null });
    let past = [3, 1, 4];
    for (const id of ids) {
      const scores = evaluate(() => model.forward(tensor([past])).at(0, -1));
      expect(await scores.argMax().item()).toBe(id);
      past = [...past, id];
    }
  });

  test('compiles nothing after the first tokens, and again nothing for the next text', async () => {
    const model = gpt();
    const options = { maxTokens: 20, temperature: 0, endId: null } as const;
    await generateAll(model, [1, 2, 3], options);
    const compiled = vi.spyOn(backend, 'compile');
    await generateAll(model, [4, 5], options);
    expect(compiled).not.toHaveBeenCalled();
  });

  test('of recurrent models gives what their forward gives', async () => {
    const model = new AttentionLSTM({ sourceVocabularySize: 11, embedding: 6, hidden: 8, dropout: 0 });
    const [{ ids } = { ids: [] }] = await generateAll(model, [3, 1, 4], { temperature: 0, maxTokens: 5, endId: null });
    const target = [model.startId, ...ids.slice(0, -1)];
    const scores = evaluate(() => model.forward(tensor([[3, 1, 4]]), tensor([target])));
    expect(await scores.argMax(-1).array()).toEqual([ids]);
    const rows = await generateAll(model, [[3, 1, 4], [5]], { temperature: 0, maxTokens: 5, endId: null });
    expect(rows[0]!.ids).toEqual(ids);
  });

  test('of a pointer-generator copies words that the vocabulary lacks', async () => {
    const tokenizer = wordTokenizer(['a b c d'], {
      special: { padding: '<p>', begin: '<b>', end: '<e>', unknown: '<u>' },
    });
    const { size, ids } = tokenizer;
    const model = new PointerGenerator({
      ...{
        vocabularySize: size,
        embedding: 6,
        hidden: 8,
        startId: ids.begin!,
        endId: ids.end!,
        unknownId: ids.unknown!,
      },
      ...{ dropout: 0, paddingId: ids.padding! },
    });
    // a gate that always copies
    model.gate.bias!.assign(tensor([-100]));
    const source = extendedSource(tokenizer, ['zebra', 'lion a']);
    const rows = await generateAll(model, source, { tokenizer, temperature: 0, maxTokens: 3, endId: null });
    expect(rows[0]!.text).toBe('zebra zebra zebra');
    expect(rows[1]!.text.split(' ').every((word) => ['lion', 'a'].includes(word))).toBe(true);
    const found = await beamSearch(model, source, { tokenizer, beams: 2, maxTokens: 2, endId: null });
    expect(found.map(([best]) => best.text.split(' ').length)).toEqual([2, 2]);
    expect(found[0]![0].text).toBe('zebra zebra');
    // a mask over the tokenizer's own words lets none be copied that it lacks
    const allow = (): Uint8Array => new Uint8Array(size).fill(1);
    const [, known] = await generateAll(model, source, { tokenizer, temperature: 0, maxTokens: 2, endId: null, allow });
    expect(known!.text).toBe('a a');
    expect(source.targets(['the zebra a', 'zebra'])).toEqual([
      [ids.unknown, size, tokenizer.idOf('a'), ids.end],
      [ids.unknown, ids.end],
    ]);
  });

  test('ends at end tokens, stop strings, the length, and the end of the context', async () => {
    const model = gpt();
    const endless = await generateAll(model, [1], { maxTokens: 500, temperature: 0, endId: null });
    expect(endless[0]).toMatchObject({ finish: 'context' });
    expect(endless[0]!.ids.length).toBe(39);
    const [first] = await generateAll(model, [1], { maxTokens: 6, seed: 2, endId: null, tokenizer: letters });
    expect(first!.finish).toBe('length');
    const third = first!.ids[2]!;
    const ended = await generateAll(model, [1], { maxTokens: 6, seed: 2, endId: third });
    expect(ended[0]).toMatchObject({ finish: 'end', ids: first!.ids.slice(0, first!.ids.indexOf(third) + 1) });
    const stop = first!.text.slice(1, 3);
    const stopped = await generateAll(model, [1], { maxTokens: 6, seed: 2, endId: null, tokenizer: letters, stop });
    expect(stopped[0]).toMatchObject({ finish: 'stop', text: first!.text.slice(0, first!.text.indexOf(stop)) });
  });

  test('refuses ids that are none, in prompts and as the end', async () => {
    const model = gpt();
    await expect(generateAll(model, [[1], [2, 1.5]], { maxTokens: 2 })).rejects.toThrow(
      'generate: prompt 1 has the id 1.5: ids are whole numbers from 0.',
    );
    await expect(beamSearch(model, [[-1]], { maxTokens: 2 })).rejects.toThrow(
      'beamSearch: prompt 0 has the id -1: ids are whole numbers from 0.',
    );
    const most = model.vocabularySize - 1;
    await expect(generateAll(model, [1], { maxTokens: 2, endId: [0, most + 1] })).rejects.toThrow(
      `generate: endId is ${most + 1}, which never comes: ids go from 0 to ${most}.`,
    );
    await expect(beamSearch(model, [1], { maxTokens: 2, endId: 0.5 })).rejects.toThrow(
      `beamSearch: endId is 0.5, which never comes: ids go from 0 to ${most}.`,
    );
    expect((await generateAll(model, [1], { maxTokens: 2, endId: most })).length).toBe(1);
  });

  test('says only what is allowed', async () => {
    const model = gpt();
    const texts = ['abba', 'abc', 'd'];
    for (let seed = 0; seed < 6; seed++) {
      const [row] = await generateAll(model, [1], { tokenizer: letters, allow: oneOfTexts(letters, texts), seed });
      expect(texts).toContain(row!.text);
      expect(row!.finish).toBe('end');
    }
    const brackets = textConstraint(letters, (text) => {
      // a opens, b closes: as many of both, never more closed than open, three pairs at most
      let open = 0;
      for (const letter of text) {
        open += letter === 'a' ? 1 : letter === 'b' ? -1 : Number.NaN;
        if (!(open >= 0)) return 'wrong';
      }
      if (text.length > 6 || (text.length > 3 && open > 6 - text.length)) return 'wrong';
      return open === 0 && text !== '' ? 'right' : 'begun';
    });
    const [row] = await generateAll(model, [1], { tokenizer: letters, allow: brackets, seed: 3, maxTokens: 9 });
    expect(row!.text).toMatch(/^(ab|aabb|abab|aaabbb|aababb|aabbab|abaabb|ababab)$/);
    await expect(generateAll(model, [1], { allow: () => new Uint8Array(11) })).rejects.toThrow(
      'generate: no token may come at step 0 of row 0: the constraint allows none.',
    );
  });

  test('stops with the reason of the signal', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      for await (const { id } of generate(gpt(), [1], { signal: controller.signal, endId: null })) {
        seen.push(id);
        if (seen.length === 3) controller.abort(new Error('enough'));
      }
    };
    await expect(run()).rejects.toThrow('enough');
    expect(seen.length).toBe(3);
  });

  test('cuts what is too long, and says so', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const long = Array.from({ length: 50 }, (_, i) => i % 11);
    await generateAll(gpt(), [long], { maxTokens: 4, temperature: 0 });
    expect(warn).toHaveBeenCalledWith(
      'nn: generate: prompt 0 has 50 tokens, the model has room for 36: 14 were cut off its start.',
    );
    await generateAll(marian(), [long], { maxTokens: 4, temperature: 0 });
    expect(warn).toHaveBeenLastCalledWith(
      'nn: generate: prompt 0 has 50 tokens, the model has room for 40: 10 were cut off its end.',
    );
  });

  test('says which pieces of a prompt the vocabulary lacks, and how often', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const options = { tokenizer: letters, maxTokens: 2, temperature: 0 };
    await generateAll(gpt(), ['abc', 'azzyb'], options);
    expect(warn.mock.calls).toEqual([
      [
        "nn: generate: prompt 1 has 3 pieces that the vocabulary lacks, which are left out: 'z' 2 times, 'y'. tokenizer.unknownIn(text) tells them all.",
      ],
    ]);
    const words = wordTokenizer(['a b c d e f g h'], { special: { unknown: '?', end: '$' } });
    await beamSearch(gpt(), 'a fish and six other dear animals', { tokenizer: words, maxTokens: 2 });
    expect(warn).toHaveBeenLastCalledWith(
      "nn: beamSearch: prompt 0 has 6 pieces that the vocabulary lacks, which are read as ?: 'fish', 'and', 'six', 'other', 'dear' and 1 more. tokenizer.unknownIn(text) tells them all.",
    );
  });

  test.each<readonly [string, () => Promise<unknown>, string]>([
    [
      'a text without a tokenizer',
      () => generateAll(gpt(), 'abc'),
      'generate: a prompt of text needs the tokenizer: { tokenizer }.',
    ],
    [
      'no tokens',
      () => generateAll(gpt(), [[1], []]),
      'generate: prompt 1 has no tokens, and there is no begin token.',
    ],
    [
      'a temperature below 0',
      () => generateAll(gpt(), [1], { temperature: -1 }),
      'generate: temperature is -1: it must be at least 0.',
    ],
    [
      'a topP of 0',
      () => generateAll(gpt(), [1], { topP: 0 }),
      'generate: topP is 0: it must be above 0 and at most 1.',
    ],
    [
      'half a token',
      () => generateAll(gpt(), [1], { maxTokens: 0.5 }),
      'generate: maxTokens is 0.5: it must be a whole number of at least 1.',
    ],
    [
      'a stop string without a tokenizer',
      () => generateAll(gpt(), [1], { stop: 'a' }),
      'generate: stop strings need the tokenizer: { tokenizer }.',
    ],
    [
      'no prompt',
      () => generateAll(gpt(), undefined as never),
      'generate: takes a text, ids, or a list of either as the prompt, got undefined.',
    ],
    [
      'a tensor as the prompt',
      () => beamSearch(gpt(), tensor([[1, 2]]) as never),
      'beamSearch: takes a text, ids, or a list of either as the prompt, got an object (Tensor).',
    ],
    [
      'a prompt among others that is none',
      () => generateAll(gpt(), [[1], null] as never),
      'generate: prompt 1 is null: it must be a text, or a list of ids.',
    ],
    [
      'ids of another tokenizer',
      () => generateAll(gpt(), [[1], [2, 11]]),
      'generate: prompt 1 has the id 11, the model knows 11 tokens, from 0 to 10: give it the tokenizer that it learned with.',
    ],
    [
      'ids of another source',
      () => generateAll(new AttentionLSTM({ sourceVocabularySize: 5, embedding: 4, hidden: 4 }), [7]),
      'generate: prompt 0 has the id 7, the model knows 5 tokens, from 0 to 4: give it the tokenizer that it learned with.',
    ],
    [
      'what is no tokenizer',
      () => generateAll(gpt(), 'a', { tokenizer: {} as never }),
      'generate: tokenizer is an object (Object): give one that was trained or loaded.',
    ],
    [
      'a model that says nothing',
      () => generateAll(new Bert({ vocabularySize: 11, dimension: 8, layers: 1, heads: 2 }) as never, [1]),
      'generate: takes a model that says token after token (GPT2, Llama, Marian, T5, AttentionLSTM, PointerGenerator), got Bert.',
    ],
    [
      'a model without room',
      () => generateAll(new GPT2({ vocabularySize: 11, contextLength: 1, dimension: 8, layers: 1, heads: 2 }), [1]),
      'generate: the model has 1 position: there is no room for a token that follows.',
    ],
    [
      'a stop string that is none',
      () => generateAll(gpt(), [1], { tokenizer: letters, stop: ['a', 3] as never }),
      'generate: a stop string is 3: it must be a text.',
    ],
    [
      'a seed that is none',
      () => generateAll(gpt(), [1], { seed: 1.5 }),
      'generate: seed is 1.5: it must be a whole number.',
    ],
    [
      'a penalty without end',
      () => generateAll(gpt(), [1], { repetitionPenalty: Number.POSITIVE_INFINITY }),
      'generate: repetitionPenalty is Infinity: it must be a number above 0.',
    ],
    [
      'a list in place of a constraint',
      () => generateAll(gpt(), [1], { allow: [1, 2] as never }),
      'generate: allow is of the type object: it must be a function, as oneOfTexts and textConstraint make them.',
    ],
    [
      'a constraint that forgets its answer',
      () => generateAll(gpt(), [1], { allow: (() => undefined) as never }),
      'generate: allow gave undefined without a length: it must give true or false for each of 11 tokens, or null where all may come.',
    ],
    [
      'a mask of other tokens',
      () => beamSearch(gpt(), [1], { tokenizer: characterTokenizer(['abc']), allow: () => new Uint8Array(5) }),
      'beamSearch: allow gave a mask of 5 tokens: it must give true or false for each of 11 or 3 tokens, or null where all may come.',
    ],
    [
      'a length penalty that is none',
      () => beamSearch(gpt(), [1], { lengthPenalty: Number.NaN }),
      'beamSearch: lengthPenalty is NaN: it must be a number.',
    ],
    [
      'more results than beams',
      () => beamSearch(gpt(), [1], { results: 5 }),
      'beamSearch: 5 results need as many beams, there are 4.',
    ],
  ])('refuses %s', async (_, call, message) => {
    await expect(call()).rejects.toThrow(message);
  });
});

/** The chances by sorting all, as the rules say it. */
function sortedChances(scores: readonly number[], { temperature = 1, topK = 1e9, topP = 1, minP = 0 }: ChoiceOptions) {
  const sorted = scores
    .map((score, id) => ({ id, score }))
    .sort((a, b) => b.score - a.score || a.id - b.id)
    .slice(0, temperature === 0 ? 1 : topK)
    .filter(({ score }) => score > Number.NEGATIVE_INFINITY)
    .map(({ id, score }) => ({ id, weight: Math.exp((score - Math.max(...scores)) / (temperature || 1)) }));
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  const kept: typeof sorted = [];
  let share = 0;
  for (const each of sorted) {
    const isEnough = topP < 1 && share >= topP * total;
    if (kept.length > 0 && (each.weight < minP || isEnough || each.weight === 0)) break;
    kept.push(each);
    share += each.weight;
  }
  return kept.map(({ id, weight }) => ({ id, probability: weight / share }));
}

describe('texts that are bytes', () => {
  /** Letters beyond ASCII are two to four tokens each; ' Ã' is a space and the first byte of an é. */
  const bytes = async () => {
    const trained = await trainBpe(['the cat sat on the mat', 'an é, one é, no é'], {
      size: 275,
      special: { end: '$' },
    });
    return {
      tokenizer: trained,
      model: new GPT2({ vocabularySize: trained.size, contextLength: 64, dimension: 8, layers: 1, heads: 2 }),
    };
  };

  test('are said whole, also where a character is several tokens or a token ends inside of one', async () => {
    const { tokenizer, model } = await bytes();
    expect(tokenizer.tokenize(' é').length).toBeLessThan(3);
    const texts = [' é', 'né', '日本', '日曜', '🙂!', 'the'];
    const said = new Set<string>();
    for (let seed = 0; seed < 6; seed++) {
      const allow = oneOfTexts(tokenizer, texts);
      const [row] = await generateAll(model, 'the', { tokenizer, allow, seed, maxTokens: 20 });
      expect(texts).toContain(row!.text);
      expect(row!.finish).toBe('end');
      said.add(row!.text);
    }
    expect(said.size).toBeGreaterThan(2);
    const [found] = await beamSearch(model, 'the', {
      tokenizer,
      allow: oneOfTexts(tokenizer, texts),
      beams: 4,
      results: 4,
    });
    for (const { text } of found!) expect(texts).toContain(text);
  });

  test('follow a rule over characters, and are never half of one', async () => {
    const { tokenizer, model } = await bytes();
    const seen: string[] = [];
    const three = textConstraint(tokenizer, (text) => {
      seen.push(text);
      const letters = [...text].length;
      return letters > 3 ? 'wrong' : letters < 3 || text.endsWith('\ufffd') ? 'begun' : 'ended';
    });
    for (let seed = 0; seed < 4; seed++) {
      const [row] = await generateAll(model, 'the', { tokenizer, allow: three, seed, maxTokens: 20 });
      expect([row!.finish, [...row!.text].length]).toEqual(['end', 3]);
      expect(row!.text).not.toContain('\ufffd');
    }
    // a character that is begun is told as such, at the end
    expect(seen.some((text) => text.endsWith('\ufffd'))).toBe(true);
    expect(seen.every((text) => !text.slice(0, -1).includes('\ufffd'))).toBe(true);
    const ascii = textConstraint(tokenizer, (text) =>
      /^[a-z]*$/.test(text) ? (text.length > 4 ? 'ended' : 'begun') : 'wrong',
    );
    const [row] = await generateAll(model, 'the', { tokenizer, allow: ascii, seed: 1 });
    expect(row!.text).toMatch(/^[a-z]{5,}$/);
  });
});

test('what the tokenizer has no text for is never said, and text stays in one piece', async () => {
  // a vocabulary that is padded to a multiple, as many are
  const model = new GPT2({ vocabularySize: 64, contextLength: 40, dimension: 16, layers: 1, heads: 2 });
  const options = { tokenizer: letters, maxTokens: 30, seed: 4, endId: null } as const;
  const [row] = await generateAll(model, 'abc', options);
  expect(row!.ids.every((id) => id < letters.size)).toBe(true);
  expect(row!.text).toBe(letters.decode(row!.ids));
  const allow = oneOfTexts(letters, ['abba']);
  expect((await generateAll(model, 'abc', { tokenizer: letters, allow }))[0]!.text).toBe('abba');
  const [found] = await beamSearch(model, 'abc', { tokenizer: letters, maxTokens: 5, endId: null });
  expect(found![0].ids.every((id) => id < letters.size)).toBe(true);
});

describe('the choice of a token', () => {
  const scores = [1, 3, 2, 3, -1];

  test('has the chances of the softmax, cut as topK, topP and minP say', () => {
    const weights = scores.map((score) => Math.exp(score / 0.7));
    const total = weights.reduce((a, b) => a + b, 0);
    const all = tokenChances(scores, { temperature: 0.7 });
    expect(all.map(({ id }) => id)).toEqual([1, 3, 2, 0, 4]);
    for (const { id, probability } of all) expect(probability).toBeCloseTo(weights[id]! / total, 12);
    expect(tokenChances(scores, { topK: 3 }).map(({ id }) => id)).toEqual([1, 3, 2]);
    // softmax: 0.39, 0.39, 0.14, 0.05, 0.007
    expect(tokenChances(scores, { topP: 0.7 }).map(({ id }) => id)).toEqual([1, 3]);
    expect(tokenChances(scores, { topP: 0.8 }).map(({ id }) => id)).toEqual([1, 3, 2]);
    expect(tokenChances(scores, { minP: 0.3 }).map(({ id }) => id)).toEqual([1, 3, 2]);
    expect(tokenChances(scores, { temperature: 0 })).toEqual([{ id: 1, probability: 1 }]);
  });

  test('takes penalties off what came', () => {
    const past = { prompt: [0], generated: [1, 1, 4] };
    const of = (options: object): number[] => Array.from(adjusted(Float32Array.from(scores), options, past, null));
    expect(of({ repetitionPenalty: 2 })).toEqual([0.5, 1.5, 2, 3, -2]);
    expect(of({ presencePenalty: 0.5, frequencyPenalty: 0.25 })).toEqual([1, 2, 2, 3, -1.75]);
    expect(Array.from(adjusted(Float32Array.of(1, 2), {}, past, [0, 1]))).toEqual([Number.NEGATIVE_INFINITY, 2]);
  });

  test('finds the largest, few or many, as sorting does', () => {
    const values = Float32Array.from({ length: 200 }, (_, i) => ((i * 7919) % 101) / 7);
    const sorted = Array.from(values, (_, id) => id).sort((a, b) => values[b]! - values[a]! || a - b);
    for (const count of [1, 5, 64, 65, 130, 200]) expect(largest(values, count)).toEqual(sorted.slice(0, count));
  });

  test('finds the fewest that weigh enough, in any order of scores', () => {
    const orders: Record<string, (i: number) => number> = {
      'all equal': () => 1,
      rising: (i) => i / 300,
      falling: (i) => -i / 300,
      'up and down': (i) => Math.min(i, 300 - i) / 100,
      'few values': (i) => (i * 7919) % 3,
      'one above': (i) => (i === 150 ? 9 : 0),
    };
    for (const [name, order] of Object.entries(orders)) {
      const scores = Float64Array.from({ length: 300 }, (_, i) => order(i));
      const weights = scores.map(Math.exp);
      const sorted = Array.from(scores, (_, id) => id).sort((a, b) => scores[b]! - scores[a]! || a - b);
      let before = 0;
      for (const [place, id] of sorted.entries()) {
        // half of the weight of this one is needed
        const target = before + weights[id]! / 2;
        before += weights[id]!;
        const ids = Int32Array.from(scores, (_, at) => at);
        const found = heaviest(ids, scores, weights, (weight) => weight > target);
        expect([name, found.count, ids[place]]).toEqual([name, place + 1, id]);
        expect(found.weight / before).toBeCloseTo(1, 10);
        expect(new Set(ids.subarray(0, found.count))).toEqual(new Set(sorted.slice(0, place + 1)));
      }
    }
  });

  test('takes the token that a walk down the sorted chances takes, for each way to cut them', () => {
    const score = fc.oneof(
      fc.double({ min: -9, max: 9, noNaN: true }),
      fc.constantFrom(0, 1, 2, Number.NEGATIVE_INFINITY),
    );
    const options: fc.Arbitrary<ChoiceOptions> = fc.record(
      {
        temperature: fc.constantFrom(0, 0.3, 1, 2),
        topK: fc.integer({ min: 1, max: 200 }),
        // not so near to 1 that rounding decides
        topP: fc.oneof(fc.constant(1), fc.double({ min: 0.05, max: 0.999, noNaN: true })),
        minP: fc.constantFrom(0, 0.01, 0.4),
      },
      { requiredKeys: [] },
    );
    const random = fc.integer({ min: 0, max: 2 ** 24 - 1 }).map((steps) => steps * 2 ** -24);
    fc.assert(
      fc.property(fc.array(score, { minLength: 1, maxLength: 150 }), options, random, (scores, cuts, at) => {
        const chances = tokenChances(scores, cuts);
        const reference = sortedChances(scores, cuts);
        expect(chances.map(({ id }) => id)).toEqual(reference.map(({ id }) => id));
        for (const [i, { probability }] of chances.entries())
          expect(probability).toBeCloseTo(reference[i]!.probability, 12);
        const taken = new TokenChoice(cuts, scores.length).token(scores, { prompt: [], generated: [] }, null, at);
        if (chances.length === 0) {
          expect(taken).toBe(-1);
          return;
        }
        const place = chances.findIndex(({ id }) => id === taken);
        const below = reference.slice(0, place).reduce((sum, { probability }) => sum + probability, 0);
        // within what sums in another order differ by
        expect(at).toBeGreaterThan(below - 1e-12);
        expect(at).toBeLessThan(below + reference[place]!.probability + 1e-12);
      }),
      { numRuns: 400 },
    );
  });

  test('refuses scores that are no numbers', async () => {
    expect(() => tokenChances([1, Number.NaN])).toThrow(
      'tokenChances: score 1 is NaN: scores are numbers, or -Infinity for what may not come.',
    );
    expect(tokenChances([Number.NEGATIVE_INFINITY])).toEqual([]);
    const model = gpt();
    const { weight } = model.tokens;
    weight.assign(weight.mul(Number.NaN));
    const message =
      "the model's scores of row 0 at step 0 are no finite numbers: look for NaN or infinity in its weights.";
    await expect(generateAll(model, [1], { topK: 3 })).rejects.toThrow(`generate: ${message}`);
    await expect(beamSearch(model, [1])).rejects.toThrow(`beamSearch: ${message}`);
  });

  test('draws each token as often as its chance', async () => {
    const model = gpt();
    const counts = new Map<number, number>();
    const rows = await generateAll(model, new Array(400).fill([1]), { maxTokens: 1, seed: 11, endId: null, topK: 2 });
    for (const { ids } of rows) counts.set(ids[0]!, (counts.get(ids[0]!) ?? 0) + 1);
    const last = await evaluate(() => model.forward(tensor([[1]])).at(0, -1)).data();
    for (const { id, probability } of tokenChances(last, { topK: 2 })) {
      // four standard deviations of 400 draws
      expect(Math.abs((counts.get(id) ?? 0) / 400 - probability)).toBeLessThan(
        4 * Math.sqrt((probability * (1 - probability)) / 400),
      );
    }
  });
});

test('text comes when it is sure: whole characters, no beginning of a stop string', () => {
  const bytes = characterTokenizer(['xyz\n']);
  const stream = new TextStream(bytes, ['\nx'], []);
  const push = (text: string): string => stream.push(bytes.encode(text)[0]!).text;
  expect(['x', '\n', 'y', '\n'].map(push)).toEqual(['x', '', '\ny', '']);
  expect(stream.push(bytes.encode('x')[0]!)).toEqual({ text: '', isStopped: true });
});

test('long text comes in pieces that are the whole together, and costs the same at its end as at its beginning', async () => {
  const lines = Array.from({ length: 60 }, (_, i) => `the ${i}th cat, isn't it? naïve 日本 🙂 don't . ! ☃`);
  const special = { unknown: '<unk>', padding: '<pad>' };
  const tokenizers = [
    await trainBpe(lines.slice(0, 2), { size: 270 }),
    await trainWordPiece(lines, { size: 120 }),
    await trainUnigram(lines, { size: 90 }),
    wordTokenizer(lines, { special }),
    characterTokenizer(lines),
  ];
  for (const tokenizer of tokenizers) {
    const ids = tokenizer.encode(lines.join(' '), { special: false });
    const decode = vi.spyOn(tokenizer, 'decode');
    const stream = new TextStream(tokenizer, ['never said', ' 日本 never'], []);
    const said = ids.map((id) => stream.push(id).text).join('') + stream.rest();
    const longest = Math.max(...decode.mock.calls.map(([given]) => [...given].length));
    decode.mockRestore();
    expect(said).toBe(tokenizer.decode(ids));
    expect(ids.length).toBeGreaterThan(500);
    expect([tokenizer.model.kind, longest < 100]).toEqual([tokenizer.model.kind, true]);
  }
});

describe('beamSearch', () => {
  /** All sequences of up to `most` tokens with their log-probabilities. */
  async function exhaustive(model: Marian, source: number[], most: number): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    let open: { ids: number[]; total: number }[] = [{ ids: [], total: 0 }];
    for (let length = 0; length < most; length++) {
      const rows = open.map(({ ids }) => [model.startId, ...ids]);
      const logits = evaluate(() =>
        model
          .forward(tensor(rows.map(() => source)), tensor(rows))
          .at([], -1)
          .logSoftmax(-1),
      );
      const scores = await logits.array(2);
      const next: typeof open = [];
      for (const [n, { ids, total }] of open.entries()) {
        for (const [id, score] of scores[n]!.entries()) {
          if (id === model.endId) found.set(ids.join(), total + score);
          else next.push({ ids: [...ids, id], total: total + score });
        }
      }
      open = next;
    }
    for (const { ids, total } of open) found.set(ids.join(), total);
    return found;
  }

  test('with enough beams finds the best of all sequences', async () => {
    const model = new Marian({
      vocabularySize: 4,
      dimension: 8,
      encoderLayers: 1,
      decoderLayers: 1,
      heads: 2,
      startDeviation: 0.6,
      dropout: 0,
    });
    const all = await exhaustive(model, [1, 2, 0], 3);
    for (const lengthPenalty of [0, 1, 2]) {
      const scored = [...all].map(([key, total]) => {
        const tokens = key === '' ? 0 : key.split(',').length;
        return { key, score: total / Math.min(3, tokens + 1) ** lengthPenalty };
      });
      scored.sort((a, b) => b.score - a.score);
      const [found] = await beamSearch(model, [[1, 2, 0]], { beams: 40, results: 3, maxTokens: 3, lengthPenalty });
      expect(found!.map(({ ids }) => ids.join())).toEqual(scored.slice(0, 3).map(({ key }) => key));
      for (const [i, { score }] of found!.entries()) expect(score).toBeCloseTo(scored[i]!.score, 4);
    }
  });

  test('with one beam is greedy, with more no worse, with and without the cache', async () => {
    const model = marian();
    const sources = [
      [3, 4, 5, 0],
      [6, 0],
    ];
    const options = { maxTokens: 7, lengthPenalty: 0, endId: null } as const;
    const greedy = await generateAll(model, sources, { maxTokens: 7, temperature: 0, endId: null });
    const one = await beamSearch(model, sources, { ...options, beams: 1 });
    expect(one.map(([best]) => best.ids)).toEqual(greedy.map(({ ids }) => ids));
    const four = await beamSearch(model, sources, { ...options, beams: 4 });
    const plain = await beamSearch(model, sources, { ...options, beams: 4, cache: false });
    for (const [n, [best]] of four.entries()) {
      expect(best.logProbability).toBeGreaterThan(one[n]![0].logProbability - 1e-4);
      expect(plain[n]![0].ids).toEqual(best.ids);
    }
  });

  test('goes on with decoders and recurrent models, and says only what is allowed', async () => {
    const [found] = await beamSearch(gpt(), [1, 2], {
      tokenizer: letters,
      allow: oneOfTexts(letters, ['abba', 'abc']),
      results: 2,
    });
    expect(found!.map(({ text }) => text).sort()).toEqual(['abba', 'abc']);
    const lstm = new AttentionLSTM({ sourceVocabularySize: 11, embedding: 6, hidden: 8 });
    const [searched] = await beamSearch(lstm, [[1, 2, 3]], { beams: 3, maxTokens: 4, endId: null, lengthPenalty: 0 });
    const [greedy] = await generateAll(lstm, [[1, 2, 3]], { temperature: 0, maxTokens: 4, endId: null });
    expect(searched![0].logProbability).toBeGreaterThan(greedy!.logProbability - 1e-4);
  });
});
