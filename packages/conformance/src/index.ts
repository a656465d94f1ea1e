/** The public names of @nn/conformance, one by one. */
export { type CapturedRun, captureRuns, plainProgram } from './capture.ts';
export {
  type Capabilities,
  type Capability,
  type ConformanceCase,
  type ConformanceGroup,
  type ConformanceOptions,
  type Context,
  type Need,
  runConformanceCase,
  skipOf,
} from './case.ts';
export { operations } from './cases/primitives.ts';
export { ConformanceError } from './compare.ts';
export { type ConformanceReport, conformance, conformanceCases, type Failure } from './conformance.ts';
export { hintedCase, hintKinds } from './hinted-kernels.ts';
export { inputsOf, listOf, type Operation } from './operation.ts';
export type { KernelParts, StepOptions } from './program-builder.ts';
export { BodyBuilder, buildKernel, ProgramBuilder } from './program-builder.ts';
export type { GraphLeaf, GraphStep, RandomGraph } from './random-graphs.ts';
export { buildGraph, printGraph, randomGraph, shrinkGraph } from './random-graphs.ts';
export type { RandomCase } from './random-kernels.ts';
export { randomCase } from './random-kernels.ts';
export type { Amount, Call, Entry, RecordingBackend } from './recording.ts';
export { recording } from './recording.ts';
export type { ReferenceBuffer, ReferenceOptions } from './reference.ts';
export { reference } from './reference.ts';
export type { Rounding } from './reference-kernel.ts';
export { runCase } from './run-case.ts';
export { sharedMemory } from './shared-memory.ts';
