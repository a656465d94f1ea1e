/**
 * h5wasm, the library of HDF5 in WebAssembly: loaded when the first file is read or written, bounded in memory, and as new again after
 * damaged files. Files are read by `hdf5.ts` and written by `hdf5-write.ts`.
 */
import { excerpt, ValueError } from '@nn/core';

/** The module of WebAssembly below the library. */
export type H5Module = Awaited<typeof import('h5wasm')['ready']>;

export interface Library {
  readonly library: typeof import('h5wasm');
  readonly module: H5Module;
}

/** What the library needs for itself while a file is open. */
const ownNeed = 64 * 2 ** 20;

/** The memory of the library when it was new, without the zeros behind what it used, and how long it was with them. */
let pristine: { readonly bytes: Uint8Array; readonly length: number } | null = null;
/** What a damaged file has left of the library: 'leaking' may hold what was not closed, 'broken' cannot go on. */
let state: 'good' | 'leaking' | 'broken' = 'good';
/** Bytes that those who use it may make it grow by. */
const claims = new Set<{ readonly bytes: number }>();
let count = 0;

/** A path in the memory of the library that no other file has. */
export function temporaryName(): string {
  return `/nn-${++count}.h5`;
}

/** Lets the library use so much more memory, until what it gives is called. Who works with the library has a claim. */
export function claimMemory(bytes: number): () => void {
  const claim = { bytes: bytes + ownNeed };
  claims.add(claim);
  return () => claims.delete(claim);
}

/** Remembers that something of the library failed. */
function noteFailure(error: unknown): void {
  // a trap of WebAssembly; its class is not known to every host's types
  if (Object(error).name === 'RuntimeError') state = 'broken';
  else if (state === 'good') state = 'leaking';
}

/**
 * Runs what calls the library. An error that is thrown across C's functions leaves what they had on their stack, which three thousand
 * damaged files fill; `ccall` puts the stack back where it was when it was asked for a text, and can be asked to call anything.
 */
export function inLibrary<T>(module: H5Module, run: () => T): T {
  const outcome: { value?: T; error?: unknown; failed?: true } = {};
  const call = (): void => {
    try {
      outcome.value = run();
    } catch (error) {
      noteFailure(error);
      Object.assign(outcome, { error, failed: true });
    }
  };
  const outer: unknown = Reflect.get(module, '_nnCall');
  Reflect.set(module, '_nnCall', call);
  module.ccall('nnCall', null, ['string'], ['']);
  Reflect.set(module, '_nnCall', outer);
  if (outcome.failed) throw outcome.error;
  // it was set where nothing failed
  return outcome.value as T;
}

/**
 * Refuses the library what nobody claimed. A damaged file of 30 kB can hold a length of 2 GB, which HDF5 asks for and fills with
 * zeros before it looks further. The library does not hand out its memory, so it is made to grow once and seen as it does; where
 * that is forbidden (frozen built-in objects), the bound is what WebAssembly allows.
 */
function boundMemory(module: H5Module, initial: number): void {
  const prototype: { grow(this: unknown, pages: number): number } | undefined = Reflect.get(globalThis, 'WebAssembly')
    ?.Memory?.prototype;
  if (prototype === undefined || Object.isFrozen(prototype)) return;
  const { grow } = prototype;
  let memory: object | undefined;
  prototype.grow = function (pages) {
    if (typeof this === 'object' && this !== null) memory = this;
    return grow.call(this, pages);
  };
  try {
    module._free(module._malloc(initial));
  } finally {
    prototype.grow = grow;
  }
  if (memory === undefined) return;
  Object.defineProperty(memory, 'grow', {
    value(pages: number): number {
      const allowed = [...claims].reduce((sum, { bytes }) => sum + bytes, initial);
      // the library takes this for "no memory", which it reports
      if (module.HEAPU8.length + pages * 65_536 > allowed) throw new RangeError('more than was claimed');
      return grow.call(memory, pages);
    },
  });
}

async function started(): Promise<Library> {
  try {
    const library = await import('h5wasm');
    return { library, module: await library.ready };
  } catch (error) {
    throw new ValueError(
      'keras/library',
      `HDF5 (.keras, .h5) is read and written by h5wasm, a module of WebAssembly, which cannot start here: ${excerpt(String(Object(error).message ?? error), 200)}. ` +
        "A Content-Security-Policy must allow 'wasm-unsafe-eval'; a model.json of TensorFlow.js needs none of it.",
    );
  }
}

/** Closes what the library left open: its file system gives out 4,096 numbers of open files, and keeps their bytes. */
function closeFiles({ FS }: H5Module): void {
  // 0 to 2 are the streams that every program has; the types of the library lack the list
  const opened: readonly (Parameters<typeof FS.close>[0] | null)[] = Reflect.get(FS, 'streams') ?? [];
  for (const stream of opened.slice(3)) if (stream) FS.close(stream);
}

/** The library, whose errors are thrown instead of printed. After damaged files it starts anew from the memory that it had. */
export async function loadLibrary(): Promise<Library> {
  const { library, module } = await started();
  if (pristine === null) {
    module.activate_throwing_error_handler();
    const { length } = module.HEAPU8;
    let end = length;
    while (end > 0 && module.HEAPU8[end - 1] === 0) end--;
    pristine = { bytes: module.HEAPU8.slice(0, end), length };
    boundMemory(module, length);
  } else if (state === 'broken' || (state === 'leaking' && claims.size === 0)) {
    // Everything that C knows lies in there; what is open of a broken library is lost. What the memory grew by is handed out again
    // as malloc hands it out, with anything in it: zeros there would cost the machine memory that the library never touched.
    module.HEAPU8.fill(0, 0, pristine.length);
    module.HEAPU8.set(pristine.bytes);
    closeFiles(module);
    state = 'good';
  }
  return { library, module };
}
