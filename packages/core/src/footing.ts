/**
 * What a replay leaves in place for one that follows on it: the buffers of its program's inputs, each where it was. So the next
 * looks whether they still are, and takes its arguments in; it fetches nothing anew, and what goes on in its own memory is
 * given to nobody. Owns no meaning: what does not hold here is done by `finish`, with the same result.
 */
import type { Executable } from './backend.ts';
import { isAnyLost, isSoleOwner, type Storage } from './graph/storage.ts';
import type { Variable } from './graph/variable.ts';
import { checkArguments, fail, leavesOf, memoryOf, type Replay, repeatHost, type Source, settle } from './replay.ts';
import type { Tensor } from './tensor.ts';

/** A variable whose next value takes the memory of the one before. */
interface Heir {
  readonly variable: Variable;
  readonly input: number;
  readonly output: number;
}

export class Footing {
  readonly #replay: Replay;
  /** In the order of the program's inputs; those of arguments are of the last run. */
  readonly #inputs: (object | null)[] = [];
  readonly #heirs: readonly Heir[];
  /** What the program reads and leaves as it is. */
  readonly #read: { readonly source: Source; readonly input: number }[] = [];
  readonly #arguments: { readonly position: number; readonly input: number }[] = [];
  /** The numbers that the program is given, and those of them that are read anew. */
  readonly #scalars: Float64Array;
  readonly #anew: readonly { readonly place: number; readonly scalar: number }[];
  /** Whether variables are all that a run leaves behind. */
  readonly #isBare: boolean;

  /** Of a replay that has run. Null where each run moves its variables to other memory, or its program draws on the host. */
  static of(replay: Replay): Footing | null {
    const { bound, heirs } = replay;
    const { plan, updates } = bound;
    const alone = heirs.filter((heir) => heir !== null);
    return plan.drawn.length > 0 || alone.length < updates.length ? null : new Footing(replay);
  }

  private constructor(replay: Replay) {
    this.#replay = replay;
    const { bound, sources, heirs, result, places, numbers, events } = replay;
    const { inputs, program, scalars } = bound.plan;
    const changing = new Set(events.map(({ place }) => place));
    this.#scalars = Float64Array.from(scalars, (place) => numbers[place]!);
    this.#anew = [...scalars.entries()].flatMap(([scalar, place]) => (changing.has(place) ? [{ place, scalar }] : []));
    this.#heirs = program.donations.flatMap(({ input, output }) => {
      const variable = heirs[output] ?? null;
      return variable === null ? [] : [{ variable, input, output }];
    });
    const moved = new Set(this.#heirs.map(({ input }) => input));
    for (const [input, leaf] of inputs.entries()) {
      const source = sources[leaf]!;
      if (source.kind === 'argument') this.#arguments.push({ position: source.position, input });
      else if (!moved.has(input)) this.#read.push({ source, input });
      this.#inputs.push(null);
    }
    const isOnlyOf = heirs.every((heir) => heir !== null) && places.every((place) => place !== null && 'made' in place);
    this.#isBare = result.kind === 'other' && isOnlyOf;
  }

  /** Finds anew where all is, after a run that was not its own. */
  find(): void {
    const { backend } = this.#replay.device;
    const bufferOf = (storage: Storage | null): object | null => (storage?.backend === backend ? storage.buffer : null);
    for (const { variable, input } of this.#heirs) this.#inputs[input] = bufferOf(variable.committed.storage);
    for (const { source, input } of this.#read) this.#inputs[input] = bufferOf(memoryOf(source, []));
  }

  /** Whether all is where the run before left it: then it is there (`isThere`), and what is moved on may go on in place. */
  get holds(): boolean {
    if (isAnyLost()) return false;
    const { residency } = this.#replay.device;
    const inputs = this.#inputs;
    residency.tick();
    for (const { variable, input } of this.#heirs) {
      const { storage } = variable.committed;
      if (storage === null || storage.buffer === null || storage.buffer !== inputs[input]) return false;
      if (variable.isGiven || !isSoleOwner(storage)) return false;
      residency.use(storage);
    }
    for (const { source, input } of this.#read) {
      const storage = memoryOf(source, []);
      if (storage === null || storage.buffer === null || storage.buffer !== inputs[input]) return false;
      residency.use(storage);
    }
    return true;
  }

  /** The replay for these arguments, where it `holds`. */
  run<Result>(given: readonly Tensor[]): readonly [Result] {
    const replay = this.#replay;
    const { bound, device, numbers, result } = replay;
    const { runner } = device;
    checkArguments(replay, given);
    const inputs = this.#inputs as object[];
    for (const { position, input } of this.#arguments) {
      inputs[input] = runner.resident(given[position]!.node.storage as Storage);
    }
    repeatHost(replay);
    const scalars = this.#scalars;
    for (const { place, scalar } of this.#anew) scalars[scalar] = numbers[place]!;
    let buffers: readonly object[];
    try {
      buffers = runner.start(bound.plan, bound.plan.executable as Executable, inputs, scalars);
    } catch (error) {
      return fail(replay, null, error);
    }
    let isAsBefore = this.#isBare;
    for (const { variable, input, output } of this.#heirs) {
      const buffer = buffers[output]!;
      // what the host did beside it may have asked for the value
      if (buffer === inputs[input] && !variable.isGiven) continue;
      inputs[input] = buffer;
      isAsBefore = false;
    }
    // the cast: what the function gave
    if (isAsBefore && result.kind === 'other') return [result.value as Result];
    return settle<Result>(replay, leavesOf(replay, given), runner.storagesOf(bound.plan, buffers, replay.heirs));
  }
}
