/** The error of a path that leads nowhere. */
import { excerpt, FormatError } from '@nn/core';
import { nearestName } from '../nearest-name.ts';
import { fileModules } from '../node-modules.ts';

/** Says how far the path leads, and which name there is like that of its file. */
export async function missingFile(operation: string, path: string): Promise<FormatError> {
  const { files, paths } = fileModules(path);
  const whole = paths.resolve(path);
  const folder = paths.dirname(whole);
  const names = await files.readdir(folder).catch(() => null);
  const what = names === null ? `there is no folder ${excerpt(folder, 300)}` : 'there is no such file';
  const where = paths.isAbsolute(path) ? '' : `; relative paths begin at ${excerpt(paths.resolve(), 300)}`;
  const near = nearestName(paths.basename(whole), names ?? []);
  const fix = near === undefined ? 'check the path.' : `is ${excerpt(near, 100)} meant?`;
  return new FormatError(`${operation}/missing`, `${excerpt(path, 300)} cannot be read: ${what}${where}: ${fix}`, {
    path,
    code: 'ENOENT',
  });
}
