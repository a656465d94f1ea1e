/**
 * Values over steps for pictures: any number of points in bounded memory, because neighbours are put together when there are
 * too many. Owns no drawing. For any loop: `add(name, step, value)`.
 */
import { FormatError, type Stateful } from '@nn/core';
import type { TrainingEvent } from '../events.ts';

/** The points of one curve, by rising steps. */
export interface Curve {
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** A point while it is collected: the mean of `of` values. */
interface Growing {
  readonly steps: number[];
  readonly values: number[];
  /** Values in a point; and sum and count of the one that is not full. */
  each: number;
  sum: number;
  count: number;
}

/** Points at which a curve is thinned out. */
const most = 1000;

/**
 * Curves by name, each of at most a thousand points however many values are added.
 *
 * @example
 * import { Curves } from '@nn/train';
 * const curves = new Curves();
 * for (let step = 1; step <= 5000; step++) curves.add('loss', step, 1 / step);
 * const { steps, values } = curves.get('loss');
 * console.log(steps.length <= 1000, values.length === steps.length); // => true true
 */
export class Curves implements Stateful {
  static readonly name: string = 'Curves';

  readonly #curves = new Map<string, Growing>();

  get names(): string[] {
    return [...this.#curves.keys()];
  }

  /** The points so far; none of a name that was never added. */
  get(name: string): Curve {
    const { steps = [], values = [] } = this.#curves.get(name) ?? {};
    return { steps, values };
  }

  /** A value that is not finite is left out: a picture has no place for it. */
  add(name: string, step: number, value: number): void {
    if (!Number.isFinite(value)) return;
    const curve = this.#curves.get(name) ?? { steps: [], values: [], each: 1, sum: 0, count: 0 };
    this.#curves.set(name, curve);
    curve.sum += value;
    curve.count++;
    if (curve.count < curve.each) return;
    curve.steps.push(step);
    curve.values.push(curve.sum / curve.count);
    [curve.sum, curve.count] = [0, 0];
    if (curve.steps.length < most) return;
    const pairs = curve.values.length >> 1;
    for (let at = 0; at < pairs; at++) {
      curve.values[at] = (curve.values[2 * at]! + curve.values[2 * at + 1]!) / 2;
      curve.steps[at] = curve.steps[2 * at + 1]!;
    }
    curve.values.length = pairs;
    curve.steps.length = pairs;
    curve.each *= 2;
  }

  /** What an event tells: the loss of each step, other values at each read, and those of validations. */
  addEvent(event: TrainingEvent<object>): void {
    const { step } = event;
    if (event.type === 'read') {
      const first = step - event.losses.length + 1;
      event.losses.forEach((loss, at) => void this.add('loss', first + at, loss));
      for (const [name, { window }] of Object.entries(event.values)) {
        if (name !== 'loss' && typeof window === 'number') this.add(name, step, window);
      }
      event.learningRates.forEach(
        (rate, at) => void this.add(at === 0 ? 'learning rate' : `learning rate ${at}`, step, rate),
      );
    } else if (event.type === 'validated') {
      for (const [name, value] of Object.entries(event.values))
        if (typeof value === 'number') this.add(name, step, value);
    }
  }

  hostState(): unknown {
    return Object.fromEntries([...this.#curves].map(([name, curve]) => [name, structuredClone(curve)]));
  }

  loadHostState(state: unknown): void {
    const entries = Object.entries(Object(state) as Record<string, Partial<Growing>>);
    const isRight = entries.every(
      ([, { steps, values, each }]) => Array.isArray(steps) && Array.isArray(values) && typeof each === 'number',
    );
    if (!isRight) throw new FormatError('Curves', 'the saved state has no points: it is of something else.');
    this.#curves.clear();
    for (const [name, { steps, values, each = 1, sum = 0, count = 0 }] of entries) {
      this.#curves.set(name, { steps: [...steps!], values: [...values!], each, sum, count });
    }
  }
}

/** Names in groups that belong on one picture: 'accuracy' with 'validation.accuracy'. */
export function panelsOf(names: readonly string[]): (readonly [title: string, names: readonly string[]])[] {
  const panels = new Map<string, string[]>();
  for (const name of names) {
    const title = name.replace(/^validation\./, '').replace(/^learning rate \d+$/, 'learning rate');
    panels.set(title, [...(panels.get(title) ?? []), name]);
  }
  return [...panels];
}
