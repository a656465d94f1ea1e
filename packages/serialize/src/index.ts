/** Models and training runs as files: safetensors, state dicts with PyTorch's names, checkpoints that resume bit for bit. */
export type { CheckpointParts, LoadCheckpointOptions, SaveCheckpointOptions } from './checkpoint.ts';
export { encodeCheckpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
export type { DecodeOptions, ElementType, HostTensor } from './element-types.ts';
export type { Json } from './exact-json.ts';
export type { Source, WriteOptions } from './files.ts';
export { writeFileAtomic } from './files.ts';
export type { LoadModelOptions, NameDifference, SaveModelOptions } from './model.ts';
export { encodeModel, loadModel, saveModel } from './model.ts';
export { type LoadPipelineOptions, loadPipeline, ModelPipeline, type ModelPrediction } from './model-pipeline.ts';
export { type ModelFacts, type ModelUse, modelUse } from './model-use.ts';
export type { ParseOptions, Safetensors, StoredTensor } from './safetensors.ts';
export { decodeTensor, encodeSafetensors, parseSafetensors } from './safetensors.ts';
