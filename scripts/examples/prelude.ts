/**
 * Runs before each example. A thread runs many, so core is made as a process finds it that has just loaded it: what the example
 * before left there (a default backend, a seed, a mode) must not help this one.
 */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { forget } from '../../packages/core/src/testing.ts';

/** Those of a docstring need not say where they compute. Guides and the README do. */
export function __prepare(isDocstring: boolean): void {
  forget();
  if (isDocstring) setDefaultBackend(cpu());
}
