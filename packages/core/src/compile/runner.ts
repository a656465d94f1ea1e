/**
 * Runs plans on one backend: uploads what is not there, draws random numbers where the device cannot, passes scalars, and
 * gives each result a storage. What is asked for, and in which order, is `device.ts`; what stays there is `residency.ts`.
 */
import type { Backend, BufferType, Executable, Measured } from '../backend.ts';
import { BackendError } from '../errors.ts';
import { Storage } from '../graph/storage.ts';
import type { Variable } from '../graph/variable.ts';
import { randomValue } from '../random-value.ts';
import { sizeOf } from '../shape.ts';
import type { Pace } from './pace.ts';
import type { DrawnTensor, Plan } from './plan.ts';
import { profiles, recordings } from './profiler.ts';
import type { Residency } from './residency.ts';

/** The scalars of a run, which are among the numbers of the trace. */
function scalarsOf({ scalars, scalarValues }: Plan, numbers: ArrayLike<number>): Float64Array {
  for (let k = 0; k < scalars.length; k++) scalarValues[k] = numbers[scalars[k]!]!;
  return scalarValues;
}

export class Runner {
  readonly #backend: Backend;
  readonly #residency: Residency;
  readonly #residencyOf: (backend: Backend) => Residency;
  readonly #pace: Pace;

  constructor(backend: Backend, residencyOf: (backend: Backend) => Residency, residency: Residency, pace: Pace) {
    this.#backend = backend;
    this.#residency = residency;
    this.#residencyOf = residencyOf;
    this.#pace = pace;
  }

  /**
   * Uploads what is not yet there and runs the plan; returns one storage for each output, or the promise of them while a
   * profile is being taken of a device that measures behind our back. `heirs`: for outputs that take over the memory of a
   * variable's value and become its next one, that variable.
   */
  run(
    plan: Plan,
    executable: Executable,
    leaves: readonly Storage[],
    numbers: ArrayLike<number>,
    heirs: readonly (Variable | null)[],
  ): Storage[] | Promise<Storage[]> {
    // loops, not closures: this runs for every step, and some take a microsecond
    if (recordings.size > 0) for (const { ran } of recordings) ran(plan);
    this.#residency.tick();
    const drawn: object[] = [];
    try {
      const inputs: object[] = [];
      for (const input of plan.inputs) {
        const storage = leaves[input];
        if (storage === undefined) {
          const buffer = this.#draw(plan.drawn[input - leaves.length]!, numbers);
          drawn.push(buffer);
          inputs.push(buffer);
        } else inputs.push(this.resident(storage));
      }
      return profiles.size === 0 || executable.profile === undefined
        ? this.#finish(plan, executable.run(inputs, scalarsOf(plan, numbers)), heirs, drawn)
        : this.#profile(plan, executable, inputs, numbers, heirs, drawn);
    } catch (error) {
      for (const buffer of drawn) this.#backend.release(buffer);
      throw error;
    }
  }

  /** Runs a plan whose inputs and scalars are all there, and gives the buffers of its outputs. */
  start(plan: Plan, executable: Executable, inputs: readonly object[], scalars: Float64Array): readonly object[] {
    if (recordings.size > 0) for (const { ran } of recordings) ran(plan);
    const buffers = executable.run(inputs, scalars);
    if (this.#backend.isSynchronous !== true) this.#pace.follow(this.#backend.idle());
    return buffers;
  }

  /** The same of a run that is measured, for the profiles that are being taken. */
  #profile(
    plan: Plan,
    executable: Executable,
    inputs: readonly object[],
    numbers: ArrayLike<number>,
    heirs: readonly (Variable | null)[],
    drawn: object[],
  ): Storage[] | Promise<Storage[]> {
    const lists = [...profiles];
    const start = performance.now();
    const note = ({ outputs, milliseconds }: Measured): Storage[] => {
      for (const runs of lists) runs.push({ program: plan.program, paths: executable.paths, start, milliseconds });
      return this.#finish(plan, outputs, heirs, drawn);
    };
    const measured = executable.profile!(inputs, scalarsOf(plan, numbers));
    return measured instanceof Promise ? measured.then(note) : note(measured);
  }

  /** The storages of what a run made, once it is under way. */
  #finish(plan: Plan, buffers: readonly object[], heirs: readonly (Variable | null)[], drawn: object[]): Storage[] {
    if (drawn.length > 0) for (const buffer of drawn.splice(0)) this.#backend.release(buffer);
    if (this.#backend.isSynchronous !== true) this.#pace.follow(this.#backend.idle());
    return this.storagesOf(plan, buffers, heirs);
  }

  /** One for each buffer; see `run` for `heirs`. */
  storagesOf(plan: Plan, buffers: readonly object[], heirs: readonly (Variable | null)[]): Storage[] {
    const made: Storage[] = [];
    for (let k = 0; k < buffers.length; k++) made.push(this.#storageOf(plan, buffers[k]!, k, heirs[k]));
    return made;
  }

  #storageOf(plan: Plan, buffer: object, output: number, heir: Variable | null = null): Storage {
    const known = heir === null ? null : heir.storageAlone(this.#backend);
    if (known !== null) {
      known.buffer = buffer;
      known.host = null;
      return known;
    }
    const { dtype, shape } = plan.program.buffers[plan.program.outputs[output]!] as BufferType;
    const storage = new Storage(dtype, shape, null);
    storage.backend = this.#backend;
    storage.buffer = buffer;
    return storage;
  }

  /** The buffer of a value, which is uploaded where it is not there yet. */
  resident(storage: Storage): object {
    if (storage.buffer !== null && storage.backend === this.#backend) {
      this.#residency.use(storage);
      return storage.buffer;
    }
    if (storage.host === null) {
      throw new BackendError(
        '/other-backend',
        `A value lives on '${storage.backend?.name}' but is needed on '${this.#backend.name}': await move(tensor, backend) first.`,
      );
    }
    if (storage.backend !== null) this.#residencyOf(storage.backend).drop(storage);
    storage.buffer = this.#backend.upload(storage.host, { dtype: storage.dtype, shape: storage.shape });
    storage.backend = this.#backend;
    this.#residency.use(storage);
    return storage.buffer;
  }

  #draw({ shape, seed, draw }: DrawnTensor, numbers: ArrayLike<number>): object {
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = randomValue(numbers[seed]!, numbers[draw]!, i);
    return this.#backend.upload(data, { dtype: 'float32', shape });
  }
}
