/**
 * Owns: finding the native packages that give Node a GPU, `gl` and `webgpu`, which the user installs: nobody is made to.
 * Does not own: what is done with them (`headless-device.ts`, `navigator.ts`).
 * Neither is named where a bundler would look for it.
 */
import { BackendError } from '@nn/core';

export const isNode: boolean = typeof process !== 'undefined' && process.versions?.node !== undefined;

/** The versions that were tested. */
const tested = { gl: '9.0.0-rc.10', webgpu: '0.6.2' } as const;

/**
 * The package, as the folder that Node runs in has it (or `NODE_PATH`), or from beside this one.
 * Throws `BackendError` where it is not installed or does not start.
 */
export async function importNative(name: keyof typeof tested): Promise<unknown> {
  let failure: unknown;
  for (const find of [() => fromWorkingDirectory(name), async () => name]) {
    try {
      const found = await find();
      return await import(/* webpackIgnore: true */ /* @vite-ignore */ found);
    } catch (error) {
      if (!isMissing(error, name)) failure ??= error;
    }
  }
  if (failure === undefined) {
    throw new BackendError('gpu', `the package ${name} is not installed (npm install ${name}@${tested[name]}).`);
  }
  const why = String(failure instanceof Error ? failure.message : failure)
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300);
  throw new BackendError('gpu', `the package ${name} is installed but does not start here: ${why}`, {}, failure);
}

async function fromWorkingDirectory(name: string): Promise<string> {
  const [{ createRequire }, { pathToFileURL }] = await Promise.all([
    import(/* webpackIgnore: true */ /* @vite-ignore */ builtIn('module')),
    import(/* webpackIgnore: true */ /* @vite-ignore */ builtIn('url')),
  ]);
  const path: string = createRequire(`${process.cwd()}/`).resolve(name);
  return pathToFileURL(path).href;
}

const builtIn = (name: string): string => `node:${name}`;

/** Whether this very package is what was not found. */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return (
    (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND') && error.message.includes(`'${name}'`)
  );
}
