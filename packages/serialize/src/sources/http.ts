/**
 * Requests for parts of one file on a server: what its answers mean, what is tried again, and after how long. It keeps
 * nothing; `remote.ts` makes a file of it that is read in parts. Sources: RFC 9110, sections 14 (ranges), 15 (status).
 */
import { type AbortSignalLike, FormatError, untilAborted } from '@nn/core';
import { shownAddress } from './address.ts';
import type { DownloadOptions, DownloadResponse } from './download-options.ts';

/** What an answer says of the file. */
export interface Answer {
  /** The status 206, with the part's place, or 200, with all of the file. */
  readonly isPart: boolean;
  readonly begin: number;
  readonly end: number;
  /** The bytes of the whole file; undefined where the server does not say. */
  readonly size: number | undefined;
  /** What the server calls this state of the file: its ETag, or when it was changed last. */
  readonly tag: string | null;
  readonly body: Body;
}

/** A fault that may be gone at the next attempt; `wait` are the milliseconds that the server asks for. */
class Transient extends Error {
  readonly status: number | null;
  readonly wait: number | null;
  constructor(words: string, status: number | null = null, wait: number | null = null) {
    super(words);
    this.status = status;
    this.wait = wait;
  }
}

/** No server is waited for longer at a time: milliseconds. */
const longestWait = 60_000;

/** The bytes of an answer, piece by piece. */
export class Body {
  readonly #reader: ReturnType<NonNullable<DownloadResponse['body']>['getReader']> | undefined;
  readonly #http: Http;
  readonly #attempt: AbortController;
  #rest: Uint8Array | undefined;

  constructor(http: Http, response: DownloadResponse, attempt: AbortController) {
    this.#http = http;
    this.#attempt = attempt;
    this.#reader = response.body?.getReader();
  }

  /** The next bytes, at most so many; undefined at the end. A connection that is cut, or silent for too long, is a fault that may pass. */
  async next(most: number): Promise<Uint8Array | undefined> {
    const piece = this.#rest ?? (await this.#http.patiently(this.#read(), this.#attempt));
    if (piece === undefined || piece.length <= most) {
      this.#rest = undefined;
      return piece;
    }
    this.#rest = piece.subarray(most);
    return piece.subarray(0, most);
  }

  async #read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = (await this.#reader?.read()) ?? { done: true };
      if (done) return undefined;
      if (value instanceof Uint8Array && value.length > 0) return value;
    }
  }

  /** Leaves an answer whose bytes have all come: the connection can serve another request. */
  finish(): void {
    this.#reader?.read().then(
      ({ done }) => done || this.cancel(),
      () => undefined,
    );
  }

  /** Ends the transfer. */
  cancel(): void {
    this.#rest = undefined;
    this.#reader?.cancel().catch(() => undefined);
    this.#attempt.abort();
  }
}

export class Http {
  readonly address: string;
  readonly #options: DownloadOptions;
  readonly #signal: AbortSignalLike | undefined;

  constructor(address: string, options: DownloadOptions, signal: AbortSignalLike | undefined) {
    this.address = address;
    this.#options = options;
    this.#signal = signal;
  }

  fail(reason: string, what: string, data: Readonly<Record<string, unknown>> = {}): never {
    throw new FormatError(`download/${reason}`, `${shownAddress(this.address)}: ${what}`, {
      address: this.address,
      ...data,
    });
  }

  /** Asks for a part of the file, or, without one, for all of it. One attempt. */
  async ask(begin: number | null, end: number): Promise<Answer> {
    const range = begin === null ? {} : { Range: `bytes=${begin}-${end - 1}` };
    const attempt = new AbortController();
    const response = await this.patiently(this.#send({ ...this.#options.headers, ...range }, attempt), attempt);
    const body = new Body(this, response, attempt);
    const answer = this.#answerOf(response, body, begin, end);
    if ('body' in answer) return answer;
    body.cancel();
    throw answer.fault;
  }

  async #send(headers: Readonly<Record<string, string>>, attempt: AbortController): Promise<DownloadResponse> {
    const get = this.#options.fetch ?? (fetch as NonNullable<DownloadOptions['fetch']>);
    // The one cast: the signal's type stands in no public type.
    return get(this.address, { headers, signal: attempt.signal as never });
  }

