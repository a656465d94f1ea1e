/**
 * Owns: WebGL 2 through gpu.js: kernels, upload and reading back.
 * Does not own: textures (`gl-textures.ts`), what is computed (`printer.ts`), nor when memory is free (`plan.ts`), nor
 * contexts outside browsers (`headless-device.ts`).
 * gpu.js translates, links and runs each kernel; the shader text enters as its native function. Textures are ours: gpu.js
 * asks the texture it draws to `beforeMutate`, and ours answers "attach me", so each run can have its own target.
 */
import { BackendError } from '@nn/core';
import { glsl, type Language } from '../shader/language.ts';
import type { Shader } from '../shader/shader.ts';
import type { Counters, Device, Kernel, Memory } from './device.ts';
import {
  base,
  type GpuInstance,
  type GpuKernel,
  type GpuLibrary,
  type KernelSettings,
  webGl2Instance,
} from './facade.ts';
import { glslText } from './gl-shader.ts';
import { type GlTexture, sizeOf, TexturePool } from './gl-textures.ts';
import { nextTurn } from './turn.ts';

export type GlMode = 'webgl2' | 'headlessgl';

/** The largest width and height that are used. */
const largest = 8192;

/** For so many milliseconds the end of work is asked for in every turn of the event loop, then once a millisecond. */
const patience = 1;

/** The memory of this device is what it made itself: the one cast of this module. */
const own = (memory: Memory): GlTexture => memory as GlTexture;

export class GlDevice implements Device {
  readonly mode: GlMode;
  readonly language: Language = glsl;
  readonly exactInt32 = false;
  readonly maxWrites: number;
  readonly maxReads: number;
  readonly maxLength: number;
  readonly description: string;
  readonly counters: Counters = { created: 0, deleted: 0, live: 0, bytes: 0, kernels: 0, compiled: 0, launches: 0 };
  protected readonly gl: WebGL2RenderingContext;
  readonly #gpu: GpuInstance;
  readonly #textures: TexturePool;
  protected readonly framebuffer: WebGLFramebuffer;
  readonly #placeholder: GlTexture;

  /** `targets` is how many textures a draw may write at most. */
  constructor(
    gpuLibrary: GpuLibrary,
    gl: WebGL2RenderingContext = browserContext(),
    mode: GlMode = 'webgl2',
    targets = 8,
  ) {
    this.gl = gl;
    this.mode = mode;
    if (gl.getExtension('EXT_color_buffer_float') === null) {
      throw new BackendError(
        'gpu/no-float-textures',
        'this WebGL 2 cannot draw to 32-bit floats (EXT_color_buffer_float), so it cannot compute. Use the CPU backend.',
      );
    }
    this.#gpu = webGl2Instance(gpuLibrary, gl);
    const info = gl.getExtension('WEBGL_debug_renderer_info');
    this.description = String(gl.getParameter(info === null ? gl.RENDERER : info.UNMASKED_RENDERER_WEBGL));
    this.maxWrites = Math.min(targets, Number(gl.getParameter(gl.MAX_DRAW_BUFFERS)));
    this.maxReads = Math.min(16, Number(gl.getParameter(gl.MAX_TEXTURE_IMAGE_UNITS)) - 1);
    const side = Math.min(largest, Number(gl.getParameter(gl.MAX_TEXTURE_SIZE)));
    this.maxLength = side * side * 4;
    this.framebuffer = gl.createFramebuffer();
    this.#textures = new TexturePool(gl, this.counters);
    this.#placeholder = this.#textures.create([1, 1]);
  }

