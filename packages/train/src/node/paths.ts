/** Errors of paths: missing ones, told where they were left out; and what the file system says, with the file it says it of. */
import { excerpt, isNNError, ValueError } from '@nn/core';

/** Throws ValueError for what is no path; answers it. */
export function checkPath(operation: string, option: string, path: unknown, example: string): string {
  if (typeof path === 'string' && path !== '') return path;
  const given = excerpt(typeof path === 'string' ? "''" : String(path), 60);
  throw new ValueError(operation, `${option} is ${given}: give a path, as in ${example}.`);
}

/** What cannot be written, with its path, which the system leaves out where a disk is full. */
function cannotWrite(operation: string, path: string, error: unknown): unknown {
  if (isNNError(error)) return error;
  const { message } = Object(error) as { message?: unknown };
  return new ValueError(operation, `${path} cannot be written: ${message}.`, { path, reason: error });
}

/** Throws ValueError that names the path where the file system refuses. */
export async function writing<T>(operation: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw cannotWrite(operation, path, error);
  }
}

/** As `writing`, at once. */
export function writingAtOnce<T>(operation: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw cannotWrite(operation, path, error);
  }
}
