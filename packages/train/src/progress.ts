/**
 * How far a training is: a bar in a terminal, else a line for each tenth of the way. Keeps time, draws nothing but the bar.
 */
import { duration } from './format.ts';
import type { Terminal } from './terminal.ts';

/** Milliseconds between two frames. */
const frame = 80;

/**
 * Shows how far a loop is, with the time that is left: a bar that is redrawn in a terminal, else a line for each tenth.
 *
 * @example
 * import { Progress, recordTerminal } from '@nn/train';
 * const { terminal, text } = recordTerminal({ isTTY: false });
 * const progress = new Progress(terminal, 20);
 * for (let step = 1; step <= 20; step++) await progress.update(step, `loss ${1 / step}`);
 * console.log(text().trim().split('\n').length, text().includes('100 %  loss 0.05')); // => 10 true
 */
export class Progress {
  readonly #terminal: Terminal;
  readonly #total: number;
  /** Steps that a resumed run had made before. */
  readonly #before: number;
  readonly #started: number;
  #lastFrame = Number.NEGATIVE_INFINITY;
  #lastTenth: number;

  /**
   * `total`: all steps; Infinity where nobody knows, and then there is no bar. `before`: steps made by the run that is resumed.
   * `now`: the clock, in milliseconds.
   */
  constructor(terminal: Terminal, total: number, before = 0, now: number = performance.now()) {
    this.#terminal = terminal;
    this.#total = total;
    this.#before = before;
    this.#started = now;
    this.#lastTenth = Math.floor((10 * before) / total);
  }

  /**
   * Called after each step, or after some. `facts` are the loss and the like; `above` is drawn over the bar in a terminal. What
   * makes them is called only when something is drawn. A promise only then: most steps draw nothing.
   */
  update(
    done: number,
    facts: string | (() => string),
    above?: () => Promise<readonly string[]>,
    now: number = performance.now(),
  ): Promise<void> | undefined {
    if (!this.#terminal.isInteractive) {
      const tenth = Math.floor((10 * done) / this.#total);
      if (tenth === this.#lastTenth) return undefined;
      this.#lastTenth = tenth;
      this.#terminal.line(`  ${String(10 * tenth).padStart(3)} %  ${textOf(facts)}${this.#left(done, now)}`);
      return undefined;
    }
    if (now - this.#lastFrame < frame && done < this.#total) return undefined;
    this.#lastFrame = now;
    return this.#draw(done, textOf(facts), above, now);
  }

  async #draw(
    done: number,
    facts: string,
    above: (() => Promise<readonly string[]>) | undefined,
    now: number,
  ): Promise<void> {
    const lines = (await above?.()) ?? [];
    this.#terminal.live([...lines, this.#line(done, facts, now)]);
  }

  #line(done: number, facts: string, now: number): string {
    const share = done / this.#total;
    const isKnown = Number.isFinite(this.#total);
    const text = isKnown
      ? `${String(Math.floor(100 * share)).padStart(3)} %  ${facts}${this.#left(done, now)}`
      : `${facts}  step ${done}  ${duration((now - this.#started) / 1000)}`;
    // At most 40 wide, and narrower where the facts need the room.
    const width = isKnown ? Math.min(40, this.#terminal.columns - text.length - 6) : 0;
    if (width < 4) return `  ${text}`.slice(0, this.#terminal.columns - 1);
    return `  ${bar(share, width, this.#terminal)}  ${text}`;
  }

  #left(done: number, now: number): string {
    if (done >= this.#total || done <= this.#before) return '';
    const each = (now - this.#started) / (done - this.#before);
    return `  ${duration((each * (this.#total - done)) / 1000)} left`;
  }
}

const textOf = (facts: string | (() => string)): string => (typeof facts === 'string' ? facts : facts());

/**
 * A bar of `width` characters that is full to a share from 0 to 1, with a precision of half a character.
 *
 * @example
 * import { bar, recordTerminal } from '@nn/train';
 * console.log(bar(0.5, 4, recordTerminal({ isTTY: false }).terminal)); // => ━━──
 */
export function bar(share: number, width: number, terminal: Pick<Terminal, 'paint'>): string {
  const halves = Math.round(2 * width * Math.min(1, Math.max(0, share)));
  const full = '━'.repeat(halves >> 1);
  const half = halves & 1 ? '╸' : '';
  return terminal.paint(full + half, 'cyan') + terminal.paint('─'.repeat(width - full.length - half.length), 'dim');
}
