/**
 * What a file is that its reader does not read: people hand over weights of other formats, whole graphs, web pages that a
 * download gave instead, pointers of Git LFS. Told from the first bytes; nothing of it is read further. What is met less often is
 * `rare-kinds.ts`, which pages without files do not carry.
 */

const load = 'loadModel(source, model) and loadTensors(source) read it';

/** A sentence on what the bytes are and what to do, or undefined where they may be safetensors. */
export function otherKind(bytes: Uint8Array): string | undefined {
  const head = headText(bytes);
  if (isCutOff(head)) return undefined;
  if (head.startsWith('PK\x03\x04')) {
    const length = (bytes[26] ?? 0) + 256 * (bytes[27] ?? 0);
    const first = head.slice(30, 30 + length);
    if (first.endsWith('.npy')) return `this is an archive of NumPy (.npz), not safetensors: ${load}.`;
    if (/(^|\/)(data\.pkl|version|byteorder|\.format_version|\.data\/)/.test(first))
      return `this is a file of PyTorch (.pt, .pth, .bin), not safetensors: ${load}, and runs nothing in it.`;
    if (/^(metadata|config)\.json$/.test(first)) return kerasArchive;
    return `this is a ZIP archive without weights of PyTorch or NumPy: unpack it, and load the file of weights in it.`;
  }
  if (head.startsWith('\x80\x02\x8a\x0al\xfc\x9cF\xf9'))
    return `this is an old file of PyTorch (.pt, .pth), not safetensors: ${load}, and runs nothing in it.`;
  // Behind the protocol stands an opcode, as in no length of a header.
  if (bytes[0] === 0x80 && (bytes[1] ?? 9) <= 5 && /^[()\]}cGIJKLMNSTUVX\x80-\x95]/.test(head.slice(2))) {
    return "this is a pickle of Python's, not a file that torch.save wrote, and could run any code: in Python, where you trust it: torch.save(model.state_dict(), 'model.pt').";
  }
  if (head.startsWith('\x89HDF\r\n\x1a\n'))
    return 'this is HDF5, as weights of Keras are (.h5): loadKeras(source) of @nn/keras reads those; of others, in Python, safetensors.numpy.save_file(weights, path).';
  if (head.startsWith('GGUF')) return `this is GGUF (weights of llama.cpp), not safetensors: ${load}.`;
  if (head.startsWith('\x93NUMPY'))
    return 'this is one array of NumPy (.npy), not safetensors: parseNpy(bytes) reads it.';
  if (head.startsWith('\x1f\x8b')) return 'this is packed by gzip: unpack it first, as with gunzip of @nn/data.';
  if (head.startsWith('version https://git-lfs'))
    return 'this is a pointer of Git LFS, not the file itself: run git lfs pull, or download the file by its own address.';
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|!--|html|head|\?xml)/i.test(head))
    return 'this is a web page, not a file of weights: the download gave a page (a login, an error) instead; look at its address and status.';
  if (/^[\s\S]{4}TFL3/.test(head))
    return 'this is a model of TensorFlow Lite (.tflite), which is not read here: export the model that it was made of, its weights as safetensors or .npz.';
  if (isTensorflowGraph(bytes)) return savedModel;
  // A message that begins as a model of ONNX does: its version, then who made it.
  const [first = 0, second = 0, third = 0] = bytes;
  if (first === 0x08 && second >= 1 && second < 0x10 && [0x12, 0x1a, 0x2a, 0x32, 0x3a, 0x42].includes(third))
    return 'this is a model of ONNX, a graph as protobuf: loadOnnx(source) of @nn/onnx reads it.';
  if (head.includes('\xef\xbf\xbd')) return mangled;
  if (/^(\xef\xbb\xbf)?\s*\{/.test(head))
    return 'this is JSON: of a model in several files the index is loaded from its folder, its address, or with all of its files.';
  return undefined;
}

/** A length below 16 MB, then an object of JSON: safetensors, of which the rest did not come, whatever the length looks like. */
function isCutOff(head: string): boolean {
  return /^[\s\S]{3}\0{5}\{\s*["}]/.test(head);
}

/** The first bytes as characters of one byte each. */
export function headText(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 512), (byte) => String.fromCharCode(byte)).join('');
}

/** Bytes that were read as text and written again: what is no UTF-8 became this mark. */
export const mangled =
  'the file went through a conversion of text (EF BF BD stands where bytes were), and its numbers are lost: copy it again as binary, without autocrlf or an editor.';

export const kerasArchive = 'this is a model of Keras (.keras): loadKeras(source) of @nn/keras reads it.';

export const savedModel =
  'this is a graph of TensorFlow as protobuf (a SavedModel), not a file of weights: in Python, numpy.savez(path, **{v.name: v.numpy() for v in model.variables}).';

/** A SavedModel has its version, 1, then a graph, which is a message itself; a frozen graph begins with a node. */
function isTensorflowGraph(bytes: Uint8Array): boolean {
  const [first, second, third, fourth] = bytes;
  if (first === 0x0a) return third === 0x0a || fourth === 0x0a;
  const inner = 4 + bytes.subarray(3).findIndex((byte) => byte < 0x80);
  return first === 0x08 && second === 1 && third === 0x12 && bytes[inner] === 0x0a;
}
