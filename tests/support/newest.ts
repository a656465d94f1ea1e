/** Whether something that was built is newer than all that it is made of. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export function isFresh(made: string, sources: readonly string[]): boolean {
  return existsSync(made) && statSync(made).mtimeMs > Math.max(...sources.map(newest));
}

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
