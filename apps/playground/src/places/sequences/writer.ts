/**
 * A character model that learns a text: random pieces of it in batches, its loss on a tenth that is kept apart, and what a
 * person asks: what comes next, what looks at what, and texts of its own. Messages are worker.ts.
 */
import {
  type CompiledFunction,
  compile,
  concat,
  parameters,
  setSeed,
  stack,
  type Tensor,
  tensor,
  ValueError,
} from '@nn/core';
import { RandomSequence } from '@nn/data';
import { crossEntropy } from '@nn/layers';
import { AdamW } from '@nn/optim';
import { breathe } from '../breathe.ts';
import {
  contextLength,
  type Inspection,
  type SequenceFacts,
  type SequenceFrame,
  type SequenceSettings,
  type Steering,
} from './protocol.ts';
import { chancesOf, drawFrom } from './steering.ts';
import { Transformer } from './transformer.ts';

const batchSize = 16;
/** Characters that a text may have of different kinds; the rarest become one. */
const mostCharacters = 400;
const other = '�';
const measureEvery = 10;

export class TextLearner {
  readonly facts: SequenceFacts;
  readonly #settings: SequenceSettings;
  readonly #train: Int32Array;
  readonly #test: Int32Array;
  readonly #places: ReadonlyMap<string, number>;
  readonly #random: RandomSequence;
  readonly #update: CompiledFunction<[Tensor, Tensor], Tensor>;
  readonly #loss: CompiledFunction<[Tensor, Tensor], Tensor>;
  /** Ids [1, contextLength] to the logits and the attention of all blocks, flat, one after the other. */
  readonly #look: CompiledFunction<[Tensor], Tensor>;
  readonly #run: number;
  #step = 0;
  #trainLoss = Number.NaN;
  #testLoss = Number.NaN;
  #recent: number[] = [];

  constructor(settings: SequenceSettings, run: number) {
    const { text, width, layers, heads, learningRate, seed } = settings;
    const characters = [...text.replace(/\r\n?/g, '\n')];
    if (characters.length < 4 * contextLength) {
      throw new ValueError(
        '/short-text',
        `The text has ${characters.length} characters: ${4 * contextLength} or more are needed.`,
        { characters: characters.length, needed: 4 * contextLength },
      );
    }
    const vocabulary = vocabularyOf(characters);
    this.#settings = settings;
    this.#run = run;
    this.#places = new Map(vocabulary.map((character, id) => [character, id]));
    const ids = this.#encode(characters);
    const kept = Math.max(contextLength + 1, Math.floor(ids.length / 10));
    this.#train = ids.subarray(0, ids.length - kept);
    this.#test = ids.subarray(ids.length - kept);
    setSeed(seed);
    this.#random = new RandomSequence(seed);
    const model = new Transformer(vocabulary.length, width, layers, heads);
    const optimizer = new AdamW(model, { learningRate, weightDecay: 0.01, clip: { globalNorm: 1 } });
    const lossOf = (inputs: Tensor, targets: Tensor): Tensor =>
      crossEntropy(model.forward(inputs).reshape([-1, vocabulary.length]), targets.reshape([-1]));
    this.#update = compile((inputs: Tensor, targets: Tensor) => {
      const loss = lossOf(inputs, targets);
      optimizer.step(loss);
      return loss;
    });
    this.#loss = compile(lossOf);
    this.#look = compile((inputs: Tensor) => {
      const seen: Tensor[] = [];
      const logits = model.forward(inputs, seen);
      return concat([logits.flatten(), stack(seen).flatten()], 0);
    });
    this.facts = {
      vocabulary,
      parameterCount: parameters(model).reduce((sum, { size }) => sum + size, 0),
      characters: characters.length,
    };
  }

  #encode(characters: readonly string[]): Int32Array {
    const unknown = this.#places.get(other) ?? 0;
    return Int32Array.from(characters, (character) => this.#places.get(character) ?? unknown);
  }

  async turn(): Promise<void> {
    const loss = await (await this.#update(...this.#batch(this.#train))).item();
    this.#step++;
    this.#recent = [...this.#recent, loss].slice(-measureEvery);
    this.#trainLoss = this.#recent.reduce((sum, one) => sum + one, 0) / this.#recent.length;
    if (this.#step % measureEvery === 1) this.#testLoss = await (await this.#loss(...this.#batch(this.#test))).item();
  }

  /** Pieces of a part, and the same moved by one character: what is to be foretold. */
  #batch(part: Int32Array): [Tensor, Tensor] {
    const inputs = new Int32Array(batchSize * contextLength);
    const targets = new Int32Array(batchSize * contextLength);
    for (let row = 0; row < batchSize; row++) {
      const start = this.#random.integer(part.length - contextLength);
      inputs.set(part.subarray(start, start + contextLength), row * contextLength);
      targets.set(part.subarray(start + 1, start + contextLength + 1), row * contextLength);
    }
    const shape = [batchSize, contextLength];
    return [tensor(inputs, { shape }), tensor(targets, { shape })];
  }

  look(): SequenceFrame {
    return { step: this.#step, trainLoss: this.#trainLoss, testLoss: this.#testLoss, run: this.#run };
  }

  /** The last characters of a text in front, whatever behind them: nothing looks there. */
  async #ask(characters: readonly string[]): Promise<{ readonly values: Float32Array; readonly logits: Float32Array }> {
    const ids = new Int32Array(contextLength);
    ids.set(this.#encode(characters));
    const values = await (await this.#look(tensor(ids, { shape: [1, contextLength] }))).data('float32');
    const size = this.facts.vocabulary.length;
    const last = characters.length - 1;
    return { values, logits: values.slice(last * size, (last + 1) * size) };
  }

  async inspect(text: string): Promise<Inspection> {
    const characters = windowOf(text);
    const { layers, heads } = this.#settings;
    const { values, logits } = await this.#ask(characters);
    const { length } = characters;
    const start = contextLength * this.facts.vocabulary.length;
    const attention = new Float32Array(layers * heads * length * length);
    for (let map = 0; map < layers * heads; map++) {
      for (let row = 0; row < length; row++) {
        const from = start + (map * contextLength + row) * contextLength;
        attention.set(values.subarray(from, from + length), (map * length + row) * length);
      }
    }
    return { characters, logits, attention, layers, heads };
  }

  async write(text: string, length: number, steering: Steering, seed: number): Promise<string> {
    const random = new RandomSequence(seed);
    let written = '';
    let breath = performance.now();
    for (let i = 0; i < length; i++) {
      const { logits } = await this.#ask(windowOf(text + written));
      const next = drawFrom(chancesOf(logits, steering), random.uniform());
      if (next !== undefined) written += this.facts.vocabulary[next] ?? '';
      if (performance.now() > breath + 12) {
        await breathe();
        breath = performance.now();
      }
    }
    return written;
  }
}

/** What the network sees of a text; of an empty one the end of a line. */
function windowOf(text: string): string[] {
  const characters = [...text].slice(-contextLength);
  return characters.length > 0 ? characters : ['\n'];
}

/** All characters of a text, the most frequent first. */
function vocabularyOf(characters: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
  const ordered = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([character]) => character);
  return ordered.length <= mostCharacters ? ordered : [...ordered.slice(0, mostCharacters - 1), other];
}
