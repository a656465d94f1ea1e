/**
 * The structure of a kernel before it is lowered: everything that decides its loop nest, as a stream of numbers. Kernels
 * of equal structure differ only in the nodes that they read and take numbers from, so one of them is lowered for all.
 * Owns the walk over one kernel's nodes; what is made of them is `lower.ts`.
 */

import { type Node, Scalar } from '../graph/node.ts';
import { addTo } from '../lists.ts';
import { KeyStream } from './key-stream.ts';
import type { KernelPlan, Schedule } from './schedule.ts';
import { resolve } from './trace.ts';

/** What stands in the stream for a node that is read, and for a number; below them the nodes met before. */
const storedMark = -1;
const scalarMark = -2;
const knownMark = -3;

export class StructureCache<Value> {
  readonly #values = new Map<number, { readonly key: Int32Array; readonly value: Value }[]>();
  readonly #stream = new KeyStream();
  /** By `node.order`: the walk that met the node last, and its number in it. */
  readonly #walks: Int32Array;
  readonly #numbers: Int32Array;
  #walk = 0;
  #hash = 0;

  /** `nodes`: how many the trace has. */
  constructor(nodes: number) {
    this.#walks = new Int32Array(nodes);
    this.#numbers = new Int32Array(nodes);
  }

  /**
   * The value that was kept for a kernel of this structure, and the nodes of this one: equal kernels have the nodes that
   * correspond at equal places.
   */
  find(plan: KernelPlan, { stored }: Schedule): { readonly value: Value | undefined; readonly nodes: readonly Node[] } {
    const stream = this.#stream;
    const walks = this.#walks;
    const numbers = this.#numbers;
    const { core, root, owner, box } = plan;
    const nodes: Node[] = [];
    const walk = ++this.#walk;
    const visit = (requested: Node): void => {
      const node = resolve(requested);
      const at = node.order;
      if (walks[at] === walk) {
        stream.push(knownMark - numbers[at]!);
        return;
      }
      walks[at] = walk;
      numbers[at] = nodes.push(node) - 1;
      const isComputedHere = node === core || (node === owner && box === null);
      if (stored[at] === true && !isComputedHere) stream.memory(storedMark, node.dtype, node.shape);
      else if (node.primitive === Scalar) stream.memory(scalarMark, node.dtype, node.shape);
      else {
        stream.operation(node);
        for (const input of node.inputs) visit(input);
      }
    };
    stream.clear();
    visit(root);
    stream.push(core === null ? -1 : numbers[core.order]!);
    stream.push(box === null ? 0 : 1);
    this.#hash = stream.hash();
    return { value: this.#values.get(this.#hash)?.find(({ key }) => stream.equals(key))?.value, nodes };
  }

  /** Keeps a value for the structure that was asked for last. */
  keep(value: Value): void {
    addTo(this.#values, this.#hash, { key: this.#stream.take(), value });
  }
}
