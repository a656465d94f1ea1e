export type {
  Alu,
  Axes,
  Backend,
  Body,
  BufferType,
  DType,
  Executable,
  Group,
  Hint,
  Kernel,
  Limits,
  Op,
  Program,
  Shape,
  Step,
  TensorData,
} from './backend.ts';
export { BackendError, isNNError, NNError } from './errors.ts';
export { randomValue } from './random-value.ts';
