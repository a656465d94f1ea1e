/**
 * Owns: WebGPU through gpu.js: storage buffers, their pool, kernels, upload and reading back.
 * Does not own: what is computed (`printer.ts`), nor when memory is free (`plan.ts`).
 * gpu.js owns the device and builds each pipeline; its shader is replaced by ours (`assembleWGSL`), which reads whole
 * vectors and exact integers. Launches are recorded and handed over together, one submission for each program.
 */
import { BackendError } from '@nn/core';
import { type Language, type Scalar, wgsl } from '../shader/language.ts';
import type { Shader } from '../shader/shader.ts';
import type { Counters, Device, Kernel, Memory } from './device.ts';
import {
  type BufferProtocol,
  base,
  type GpuBuffer,
  type GpuDevice,
  type GpuEncoder,
  type GpuInstance,
  type GpuLibrary,
  type GpuPass,
  type WebGpuContext,
} from './facade.ts';
import { groupSize, uniformSize, wgslText } from './webgpu-shader.ts';

// The numbers are fixed by the specification; the names are not there in Node.
const usage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 } as const;
const mapRead = 0x1;

/** Where the numbers of a launch may start in the shared uniform buffer. */
const uniformStep = 256;
const uniformLaunches = 512;

class GpuMemory implements Memory {
  readonly texels: number;
  readonly scalar: Scalar;
  readonly buffer: GpuBuffer;
  readonly id: number;
  isFree = false;

  constructor(buffer: GpuBuffer, texels: number, scalar: Scalar, id: number) {
    this.buffer = buffer;
    this.texels = texels;
    this.scalar = scalar;
    this.id = id;
  }
}

/** gpu.js opens one device for all; it ends with the last that uses it, and its errors go to each. */
const users = new WeakMap<GpuDevice, Set<WebGpuDevice>>();

/** The memory of this device is what it made itself: the one cast of this module. */
const own = (memory: Memory): GpuMemory => memory as GpuMemory;

export class WebGpuDevice implements Device {
  readonly mode = 'webgpu';
  readonly language: Language = wgsl;
  readonly exactInt32 = true;
  readonly maxWrites = 1;
  readonly maxReads: number;
  readonly maxLength: number;
  readonly description: string;
  readonly counters: Counters = { created: 0, deleted: 0, live: 0, bytes: 0, kernels: 0, compiled: 0, launches: 0 };
  readonly #gpu: GpuInstance;
  readonly #gpuLibrary: GpuLibrary;
  readonly #context: WebGpuContext;
  readonly #device: GpuDevice;
  readonly #pool = new Map<number, GpuBuffer[]>();
  #pooledBytes = 0;
  #ids = 0;
  #failure: string | undefined;
  #isClosed = false;

  // What is recorded and not yet submitted.
  #encoder: GpuEncoder | undefined;
  #pass: GpuPass | undefined;
  readonly #uniform: GpuBuffer;
  readonly #numbers = new ArrayBuffer(uniformStep * uniformLaunches);
  readonly #asIntegers = new Int32Array(this.#numbers);
  readonly #asFloats = new Float32Array(this.#numbers);
  #recorded = 0;
  readonly #doomed: GpuBuffer[] = [];

