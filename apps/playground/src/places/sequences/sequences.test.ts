import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { chancesOf, drawFrom } from './steering.ts';
import { makeText } from './texts.ts';
import { Transformer } from './transformer.ts';
import { TextLearner } from './writer.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('steering', () => {
  const logits = Float32Array.of(1, 3, 2, -1);
  test('a temperature divides the logits, top k leaves the largest, 0 of it all', () => {
    const weights = [Math.exp(-4), 1, Math.exp(-2), Math.exp(-8)]; // exp((z - 3) / 0.5)
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const bent = chancesOf(logits, { temperature: 0.5, topK: 0 });
    expect(bent.map(({ id }) => id)).toEqual([1, 2, 0, 3]);
    for (const { id, probability } of bent) expect(probability).toBeCloseTo((weights[id] as number) / total, 6);
    const two = chancesOf(logits, { temperature: 1, topK: 2 });
    expect(two.map(({ id }) => id)).toEqual([1, 2]);
    expect(two[0]?.probability).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
    expect(chancesOf(logits, { temperature: 0, topK: 0 })).toEqual([{ id: 1, probability: 1 }]);
  });
  test('a number draws the one at which the sum passes it', () => {
    const chances = [
      { id: 7, probability: 0.75 },
      { id: 2, probability: 0.25 },
    ];
    expect([0, 0.74, 0.76, 1].map((number) => drawFrom(chances, number))).toEqual([7, 7, 2, 2]);
  });
  test('where training diverged nothing comes', () => {
    const none = chancesOf(Float32Array.of(1, Number.NaN), { temperature: 1, topK: 0 });
    expect([none, drawFrom(none, 0.5)]).toEqual([[], undefined]);
  });
});

describe('made texts', () => {
  test('are the same for the same seed, and follow their rules', () => {
    expect(makeText('sentences', 'en', 500, 3)).toBe(makeText('sentences', 'en', 500, 3));
    expect(makeText('sentences', 'zh', 300, 1)).toMatch(/^([^。]{6,30}。)+$/);
    for (const group of makeText('repeats', 'en', 900, 1).split('. ')) {
      expect(new Set(group.replace('.', '').split(' ')).size).toBe(1);
    }
    const open: string[] = [];
    const partners: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
    for (const mark of makeText('brackets', 'en', 2000, 1)) {
      if ('([{'.includes(mark)) open.push(mark);
      else if (mark === ' ') expect(open).toEqual([]);
      else expect(open.pop()).toBe(partners[mark]);
    }
  });
});

test('nothing looks ahead: what comes later changes neither logits nor attention before it', async () => {
  const model = new Transformer(10, 16, 2, 2);
  const ids = [3, 1, 4, 1, 5, 9, 2, 6];
  const changed = [...ids.slice(0, 5), 0, 0, 0];
  const [one, other] = await Promise.all(
    [ids, changed].map(async (list) => {
      const seen: ReturnType<typeof tensor>[] = [];
      const logits = model.forward(tensor(Int32Array.from(list), { shape: [1, 8] }), seen);
      return { logits: await logits.data('float32'), attention: await seen[1]?.data('float32') };
    }),
  );
  expect(Array.from(one?.logits.slice(0, 50) ?? [])).toEqual(Array.from(other?.logits.slice(0, 50) ?? [1]));
  expect(Array.from(one?.logits.slice(50) ?? [])).not.toEqual(Array.from(other?.logits.slice(50) ?? []));
  for (let row = 0; row < 8; row++) {
    const look = Array.from(one?.attention?.slice(row * 8, row * 8 + 8) ?? []);
    expect(look.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    expect(look.slice(row + 1).every((share) => share === 0)).toBe(true);
  }
});

describe('a text', () => {
  const settings = { width: 16, layers: 1, heads: 2, learningRate: 1e-2, seed: 1 };
  test('is learned, gone on with by its own characters, and looked at', async () => {
    const learner = new TextLearner({ ...settings, text: 'abcd '.repeat(200) }, 1);
    expect(learner.facts).toMatchObject({ characters: 1000, vocabulary: [' ', 'a', 'b', 'c', 'd'] });
    for (let step = 0; step < 60; step++) await learner.turn();
    expect(learner.look().testLoss).toBeLessThan(0.3);
    expect(await learner.write('abc', 12, { temperature: 0, topK: 0 }, 1)).toBe('d abcd abcd ');
    const { characters, logits, attention } = await learner.inspect('cd a');
    expect([characters.join(''), logits.indexOf(Math.max(...logits)), attention.length]).toEqual(['cd a', 2, 2 * 16]);
  });
  test('that is too short is refused, in whole characters', () => {
    expect(() => new TextLearner({ ...settings, text: '🙂'.repeat(100) }, 1)).toThrow(
      'The text has 100 characters: 192 or more are needed.',
    );
  });
  test('with more kinds of characters than the network takes keeps the most frequent', async () => {
    const rare = Array.from({ length: 600 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('');
    const learner = new TextLearner({ ...settings, text: 'ab'.repeat(300) + rare }, 1);
    expect(learner.facts.vocabulary).toHaveLength(400);
    expect(learner.facts.vocabulary.slice(0, 2)).toEqual(['a', 'b']);
    await learner.turn();
    expect(Number.isFinite(learner.look().trainLoss)).toBe(true);
  });
});
