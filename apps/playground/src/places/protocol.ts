/** What a place's page and its worker say to one another. Each place types its own calls and frames. */
import type { Told } from '../i18n/words.ts';

/** Functions of a worker by name; arguments and answers are data that can be posted. */
export type Calls = Readonly<Record<string, (...values: never[]) => unknown>>;

export type ToPlace =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly values: never[] }
  | { readonly kind: 'run' }
  | { readonly kind: 'pause' }
  /** The page has drawn the last frame and can take another. */
  | { readonly kind: 'seen' };

export type FromPlace =
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly why: Told }
  | { readonly kind: 'frame'; readonly frame: unknown }
  | { readonly kind: 'stopped'; readonly why: Told };
