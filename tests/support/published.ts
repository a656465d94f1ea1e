/**
 * What two tools say of a packed package: publint of its fields and files, are-the-types-wrong of its types. Both run in this
 * process, once loaded for all packages: a process for each would load TypeScript anew.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

/** What publint finds in a packed package, as it would print it. */
export async function publintOf(tarball: string): Promise<string[]> {
  const bytes = readFileSync(tarball);
  const packed = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: packed }, pkgDir: 'package', strict: true });
  return messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
}

interface Analysis {
  readonly types: unknown;
  readonly problems?: readonly { readonly kind: string; readonly resolutionKind?: string }[];
}

interface TypesTool {
  createPackageFromTarballData(bytes: Uint8Array): object;
  checkPackage(contents: object): Promise<Analysis>;
}

/** The library behind the command attw. The one cast: it is loaded by its path, because only the command is ours to depend on. */
async function typesTool(): Promise<TypesTool> {
  const command = createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json');
  const library = createRequire(command).resolve('@arethetypeswrong/core');
  return (await import(pathToFileURL(library).href)) as TypesTool;
}

/**
 * What is wrong with the types of a packed package for Node's ES modules and CommonJS and for bundlers, as `attw --profile
 * node16` finds: the resolution of Node 10 knows no `exports` and does not count.
 */
export async function typeProblemsOf(tarball: string): Promise<readonly unknown[]> {
  const { checkPackage, createPackageFromTarballData } = await typesTool();
  const { types, problems = [] } = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
  if (!types) return ['it has no types'];
  return problems.filter(({ resolutionKind }) => resolutionKind !== 'node10');
}
