/**
 * Node's modules of files, asked for at run time, so that no bundler sees them: in a browser only bytes in memory and
 * addresses exist.
 */
import { ValueError } from '@nn/core';

/** The types come from the function that gives the modules: an import would reach the bundlers. */
interface FileModules {
  readonly files: ReturnType<typeof process.getBuiltinModule<'node:fs/promises'>>;
  readonly paths: ReturnType<typeof process.getBuiltinModule<'node:path'>>;
  /** The path of an address that begins with 'file://'. */
  readonly fromAddress: (address: string) => string;
}

/** Node's modules. Throws a `ValueError` where there are none. */
export function fileModules(path: string): FileModules {
  if (typeof process === 'undefined' || !process.getBuiltinModule) {
    throw new ValueError(
      'files',
      `there is no file system here for '${path}'; use bytes or a Blob instead of a path.`,
      {
        path,
      },
    );
  }
  const builtin = process.getBuiltinModule.bind(process);
  const { fileURLToPath: fromAddress } = builtin('node:url');
  return { files: builtin('node:fs/promises'), paths: builtin('node:path'), fromAddress };
}
