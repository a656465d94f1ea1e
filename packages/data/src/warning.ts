/** What may have been decided wrongly about data: told in words, with its kind and the facts for programs. */

export interface DataWarning {
  /** Says what it is, as `kind` does of errors: 'warning/parseCsv/one-column', listed in docs/errors.md. */
  readonly kind: string;
  /** A sentence. */
  readonly message: string;
  /** The facts of the sentence. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** `source` names the function and, behind a slash, the reason. */
export function warningOf(source: string, message: string, data: DataWarning['data'] = {}): DataWarning {
  return { kind: `warning/${source}`, message, data };
}
