/**
 * Owns: the backend object that core talks to, made from a device.
 * Does not own: the choice of the device (`gpu.ts`), programs (`plan.ts`), memory (`cell.ts`).
 */
import { type Backend, BackendError, type DType, type Limits, type TensorData } from '@nn/core';
import type { Counters, Device } from './device/device.ts';
import { isHalf } from './nest/halves.ts';
import { Cell } from './program/cell.ts';
import { fromHalves, toHalves } from './program/half-bits.ts';
import { KernelCache } from './program/kernel-cache.ts';
import { lengthOf, texelsOf } from './program/lowering.ts';
import { plan } from './program/plan.ts';
import { scalarOf } from './shader/shader.ts';

/** What a backend says of its device. */
export interface GpuInfo {
  readonly mode: Device['mode'];
  /** As the driver names it; browsers may hide it. */
  readonly device: string;
  /** How float16 and bfloat16 are stored: with their digits, and without saving memory. */
  readonly halfFloats: 'rounded, in 4 bytes each';
  readonly counters: Readonly<Counters>;
}

/** What a device was found not to do; the conformance kit takes it as options. */
export interface Capabilities {
  /** What it lacks, each with the reason: `nan`, `infinity`, `negativeZero`, `subnormal`. */
  readonly lacks: Readonly<Partial<Record<'nan' | 'infinity' | 'negativeZero' | 'subnormal', string>>>;
  /** The error of exp, log, tanh, erf and the like, relative to the result. */
  readonly functionError: number;
}

export interface GpuBackend extends Backend<Cell> {
  readonly name: 'gpu';
  readonly capabilities: Capabilities;
  info(): GpuInfo;
  /** Gives the device back; every buffer on it is lost. */
  destroy(): void;
}

/** What tests ask for: the fast forms of hints at every size, and how many idle kernels are kept. */
interface Tuning {
  readonly always?: boolean;
  readonly kernels?: number;
}

export function makeBackend(device: Device, capabilities: Capabilities, tuning: Tuning = {}): GpuBackend {
  const { always = false, kernels } = tuning;
  const cache = new KernelCache(device, kernels);
  const limits: Limits = {
    dtypes: ['float32', 'int32', 'bool', 'float16', 'bfloat16'],
    maxReads: device.maxReads,
    maxBindings: device.maxReads + 1,
    maxLength: device.maxLength,
    exactInt32: device.exactInt32,
    inPlace: false,
    maxResident: { count: 4096, bytes: 2 ** 29 },
  };
  return {
    name: 'gpu',
    limits,
    capabilities,
    info: () => ({
      mode: device.mode,
      device: device.description,
      halfFloats: 'rounded, in 4 bytes each',
      counters: { ...device.counters },
    }),
    upload(data, type) {
      device.check();
      const length = lengthOf(type.shape);
      if (data.length !== length) {
        throw new BackendError('gpu', `upload of ${data.length} numbers into a buffer of ${length}.`, { type });
      }
      const memory = device.allocate(texelsOf(length), scalarOf(type.dtype));
      try {
        device.write(memory, toDevice(data, type.dtype));
      } catch (error) {
        device.free(memory);
        throw error;
      }
      return new Cell(memory, type.dtype, length);
    },
    async download(cell) {
      const numbers = await device.read(cell.memory, cell.length);
      return toHost(numbers, cell.dtype);
    },
    release(cell) {
      cell.release(device);
    },
    compile: (program) => plan(program, device, cache, always),
    idle: () => device.idle(),
    destroy: () => device.destroy(),
  };
}

function toDevice(data: TensorData, dtype: DType): Float32Array | Int32Array {
  if (isHalf(dtype)) return fromHalves(data, dtype);
  return data instanceof Float32Array || data instanceof Int32Array ? data : Int32Array.from(data);
}

/** 2^31 - 1 is no float32; it is stored as 2^31. */
const saturate = (value: number): number => Math.min(value, 2147483647);

function toHost(numbers: Float32Array | Int32Array, dtype: DType): TensorData {
  if (isHalf(dtype)) return toHalves(numbers, dtype);
  if (dtype === 'float32') return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
  if (dtype === 'int32') return numbers instanceof Int32Array ? numbers : Int32Array.from(numbers, saturate);
  return Uint8Array.from(numbers, (value) => (value === 0 ? 0 : 1));
}
