/** The lines of a generated function, indented by its open loops. */
import type { Loop } from '../nest/loops.ts';
import type { Pointers } from './pointers.ts';

/** The name of the loop's counter. */
export function counterOf(loop: Loop): string {
  return `i${loop.axes[0]}`;
}

export class Writer {
  readonly #lines: string[] = [];
  #depth = 0;

  line(text: string): void {
    this.#lines.push(`${'  '.repeat(this.#depth)}${text}`);
  }

  lines(texts: readonly string[]): void {
    for (const text of texts) this.line(text);
  }

  /** Opens a loop. `moving` are the pointers that its header advances, each with the loop's place among their loops. */
  open(loop: Loop, moving: readonly (readonly [pointers: Pointers, level: number])[]): void {
    const i = counterOf(loop);
    const start = [`${i} = 0`, ...moving.flatMap(([pointers, level]) => pointers.declarations[level]!)];
    const step = [`${i}++`, ...moving.flatMap(([pointers, level]) => pointers.updates[level]!)];
    this.line(`for (let ${start.join(', ')}; ${i} < ${loop.extent}; ${step.join(', ')}) {`);
    this.#depth += 1;
  }

  /** Closes the innermost `count` loops, or all. */
  close(count: number = this.#depth): void {
    for (let closed = 0; closed < count; closed++) {
      this.#depth -= 1;
      this.line('}');
    }
  }

  text(): string {
    return this.#lines.join('\n');
  }
}
