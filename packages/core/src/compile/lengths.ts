/**
 * Notices programs that differ only in the sizes of their inputs: a length that changes from batch to batch compiles
 * anew each time. After eight of them one warning names the axis: one for a device, since a batch of any length goes through
 * many programs (the step, the validation, each metric), which would all say the same. Sizes that double are no such lengths.
 */
import { show } from '../shape.ts';
import { resolve, type Trace } from './trace.ts';

const tolerated = 8;

export class LengthWatch {
  readonly #seen = new Map<number, (readonly number[])[][]>();
  #isSaid = false;

  /** Takes note of a graph that was compiled; returns the warning once it is due. */
  note(trace: Trace): string | null {
    if (this.#isSaid) return null;
    const structure = structureOf(trace);
    const shapes = this.#seen.get(structure) ?? [];
    this.#seen.set(structure, shapes);
    if (shapes.push(trace.leaves.map(({ shape }) => shape)) < tolerated) return null;
    this.#seen.delete(structure);
    const warning = describe(shapes);
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
      const sizes = new Set(shapes.map((list) => list[leaf]?.[axis] ?? 0));
      if (sizes.size < tolerated || isDoubling([...sizes])) continue;
      return (
        `nn: axis ${axis} of an input of ${show(shape)} took ${tolerated} sizes (${[...sizes].join(', ')}), ` +
        'each compiled anew: pad to a few (padTo of @nn/data); said once.'
      );
    }
  }
  return null;
}

/** Whether most are at least twice the next smaller one: such are few, as padded lengths, or batches of sizes that are tried. */
function isDoubling(sizes: number[]): boolean {
  sizes.sort((a, b) => a - b);
  return sizes.filter((size, at) => size >= 2 * sizes[at - 1]!).length >= tolerated / 2;
}
