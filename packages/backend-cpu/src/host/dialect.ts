/** A way to make a nest run on typed arrays; the rest of an engine on the host is common. */
import type { Nest } from '../nest/nest.ts';
import type { KernelFunction } from './call.ts';
import type { Workspace } from './region.ts';

export interface Dialect {
  readonly name: 'javascript' | 'interpreter';
  /** How it runs nests, in a word for people. */
  readonly path: string;
  /** The nest as a function. Temporaries that it needs while it runs come from `workspace`. */
  nest(nest: Nest, workspace: Workspace): KernelFunction;
}
