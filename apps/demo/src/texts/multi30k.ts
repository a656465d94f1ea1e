/** Multi30k: pictures described in English and in German, line by line. Files of a folder, never downloaded. */
import { Failure } from '../failure.ts';
import { linesOfFolder } from './files.ts';

export interface Pairs {
  readonly sources: readonly string[];
  readonly targets: readonly string[];
}

/** `train` or `val` of a folder with train.en, train.de, val.en and val.de. Throws a `Failure` where lines have no partner. */
export async function multi30k(folder: string, part: 'train' | 'val'): Promise<Pairs> {
  const [sources, targets] = await Promise.all([
    linesOfFolder(folder, `${part}.en`),
    linesOfFolder(folder, `${part}.de`),
  ]);
  if (sources.length === targets.length) return { sources, targets };
  throw new Failure(
    `--data ${folder}: ${part}.en has ${sources.length} lines and ${part}.de has ${targets.length}: line by line they must be pairs.`,
  );
}
