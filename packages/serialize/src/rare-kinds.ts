/**
 * What else a file may be that is met now and then: packed by other programs, weights and graphs of others, archives by the
 * names in them. Loaded when `loadModel` met something that it does not read; the usual kinds are `kind-of-file.ts`.
 */
import { headText, kerasArchive, mangled, otherKind, savedModel } from './kind-of-file.ts';

const packers: readonly (readonly [start: string, name: string])[] = [
  ['\x28\xb5\x2f\xfd', 'zstd'],
  ['\xfd7zXZ\0', 'xz'],
  ['BZh', 'bzip2'],
  ['7z\xbc\xaf\x27\x1c', '7-Zip'],
  ['Rar!', 'RAR'],
];

/** A sentence on what the bytes are and what to do, or undefined where they may be safetensors. */
export function anyKind(bytes: Uint8Array): string | undefined {
  const head = headText(bytes);
  const packer = packers.find(([start]) => head.startsWith(start));
  if (packer) return `this is packed by ${packer[1]}: unpack it first.`;
  if (head.startsWith('PK\x05\x06')) return foreignArchive([]);
  if (/^(ggml|lmgg|tjgg|fmgg|ggjt|ggmf|ggla)/.test(head))
    return 'this is GGML, the format before GGUF: convert it by convert_llama_ggml_to_gguf.py of llama.cpp.';
  if (/^[\s\S]{4}ET\d\d/.test(head))
    return 'this is a program of ExecuTorch (.pte), which is not read here: save the weights of the model that it was made of by torch.save.';
  if (/^[\x81-\x8f][\xa1-\xbf]/.test(head))
    return "this is MessagePack, as weights of Flax are: in Python, safetensors.flax.save_file(flatten_dict(params, sep='.'), path).";
  if (/^[\s\S]{257}ustar/.test(head))
    return 'this is a tar archive: of old files of PyTorch loadModel(source, model) of @nn/serialize reads it; others are unpacked first.';
  if (
    /^\s*\{\s*"(class_name|config|name|keras_version|backend)"\s*:/.test(head) &&
    /"class_name"|"keras_version"/.test(head)
  )
    return 'this is the description of a model of Keras, without weights: loadKeras(source) of @nn/keras reads it.';
  if (/^\s*\[\s*\{\s*"(paths|weights)"/.test(head))
    return 'this is the list of weights of a model of TensorFlow.js: loadKeras(source) of @nn/keras reads its model.json with the shards.';
  if (/"(modelTopology|weightsManifest)"|"format"\s*:\s*"(layers|graph)-model"/.test(head))
    return 'this is the model.json of TensorFlow.js: loadKeras(source) of @nn/keras reads it with its shards.';
  return otherKind(bytes);
}

/** What an archive is that holds neither weights of PyTorch nor of NumPy, by the names in it. */
export function foreignArchive(names: readonly string[]): string {
  if (names.length === 0) return 'this is an empty ZIP archive.';
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (has(/^(model\.weights\.h5|metadata\.json)$/)) return kerasArchive;
  if (has(/(^|\/)saved_model\.pb$/)) return savedModel;
  if (has(/(^|\/)(constants\.pkl|code\/)/)) return torchScript;
  const inside = names.find((name) => /\.(safetensors|pt|pth|bin|npy|npz|gguf|h5|onnx)$/.test(name));
  const shown = (inside ?? names.slice(0, 3).join(', ')).slice(0, 200);
  return `this is a ZIP archive without weights of PyTorch or NumPy: unpack it, and load the file of weights in it. It holds ${shown}.`;
}

export const torchScript =
  "this is a program of TorchScript (torch.jit.save), not a file of weights; in Python: torch.save(torch.jit.load(path).state_dict(), 'model.pt').";

/** What went through a conversion of text, though it began as something that is read here. */
export function mangledText(bytes: Uint8Array): string | undefined {
  return otherKind(bytes) !== undefined && headText(bytes).includes('\xef\xbf\xbd') ? mangled : undefined;
}
