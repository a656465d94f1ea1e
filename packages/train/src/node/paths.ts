/** The check of what names a file or a folder: for JavaScript, where a missing one is an error of the file system, much later. */
import { excerpt, ValueError } from '@nn/core';

/** Throws ValueError for what is no path; answers it. */
export function checkPath(operation: string, option: string, path: unknown, example: string): string {
  if (typeof path === 'string' && path !== '') return path;
  const given = excerpt(typeof path === 'string' ? "''" : String(path), 60);
  throw new ValueError(operation, `${option} is ${given}: give a path, as in ${example}.`);
}
