/**
 * What a user does with @nn/text, as a module for pages, workers and Node: a tokenizer learned, saved and read, texts generated with
 * all that steers them, a grammar, an abort, a translation with beams and where it looked. Answers with what came of it.
 */
export const language: string = `import { setSeed, tensor } from '@nn/core';
import { beamSearch, generate, generateAll, GPT2, loadTokenizer, Marian, oneOfTexts, textConstraint, tokenChances, trainBpe, trainUnigram } from '@nn/text';
export async function language() {
  const texts = ['to be or not to be, that is the question', 'né à Paris'];
  const special = { padding: '<pad>', begin: '<s>', end: '</s>' };
  const saved = JSON.stringify(await trainBpe(texts, { size: 280, special }));
  const tokenizer = await loadTokenizer(new TextEncoder().encode(saved));
  const pieces = (await trainUnigram(texts, { size: 40 })).tokenize('to be');
  setSeed(7);
  const gpt = new GPT2({ vocabularySize: tokenizer.size, contextLength: 48, dimension: 16, layers: 2, heads: 2 });
  const steering = { tokenizer, maxTokens: 8, seed: 5, temperature: 0.8, topK: 200, topP: 0.95, minP: 0.01, endId: null };
  const [first, second] = await generateAll(gpt, ['to be', 'that is the question'], steering);
  const [plain] = await generateAll(gpt, ['to be', 'that is the question'], { ...steering, cache: false });
  let come = '';
  for await (const { row, text } of generate(gpt, ['to be'], steering)) come += text;
  const number = textConstraint(tokenizer, (text) => (/^[0-9]{3}$/.test(text) ? 'ended' : /^[0-9]*$/.test(text) ? 'begun' : 'wrong'));
  const [digits] = await generateAll(gpt, 'to be', { tokenizer, seed: 1, allow: number });
  const [word] = await generateAll(gpt, 'to be', { tokenizer, seed: 1, allow: oneOfTexts(tokenizer, ['né', 'ÿ', '日本']) });
  const controller = new AbortController();
  let [reason, count] = ['', 0];
  try {
    for await (const token of generate(gpt, 'to be', { ...steering, signal: controller.signal })) if (++count === 3) controller.abort(new Error('enough'));
  } catch (error) {
    reason = error.message;
  }
  const { padding, begin, end } = tokenizer.ids;
  const marian = new Marian({ vocabularySize: tokenizer.size, dimension: 16, encoderLayers: 1, decoderLayers: 1, heads: 2, contextLength: 32, startDeviation: 0.3, paddingId: padding, startId: begin, endId: end });
  const [[best]] = await beamSearch(marian, 'not to be', { tokenizer, beams: 3, maxTokens: 5 });
  const source = tensor([tokenizer.encode('not to be')], { dtype: 'int32' });
  const { weights } = marian.withWeights(source, tensor([[begin, ...best.ids]], { dtype: 'int32' }));
  const looked = await weights.at(-1).mean(1).sum(-1).array();
  const bars = tokenChances([2, 1, 0], { temperature: 0.5 }).map(({ probability }) => probability.toFixed(3));
  return { back: tokenizer.decode(tokenizer.encode('naïve ☃')), pieces, ids: [first.ids, second.ids], same: plain.ids.join() === first.ids.join(), come: come === first.text, digits: digits.text, word: word.text, reason, count, best: best.ids, looked: looked.flat().map((sum) => sum.toFixed(3)), bars };
}
`;
