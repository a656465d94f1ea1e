/** Text files of a folder of `--data`, gzipped or not, so that a task finds them under either name. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Failure } from '../failure.ts';

/** The text of `name`, or of `name.gz`. Throws a `Failure` where neither is there, or where it is no text. */
export async function textOfFolder(folder: string, name: string): Promise<string> {
  for (const file of [name, `${name}.gz`]) {
    const path = join(folder, file);
    try {
      const bytes = await readFile(path);
      const plain = file.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes;
      return new TextDecoder('utf-8', { fatal: true }).decode(plain);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') throw new Failure(`--data ${folder}: ${file} cannot be read: ${message}.`);
    }
  }
  throw new Failure(`--data ${folder}: there is no ${name}, and no ${name}.gz.`);
}

/** Its lines, without empty ones at the end. */
export async function linesOfFolder(folder: string, name: string): Promise<string[]> {
  return (await textOfFolder(folder, name)).trimEnd().split(/\r?\n/);
}
