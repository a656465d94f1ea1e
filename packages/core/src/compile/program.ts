/**
 * Puts lowered kernels together as a Program: buffers, steps, scalars, outputs and donations. The order of steps is that
 * of the graph, except that a step that takes over an input's memory waits for the input's last reader.
 */

import type { BufferType, DType, Kernel, Limits, Loop, Program, Step } from '../backend.ts';
import { BackendError } from '../errors.ts';
import { constantValue, type Node } from '../graph/node.ts';
import type { LoopMemory, LoopStep, LoweredLoop } from '../graph/primitive.ts';
import { addTo } from '../lists.ts';
import { show, sizeOf } from '../shape.ts';
import { findGroups, safeGroups } from './group.ts';
import { lastReads } from './last-reads.ts';
import { type LoweredKernel, Lowerer, splitSize } from './lower.ts';
import { assignSlots } from './memory.ts';
import { savedFirst, slicesToSave } from './saved-slices.ts';
import { type LoopPlan, schedule } from './schedule.ts';
import { resolve, runOf, type Trace, traceGraph } from './trace.ts';

/** A root whose new value may take the memory of a leaf. */
export interface Donation {
  readonly leaf: number;
  readonly root: number;
}

export interface CompiledProgram {
  readonly program: Program;
  /** For each input of the program: the leaf of the trace, or the number of leaves plus the drawn random tensor. */
  readonly inputs: readonly number[];
  /** For each scalar of the program: the number of the trace. */
  readonly scalars: readonly number[];
  /** For each root of the trace: the output that holds it, or -1 where it is a leaf. */
  readonly outputs: readonly number[];
  /** The leaves whose memory the program takes. */
  readonly donated: readonly number[];
  /** For each step the place in the trace's order of the node that it is for: that of its reduction, if it has one. */
  readonly origins: readonly number[];
}

/** A step whose buffers still are numbers in the order of writing. */
export interface DraftStep {
  readonly step: Omit<Step, 'inPlace'>;
  readonly aligned: readonly number[];
  /** The place in the trace's order of the node that it is for. */
  readonly origin: number;
  /** The loop whose turns run it. */
  readonly loop?: DraftLoop;
}

export type DraftLoop = Pick<Loop, 'count' | 'carried'>;

export function buildProgram(trace: Trace, donations: readonly Donation[], limits: Limits): CompiledProgram {
  const kernels = lowerAll(trace, limits);
  const builder = new ProgramBuilder(trace, limits);
  for (const lowered of kernels) builder.add(lowered);
  return builder.finish(donations);
}

type Lowered = LoweredKernel | { readonly loop: LoweredLoop; readonly origin: number };

/** Lowers every kernel; where one does not fit, a node more is stored and all are planned again. */
function lowerAll(trace: Trace, limits: Limits): Lowered[] {
  const saved = limits.inPlace ? slicesToSave(trace) : new Map<Node, Node>();
  const forced = new Set<Node>(saved.keys());
  const lowerer = new Lowerer(trace.order.length, limits);
  for (;;) {
    const plan = schedule(trace, limits, forced);
    const before = forced.size;
    const kernels: (LoweredKernel | LoopPlan)[] = [];
    for (const kernel of savedFirst(plan.kernels, saved, (kernel) => ('loop' in kernel ? kernel.loop : kernel.owner))) {
      const lowered = 'loop' in kernel ? kernel : lowerer.lower(kernel, plan);
      if ('store' in lowered) forced.add(lowered.store);
      else kernels.push(lowered);
    }
    if (forced.size > before) continue;
    return kernels.map((kernel) => {
      if (!('loop' in kernel)) return kernel;
      const { loop, parts } = kernel;
      return { loop: loop.primitive.loop!(loop, parts, (roots) => lowerTurn(roots, limits)), origin: loop.order };
    });
  }
}

/** The kernels of a turn of a loop, which has none inside. */
function lowerTurn(roots: readonly Node[], limits: Limits): LoweredKernel[] {
  return lowerAll(traceGraph(roots, false, []), limits).filter((lowered) => 'kernel' in lowered);
}

