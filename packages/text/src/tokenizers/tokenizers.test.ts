import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import fixture from '../../fixtures/tokenizers.json' with { type: 'json' };
import { huggingFace } from '../hugging-face/index.ts';
import {
  characterTokenizer,
  loadTokenizer,
  type Tokenizer,
  trainBpe,
  trainUnigram,
  trainWordPiece,
  wordTokenizer,
} from '../index.ts';
import { bertWords, gpt2Words, META_SPACE, metaWords } from './split.ts';
import { UnigramModel } from './unigram.ts';

beforeAll(() => setDefaultBackend(cpu()));

const { lines } = fixture;
const unicode = fc.string({ unit: 'binary', maxLength: 60 });
const mixed = fc.oneof(unicode, fc.string({ unit: 'grapheme', maxLength: 60 }), fc.constantFrom(...lines));
/** Without halves of surrogates. */
const wellFormed = (text: string): string => new TextDecoder().decode(new TextEncoder().encode(text));
const bertTokens = { padding: '[PAD]', unknown: '[UNK]', begin: '[CLS]', separator: '[SEP]', mask: '[MASK]' };

describe('trainers', () => {
  test('BPE learns the merges that counting anew after each merge gives', async () => {
    const tokenizer = await trainBpe(lines, { size: 556 });
    expect(tokenizer.model.tokens).toEqual(fixture.bpe.tokens);
    expect(tokenizer.model.json().model).toMatchObject({ merges: fixture.bpe.merges });
  });

  test('WordPiece learns the pieces that counting anew after each merge gives', async () => {
    const tokenizer = await trainWordPiece(lines, { size: fixture.wordPiece.tokens.length });
    expect(tokenizer.model.tokens).toEqual(fixture.wordPiece.tokens);
  });

  test('the unigram model needs at most 3 % more tokens than that of SentencePiece', async () => {
    const tokenizer = await trainUnigram(lines, { size: 600 });
    const count = lines.reduce((sum, line) => sum + tokenizer.encode(line).length, 0);
    expect(tokenizer.size).toBe(600);
    expect(count).toBeLessThan(1.03 * fixture.unigram.tokensOfLines);
    expect(count).toBeGreaterThan(0.85 * fixture.unigram.tokensOfLines);
  });

  test('train the same from texts in one piece, in many, and as they come', async () => {
    const whole = await trainBpe([lines.join('\n')], { size: 400 });
    const apart = await trainBpe(
      lines.map((line, i) => (i === 0 ? line : `\n${line}`)),
      { size: 400 },
    );
    async function* come() {
      yield* lines.map((line, i) => (i === 0 ? line : `\n${line}`));
    }
    expect(apart.model.tokens).toEqual(whole.model.tokens);
    expect((await trainBpe(come(), { size: 400 })).model.tokens).toEqual(whole.model.tokens);
  });

  test('stop with the reason of the signal', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(trainBpe(lines, { signal: aborted })).rejects.toThrow('enough');
    await expect(trainUnigram(lines, { signal: aborted })).rejects.toThrow('enough');
  });

  test('refuse what they cannot learn from', async () => {
    await expect(trainBpe('one text')).rejects.toThrow(
      'trainBpe: takes many texts, got one: put it into a list, [text].',
    );
    await expect(trainBpe([])).rejects.toThrow('trainBpe: the texts have no words to learn from.');
    await expect(trainBpe(lines, { size: 100 })).rejects.toThrow(
      'trainBpe: size is 100: 256 tokens are needed for the special tokens and bytes alone.',
    );
    await expect(trainUnigram(['abc'], { size: 3 })).rejects.toThrow(
      'trainUnigram: size is 3: 5 tokens are needed for the special tokens and characters of the texts alone.',
    );
    expect(() => characterTokenizer('text')).toThrow(
      'characterTokenizer: takes many texts, got one: put it into a list, [text].',
    );
    expect(() => characterTokenizer([3 as never])).toThrow('characterTokenizer: takes texts, got number.');
    expect(() => wordTokenizer(['  '])).toThrow('wordTokenizer: the texts have no word to learn from.');
    expect(() => characterTokenizer(['a'], { special: { padding: '' } })).toThrow(
      'characterTokenizer: a special token is empty: it must have a character.',
    );
  });
});

