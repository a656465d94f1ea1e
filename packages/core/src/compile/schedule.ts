/**
 * Decides which nodes get memory and which are computed inside the kernel of their consumer.
 *
 * The nodes are visited from the results back. Every node knows then where its elements are wanted: in which kernels, and
 * through which views. It is computed inside a kernel if each element is evaluated at most once there, or if it is free
 * or cheap; a reduction becomes the core of the kernel that finishes it; everything else is stored.
 */
import type { Axes, Limits, Shape } from '../backend.ts';
import { isHalf } from '../dtype.ts';
import { Constant, type Node, Scalar } from '../graph/node.ts';
import type { Access, Box } from '../graph/primitive.ts';
import { Add, Maximum, Minimum, Multiply, Subtract } from '../ops/arithmetic.ts';
import { Less, Where } from '../ops/compare.ts';
import { Contraction } from '../ops/contract.ts';
import { Cast } from '../ops/functions.ts';
import { ScatterAdd } from '../ops/indexing.ts';
import { Random } from '../ops/sources.ts';
import { Permute, Reshape } from '../ops/views.ts';
import { sameShape } from '../shape.ts';
import { behindViews, resolve, type Trace } from './trace.ts';

/** A loop nest to be: what it writes, and the reduction at its core. */
export interface KernelPlan {
  /** The node that is written, or the one whose box is written. */
  readonly owner: Node;
  /** The node that the kernel computes. */
  readonly root: Node;
  core: Node | null;
  /** The permutation through which the core is wanted: the kernel walks its axes, not those of the core; or null. */
  turn: Node | null;
  /** Where the kernel writes a box of its owner only: that box. */
  readonly box: PlacedBox | null;
}

/** A box, and the input of its owner that holds what lies around all boxes, if one does. */
export interface PlacedBox extends Box {
  readonly base: number | null;
}

export interface Schedule {
  /** In an order in which every kernel comes after those it reads from. */
  readonly kernels: readonly KernelPlan[];
  /** By `node.order`: whether the node has memory. */
  readonly stored: readonly boolean[];
}

/** Where the elements of a node are wanted. Equal places in one kernel ask for the element at the same flat position. */
interface Use {
  readonly kernel: number;
  readonly place: number;
  readonly access: Access;
}

/** Operations that a kernel may have besides index arithmetic; the body holds 128 in all. */
const operationBudget = 28;
const cheapPrimitives = new Set<unknown>([Add, Subtract, Multiply, Maximum, Minimum, Less, Where, Cast]);

export function schedule(trace: Trace, limits: Limits, forced: ReadonlySet<Node>): Schedule {
  return new Scheduler(trace, limits, forced).run();
}

class Scheduler {
  readonly #trace: Trace;
  readonly #limits: Limits;
  readonly #forced: ReadonlySet<Node>;
  readonly #isRoot: Uint8Array;
  readonly #uses: (Use[] | undefined)[];
  readonly #consumers: Int32Array;
  readonly #stored: boolean[];
  readonly #plans: KernelPlan[] = [];
  readonly #operations: number[] = [];
  readonly #reads: number[] = [];
  readonly #elementPlaces: number[] = [];
  /** Places that are one permutation away from the element of their kernel. */
  readonly #turns = new Map<number, Node>();
  /** The place behind an input of a node, by place, node and input. */
  readonly #places = new Map<number, number>();
  #placeCount = 0;
  readonly #mostInputs: number;
  readonly #ownPlans: (KernelPlan[] | undefined)[];
  readonly #drawn: ReadonlySet<Node>;

