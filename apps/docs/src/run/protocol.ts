/** What the page asks of the worker that runs an example, and what it hears. */

export interface Request {
  readonly code: string;
  /** Where the packages lie: an address that ends with `/`. */
  readonly packages: string;
  /** Whether it runs as an example of a docstring does, with a backend chosen. */
  readonly docstring: boolean;
}

export type Report =
  | { readonly kind: 'print' | 'value'; readonly text: string }
  | { readonly kind: 'failed'; readonly text: string; readonly line?: number }
  | { readonly kind: 'done' };
