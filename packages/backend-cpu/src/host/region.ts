/**
 * One piece of memory that all programs of an engine share, one after the other: for the intermediates of a program, or
 * for the temporaries inside a kernel. It grows only while something is compiled; whoever holds views checks `version`.
 */
import { BackendError } from '@nn/core';
import { align } from '../storage.ts';

export class Region {
  bytes: ArrayBuffer = new ArrayBuffer(0);
  version = 0;

  /** Makes the region at least this long. Its contents are lost when it grows. */
  reserve(byteLength: number): void {
    const present = this.bytes.byteLength;
    if (byteLength <= present) return;
    try {
      // A quarter more than before at least, so that a rising need moves it few times.
      this.bytes = new ArrayBuffer(Math.max(byteLength, align(present * 1.25)));
    } catch (cause) {
      throw new BackendError(
        'cpu/out-of-memory',
        `out of memory: ${byteLength} bytes for intermediates cannot be had.`,
        { outOfMemory: true, bytes: byteLength },
        cause,
      );
    }
    this.version += 1;
  }
}

/** An array in a region, which may move between two runs. */
export class Temporary<A> {
  readonly #region: Region;
  readonly #make: (bytes: ArrayBuffer) => A;
  #version = -1;
  #view: A | undefined;

  constructor(region: Region, make: (bytes: ArrayBuffer) => A) {
    this.#region = region;
    this.#make = make;
  }

  /** The array, with undefined contents at the start of a kernel. */
  get(): A {
    let view = this.#view;
    if (view === undefined || this.#version !== this.#region.version) {
      view = this.#make(this.#region.bytes);
      this.#view = view;
      this.#version = this.#region.version;
    }
    return view;
  }
}

/** Lays the temporaries of one kernel out, one behind the other. */
export class Workspace {
  readonly #region: Region;
  #end = 0;

  constructor(region: Region) {
    this.#region = region;
  }

  float64(length: number): Temporary<Float64Array> {
    const start = this.#claim(length * 8);
    return new Temporary(this.#region, (bytes) => new Float64Array(bytes, start, length));
  }

  float32(length: number): Temporary<Float32Array> {
    const start = this.#claim(length * 4);
    return new Temporary(this.#region, (bytes) => new Float32Array(bytes, start, length));
  }

  int32(length: number): Temporary<Int32Array> {
    const start = this.#claim(length * 4);
    return new Temporary(this.#region, (bytes) => new Int32Array(bytes, start, length));
  }

  #claim(byteLength: number): number {
    const start = this.#end;
    this.#end = align(start + byteLength);
    this.#region.reserve(this.#end);
    return start;
  }
}
