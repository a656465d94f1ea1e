/**
 * Notices programs that differ only in the sizes of their inputs: a length that changes from batch to batch compiles
 * anew each time. After eight of them one warning names the axis: one for a device, since a batch of any length goes through
 * many programs (the step, the validation, each metric), which would all say the same. Sizes that double are no such lengths.
 */
import { show } from '../shape.ts';
import { resolve, type Trace } from './trace.ts';

const tolerated = 8;

export class LengthWatch {
  readonly #seen = new Map<number, { shapes: (readonly number[])[][]; isDone: boolean }>();
  #isSaid = false;

  /** Takes note of a graph that was compiled; returns the warning once it is due. */
  note(trace: Trace): string | null {
    if (this.#isSaid) return null;
    const structure = structureOf(trace);
    const entry = this.#seen.get(structure) ?? { shapes: [], isDone: false };
    this.#seen.set(structure, entry);
    if (entry.isDone) return null;
    entry.shapes.push(trace.leaves.map(({ shape }) => shape));
    if (entry.shapes.length < tolerated) return null;
    const changing = changingAxis(entry.shapes);
    entry.shapes = [];
    // those that double are few, however far they go: lengths that are padded, sizes of batches that are tried
    entry.isDone = changing === null || !isDoubling(changing.sizes);
    this.#isSaid = changing !== null && entry.isDone;
    return this.#isSaid ? describe(changing!) : null;
  }
}

/** A hash of what is computed, without sizes. */
function structureOf({ order, leaves }: Trace): number {
  let hash = leaves.length;
  const mix = (value: number): void => {
    hash = Math.imul(hash ^ value, 0x01000193);
  };
  for (const node of order) {
    mix(node.storage === null ? node.primitive.id : -1);
    mix(node.shape.length);
    if (node.storage === null) for (const input of node.inputs) mix(resolve(input).order);
  }
  return hash;
}

interface Changing {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly sizes: readonly number[];
}

/** The first axis of an input that has another size in each of them. */
function changingAxis(shapes: readonly (readonly (readonly number[])[])[]): Changing | null {
  for (const [leaf, shape] of shapes[0]!.entries()) {
    for (const axis of shape.keys()) {
      const sizes = shapes.map((list) => list[leaf]?.[axis] ?? 0);
      if (new Set(sizes).size === tolerated) return { shape, axis, sizes };
    }
  }
  return null;
}

/** Whether most are at least twice the next smaller one. */
function isDoubling(sizes: readonly number[]): boolean {
  const rising = [...sizes].sort((a, b) => a - b);
  return rising.filter((size, at) => size >= 2 * rising[at - 1]!).length >= tolerated / 2;
}

function describe({ shape, axis, sizes }: Changing): string {
  return (
    `nn: axis ${axis} of an input of ${show(shape)} took ${tolerated} sizes (${sizes.join(', ')}), ` +
    'each compiled anew: pad to a few (padTo of @nn/data); said once.'
  );
}
