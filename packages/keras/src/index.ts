/** Models of Keras and TensorFlow.js in and out. */
export type { KerasFormat, KerasSource } from './formats/open.ts';
export { type KerasModelOptions, kerasModel } from './from-layers.ts';
export { type InspectedArray, type InspectedLayer, inspectKeras, type KerasReport } from './inspect.ts';
export type { CustomLayer, KerasVariable, LayerDescription, LayerFactory, LayerRegistry } from './layers/custom.ts';
export {
  type LoadKerasOptions,
  type LoadKerasWeightsOptions,
  loadKeras,
  loadKerasTensors,
  loadKerasWeights,
} from './load.ts';
export { type Channels, type KerasInput, KerasModel, type KerasVariableInfo } from './model.ts';
export { type EncodeKerasOptions, encodeKeras, encodeTfjs, type KerasFileFormat, saveKeras } from './save.ts';
