/**
 * Owns: the part of gpu.js 2.24.1 that this package uses, typed by hand, and its loading.
 * Does not own: what the kernels compute. gpu.js is imported here and nowhere else; the build carries it inside.
 * Sits between the devices (`gl-device.ts`, `webgpu-device.ts`) and the library; the members that gpu.js does not document
 * are pinned by `device.browser.test.ts`, which is why the version is exact.
 */
import { BackendError } from '@nn/core';

/** What gpu.js asks of a texture that a kernel reads or writes. Our `GlTexture` is one. */
export interface TextureProtocol {
  readonly texture: WebGLTexture;
  readonly size: readonly number[];
  readonly dimensions: readonly number[];
  readonly output: readonly number[];
  readonly context: WebGL2RenderingContext;
  readonly type: 'ArrayTexture(4)';
  /** Called before each draw into it; true asks gpu.js to attach `texture` to its framebuffer again. */
  beforeMutate(): boolean;
  clone(): TextureProtocol;
  delete(): void;
}

/** The handle of a buffer that a WebGPU kernel reads. */
export interface BufferProtocol {
  readonly buffer: GpuBuffer;
  readonly output: readonly number[];
  readonly componentCount: 1;
  readonly context: WebGpuContext;
  readonly type: 'WebGPUBuffer';
  readonly _deleted: boolean;
}

/** The kernel object behind the callable that `createKernel` returns. */
export interface KernelInternals {
  readonly context: WebGL2RenderingContext;
  readonly program: WebGLProgram | null;
  readonly fallbackReason?: string | null;
  /** GL: where the next run is drawn to. */
  texture: TextureProtocol | null;
  mappedTextures: readonly TextureProtocol[] | null;
  /** GL: the size of the next run's target, and of the viewport. */
  texSize: readonly number[];
  maxTexSize: readonly number[];
  /** WebGPU: makes the shader; replaced by ours, which binds whole vectors and exact integers. */
  assembleWGSL: () => string;
  workgroupSize: readonly number[];
  outputBuffer: GpuBuffer | null;
  bindGroupDirty: boolean;
  bindGroupLayout: object | null;
  computePipeline: object | null;
  build(...args: readonly unknown[]): Promise<void> | void;
}

export interface GpuKernel {
  (...args: readonly (number | TextureProtocol | BufferProtocol)[]): unknown;
  readonly kernel: KernelInternals;
  build(...args: readonly unknown[]): Promise<void> | void;
  destroy(): void;
}

export interface NativeFunction {
  readonly name: string;
  readonly source: string;
  readonly returnType: string;
  readonly argumentTypes: readonly string[];
}

export interface KernelSettings {
  readonly output: readonly number[];
  readonly argumentTypes: Readonly<Record<string, string>>;
  readonly returnType: 'Array(4)';
  readonly nativeFunctions?: readonly (NativeFunction & {
    readonly settings: Omit<NativeFunction, 'name' | 'source'>;
  })[];
  readonly pipeline: true;
  readonly immutable: true;
  readonly precision: 'single';
  readonly tactic: 'precision';
  readonly fixIntegerDivisionAccuracy: false;
  readonly loopMaxIterations: number;
  readonly checkContext?: boolean;
}

export interface GpuInstance {
  /** The class of its kernels, and what it hands to each of them. */
  Kernel: WebGl2Kernel;
  mode: string;
  context: WebGL2RenderingContext;
  canvas: { width: number; height: number };
  createKernel(source: string, settings: KernelSettings): GpuKernel;
  createKernelMap(subKernels: Readonly<Record<string, string>>, source: string, settings: KernelSettings): GpuKernel;
  destroy(): Promise<void>;
}

export interface WebGpuContext {
  readonly adapter: {
    readonly info?: Readonly<Record<string, string>>;
    readonly limits: Readonly<Record<string, number>>;
  };
  readonly device: GpuDevice;
  readonly isLost: boolean;
}

export interface GpuBuffer {
  readonly size: number;
  destroy(): void;
  mapAsync(mode: number, offset?: number, size?: number): Promise<void>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): void;
}

export interface GpuDevice {
  readonly limits: Readonly<Record<string, number>>;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  readonly queue: {
    submit(commands: readonly object[]): void;
    writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBuffer | ArrayBufferView): void;
    onSubmittedWorkDone(): Promise<void>;
  };
  onuncapturederror: ((event: { readonly error: { readonly message: string } }) => void) | null;
  createBuffer(settings: { readonly size: number; readonly usage: number }): GpuBuffer;
  createBindGroup(settings: object): object;
  createCommandEncoder(): GpuEncoder;
  pushErrorScope(filter: string): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  destroy(): void;
}

