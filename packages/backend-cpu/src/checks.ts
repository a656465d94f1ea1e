/** What can be wrong with data and programs that reach any engine, and how it is said. */
import { BackendError, type BufferType, type Limits, type Program, type TensorData } from '@nn/core';
import { sizeOf } from './shape.ts';
import { arrayKinds } from './storage.ts';

/** Throws unless `data` is of exactly the kind and length of `type`, and the engine can hold it. */
export function checkUpload(data: TensorData, type: BufferType, limits: Limits): void {
  if (!limits.dtypes.includes(type.dtype)) {
    throw new BackendError('upload', `cpu does not store ${type.dtype}: it stores ${limits.dtypes.join(', ')}.`, {
      type,
    });
  }
  const size = sizeOf(type.shape);
  const array = arrayKinds[type.dtype];
  const { name } = array;
  // arrays of another realm are told by their names
  const kind = data.constructor === array ? name : Object.prototype.toString.call(data).slice(8, -1);
  if (size < 1 || data.length !== size || kind !== name) {
    const wanted = size < 1 ? 'at least one element' : `a ${name} of ${size}`;
    throw new BackendError(
      'upload',
      `${type.dtype} [${type.shape.join(', ')}] needs ${wanted}, but the data is a ${kind} of ${data.length}.`,
      { type, kind, length: data.length },
    );
  }
  if (size > limits.maxLength) {
    throw new BackendError('upload', `${size} elements in one buffer: cpu holds at most ${limits.maxLength}.`, {
      type,
    });
  }
}

/** Throws unless a program may run on as many inputs and scalars. */
export function checkRun(program: Program, released: boolean, inputs: number, scalars: number): void {
  if (released) throw new BackendError('run', 'the program was released.');
  if (inputs === program.inputs && scalars === program.scalars.length) return;
  throw new BackendError(
    'run',
    `the program takes ${program.inputs} inputs and ${program.scalars.length} scalars, got ${inputs} and ${scalars}.`,
  );
}
