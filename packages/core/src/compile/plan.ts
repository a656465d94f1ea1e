/**
 * The cache of compiled programs of one device. A plan is found by the hash of its key and then compared exactly, so two
 * graphs share a plan only when they are of one structure. The plan least recently used makes room for new ones.
 */

import type { Backend, Executable, Limits, Shape } from '../backend.ts';
import { addTo } from '../lists.ts';
import { settings } from '../settings.ts';
import { sameKey } from './key-stream.ts';
import { LengthWatch } from './lengths.ts';
import { buildProgram, type CompiledProgram } from './program.ts';
import { resolve, type Trace } from './trace.ts';

/** A random tensor that the host draws: the places of its seed and draw among the numbers of the trace. */
export interface DrawnTensor {
  readonly shape: Shape;
  readonly seed: number;
  readonly draw: number;
}

export interface Plan extends CompiledProgram {
  readonly drawn: readonly DrawnTensor[];
  readonly key: Int32Array;
  readonly hash: number;
  /** Null until the backend has compiled it. */
  executable: Executable | null;
  compiling: Promise<Executable> | null;
  /** How many compiled functions and runs need it: the cache may forget the plan, but it is released with the last. */
  holders: number;
  isForgotten: boolean;
  /** What it counts for in the budget of the cache. */
  bytes: number;
  /** Reused for every run. */
  readonly scalarValues: Float64Array;
}

/** Whoever keeps a plan says so; the last one who lets go of a plan that the cache forgot releases it. */
export function hold(plan: Plan): void {
  plan.holders++;
}

export function letGo(plan: Plan): void {
  plan.holders--;
  if (plan.isForgotten) release(plan);
}

function release(plan: Plan): void {
  if (plan.holders > 0) return;
  if (plan.executable !== null) plan.executable.release();
  else plan.compiling?.then((executable) => executable.release()).catch(() => undefined);
}

/** What runs when everything asked for is in memory already. */
const nothing: Executable = { run: () => [], release: () => undefined };

export const planCapacity = 512;
/** Bytes of plans and their code that are kept at most, as far as they are known. */
export const planBytes: number = 256 * 2 ** 20;
/** What a step takes on the host, and its code where the backend does not say. */
const bytesPerStep = 1000;
const codePerStep = 4000;

function bytesOf({ key, program, executable }: Plan): number {
  const { steps } = program;
  return key.byteLength + steps.length * bytesPerStep + (executable?.bytes ?? steps.length * codePerStep);
}

export class PlanCache {
  readonly #plans = new Map<number, Plan[]>();
  #count = 0;
  #bytes = 0;
  /** How many programs were compiled in all. */
  compiled = 0;
  readonly #lengths = new LengthWatch();
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** The plan of a trace, compiled if it is new. `updated[k]` is the root whose value may take donor k's memory. */
  find(trace: Trace, updated: readonly number[]): Plan {
    const bucket = this.#plans.get(trace.hash);
    const known = bucket?.find((plan) => sameKey(plan.key, trace.key));
    if (bucket !== undefined && known !== undefined) {
      // a map keeps the order of insertion: what was used last stands last
      this.#plans.delete(trace.hash);
      this.#plans.set(trace.hash, bucket);
      return known;
    }
    const plan = this.#build(trace, updated, this.#backend.limits);
    this.#add(plan);
    return plan;
  }

  /** Forgets a plan that could not be compiled: the next use tries again. */
  #remove(plan: Plan): void {
    const bucket = this.#plans.get(plan.hash) ?? [];
    if (!bucket.includes(plan)) return;
    const rest = bucket.filter((other) => other !== plan);
    if (rest.length === 0) this.#plans.delete(plan.hash);
    else this.#plans.set(plan.hash, rest);
    this.#count--;
    this.#bytes -= plan.bytes;
  }

  #build(trace: Trace, updated: readonly number[], limits: Limits): Plan {
    const donations = trace.donors.flatMap((leaf, k) => {
      const root = updated[k]!;
      // a value of another dtype needs memory of its own
      const fits = leaf >= 0 && trace.leaves[leaf]?.dtype === trace.roots[root]?.dtype;
      return fits ? [{ leaf, root }] : [];
    });
    const built = buildProgram(trace, donations, limits);
    settings.validate?.(built.program, limits);
    this.compiled++;
    const plan: Plan = {
      ...built,
      drawn: trace.drawn.map(({ shape, inputs }) => {
        const [seed, draw] = inputs.map((input) => trace.numbers.indexOf(resolve(input))) as [number, number];
        return { shape, seed, draw };
      }),
      key: trace.key,
      hash: trace.hash,
      executable: null,
      compiling: null,
      holders: 0,
      isForgotten: false,
      bytes: 0,
      scalarValues: new Float64Array(built.scalars.length),
    };
    const isNothing = built.program.steps.length === 0;
    const warning = isNothing ? null : this.#lengths.note(trace);
    if (warning !== null) console.warn(warning);
    const made = isNothing ? nothing : this.#backend.compile(built.program);
    if (made instanceof Promise) {
      plan.compiling = made;
      made.then(
        (executable) => {
          plan.executable = executable;
          this.#weigh(plan);
        },
        () => this.#remove(plan), // the error reaches whoever waits
      );
    } else plan.executable = made;
    return plan;
  }

  #add(plan: Plan): void {
    addTo(this.#plans, plan.hash, plan);
    this.#count++;
    this.#weigh(plan);
  }

  /** Counts the bytes of a plan, and forgets the plans least recently used until all others fit beside it. */
  #weigh(plan: Plan): void {
    if (plan.isForgotten) return;
    this.#bytes -= plan.bytes;
    plan.bytes = bytesOf(plan);
    this.#bytes += plan.bytes;
    for (const [hash, bucket] of this.#plans) {
      const isFull = this.#count > planCapacity || this.#bytes > planBytes;
      // what was just made is wanted, however large it is
      if (!isFull || bucket.includes(plan)) return;
      this.#plans.delete(hash);
      for (const old of bucket) {
        this.#count--;
        this.#bytes -= old.bytes;
        old.isForgotten = true;
        release(old);
      }
    }
  }
}
