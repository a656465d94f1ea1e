/**
 * A network that answers early where it is sure: stages with a head behind each. Owns the order, the loss over all heads, and the
 * decision for each sample. (BranchyNet: Teerapittayanon, McDanel and Kung 2016.)
 */
import { checkOptions, evaluate, noGradient, type Tensor, tensor, ValueError, zeros } from '@nn/core';
import { crossEntropy, type Layer } from '@nn/layers';

export interface DecideOptions {
  /** A sample leaves at the first head whose largest probability is at least this. Default 0.9. */
  readonly confidence?: number;
}

/** What was answered, and where. */
export interface Decisions {
  /** [N, classes]: the logits of the head where each sample left. */
  readonly logits: Tensor;
  /** The head, from 0, of each sample. */
  readonly exits: Int32Array;
  /** How many samples left at each head. */
  readonly counts: readonly number[];
}

/**
 * Stages in a row, each with a head that gives logits [N, classes] from what the stage gives. `forward` is the last head, `answers`
 * all of them; train with `loss`, and let samples leave early with `decide`.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { EarlyExits } from '@nn/compress';
 * import { ones, setDefaultBackend, setSeed } from '@nn/core';
 * import { Linear, ReLU, Sequential } from '@nn/layers';
 * setDefaultBackend(cpu());
 * setSeed(1);
 * const model = new EarlyExits([
 *   { stage: new Sequential(new Linear(4, 8), new ReLU()), head: new Linear(8, 3) },
 *   { stage: new Sequential(new Linear(8, 8), new ReLU()), head: new Linear(8, 3) },
 * ]);
 * const { counts, logits } = await model.decide(ones([5, 4]), { confidence: 0.99 });
 * console.log(counts, logits.shape); // => [ 0, 5 ] [ 5, 3 ]
 */
export class EarlyExits implements Layer {
  readonly exits: readonly { readonly stage: Layer; readonly head: Layer }[];

  /** Throws ValueError for fewer than two exits. */
  constructor(exits: readonly { readonly stage: Layer; readonly head: Layer }[]) {
    if (exits.length < 2) throw new ValueError('EarlyExits', `there are ${exits.length} exits: it needs two or more.`);
    this.exits = exits;
  }

  forward(input: Tensor): Tensor {
    const { head } = this.exits.at(-1)!;
    return head.forward(this.exits.reduce((x, { stage }) => stage.forward(x), input));
  }

  /** The logits of each head, the first one first. */
  answers(input: Tensor): Tensor[] {
    let x = input;
    return this.exits.map(({ stage, head }) => {
      x = stage.forward(x);
      return head.forward(x);
    });
  }

  /** The cross entropy of all heads, with weights: default 1 each. The mean over them. */
  loss(input: Tensor, targets: Tensor, options: { readonly weights?: readonly number[] } = {}): Tensor {
    checkOptions('EarlyExits', options, ['weights']);
    const { weights = this.exits.map(() => 1) } = options;
    if (weights.length !== this.exits.length) {
      throw new ValueError('EarlyExits', `there are ${weights.length} weights for ${this.exits.length} exits.`);
    }
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return this.answers(input)
      .map((logits, k) => crossEntropy(logits, targets).mul((weights[k] ?? 0) / total))
      .reduce((sum, loss) => sum.add(loss));
  }

  /**
   * Lets each sample of [N, ...] leave at the first head that is sure of it; only those that stay go through the next stage, so easy
   * samples cost less. The last head answers the rest. In evaluation, without gradients.
   */
  async decide(input: Tensor, options: DecideOptions = {}): Promise<Decisions> {
    checkOptions('EarlyExits', options, ['confidence']);
    const { confidence = 0.9 } = options;
    if (!(confidence >= 0 && confidence <= 1)) {
      throw new ValueError('EarlyExits', `confidence is ${confidence}: it must be from 0 to 1.`);
    }
    const count = input.shape[0] ?? 0;
    const exits = new Int32Array(count).fill(this.exits.length - 1);
    let left = Array.from({ length: count }, (_, sample) => sample);
    let x = input;
    let rows: Float32Array | null = null;
    let classes = 0;
    for (const [exit, { stage, head }] of this.exits.entries()) {
      if (left.length === 0) break;
      const [next, logits] = evaluate(() =>
        noGradient(() => {
          const given = stage.forward(x);
          return [given, head.forward(given)];
        }),
      ) as [Tensor, Tensor];
      const [values, sure] = await Promise.all([logits.data(), logits.softmax(1).max(1).data()]);
      classes = logits.shape[1] ?? 0;
      rows ??= new Float32Array(count * classes);
      const stays: number[] = [];
      for (const [at, sample] of left.entries()) {
        const isLast = exit === this.exits.length - 1;
        if (!isLast && Number(sure[at]) < confidence) {
          stays.push(at);
          continue;
        }
        exits[sample] = exit;
        rows.set(values.subarray(at * classes, (at + 1) * classes), sample * classes);
      }
      x = stays.length === left.length ? next : next.gather(tensor(Int32Array.from(stays)), 0);
      left = stays.map((at) => left[at]!);
    }
    const counts = this.exits.map((_, exit) => exits.filter((own) => own === exit).length);
    return { logits: rows === null ? zeros([0, classes]) : tensor(rows, { shape: [count, classes] }), exits, counts };
  }
}
