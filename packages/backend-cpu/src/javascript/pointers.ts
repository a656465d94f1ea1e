/**
 * The running indices of generated loops: one variable for each way to step through memory, advanced in the headers of
 * the loops where it moves. Loads that move alike share it, and a pointer that moves like the loop's counter is the counter.
 */
import { type Loop, type Strides, strideIn } from '../nest/loops.ts';

export class Pointers {
  readonly #loops: readonly Loop[];
  readonly #prefix: string;
  readonly #names = new Map<string, readonly string[]>();
  /** For each loop, what its header declares and advances. */
  readonly declarations: string[][];
  readonly updates: string[][];

  /** Counters of the loops are `counters`; `prefix` keeps the names apart from those of other loops. */
  constructor(loops: readonly Loop[], counters: readonly string[], prefix: string, all: readonly Strides[]) {
    this.#loops = loops;
    this.#prefix = prefix;
    this.declarations = loops.map(() => []);
    this.updates = loops.map(() => []);
    for (const strides of all) this.#add(strides, counters);
  }

  /** The pointer's text inside the loop `level` (-1: outside of all); null where it is 0. */
  text(strides: Strides, level: number): string | null {
    return this.#names.get(this.#signature(strides))?.[level] || null;
  }

  #signature(strides: Strides): string {
    return this.#loops.map((loop) => strideIn(strides, loop)).join();
  }

  #add(strides: Strides, counters: readonly string[]): void {
    const signature = this.#signature(strides);
    if (this.#names.has(signature)) return;
    const names: string[] = [];
    let name = '';
    this.#loops.forEach((loop, level) => {
      const stride = strideIn(strides, loop);
      if (stride === 1 && name === '') name = counters[level]!;
      else if (stride !== 0) {
        const next = `${this.#prefix}${this.#names.size}_${level}`;
        this.declarations[level]!.push(`${next} = ${name || 0}`);
        this.updates[level]!.push(`${next} = ${next} + ${stride} | 0`);
        name = next;
      }
      names.push(name);
    });
    this.#names.set(signature, names);
  }
}
