/** The memory behind a realised value: on the host, on one device, or both. Nodes share storages; parameters own them. */
import type { Backend, DType, Shape, TensorData } from '../backend.ts';
import { bytesPerElement } from '../dtype.ts';
import { BackendError, isNNError } from '../errors.ts';
import { sizeOf } from '../shape.ts';
import type { Holding } from './variable.ts';

export class Storage {
  /** The values on the host, where they are known there, or what makes them when somebody asks. */
  #host: TensorData | (() => TensorData) | null;
  /** The device that holds `buffer`. */
  backend: Backend | null = null;
  buffer: object | null = null;
  /** How many parameters have this as their value. */
  owners = 0;
  /** What the variable holds whose value this is, for those who must find it again. */
  owner: Holding | null = null;
  /** Whether its values are those of the line that made them: another call that makes the same has the same. */
  isConstant = false;
  /** Whether tensors besides a parameter have this as their value. */
  isShared = false;
  /** The number of the program on its device that last used it, for values of variables. */
  usedAt = 0;
  /** The line of its device in which it stands, and who stands before and behind it. */
  line: { delete(storage: Storage): void } | null = null;
  before: Storage | null = null;
  behind: Storage | null = null;
  /** What the device knows it by after its variable was collected. */
  orphan: object | null = null;
  /** Whether a device ever had it without an owner: if it has to go there again, it may stay for longer. */
  wasUploaded = false;
  /** The name of the parameter whose new value took this memory. */
  spentBy: string | null = null;
  /** Scratch of graph walks. */
  visit = 0;
  order = 0;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly bytes: number;

  constructor(dtype: DType, shape: Shape, host: TensorData | (() => TensorData) | null) {
    this.dtype = dtype;
    this.shape = shape;
    this.bytes = sizeOf(shape) * bytesPerElement(dtype);
    this.#host = host;
  }

  /** The values on the host, where they are known there. */
  get host(): TensorData | null {
    if (typeof this.#host === 'function') this.#host = this.#host();
    return this.#host;
  }

  set host(values: TensorData | null) {
    this.#host = values;
  }
}

/** Whether one parameter has this value and nothing else does: only then may its next value take the memory. */
export function isSoleOwner({ owners, isShared }: Storage): boolean {
  return owners === 1 && !isShared;
}

/** Whether two values are one: the same memory, or constants with the same numbers. */
export function isSameValue(a: Storage, b: Storage): boolean {
  if (a === b) return true;
  const [first, second] = [a.host, b.host];
  if (!a.isConstant || !b.isConstant || a.dtype !== b.dtype || first === null || second === null) return false;
  return first.length === second.length && first.every((value: number, k: number) => Object.is(value, second[k]));
}

/** Devices that are gone, with the error that said so. What was only there is lost. */
const lostDevices = new WeakMap<Backend, Error>();
let anyLost = false;

/** Whether any device is gone. */
export function isAnyLost(): boolean {
  return anyLost;
}

/** Takes note of an error that a device threw: `data.lost` says that it is gone. */
export function noteLoss(backend: Backend, error: unknown): void {
  const isLoss = isNNError(error) && error.data.lost === true;
  if (!isLoss || lostDevices.has(backend)) return;
  lostDevices.set(backend, error);
  anyLost = true;
}

/** Why a value cannot be had any more, or null. */
export function lossOf(storage: Storage): BackendError | null {
  const { backend, owner } = storage;
  const cause = anyLost && backend !== null && storage.host === null ? lostDevices.get(backend) : undefined;
  if (cause === undefined) return null;
  const what = owner === null ? 'A value' : `The value of ${owner.name || 'a parameter'}`;
  return new BackendError(
    '/lost',
    `${what} was on '${backend?.name}', which is lost. Bring the model back: recover(model, optimizer, backend), or load a checkpoint.`,
    { lost: true, backend: backend?.name },
    cause,
  );
}
