/**
 * Adapters as files: `adapter_model.safetensors` and `adapter_config.json`, with the names that PEFT has. Owns the names and the
 * settings; the bytes are those of @nn/serialize.
 */
import { checkOptions, type Parameter, parameter, ValueError } from '@nn/core';
import { decodeTensor, encodeSafetensors, type HostTensor, parseSafetensors } from '@nn/serialize';
import { type Adapter, addIa3, addLora, attach, removeAdapter } from './adapters.ts';
import { weightHostsOf } from './host.ts';
import { prefixHostsOf } from './prefix.ts';
import { encodePrefix, prefixesOf } from './prefix-files.ts';
import type { AdapterTargets } from './targets.ts';

/** The two files, by their names. */
export interface AdapterFiles {
  readonly 'adapter_model.safetensors': Uint8Array;
  readonly 'adapter_config.json': string;
}

const start = 'base_model.model.';

export interface EncodeAdapterOptions {
  /**
   * What PEFT is told that the model is for: it makes a model with a prefix of it. Default null, of a prefix 'CAUSAL_LM'.
   */
  readonly taskType?: 'CAUSAL_LM' | 'SEQ_2_SEQ_LM' | 'SEQ_CLS' | 'TOKEN_CLS' | 'QUESTION_ANS' | 'FEATURE_EXTRACTION';
}

/**
 * An adapter as PEFT writes it: `base_model.model.<path>.lora_A.weight` and so on, of a prefix `prompt_embeddings`, and its settings. The
 * base model is not in it.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { addLora, encodeAdapter, loadAdapter } from '@nn/compress';
 * import { setDefaultBackend } from '@nn/core';
 * import { Linear } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const model = { body: new Linear(4, 4) };
 * addLora(model, { rank: 2 });
 * const files = await encodeAdapter(model);
 * const other = { body: new Linear(4, 4) };
 * console.log((await loadAdapter(other, files)).paths); // => [ 'body' ]
 */
export async function encodeAdapter(
  model: object,
  name = 'default',
  options: EncodeAdapterOptions = {},
): Promise<AdapterFiles> {
  checkOptions('encodeAdapter', options, ['taskType']);
  const prefixes = prefixHostsOf(model).filter(({ adapters }) => adapters[name] !== undefined);
  if (prefixes.length > 0) {
    const { weights, config } = await encodePrefix(prefixes, name, options.taskType ?? 'CAUSAL_LM');
    return filesOf(weights, config);
  }
  const hosts = weightHostsOf(model).filter(({ adapters }) => adapters[name] !== undefined);
  if (hosts.length === 0) throw new ValueError('encodeAdapter', `the model has no adapter '${name}'.`);
  const tensors: [string, HostTensor][] = [];
  const feedForward: string[] = [];
  for (const { path, adapters } of hosts) {
    const adapter = adapters[name];
    if (adapter === undefined) continue;
    if (adapter.settings.isFeedForward === true) feedForward.push(path);
    for (const [key, member] of Object.entries(adapter.tensors)) {
      tensors.push([
        `${start}${path}.${key}`,
        { dtype: 'float32', shape: member.shape, data: Float32Array.from(await member.data()) },
      ]);
    }
  }
  const { isFeedForward: _, ...settings } = hosts[0]?.adapters[name]?.settings ?? {};
  const config = {
    ...settings,
    target_modules: hosts.map(({ path }) => path),
    ...(settings.peft_type === 'IA3' && { feedforward_modules: feedForward }),
    task_type: options.taskType ?? null,
    base_model_name_or_path: null,
    inference_mode: true,
  };
  return filesOf(encodeSafetensors(tensors, { format: 'pt' }), config);
}

function filesOf(weights: Uint8Array, config: object): AdapterFiles {
  return { 'adapter_model.safetensors': weights, 'adapter_config.json': `${JSON.stringify(config, null, 2)}\n` };
}

/**
 * Adds an adapter from its files, those of PEFT or of `encodeAdapter`: LoRA, rsLoRA, DoRA, IA3 or a prefix. Layers are found by the names
 * of the tensors; a prefix of PEFT's stands before each attention of the model, or those that `targets` mean. Throws ValueError for other kinds, for settings that change what is computed and are not known, and where names or shapes do
 * not fit the model; it has then no new adapter.
 */
