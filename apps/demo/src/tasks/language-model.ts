/**
 * A GPT learns to write: once by characters, once by pieces of words, with samples on the way that become words. How much it has
 * understood is bits per character on text that it never read, beside a model that only counts.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { noGradient, setSeed, type Tensor, tensor } from '@nn/core';
import { DataLoader, Dataset } from '@nn/data';
import { crossEntropy } from '@nn/layers';
import { AdamW, oneCycle } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { characterTokenizer, GPT2, generate, generateAll, packTexts, type Tokenizer, trainBpe } from '@nn/text';
import { type Callback, padText, Training } from '@nn/train';
import { nGramBits } from '../baselines/n-gram.ts';
import { type Context, shownPath } from '../context.ts';
import { count, seconds } from '../format.ts';
import { shownBy, tellReport, tellStopped } from '../run.ts';
import { prose } from '../texts/prose.ts';

const context = 64;
const order = 5;
/** Samples on the way, as shares of the training. */
const looks = [0.02, 0.1, 0.4];

export async function runLanguageModel(given: Context): Promise<boolean> {
  const { terminal, settings, output } = given;
  const { seed } = settings;
  const started = performance.now();
  const { name, text } = await prose(settings.data, seed);
  const cut = Math.floor(0.95 * text.length);
  const [learned, unread] = [text.slice(0, cut), text.slice(cut, cut + 60_000)];
  terminal.line(terminal.paint('  A language model', 'bold'));
  terminal.text(
    `  ${count(learned.length)} characters to learn from, ${count(unread.length)} others to test: ${name}.`,
  );
  const baseline = nGramBits(learned, unread, order);
  terminal.text(`  Counting what follows ${order} characters: ${baseline.toFixed(3)} bits per character.`);

  const figures: Record<string, number> = {};
  const tokenizers = {
    characters: characterTokenizer([text]),
    'pieces of words': await trainBpe([learned], { size: 1024 }),
  };
  for (const [kind, tokenizer] of Object.entries(tokenizers)) {
    terminal.line();
    terminal.text(`  ${terminal.paint(`By ${kind}`, 'bold')}: ${count(tokenizer.size)} of them.`);
    const model = await learn(kind, tokenizer, learned, given);
    if (model === null) return tellStopped(given);
    figures[`${kind} bits per character`] = await bitsOf(model, tokenizer, unread);
    terminal.text(`  It writes:`);
    await write(model, tokenizer, given);
    await mkdir(output, { recursive: true });
    const path = join(output, `language-model-${kind.replaceAll(' ', '-')}.safetensors`);
    await saveModel(path, model);
    terminal.text(`  Saved ${shownPath(path, given)}.`);
  }
  terminal.line();
  terminal.text(`  ${padText('bits per character of text never read', 42)}`);
  terminal.text(`  ${padText(`counting what follows ${order} characters`, 42)} ${baseline.toFixed(3)}`);
  for (const [what, bits] of Object.entries(figures))
    terminal.text(`  ${padText(`GPT by ${what.replace(' bits per character', '')}`, 42)} ${bits.toFixed(3)}`);
  terminal.text(`  ${seconds(performance.now() - started)}.`);
  tellReport('language-model', terminal, given);
  given.tell({
    ...{ task: 'language-model', data: name, figures, baselines: { [`${order}-gram bits per character`]: baseline } },
    seconds: (performance.now() - started) / 1000,
  });
  return true;
}

/** The mean loss of a batch of rows, in nats a token. */
function lossOf(model: GPT2, { inputs, targets }: { readonly inputs: Tensor; readonly targets: Tensor }): Tensor {
  return crossEntropy(model.forward(inputs).transpose(1, 2), targets);
}

/** Trains on rows of the text in a drawn order; null where it was stopped. */
async function learn(kind: string, tokenizer: Tokenizer, text: string, given: Context): Promise<GPT2 | null> {
  const { terminal, settings } = given;
  const { seed, epochs, batchSize = 16, learningRate = 0.003 } = settings;
  setSeed(seed);
  const model = new GPT2({
    vocabularySize: tokenizer.size,
    contextLength: context,
    dimension: 64,
    layers: 2,
    heads: 4,
    dropout: 0,
  });
  const rows = new Dataset(packTexts([tokenizer.encode(text)], { length: context, dropLast: true }));
  const data = new DataLoader(rows, { batchSize, shuffle: true, seed, dropLast: true });
  const steps = epochs === undefined ? 600 : epochs * data.length;
  const samples: Callback = {
    hears: ['step'],
    handle: async (event) => {
      if (event.type !== 'step' || !looks.includes(event.step / steps)) return;
      const [sample] = await generateAll(model, tokenizer.encode('\n'), {
        tokenizer,
        maxTokens: 40,
        temperature: 0.8,
        seed,
      });
      terminal.line(
        `  ${padText(`after ${count(event.step)} steps`, 18)} ${terminal.paint(JSON.stringify(sample?.text.trim()), 'cyan')}`,
      );
    },
  };
  const training = new Training({
    model,
    optimizer: new AdamW(model, { learningRate: oneCycle(learningRate, { steps, rise: 0.1 }), weightDecay: 0.05 }),
    data,
    step: (batch) => lossOf(model, batch),
    steps,
    compile: true,
    signal: given.interrupt.signal,
    callbacks: [
      ...shownBy({ task: 'language-model', title: `A language model by ${kind}`, epochs: false }, given),
      samples,
    ],
  });
  const { why } = await training.run();
  terminal.clear();
  return why === 'aborted' ? null : model;
}

/** Bits per character of a text: every token is told after at least half a context, but for the first. */
async function bitsOf(model: GPT2, tokenizer: Tokenizer, text: string): Promise<number> {
  const ids = tokenizer.encode(text);
  const half = context / 2;
  let nats = 0;
  let told = 0;
  const rows: { readonly inputs: number[]; readonly targets: number[] }[] = [];
  for (let at = 0; at + context < ids.length; at += half) {
    const targets = ids.slice(at + 1, at + context + 1).map((id, i) => (at > 0 && i < half ? -100 : id));
    rows.push({ inputs: ids.slice(at, at + context), targets });
  }
  const asTensor = (values: number[][]): Tensor => tensor(values, { dtype: 'int32' });
  for (let at = 0; at < rows.length; at += 32) {
    const part = rows.slice(at, at + 32);
    const targets = part.map((row) => row.targets);
    const batch = { inputs: asTensor(part.map((row) => row.inputs)), targets: asTensor(targets) };
    const own = targets.flat().filter((id) => id >= 0);
    nats += (await noGradient(() => lossOf(model, batch)).item()) * own.length;
    told += tokenizer.decode(own).length;
  }
  return nats / told / Math.LN2;
}

/** Samples as long as the context, line by line as they come. */
async function write(model: GPT2, tokenizer: Tokenizer, { terminal, settings, interrupt }: Context): Promise<void> {
  for (let sample = 0; sample < 3; sample++) {
    let line = '';
    const options = { tokenizer, maxTokens: context - 2, temperature: 0.8, topP: 0.95, signal: interrupt.signal };
    for await (const { text } of generate(model, tokenizer.encode('\n'), {
      ...options,
      seed: settings.seed + sample,
    })) {
      const lines = `${line}${text}`.split('\n');
      line = lines.pop()!;
      for (const each of lines) terminal.line(`    ${terminal.paint(each, 'cyan')}`);
      terminal.live([`    ${line.slice(-terminal.columns + 8)}`]);
    }
    terminal.clear();
    terminal.line(`    ${terminal.paint(`${line} ...`, 'cyan')}`);
  }
}