class ProgramBuilder {
  readonly #trace: Trace;
  readonly #limits: Limits;
  readonly #buffers: BufferType[] = [];
  readonly #inputs: number[] = [];
  readonly #scalars: number[] = [];
  readonly #scalarTypes: DType[] = [];
  readonly #bufferOf = new Map<Node, number>();
  readonly #leafNumbers = new Map<unknown, number>();
  /** The input of a leaf. */
  readonly #inputOf = new Map<number, number>();
  readonly #numberOf = new Map<Node, number>();
  readonly #scalarOf = new Map<Node, number>();
  readonly #drafts: Lowered[] = [];
  readonly #loopMemory = new Map<LoopMemory, number>();

  constructor(trace: Trace, limits: Limits) {
    this.#trace = trace;
    this.#limits = limits;
    for (const [leaf, node] of trace.leaves.entries()) this.#leafNumbers.set(node.storage ?? node, leaf);
    for (const [k, node] of trace.drawn.entries()) this.#leafNumbers.set(node, trace.leaves.length + k);
    for (const [number, node] of trace.numbers.entries()) this.#numberOf.set(node, number);
  }

  add(lowered: Lowered): void {
    this.#drafts.push(lowered);
  }

  finish(requested: readonly Donation[]): CompiledProgram {
    this.#declareInputs();
    const inputCount = this.#buffers.length;
    let steps = this.#drafts.flatMap((lowered) =>
      'loop' in lowered ? this.#draftLoop(lowered.loop, lowered.origin) : [this.#draftStep(lowered)],
    );
    const trace = this.#trace;
    // a root that occurs twice is one output
    const outputNumbers = new Map<number, number>();
    const outputOf = trace.roots.map((root) => {
      const buffer = this.#bufferOf.get(root);
      if (buffer === undefined || buffer < inputCount) return -1;
      const known = outputNumbers.get(buffer) ?? outputNumbers.size;
      outputNumbers.set(buffer, known);
      return known;
    });
    const outputs = [...outputNumbers.keys()];
    const taken = new Set<number>();
    const wanted = requested.flatMap(({ leaf, root }) => {
      const input = this.#inputOf.get(leaf);
      const output = outputs[outputOf[root]!];
      if (input === undefined || output === undefined || taken.has(output) || !this.#sameType(input, output)) return [];
      taken.add(output); // one value for two variables has one memory
      return [{ input, output }];
    });
    steps = postponeDonations(steps, wanted);
    const donations = safeDonations(steps, wanted, this.#limits.inPlace);
    const loops = loopsOf(steps);
    const groups = findGroups(
      steps.map(({ step }) => step),
      inputCount,
      outputs,
      loops,
    );
    const program = assignSlots({
      buffers: this.#buffers,
      inputs: inputCount,
      steps,
      outputs,
      donations,
      groups,
      loops,
      inPlace: this.#limits.inPlace,
    });
    const slots = program.buffers.map(({ slot }) => slot);
    return {
      program: {
        ...program,
        inputs: inputCount,
        donations: donations.map(({ input, output }) => ({ input, output: outputNumbers.get(output)! })),
        scalars: this.#scalarTypes,
        groups: safeGroups(groups, program.steps, slots),
        ...(loops.length > 0 && { loops }),
        outputs,
      },
      inputs: this.#inputs,
      scalars: this.#scalars,
      outputs: outputOf,
      donated: donations.map(({ input }) => this.#inputs[input]!),
      origins: steps.map(({ origin }) => origin),
    };
  }

  /** The leaves that kernels read, in the order of the trace. */
  #declareInputs(): void {
    const used = new Set<number>();
    const note = (node: Node): void => {
      const leaf = this.#leafNumbers.get(node.storage ?? node);
      if (leaf !== undefined) used.add(leaf);
    };
    for (const lowered of this.#drafts) {
      if ('loop' in lowered) {
        const { before, turn, after } = lowered.loop;
        for (const { reads } of [...before, ...turn, ...after]) {
          for (const { from } of reads) if ('primitive' in from) note(runOf(from).node);
        }
        continue;
      }
      const { plan, reads } = lowered;
      for (const node of reads) note(node);
      const base = plan.box?.base ?? null;
      if (base !== null) note(this.#baseOf(plan.owner, base));
    }
    const sources = [...this.#trace.leaves, ...this.#trace.drawn];
    for (const leaf of [...used].sort((a, b) => a - b)) {
      const { dtype, shape } = sources[leaf]!;
      this.#addBuffer({ dtype, shape });
      this.#inputOf.set(leaf, this.#inputs.push(leaf) - 1);
    }
  }

  /** The node whose memory holds the rest around a box: a view that keeps the order shares the memory of what it views. */
  #baseOf(node: Node, input: number): Node {
    let base = resolve(node.inputs[input]!);
    while (base.storage === null && !this.#bufferOf.has(base) && base.primitive.keepsOrder === true) {
      base = resolve(base.inputs[0]!);
    }
    return base;
  }

  #draftStep(lowered: LoweredKernel): DraftStep {
    const { plan, kernel } = lowered;
    requireCountable(kernel);
    const { owner, box } = plan;
    const origin = (plan.core ?? plan.root).order;
    const reads = lowered.reads.map((node, read) => ({
      buffer: this.#buffer(node),
      offset: lowered.offsets[read]!,
    }));
    const scalars = lowered.scalars.map((node) => this.#scalar(node));
    if (box === null) {
      const write = this.#addBuffer({ dtype: owner.dtype, shape: owner.shape });
      this.#bufferOf.set(owner, write);
      return { step: { kernel, write, reads, scalars }, aligned: lowered.aligned, origin };
    }
    // each box is written on top of the one before
    const before = this.#bufferOf.get(owner);
    const base = before ?? (box.base === null ? null : this.#buffer(this.#baseOf(owner, box.base)));
    const write = this.#addBuffer({ dtype: owner.dtype, shape: owner.shape });
    this.#bufferOf.set(owner, write);
    const start = box.start.map((at) => {
      if (typeof at === 'number') return at;
      const node = resolve(owner.inputs[at.input]!);
      return constantValue(node) ?? { scalar: this.#scalar(node) };
    });
    const into = { base, ...splitBox(owner.shape, start, lowered.splits) };
    return { step: { kernel, write, reads, scalars, into }, aligned: [], origin };
  }

  #draftLoop({ count, before, turn, after, carried, parts }: LoweredLoop, origin: number): DraftStep[] {
    const memory = (of: LoopMemory): number =>
      'primitive' in of ? this.#buffer(runOf(of).node) : this.#loopMemory.get(of)!;
    const draft = ({ kernel, reads, write, aligned, piece, into }: LoopStep): DraftStep => {
      requireCountable(kernel);
      const read = reads.map(({ from, offset, move }) => ({
        buffer: memory(from),
        offset: offset + ('primitive' in from ? runOf(from).start : 0),
        ...(move !== 0 && { move }),
      }));
      const bases = [piece?.base, into?.base].map((base) =>
        base === null || base === undefined ? null : memory(base),
      );
      const buffer = this.#addBuffer({ dtype: write.dtype, shape: write.shape });
      this.#loopMemory.set(write, buffer);
      const step = {
        kernel,
        write: buffer,
        reads: read,
        scalars: [],
        ...(piece && { piece: { ...piece, base: bases[0]! } }),
        ...(into && { into: { ...into, base: bases[1]! } }),
      };
      return { step, aligned, origin };
    };
    const first = before.map(draft);
    const steps = turn.map(draft);
    const loop = { count, carried: carried.map(({ from, to }) => ({ from: memory(from), to: memory(to) })) };
    const last = after.map(draft);
    for (const [part, found] of parts) this.#bufferOf.set(part, memory(found));
    return [...first, ...steps.map((step) => ({ ...step, loop })), ...last];
  }

  #buffer(node: Node): number {
    const own = this.#bufferOf.get(node);
    if (own !== undefined) return own;
    const leaf = this.#leafNumbers.get(node.storage ?? node);
    const buffer = leaf === undefined ? undefined : this.#inputOf.get(leaf);
    if (buffer === undefined) throw new Error(`program: ${node.primitive.name} is read before it is written`);
    this.#bufferOf.set(node, buffer);
    return buffer;
  }

  #scalar(node: Node): number {
    const known = this.#scalarOf.get(node);
    if (known !== undefined) return known;
    const scalar = this.#scalars.push(this.#numberOf.get(node)!) - 1;
    this.#scalarTypes.push(node.dtype);
    this.#scalarOf.set(node, scalar);
    return scalar;
  }

  #addBuffer(type: BufferType): number {
    const size = sizeOf(type.shape);
    if (size > this.#limits.maxLength) {
      throw new BackendError(
        '/too-large',
        `A tensor of ${show(type.shape)} has ${size} elements, the device holds at most ${this.#limits.maxLength} in one: split it.`,
        { shape: type.shape, maxLength: this.#limits.maxLength },
      );
    }
    const { dtypes } = this.#limits;
    if (!dtypes.includes(type.dtype)) {
      throw new BackendError(
        '/unsupported-dtype',
        `A tensor of ${show(type.shape)} is ${type.dtype}, the device stores ${dtypes.join(', ')}: cast to one of these, or compute it on another backend.`,
        { dtype: type.dtype, dtypes },
      );
    }
    return this.#buffers.push(type) - 1;
  }

  #sameType(a: number, b: number): boolean {
    const left = this.#buffers[a]!;
    const right = this.#buffers[b]!;
    return left.dtype === right.dtype && sizeOf(left.shape) === sizeOf(right.shape);
  }
}

