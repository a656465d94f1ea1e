/** Models and training runs as files: safetensors, state dicts with PyTorch's names, checkpoints that resume bit for bit. */
export type { CheckpointParts, LoadCheckpointOptions, SaveCheckpointOptions } from './checkpoint.ts';
export { encodeCheckpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
export type { DecodeOptions, ElementType, HostTensor } from './element-types.ts';
export type { Json } from './exact-json.ts';
export type { WriteOptions } from './files.ts';
export { writeFileAtomic } from './files.ts';
export type { InspectedTensor, WeightsReport } from './inspect/inspect.ts';
export { inspectWeights } from './inspect/inspect.ts';
export type { Inspection } from './inspect/text.ts';
export { inspectionText } from './inspect/text.ts';
export type { LoadModelOptions, NameDifference, SaveFormat, SaveModelOptions } from './model.ts';
export { encodeModel, loadModel, saveModel } from './model.ts';
export { type LoadPipelineOptions, loadPipeline, ModelPipeline, type ModelPrediction } from './model-pipeline.ts';
export { type ModelFacts, type ModelUse, modelUse } from './model-use.ts';
export type { Rename } from './names.ts';
export { encodeNpy, parseNpy } from './numpy/npy.ts';
export { encodeNpz } from './numpy/write.ts';
export type { OpenOptions } from './open-weights.ts';
export type { Mismatch } from './parameters.ts';
export { encodeTorch } from './pytorch/write.ts';
export type { ParseOptions, Safetensors, StoredTensor } from './safetensors.ts';
export { decodeTensor, encodeSafetensors, parseSafetensors } from './safetensors.ts';
export type {
  DownloadFetch,
  DownloadOptions,
  DownloadProgress,
  DownloadResponse,
} from './sources/download-options.ts';
export type { Bytes, NamedFile, Source } from './sources/reader.ts';
export type { LoadedTensors, LoadTensorsOptions } from './tensors.ts';
export { loadTensors } from './tensors.ts';
export type { WeightsFormat } from './weights.ts';
export { encodeZip } from './zip/write.ts';