describe('the unigram model cuts as SentencePiece', () => {
  const model = new UnigramModel(fixture.unigram.pieces as [string, number][], 0);
  test.each(fixture.unigram.samples)('$text', ({ text, pieces }) => {
    const ids: number[] = [];
    model.encode(text, ids, () => {});
    // SentencePiece gives unknown pieces back as they are written
    const right = pieces.map((piece) => (model.tokens.includes(piece) ? piece : '<unk>'));
    expect(ids.map((id) => model.tokens[id])).toEqual(right);
  });
});

test('words of BERT are those of its pattern', () => {
  const pattern = /[\p{P}!-/:-@[-`{-~]|[^\s\p{P}!-/:-@[-`{-~]+/gu;
  const signs = [...'ab9 \t\n.,$+\'"_-(«»。、—é日本🙂\u00a0\u3000\ud83d\u0301☃'];
  const hard = fc.array(fc.constantFrom(...signs), { maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(hard, mixed), (text) => {
      expect(bertWords(text)).toEqual(text.match(pattern) ?? []);
    }),
    { numRuns: 300 },
  );
});

test('words of GPT-2 are those of its pattern', () => {
  const pattern = /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
  const spaced = fc.stringMatching(/^[ \t\n'a-zA-Z0-9.,é\u00a0²日]{0,40}$/u);
  fc.assert(
    fc.property(fc.oneof(mixed, spaced), (text) => {
      expect(gpt2Words(text)).toEqual(text.match(pattern) ?? []);
    }),
    { numRuns: 2000 },
  );
});

test('words of SentencePiece are those of its patterns', () => {
  const signs = [
    ...'ab\u2581 \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeffé\uff21🙂\ud83d',
  ];
  const hard = fc.array(fc.constantFrom(...signs), { maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(hard, mixed), (text) => {
      const marked = text
        .normalize('NFKC')
        .replace(/\p{White_Space}+/gu, ' ')
        .replaceAll(' ', META_SPACE);
      const whole = text === '' || marked.startsWith(META_SPACE) ? marked : META_SPACE + marked;
      expect(metaWords(text).map((word) => META_SPACE + word)).toEqual(whole.match(/\u2581[^\u2581]*/g) ?? []);
    }),
    { numRuns: 1000 },
  );
});

describe('round trips', () => {
  test('byte-level BPE gives any text back', async () => {
    const tokenizer = await trainBpe(lines, { size: 400, special: { end: '<|end|>' } });
    fc.assert(
      fc.property(mixed, (text) => {
        // halves of surrogates have no UTF-8
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(wellFormed(text));
      }),
      { numRuns: 500 },
    );
    const long = 'ab'.repeat(5000);
    expect(tokenizer.decode(tokenizer.encode(long))).toBe(long);
  });

  test('characters give any text back that is in the vocabulary', () => {
    fc.assert(
      fc.property(
        mixed.filter((text) => text !== ''),
        (text) => {
          const tokenizer = characterTokenizer([text]);
          expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
        },
      ),
    );
  });

  test('long words merge as short ones do', async () => {
    const tokenizer = await trainBpe(['abababab cababa baba'], { size: 262, minimumCount: 1 });
    const word = 'abc'.repeat(15);
    const long = tokenizer.tokenize(word.repeat(2));
    expect(long.slice(0, 10)).toEqual(tokenizer.tokenize(word).slice(0, 10));
    expect(long.join('')).toBe(word.repeat(2));
  });
});

describe('tokenizer.json', () => {
  test.each<readonly [string, () => Promise<Tokenizer>]>([
    ['BPE', () => trainBpe(lines, { size: 500, special: { begin: '<s>', end: '</s>', padding: '<pad>' } })],
    ['BPE with a space in front', () => trainBpe(lines, { size: 300, addPrefixSpace: true })],
    ['WordPiece', () => trainWordPiece(lines, { size: 400 })],
    ['WordPiece of both cases', () => trainWordPiece(lines, { size: 400, lowercase: false })],
    ['Unigram', () => trainUnigram(lines, { size: 400, special: { begin: '<s>', end: '</s>', unknown: '<unk>' } })],
  ])('of %s gives the same ids and texts through our code and through @huggingface/tokenizers', async (_, train) => {
    const trained = await train();
    const json: object = JSON.parse(JSON.stringify(trained));
    const own = await loadTokenizer(json, { engine: 'own' });
    const theirs = await loadTokenizer(json, { library: huggingFace, engine: 'library' });
    fc.assert(
      fc.property(mixed, (given) => {
        // the library looks at halves of surrogates, so it does not see these Chinese characters
        const text = wellFormed(given).replace(/[\ufffd\u{20000}-\u{2fa1f}]/gu, '');
        const ids = trained.encode(text);
        expect(own.encode(text)).toEqual(ids);
        expect(theirs.encode(text)).toEqual(ids);
        expect(own.decode(ids)).toBe(theirs.decode(ids));
      }),
      { numRuns: 300 },
    );
    // white space to Unicode and not to JavaScript, and the other way round
    for (const text of ['so\u0085what', 'so \u0085\u0085', 'so\ufeffwhat', '\0\ufeff']) {
      expect(theirs.encode(text)).toEqual(trained.encode(text));
    }
    expect(own.ids).toEqual(trained.ids);
    expect(own.encode(['so', 'what'])).toEqual(trained.encode(['so', 'what']));
    expect(JSON.parse(JSON.stringify(own))).toMatchObject({ model: JSON.parse(JSON.stringify(trained)).model });
  });

  test.each<readonly [string, () => Tokenizer]>([
    ['characters', () => characterTokenizer(lines, { special: { unknown: '?', end: '\u0003' } })],
    ['words', () => wordTokenizer(lines, { size: 200, lowercase: true, special: { unknown: '<unk>' } })],
  ])('of %s comes back', async (_, make) => {
    const made = make();
    const loaded = await loadTokenizer(JSON.parse(JSON.stringify(made)));
    for (const line of lines.slice(0, 10)) expect(loaded.encode(line)).toEqual(made.encode(line));
    expect(loaded.decode(loaded.encode('to be'))).toBe(made.decode(made.encode('to be')));
  });

  test('reads roles from the configuration, from the template, and by usual names', async () => {
    const json = JSON.parse(JSON.stringify(await trainWordPiece(lines, { size: 300 })));
    expect((await loadTokenizer(json)).ids).toEqual({
      padding: 0,
      unknown: 1,
      begin: 2,
      end: null,
      separator: 3,
      mask: 4,
    });
    const configuration = { pad_token: { content: '[MASK]' }, eos_token: '[SEP]' };
    expect((await loadTokenizer(json, { configuration })).ids).toMatchObject({ padding: 4, end: 3 });
  });

  test.each<readonly [string, (json: Record<string, unknown>) => unknown, string]>([
    [
      'no model',
      (json) => ({ ...json, model: undefined }),
      "loadTokenizer: the file has no 'model': it is no tokenizer.json.",
    ],
    [
      'no merges',
      (json) => ({ ...json, model: { ...(json.model as object), merges: 3 } }),
      "loadTokenizer: the model has no list of 'merges'.",
    ],
    [
      'a merge of three',
      (json) => ({ ...json, model: { ...(json.model as object), merges: ['a b c'] } }),
      "loadTokenizer: merge 0 of 'merges' is no pair of tokens.",
    ],
    [
      'a merge that the vocabulary lacks',
      (json) => ({ ...json, model: { ...(json.model as object), merges: ['z q'] } }),
      "Tokenizer: merge 0 joins 'z' and 'q', but the vocabulary lacks 'zq'.",
    ],
    [
      'an id that is none',
      (json) => ({ ...json, model: { type: 'BPE', vocab: { a: -1 }, merges: [] } }),
      "loadTokenizer: in 'vocab' the id of 'a' is -1: it must be a whole number from 0.",
    ],
    [
      'a score that is none',
      (json) => ({ ...json, model: { type: 'Unigram', vocab: [['a']] } }),
      "loadTokenizer: entry 0 of 'vocab' is no pair of a piece and its score.",
    ],
    [
      'a part that is none',
      (json) => ({ ...json, normalizer: 3 }),
      "loadTokenizer: 'normalizer' must be null, or an object with a type.",
    ],
    [
      'added tokens that are no list',
      (json) => ({ ...json, added_tokens: {} }),
      "loadTokenizer: 'added_tokens' must be a list.",
    ],
    [
      'an added token without an id',
      (json) => ({ ...json, added_tokens: [{ content: 'a' }] }),
      "loadTokenizer: entry 0 of 'added_tokens' has no id from 0 and content.",
    ],
    [
      'a place of the template that is none',
      (json) => ({ ...json, post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: 3 } }] } }),
      "loadTokenizer: in 'post_processor' place 0 of 'single' is {\"SpecialToken\":{\"id\":3}}: it must be a Sequence 'A' or 'B', or a SpecialToken, with its id and type_id.",
    ],
    [
      'a template that is no list',
      (json) => ({ ...json, post_processor: { type: 'TemplateProcessing', pair: 'x' } }),
      "loadTokenizer: in 'post_processor' 'pair' is \"x\": it must be a list.",
    ],
    [
      'a post-processor among others that is none',
      (json) => ({ ...json, post_processor: { type: 'Sequence', processors: [null] } }),
      "loadTokenizer: in 'post_processor' 'processors' has null where a post-processor should be.",
    ],
    [
      'two tokens of one id',
      (json) => ({ ...json, model: { type: 'BPE', vocab: { a: 0, b: 1, c: 1 }, merges: [] } }),
      "loadTokenizer: in 'vocab' 'b' and 'c' have the same id, 1.",
    ],
    [
      'an id far beyond the others',
      (json) => ({ ...json, model: { type: 'BPE', vocab: { a: 0, b: 8_000_000 }, merges: [] } }),
      'loadTokenizer: ids go up to 8000000, but there are only 2 tokens: an id is wrong.',
    ],
    [
      'a post-processor that is not known',
      (json) => ({ ...json, post_processor: { type: 'Other' } }),
      "loadTokenizer: 'Other' is not known: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequences of them are.",
    ],
    [
      'WordLevel of another kind',
      (json) => ({
        ...json,
        model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: '' },
        pre_tokenizer: { type: 'Digits' },
      }),
      'loadTokenizer: our own models do not know all parts of this file (model WordLevel, normalizer none, pre_tokenizer Digits, decoder ByteLevel)',
    ],
  ])('with %s names the part', async (_, damage, message) => {
    const json = JSON.parse(JSON.stringify(await trainBpe(lines, { size: 260 })));
    await expect(loadTokenizer(JSON.parse(JSON.stringify(damage(json))))).rejects.toThrow(message);
  });

  test('is read by its address, also as a URL', async () => {
    const json = JSON.stringify(characterTokenizer(['ab']));
    const asked = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(json));
    expect((await loadTokenizer(new URL('http://localhost/tokenizer.json'))).encode('ba')).toEqual([1, 0]);
    expect((await loadTokenizer('http://localhost/tokenizer.json')).size).toBe(2);
    expect(asked).toHaveBeenCalledTimes(2);
    asked.mockImplementation(async () => new Response('', { status: 404 }));
    await expect(loadTokenizer('http://localhost/tokenizer.json')).rejects.toThrow(
      'loadTokenizer: http://localhost/tokenizer.json cannot be read: status 404.',
    );
  });

  test('that is no JSON says so', async () => {
    await expect(loadTokenizer(new TextEncoder().encode('{"a":'))).rejects.toThrow(
      'loadTokenizer: the file is no JSON:',
    );
    await expect(loadTokenizer(Uint8Array.of(255, 254))).rejects.toThrow(
      'loadTokenizer: the file is no text in UTF-8.',
    );
    await expect(loadTokenizer(new TextEncoder().encode('[1]'))).rejects.toThrow(
      "loadTokenizer: the file holds no object: it begins with '[1]'.",
    );
  });

  test('that only the library knows goes through it, and our own code says that it does not', async () => {
    const json = JSON.parse(JSON.stringify(await trainBpe(lines, { size: 300 })));
    json.normalizer = { type: 'Lowercase' };
    const loaded = await loadTokenizer(json, { library: huggingFace });
    expect(loaded.decode(loaded.encode('The Cat'))).toBe('the cat');
    await expect(loadTokenizer(json)).rejects.toThrow(
      "loadTokenizer: our own models do not know all parts of this file (model BPE, normalizer Lowercase, pre_tokenizer ByteLevel, decoder ByteLevel): import { huggingFace } from '@nn/text/hugging-face' and give { library: huggingFace }.",
    );
    await expect(loadTokenizer(json, { engine: 'library' })).rejects.toThrow(
      "loadTokenizer: engine is library: it must be 'own', or 'library' where a library is given.",
    );
  });
});

