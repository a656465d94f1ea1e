/**
 * English to German: a small Transformer on the sentences of Multi30k, with one vocabulary of pieces for both languages. BLEU of the
 * validation part by beam search, beside what copying the source would get. Minutes an epoch, so it keeps a checkpoint, tells BLEU
 * after each epoch and translates with averaged weights, which are good at whatever time it ends.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { evaluate, FormatError, setSeed, tensor } from '@nn/core';
import { DataLoader, Dataset, lengthSampler, ragged } from '@nn/data';
import { crossEntropy, sequenceMask } from '@nn/layers';
import { BLEU } from '@nn/metrics';
import { AdamW, WeightAverage } from '@nn/optim';
import { saveModel } from '@nn/serialize';
import { beamSearch, generateAll, type Hypothesis, Marian, type Tokenizer, teacherForcing, trainBpe } from '@nn/text';
import { type Callback, padText, Training } from '@nn/train';
import { type Context, shownPath } from '../context.ts';
import { count, seconds } from '../format.ts';
import { drawHeatMap } from '../pictures/heat-map.ts';
import { callbacksOf, tellReport, train } from '../run.ts';
import { multi30k, type Pairs } from '../texts/multi30k.ts';

const longest = 48;
/** Widths of batches: few, so that few programs are compiled, and near, so that little is padded. */
const widths = [12, 16, 20, 24, 32, longest];
/** Steps in which the learning rate rises; then it falls with the root of the steps (Vaswani et al. 2017). */
const warmUpSteps = 400;

/** How large the network is: 6.9 million parameters. */
const sizes = { pieces: 6000, dimension: 256, heads: 4, feedForward: 512, layers: 3 };

export async function runSentences(context: Context, folder: string, network: typeof sizes = sizes): Promise<boolean> {
  const { terminal, settings, output } = context;
  const { seed, epochs = 30, batchSize = 64, learningRate = 0.001 } = settings;
  const [learned, test] = await Promise.all([multi30k(folder, 'train'), multi30k(folder, 'val')]);
  setSeed(seed);
  const special = { padding: '<pad>', begin: '<s>', end: '</s>' };
  const tokenizer = await trainBpe([...learned.sources, ...learned.targets], { size: network.pieces, special });
  const { padding, begin, end } = tokenizer.ids;
  const ids = { paddingId: padding ?? 0, startId: begin ?? 0, endId: end ?? 0 };
  const model = new Marian({
    ...{ vocabularySize: tokenizer.size, contextLength: 64, ...ids },
    ...{ dimension: network.dimension, heads: network.heads, feedForward: network.feedForward },
    ...{ encoderLayers: network.layers, decoderLayers: network.layers },
    ...{ dropout: 0.15, activation: 'relu', startDeviation: 0.05 },
  });

  terminal.line(terminal.paint('  English to German', 'bold'));
  terminal.text(
    `  ${count(learned.sources.length)} sentences to learn from, ${count(test.sources.length)} to test; ${count(tokenizer.size)} pieces of words.`,
  );
  const data = loaderOf(learned, tokenizer, { batchSize, seed, paddingId: ids.paddingId });
  const shown = { task: 'translate', title: 'English to German', epochs: true } as const;
  const course = new Course(model, tokenizer, test, context);
  const training = new Training({
    model,
    optimizer: new AdamW(model, {
      learningRate: (step) => learningRate * Math.min((step + 1) / warmUpSteps, Math.sqrt(warmUpSteps / (step + 1))),
      betas: [0.9, 0.98],
      clip: { globalNorm: 1 },
      weightDecay: 0.01,
    }),
    data,
    step: ({ sources, targets, lengths }) => {
      const real = (name: 'sources' | 'targets', width: number) => sequenceMask(lengths[name]!.maximum(1), width);
      const told = teacherForcing(targets, {
        startId: ids.startId,
        mask: sequenceMask(lengths.targets!, targets.shape[1]!),
      });
      const scores = model.forward(sources, told.inputs, { sourceMask: real('sources', sources.shape[1]!) });
      return crossEntropy(scores.flatten(0, 1), told.targets.flatten(), { labelSmoothing: 0.1 });
    },
    epochs,
    compile: true,
    signal: context.interrupt.signal,
    callbacks: [course, ...callbacksOf(shown, context, 30)],
  });
  if (!(await train(training, epochs * data.length, context))) return false;

  const trained = context.evaluates ? course.saved : course.milliseconds;
  // a checkpoint of the first steps has no average yet
  if (course.average.updates > 0) await course.average.swapIn();
  const began = process.cpuUsage();
  const [bleu, copied] = [new BLEU(), new BLEU()];
  const found: Hypothesis[] = [];
  for (let at = 0; at < test.sources.length; at += 32) {
    const some = await beamSearch(model, test.sources.slice(at, at + 32), {
      ...{ tokenizer, beams: 4, maxTokens: longest },
      signal: context.interrupt.signal,
    });
    for (const [best] of some) found.push(best);
    terminal.live([`  translated ${count(found.length)} of ${count(test.sources.length)}`]);
  }
  terminal.clear();
  const { user, system } = process.cpuUsage(began);
  const said = found.map(({ text }) => text);
  bleu.update(said, test.targets);
  copied.update(test.sources, test.targets);
  const [reached, baseline] = [(await bleu.read()).epoch, (await copied.read()).epoch];
  terminal.line();
  for (let i = 0; i < Math.min(4, said.length); i++) {
    terminal.text(`  ${test.sources[i]}`);
    terminal.text(`    ${terminal.paint(said[i]!, 'green')}`);
    terminal.text(`    ${terminal.paint(test.targets[i]!, 'dim')}`);
  }
  await look(model, tokenizer, test.sources[0]!, found[0]!.ids, context);
  terminal.line();
  terminal.text(`  ${padText('BLEU of sentences never read, beam 4', 40)}`);
  terminal.text(`  ${padText('the source as it is', 40)} ${(100 * baseline).toFixed(1)}`);
  terminal.text(`  ${padText('this network', 40)} ${(100 * reached).toFixed(1)}`);
  terminal.text(`  ${terminal.paint(bleu.signature, 'dim')}`);
  await mkdir(output, { recursive: true });
  const path = join(output, 'translate-sentences.safetensors');
  await saveModel(path, model);
  const [learning, translating] = [trained, (user + system) / 1000].map(seconds);
  terminal.text(
    `  ${learning} of processor time to learn, ${translating} to translate. Saved ${shownPath(path, context)}.`,
  );
  tellReport('translate', terminal, context);
  context.tell({
    ...{
      task: 'translate',
      data: 'Multi30k, English to German',
      figures: { BLEU: 100 * reached, epochs: training.stepCount / data.length },
    },
    ...{ baselines: { 'BLEU of the source': 100 * baseline }, seconds: trained / 1000 },
  });
  return true;
}

