/** Work on the device that goes with a count on the host: the count moves only with success, in replays too. */
import { onReplay } from '@nn/core';

/** Does `work` after `count`, now and in each replay, and takes the count back by what `count` answers where the work fails. */
export function counted(count: () => () => void, work: () => Promise<void>): Promise<void> {
  let undo = count();
  const strikeOut = onReplay(
    () => {
      undo = count();
    },
    () => undo(),
  );
  const fail = (error: unknown): never => {
    strikeOut();
    undo();
    throw error;
  };
  try {
    return work().catch(fail);
  } catch (error) {
    return fail(error);
  }
}
