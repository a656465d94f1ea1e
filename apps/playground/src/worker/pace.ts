/** How fast training may go: small networks learn in the blink of an eye, and a class wants to watch. */
export class Pace {
  /** null for as fast as the device can. */
  stepsPerSecond: number | null = null;
  /** Steps from one frame to the next at most: whoever waits for a moment must not miss it. null for any number. */
  stepsPerFrame: number | null = null;
  #last = 0;
  #saved = 0;
  #unseen = 0;

  start(now: number = performance.now()): void {
    this.#last = now;
    this.#saved = 1;
  }

  /** Whether a step may be taken now; if so, it counts as taken. What was missed is made up for a tenth of a second. */
  isDue(now: number = performance.now()): boolean {
    const { stepsPerSecond, stepsPerFrame } = this;
    if (stepsPerFrame !== null && this.#unseen >= stepsPerFrame) return false;
    if (!this.#isEarned(stepsPerSecond, now)) return false;
    this.#unseen++;
    return true;
  }

  /** A frame was sent. */
  show(): void {
    this.#unseen = 0;
  }

  #isEarned(stepsPerSecond: number | null, now: number): boolean {
    if (stepsPerSecond === null) return true;
    const earned = (stepsPerSecond * (now - this.#last)) / 1000;
    this.#saved = Math.min(this.#saved + earned, Math.max(1, stepsPerSecond / 10));
    this.#last = now;
    if (this.#saved < 1) return false;
    this.#saved--;
    return true;
  }
}
