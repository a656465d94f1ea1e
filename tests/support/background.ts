/**
 * Work that begins before the tests and goes on beside them: only those that need its result wait for it. It runs in the
 * process of vitest, they in processes of their own, so its end is a file.
 */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Background {
  /** To be given to the tests, for `finished`. */
  readonly end: string;
  /** Waits for the work, whatever came of it, and removes what told of its end. */
  close(): Promise<void>;
}

export function begin(work: () => Promise<void>): Background {
  const folder = mkdtempSync(join(tmpdir(), 'nn-background-'));
  const end = join(folder, 'end');
  const say = (text: string): void => {
    writeFileSync(`${end}.new`, text);
    renameSync(`${end}.new`, end); // seen whole, or not at all
  };
  const done = work().then(
    () => say(''),
    (error: unknown) => say(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  return {
    end,
    async close() {
      await done;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when the work is done, and throws what it threw. */
export async function finished(end: string): Promise<void> {
  while (!existsSync(end)) await new Promise((resolve) => setTimeout(resolve, 100));
  const error = readFileSync(end, 'utf8');
  if (error !== '') throw new Error(error);
}
