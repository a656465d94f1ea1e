/**
 * How many programs may be under way on a device: as many as it works off in 30 milliseconds. So small programs do not wait
 * for a round trip each, and large ones neither pile up nor keep whoever waits for an answer.
 */
const patience = 30; // milliseconds
const fewest = 2; // one to compute, one to be prepared meanwhile
const most = 8;

export class Pace {
  /** One promise for each program that is not done, the oldest first. */
  readonly #underWay: Promise<void>[] = [];
  /** Milliseconds for a program, lately. */
  #duration = patience;
  #lastEnd = 0;

  /** A program has started; `end` settles when the device is done with it. */
  follow(end: Promise<void>): void {
    const start = performance.now();
    const note = (): void => {
      const now = performance.now();
      this.#duration = (this.#duration + now - Math.max(start, this.#lastEnd)) / 2;
      this.#lastEnd = now;
      this.#underWay.splice(this.#underWay.indexOf(done), 1);
    };
    const done: Promise<void> = end.then(note, note); // an error reaches whoever reads
    this.#underWay.push(done);
  }

  /** Settles when the next program may start; undefined if that is now. */
  turn(): Promise<void> | undefined {
    if (this.#underWay.length === 0) return undefined;
    const allowed = Math.min(most, Math.max(fewest, Math.floor(patience / this.#duration)));
    return this.#underWay[this.#underWay.length - allowed];
  }
}
