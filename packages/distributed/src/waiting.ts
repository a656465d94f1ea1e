/** What waits for other ranks has no place in a compiled function, whose later calls would not make it. */
import { isCompiling, ValueError } from '@nn/core';

/** Throws ValueError in a function that is being compiled. */
export function checkWaiting(operation: string): void {
  if (!isCompiling()) return;
  throw new ValueError(
    operation,
    'it waits for the other ranks, which a compiled function cannot: compile what comes before, as dataParallel does it, `const gradients = optimizer.compileGradients(lossOf)`, and call `optimizer.stepOf(count, await gradients(...))`.',
  );
}
