/**
 * Decides which nodes get memory and which are computed inside the kernel of their consumer.
 *
 * The nodes are visited from the results back. Every node knows then where its elements are wanted: in which kernels, and
 * through which views. It is computed inside a kernel if each element is evaluated at most once there, or if it is free
 * or cheap; a reduction becomes the core of the kernel that finishes it; everything else is stored.
 */
import type { Axes, Limits, Shape } from '../backend.ts';
import { isByte, isHalf } from '../dtype.ts';
import { isNumber, type Node } from '../graph/node.ts';
import type { Access, Box } from '../graph/primitive.ts';
import { addTo } from '../lists.ts';
import { isWidening } from '../ops/halves.ts';
import { sameShape } from '../shape.ts';
import { behindViews, isLeaf, resolve, runOf, type Trace } from './trace.ts';

/** A loop nest to be: what it writes, and the reduction at its core. */
export interface KernelPlan extends KernelTarget {
  /** The nest whose reduction the kernel runs, or null. */
  readonly core: Node | null;
  /** The permutation through which the core is wanted, if through one: the kernel walks its axes, not those of the core. */
  readonly permuted: Permuted | null;
}

/** What a kernel writes. */
interface KernelTarget {
  /** The node that is written, or the one whose box is written. */
  readonly owner: Node;
  /** The node that the kernel computes. */
  readonly root: Node;
  /** Where the kernel writes a box of its owner only: that box. */
  readonly box: PlacedBox | null;
}

/** A view that permutes axes. */
interface Permuted {
  readonly shape: Shape;
  /** The axis of what it views that becomes each of its own. */
  readonly order: Axes;
}

/** A box, and the input of its owner that holds what lies around all boxes, if one does. */
export interface PlacedBox extends Box {
  readonly base: number | null;
}

/** A loop, and the parts of it that are wanted. */
export interface LoopPlan {
  readonly loop: Node;
  readonly parts: readonly Node[];
}

export interface Schedule {
  /** In an order in which every kernel comes after those it reads from. */
  readonly kernels: readonly (KernelPlan | LoopPlan)[];
  /** By `node.order`: whether the node has memory. */
  readonly stored: readonly boolean[];
}

/**
 * One way in which a kernel wants the elements of a node. A place stands for a flat position that depends on the kernel's
 * loops, and is a number that says no more than whether two of them are the same: `x.exp().add(x)` wants x at one place, so
 * each element is read once; `x.add(x.flip())` wants it at two.
 */
interface Use {
  readonly kernel: number;
  readonly place: number;
  readonly access: Access;
}