/** The box in terms of the kernel's loops, where an axis became two. */
function splitBox(
  shape: readonly number[],
  start: readonly (number | { readonly scalar: number })[],
  splits: readonly number[],
): Pick<NonNullable<Step['into']>, 'shape' | 'start'> {
  return {
    shape: shape.flatMap((size, axis) => splitSize(size, splits[axis]!)),
    start: start.flatMap((at, axis) => {
      const inner = splits[axis]!;
      return inner === 1 || typeof at !== 'number' ? [at] : [at / inner, 0];
    }),
  };
}

/** Devices count in 32 bits: what a kernel visits must have a number, though it may never be stored. */
function requireCountable({ domain, reduce }: Kernel): void {
  for (const loops of [domain, reduce?.extents ?? []]) {
    const count = sizeOf(loops);
    if (count < 2 ** 31) continue;
    throw new BackendError(
      '/too-many-visits',
      `A kernel over ${show(loops)} visits ${count} elements, and devices count to ${2 ** 31 - 1}: take the tensor in pieces.`,
      { shape: loops },
    );
  }
}

interface BufferDonation {
  readonly input: number;
  readonly output: number;
}

/** The loops, once their steps have numbers. */
function loopsOf(steps: readonly DraftStep[]): Loop[] {
  const loops = new Map<DraftLoop, Loop>();
  steps.forEach(({ loop }, at) => {
    if (loop !== undefined) loops.set(loop, { first: loops.get(loop)?.first ?? at, last: at, ...loop });
  });
  return [...loops.values()];
}

