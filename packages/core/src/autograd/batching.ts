/**
 * Vectorisation: what a graph computes for one row, rewritten to compute it for all rows at once, as a graph again. Each node
 * that differs from row to row is made anew by its primitive's batching rule, with the rows as its first axis; all others stay
 * what they are. Nothing is computed here, and what comes out is differentiated, batched and compiled as any graph.
 */
import { ValueError } from '../errors.ts';
import { CustomGradient, customGradient } from '../graph/custom-gradient.ts';
import { unseen } from '../graph/hooks.ts';
import { apply, type Node, placeholder } from '../graph/node.ts';
import type { Cotangent } from '../graph/primitive.ts';
import { inputsFirst } from '../graph/walk.ts';
import { isBatched, spread } from '../ops/batch.ts';
import { sum } from '../ops/reduce.ts';

const none: readonly Node[] = [];

export class Batching {
  readonly size: number;
  /** Each node that was met, as it is for all rows: itself where it does not differ. */
  readonly #known: Map<Node, Node>;
  /** Draws of random numbers that differ from row to row. */
  readonly #draws: ReadonlySet<Node>;
  /** What is known of rows around those of this one. */
  readonly #outer: Batching | null;

  /** `rows`: what stands for one row, and all rows [size, ...] that it stands for. */
  constructor(
    size: number,
    rows: Iterable<readonly [row: Node, all: Node]>,
    draws: ReadonlySet<Node> = new Set(),
    outer: Batching | null = null,
  ) {
    this.size = size;
    this.#known = new Map(rows);
    this.#draws = draws;
    this.#outer = outer;
  }

  /** The node for all rows, [size, ...], or the node itself where it is the same in each. */
  of(root: Node): Node {
    const known = this.#find(root);
    if (known !== undefined) return known;
    const order = inputsFirst([root], (node) => {
      return node.storage !== null || this.#find(node) !== undefined ? none : node.inputs;
    });
    for (const node of order) if (this.#find(node) === undefined) this.#known.set(node, this.#batch(node));
    return this.#find(root) as Node;
  }

  /** As `of`, with rows in any case. */
  all(root: Node): Node {
    return spread(this.of(root), root, this.size);
  }

  #find(node: Node): Node | undefined {
    const own = this.#known.get(node);
    return own !== undefined || this.#outer === null ? own : this.#outer.#find(node);
  }

  #batch(node: Node): Node {
    const { primitive } = node;
    if (node.storage !== null) return node;
    const inputs = node.inputs.map((input) => this.#find(input) as Node);
    const isDrawn = primitive.isRandom === true && this.#draws.has(node.inputs[1] as Node);
    if (!isDrawn && inputs.every((input, k) => input === node.inputs[k])) return node;
    if (primitive === CustomGradient) return this.#customGradient(node, inputs);
    if (primitive.kind === 'transparent') return apply(primitive, inputs, node.attributes);
    if (primitive.batch !== undefined) return primitive.batch(inputs, node, this.size);
    if (primitive.kind !== 'pointwise' || primitive.access !== undefined) {
      throw new ValueError(
        'vmap',
        `${primitive.name} has no rule for many rows at a time: add \`batch\` to it, or call the function row by row.`,
        { operation: primitive.name },
      );
    }
    const all = inputs.map((input, k) => spread(input, node.inputs[k]!, this.size));
    return apply(primitive, all, node.attributes);
  }

  /** The rule of a custom gradient is asked for one row, and its answer taken for all. */
  #customGradient(node: Node, [value, ...behind]: readonly Node[]): Node {
    const rule = node.attributes as (cotangent: Node) => readonly Cotangent[];
    const own = node.inputs.slice(1);
    return customGradient(spread(value as Node, node, this.size), behind, (cotangent) => {
      const row = placeholder('float32', node.shape, node.backend);
      const rows = new Batching(this.size, [[row, cotangent]], this.#draws, this);
      return unseen(() => rule(row)).map((given, k) => () => {
        const one = typeof given === 'function' ? unseen(given) : given;
        if (one === null) return null;
        const all = rows.all(one);
        // an input that all rows share receives the cotangents of all
        return isBatched(behind[k]!, own[k]!) ? all : sum(all, 0);
      });
    });
  }
}
