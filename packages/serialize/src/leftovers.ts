/**
 * Names of temporary files, and the end of those whose writer was killed. A name tells which file it is for, and which
 * machine, process and thread writes it, so that only what certainly is one's own and stale is removed.
 * Called only where there are files (`files.ts`).
 */

/** Older than this, no writer is at work any more, whatever its number says: milliseconds. */
const longestWrite = 24 * 60 * 60 * 1000;

/** The temporary files that this thread is writing. */
const active = new Set<string>();
/** Folders and names that were looked through: once a process is enough. */
const searched = new Set<string>();

const builtin = (): typeof process.getBuiltinModule => process.getBuiltinModule.bind(process);

/** `.nn-<file>-<machine>-<process>-<thread>-<random>.tmp`: short, however long the file's own name is. */
export function temporaryName(file: string): string {
  const name = `${prefix(file)}${process.pid}-${thread()}-${globalThis.crypto.randomUUID()}.tmp`;
  active.add(name);
  return name;
}

/** Ends the work on a temporary file, by its path. */
export function forget(temporary: string): void {
  active.delete(builtin()('node:path').basename(temporary));
}

/** Removes what killed writers of this file left in its folder. */
export async function removeLeftovers(folder: string, file: string): Promise<void> {
  const files = builtin()('node:fs/promises');
  const paths = builtin()('node:path');
  const key = paths.join(folder, file);
  if (searched.has(key)) return;
  searched.add(key);
  const start = prefix(file);
  for (const name of await files.readdir(folder)) {
    const writer = name.startsWith(start) ? /^(\d+)-(\d+)-[\da-f-]{36}\.tmp$/.exec(name.slice(start.length)) : null;
    if (writer === null || active.has(name)) continue;
    const [pid, number] = [Number(writer[1]), Number(writer[2])];
    const path = paths.join(folder, name);
    const isDead = pid === process.pid ? number === thread() : !isRunning(pid);
    const age = isDead ? 0 : Date.now() - (await files.stat(path)).mtimeMs;
    if (isDead || age > longestWrite) await files.rm(path, { force: true });
  }
}

function prefix(file: string): string {
  return `.nn-${hash(file)}-${hash(builtin()('node:os').hostname())}-`;
}

function thread(): number {
  return builtin()('node:worker_threads').threadId;
}

/** Whether a process has this number; one that belongs to somebody else counts. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return Object(error).code !== 'ESRCH';
  }
}

/** FNV-1a of 32 bits, as eight digits. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value >>> 0).toString(16).padStart(8, '0');
}
