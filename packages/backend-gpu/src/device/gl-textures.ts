/**
 * Owns: the memory of `gl-device.ts`, textures of four floats a texel: their sizes, making them, and the pool of idle ones.
 * Does not own: what is in them.
 */
import { BackendError } from '@nn/core';
import type { Scalar } from '../shader/language.ts';
import type { Counters, Memory } from './device.ts';
import type { TextureProtocol } from './facade.ts';

/** Memory of the device, in the shape in which gpu.js knows textures. */
export class GlTexture implements TextureProtocol, Memory {
  readonly type = 'ArrayTexture(4)';
  readonly size: readonly [number, number];
  readonly dimensions: readonly number[];
  readonly output: readonly number[];
  readonly texels: number;
  readonly bytes: number;
  readonly scalar: Scalar = 'F';
  readonly texture: WebGLTexture;
  readonly context: WebGL2RenderingContext;
  /** The base-2 logarithm of the width. */
  readonly shift: number;
  isFree = false;

  constructor(texture: WebGLTexture, size: readonly [number, number], context: WebGL2RenderingContext) {
    this.texture = texture;
    this.context = context;
    this.size = size;
    this.shift = 31 - Math.clz32(size[0]);
    this.dimensions = [size[0], size[1], 1];
    this.output = size;
    this.texels = size[0] * size[1];
    this.bytes = this.texels * 16;
  }

  beforeMutate(): boolean {
    return true;
  }

  clone(): TextureProtocol {
    return this;
  }

  delete(): void {}
}

/**
 * Nearly square, so that drivers that share out rows or blocks of pixels keep all their units busy; the width is a power
 * of two, so that a texel's place is a shift and a mask.
 */
export function sizeOf(texels: number): readonly [number, number] {
  const width = 2 ** Math.ceil(Math.log2(Math.sqrt(texels)));
  return [width, Math.ceil(texels / width)];
}

/** Textures by their size; those that lie idle are given out again. */
export class TexturePool {
  readonly #gl: WebGL2RenderingContext;
  readonly #counters: Counters;
  readonly #idle = new Map<string, GlTexture[]>();
  #idleBytes = 0;

  constructor(gl: WebGL2RenderingContext, counters: Counters) {
    this.#gl = gl;
    this.#counters = counters;
  }

  allocate(texels: number): GlTexture {
    const size = sizeOf(texels);
    const found = this.#idle.get(size.join('x'))?.pop();
    if (found === undefined) return this.create(size);
    this.#idleBytes -= found.bytes;
    found.isFree = false;
    return found;
  }

  create(size: readonly [number, number]): GlTexture {
    const gl = this.#gl;
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE15);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, size[0], size[1]);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    const made = new GlTexture(texture, size, gl);
    const { bytes } = made;
    // Asking for errors waits for the device, so only large textures are asked about.
    if (bytes >= 2 ** 24 && gl.getError() === gl.OUT_OF_MEMORY) {
      gl.deleteTexture(texture);
      if (this.#empty()) return this.create(size);
      throw new BackendError(
        'gpu/out-of-memory',
        `out of memory: no room for ${bytes} bytes beside ${this.#counters.bytes}.`,
        {
          used: this.#counters.bytes,
          outOfMemory: true,
          bytes,
        },
      );
    }
    this.#counters.created++;
    this.#counters.live++;
    this.#counters.bytes += bytes;
    return made;
  }

  free(texture: GlTexture): void {
    if (texture.isFree) throw new BackendError('gpu', 'a buffer was released twice.');
    texture.isFree = true;
    // At most as much lies idle as is in use, so that a change of sizes does not double memory for long.
    if (this.#idleBytes + texture.bytes > Math.max(2 ** 26, this.#counters.bytes - this.#idleBytes)) {
      this.#delete(texture);
      return;
    }
    this.#idleBytes += texture.bytes;
    const key = texture.size.join('x');
    const list = this.#idle.get(key);
    if (list === undefined) this.#idle.set(key, [texture]);
    else list.push(texture);
  }

  /** Deletes what lies idle; whether there was anything. */
  #empty(): boolean {
    const all = [...this.#idle.values()].flat();
    for (const texture of all) this.#delete(texture);
    this.#idle.clear();
    this.#idleBytes = 0;
    return all.length > 0;
  }

  #delete({ texture, bytes }: GlTexture): void {
    this.#gl.deleteTexture(texture);
    this.#counters.deleted++;
    this.#counters.live--;
    this.#counters.bytes -= bytes;
  }
}
