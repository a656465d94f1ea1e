/** Packages that users install beside this one, loaded when a file needs them. */
import { ValueError } from '@nn/core';

/** What `load` imports. Rejects with a `ValueError` that says what to install where it cannot; `need` says what for. */
export async function optionalPackage<T>(
  operation: string,
  name: string,
  load: () => Promise<T>,
  need: string = '',
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new ValueError(
      operation,
      `${need}the package ${name} cannot be loaded: npm install ${name}. ${String(error)}`,
      { package: name },
    );
  }
}
