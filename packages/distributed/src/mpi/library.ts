/**
 * The library of MPI as functions: found by what launched the process, told by its own words, called through koffi. Owns names
 * and prototypes; what is said with them is transport.ts.
 */
import { ValueError } from '@nn/core';
import type { Launch } from '../launcher.ts';
import { type Family, type Handles, handlesOf } from './handles.ts';

/** A function of C, called here or on a thread of the pool. */
interface Native {
  (...parameters: unknown[]): number;
  async(...parameters: unknown[]): void;
}
interface Loaded {
  func(prototype: string): Native;
  symbol(name: string, type: string): unknown;
}
/** What is used of koffi. */
export interface Koffi {
  load(path: string): Loaded;
  address(value: unknown): bigint;
  config(): Record<string, number>;
  config(settings: Record<string, number>): void;
}

export interface Mpi {
  /** As the library calls itself: 'Open MPI 4.1.4'. */
  readonly name: string;
  readonly handles: Handles;
  /** The functions that block, on a thread of the pool: a promise that throws what MPI says. */
  readonly wait: (name: Blocking, ...parameters: unknown[]) => Promise<void>;
  /** The others, at once. */
  readonly call: (name: Quick, ...parameters: unknown[]) => void;
}

type Blocking = keyof typeof blocking;
type Quick = keyof typeof quick;

/** H stands for a handle. */
const blocking = {
  Allreduce: 'void *, void *, int, H, H, H',
  Reduce: 'void *, void *, int, H, H, int, H',
  Bcast: 'void *, int, H, int, H',
  Allgather: 'void *, int, H, void *, int, H, H',
  Alltoall: 'void *, int, H, void *, int, H, H',
  Reduce_scatter: 'void *, void *, int *, H, H, H',
  Barrier: 'H',
} as const;
const quick = {
  Init_thread: 'void *, void *, int, _Out_ int *',
  Comm_rank: 'H, _Out_ int *',
  Comm_size: 'H, _Out_ int *',
  Comm_dup: 'H, _Out_ H*',
  Comm_set_errhandler: 'H, H',
  Send: 'void *, int, H, int, int, H',
  Iprobe: 'int, int, H, _Out_ int *, void *',
  Abort: 'H, int',
  Finalize: '',
  Error_string: 'int, void *, _Out_ int *',
  Get_library_version: 'void *, _Out_ int *',
} as const;

/** Bytes of stack for calls on other threads: MPICH's sums need more than koffi's 256 kB. */
const stackBytes = 4 << 20;

/** The names under which the library may be installed, the likeliest first. */
function candidates(launch: Launch | null, platform: string): string[] {
  const file = (name: string, version: string): string =>
    platform === 'darwin' ? `${name}.${version}.dylib` : `${name}.so.${version}`;
  const open = [file('libmpi', '40'), file('libmpi_abi', '0')];
  const mpich = [file('libmpich', '12'), file('libmpi', '12'), file('libmpi_abi', '0')];
  const mine = launch?.launcher === 'MPICH' ? [...mpich, ...open] : [...open, ...mpich];
  return [...new Set([...mine, platform === 'darwin' ? 'libmpi.dylib' : 'libmpi.so'])];
}

/** Loads MPI. `library`: its path, where the user gave one. Throws ValueError that lists what was tried. */
export function loadMpi(koffi: Koffi, launch: Launch | null, library: string | undefined, platform: string): Mpi {
  koffi.config({ ...koffi.config(), async_stack_size: stackBytes });
  const tried: string[] = [];
  for (const path of library === undefined ? candidates(launch, platform) : [library]) {
    try {
      return functionsOf(koffi, koffi.load(path), path);
    } catch (error) {
      tried.push(`${path} (${error instanceof Error ? error.message.split('\n')[0] : error})`);
    }
  }
  throw new ValueError(
    'mpi',
    `no library of MPI was found: install Open MPI or MPICH, or name it by { library } or NN_MPI_LIBRARY. Tried ${tried.join(', ')}.`,
  );
}

function functionsOf(koffi: Koffi, loaded: Loaded, path: string): Mpi {
  const family = familyOf(loaded, path);
  const handles = handlesOf(family, (name) => koffi.address(loaded.symbol(name, 'void')));
  const functions = new Map(
    Object.entries({ ...blocking, ...quick }).map(([name, types]) => [
      name,
      loaded.func(`int MPI_${name}(${types.replaceAll('H', handles.type)})`),
    ]),
  );
  const call = (name: Quick, ...parameters: unknown[]): void => {
    const code = functions.get(name)!(...parameters);
    if (code !== 0) throw new Error(`MPI_${name}: ${wordsOf(code)}`);
  };
  /** What MPI says of a code of an error. */
  function wordsOf(code: number): string {
    const text = new Uint8Array(8192);
    const length = [0];
    functions.get('Error_string')!(code, text, length);
    return new TextDecoder().decode(text.subarray(0, length[0])).trim();
  }
  return {
    name: versionOf(functions.get('Get_library_version')!),
    handles,
    call,
    wait: (name, ...parameters) =>
      new Promise((resolve, reject) => {
        functions.get(name)!.async(...parameters, (error: Error | null, code: number) => {
          if (error !== null && error !== undefined) reject(error);
          else if (code !== 0) reject(new Error(`MPI_${name}: ${wordsOf(code)}`));
          else resolve();
        });
      }),
  };
}

function familyOf(loaded: Loaded, path: string): Family {
  if (/libmpi_abi/.test(path)) return 'MPI 5';
  try {
    loaded.symbol('ompi_mpi_comm_world', 'void');
    return 'Open MPI';
  } catch {
    return 'MPICH';
  }
}

/** 'Open MPI v4.1.4, package: ...' and 'MPICH Version: 4.0.2 ...' in two words. */
function versionOf(version: Native): string {
  const text = new Uint8Array(8192);
  const length = [0];
  version(text, length);
  const words = new TextDecoder().decode(text.subarray(0, length[0])).replaceAll('\0', '');
  const found = /(Open MPI|MPICH|Intel\S* MPI)\D*([\d.]+)/.exec(words);
  return found === null ? (words.split('\n')[0] ?? 'MPI').slice(0, 60) : `${found[1]} ${found[2]}`;
}
