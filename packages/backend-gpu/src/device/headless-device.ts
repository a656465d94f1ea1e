/**
 * Owns: WebGL 2 in Node: a context of headless-gl (the package `gl`), and what differs there from browsers.
 * Does not own: textures, kernels and upload, which are those of `gl-device.ts`; finding the package (`native.ts`).
 * headless-gl has no buffers of pixels, so reading waits on the thread; it never loses a context but by `destroy`.
 */
import { BackendError } from '@nn/core';
import type { GpuLibrary } from './facade.ts';
import { GlDevice } from './gl-device.ts';
import { importNative, isNode } from './native.ts';

export class HeadlessDevice extends GlDevice {
  #isEnded = false;

  private constructor(library: GpuLibrary, gl: WebGL2RenderingContext) {
    super(library, gl, 'headlessgl', takesTargets(gl) ? 8 : 1);
  }

  static async open(library: GpuLibrary): Promise<HeadlessDevice> {
    return new HeadlessDevice(library, await makeContext());
  }

  protected override async pixels(width: number, height: number, out: Float32Array): Promise<void> {
    this.gl.readPixels(0, 0, width, height, this.gl.RGBA, this.gl.FLOAT, out);
  }

  protected override isLost(): boolean {
    return this.#isEnded;
  }

  override destroy(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const ending: unknown = this.gl.getExtension('STACKGL_destroy_context');
    if (isObject(ending) && 'destroy' in ending && typeof ending.destroy === 'function') ending.destroy();
  }
}

async function makeContext(): Promise<WebGL2RenderingContext> {
  if (!isNode) throw new BackendError('gpu', 'headless-gl is for Node.');
  const module = await importNative('gl');
  // Asked without a display it writes to the terminal before it gives up.
  if (process.platform === 'linux' && !process.env.DISPLAY) {
    throw new BackendError(
      'gpu',
      'the package gl needs a display, and DISPLAY is not set. Start Node with xvfb-run -a.',
    );
  }
  const create: unknown = isObject(module) ? Reflect.get(module, 'default') : undefined;
  const options = { createWebGL2Context: true, alpha: false, depth: false, stencil: false };
  const gl: unknown = typeof create === 'function' ? create(1, 1, options) : undefined;
  if (!isObject(gl))
    throw new BackendError('gpu', 'the package gl gives no context: no display, or no driver for OpenGL.');
  if (!isWebGl2(gl)) {
    throw new BackendError(
      'gpu',
      'the installed package gl knows WebGL 1 only. Version 9 has WebGL 2: npm install gl@9.0.0-rc.10.',
    );
  }
  return gl;
}

/**
 * Whether a draw may write several textures. In gl 9.0.0-rc.10 the native `drawBuffers` returns nothing where it should
 * return the attachment, so it depends on the compiler.
 */
function takesTargets(gl: WebGL2RenderingContext): boolean {
  const framebuffer = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.drawBuffers([gl.COLOR_ATTACHMENT0, gl.COLOR_ATTACHMENT0 + 1]);
  const second: unknown = gl.getParameter(gl.DRAW_BUFFER0 + 1);
  const works = gl.getError() === gl.NO_ERROR && second === gl.COLOR_ATTACHMENT0 + 1;
  gl.deleteFramebuffer(framebuffer);
  return works;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isWebGl2 = (gl: object): gl is WebGL2RenderingContext =>
  'texStorage2D' in gl && gl.constructor.name === 'WebGL2RenderingContext';