export async function loadAdapter(
  model: object,
  files: AdapterFiles,
  options: { readonly name?: string; readonly targets?: AdapterTargets } = {},
): Promise<Adapter> {
  checkOptions('loadAdapter', options, ['name', 'targets']);
  const { name = 'default', targets } = options;
  const config: unknown = JSON.parse(files['adapter_config.json']);
  const setting = (key: string): unknown => Object(config)[key];
  const stored = parseSafetensors(files['adapter_model.safetensors']);
  const kind = setting('peft_type');
  if (kind === 'PREFIX_TUNING')
    return attach('loadAdapter', model, name, () => prefixesOf(model, stored, setting, targets));
  if (targets !== undefined)
    throw new ValueError(
      'loadAdapter',
      `the layers of an adapter of the kind ${String(kind)} are in its file: leave targets out.`,
    );
  const found = new Map<string, Map<string, HostTensor>>();
  for (const [key, value] of stored.tensors) {
    const match =
      /^(?:base_model\.model\.)?(.*?)\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector(?:\.weight)?|lora_embedding_[AB]|ia3_l)$/.exec(
        key,
      );
    const [, path, part] = match ?? [];
    if (path === undefined || part === undefined) {
      throw new ValueError(
        'loadAdapter',
        `the tensor '${key}' is none of LoRA's or IA3's: other adapters, and trained biases, are not read.`,
      );
    }
    const own = found.get(path) ?? new Map<string, HostTensor>();
    own.set(part.replace('vector.weight', 'vector'), decodeTensor(key, value));
    found.set(path, own);
  }
  const paths = [...found.keys()];
  const refused = ['rank_pattern', 'alpha_pattern', 'modules_to_save', 'layer_replication', 'megatron_config'].find(
    (key) => {
      const value = setting(key);
      return value !== undefined && value !== null && Object.keys(Object(value)).length > 0;
    },
  );
  if (refused !== undefined) throw new ValueError('loadAdapter', `the setting ${refused} is not read.`);
  const isTarget = (path: string): boolean => found.has(path);
  let adapter: Adapter;
  if (kind === 'LORA') {
    adapter = addLora(model, {
      name,
      targets: isTarget,
      rank: Number(setting('r')),
      alpha: Number(setting('lora_alpha')),
      dropout: Number(setting('lora_dropout') ?? 0),
      rankStabilized: setting('use_rslora') === true,
      decomposed: setting('use_dora') === true,
    });
  } else if (kind === 'IA3') {
    const list = setting('feedforward_modules');
    const inner: string[] = Array.isArray(list) ? list.map(String) : [];
    const isInner = (path: string): boolean =>
      isTarget(path) && inner.some((end) => path === end || path.endsWith(`.${end}`));
    adapter = addIa3(model, { name, targets: isTarget, ...(inner.length > 0 && { feedForward: isInner }) });
  } else {
    throw new ValueError(
      'loadAdapter',
      `the adapter is of the kind ${String(kind)}: LORA, IA3 and PREFIX_TUNING are read.`,
    );
  }
  try {
    const missing = paths.find((path) => !adapter.paths.includes(path));
    if (missing !== undefined)
      throw new ValueError('loadAdapter', `the model has no layer '${missing}' that the adapter could stand beside.`);
    for (const { path, adapters } of weightHostsOf(model))
      fill(path, adapters[name]?.tensors ?? {}, found.get(path) ?? new Map());
  } catch (error) {
    removeAdapter(model, name);
    throw error;
  }
  return adapter;
}

function fill(
  path: string,
  members: Readonly<Record<string, Parameter>>,
  values: ReadonlyMap<string, HostTensor>,
): void {
  for (const [key, member] of Object.entries(members)) {
    const value = values.get(key);
    if (value === undefined) throw new ValueError('loadAdapter', `the file has no ${path}.${key}.`);
    // PEFT keeps the lengths of a convolution's rows as [1, outputs, 1, 1]
    if (
      value.data.length !== member.size ||
      (value.shape.join() !== member.shape.join() && key !== 'lora_magnitude_vector')
    ) {
      throw new ValueError(
        'loadAdapter',
        `${path}.${key} is [${value.shape.join(', ')}] in the file, and [${member.shape.join(', ')}] in the model.`,
      );
    }
    member.assign(parameter(Float32Array.from(value.data, Number), { shape: member.shape, buffer: true }));
  }
}
