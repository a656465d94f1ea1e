/**
 * A program that runs: its module is linked to the memory and the library, inputs and outputs are written into its table, and it
 * is called. Where native code of it comes along (see `native.ts`), that takes over between two runs.
 * It owns one program's code; memory, library and threads are the engine's.
 */
import { BackendError, type BufferType, type Executable, type Measured, type Program } from '@nn/core';
import { checkRun } from '../checks.ts';
import { sizeOf } from '../shape.ts';
import { bytesPerElement } from '../storage.ts';
import { host } from './code/module-context.ts';
import type { Lane } from './lane.ts';
import type { LinearMemory } from './memory.ts';
import type { LinkedProgram, NativeProgram, NativePrograms } from './native.ts';
import type { CompiledProgram } from './program/program.ts';
import type { PoolProgram, SharedModule, ThreadPool } from './threads/pool.ts';

/** A block of linear memory that core holds. */
export class WasmBuffer {
  readonly type: BufferType;
  readonly bytes: number;
  readonly owner: object;
  address: number;
  /** Of the block, as it was asked for. */
  capacity: number;
  alive = true;

  constructor(owner: object, type: BufferType, address: number, capacity: number) {
    this.owner = owner;
    this.type = type;
    this.bytes = bytesPerElement(type.dtype) * sizeOf(type.shape);
    this.address = address;
    this.capacity = capacity;
  }
}

/** What an executable needs of its engine. */
export interface Surroundings {
  readonly memory: LinearMemory;
  readonly lane: Lane;
  readonly pool: ThreadPool | null;
  readonly programs: NativePrograms | null;
  /** The functions that all programs share. */
  readonly library: WebAssembly.ModuleImports;
  /** Counts the changes of the library, after which what was linked to it is linked anew. */
  readonly version: number;
  check(buffer: WasmBuffer, operation: string): void;
  /** The address of a region of at least `bytes` bytes that is free between calls. */
  scratch(bytes: number): number;
  /** Before a run: other code is told where the memory is, if it has grown. */
  settle(): void;
  count(compiled: CompiledProgram, by: 1 | -1): void;
}

/** Milliseconds of computing and runs after which a program is worth a compiler's work. */
const worth = { milliseconds: 20, runs: 3 };
/** Runs of native code whose shortest says how long it takes. */
const timed = 3;

function elapsed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

export class WasmExecutable implements Executable<WasmBuffer> {
  readonly #engine: Surroundings;
  readonly #program: Program;
  #compiled: CompiledProgram;
  /** For each step, what runs it. */
  paths: readonly string[];
  #run: (table: number, scratch: number, first: number, end: number) => void;
  /** Of the library that `#run` is linked to. */
  #version: number;
  #code: WebAssembly.Module | null = null;
  readonly #table: number;
  /** Where workers find the module, if they share its work. */
  #module: SharedModule | null = null;
  /** The same program in native code: not asked for, on its way, there, or in use. */
  #native: 'unasked' | 'asked' | 'used' | NativeProgram = 'unasked';
  #spent = { milliseconds: 0, runs: 0 };
  /** How native code runs beside the event loop, and from how many milliseconds on. */
  #start: LinkedProgram['start'] = null;
  #besideFrom = Number.POSITIVE_INFINITY;
  #shortest = { milliseconds: Number.POSITIVE_INFINITY, runs: 0 };
  /** For each output the input whose memory it takes over, or -1. */
  readonly #donors: readonly number[];
  /** For each of those whether it is of the input's type as well: then it is the same buffer, which goes on. */
  readonly #goesOn: readonly boolean[];
  /** Bytes of each input. */
  readonly #inputBytes: readonly number[];
  /** The inputs that the table names: what is among them again has been looked at, and needs no word. */
  readonly #placed: (WasmBuffer | null)[];
  /** The scalars that the table has; NaN where that is not known. */
  readonly #scalars: Float64Array;
  /** For each input whether an output takes its memory over. */
  readonly #isDonated: readonly boolean[];
  /** What the run before gave, where each of it is an input that goes on: the table names those already. */
  #outputs: WasmBuffer[] | null = null;
  readonly #runAll = (table: number, scratch: number): void => this.#go(table, scratch);
  #released = false;