  compile(shader: Shader, writes: number): Kernel {
    this.check();
    const names = shader.reads.map((_, read) => `r${read}`);
    const numbers = shader.parameters.map((_, at) => `p${at}`);
    const argumentTypes: Record<string, string> = {};
    for (const name of names) argumentTypes[name] = 'ArrayTexture(4)';
    for (const [at, parameter] of shader.parameters.entries()) {
      argumentTypes[`p${at}`] = parameter.kind === 'scalar' && parameter.type === 'F' ? 'Float' : 'Integer';
    }
    // gpu.js prints what is called last first, so the rows' functions declare the variables that the body sets.
    const source = glslText(shader);
    const native = { returnType: 'Array(4)', argumentTypes: [] };
    const natives = [{ name: 'nn_main', source, ...native, settings: native }];
    for (let row = 1; row < writes; row++) {
      natives.push({
        name: `nn_row${row}`,
        source: `vec4 nn_result${row};\nvec4 nn_row${row}() { return nn_result${row}; }`,
        ...native,
        settings: native,
      });
    }
    const settings: KernelSettings = { ...base, output: [1, 1], argumentTypes, nativeFunctions: natives };
    // The base-2 logarithms of the widths of what is read and written.
    const shifts = [...names.map((_, read) => `s${read}`), 's'];
    for (const name of shifts) argumentTypes[name] = 'Integer';
    const head = `function(${[...names, ...numbers, ...shifts].join(', ')})`;
    let run: GpuKernel;
    if (writes === 1) run = this.#gpu.createKernel(`${head}{ return nn_main(); }`, settings);
    else {
      const rows = Array.from({ length: writes - 1 }, (_, row) => row + 1);
      const subKernels = Object.fromEntries(
        rows.map((row) => [`row${row}`, `function row${row}(p, q, r, s) { return [p, q, r, s]; }`]),
      );
      const calls = rows.map(
        (row) => `const v${row} = nn_row${row}(); row${row}(v${row}[0], v${row}[1], v${row}[2], v${row}[3]);`,
      );
      run = this.#gpu.createKernelMap(
        subKernels,
        `${head}{ const v = nn_main(); ${calls.join(' ')} return v; }`,
        settings,
      );
    }
    const placeholders = [...names.map(() => this.#placeholder), ...numbers.map(() => 0), ...shifts.map(() => 0)];
    try {
      run.build(...placeholders);
    } catch (error) {
      run.destroy();
      this.#restore();
      throw new BackendError(
        'gpu/compile',
        `WebGL did not compile a kernel: ${String(error).slice(0, 2000)}\n${source}`,
        {},
        error,
      );
    }
    const internals = run.kernel;
    if (internals.fallbackReason)
      throw new BackendError('gpu', `gpu.js left the GPU for a kernel: ${internals.fallbackReason}.`);
    // What gpu.js made for its own results is not used.
    internals.texture?.delete();
    for (const texture of internals.mappedTextures ?? []) texture.delete();
    this.#drawOnce(run, shader, writes);
    this.counters.kernels++;
    this.counters.compiled++;
    return {
      launch: (texels, reads, values, targets) => {
        this.#launch(run, texels, reads, values, targets);
        this.counters.launches++;
      },
      release: () => {
        internals.texture = null;
        internals.mappedTextures = null;
        run.destroy();
        this.counters.kernels--;
        this.#restore();
      },
    };
  }

  /** Drivers finish a program at its first draw: one pixel drawn now lets them do it while the next one is built. */
  #drawOnce(run: GpuKernel, shader: Shader, writes: number): void {
    while (this.#firstTargets.length < writes) this.#firstTargets.push(this.#textures.create([1, 1]));
    const reads = shader.reads.map(() => this.#placeholder);
    const numbers = shader.parameters.map(() => 0);
    this.#launch(run, 1, reads, numbers, this.#firstTargets.slice(0, writes));
    this.gl.flush();
  }
  readonly #firstTargets: GlTexture[] = [];

  #launch(
    run: GpuKernel,
    texels: number,
    reads: readonly Memory[],
    numbers: readonly number[],
    writes: readonly Memory[],
  ): void {
    const { kernel } = run;
    const size = sizeOf(texels);
    kernel.texSize = size;
    kernel.maxTexSize = size;
    const [target, ...others] = writes.map(own);
    kernel.texture = target ?? null;
    if (others.length > 0) kernel.mappedTextures = others;
    this.gl.viewport(0, 0, size[0], size[1]);
    const sources = reads.map(own);
    run(...sources, ...numbers, ...sources.map((source) => source.shift), 31 - Math.clz32(size[0]));
  }

  /**
   * Destroying a kernel deletes the vertex buffer that the shared attributes may point at, and later draws would fail.
   * Building any kernel points them at its own; so the smallest one is built again.
   */
  #restore(): void {
    const { gl } = this;
    const vertices = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, vertices);
    gl.bufferData(
      gl.ARRAY_BUFFER,
      new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1]),
      gl.STATIC_DRAW,
    );
    for (const [at, offset] of [0, 32].entries()) {
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, 2, gl.FLOAT, false, 0, offset);
    }
    if (this.#vertices !== null) gl.deleteBuffer(this.#vertices);
    this.#vertices = vertices;
  }
  #vertices: WebGLBuffer | null = null;

  allocate(texels: number): Memory {
    return this.#textures.allocate(texels);
  }

  free(memory: Memory): void {
    this.#textures.free(own(memory));
  }

  write(memory: Memory, data: Float32Array | Int32Array): void {
    const { gl } = this;
    const texture = own(memory);
    const [width, height] = texture.size;
    const floats = data instanceof Float32Array ? data : Float32Array.from(data);
    gl.activeTexture(gl.TEXTURE15);
    gl.bindTexture(gl.TEXTURE_2D, texture.texture);
    gl.bindBuffer(gl.PIXEL_UNPACK_BUFFER, null);
    const rows = Math.floor(floats.length / (width * 4));
    if (rows > 0) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, rows, gl.RGBA, gl.FLOAT, floats, 0);
    if (rows < height) {
      const last = new Float32Array(width * 4);
      last.set(floats.subarray(rows * width * 4));
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, rows, width, 1, gl.RGBA, gl.FLOAT, last, 0);
    }
  }

  async read(memory: Memory, length: number): Promise<Float32Array> {
    this.check();
    const { gl } = this;
    const texture = own(memory);
    const [width] = texture.size;
    // Whole rows, as few as hold `length` numbers.
    const columnsRead = Math.min(width, Math.ceil(length / 4));
    const rows = Math.ceil(length / (width * 4));
    const out = new Float32Array(columnsRead * rows * 4);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture.texture, 0);
    await this.pixels(columnsRead, rows, out);
    return out.subarray(0, length);
  }

  /** Reads a rectangle of what is attached, through a buffer, so that the thread does not wait for the device. */
  protected async pixels(width: number, height: number, out: Float32Array): Promise<void> {
    const { gl } = this;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, out.byteLength, gl.STREAM_READ);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, 0);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    try {
      await this.#fence();
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, out);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
      // A lost context reads zeros without an error.
      this.check();
    } finally {
      gl.deleteBuffer(buffer);
    }
  }

  /** Waits for all work so far without blocking the thread. */
  async #fence(): Promise<void> {
    const { gl } = this;
    const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    this.check();
    gl.flush();
    try {
      const start = performance.now();
      for (;;) {
        const status = gl.clientWaitSync(sync as WebGLSync, 0, 0);
        if (status === gl.ALREADY_SIGNALED || status === gl.CONDITION_SATISFIED) return;
        this.check();
        if (status === gl.WAIT_FAILED) throw new BackendError('gpu', 'waiting for WebGL failed.');
        // Asking without a pause takes a processor, on a software device the very one that computes.
        if (performance.now() - start > patience) await nextTurn(1);
        // Browsers stretch timers that timers start, so a message goes between.
        await nextTurn();
      }
    } finally {
      gl.deleteSync(sync);
    }
  }

  check(): void {
    if (this.isLost()) {
      throw new BackendError(
        'gpu/lost',
        'the WebGL context was lost, and with it everything on the device. Make a new backend with gpu() and restore the parameters with recover() or from a checkpoint.',
        { lost: true },
      );
    }
  }

  protected isLost(): boolean {
    return this.gl.isContextLost();
  }

  /** A flush costs more than a small launch, so those of one turn of the event loop share it; waiting flushes at once. */
  flush(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    nextTurn().then(() => {
      this.#isFlushDue = false;
      if (!this.isLost()) this.gl.flush();
    });
  }
  #isFlushDue = false;

  async idle(): Promise<void> {
    this.check();
    await this.#fence();
  }

  destroy(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }
}

function browserContext(): WebGL2RenderingContext {
  if (typeof OffscreenCanvas === 'undefined' && typeof document === 'undefined') {
    throw new BackendError('gpu', 'there is no WebGL 2 outside browsers.');
  }
  const canvas = typeof OffscreenCanvas === 'undefined' ? document.createElement('canvas') : new OffscreenCanvas(1, 1);
  const gl = canvas.getContext('webgl2', {
    alpha: false,
    depth: false,
    stencil: false,
    antialias: false,
    powerPreference: 'high-performance',
    failIfMajorPerformanceCaveat: false,
  });
  if (gl === null) throw new BackendError('gpu/no-webgl2', 'this browser gives no WebGL 2 context.');
  return gl as WebGL2RenderingContext;
}
