/**
 * How a loop becomes steps: the kernels of one turn, what each reads moving on from turn to turn, and where results go. A value
 * that is wanted of every turn is written row by row where all turns will be found, and read from there within the turn.
 *
 * A carried value has memory that the next turn finds it in. Where only the last one is wanted, the new value takes the memory
 * of the old one, by the last step that reads that, or in the end. Where all are wanted, the rows before are the memory.
 */
import { unseen } from '../graph/hooks.ts';
import { apply, argument, type Node } from '../graph/node.ts';
import type { LoopMemory, LoopStep, LoweredKernel, LoweredLoop } from '../graph/primitive.ts';
import { Cast } from '../ops/functions.ts';
import { sizeOf } from '../shape.ts';
import { substitute } from './body.ts';
import type { PartAttributes, ScanAttributes } from './scan.ts';

type Lower = (roots: readonly Node[]) => readonly LoweredKernel[];

/** Where elements lie, in turn 0, and how far they move with each turn. */
interface Place {
  readonly from: LoopMemory;
  readonly offset: number;
  readonly move: number;
}

const copyOf = (node: Node): Node => apply(Cast, [node], node.dtype);

export function lowerLoop(scan: Node<ScanAttributes>, parts: readonly Node[], lower: Lower): LoweredLoop {
  return unseen(() => new LoopLowering(scan, parts as readonly Node<PartAttributes>[], lower).run());
}

class LoopLowering {
  readonly #scan: Node<ScanAttributes>;
  readonly #parts: readonly Node<PartAttributes>[];
  readonly #lower: Lower;
  /** Where each leaf is found. */
  readonly #leaves = new Map<Node, Place>();
  /** Where each node of a turn that has memory is found. */
  readonly #stored = new Map<Node, Place>();
  readonly #found = new Map<Node, LoopMemory>();
  readonly #before: LoopStep[] = [];
  readonly #after: LoopStep[] = [];
  readonly #carried: { from: LoopMemory; to: LoopMemory }[] = [];

  constructor(scan: Node<ScanAttributes>, parts: readonly Node<PartAttributes>[], lower: Lower) {
    this.#scan = scan;
    this.#parts = parts.filter(({ size }) => size > 0);
    this.#lower = lower;
  }

  run(): LoweredLoop {
    const { inputs, attributes } = this.#scan;
    const { body } = attributes;
    const { count, isReversed, carries, rows, shared, next } = body;
    const names = [...carries, ...rows, ...shared];
    const leaves = names.map((name, k) => argument(k, name.dtype, name.shape, null));
    const of = substitute(body, new Map(names.map((name, k) => [name, leaves[k] as Node])));

    rows.forEach((name, k) => {
      const row = sizeOf(name.shape);
      const from = inputs[carries.length + k]!;
      this.#leaves.set(leaves[carries.length + k]!, this.#row(from, row, 0));
    });
    shared.forEach((_, k) => {
      const at = carries.length + rows.length + k;
      this.#leaves.set(leaves[at]!, { from: inputs[at]!, offset: 0, move: 0 });
    });

    const roots = new Map<Node, Place | 'carried'>();
    /** A node of its own for each thing that is written. */
    const root = (node: Node, place: Place | 'carried'): Node => {
      const isTaken = roots.has(node) || leaves.includes(node as Node<number>) || node.primitive.kind === 'boxes';
      const own = isTaken ? copyOf(node) : node;
      roots.set(own, place);
      return own;
    };
    const turning: { readonly leaf: Node; readonly root: Node; readonly first: LoopMemory }[] = [];
    const wanted = this.#wantedCarries();
    carries.forEach((name, k) => {
      if (!wanted.has(k) || name.size === 0) return;
      const leaf = leaves[k] as Node;
      const first = { from: inputs[k]!, offset: 0, move: 0 };
      const states = this.#part('states', name);
      if (states === undefined) {
        // memory of the loop's own, which its turns write
        const start = memoryLike(name);
        this.#before.push(this.#copy(name, first, start));
        this.#leaves.set(leaf, { from: start, offset: 0, move: 0 });
        turning.push({ leaf, root: root(of(next[k]!), 'carried'), first: start });
        return;
      }
      const row = sizeOf(name.shape);
      const [start, all] = [memoryLike(states), memoryLike(states)];
      const offset = isReversed ? count * row : 0;
      this.#before.push(this.#copy(name, first, start, { base: null, offset, move: 0 }));
      this.#leaves.set(leaf, { from: start, offset, move: isReversed ? -row : row });
      root(of(next[k]!), this.#row(all, row, isReversed ? 0 : row));
      this.#carried.push({ from: all, to: start });
      this.#found.set(states, all);
      const last = this.#part('last', name);
      if (last === undefined) return;
      const copy = memoryLike(last);
      this.#after.push(this.#copy(name, { from: all, offset: isReversed ? 0 : count * row, move: 0 }, copy));
      this.#found.set(last, copy);
    });
    for (const part of this.#parts) {
      const { kind, of: name } = part.attributes;
      if (kind !== 'all') continue;
      const all = memoryLike(part);
      root(of(name), this.#row(all, sizeOf(name.shape), 0));
      this.#found.set(part, all);
    }
    const turn = this.#steps(this.#lower([...roots.keys()]), roots);
    for (const { leaf, root: value, first } of turning) {
      const from = this.#carry(turn, leaf, value, first);
      this.#carried.push({ from, to: first });
      const last = this.#part('last', carries[leaves.indexOf(leaf as Node<number>)]!);
      if (last !== undefined) this.#found.set(last, from);
    }
    return {
      count,
      before: this.#before,
      turn,
      after: this.#after,
      carried: this.#carried,
      parts: this.#found,
    };
  }

  /** Rows that lie one after the other, from the `first`-th element on, in the order of the turns. */
  #row(from: LoopMemory, row: number, first: number): Place {
    const { count, isReversed } = this.#scan.attributes.body;
    return { from, offset: first + (isReversed ? (count - 1) * row : 0), move: isReversed ? -row : row };
  }

  #part(kind: PartAttributes['kind'], of: Node): Node<PartAttributes> | undefined {
    return this.#parts.find(({ attributes }) => attributes.kind === kind && attributes.of === of);
  }

