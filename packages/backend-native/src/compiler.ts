/**
 * Addons as files: each is compiled once by the system's compiler in a process of its own, kept in the user's cache folder under a
 * name that says what it was made from, and taken from there by every process after the first.
 *
 * Code that is loaded must be the user's own: the folder is his alone (0700, checked each time), a file appears under its name
 * only when it is whole, and there is no shared place.
 */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { lstat, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { cpus, homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/** Why there is no native code, in words that follow "because". */
export class Unavailable extends Error {}

const isWindows = process.platform === 'win32';
/** How long the compiler may take, in milliseconds. */
const patience = 120_000;

export interface Built {
  readonly file: string;
  readonly fromCache: boolean;
}

/** A compiler that was found, and the folder for what it makes. */
export interface Toolchain {
  /** The compiler as it calls itself. */
  readonly compiler: string;
  /** The file of an addon with this source. Rejects with `Unavailable`. */
  build(source: string): Promise<Built>;
}

/** Throws `Unavailable`. `fused`: products and sums may be rounded once, where the source says so. */
export async function findToolchain(options: {
  readonly compiler: string | undefined;
  readonly cache: string | undefined;
  readonly fused: boolean;
}): Promise<Toolchain> {
  const program = options.compiler ?? findCompiler();
  const version = (await run(program, ['--version'])).split('\n')[0] ?? '';
  const flags = flagsFor(process, options.fused);
  const folder = await ownFolder(options.cache ?? cacheFolder());
  const { model = '' } = cpus()[0] ?? {};
  const build = async (source: string): Promise<Built> => {
    const facts = [source, version, flags.join(' '), process.platform, process.arch, model];
    const key = createHash('sha256').update(facts.join('\0')).digest('hex').slice(0, 32);
    const file = join(folder, `${key}.node`);
    if (await isOwnFile(file)) return { file, fromCache: true };
    const draft = join(folder, `${key}.${randomUUID()}`);
    try {
      await writeFile(`${draft}.c`, source, { mode: 0o600 });
      await run(program, [...flags, '-o', `${draft}.node`, `${draft}.c`]);
      await rename(`${draft}.node`, file).catch(async (error: unknown) => {
        // Windows replaces no file that is loaded: then another process has made the same one
        if (!(await isOwnFile(file))) throw error;
      });
    } finally {
      await Promise.all([`${draft}.c`, `${draft}.node`].map((path) => rm(path, { force: true })));
    }
    return { file, fromCache: false };
  };
  return { compiler: version, build };
}

/** What the compiler is told on a system. No flag lets it change what a program means. */
export function flagsFor(
  { platform, arch }: { readonly platform: string; readonly arch: string },
  fused: boolean,
): string[] {
  return [
    // compilers for ARM know "this processor" by the other name
    ...['-O2', arch === 'arm64' ? '-mcpu=native' : '-march=native', '-shared', '-x', 'c', '-w', '-ffp-contract=off'],
    ...['-fno-math-errno', '-fno-strict-aliasing', `-DFUSED=${fused ? 1 : 0}`],
    ...(platform === 'win32' ? [] : ['-fPIC', '-fvisibility=hidden', '-pthread']),
    ...(platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []),
  ];
}

/** Whether a compiler can be found: asked before anything is waited for. */
export function findCompiler(): string {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  // gcc for Windows keeps vectors of 256 bits where they may not lie
  const names = isWindows ? ['clang.exe'] : ['cc', 'clang', 'gcc'];
  for (const name of [process.env.CC ?? '', ...names]) {
    if (name === '') continue;
    for (const path of /[/\\]/.test(name) ? [name] : folders.map((folder) => join(folder, name))) {
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not there
      }
    }
  }
  throw new Unavailable(
    isWindows
      ? 'there is no compiler: clang.exe is not in PATH (winget install LLVM.LLVM, and the build tools of Visual Studio)'
      : 'there is no compiler: neither cc nor clang nor gcc is in PATH (apt install build-essential, or xcode-select --install)',
  );
}

function cacheFolder(): string {
  const home = homedir();
  if (isWindows) return join(process.env.LOCALAPPDATA ?? join(home, 'AppData/Local'), 'nn-native');
  if (process.env.XDG_CACHE_HOME) return join(process.env.XDG_CACHE_HOME, 'nn-native');
  return process.platform === 'darwin' ? join(home, 'Library/Caches/nn-native') : join(home, '.cache/nn-native');
}

/** The folder, made where it is not there; refused where somebody else might write into it. */
async function ownFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { mode, uid } = await lstat(folder).then((found) => (found.isSymbolicLink() ? stat(folder) : found));
    if (!isOnlyOurs(uid, mode)) {
      throw new Unavailable(`others may write into ${folder}: make it yours alone (chmod 700), or name another cache`);
    }
    return folder;
  } catch (error) {
    if (error instanceof Unavailable) throw error;
    throw new Unavailable(`there is no cache folder ${folder} (${messageOf(error)})`);
  }
}

/** Windows has no such bits; there the folder's list of rights is what it inherits from the user's own. */
const isOnlyOurs = (uid: number, mode: number): boolean =>
  isWindows || (uid === process.getuid?.() && (mode & 0o022) === 0);

async function isOwnFile(file: string): Promise<boolean> {
  try {
    const found = await lstat(file);
    return found.isFile() && isOnlyOurs(found.uid, found.mode);
  } catch {
    return false;
  }
}

/** What a program prints. It gets no input and no shell. */
function run(program: string, parameters: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (why: string): void => reject(new Unavailable(`${program} ${why}`));
    try {
      const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'], timeout: patience });
      const [said, complained]: [string[], string[]] = [[], []];
      child.stdout.on('data', (text) => said.push(String(text)));
      child.stderr.on('data', (text) => complained.push(String(text)));
      child.on('error', (error) => failed(`could not be run (${messageOf(error)})`));
      child.on('close', (status, signal) => {
        if (status === 0) resolve(said.join(''));
        else failed(`ended with ${signal ?? status}: ${complained.join('').slice(0, 400).trim()}`);
      });
      // a process that has nothing else to do does not wait for a compiler
      child.unref();
      for (const stream of [child.stdout, child.stderr]) (stream as { unref?(): void }).unref?.();
    } catch (error) {
      failed(`could not be run (${messageOf(error)})`);
    }
  });
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