  #answerOf(
    { status, headers }: DownloadResponse,
    body: Body,
    begin: number | null,
    end: number,
  ): Answer | { readonly fault: Error } {
    const tag = headers.get('ETag') ?? headers.get('Last-Modified');
    const length = /^\d+$/.exec(headers.get('Content-Length') ?? '')?.[0];
    const isPacked = !/^(identity)?$/i.test(headers.get('Content-Encoding') ?? '');
    if (status === 200) {
      const size = length === undefined || isPacked ? undefined : Number(length);
      return { isPart: false, begin: 0, end: size ?? Infinity, size, tag, body };
    }
    const place = headers.get('Content-Range') ?? '';
    if (status === 416 && begin === 0 && /^bytes \*\/0$/.test(place))
      return { isPart: false, begin: 0, end: 0, size: 0, tag, body };
    if (status !== 206) return { fault: this.#faultOf(status, headers.get('Retry-After')) };
    const [, from, to, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(place) ?? [];
    const [first, last, size] = [Number(from), Number(to) + 1, Number(total)];
    if (total === undefined || first !== begin || last <= first || last > size || isPacked) {
      const words = `bytes ${begin} to ${end} were asked for, and the answer is '${place}'`;
      return { fault: new FormatError('download/range', `${shownAddress(this.address)}: ${words}.`, { place }) };
    }
    return { isPart: true, begin: first, end: Math.min(last, end), size, tag, body };
  }

  /** What a status means that brings no file. */
  #faultOf(status: number, after: string | null): Error {
    const error = (reason: string, words: string): FormatError =>
      new FormatError(`download/${reason}`, `${shownAddress(this.address)}: ${words}`, {
        address: this.address,
        status,
      });
    if (status === 401 || status === 403) {
      return error(
        'refused',
        `the server refuses the file (${status}): it needs a token, { headers: { Authorization: 'Bearer ...' } }, or, on a hub, that its terms are accepted on its page.`,
      );
    }
    if (status === 404 || status === 410)
      return error('missing', `there is no such file (${status}): look at its name, its folder and its revision.`);
    if (status === 408 || status === 425 || status === 429 || status >= 500)
      return new Transient(`the answer is ${status}`, status, waitOf(after));
    return error('status', `the answer is ${status}, not a file.`);
  }

  /** Waits for the next bytes, but not for ever, and no longer than the signal lets it. */
  async patiently<T>(promise: Promise<T>, attempt: AbortController): Promise<T> {
    const { stallTimeout = 60_000 } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stalled = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Transient(`nothing came for ${stallTimeout} ms`)), stallTimeout);
    });
    try {
      return await untilAborted(Promise.race([promise, stalled]), this.#signal);
    } catch (error) {
      promise.catch(() => undefined);
      attempt.abort();
      this.#signal?.throwIfAborted();
      if (error instanceof FormatError || error instanceof Transient) throw error;
      const { message, cause } = Object(error);
      throw new Transient(`the connection failed (${[message, Object(cause).message].filter(Boolean).join(': ')})`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A connection that ended before all bytes came. */
  cut(): Error {
    return new Transient('the connection was cut');
  }

  /**
   * What to do after a fault: waits where another attempt may help, and throws where none does. The result is the number of
   * attempts that failed.
   */
  async again(error: unknown, failed: number): Promise<number> {
    if (!(error instanceof Transient)) throw error;
    const { attempts = 5, retryDelay = 500 } = this.#options;
    const count = failed + 1;
    const tries = attempts === 1 ? 'one attempt' : `${attempts} attempts`;
    if (count >= attempts || (error.wait ?? 0) > longestWait) {
      const asked = error.wait !== null && error.wait > longestWait ? `, and asks for ${error.wait / 1000} s` : '';
      const { message, status } = error;
      return this.fail(
        'network',
        `${message} after ${asked === '' ? tries : `${count} of ${tries}`}${asked}: try again later.`,
        {
          status,
        },
      );
    }
    // Clients that failed together come back one by one.
    const wait = error.wait ?? Math.min(longestWait, retryDelay * 2 ** failed * (0.75 + Math.random() / 2));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waited = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, wait);
    });
    await untilAborted(waited, this.#signal).finally(() => clearTimeout(timer));
    return count;
  }
}

/** Milliseconds until the time that a server names, in seconds or as a date. */
function waitOf(after: string | null): number | null {
  if (after === null) return null;
  if (/^\d+$/.test(after.trim())) return Number(after) * 1000;
  const date = Date.parse(after);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}
