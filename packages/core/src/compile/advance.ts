/** What becomes of memory when a variable gets a new value: it goes to the new one, to tensors that still have it, or back. */
import type { Backend } from '../backend.ts';
import { leaf, type Node } from '../graph/node.ts';
import type { Storage } from '../graph/storage.ts';
import type { Variable } from '../graph/variable.ts';
import type { Residency } from './residency.ts';

/**
 * The variable has the new value, `node` where the graph knows it, and what the old one was is gone: donated to the new one
 * or freed. Returns the old storage if it is spent now. `residency` is that of the device that computed the value.
 */
export function advance(
  variable: Variable,
  storage: Storage,
  { isDonated, node = null }: { readonly isDonated: boolean; readonly node?: Node | null },
  residency: Residency,
  residencyOf: (backend: Backend) => Residency,
): Storage | null {
  const old = variable.committed.storage as Storage;
  if (old === storage) {
    if (node === null) return null;
    variable.committed = node;
    variable.isGiven = true;
    return null;
  }
  variable.own(storage);
  residency.remove(storage);
  if (storage.backend !== null && storage.buffer !== null) residencyOf(storage.backend).use(storage);
  variable.committed = node ?? leaf(storage, storage.backend ?? variable.committed.backend);
  variable.isGiven = node !== null;
  old.owners--;
  if (old.owners > 0) return null;
  if (old.isShared) {
    // a tensor may still have this value: it goes on without an owner
    old.owner = null;
    if (old.backend !== null && old.buffer !== null) residencyOf(old.backend).orphan(old);
    return null;
  }
  if (isDonated) {
    residency.remove(old);
    old.buffer = null;
  } else if (old.backend !== null && old.buffer !== null) {
    residencyOf(old.backend).drop(old);
  }
  old.host = null;
  old.spentBy = variable.name;
  return old;
}
