/**
 * Settings of Keras 1 under the names of Keras 2: `output_dim` became `units`, `border_mode` `padding`, and so on. What has
 * no counterpart keeps its name and is refused where it matters.
 */
import { fieldOf, type Json, type JsonObject } from './json.ts';

const names: Readonly<Record<string, string>> = {
  output_dim: 'units',
  nb_filter: 'filters',
  border_mode: 'padding',
  subsample: 'strides',
  subsample_length: 'strides',
  bias: 'use_bias',
  inner_activation: 'recurrent_activation',
  p: 'rate',
  sigma: 'stddev',
  dim_ordering: 'data_format',
  atrous_rate: 'dilation_rate',
  filter_length: 'kernel_size',
  pool_length: 'pool_size',
  stride: 'strides',
  length: 'size',
  dropout_W: 'dropout',
  dropout_U: 'recurrent_dropout',
};

/** The name of a class and its settings, as Keras 2 would have written them. */
export function translateKeras1(
  className: string,
  config: JsonObject,
): { readonly className: string; readonly config: JsonObject } {
  const result: Record<string, Json> = {};
  for (const [name, value] of Object.entries(config)) {
    const renamed = className === 'Embedding' ? name : Object.hasOwn(names, name) ? (names[name] ?? name) : name;
    result[renamed] = name === 'dim_ordering' ? (value === 'th' ? 'channels_first' : 'channels_last') : value;
  }
  const kernel = ['kernel_dim1', 'kernel_dim2', 'kernel_dim3'].map((name) => fieldOf(config, name));
  const [rows, columns] = [fieldOf(config, 'nb_row'), fieldOf(config, 'nb_col')];
  if (typeof rows === 'number' && typeof columns === 'number') result.kernel_size = [rows, columns];
  else if (kernel.every((size) => typeof size === 'number')) result.kernel_size = kernel.map(Number);
  // modes 1 and 2 of BatchNormalization were others than today's
  if (className === 'BatchNormalization' && (fieldOf(config, 'mode') ?? 0) !== 0) result.renorm = true;
  if (className === 'Merge') {
    const mode = fieldOf(config, 'mode');
    const merged: Readonly<Record<string, string>> = {
      sum: 'Add',
      mul: 'Multiply',
      concat: 'Concatenate',
      ave: 'Average',
      max: 'Maximum',
    };
    const found = typeof mode === 'string' && Object.hasOwn(merged, mode) ? merged[mode] : undefined;
    if (found) return { className: found, config: { ...result, axis: fieldOf(config, 'concat_axis') ?? -1 } };
  }
  return { className, config: result };
}