/** Moves each step that takes over an input behind the last other step that reads it, where nothing reads its result. */
function postponeDonations(steps: DraftStep[], donations: readonly BufferDonation[]): DraftStep[] {
  if (donations.length === 0) return steps;
  const lastRead = lastReads(steps.map(({ step }) => step));
  const takes = new Map(donations.map(({ input, output }) => [output, input]));
  const delayed = new Map<number, DraftStep[]>();
  const moved = new Set<DraftStep>();
  steps.forEach((draft, at) => {
    const input = takes.get(draft.step.write);
    if (input === undefined || draft.step.into !== undefined || lastRead.has(draft.step.write)) return;
    const reading = lastRead.get(input) ?? -1;
    // nothing comes between the steps of a loop
    const loop = steps[reading]?.loop;
    const last = loop === undefined ? reading : steps.findLastIndex((other) => other.loop === loop);
    if (last <= at || draft.loop !== undefined) return;
    moved.add(draft);
    addTo(delayed, last, draft);
  });
  return steps.flatMap((draft, at) => [...(moved.has(draft) ? [] : [draft]), ...(delayed.get(at) ?? [])]);
}

/**
 * The donations whose input nobody reads after its memory is written, and the writing step only where it writes (if it may
 * at all).
 */
function safeDonations(
  steps: readonly DraftStep[],
  donations: readonly BufferDonation[],
  inPlace: boolean,
): BufferDonation[] {
  if (donations.length === 0) return [];
  const lastRead = lastReads(steps.map(({ step }) => step));
  const writers = new Map(steps.map(({ step }, at) => [step.write, at]));
  return donations.filter(({ input, output }) => {
    const at = writers.get(output)!;
    if ((lastRead.get(input) ?? -1) > at) return false;
    const { step, aligned, loop } = steps[at]!;
    if (loop !== undefined || step.piece !== undefined) return false; // the turns to come may read it
    const reads = step.reads.flatMap(({ buffer }, read) => (buffer === input ? [read] : []));
    // a chain of boxes writes the same memory from its first box on
    if (step.into !== undefined) return step.into.base === input && reads.length === 0;
    return reads.every((read) => inPlace && aligned.includes(read));
  });
}
