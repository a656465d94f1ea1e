/**
 * Notices programs that differ only in the sizes of their inputs: a length that changes from batch to batch compiles
 * anew each time. After eight of them one warning names the axis: one for a device, since a batch of any length goes through
 * many programs (the step, the validation, each metric), which would all say the same.
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
    entry.isDone = true;
    const warning = describe(entry.shapes);
    entry.shapes = [];
    this.#isSaid = warning !== null;
    return warning;
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

function describe(shapes: readonly (readonly (readonly number[])[])[]): string | null {
  const [first] = shapes as [readonly (readonly number[])[]];
  for (const [leaf, shape] of first.entries()) {
    for (const [axis] of shape.entries()) {
      const sizes = new Set(shapes.map((list) => list[leaf]?.[axis]));
      if (sizes.size < tolerated) continue;
      return (
        `nn: axis ${axis} of an input of ${show(shape)} took ${tolerated} sizes (${[...sizes].join(', ')}), ` +
        'each compiled anew: pad to a few (padTo of @nn/data); said once.'
      );
    }
  }
  return null;
}
