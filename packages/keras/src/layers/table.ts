/** Every layer of Keras that is read, by the name of its class, and the other names that classes have had. */
import type { Settings } from '../config/settings.ts';
import { activationBuilders } from './activations.ts';
import { attentionBuilders } from './attention.ts';
import { convLstmBuilders } from './conv-lstm.ts';
import { convolutionBuilders } from './convolution.ts';
import { denseBuilders } from './dense.ts';
import type { Builder } from './layer.ts';
import { mergingBuilders } from './merging.ts';
import { normalizationBuilders } from './normalization.ts';
import { operationBuilderOf } from './operations.ts';
import { poolingBuilders } from './pooling.ts';
import { preprocessingBuilders } from './preprocessing.ts';
import { rearrangingBuilders } from './rearranging.ts';
import { recurrentBuilders } from './recurrent.ts';
import { wrapperBuilders } from './wrappers.ts';

const builders: Readonly<Record<string, Builder>> = {
  ...denseBuilders,
  ...activationBuilders,
  ...convolutionBuilders,
  ...poolingBuilders,
  ...normalizationBuilders,
  ...rearrangingBuilders,
  ...mergingBuilders,
  ...recurrentBuilders,
  ...convLstmBuilders,
  ...attentionBuilders,
  ...wrapperBuilders,
  ...preprocessingBuilders,
};

const otherNames: Readonly<Record<string, string>> = {
  BatchNormalizationV1: 'BatchNormalization',
  BatchNormalizationV2: 'BatchNormalization',
  SyncBatchNormalization: 'BatchNormalization',
  LSTMV1: 'LSTM',
  LSTMV2: 'LSTM',
  UnifiedLSTM: 'LSTM',
  GRUV1: 'GRU',
  GRUV2: 'GRU',
  UnifiedGRU: 'GRU',
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  Convolution3D: 'Conv3D',
  Convolution2DTranspose: 'Conv2DTranspose',
  Deconvolution2D: 'Conv2DTranspose',
  SeparableConvolution1D: 'SeparableConv1D',
  SeparableConvolution2D: 'SeparableConv2D',
  GlobalMaxPool1D: 'GlobalMaxPooling1D',
  GlobalMaxPool2D: 'GlobalMaxPooling2D',
  GlobalAvgPool1D: 'GlobalAveragePooling1D',
  GlobalAvgPool2D: 'GlobalAveragePooling2D',
  MaxPool1D: 'MaxPooling1D',
  MaxPool2D: 'MaxPooling2D',
  AvgPool1D: 'AveragePooling1D',
  AvgPool2D: 'AveragePooling2D',
  GroupedQueryAttention: 'GroupQueryAttention',
  TimeDistributedDense: 'Dense',
};

/** The classes that are read, under the names that go today. */
export const readClasses = (): readonly string[] => Object.keys(builders).sort();

/** The name by which a class goes here. */
export function canonicalName(className: string): string {
  return Object.hasOwn(otherNames, className) ? (otherNames[className] ?? className) : className;
}

/** The builder of a class, undefined for classes that are not read. */
export function builderOf(className: string, module: string | undefined, settings: Settings): Builder | undefined {
  const operation = operationBuilderOf(className, module, settings);
  if (operation) return operation;
  const name = canonicalName(className);
  return Object.hasOwn(builders, name) ? builders[name] : undefined;
}
