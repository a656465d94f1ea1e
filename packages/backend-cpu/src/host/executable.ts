/**
 * A program bound to memory: where each buffer lives is settled when it is compiled, so that a run only takes blocks for
 * the outputs, points the calls at the blocks of this run, and calls the kernels.
 */
import {
  BackendError,
  type DType,
  type Executable,
  type Loop,
  type Measured,
  type Program,
  type TensorData,
} from '@nn/core';
import { checkRun } from '../checks.ts';
import { sizeOf } from '../shape.ts';
import { arrayKinds } from '../storage.ts';
import { Call, type KernelFunction, nothing } from './call.ts';
import type { Kernels } from './kernels.ts';
import { type Block, blockOf, blockSize, HostBuffer, type Memory } from './memory.ts';
import { place, placementOf } from './placement.ts';
import type { Region } from './region.ts';

/** A place in a call that holds an array: a read, or (below 0) one of these. */
const intoOut = -1;
const intoSource = -2;

/** An array of a call that lies in a block. */
interface BlockBinding {
  readonly call: Call;
  readonly place: number;
  readonly dtype: DType;
  readonly block: number;
}

/** An array of a call that lies in the region for intermediates. */
interface ScratchBinding {
  readonly call: Call;
  readonly place: number;
  readonly dtype: DType;
  readonly offset: number;
  readonly length: number;
}

/** Where the buffers of one slot live. */
type Home = { readonly block: number } | { readonly offset: number };

export class HostExecutable implements Executable<HostBuffer> {
  readonly paths: readonly string[];
  readonly #program: Program;
  readonly #memory: Memory;
  readonly #scratch: Region;
  #scratchVersion = -1;
  readonly #calls: Call[] = [];
  readonly #kernels: KernelFunction[] = [];
  readonly #scalars: Float64Array;
  /** The home of each buffer. Blocks are numbered: inputs first, then outputs that take over none of theirs. */
  readonly #homes: readonly Home[];
  /** For each output, its block's number, and the bytes to take where it is a new one. */
  readonly #outputs: readonly { readonly block: number; readonly byteLength: number }[];
  readonly #donated: readonly boolean[];
  readonly #blocks: Block[];
  readonly #inBlocks: BlockBinding[] = [];
  readonly #inScratch: ScratchBinding[] = [];
  /** Whether inputs and outputs are so large that the calls should not keep them alive between runs. */
  readonly #large: boolean;
  #released = false;

  constructor(program: Program, kernels: Kernels, memory: Memory, scratch: Region) {
    this.#program = program;
    this.#memory = memory;
    this.#scratch = scratch;
    this.#scalars = new Float64Array(program.scalars.length);
    this.#donated = Array.from({ length: program.inputs }, (_, input) =>
      program.donations.some((donation) => donation.input === input),
    );
    const { homes, outputs, scratchBytes } = settle(program);
    this.#homes = homes;
    this.#outputs = outputs;
    this.#blocks = new Array<Block>(program.inputs + outputs.length);
    this.#large = outputs.reduce((sum, { byteLength }) => sum + byteLength, 0) > 65536;
    const paths: string[] = [];
    for (const step of program.steps) {
      const offsets = step.reads.map(({ offset }) => offset);
      const call = new Call(step.reads.length, offsets, this.#scalars, step.scalars);
      if (step.piece !== undefined) call.base = step.piece.offset;
      this.#calls.push(call);
      const made = kernels.get(step.kernel, placementOf(step, program));
      paths.push(made.path);
      this.#kernels.push(place(step, program, made.run));
      this.#bind(call, intoOut, step.write);
      for (const [read, { buffer }] of step.reads.entries()) this.#bind(call, read, buffer);
      if (step.into?.base != null) this.#bind(call, intoSource, step.into.base);
    }
    this.paths = paths;
    scratch.reserve(scratchBytes);
  }

  run(inputs: readonly HostBuffer[], scalars: Float64Array): readonly HostBuffer[] {
    this.#prepare(inputs, scalars);
    const kernels = this.#kernels;
    const calls = this.#calls;
    let step = 0;
    for (const loop of this.#program.loops ?? []) {
      for (; step < loop.first; step++) kernels[step]!(calls[step]!);
      this.#repeat(loop);
      step = loop.last + 1;
    }
    for (; step < kernels.length; step++) kernels[step]!(calls[step]!);
    return this.#finish(inputs);
  }

  profile(inputs: readonly HostBuffer[], scalars: Float64Array): Measured<HostBuffer> {
    this.#prepare(inputs, scalars);
    const { loops = [] } = this.#program;
    const milliseconds = this.#kernels.map((kernel, step) => {
      const loop = loops.find(({ first, last }) => first <= step && step <= last);
      if (loop !== undefined && loop.first !== step) return 0; // the first step stands for all of a loop
      const start = performance.now();
      if (loop === undefined) kernel(this.#calls[step]!);
      else this.#repeat(loop);
      return performance.now() - start;
    });
    return { outputs: this.#finish(inputs), milliseconds };
  }