  private constructor(gpuLibrary: GpuLibrary, context: WebGpuContext) {
    this.#gpuLibrary = gpuLibrary;
    this.#context = context;
    this.#device = context.device;
    this.#gpu = new gpuLibrary.GPU({ mode: 'webgpu' });
    const { info } = context.adapter;
    this.description = [info?.vendor, info?.architecture, info?.description].filter(Boolean).join(' ') || 'unnamed';
    const { limits } = this.#device;
    this.maxReads = Math.min(16, (limits.maxStorageBuffersPerShaderStage ?? 8) - 1);
    const bytes = Math.min(
      limits.maxStorageBufferBindingSize ?? 2 ** 27,
      limits.maxBufferSize ?? 2 ** 28,
      2 ** 31 - 16,
    );
    this.maxLength = Math.floor(bytes / 16) * 4;
    this.#uniform = this.#device.createBuffer({
      size: uniformStep * uniformLaunches,
      usage: usage.uniform | usage.copyTarget,
    });
    const sharing = users.get(this.#device) ?? new Set();
    users.set(this.#device, sharing.add(this));
    this.#device.onuncapturederror = ({ error }) => {
      // What is wrong with a shader is thrown where it is built; the device says it once more, at a time of its own.
      if (/ShaderModule|ComputePipeline/.test(error.message)) return;
      for (const user of sharing) user.#failure ??= error.message;
    };
  }

  static async open(gpuLibrary: GpuLibrary): Promise<WebGpuDevice> {
    return new WebGpuDevice(gpuLibrary, await gpuLibrary.WebGPUContext.acquire());
  }

  async compile(shader: Shader): Promise<Kernel> {
    this.check();
    const names = shader.reads.map((_, read) => `r${read}`);
    const numbers = shader.parameters.map((_, at) => `p${at}`);
    const argumentTypes: Record<string, string> = {};
    for (const name of names) argumentTypes[name] = 'WebGPUBuffer';
    for (const [at, parameter] of shader.parameters.entries()) {
      argumentTypes[`p${at}`] = parameter.kind === 'scalar' && parameter.type === 'F' ? 'Float' : 'Integer';
    }
    const run = this.#gpu.createKernel(`function(${[...names, ...numbers].join(', ')}){ return [0, 0, 0, 0]; }`, {
      ...base,
      output: [4],
      argumentTypes,
    });
    const internals = run.kernel;
    const text = wgslText(shader);
    internals.assembleWGSL = () => {
      internals.workgroupSize = [groupSize, 1, 1];
      return text;
    };
    const placeholder: BufferProtocol = {
      buffer: this.#uniform,
      output: [4],
      componentCount: 1,
      context: this.#context,
      type: 'WebGPUBuffer',
      _deleted: false,
    };
    try {
      await internals.build(...names.map(() => placeholder), ...numbers.map(() => 0));
    } catch (error) {
      throw new BackendError(
        'gpu/compile',
        `WebGPU did not compile a kernel: ${String(error).slice(0, 4000)}`,
        {},
        error,
      );
    }
    // What gpu.js made for its own results is not used.
    internals.outputBuffer?.destroy();
    internals.outputBuffer = null;
    this.counters.kernels++;
    this.counters.compiled++;
    const pipeline = internals.computePipeline as object;
    const layout = internals.bindGroupLayout as object;
    const size = uniformSize(shader);
    const groups = new Map<string, object>();
    return {
      launch: (texels, reads, values, writes) => {
        const offset = this.#record(shader, texels, values);
        const key = `${offset}:${own(writes[0]!).id}:${reads.map((memory) => own(memory).id).join(',')}`;
        let group = groups.get(key);
        if (group === undefined) {
          if (groups.size >= 16) groups.clear();
          const buffers = [...reads, ...writes].map((memory, at) => ({
            binding: at + 1,
            resource: { buffer: own(memory).buffer },
          }));
          group = this.#device.createBindGroup({
            layout,
            entries: [{ binding: 0, resource: { buffer: this.#uniform, offset, size } }, ...buffers],
          });
          groups.set(key, group);
        }
        const pass = this.#pass!;
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        const [x, y] = dispatch(texels);
        pass.dispatchWorkgroups(x, y, 1);
        this.counters.launches++;
      },
      release: () => {
        groups.clear();
        run.destroy();
        this.counters.kernels--;
      },
    };
  }

  /** Writes the numbers of a launch into its place in the uniform buffer; gives the place. */
  #record(shader: Shader, texels: number, values: readonly number[]): number {
    if (this.#recorded >= uniformLaunches) this.flush();
    if (this.#pass === undefined) {
      this.#encoder = this.#device.createCommandEncoder();
      this.#pass = this.#encoder.beginComputePass();
    }
    const offset = this.#recorded++ * uniformStep;
    const at = offset / 4;
    this.#asIntegers[at] = texels;
    this.#asIntegers[at + 3] = dispatch(texels)[0] * groupSize;
    const first = at + 4 + shader.reads.length * 4;
    for (const [index, parameter] of shader.parameters.entries()) {
      const target = parameter.kind === 'scalar' && parameter.type === 'F' ? this.#asFloats : this.#asIntegers;
      target[first + index] = values[index]!;
    }
    return offset;
  }

  flush(): void {
    if (this.#pass === undefined || this.#encoder === undefined) return;
    this.#pass.end();
    this.#device.queue.writeBuffer(this.#uniform, 0, new Uint8Array(this.#numbers, 0, this.#recorded * uniformStep));
    this.#device.queue.submit([this.#encoder.finish()]);
    this.#pass = undefined;
    this.#encoder = undefined;
    this.#recorded = 0;
    for (const buffer of this.#doomed.splice(0)) buffer.destroy();
  }

  allocate(texels: number, scalar: Scalar): Memory {
    const size = Math.ceil(texels / 16) * 256;
    const free = this.#pool.get(size)?.pop();
    if (free !== undefined) {
      this.#pooledBytes -= size;
      return new GpuMemory(free, texels, scalar, this.#idOf(free));
    }
    const buffer = this.#device.createBuffer({ size, usage: usage.storage | usage.copySource | usage.copyTarget });
    this.counters.created++;
    this.counters.live++;
    this.counters.bytes += size;
    return new GpuMemory(buffer, texels, scalar, this.#idOf(buffer));
  }

  readonly #identities = new WeakMap<GpuBuffer, number>();
  #idOf(buffer: GpuBuffer): number {
    let id = this.#identities.get(buffer);
    if (id === undefined) {
      id = this.#ids++;
      this.#identities.set(buffer, id);
    }
    return id;
  }

  free(memory: Memory): void {
    const held = own(memory);
    if (held.isFree) throw new BackendError('gpu', 'a buffer was released twice.');
    held.isFree = true;
    const { size } = held.buffer;
    // At most as much lies idle as is in use, so that a change of sizes does not double memory for long.
    if (this.#pooledBytes + size > Math.max(2 ** 26, this.counters.bytes - this.#pooledBytes)) {
      // Recorded launches may still name it.
      if (this.#pass === undefined) held.buffer.destroy();
      else this.#doomed.push(held.buffer);
      this.counters.deleted++;
      this.counters.live--;
      this.counters.bytes -= size;
      return;
    }
    this.#pooledBytes += size;
    const list = this.#pool.get(size);
    if (list === undefined) this.#pool.set(size, [held.buffer]);
    else list.push(held.buffer);
  }

  write(memory: Memory, data: Float32Array | Int32Array): void {
    // Recorded launches come first: they may read what this memory held before.
    this.flush();
    const held = own(memory);
    const matches = (held.scalar === 'F') === data instanceof Float32Array;
    const numbers = matches ? data : held.scalar === 'F' ? Float32Array.from(data) : Int32Array.from(data);
    this.#device.queue.writeBuffer(held.buffer, 0, numbers);
  }

  async read(memory: Memory, length: number): Promise<Float32Array | Int32Array> {
    this.flush();
    this.check();
    const held = own(memory);
    const size = Math.ceil(length / 4) * 16;
    const staging = this.#device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget });
    try {
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(held.buffer, 0, staging, 0, size);
      this.#device.queue.submit([encoder.finish()]);
      await staging.mapAsync(mapRead);
      // A lost device maps zeros.
      this.check();
      const bytes = staging.getMappedRange().slice(0);
      staging.unmap();
      return held.scalar === 'F' ? new Float32Array(bytes, 0, length) : new Int32Array(bytes, 0, length);
    } catch (error) {
      this.check();
      throw new BackendError('gpu', `reading from WebGPU failed: ${String(error)}`, {}, error);
    } finally {
      staging.destroy();
    }
  }

  check(): void {
    if (this.#context.isLost || this.#isClosed) {
      throw new BackendError(
        'gpu/lost',
        'the WebGPU device was lost, and with it everything on it. Make a new backend with gpu() and restore the parameters with recover() or from a checkpoint.',
        { lost: true },
      );
    }
    if (this.#failure !== undefined) {
      const message = this.#failure;
      this.#failure = undefined;
      throw new BackendError('gpu', `WebGPU reported an error: ${message}`);
    }
  }

  async idle(): Promise<void> {
    this.flush();
    this.check();
    await this.#device.queue.onSubmittedWorkDone();
    this.check();
  }

  destroy(): void {
    this.#isClosed = true;
    const sharing = users.get(this.#device);
    sharing?.delete(this);
    if (sharing?.size === 0) void this.#gpuLibrary.WebGPUContext.destroy();
  }
}

/** Workgroups along x and y; more than 65535 along x fold over. */
function dispatch(texels: number): readonly [number, number] {
  const groups = Math.ceil(texels / groupSize);
  if (groups <= 65535) return [groups, 1];
  const rows = Math.ceil(groups / 65535);
  return [Math.ceil(groups / rows), rows];
}
