/** to be */
export function mergeAdapters(_model: object, _options: { readonly forget?: boolean } = {}): string[] {
  return [];
}