/**
 * What accompanies the training and is resumed with it: the running average of the weights, the processor time, and after each
 * epoch the BLEU of the first sentences of the test, each token the most probable one.
 */
class Course implements Callback {
  static readonly every = 8;
  /** Found by checkpoints. */
  readonly average: WeightAverage;
  readonly hears: readonly ('step' | 'epoch')[] = ['step', 'epoch'];
  readonly handle: NonNullable<Callback['handle']>;
  #before = 0;

  constructor(model: Marian, tokenizer: Tokenizer, test: Pairs, { terminal }: Context) {
    // some 270 steps count, at the beginning fewer
    this.average = new WeightAverage(model, { decay: (updates) => Math.min(0.97, (1 + updates) / (10 + updates)) });
    const [sources, targets] = [test.sources.slice(0, 200), test.targets.slice(0, 200)];
    this.handle = async (event) => {
      if (event.type === 'step' && event.step % Course.every === 0) await this.average.update();
      if (event.type !== 'epoch') return;
      if (this.average.updates === 0) await this.average.update();
      const found = await this.average.during(() =>
        generateAll(model, sources, { tokenizer, maxTokens: longest, temperature: 0 }),
      );
      const bleu = new BLEU();
      bleu.update(
        found.map(({ text }) => text),
        targets,
      );
      const reached = (100 * (await bleu.read()).epoch).toFixed(1);
      terminal.line(
        `  after ${seconds(this.milliseconds)} of processor time BLEU ${reached} on ${count(sources.length)} sentences`,
      );
    };
  }

  /** Processor time of all processes that trained. */
  get milliseconds(): number {
    const { user, system } = process.cpuUsage();
    return this.#before + (user + system) / 1000;
  }

  /** The same when the checkpoint was saved that was read. */
  get saved(): number {
    return this.#before;
  }

  hostState(): unknown {
    return { milliseconds: this.milliseconds, average: this.average.hostState() };
  }

  loadHostState(state: unknown): void {
    const { milliseconds, average } = Object(state) as { milliseconds?: unknown; average?: unknown };
    if (typeof milliseconds !== 'number') throw new FormatError('translate', 'the saved state has no processor time.');
    this.average.loadHostState(average);
    this.#before = milliseconds;
  }
}

/** Batches whose sources have similar lengths, and whose targets have, too. */
function loaderOf(
  { sources, targets }: Pairs,
  tokenizer: Tokenizer,
  { batchSize, seed, paddingId }: { readonly batchSize: number; readonly seed: number; readonly paddingId: number },
) {
  const end = tokenizer.ids.end ?? 0;
  const pieces = {
    sources: sources.map((text) => tokenizer.encode(text).slice(0, longest)),
    targets: targets.map((text) => [...tokenizer.encode(text, { special: false }).slice(0, longest - 1), end]),
  };
  const samples = new Dataset({ sources: ragged(pieces.sources), targets: ragged(pieces.targets) });
  // by the width of the target, and by the length of the source where that is the same
  const places = pieces.targets.map(
    ({ length }, i) => widths.findIndex((width) => length <= width) * (longest + 1) + pieces.sources[i]!.length,
  );
  return new DataLoader(samples, {
    ...{ batchSize, seed, sampler: lengthSampler(places, { window: 100 }) },
    padTo: { samples: batchSize, length: widths, values: { sources: paddingId, targets: paddingId } },
  });
}

/** How the last layer of the decoder looks at the source, the mean of its heads. */
async function look(
  model: Marian,
  tokenizer: Tokenizer,
  source: string,
  to: readonly number[],
  { terminal }: Context,
): Promise<void> {
  const from = tokenizer.encode(source).slice(0, longest);
  if (to.length === 0) return;
  const target = tensor([[model.startId, ...to.slice(0, -1)]], { dtype: 'int32' });
  const weights = evaluate(() =>
    model
      .withWeights(tensor([from], { dtype: 'int32' }), target)
      .weights.at(-1)!
      .mean(1)
      .at(0),
  );
  const data = await weights.data();
  const rows = to.map((_, row) => Array.from(data.subarray(row * from.length, (row + 1) * from.length)));
  const names = (ids: readonly number[]): string[] => ids.map((id) => tokenizer.decode([id], { special: true }).trim());
  terminal.line();
  for (const line of drawHeatMap(rows, { rows: names(to), columns: names(from) }, terminal)) terminal.line(`  ${line}`);
}