  constructor(engine: Surroundings, program: Program, compiled: CompiledProgram) {
    this.#engine = engine;
    this.#program = program;
    this.#compiled = compiled;
    this.paths = compiled.paths;
    const donor = new Map(program.donations.map(({ input, output }) => [output, input]));
    const donated = new Set(donor.values());
    this.#donors = program.outputs.map((_, output) => donor.get(output) ?? -1);
    this.#inputBytes = program.buffers
      .slice(0, program.inputs)
      .map(({ dtype, shape }) => bytesPerElement(dtype) * sizeOf(shape));
    this.#placed = this.#inputBytes.map(() => null);
    this.#goesOn = this.#donors.map((input, output) => {
      const [from, to] = [program.buffers[input], program.buffers[program.outputs[output]!]!];
      return from !== undefined && from.dtype === to.dtype && sizeOf(from.shape) === sizeOf(to.shape);
    });
    this.#isDonated = this.#inputBytes.map((_, input) => donated.has(input));
    this.#scalars = new Float64Array(program.scalars.length).fill(Number.NaN);
    this.#table = engine.memory.allocate(this.#tableBytes);
    try {
      this.#version = engine.version;
      this.#run = this.#link();
    } catch (error) {
      this.#released = true;
      this.#free();
      throw error;
    }
  }

  /** Machine code is some three times as long as the module that it is made from, which the engine keeps too. */
  get bytes(): number {
    return 4 * this.#compiled.bytes.length;
  }

  #link(): (...words: number[]) => void {
    const { pool } = this.#engine;
    const { bytes, shares } = this.#compiled;
    const code = pool && shares ? this.#shared(pool) : this.#instantiate(bytes, host);
    return code.run as (...words: number[]) => void;
  }

  #shared(pool: ThreadPool): WebAssembly.Exports {
    const { bytes } = this.#compiled;
    const parallel = this.#sharing(pool, bytes, () => code.work as PoolProgram['work']);
    const code = this.#instantiate(bytes, { ...host, parallel });
    return code;
  }

  /** Hands phases to the threads, which find their code as `bytes` says; `work` is what the caller does of it. */
  #sharing(
    pool: ThreadPool,
    bytes: Uint8Array<ArrayBuffer>,
    work: () => PoolProgram['work'],
  ): (...words: number[]) => void {
    this.#forget();
    const module = pool.share(bytes, this.#compiled.ownBytes);
    this.#module = module;
    return (...words) => {
      const [phase, table, scratch, own, units, pieces] = words as [number, number, number, number, number, number];
      pool.run({ module, work: work() }, phase, { table, scratch, own }, units, pieces);
    };
  }
  #forget(): void {
    if (this.#module) this.#engine.pool?.forget(this.#module);
    this.#module = null;
  }

  /** Asks for native code, which takes over before the first run after it is there. */
  async becomeNative(): Promise<void> {
    this.#native = 'asked';
    const made = await this.#engine.programs?.make(this.#program);
    if (made && made.compiled.tableWords === this.#compiled.tableWords) this.#native = made;
  }

  /** Native code takes over, when nothing is under way. */
  adopt({ compiled, name, besideFrom, crew, link }: NativeProgram): void {
    const { pool, memory, lane } = this.#engine;
    lane.settle();
    this.#native = 'used';
    this.#compiled = compiled;
    this.#placed.fill(null);
    this.#scalars.fill(Number.NaN);
    this.paths = compiled.paths.map((path) => `${path}, native`);
    let parallel = (..._: number[]): void => undefined;
    const linked = link(memory, { parallel: (...words: number[]) => parallel(...words) });
    this.#forget();
    if (compiled.shares) {
      if (crew && linked.start) crew.reserve(compiled.ownBytes);
      else if (pool) parallel = this.#sharing(pool, new TextEncoder().encode(name), () => linked.work);
    }
    this.#run = (table, scratch, first, end) => linked.run(table, scratch, first, end);
    this.#start = linked.start;
    this.#besideFrom = besideFrom;
    this.#code = null;
  }

  #instantiate(bytes: Uint8Array<ArrayBuffer>, functions: WebAssembly.ModuleImports): WebAssembly.Exports {
    const { memory } = this.#engine;
    const library = this.#compiled.usesLibrary ? this.#engine.library : {};
    const imports = { memory: { memory: memory.memory }, host: functions, library };
    this.#code ??= new WebAssembly.Module(bytes);
    return new WebAssembly.Instance(this.#code, imports).exports;
  }

  run(inputs: readonly WasmBuffer[], scalars: Float64Array): readonly WasmBuffer[] {
    return this.#execute(inputs, scalars, this.#runAll);
  }

  /** Now, in its turn, or beside the event loop. */
  #go(table: number, scratch: number): void {
    const { lane, programs } = this.#engine;
    const run = this.#run;
    const start = this.#start;
    const asks = this.#native === 'unasked' && programs !== null;
    // no closures on the shortest way: some programs take less than a microsecond
    if (start === null && !asks && lane.isFree) {
      run(table, scratch, 0, 0x7fffffff);
      return;
    }
    const work = (): void => run(table, scratch, 0, 0x7fffffff);
    if (start && this.#shortest.runs < timed) lane.do(() => this.#time(work));
    else if (start && this.#shortest.milliseconds >= this.#besideFrom) {
      lane.doBeside((done) => start(table, scratch, done), work);
    } else if (asks) lane.do(() => this.#spend(work));
    else lane.do(work);
  }
  #time(work: () => void): void {
    const { milliseconds, runs } = this.#shortest;
    this.#shortest = { milliseconds: Math.min(milliseconds, elapsed(work)), runs: runs + 1 };
  }
  /** Runs that are worth a compiler's work ask for it. */
  #spend(work: () => void): void {
    this.#spent.milliseconds += elapsed(work);
    this.#spent.runs += 1;
    const { milliseconds, runs } = this.#spent;
    if (this.#native === 'unasked' && milliseconds >= worth.milliseconds && runs >= worth.runs)
      void this.becomeNative();
  }

  #execute(
    inputs: readonly WasmBuffer[],
    scalars: Float64Array,
    call: (table: number, scratch: number) => void,
  ): WasmBuffer[] {
    const engine = this.#engine;
    const { memory, lane } = engine;
    const program = this.#program;
    if (typeof this.#native === 'object') this.adopt(this.#native);
    const compiled = this.#compiled;
    checkRun(program, this.#released, inputs.length, scalars.length);
    const placed = this.#placed;
    let arePlaced = true;
    let outputs = this.#outputs;
    for (let input = 0; input < inputs.length; input++) {
      const given = inputs[input]!;
      if (given === placed[input] && given.alive) continue;
      arePlaced = false;
      if (this.#isDonated[input] === true) outputs = null;
      this.#check(given, input);
    }
    const scratch = engine.scratch(compiled.scratchBytes);
    // While something is under way, a run before may still read its words.
    const isOwn = lane.isFree;
    if (!isOwn) outputs = null;
    const isAsBefore = outputs !== null;
    outputs ??= this.#outputsOf(inputs);
    let table = this.#table;
    if (!isOwn) {
      try {
        table = memory.allocate(this.#tableBytes);
      } catch (error) {
        this.#freeAllBut(inputs, outputs);
        throw error;
      }
    }
    engine.settle();
    if (this.#version !== engine.version && this.#native !== 'used') {
      this.#run = this.#link();
      this.#version = engine.version;
    }
    // Views are taken after the last allocation: growing replaces them.
    const { words, floats, bytes } = memory;
    const at = table >>> 2;
    if (!arePlaced || !isOwn) {
      for (let input = 0; input < inputs.length; input++) {
        words[at + compiled.inputs[input]!] = inputs[input]!.address;
        if (isOwn) placed[input] = inputs[input]!;
      }
    }
    let goOn = isOwn;
    for (let output = isAsBefore ? outputs.length : 0; output < outputs.length; output++) {
      const made = outputs[output]!;
      const input = this.#donors[output]!;
      const given = input < 0 ? null : inputs[input]!;
      if (made === given) continue; // one slot, one word
      goOn = false;
      words[at + compiled.outputs[output]!.index] = made.address;
      if (given === null) continue;
      // The block was too small for what else lies in this slot: the contents move to the larger one.
      if (made.address !== given.address) {
        lane.settle();
        bytes.copyWithin(made.address, given.address, given.address + given.bytes);
        memory.free(given.address, given.capacity);
      }
      given.alive = false;
    }
    this.#outputs = goOn ? outputs : null;
    const { scalars: types } = program;
    const from = at + compiled.scalarsAt;
    const known = this.#scalars;
    for (let index = 0; index < types.length; index++) {
      const scalar = scalars[index]!;
      if (isOwn) {
        // most are the same from run to run
        if (Object.is(scalar, known[index]) && !Number.isNaN(scalar)) continue;
        known[index] = scalar;
      }
      const word = from + index;
      if (types[index] === 'float32') floats[word] = scalar;
      else words[word] = types[index] === 'bool' ? Number(scalar !== 0) : scalar;
    }
    call(table, scratch);
    if (!isOwn) lane.do(() => memory.free(table, this.#tableBytes));
    return outputs;
  }

  /** The buffer of each output; where there is no memory for all, none is made. */
  #outputsOf(inputs: readonly WasmBuffer[]): WasmBuffer[] {
    const outputs: WasmBuffer[] = [];
    try {
      for (let output = 0; output < this.#compiled.outputs.length; output++) {
        outputs.push(this.#outputOf(inputs, output));
      }
    } catch (error) {
      this.#freeAllBut(inputs, outputs);
      throw error;
    }
    return outputs;
  }

  /** Frees the memory of outputs, as far as it is not that of an input. */
  #freeAllBut(inputs: readonly WasmBuffer[], outputs: readonly WasmBuffer[]): void {
    const { memory } = this.#engine;
    for (const { address, capacity } of outputs) {
      if (!inputs.some((input) => input.address === address)) memory.free(address, capacity);
    }
  }

  /** The buffer of an output: that of the input whose memory it takes over, if it may go on, or one in that memory, or a new one. */
  #outputOf(inputs: readonly WasmBuffer[], output: number): WasmBuffer {
    const { bytes } = this.#compiled.outputs[output]!;
    const donor = this.#donors[output]!;
    const given = donor < 0 ? null : inputs[donor]!;
    const fits = given !== null && given.capacity >= bytes;
    if (fits && this.#goesOn[output] === true) return given;
    const type = this.#program.buffers[this.#program.outputs[output]!]!;
    if (fits) return new WasmBuffer(this.#engine, type, given.address, given.capacity);
    return new WasmBuffer(this.#engine, type, this.#engine.memory.allocate(bytes), bytes);
  }

  /** Throws unless the buffer may be that input. */
  #check(given: WasmBuffer, input: number): void {
    this.#engine.check(given, 'run');
    const { dtype, shape } = this.#program.buffers[input] as BufferType;
    if (given.type.dtype === dtype && given.bytes === this.#inputBytes[input]) return;
    throw new BackendError(
      'run',
      `input ${input} is ${given.type.dtype} [${given.type.shape.join(', ')}], the program takes ${dtype} [${shape.join(', ')}].`,
    );
  }

  profile(inputs: readonly WasmBuffer[], scalars: Float64Array): Measured<WasmBuffer> {
    this.#engine.lane.settle();
    const milliseconds = this.#program.steps.map(() => 0);
    const outputs = this.#execute(inputs, scalars, (table, scratch) => {
      for (const step of this.#compiled.starts) {
        const start = performance.now();
        this.#run(table, scratch, step, step + 1);
        milliseconds[step] = performance.now() - start;
      }
    });
    return { outputs, milliseconds };
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#engine.count(this.#compiled, -1);
    this.#engine.lane.do(() => this.#free());
  }

  get #tableBytes(): number {
    return 4 * Math.max(1, this.#compiled.tableWords);
  }
  #free(): void {
    this.#engine.memory.free(this.#table, this.#tableBytes);
    this.#forget();
  }
}
