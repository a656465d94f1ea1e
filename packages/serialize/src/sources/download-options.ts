/** What may be said of a download, and the names of these options. Types alone are needed in pages that fetch nothing. */

/** How far a download is. */
export interface DownloadProgress {
  /** The bytes that have come so far. */
  readonly loaded: number;
  /** The bytes that are needed: the file's, or of a part of it the part's. Before the header is read, the file's size. */
  readonly total: number;
  readonly address: string;
}

/** What is needed of a `Response`: types need neither the DOM's nor Node's. */
export interface DownloadResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: {
    getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: unknown }>; cancel(): Promise<void> };
  } | null;
}

/** As `fetch`; `signal` is an `AbortSignal`, whose type would need the DOM's. */
export type DownloadFetch = (
  address: string,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal?: never },
) => Promise<DownloadResponse>;

/** Options for sources that are addresses; of paths and bytes only `sha256` has a meaning. */
export interface DownloadOptions {
  /** Called as bytes come, at most some times a second, and at the end. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /**
   * Keeps the file, and takes it from there as long as the server names the same ETag: in Node in a folder (true is '~/.cache/nn'), in a browser in
   * the Cache Storage of this name (true is 'nn'). Where the server cannot be reached, what is kept is taken. Default false:
   * only the parts that are needed are fetched.
   */
  readonly cache?: boolean | string;
  /** The SHA-256 of the file, in hexadecimal: any other file is refused before anything of it is used. */
  readonly sha256?: string;
  /** Sent with each request, as `{ Authorization: 'Bearer ...' }`; not to other origins that the server leads to. */
  readonly headers?: Readonly<Record<string, string>>;
  /** In the place of 'https://huggingface.co' for 'hf://' addresses. */
  readonly mirror?: string;
  /** How often a request is tried where the network or the server fails (408, 429, 5xx). Default 5. */
  readonly attempts?: number;
  /** The milliseconds before the second attempt, doubled for each further one, unless the server says how long. Default 500. */
  readonly retryDelay?: number;
  /** The milliseconds without a byte after which a connection counts as cut. Default 60,000. */
  readonly stallTimeout?: number;
  /** In the place of the global `fetch`. */
  readonly fetch?: DownloadFetch;
}

/** The names of these options, for checks. */
export const downloadOptionNames = [
  'onProgress',
  'cache',
  'sha256',
  'headers',
  'mirror',
  'attempts',
  'retryDelay',
  'stallTimeout',
  'fetch',
] as const;
