/**
 * Turns planned kernels into loop nests: each node's body is written at the element that its consumer wants, so views
 * become index arithmetic and chains become one body. Where a body grows past the limits, the caller stores a node more.
 * Owns kernels as a whole; what a node becomes inside of a body is `body-scope.ts`.
 */
import type { Axes, Body, Kernel, Limits, Shape } from '../backend.ts';
import { isByte } from '../dtype.ts';
import { type Index, IndexSpace } from '../graph/index-expression.ts';
import type { Node } from '../graph/node.ts';
import type { LoweredKernel as LoweredParts, Value } from '../graph/primitive.ts';
import { isWidening } from '../ops/halves.ts';
import { inverseOrder, Pad } from '../ops/views.ts';
import { sameShape } from '../shape.ts';
import { affine } from './affine.ts';
import { BodyWriter, prune, takeOffsets } from './body.ts';
import { BodyScope, type KernelNodes } from './body-scope.ts';
import { internKernel } from './intern.ts';
import { bytesBehind, type KernelPlan, maySplit, type Schedule, splitsBetween } from './schedule.ts';
import { StructureCache } from './structure.ts';
import { isLeaf, resolve } from './trace.ts';

/** A kernel with the nodes that it reads from and takes its scalars from. */
export interface LoweredKernel extends LoweredParts {
  readonly plan: KernelPlan;
}

export const longestBody = 128;

/** What all kernels of one structure share; reads and scalars are places among the kernel's nodes. */
interface LoweredStructure extends Pick<LoweredKernel, 'kernel' | 'offsets' | 'aligned' | 'splits'> {
  readonly reads: readonly number[];
  readonly scalars: readonly number[];
}

/** Lowers the kernels of one trace, each structure once. */
export class Lowerer {
  readonly #limits: Limits;
  readonly #structures: StructureCache<LoweredStructure>;

  /** `nodes`: how many the trace has. */
  constructor(nodes: number, limits: Limits) {
    this.#limits = limits;
    this.#structures = new StructureCache(nodes);
  }

  /** The loop nest of a plan, or the node to store so that it fits. */
  lower(plan: KernelPlan, schedule: Schedule): LoweredKernel | { readonly store: Node } {
    const { value: known, nodes } = this.#structures.find(plan, schedule);
    if (known !== undefined) {
      const node = (place: number): Node => nodes[place]!;
      return { ...known, plan, reads: known.reads.map(node), scalars: known.scalars.map(node) };
    }
    const whole = plan.root.shape.map(() => 1);
    const splits = (plan.permuted && splitsBetween(plan.root.shape, plan.permuted.shape)) ?? whole;
    for (;;) {
      const writer = new KernelWriter(plan, schedule, splits);
      const lowered = writer.write(this.#limits);
      const split = plan.core === null ? writer.axisToSplit() : null;
      if (split !== null) {
        splits[split.axis] = split.inner;
        continue;
      }
      // how a box is split depends on where it starts, of which its structure knows nothing
      if (!('store' in lowered) && (plan.box === null || !writer.hasDivisions)) {
        const place = (node: Node): number => nodes.indexOf(node);
        const { kernel, offsets, aligned, reads, scalars } = lowered;
        this.#structures.keep({
          kernel,
          offsets,
          aligned,
          splits,
          reads: reads.map(place),
          scalars: scalars.map(place),
        });
      }
      return lowered;
    }
  }
}

class KernelWriter implements KernelNodes {
  readonly #plan: KernelPlan;
  readonly #schedule: Schedule;
  readonly #domain: Shape;
  /** For each axis of the core the loop that walks it. */
  readonly #loops: Axes;
  readonly #extents: Shape;
  readonly #space = new IndexSpace();
  readonly #reads: Node[] = [];
  readonly #scalars: Node[] = [];
  readonly #operands: Value[] = [];
  /** For each operand the input of the core that it is. */
  readonly #operandInputs: number[] = [];
  #inlined: Node[] = [];
  readonly #splits: readonly number[];

  /** `splits`: for each axis of the root the size of an inner loop that it is split off into, or 1. */
  constructor(plan: KernelPlan, schedule: Schedule, splits: readonly number[]) {
    this.#plan = plan;
    this.#schedule = schedule;
    this.#splits = splits;
    // the core may be a reshape away from what is written: its axes are the loops, the flat order is the same
    this.#domain =
      (plan.permuted ?? plan.core)?.shape ?? plan.root.shape.flatMap((size, k) => splitSize(size, splits[k]!));
    this.#loops = plan.permuted === null ? this.#domain.map((_, axis) => axis) : inverseOrder(plan.permuted.order);
    const extents = plan.core === null ? [] : this.#reductionOf(plan.core).extents;
    this.#extents = extents;
  }

