/**
 * How the names of a file become those of a model: patterns are `rename.ts`, a part of the file `choose-key.ts`, and here
 * what wrappers of PyTorch put in front. It knows names alone, no tensors.
 */

/**
 * The model's name for a name in the file: a function, null to leave it out; or pairs of pattern and replacement, each applied
 * to what the one before left. A text stands for whole parts between dots, `*` for any one of them, as in 'layers.*.norm'. A RegExp is replaced as in `String.replace`.
 */
export type Rename =
  | ((name: string) => string | null)
  | readonly (readonly [pattern: string | RegExp, replacement: string])[];

/** The name without what PyTorch's wrappers add: 'module.' of DataParallel in front, '_orig_mod' of compile anywhere. */
function unwrapped(name: string): string {
  return name
    .split('.')
    .filter((part) => part !== '_orig_mod')
    .join('.')
    .replace(/^(module\.)+/, '');
}

/** The model's name for a renamed one: itself, or where the model has no such name, without wrappers. */
export function modelName(name: string, expected: ReadonlyMap<string, unknown>): string {
  if (expected.has(name)) return name;
  const bare = unwrapped(name);
  return expected.has(bare) ? bare : name;
}