  /** All turns of a loop. */
  #repeat({ first, last, count }: Loop): void {
    const { steps } = this.#program;
    for (let turn = 0; turn < count; turn++) {
      for (let at = first; at <= last; at++) {
        const call = this.#calls[at]!;
        const { reads, piece } = steps[at]!;
        for (let read = 0; read < reads.length; read++) {
          const { offset, move } = reads[read]!;
          if (move !== undefined) call.offsets[read] = offset + turn * move;
        }
        if (piece !== undefined) call.base = piece.offset + turn * piece.move;
        this.#kernels[at]!(call);
      }
    }
  }

  release(): void {
    this.#released = true;
    this.#calls.length = 0;
    this.#kernels.length = 0;
    this.#inBlocks.length = 0;
    this.#inScratch.length = 0;
    this.#blocks.length = 0;
  }

  #bind(call: Call, at: number, buffer: number): void {
    const home = this.#homes[buffer]!;
    const { dtype, shape } = this.#program.buffers[buffer]!;
    if ('block' in home) this.#inBlocks.push({ call, place: at, dtype, block: home.block });
    else this.#inScratch.push({ call, place: at, dtype, offset: home.offset, length: sizeOf(shape) });
  }

  /** Everything that can fail, before anything is written. */
  #prepare(inputs: readonly HostBuffer[], scalars: Float64Array): void {
    const program = this.#program;
    checkRun(program, this.#released, inputs.length, scalars.length);
    const blocks = this.#blocks;
    for (let input = 0; input < inputs.length; input++) {
      const block = blockOf(inputs[input]!, this.#memory, 'run', input);
      if (block.bytes.byteLength < blockSize(program.buffers[input]!)) {
        throw new BackendError('run', `input ${input} is smaller than the program's ${show(program, input)}.`);
      }
      blocks[input] = block;
    }
    this.#takeOutputs();
    if (this.#scratchVersion !== this.#scratch.version) this.#rebind();
    for (const { call, place: at, dtype, block } of this.#inBlocks) set(call, at, blocks[block]!.view(dtype));
    for (let i = 0; i < scalars.length; i++) this.#scalars[i] = scalarOf(scalars[i]!, program.scalars[i]!);
  }

  #takeOutputs(): void {
    let taken = 0;
    try {
      for (; taken < this.#outputs.length; taken++) {
        const { block, byteLength } = this.#outputs[taken]!;
        if (byteLength > 0) this.#blocks[block] = this.#memory.take(byteLength);
      }
    } catch (error) {
      for (const { block, byteLength } of this.#outputs.slice(0, taken)) {
        if (byteLength > 0) this.#memory.give(this.#blocks[block]!);
      }
      throw error;
    }
  }

  /** Points the calls at the region for intermediates, after it moved. */
  #rebind(): void {
    for (const { call, place: at, dtype, offset, length } of this.#inScratch) {
      set(call, at, new arrayKinds[dtype](this.#scratch.bytes, offset, length));
    }
    this.#scratchVersion = this.#scratch.version;
  }

  #finish(inputs: readonly HostBuffer[]): HostBuffer[] {
    for (let input = 0; input < inputs.length; input++) {
      if (!this.#donated[input]) continue;
      inputs[input]!.block = null;
      inputs[input]!.donated = true;
    }
    const { buffers, outputs } = this.#program;
    const results: HostBuffer[] = [];
    for (let output = 0; output < outputs.length; output++) {
      results.push(
        new HostBuffer(this.#memory, buffers[outputs[output]!]!, this.#blocks[this.#outputs[output]!.block]!),
      );
    }
    if (this.#large) for (const { call, place: at } of this.#inBlocks) set(call, at, nothing);
    return results;
  }
}

function set(call: Call, at: number, array: TensorData): void {
  if (at >= 0) call.reads[at] = array;
  else if (at === intoOut) call.out = array;
  else call.source = array;
}

function scalarOf(value: number, dtype: DType): number {
  if (dtype === 'float32') return Math.fround(value);
  return dtype === 'bool' ? Number(value !== 0) : value | 0;
}

function show(program: Program, buffer: number): string {
  const { dtype, shape } = program.buffers[buffer]!;
  return `${dtype} [${shape.join(', ')}]`;
}

/** Gives each slot a home: the block of the input in it, else a new one for the output in it, else a piece of scratch. */
function settle(program: Program): {
  homes: Home[];
  outputs: { block: number; byteLength: number }[];
  scratchBytes: number;
} {
  const sizes = new Map<number, number>();
  for (const buffer of program.buffers) {
    sizes.set(buffer.slot, Math.max(sizes.get(buffer.slot) ?? 0, blockSize(buffer)));
  }
  const bySlot = new Map<number, Home>();
  for (let input = 0; input < program.inputs; input++) {
    const { slot } = program.buffers[input]!;
    if (sizes.get(slot)! > blockSize(program.buffers[input]!)) {
      throw new BackendError('compile', `the slot of input ${input}, ${show(program, input)}, holds a larger buffer.`);
    }
    bySlot.set(slot, { block: input });
  }
  const outputs = program.outputs.map((buffer, output) => {
    const { slot } = program.buffers[buffer]!;
    const home = bySlot.get(slot);
    if (home === undefined) {
      bySlot.set(slot, { block: program.inputs + output });
      return { block: program.inputs + output, byteLength: sizes.get(slot)! };
    }
    const block = 'block' in home ? home.block : -1;
    if (
      !program.donations.some((donation) => donation.input === block && program.outputs[donation.output] === buffer)
    ) {
      throw new BackendError(
        'compile',
        `output ${output} shares the slot of buffer ${block}, which is not donated to it.`,
      );
    }
    return { block, byteLength: 0 };
  });
  let scratchBytes = 0;
  for (const [slot, byteLength] of sizes) {
    if (bySlot.has(slot)) continue;
    bySlot.set(slot, { offset: scratchBytes });
    scratchBytes += byteLength;
  }
  return { homes: program.buffers.map(({ slot }) => bySlot.get(slot)!), outputs, scratchBytes };
}
