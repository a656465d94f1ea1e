/**
 * Which copy of this package this is. A process may hold several: two versions that were installed, or one that was loaded
 * by `import` and by `require` without Node's own resolution. Their graphs do not fit together, so they refuse each other.
 * Owns the name of the copy and the error; tensor.ts and settings.ts ask. See docs/decisions/0006-one-core.md.
 */
import { DuplicateCoreError } from './errors.ts';

/** Put in by the build: '1.2.0, ES module'. */
declare const __NN_COPY__: string | undefined;

export const thisCopy: string = typeof __NN_COPY__ === 'string' ? __NN_COPY__ : 'from source';

const advice =
  'Install one version (npm ls @nn/core shows all, npm dedupe joins them) and load it in one way, by import or by require.';

/** A tensor of another copy was given to this one. */
export function foreignTensor(value: object): DuplicateCoreError {
  const there = 'copy' in value ? String(value.copy) : 'an older version';
  return new DuplicateCoreError(
    '/tensor',
    `A tensor of another copy of @nn/core (${there}) came to this one (${thisCopy}): their graphs do not fit together. ${advice}`,
    { here: thisCopy, there },
  );
}

/** What a copy leaves for others to find. An object of its own, because two copies may even have the same name. */
interface Mark {
  readonly copy: string;
}

const key: unique symbol = Symbol.for('@nn/core/copiesWithBackend');
const mark: Mark = { copy: thisCopy };
// The one cast: globalThis has no type for what packages put there.
const shared = globalThis as { [key]?: Set<Mark> };

/** This copy has a default backend now. Nothing is written before, so that an import alone changes nothing. */
export function announceBackend(): void {
  shared[key] ??= new Set();
  shared[key].add(mark);
}

/** The error where this copy has no default backend but another has. */
export function backendElsewhere(): DuplicateCoreError | null {
  const others = [...(shared[key] ?? [])].filter((other) => other !== mark).map(({ copy }) => copy);
  if (others.length === 0) return null;
  const there = others.join('; ');
  return new DuplicateCoreError(
    '/setDefaultBackend',
    `setDefaultBackend was called in another copy of @nn/core (${there}), not in this one (${thisCopy}). ${advice}`,
    { here: thisCopy, there },
  );
}
