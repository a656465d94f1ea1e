/**
 * Prefixes as PEFT's files: one tensor `prompt_embeddings` [length, layers * 2 * heads * width], for each layer its keys and then its
 * values. Owns that layout and its settings; which layers they are, PEFT knows by their number and we note beside it.
 */
import { concat, type Parameter, parameter, ValueError } from '@nn/core';
import { decodeTensor, encodeSafetensors, type Safetensors } from '@nn/serialize';
import { chosenAttention, type MadePrefix, makePrefixes, type PrefixHost, sizesOf } from './prefix.ts';
import type { AdapterTargets } from './targets.ts';

const tensorName = 'prompt_embeddings';

/** What of a prefix goes into its two files. */
export async function encodePrefix(
  hosts: readonly PrefixHost[],
  name: string,
  taskType: string,
): Promise<{ readonly weights: Uint8Array; readonly config: object }> {
  const [first] = hosts;
  const sizes = hosts.map(({ attention }) => sizesOf(attention));
  const { heads = 1, width = 1 } = sizes[0] ?? {};
  const other = sizes.findIndex((size) => size.heads !== heads || size.width !== width);
  if (other >= 0) {
    throw new ValueError(
      'encodeAdapter',
      `${hosts[other]?.path} has ${sizes[other]?.heads} heads of ${sizes[other]?.width} for keys, ${first?.path} ${heads} of ${width}: PEFT's file has one size for all. Add a prefix to each kind by itself.`,
    );
  }
  const parts = hosts.flatMap(({ adapters }) => adapters[name] ?? []);
  const length = parts[0]?.length ?? 0;
  const rows = concat(
    parts.map((part) => part.rows()),
    1,
  );
  const stored = { dtype: 'float32' as const, shape: rows.shape, data: Float32Array.from(await rows.data()) };
  const config = {
    peft_type: 'PREFIX_TUNING',
    task_type: taskType,
    num_virtual_tokens: length,
    token_dim: heads * width,
    num_attention_heads: heads,
    num_layers: hosts.length,
    num_transformer_submodules: 1,
    encoder_hidden_size: heads * width,
    // what a projection made is in the file, not the projection
    prefix_projection: false,
    base_model_name_or_path: null,
    inference_mode: true,
  };
  const paths = JSON.stringify(hosts.map(({ path }) => path));
  return { weights: encodeSafetensors([[tensorName, stored]], { format: 'pt', attention_paths: paths }), config };
}

/** The prefixes of a file, made for a model. Throws ValueError where they do not fit it. */
export function prefixesOf(
  model: object,
  { tensors, metadata }: Safetensors,
  setting: (key: string) => unknown,
  given: AdapterTargets | undefined,
): MadePrefix[] {
  const stored = tensors.get(tensorName);
  const other = [...tensors.keys()].find((key) => key !== tensorName);
  if (stored === undefined || other !== undefined) {
    throw new ValueError(
      'loadAdapter',
      stored === undefined
        ? `the file of a prefix has no ${tensorName}.`
        : `the tensor '${other}' is not a prefix's: modules that were saved along are not read.`,
    );
  }
  const modules = setting('num_transformer_submodules') ?? 1;
  if (modules !== 1) {
    throw new ValueError(
      'loadAdapter',
      `num_transformer_submodules is ${String(modules)}: prefixes of encoder-decoders are not read, only those of one stack of layers.`,
    );
  }
  const noted = pathsIn(metadata.get('attention_paths'));
  const targets = given ?? (noted === null ? undefined : (path: string) => noted.includes(path));
  const chosen = chosenAttention('loadAdapter', model, targets);
  const layers = Number(setting('num_layers'));
  if (chosen.length !== layers) {
    throw new ValueError(
      'loadAdapter',
      `the prefix is for ${layers} layers, and ${chosen.length} are meant (${chosen[0]?.path}, ...): say which, { targets }.`,
    );
  }
  const { data, shape } = decodeTensor(tensorName, stored);
  const length = Number(setting('num_virtual_tokens'));
  const columns = chosen.map(({ attention }) => 2 * sizesOf(attention).heads * sizesOf(attention).width);
  const sum = columns.reduce((all, size) => all + size, 0);
  if (shape.join() !== [length, sum].join() || columns.some((size) => size !== columns[0])) {
    throw new ValueError(
      'loadAdapter',
      `${tensorName} is [${shape.join(', ')}] in the file, and [${length}, ${sum}] for the model's ${layers} layers, of the same size each.`,
    );
  }
  const paths = new Set(chosen.map(({ path }) => path));
  const made = makePrefixes(model, { length, targets: (path) => paths.has(path), start: 'zeros' });
  const width = sum / layers;
  for (const [k, { adapter }] of made.entries()) {
    const own = Float32Array.from({ length: length * width }, (_, i) =>
      Number(data[Math.floor(i / width) * sum + k * width + (i % width)]),
    );
    assign(adapter.tensors.values, own);
  }
  return made;
}

function assign(member: Parameter | undefined, values: Float32Array): void {
  member?.assign(parameter(values, { shape: member.shape, buffer: true }));
}

/** The paths that were noted beside the tensor; null in files that others wrote. */
function pathsIn(noted: string | undefined): string[] | null {
  if (noted === undefined) return null;
  const list: unknown = JSON.parse(noted);
  return Array.isArray(list) ? list.map(String) : null;
}