describe('special tokens', () => {
  test('stand around texts and pairs, with their types', async () => {
    const tokenizer = await trainWordPiece(['a b c'], { size: 20, minimumCount: 1 });
    const of = (tokens: string): number[] => tokens.split(' ').map((token) => tokenizer.idOf(token) ?? -1);
    expect(tokenizer.encode('a b')).toEqual(of('[CLS] a b [SEP]'));
    expect(tokenizer.encode(['a b', 'c'])).toEqual(of('[CLS] a b [SEP] c [SEP]'));
    const { types, mask, lengths } = tokenizer.batch([['a b', 'c'], 'c']);
    expect(await types.array()).toEqual([
      [0, 0, 0, 0, 1, 1],
      [0, 0, 0, 0, 0, 0],
    ]);
    expect(await mask.array()).toEqual([
      [true, true, true, true, true, true],
      [true, true, true, false, false, false],
    ]);
    expect(await lengths.array()).toEqual([6, 3]);
  });

  test('may be a byte, a letter or a word of the texts', async () => {
    const options = { size: 300, minimumCount: 1, special: { unknown: '?', end: 't', more: ['the'] } };
    for (const train of [trainBpe, trainWordPiece]) {
      const tokenizer = await train(['the other? the tent'], options);
      const ids = tokenizer.encode('on the', { special: false });
      expect([train.name, tokenizer.tokenOf(ids.at(-1)!)]).toEqual([train.name, 'the']);
      expect(new Set(tokenizer.model.tokens).size).toBe(tokenizer.size);
    }
    const unigram = await trainUnigram(['the other? the tent'], { size: 20, special: options.special });
    expect(unigram.tokenOf(unigram.encode('on the', { special: false }).at(-1)!)).toBe('the');
  });

  test('are found inside of texts, and left out of what is decoded', async () => {
    const tokenizer = await trainBpe(lines, { size: 300, special: { end: '<|end|>', more: ['<|user|>'] } });
    const ids = tokenizer.encode('<|user|>so<|end|>', { special: false });
    expect(ids.map((id) => tokenizer.tokenOf(id))).toEqual(['<|user|>', ...tokenizer.tokenize('so'), '<|end|>']);
    expect(tokenizer.decode(ids)).toBe('so');
    expect(tokenizer.decode(ids, { special: true })).toBe('<|user|>so<|end|>');
  });

  test('that the vocabulary lacks, and ids that do not exist, are refused', async () => {
    const tokenizer = characterTokenizer(['ab']);
    expect(() => tokenizer.decode([5])).toThrow('Tokenizer: there is no token 5: ids go from 0 to 1.');
    await expect(loadTokenizer(JSON.parse(JSON.stringify(tokenizer)), { special: { end: '#' } })).rejects.toThrow(
      "Tokenizer: the special token '#' is not in the vocabulary.",
    );
    expect(() => tokenizer.encode(3 as never)).toThrow('Tokenizer: takes a text or a pair of texts, got number.');
  });
});

