/** Memory that a file may take when it is unpacked: what its own sizes claim must not end the process. */

/** As many times what they take in the file, values may take in memory, whatever the limit. */
const growth = 32;

/** Bytes that may still be taken: `maxBytes`, or 32 times those in the file where that is more. */
export class Budget {
  readonly #limit: number;
  readonly #refusal: (limit: number) => Error;
  #taken = 0;

  /** `refusal` makes the error for more than the limit. */
  constructor(maxBytes: number, bytesInFile: number, refusal: (limit: number) => Error) {
    this.#limit = Math.max(maxBytes, growth * bytesInFile);
    this.#refusal = refusal;
  }

  take(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken > this.#limit) throw this.#refusal(this.#limit);
  }
}