  write(limits: Limits): LoweredKernel | { readonly store: Node } {
    const { core, root } = this.#plan;
    const walked = this.#domain.map((size, axis) => this.#space.axis(axis, size));
    const target = sameShape(this.#domain, root.shape)
      ? walked
      : this.#space.unflatten(this.#space.flatten(walked, this.#domain), root.shape);
    const element = this.#loops.map((loop) => walked[loop]!);
    if (core === null || this.#extents.includes(0)) {
      const writer = new BodyWriter(this.#space);
      const body = new BodyScope(this, writer, []);
      if (core !== null) body.preset(core, element, this.#emptyReduction(core, body, element));
      const result = body.evaluate(root, target);
      return this.#finish(limits, [writer.finish(result).body]);
    }
    const reduce = this.#reductionOf(core);
    const reduced = this.#extents.map((size, k) => this.#space.axis(this.#domain.length + k, size));
    const valueWriter = new BodyWriter(this.#space);
    const valueScope = new BodyScope(this, valueWriter, reduced);
    const value = valueScope.lower(core, element);
    const { body, positions } = valueWriter.finish(value, this.#operands);
    const refused = this.#checkOperands(core, body, positions);
    if (refused !== null) return { store: refused };

    const epilogueWriter = new BodyWriter(this.#space);
    const scope = new BodyScope(this, epilogueWriter, []);
    const accumulator = epilogueWriter.accumulator(reduce.dtype);
    const finished = core.primitive.finish?.(core, scope.at(core, element), accumulator) ?? accumulator;
    if (core === root && finished === accumulator) return this.#finish(limits, [body], reduce, positions);
    scope.preset(core, element, finished);
    const result = scope.evaluate(root, target);
    if (result === accumulator) return this.#finish(limits, [body], reduce, positions);
    return this.#finish(limits, [body, epilogueWriter.finish(result).body], reduce, positions);
  }

  /**
   * An axis whose index some view divides: where channels are split into heads, channel c is head c / 64 and element c % 64 of
   * it. As two nested loops, over heads and over elements, nothing has to be divided, and every load steps evenly. The
   * elements are still written in the same order.
   */
  axisToSplit(): { readonly axis: number; readonly inner: number } | null {
    const { root } = this.#plan;
    if (this.#splits.some((inner) => inner > 1) || this.#space.divided.length === 0) return null;
    for (const { axis, by } of this.#space.divided) {
      const size = root.shape[axis];
      if (size === undefined || size % by !== 0 || size === by) continue;
      if (maySplit(this.#plan, axis, by)) return { axis, inner: by };
    }
    return null;
  }

  /** Whether some view divides a loop's index. */
  get hasDivisions(): boolean {
    return this.#space.divided.length > 0;
  }

  isStored(node: Node): boolean {
    return this.#schedule.stored[node.order] === true;
  }

  /** What the kernel itself computes has memory too, but here it must not be read from there. */
  isComputedHere(node: Node): boolean {
    return node === this.#plan.core || (node === this.#plan.owner && this.#plan.box === null);
  }

  read(node: Node): number {
    const known = this.#reads.indexOf(node);
    return known >= 0 ? known : this.#reads.push(node) - 1;
  }

  scalar(node: Node): number {
    const known = this.#scalars.indexOf(node);
    return known >= 0 ? known : this.#scalars.push(node) - 1;
  }

  /** The next operand of the core, and the input that it is. */
  operand(value: Value, input: number): void {
    this.#operands.push(value);
    this.#operandInputs.push(input);
  }

  noteInlined(node: Node): void {
    this.#inlined.push(node);
  }

  #reductionOf(core: Node): NonNullable<Kernel['reduce']> {
    return core.primitive.reduction!(core);
  }

  /** What a reduction over an empty axis gives: 0 for a sum, 1 for a product, the infinities for extremes. */
  #emptyReduction(core: Node, scope: BodyScope, element: readonly Index[]): Value {
    const { op, dtype } = this.#reductionOf(core);
    const neutral = { sum: 0, product: 1, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY }[op];
    const value = scope.writer.constant(neutral, dtype);
    return core.primitive.finish?.(core, scope.at(core, element), value) ?? value;
  }

  /**
   * The node behind the first operand that must be a plain strided load and is none: such a view is stored first. Not its
   * permutation, which is a strided load of the stored one: so a product and its gradients store the same node. Of what is made
   * of padded bytes these are stored, and of half floats that are read as float32 the half floats.
   */
  #checkOperands(core: Node, body: Kernel['value'], positions: readonly number[]): Node | null {
    for (const [k, position] of positions.entries()) {
      const input = this.#operandInputs[k]!;
      if (core.primitive.access?.(core, input) !== 'strided') continue;
      if (readsEvenly(body, position)) continue;
      let node = resolve(core.inputs[input]!);
      while (node.primitive.order !== undefined) node = resolve(node.inputs[0]!);
      const halves = isWidening(node) && !isLeaf(node) ? resolve(node.inputs[0]!) : node;
      return halves !== node && !this.isStored(halves) ? halves : (paddedBytes(node) ?? node);
    }
    return null;
  }

  #finish(
    limits: Limits,
    written: readonly Body[],
    reduce?: Kernel['reduce'],
    operands: readonly Value[] = [],
  ): LoweredKernel | { readonly store: Node } {
    const { core } = this.#plan;
    // the operands of a convolution are dense from their first element
    const { bodies, offsets } =
      core?.primitive.hint !== undefined && core.primitive.access?.(core, 0) === 'whole'
        ? { bodies: written, offsets: this.#reads.map(() => 0) }
        : takeOffsets(written, this.#reads.length);
    const isRewritten = offsets.some((offset) => offset !== 0);
    const { body: value, positions } = isRewritten
      ? prune(bodies[0]!, operands)
      : { body: bodies[0]!, positions: operands };
    const epilogue = bodies[1] === undefined || !isRewritten ? bodies[1] : prune(bodies[1]).body;
    const hint = reduce && core ? core.primitive.hint?.(core, positions, this.#loops) : undefined;
    const room = Math.min(limits.maxReads, limits.maxBindings - 1);
    const isTooLong = value.length > longestBody || (epilogue?.length ?? 0) > longestBody;
    if (isTooLong || this.#reads.length > room) return { store: this.#nodeToStore() };
    const kernel = internKernel({
      domain: this.#domain,
      dtype: (epilogue ?? value).at(-1)!.dtype,
      reads: this.#reads.map(({ dtype }) => dtype),
      scalars: this.#scalars.map(({ dtype }) => dtype),
      value,
      ...(reduce === undefined ? {} : { reduce }),
      ...(epilogue === undefined ? {} : { epilogue }),
      ...(hint === undefined ? {} : { hint }),
    });
    const aligned = this.#reads.flatMap((node, read) =>
      offsets[read] === 0 && isAligned(kernel, read, node) ? [read] : [],
    );
    return {
      plan: this.#plan,
      kernel,
      reads: this.#reads,
      offsets,
      scalars: this.#scalars,
      aligned,
      splits: this.#splits,
    };
  }

  /** The inlined node that best halves the kernel: the one with about half of the inlined nodes before it. */
  #nodeToStore(): Node {
    const candidates = this.#inlined.filter(
      (node) => node.primitive.kind === 'pointwise' && node !== this.#plan.root && node !== this.#plan.core,
    );
    const chosen = candidates[candidates.length >> 1] ?? this.#inlined.find((node) => node !== this.#plan.root);
    if (chosen === undefined) throw new Error(`lower: ${this.#plan.root.primitive.name} does not fit one kernel`);
    return chosen;
  }
}

/** A size as that of an outer and an inner loop. */
export function splitSize(size: number, inner: number): number[] {
  return inner === 1 ? [size] : [size / inner, inner];
}

/** Whether the value is a load at an even step, or is made of such loads without any choice between them. */
function readsEvenly(body: Body, position: number): boolean {
  const op = body[position]!;
  if (op.op === 'load') return affine(body, op.index) !== null;
  return !('args' in op) || (op.op !== 'where' && op.args.every((arg) => readsEvenly(body, arg)));
}

/** The padding among the views of the bytes that an operand is made of, or null: padded bytes are stored rather than what they mean. */
function paddedBytes(operand: Node): Node | null {
  let node = operand;
  while (node.storage === null && node.primitive !== Pad) {
    const input = isByte(node.dtype) ? node.inputs[0] : node.inputs.find((each) => bytesBehind(resolve(each)) !== null);
    if (input === undefined || (isByte(node.dtype) && node.primitive.kind !== 'view')) return null;
    node = resolve(input);
  }
  return node.storage === null && isByte(node.dtype) ? node : null;
}

/** Whether every load of a read is at the flat index of the element being written. */
function isAligned(kernel: Kernel, read: number, node: Node): boolean {
  const { domain } = kernel;
  if (node.size !== domain.reduce((size, length) => size * length, 1)) return false;
  const check = (body: Kernel['value'] | undefined, mayLoad: boolean): boolean =>
    (body ?? []).every((op) => {
      if (op.op !== 'load' || op.read !== read) return true;
      const form = mayLoad ? affine(body!, op.index) : null;
      if (form === null || form.base !== 0) return false;
      let stride = 1;
      for (let axis = domain.length - 1; axis >= 0; axis--) {
        const size = domain[axis]!;
        if (size !== 1 && (form.strides.get(axis) ?? 0) !== stride) return false;
        stride *= size;
      }
      return [...form.strides.keys()].every((axis) => axis < domain.length) && form.scalars.size === 0;
    });
  // a reduction reads its operands again and again, so only its epilogue may share memory
  return check(kernel.value, kernel.reduce === undefined) && check(kernel.epilogue, true);
}
