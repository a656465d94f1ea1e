/** The public names of @nn/onnx, one by one. */
export type { ModelFiles } from './export/encode.ts';
export {
  type EncodeOnnxFilesOptions,
  type EncodeOnnxOptions,
  type Exported,
  encodeOnnx,
} from './export/encode-onnx.ts';
export type { ElementType } from './format/element-types.ts';
export { inspectOnnx, type OnnxNodeReport, type OnnxReport } from './inspect.ts';
export { type LoadOnnxOptions, loadOnnx } from './load/load-onnx.ts';
export type { ExternalFiles, OnnxSource } from './load/source.ts';
export type { Trainable } from './load/weights.ts';
export {
  type OnnxInput,
  type OnnxInputs,
  OnnxModel,
  type OnnxOutput,
  type OnnxRow,
  type OnnxRunOptions,
  type OnnxSummary,
  type OnnxTexts,
  type OnnxValueInfo,
} from './onnx-model.ts';
export type { UnsupportedNode } from './run/graph.ts';
