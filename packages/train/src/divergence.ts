/**
 * Losses that are not finite: going back to before them with lower learning rates. Owns the copy of the run in memory, and what is
 * told of going back; when it is needed the loop says. The error that names the step is `diverged-error.ts`.
 */
import { checkOptions, FormatError, type Stateful, ValueError } from '@nn/core';
import { encodeCheckpoint, loadCheckpoint, parseSafetensors } from '@nn/serialize';
import type { DivergedError } from './diverged-error.ts';
import type { RateGroup } from './events.ts';

export interface RollBackOptions {
  /** What the learning rates are multiplied by each time, above 0 and at most 1. Default 0.5. */
  readonly factor?: number;
  /** How often it may go back. Default 3. */
  readonly most?: number;
  /** Steps between two copies of the run, made at the read that follows. Default 200. */
  readonly every?: number;
}

/**
 * Keeps a copy of a run, and brings the run back to it with lower learning rates: what `Training` does with `rollBack` when
 * a loss is not finite, and any loop can do. The copy is a checkpoint in memory; one whose numbers are not finite is not made.
 *
 * @example
 * import { Linear } from '@nn/layers';
 * import { SGD } from '@nn/optim';
 * import { RollBack } from '@nn/train';
 * const model = new Linear(1, 1);
 * const optimizer = new SGD(model, { learningRate: 0.5 });
 * const rollBack = new RollBack({ factor: 0.1 });
 * await rollBack.keep({ model, optimizer });
 * model.weight.assign(model.weight.div(0)); // a step that went wrong
 * await rollBack.back({ model, optimizer });
 * console.log(Number.isFinite(await model.weight.item()), optimizer.learningRate); // => true 0.05
 */
export class RollBack implements Stateful {
  static readonly name: string = 'RollBack';

  readonly every: number;
  readonly most: number;
  readonly #factor: number;
  #bytes: Uint8Array | null = null;
  /** The step of the copy that `Training` made last. */
  #step = Number.NEGATIVE_INFINITY;
  /** How often it went back; and at the time of the copy. */
  #backs = 0;
  #backsOfCopy = 0;
  /** The schedules of groups as they were given; null for a plain number, which checkpoints hold. */
  readonly #given = new Map<RateGroup, RateGroup['schedule']>();

  constructor(options: RollBackOptions = {}) {
    checkOptions('RollBack', options, ['factor', 'most', 'every']);
    const { factor = 0.5, most = 3, every = 200 } = options;
    const isRight = factor > 0 && factor <= 1 && Number.isInteger(most) && most >= 1 && Number.isInteger(every);
    if (!isRight || every < 1) {
      throw new ValueError(
        'RollBack',
        `factor is ${factor}, most ${most}, every ${every}: factor is above 0 and at most 1, the others are whole numbers from 1.`,
        { factor, most, every },
      );
    }
    [this.#factor, this.most, this.every] = [factor, most, every];
  }

  /** How often it went back. */
  get backs(): number {
    return this.#backs;
  }

  /** What the learning rates are multiplied by at present. */
  get scale(): number {
    return this.#factor ** this.#backs;
  }

  get isLeft(): boolean {
    return this.#bytes !== null && this.#backs < this.most;
  }

  /** Copies the run; false, and the copy before is kept, where a number of it is not finite. */
  async keep(parts: Readonly<Record<string, object>>): Promise<boolean> {
    const bytes = await encodeCheckpoint(parts);
    for (const { type, bytes: values } of parseSafetensors(bytes).tensors.values()) {
      if (type === 'F32' && !isFinite32(values)) return false;
    }
    [this.#bytes, this.#backsOfCopy] = [bytes, this.#backs];
    return true;
  }

  /** Brings the run back to the copy, with learning rates times `factor`. Throws ValueError where there is no copy. */
  async back(parts: Readonly<Record<string, object>>): Promise<void> {
    if (this.#bytes === null) throw new ValueError('RollBack', 'nothing was kept: call keep(parts) first.');
    const [backs, backsOfCopy] = [this.#backs + 1, this.#backsOfCopy];
    const groups = groupsOf(parts);
    this.#remember(groups);
    await loadCheckpoint(this.#bytes, parts);
    // what the copy says of the times it went back is of the past
    this.#backs = backs;
    for (const group of groups) {
      if (this.#given.get(group) === null) group.learningRate *= this.#factor ** (backs - backsOfCopy);
    }
    this.#scaleSchedules(groups);
  }

  /**
   * After a resume: schedules are not part of a checkpoint, so what was lowered of them is lowered again. The next copy is of
   * the run that begins.
   */
  apply(parts: Readonly<Record<string, object>>): void {
    this.#step = Number.NEGATIVE_INFINITY;
    if (this.#backs === 0) return;
    const groups = groupsOf(parts);
    this.#remember(groups);
    this.#scaleSchedules(groups);
  }

  /** @internal Copies a training that stands at `step`, where a copy is due. */
  async keepAt(step: number, parts: Readonly<Record<string, object>>): Promise<void> {
    if (step - this.#step >= this.every && (await this.keep(parts))) this.#step = step;
  }

  /** @internal Brings a training back from where it diverged; what its callbacks, which are where they were then, are told. */
  async undo(
    { data: { step, loss } }: DivergedError,
    parts: Readonly<Record<string, object>>,
    state: { readonly step: number },
  ): Promise<string> {
    await this.back(parts);
    this.#step = state.step;
    return (
      `the loss of step ${step} is ${loss}: back to step ${this.#step}, with the learning rates times ${this.scale} ` +
      `(time ${this.#backs} of ${this.most}).`
    );
  }

  /** @internal What the error adds when going back did not help. */
  get vain(): string {
    const times = this.#backs === 1 ? 'time' : 'times';
    return this.#backs === 0 ? '' : ` After going back ${this.#backs} ${times} it came again.`;
  }

  #remember(groups: readonly RateGroup[]): void {
    for (const group of groups) if (!this.#given.has(group)) this.#given.set(group, group.schedule);
  }

  #scaleSchedules(groups: readonly RateGroup[]): void {
    const { scale } = this;
    for (const group of groups) {
      const schedule = this.#given.get(group);
      if (schedule) group.learningRate = (step: number) => scale * schedule(step);
    }
  }

  hostState(): unknown {
    return { backs: this.#backs };
  }

  loadHostState(state: unknown): void {
    const { backs } = Object(state) as { backs?: unknown };
    if (!Number.isSafeInteger(backs)) {
      throw new FormatError(
        'RollBack',
        'the saved state does not say how often it went back: it is of something else.',
      );
    }
    this.#backs = backs as number;
  }
}

/** The groups of all optimizers among the parts. */
function groupsOf(parts: Readonly<Record<string, object>>): RateGroup[] {
  return Object.values(parts).flatMap((part) => {
    const { groups } = part as { groups?: unknown };
    return Array.isArray(groups) && 'stepCount' in part ? (groups as RateGroup[]) : [];
  });
}

function isFinite32(bytes: Uint8Array): boolean {
  // a copy, because values stand at any byte of a file
  return new Float32Array(bytes.slice().buffer).every(Number.isFinite);
}