  constructor(trace: Trace, limits: Limits, forced: ReadonlySet<Node>) {
    const { length } = trace.order;
    this.#trace = trace;
    this.#limits = limits;
    this.#forced = forced;
    this.#isRoot = new Uint8Array(length);
    for (const root of trace.roots) this.#isRoot[root.order] = 1;
    this.#uses = new Array(length);
    this.#consumers = new Int32Array(length);
    this.#stored = new Array(length).fill(false);
    this.#ownPlans = new Array(length);
    this.#drawn = new Set(trace.drawn);
    let mostInputs = 1;
    for (const node of trace.order) {
      if (this.#isLeaf(node)) continue;
      mostInputs = Math.max(mostInputs, node.inputs.length);
      for (const input of node.inputs) {
        const at = resolve(input).order;
        this.#consumers[at] = (this.#consumers[at] as number) + 1;
      }
    }
    this.#mostInputs = mostInputs;
  }

  run(): Schedule {
    const { order } = this.#trace;
    for (let position = order.length - 1; position >= 0; position--) this.#place(order[position] as Node);
    const kernels = this.#ownPlans.flatMap((plans) => plans ?? []);
    return { kernels, stored: this.#stored };
  }

  #isLeaf(node: Node): boolean {
    return node.storage !== null || node.primitive.kind === 'leaf' || this.#drawn.has(node);
  }

  #place(node: Node): void {
    const at = node.order;
    if (this.#isLeaf(node)) {
      this.#stored[at] = true;
      return;
    }
    if (node.size === 0) return; // an empty tensor is never computed; consumers see zeros
    const uses = this.#uses[at] ?? [];
    if (uses.length === 0 && this.#isRoot[at] === 0) return; // wanted only by something that is empty
    if (this.#isRoot[at] === 1 || this.#forced.has(node) || this.#mustStore(node, uses)) {
      this.#store(node);
      return;
    }
    switch (node.primitive.kind) {
      case 'source':
        break;
      case 'view':
        for (const use of uses) this.#passOn(node, use);
        break;
      case 'pointwise':
        if (this.#mayInline(node, uses)) for (const use of uses) this.#inline(node, use);
        else this.#store(node);
        break;
      case 'nest':
        if (!this.#becomeCore(node, uses)) this.#store(node);
        break;
      default:
        this.#store(node);
    }
  }

  #mustStore(node: Node, uses: readonly Use[]): boolean {
    const { kind } = node.primitive;
    // operations compute in float32, so only memory rounds to half a float
    if (kind === 'pointwise' && isHalf(node.dtype)) return true;
    return uses.some(({ access }) => {
      if (access === 'dense') return node.primitive !== Reshape;
      return access === 'stored' && kind !== 'view';
    });
  }

  #store(node: Node): void {
    this.#stored[node.order] = true;
    const boxes = this.#boxesOf(node);
    if (boxes === null) {
      const kernel = this.#open({ owner: node, root: node, core: null, turn: null, box: null });
      if (node.primitive.kind === 'nest') (this.#plans[kernel] as KernelPlan).core = node;
      const use: Use = { kernel, place: this.#elementPlaces[kernel] as number, access: 'once' };
      if (node.primitive.kind === 'view') this.#passOn(node, use);
      else this.#useInputs(node, use);
      return;
    }
    if (boxes.base !== null) {
      this.#use(node.inputs[boxes.base] as Node, { kernel: -1, place: -1, access: 'dense' });
    }
    for (const box of boxes.boxes) {
      const root = resolve(node.inputs[box.input] as Node);
      if (root.size === 0) continue;
      const kernel = this.#open({ owner: node, root, core: null, turn: null, box: { ...box, base: boxes.base } });
      this.#use(root, { kernel, place: this.#elementPlaces[kernel] as number, access: 'once' });
    }
  }

  /** The boxes of a node, where the device may write in place and all starts are known to the host. */
  #boxesOf(node: Node): ReturnType<NonNullable<Node['primitive']['boxes']>> | null {
    const boxes = this.#limits.inPlace ? node.primitive.boxes?.(node) : undefined;
    if (boxes === undefined) return null;
    const isKnown = (start: number | { readonly input: number }): boolean => {
      if (typeof start === 'number') return true;
      const { primitive } = resolve(node.inputs[start.input] as Node);
      return primitive === Scalar || primitive === Constant;
    };
    return boxes.boxes.every(({ start }) => start.every(isKnown)) ? boxes : null;
  }

  #open(plan: KernelPlan): number {
    const kernel = this.#plans.push(plan) - 1;
    const own = this.#ownPlans[plan.owner.order];
    if (own === undefined) this.#ownPlans[plan.owner.order] = [plan];
    else own.push(plan);
    this.#operations.push(0);
    this.#reads.push(0);
    this.#elementPlaces.push(this.#placeCount++);
    return kernel;
  }

  #mayInline(node: Node, uses: readonly Use[]): boolean {
    const [use] = uses as [Use];
    if (uses.length === 1 && use.access === 'once') return this.#fits(node, use.kernel);
    const isCheap = uses.length <= 2 && this.#isCheap(node);
    return isCheap && uses.every(({ kernel }) => this.#fits(node, kernel));
  }

  #fits(node: Node, kernel: number): boolean {
    const cost = node.primitive === Random ? 6 : 1;
    const operations = (this.#operations[kernel] as number) + cost;
    const reads = (this.#reads[kernel] as number) + node.inputs.length - 1;
    const room = Math.min(this.#limits.maxReads, this.#limits.maxBindings - 1);
    return operations <= operationBudget && reads < room;
  }

  /** One simple operation on values that are in memory anyway: computing it again costs less than storing it. */
  #isCheap(node: Node): boolean {
    if (!cheapPrimitives.has(node.primitive)) return false;
    return node.inputs.every((input) => {
      const source = behindViews(input);
      const isShared = (this.#consumers[source.order] as number) > 1 && source.primitive.kind !== 'pointwise';
      return this.#isLeaf(source) || source.primitive.kind === 'source' || this.#isRoot[source.order] === 1 || isShared;
    });
  }

  #inline(node: Node, use: Use): void {
    this.#operations[use.kernel] = (this.#operations[use.kernel] as number) + 1;
    this.#reads[use.kernel] = (this.#reads[use.kernel] as number) + node.inputs.length - 1;
    this.#useInputs(node, use);
  }

  /** A reduction whose elements one pointwise kernel finishes becomes the core of that kernel. */
  #becomeCore(node: Node, uses: readonly Use[]): boolean {
    const [use] = uses as [Use];
    if (uses.length !== 1 || use.access !== 'once') return false;
    const plan = this.#plans[use.kernel];
    if (plan === undefined || plan.core !== null) return false;
    const turn = this.#turns.get(use.place) ?? null;
    if (turn === null && use.place !== this.#elementPlaces[use.kernel]) return false;
    if (turn !== null && !writesTurned(node, turn)) return false;
    const domain = (turn ?? node).shape;
    if (plan.box !== null && !sameShape(domain, plan.root.shape)) {
      const splits = turn && splitsBetween(plan.root.shape, domain);
      if (!splits?.every((inner, axis) => maySplit(plan, axis, inner))) return false;
    }
    plan.core = node;
    plan.turn = turn;
    this.#useInputs(node, use);
    return true;
  }

  /** Asks for the inputs of a node whose elements are wanted at `use`. */
  #useInputs(node: Node, use: Use): void {
    const { primitive } = node;
    const exact = primitive.exact ?? [];
    node.inputs.forEach((input, k) => {
      let access = primitive.access?.(node, k) ?? 'once';
      if (exact.includes(k) && access !== 'dense') access = 'stored';
      const isAligned = primitive.kind === 'pointwise' && primitive.access === undefined;
      const isFinish = primitive === ScatterAdd && k === 0;
      const place = isAligned || isFinish ? use.place : this.#beyond(use.place, node, k);
      this.#use(input, { kernel: use.kernel, place, access: stricter(access, use.access) });
    });
  }

  #passOn(node: Node, use: Use): void {
    node.inputs.forEach((input, k) => {
      const access = k > 0 ? 'many' : (node.primitive.access?.(node, 0) ?? 'once');
      // a place is a flat position, which a reshape does not change
      const place = node.primitive === Reshape ? use.place : this.#beyond(use.place, node, k);
      if (node.primitive === Permute && use.place === this.#elementPlaces[use.kernel]) this.#turns.set(place, node);
      this.#use(input, { kernel: use.kernel, place, access: stricter(access, use.access) });
    });
  }

  #use(input: Node, use: Use): void {
    const node = resolve(input);
    if (this.#isLeaf(node)) return;
    const { order } = node;
    const list = this.#uses[order];
    if (list === undefined) {
      this.#uses[order] = [use];
      return;
    }
    const index = list.findIndex(({ kernel, place }) => kernel === use.kernel && place === use.place);
    if (index < 0) list.push(use);
    else list[index] = { ...use, access: stricter((list[index] as Use).access, use.access) };
  }

  /** The place behind a node that reads its input elsewhere. */
  #beyond(place: number, node: Node, input: number): number {
    const key = (place * this.#trace.order.length + node.order) * this.#mostInputs + input;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.#placeCount);
    return this.#placeCount++;
  }
}

/** Products write their numbers wherever they are wanted, as long as neighbours stay neighbours. */
function writesTurned(node: Node, turn: Node): boolean {
  const order = turn.attributes as Axes;
  const isWhole = node.primitive === Contraction && sameShape(node.shape, (turn.inputs[0] as Node).shape);
  return isWhole && order.at(-1) === order.length - 1;
}

/** For each axis of `shape` the size of the inner of two loops that it is in `domain`, or 1; null where it is otherwise. */
export function splitsBetween(shape: Shape, domain: Shape): number[] | null {
  let at = 0;
  const splits = shape.map((size) => {
    const [outer = 0, inner = 0] = domain.slice(at, at + 2);
    at += outer === size ? 1 : 2;
    if (outer === size) return 1;
    return outer * inner === size ? inner : 0;
  });
  return at === domain.length && !splits.includes(0) ? splits : null;
}

/** Whether an axis may be two loops: where the kernel writes a box, that must start at a whole turn of the inner one. */
export function maySplit({ box, owner }: KernelPlan, axis: number, inner: number): boolean {
  if (box === null || inner === 1) return true;
  const start = box.start[axis];
  return typeof start === 'number' && start % inner === 0 && (owner.shape[axis] as number) % inner === 0;
}

const strictness: readonly Access[] = ['once', 'many', 'stored', 'dense'];

function stricter(a: Access, b: Access): Access {
  return strictness.indexOf(a) > strictness.indexOf(b) ? a : b;
}
