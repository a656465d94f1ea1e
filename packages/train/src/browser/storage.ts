/**
 * Files of runs in the IndexedDB of a page's origin: keys are [run, file], values bytes. Owns no format. Each call opens the
 * database anew and closes it, so that none is held by a page that a training has long left.
 */
import { ValueError } from '@nn/core';

const database = 'nn-runs';
const store = 'files';
type Files = ReadonlyMap<string, Uint8Array<ArrayBufferLike>>;

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown): void =>
      reject(
        new ValueError(
          'checkpoint',
          `there is no IndexedDB to save a run in (${cause}): a page has one, unless its browser or its sandbox forbids it; in Node save into a folder, with checkpoint of @nn/train/node.`,
        ),
      );
    if (globalThis.indexedDB === undefined) return refuse('this is no page');
    try {
      const request = indexedDB.open(database, 1);
      request.onupgradeneeded = () => void request.result.createObjectStore(store);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => refuse(request.error);
    } catch (error) {
      refuse(error);
    }
  });
}

/** Runs one transaction, which is whole or has not been; answers what `act` asked for. */
async function transact<T>(mode: IDBTransactionMode, act: (files: IDBObjectStore) => IDBRequest<T> | null): Promise<T> {
  const base = await opened();
  try {
    return await new Promise<T>((resolve, reject) => {
      // 'strict': the disk has it when the save is over, a power cut included
      const transaction = base.transaction(store, mode, { durability: 'strict' });
      let asked: IDBRequest<T> | null = null;
      transaction.oncomplete = () => resolve(asked?.result as T);
      transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was ended'));
      asked = act(transaction.objectStore(store));
    });
  } finally {
    base.close();
  }
}

const allOf = (run: string): IDBKeyRange => IDBKeyRange.bound([run], [run, []]);

/** Writes files of a run and removes others, all at once. ValueError where the browser has no room: the files stay as they were. */
export async function changeFiles(run: string, files: Files, removed: readonly string[] = []): Promise<void> {
  try {
    await transact<undefined>('readwrite', (all) => {
      for (const file of removed) all.delete([run, file]);
      for (const [file, bytes] of files) all.put(bytes, [run, file]);
      return null;
    });
  } catch (error) {
    if ((error as Error).name !== 'QuotaExceededError') throw error;
    const bytes = [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    throw new ValueError(
      'checkpoint',
      `the browser has no room for ${bytes} bytes of the run '${run}'; what was saved before is still there. Remove other runs with removeSaves, or keep fewer.`,
      { run, bytes },
    );
  }
}

export async function readFile(run: string, file: string): Promise<Uint8Array<ArrayBuffer> | null> {
  return (await transact<Uint8Array<ArrayBuffer> | undefined>('readonly', (all) => all.get([run, file]))) ?? null;
}

export async function removeFiles(run: string): Promise<void> {
  await transact('readwrite', (all) => all.delete(allOf(run)));
}
