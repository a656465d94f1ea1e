/** Counts the bytes of a download, and tells of them: not more often than eyes see, and always of the last one. */
import type { DownloadOptions } from './download-options.ts';

/** Milliseconds between two reports. */
const pause = 100;

export class Meter {
  readonly #address: string;
  readonly #report: DownloadOptions['onProgress'];
  #loaded = 0;
  #total = 0;
  #told = 0;

  constructor(address: string, report: DownloadOptions['onProgress']) {
    this.#address = address;
    this.#report = report;
  }

  /** How many bytes will come in all, those that came included. */
  set total(bytes: number) {
    this.#total = bytes;
  }

  get loaded(): number {
    return this.#loaded;
  }

  add(bytes: number): void {
    this.#loaded += bytes;
    if (this.#report === undefined) return;
    const isDone = this.#loaded >= this.#total;
    const now = Date.now();
    if (!isDone && now - this.#told < pause) return;
    this.#told = now;
    this.#report({ loaded: Math.min(this.#loaded, this.#total), total: this.#total, address: this.#address });
  }

  /** What was counted came to nothing: the download begins anew. */
  restart(): void {
    this.#loaded = 0;
  }
}