  /** The carried values on which something depends that is wanted, by number. */
  #wantedCarries(): Set<number> {
    const { carries, next, order } = this.#scan.attributes.body;
    const wanted = new Set<number>();
    const reached = new Set<Node>(this.#parts.map(({ attributes }) => attributes.of));
    for (;;) {
      const before = wanted.size;
      for (const node of order.toReversed()) if (reached.has(node)) for (const input of node.inputs) reached.add(input);
      carries.forEach((leaf, k) => {
        if (!reached.has(leaf)) return;
        wanted.add(k);
        reached.add(next[k]!);
      });
      if (wanted.size === before) return wanted;
    }
  }

  /** The kernels of a turn as steps; what is written for good goes to its place, everything else to memory of the turn. */
  #steps(kernels: readonly LoweredKernel[], roots: ReadonlyMap<Node, Place | 'carried'>): LoopStep[] {
    return kernels.map(({ plan, kernel, reads, offsets, aligned, splits }): LoopStep => {
      const { owner, box } = plan;
      const read = reads.map((node, k) => {
        const place = this.#placeOf(node);
        return { ...place, offset: place.offset + offsets[k]! };
      });
      const place = roots.get(owner);
      if (place !== undefined && place !== 'carried') {
        this.#stored.set(owner, place);
        const base = this.#carried.find(({ from }) => from === place.from)?.to ?? null;
        // from here on the rows before are found beside the new one
        for (const [leaf, row] of this.#leaves) {
          if (base !== null && row.from === base) this.#leaves.set(leaf, { ...row, from: place.from });
        }
        const piece = { base, offset: place.offset, move: place.move };
        return { kernel, reads: read, write: place.from, aligned: [], piece };
      }
      const before = this.#stored.get(owner);
      const write = memoryLike(owner);
      this.#stored.set(owner, { from: write, offset: 0, move: 0 });
      if (box === null) {
        const inPlace = aligned.filter((k) => read[k]!.offset === 0 && read[k]!.move === 0);
        return { kernel, reads: read, write, aligned: inPlace };
      }
      const base = before?.from ?? (box.base === null ? null : this.#placeOf(owner.inputs[box.base]!).from);
      const shape = owner.shape.flatMap((size, axis) =>
        splits[axis] === 1 ? [size] : [size / splits[axis]!, splits[axis]!],
      );
      const start = (box.start as readonly number[]).flatMap((at, axis) =>
        splits[axis] === 1 ? [at] : [at / splits[axis]!, 0],
      );
      return { kernel, reads: read, write, aligned: [], into: { base, shape, start } };
    });
  }

  #placeOf(node: Node): Place {
    let source = node;
    for (;;) {
      const place = this.#stored.get(source) ?? this.#leaves.get(source);
      if (place !== undefined) return place;
      if (source.primitive.keepsOrder !== true)
        throw new Error(`scan: ${source.primitive.name} is read before it is written`);
      source = source.inputs[0]!;
    }
  }

  /**
   * Where a turn leaves the new value of a carried one: the step that computes it writes over the old value, if every step that
   * reads that comes before, or reads it where it writes; else it is copied in the end.
   */
  #carry(turn: LoopStep[], leaf: Node, value: Node, first: LoopMemory): LoopMemory {
    const made = this.#stored.get(value)!.from;
    const at = turn.findIndex(({ write }) => write === made);
    const isSafe = turn.every(({ reads, aligned }, step) =>
      reads.every(({ from }, k) => from !== first || step < at || (step === at && aligned.includes(k))),
    );
    if (isSafe) return made;
    const from = memoryLike(leaf);
    turn.push(this.#copy(leaf, { from: made, offset: 0, move: 0 }, from));
    return from;
  }

  /** One step that copies. */
  #copy(like: Node, place: Place, write: LoopMemory, piece?: LoopStep['piece']): LoopStep {
    const source = argument(0, like.dtype, like.shape, null) as Node;
    const [copy] = this.#lower([copyOf(source)]) as [LoweredKernel];
    return { kernel: copy.kernel, reads: [place], write, aligned: [], ...(piece && { piece }) };
  }
}

/** Memory of the loop's own, as large as a node. */
function memoryLike({ dtype, shape }: Node): LoopMemory {
  return { dtype, shape };
}