export interface GpuEncoder {
  beginComputePass(): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): void;
  finish(): object;
}

export interface GpuPass {
  setPipeline(pipeline: object): void;
  setBindGroup(index: number, group: object, offsets?: readonly number[]): void;
  dispatchWorkgroups(x: number, y: number, z: number): void;
  end(): void;
}

/** The class of kernels on WebGL 2. */
export interface WebGl2Kernel {
  new (...settings: never[]): object;
  readonly isSupported: boolean;
  readonly features: Readonly<Record<string, number | boolean>>;
}

/** What is used of the module. */
export interface GpuLibrary {
  readonly WebGL2Kernel: WebGl2Kernel;
  readonly GPU: new (settings: {
    readonly mode: 'webgl2' | 'webgpu' | 'cpu';
    readonly context?: WebGL2RenderingContext;
    readonly canvas?: { width: number; height: number };
  }) => GpuInstance;
  readonly WebGPUContext: { acquire(): Promise<WebGpuContext>; destroy(): Promise<void> };
}

/** The settings that every kernel needs; without them loops stop at 1000 and small outputs get the lowest precision. */
export const base: Omit<KernelSettings, 'output' | 'argumentTypes'> = {
  pipeline: true,
  immutable: true,
  precision: 'single',
  tactic: 'precision',
  fixIntegerDivisionAccuracy: false,
  loopMaxIterations: 2 ** 30,
  checkContext: false,
  returnType: 'Array(4)',
};

/**
 * A GPU whose kernels draw in `gl`. Outside browsers gpu.js takes no WebGL 2 context, as it finds out about WebGL 2 with a
 * canvas; there it gets a class of kernels that knows already.
 */
export function webGl2Instance({ GPU, WebGL2Kernel }: GpuLibrary, gl: WebGL2RenderingContext): GpuInstance {
  // gpu.js sizes its canvas to the largest output; a stand-in keeps that from costing memory.
  const canvas = { width: 1, height: 1 };
  if (typeof WebGL2RenderingContext !== 'undefined') return new GPU({ mode: 'webgl2', context: gl, canvas });
  class Kernel extends WebGL2Kernel {
    static override readonly isSupported: boolean = true;
    static override readonly features: WebGl2Kernel['features'] = {
      isFloatRead: true,
      isTextureFloat: true,
      isDrawBuffers: true,
      kernelMap: true,
      isIntegerDivisionAccurate: true,
      isSpeedTacticSupported: true,
      channelCount: Number(gl.getParameter(gl.MAX_DRAW_BUFFERS)),
      maxTextureSize: Number(gl.getParameter(gl.MAX_TEXTURE_SIZE)),
    };
  }
  return Object.assign(new GPU({ mode: 'cpu' }), { Kernel, mode: 'webgl2', context: gl, canvas });
}

let loading: Promise<GpuLibrary> | undefined;

/**
 * Loads gpu.js once. In a browser it puts its class in the place of the page's own `GPU` interface; that is undone here.
 */
export function loadGpuJs(): Promise<GpuLibrary> {
  loading ??= load();
  return loading;
}

async function load(): Promise<GpuLibrary> {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'GPU');
  try {
    const module: unknown = await import('gpu.js');
    return findLibrary(module);
  } catch (error) {
    loading = undefined;
    throw new BackendError(
      'gpu',
      'gpu.js could not be loaded. Install @nn/backend-gpu again; gpu.js is its file dist/gpu-js.js.',
      {},
      error,
    );
  } finally {
    if (before !== undefined) Object.defineProperty(globalThis, 'GPU', before);
    else Reflect.deleteProperty(globalThis, 'GPU');
  }
}

/** The module, or where a bundler put it. The one cast of this module: the types of gpu.js lack most of what is used. */
function findLibrary(module: unknown): GpuLibrary {
  let at: unknown = module;
  for (let depth = 0; depth < 4 && at !== null && (typeof at === 'object' || typeof at === 'function'); depth++) {
    if (typeof Reflect.get(at, 'GPU') === 'function' && 'WebGPUContext' in at) return at as GpuLibrary;
    at = Reflect.get(at, 'default');
  }
  throw new TypeError('the module has no class GPU');
}
