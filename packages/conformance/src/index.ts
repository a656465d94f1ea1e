export type { KernelParts, StepOptions } from './program-builder.ts';
export { BodyBuilder, buildKernel, ProgramBuilder } from './program-builder.ts';
export type { RandomCase } from './random-kernels.ts';
export { randomCase } from './random-kernels.ts';
export type { Amount, Call, Entry, RecordingBackend } from './recording.ts';
export { recording } from './recording.ts';
export type { ReferenceBuffer, ReferenceOptions } from './reference.ts';
export { reference } from './reference.ts';
export type { Rounding } from './reference-kernel.ts';