/** Operations that a kernel may have besides those that compute indices, of the 128 that a body holds in all (`lower.ts`). */
const operationBudget = 28;

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
  /** By number of the kernel: what it writes, and its reduction once that is known. */
  readonly #targets: KernelTarget[] = [];
  readonly #cores: (Pick<KernelPlan, 'core' | 'permuted'> | undefined)[] = [];
  readonly #operations: number[] = [];
  readonly #reads: number[] = [];
  readonly #elementPlaces: number[] = [];
  /** For places behind a permutation of the element that the kernel writes: that permutation. */
  readonly #permutations = new Map<number, Permuted>();
  /** The place at which a node that is wanted at one place wants its input, so that asking twice gives one place. */
  readonly #places = new Map<number, number>();
  #placeCount = 0;
  readonly #mostInputs: number;
  /** By `node.order`: the kernels that write the node. */
  readonly #kernelsOf: (number[] | undefined)[];
  readonly #drawn: ReadonlySet<Node>;
  /** By loop: its parts that are wanted. */
  readonly #parts = new Map<Node, Node[]>();

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
    this.#kernelsOf = new Array(length);
    this.#drawn = new Set(trace.drawn);
    let mostInputs = 1;
    for (const node of trace.order) {
      if (this.#isLeaf(node)) continue;
      mostInputs = Math.max(mostInputs, node.inputs.length);
      for (const input of node.inputs) {
        const at = resolve(input).order;
        this.#consumers[at] = this.#consumers[at]! + 1;
      }
    }
    this.#mostInputs = mostInputs;
  }

  run(): Schedule {
    const { order } = this.#trace;
    for (let position = order.length - 1; position >= 0; position--) this.#place(order[position]!);
    const none = { core: null, permuted: null };
    const planOf = (kernel: number): KernelPlan | LoopPlan => {
      const target = this.#targets[kernel]!;
      const parts = this.#parts.get(target.owner);
      return parts === undefined ? { ...target, ...(this.#cores[kernel] ?? none) } : { loop: target.owner, parts };
    };
    return { kernels: this.#kernelsOf.flatMap((kernels) => kernels?.map(planOf) ?? []), stored: this.#stored };
  }

  #isLeaf(node: Node): boolean {
    return isLeaf(node) || this.#drawn.has(node);
  }

  #place(node: Node): void {
    const at = node.order;
    if (this.#isLeaf(node)) {
      this.#stored[at] = true;
      return;
    }
    if (node.size === 0) return; // an empty tensor is never computed; consumers see zeros
    if (node.primitive.kind === 'part') {
      this.#stored[at] = true;
      addTo(this.#parts, resolve(node.inputs[0]!), node);
      return;
    }
    if (node.primitive.kind === 'loop') {
      if (this.#parts.has(node)) this.#openLoop(node);
      return;
    }
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
        if (this.#mayInline(node, uses) || this.#decodes(node, uses) || this.#widens(node, uses)) {
          for (const use of uses) this.#inline(node, use);
        } else this.#store(node);
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
      if (access === 'dense') return node.primitive.keepsOrder !== true;
      if (isWidening(node)) return false;
      if (access === 'whole') return node.primitive.keepsOrder !== true;
      return (access === 'stored' || access === 'strided') && kind !== 'view' && !this.#isDecoding(node, access);
    });
  }

  #store(node: Node): void {
    this.#stored[node.order] = true;
    const boxes = this.#boxesOf(node);
    if (boxes === null) {
      const kernel = this.#open({ owner: node, root: node, box: null });
      if (node.primitive.kind === 'nest') this.#cores[kernel] = { core: node, permuted: null };
      const use: Use = { kernel, place: this.#elementPlaces[kernel]!, access: 'once' };
      if (node.primitive.kind === 'view') this.#passOn(node, use);
      else this.#useInputs(node, use);
      return;
    }
    if (boxes.base !== null) {
      this.#use(node.inputs[boxes.base]!, { kernel: -1, place: -1, access: 'dense' });
    }
    for (const box of boxes.boxes) {
      const root = resolve(node.inputs[box.input]!);
      if (root.size === 0) continue;
      const kernel = this.#open({ owner: node, root, box: { ...box, base: boxes.base } });
      this.#use(root, { kernel, place: this.#elementPlaces[kernel]!, access: 'once' });
    }
  }

  /** A loop reads its inputs where they lie. */
  #openLoop(node: Node): void {
    this.#open({ owner: node, root: node, box: null });
    for (const input of node.inputs) this.#use(runOf(input).node, { kernel: -1, place: -1, access: 'dense' });
  }

  /** The boxes of a node, where the device may write in place and all starts are known to the host. */
  #boxesOf(node: Node): ReturnType<NonNullable<Node['primitive']['boxes']>> | null {
    const boxes = this.#limits.inPlace ? node.primitive.boxes?.(node) : undefined;
    if (boxes === undefined) return null;
    const isKnown = (start: number | { readonly input: number }): boolean => {
      return typeof start === 'number' || isNumber(resolve(node.inputs[start.input]!));
    };
    return boxes.boxes.every(({ start }) => start.every(isKnown)) ? boxes : null;
  }

  #open(target: KernelTarget): number {
    const kernel = this.#targets.push(target) - 1;
    const { order } = target.owner;
    const own = this.#kernelsOf[order];
    if (own === undefined) this.#kernelsOf[order] = [kernel];
    else own.push(kernel);
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

  /**
   * What bytes mean, as the operand of a product: the product reads the bytes, a quarter of the memory or less, and what a
   * byte means costs little. A backend without products of bytes computes the operand first, as if it were stored.
   */
  #isDecoding(node: Node, access: Access): boolean {
    return (
      access === 'strided' && node.primitive.kind === 'pointwise' && !isByte(node.dtype) && bytesBehind(node) !== null
    );
  }

  /** Half floats in memory are float32 once they are read, in whatever kernel. */
  #widens(node: Node, uses: readonly Use[]): boolean {
    return isWidening(node) && uses.every((use) => this.#fits(node, use.kernel));
  }

  #decodes(node: Node, uses: readonly Use[]): boolean {
    return uses.every((use) => this.#isDecoding(node, use.access) && this.#fits(node, use.kernel));
  }

  #fits(node: Node, kernel: number): boolean {
    const operations = this.#operations[kernel]! + (node.primitive.operations ?? 1);
    const reads = this.#reads[kernel]! + node.inputs.length - 1;
    const room = Math.min(this.#limits.maxReads, this.#limits.maxBindings - 1);
    return operations <= operationBudget && reads < room;
  }

  /** One simple operation on values that are in memory anyway: computing it again costs less than storing it. */
  #isCheap(node: Node): boolean {
    if (node.primitive.isCheap !== true) return false;
    return node.inputs.every((input) => {
      const source = behindViews(input);
      if (isWidening(source)) return true;
      const isShared = this.#consumers[source.order]! > 1 && source.primitive.kind !== 'pointwise';
      return this.#isLeaf(source) || source.primitive.kind === 'source' || this.#isRoot[source.order] === 1 || isShared;
    });
  }

  #inline(node: Node, use: Use): void {
    this.#operations[use.kernel] = this.#operations[use.kernel]! + 1;
    this.#reads[use.kernel] = this.#reads[use.kernel]! + node.inputs.length - 1;
    this.#useInputs(node, use);
  }

  /** A reduction whose elements one pointwise kernel finishes becomes the core of that kernel. */
  #becomeCore(node: Node, uses: readonly Use[]): boolean {
    const [use] = uses as [Use];
    if (uses.length !== 1 || use.access !== 'once') return false;
    const target = this.#targets[use.kernel];
    if (target === undefined || this.#cores[use.kernel] !== undefined) return false;
    const permuted = this.#permutations.get(use.place) ?? null;
    if (permuted === null && use.place !== this.#elementPlaces[use.kernel]) return false;
    if (permuted !== null && !mayPermute(node, permuted)) return false;
    const domain = (permuted ?? node).shape;
    if (target.box !== null && !sameShape(domain, target.root.shape)) {
      const splits = permuted && splitsBetween(target.root.shape, domain);
      if (!splits?.every((inner, axis) => maySplit(target, axis, inner))) return false;
    }
    this.#cores[use.kernel] = { core: node, permuted };
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
      const isFinishing = primitive.finishing?.includes(k) === true;
      const place = isAligned || isFinishing ? use.place : this.#beyond(use.place, node, k);
      // of what bytes mean, only the bytes must be where a product can read them
      const isAside = use.access === 'strided' && primitive.kind === 'pointwise' && bytesBehind(input) === null;
      this.#use(input, { kernel: use.kernel, place, access: stricter(access, isAside ? 'many' : use.access) });
    });
  }

  #passOn(node: Node, use: Use): void {
    node.inputs.forEach((input, k) => {
      const access = k > 0 ? 'many' : (node.primitive.access?.(node, 0) ?? 'once');
      // a place is a flat position
      const place = node.primitive.keepsOrder === true ? use.place : this.#beyond(use.place, node, k);
      const order = node.primitive.order?.(node);
      if (order !== undefined && use.place === this.#elementPlaces[use.kernel]) {
        this.#permutations.set(place, { shape: node.shape, order });
      }
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
    else list[index] = { ...use, access: stricter(list[index]!.access, use.access) };
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

/** Whether a nest may write its numbers where the permutation wants them: neighbours stay neighbours, nothing is reshaped. */
function mayPermute({ primitive, shape }: Node, { order, shape: permuted }: Permuted): boolean {
  const isWhole =
    primitive.mayPermute === true &&
    sameShape(
      permuted,
      order.map((axis) => shape[axis]!),
    );
  return isWhole && order.length === shape.length && order.at(-1) === order.length - 1;
}

/**
 * How the loops `domain` walk over `shape`, where each axis is one loop or two nested ones: for each axis the size of the inner
 * loop, or 1. [6, 4] in loops of [2, 3, 4] is [3, 1]; null where the loops do not come from the axes like this.
 */
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

/**
 * Whether an axis may be two loops. A box must then start where the inner loop starts: with an inner loop of 3, a box may begin
 * at row 6 and not at row 4.
 */
export function maySplit({ box, owner }: KernelTarget, axis: number, inner: number): boolean {
  if (box === null || inner === 1) return true;
  const start = box.start[axis];
  return typeof start === 'number' && start % inner === 0 && owner.shape[axis]! % inner === 0;
}

const strictness: readonly Access[] = ['once', 'many', 'stored', 'strided', 'whole', 'dense'];

function stricter(a: Access, b: Access): Access {
  return strictness.indexOf(a) > strictness.indexOf(b) ? a : b;
}

/** Operations between bytes and what they mean, at most: two of a cast, four of half a byte with its scale and its offset. */
const decodingSteps = 6;

/**
 * The one tensor of bytes that the operand of a product is made of, element by element, or null: `cast(bytes)`, the low bits
 * of them, or half a byte times a scale that many of them share. Bytes that are computed here count as well, they are stored.
 */
export function bytesBehind(operand: Node, steps: number = decodingSteps): Node | null {
  if (isByte(operand.dtype)) return operand;
  if (steps === 0) return null;
  const { kind } = operand.primitive;
  if (isLeaf(operand) || (kind !== 'pointwise' && kind !== 'view')) return null;
  let bytes: Node | null = null;
  for (const input of operand.inputs) {
    const behind = behindViews(input);
    const found = bytesBehind(behind, steps - 1);
    if (found === null) {
      if (!isAside(behind, operand.size, steps)) return null;
    } else if (bytes !== null && bytes !== found) return null;
    else bytes = found;
  }
  return bytes;
}

/** Constants, numbers, what is computed of them, and leaves of far fewer elements than `size`. */
function isAside(node: Node, size: number, steps: number): boolean {
  if (isLeaf(node)) return node.size * 16 <= size;
  if (node.primitive.kind === 'source') return node.primitive.isRandom !== true;
  if (node.primitive.kind !== 'pointwise' || steps === 0) return false;
  return node.inputs.every((input) => isAside(behindViews(input), size, steps - 1));
}
