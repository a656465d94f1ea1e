/**
 * A file that a log appends to. A resumed run cuts off what was written after its checkpoint, so that the file is the same
 * as if nothing had ended the run: the length at the last rest is part of the checkpoint.
 */
import { appendFileSync, mkdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { FormatError, type Stateful, ValueError } from '@nn/core';
import { writingAtOnce } from './paths.ts';

export class AppendFile implements Stateful {
  static readonly name: string = 'AppendFile';

  readonly path: string;
  readonly #appends: boolean;
  #length: number | null = null;
  #isOpen = false;

  /** Runs that are not resumed replace the file, or append to it. */
  constructor(path: string, appends = false) {
    this.path = path;
    this.#appends = appends;
  }

  /** Whether the run has opened it before: here, or in the process whose checkpoint it was resumed from. */
  get isBegun(): boolean {
    return this.#length !== null;
  }

  /** Bytes of the run, and of those that it appends to; 0 before it is opened. */
  get length(): number {
    return this.#length ?? 0;
  }

  /** Makes the folder, and the file as long as it was at the checkpoint. Answers whether the file is empty. */
  open(): boolean {
    return writingAtOnce('log', this.path, () => this.#open());
  }

  #open(): boolean {
    mkdirSync(dirname(this.path), { recursive: true });
    appendFileSync(this.path, '');
    const { size } = statSync(this.path);
    const length = this.#length ?? (this.#appends ? size : 0);
    if (size < length) {
      throw new ValueError(
        'log',
        `${this.path} has ${size} bytes, the run that is resumed had written ${length}: it is another file, or was cut.`,
        { path: this.path },
      );
    }
    if (size > length) truncateSync(this.path, length);
    this.#length = length;
    this.#isOpen = true;
    return length === 0;
  }

  append(data: string | Uint8Array): void {
    if (!this.#isOpen) this.open();
    writingAtOnce('log', this.path, () => appendFileSync(this.path, data));
    this.#length = (this.#length ?? 0) + (typeof data === 'string' ? Buffer.byteLength(data) : data.length);
  }

  /** What stands in its first line. */
  get firstLine(): string {
    return readFileSync(this.path, 'utf8').split('\n', 1)[0]!;
  }

  hostState(): { readonly length: number | null } {
    return { length: this.#length };
  }

  loadHostState(state: unknown): void {
    const { length } = Object(state) as { length?: unknown };
    if (length !== null && !Number.isSafeInteger(length)) {
      throw new FormatError('log', 'the saved state has no length of a file: it is of something else.');
    }
    this.#length = length as number | null;
    this.#isOpen = false;
  }
}
