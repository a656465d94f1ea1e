/** Multi30k: pictures described in English and in German, line by line. Files of a folder, never downloaded. */
import { linesOfFolder } from './files.ts';

export interface Pairs {
  readonly sources: readonly string[];
  readonly targets: readonly string[];
}

/** `train` or `val` of a folder with train.en, train.de, val.en and val.de. */
export async function multi30k(folder: string, part: 'train' | 'val'): Promise<Pairs> {
  const [sources, targets] = await Promise.all([
    linesOfFolder(folder, `${part}.en`),
    linesOfFolder(folder, `${part}.de`),
  ]);
  const length = Math.min(sources.length, targets.length);
  return { sources: sources.slice(0, length), targets: targets.slice(0, length) };
}
