/**
 * Owns: what the planner needs of a device, and the count of what lives on it.
 * Does not own: how a device does it (`gl-device.ts`, `webgpu-device.ts`).
 */
import type { Language, Scalar } from '../shader/language.ts';
import type { Shader } from '../shader/shader.ts';

/** Memory on the device: groups of four numbers, counted in `texels`. */
export interface Memory {
  readonly texels: number;
  /** What the numbers are. On WebGL integers lie as floats. */
  readonly scalar: Scalar;
}

/** A compiled shader. */
export interface Kernel {
  /** Enqueues one launch; each of `writes` gets `texels` groups. */
  launch(texels: number, reads: readonly Memory[], numbers: readonly number[], writes: readonly Memory[]): void;
  release(): void;
}

/** What was made and freed, to be watched by tests: both grow together in a program that does not leak. */
export interface Counters {
  created: number;
  deleted: number;
  live: number;
  bytes: number;
  kernels: number;
  compiled: number;
  launches: number;
}

export interface Device {
  readonly mode: 'webgl2' | 'webgpu' | 'headlessgl';
  readonly language: Language;
  readonly counters: Counters;
  readonly description: string;
  /** The most shader inputs. */
  readonly maxReads: number;
  readonly maxLength: number;
  readonly exactInt32: boolean;
  /** How many outputs of a shader may be written at once: 4 lets a product compute four rows. */
  readonly maxWrites: number;
  compile(shader: Shader, writes: number): Kernel | Promise<Kernel>;
  allocate(texels: number, scalar: Scalar): Memory;
  free(memory: Memory): void;
  write(memory: Memory, data: Float32Array | Int32Array): void;
  /** The first `length` numbers. Rejects with BackendError when the device is lost. */
  read(memory: Memory, length: number): Promise<Float32Array | Int32Array>;
  /** Throws BackendError when the device is lost. */
  check(): void;
  /** Hands everything recorded so far to the device. */
  flush(): void;
  idle(): Promise<void>;
  /** Ends the device. */
  destroy(): void;
}
