/** What goes wrong between ranks: one is missing, has failed, or says something else than the others. */
import { NNError } from '@nn/core';

/**
 * A wait for other ranks that did not end well: one is missing, one has failed, or they do not say the same. The group is of no
 * use afterwards: end the process, and go on from the last checkpoint.
 *
 * @example
 * import { alone, GroupError } from '@nn/distributed';
 * const group = alone();
 * await group.close();
 * const error = await group.barrier().catch((reason) => reason);
 * console.log(error instanceof GroupError, error.kind); // => true group/barrier
 */
export class GroupError extends NNError {
  static override readonly name: string = 'GroupError';

  constructor(source: string, words: string, data?: Readonly<Record<string, unknown>>, cause?: unknown) {
    super(source, words, data, 'group', cause);
  }
}