describe('batches', () => {
  const tokenizer = characterTokenizer(['abcdefgh'], { special: bertTokens });
  const rowsOf = async (texts: Parameters<Tokenizer['batch']>[0], options: Parameters<Tokenizer['batch']>[1]) => {
    const { ids, cut } = tokenizer.batch(texts, options);
    const rows = await ids.array(2);
    return [rows.map((row) => row.map((id) => tokenizer.tokenOf(id).at(id < 5 ? 1 : 0)).join('')), cut];
  };

  test('pad on either side, to multiples, and to a fixed length', async () => {
    expect(await rowsOf(['abc', 'd'], {})).toEqual([
      ['CabcS', 'CdSPP'],
      [0, 0],
    ]);
    expect(await rowsOf(['abc', 'd'], { padding: 'left' })).toEqual([
      ['CabcS', 'PPCdS'],
      [0, 0],
    ]);
    expect(await rowsOf(['abc'], { multipleOf: 4 })).toEqual([['CabcSPPP'], [0]]);
    expect(await rowsOf(['a'], { maxLength: 5, fixed: true })).toEqual([['CaSPP'], [0]]);
    expect(await rowsOf(['abc'], { maxLength: 6, multipleOf: 4 })).toEqual([['CabcSP'], [0]]);
    expect(await rowsOf(['abc'], { special: false })).toEqual([['abc'], [0]]);
  });

  test('cut what is too long, of pairs the longer text first', async () => {
    expect(await rowsOf(['abcdef', 'ab'], { maxLength: 5 })).toEqual([
      ['CabcS', 'CabSP'],
      [3, 0],
    ]);
    expect(await rowsOf(['abcdef'], { maxLength: 5, keep: 'end' })).toEqual([['CdefS'], [3]]);
    expect(await rowsOf([['abcdef', 'gh']], { maxLength: 8 })).toEqual([['CabcSghS'], [3]]);
    expect(await rowsOf([['ab', 'cdefgh']], { maxLength: 8 })).toEqual([['CabScdeS'], [3]]);
    expect(await rowsOf([['abcde', 'fgh']], { maxLength: 6 })).toEqual([['CabSfS'], [5]]);
  });

  test('count what is unknown', () => {
    expect(tokenizer.batch(['axb', 'xyz']).unknown).toEqual(
      new Map([
        ['x', 2],
        ['y', 1],
        ['z', 1],
      ]),
    );
  });

  test('refuse what cannot be', () => {
    expect(() => tokenizer.batch(['a'], { maxLength: 2 })).toThrow(
      'Tokenizer.batch: maxLength is 2, but 2 special tokens leave no room for text.',
    );
    expect(() => tokenizer.batch([])).toThrow('Tokenizer.batch: needs at least one text.');
    expect(() => tokenizer.batch(['a'], { maxLength: 1.5 })).toThrow(
      'Tokenizer.batch: maxLength is 1.5: it must be a whole number of at least 1.',
    );
    expect(() => tokenizer.batch(['a'], { fixed: true })).toThrow(
      'Tokenizer.batch: fixed needs a maxLength to pad to.',
    );
    expect(() => tokenizer.batch(['a'], { padding: 'top' as never })).toThrow(
      "Tokenizer.batch: padding is top: it must be 'right' or 'left'.",
    );
    expect(() => characterTokenizer(['ab']).batch(['a', 'ab'])).toThrow(
      'Tokenizer.batch: rows of unequal length need a padding token: give one as special.padding.',
    );
  });
});
