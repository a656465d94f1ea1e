/**
 * What a file is that its reader does not read: people hand over weights of other formats, web pages that a download gave
 * instead, pointers of Git LFS. Told from the first bytes; nothing of it is read further.
 */

const load = 'loadModel(source, model) and loadTensors(source) read it';

/** A sentence on what the bytes are and what to do, or undefined where they may be safetensors. */
export function otherKind(bytes: Uint8Array): string | undefined {
  const head = Array.from(bytes.subarray(0, 512), (byte) => String.fromCharCode(byte)).join('');
  if (head.startsWith('PK\x03\x04')) {
    const length = (bytes[26] ?? 0) + 256 * (bytes[27] ?? 0);
    const first = head.slice(30, 30 + length);
    if (first.endsWith('.npy')) return `this is an archive of NumPy (.npz), not safetensors: ${load}.`;
    if (/(^|\/)(data\.pkl|version|byteorder|\.format_version|\.data\/)/.test(first))
      return `this is a file of PyTorch (.pt, .pth, .bin), not safetensors: ${load}, and runs nothing in it.`;
    return foreignArchive;
  }
  if (head.startsWith('\x80\x02\x8a\x0al\xfc\x9cF\xf9'))
    return `this is an old file of PyTorch (.pt, .pth), not safetensors: ${load}, and runs nothing in it.`;
  if (bytes[0] === 0x80 && (bytes[1] ?? 9) <= 5) {
    return "this is a pickle of Python's, not a file that torch.save wrote, and could run any code: in Python, where you trust it: torch.save(model.state_dict(), 'model.pt').";
  }
  if (head.startsWith('\x89HDF\r\n\x1a\n'))
    return 'this is HDF5, as weights of Keras are (.h5): in Python, read it and write safetensors.numpy.save_file(weights, path).';
  if (head.startsWith('GGUF')) return `this is GGUF (weights of llama.cpp), not safetensors: ${load}.`;
  if (head.startsWith('\x93NUMPY'))
    return 'this is one array of NumPy (.npy), not safetensors: parseNpy(bytes) reads it.';
  if (head.startsWith('\x1f\x8b')) return 'this is packed by gzip: unpack it first, as with gunzip of @nn/data.';
  if (head.startsWith('version https://git-lfs'))
    return 'this is a pointer of Git LFS, not the file itself: run git lfs pull, or download the file by its own address.';
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml)/i.test(head))
    return 'this is a web page, not a file of weights: the download gave a page (a login, an error) instead; look at its address and status.';
  if (/^[\s\S]{4}TFL3/.test(head))
    return 'this is a model of TensorFlow Lite (.tflite), which is not read here: export the model that it was made of, its weights as safetensors or .npz.';
  if (isGraph(bytes)) return protobuf;
  if (head.includes('\xef\xbf\xbd')) return mangled;
  if (/^\s*\{/.test(head))
    return 'this is JSON: of a model in several files it is the index, which names the .safetensors files to load.';
  return undefined;
}

/** Bytes that were read as text and written again: what is no UTF-8 became this mark. */
export const mangled =
  'the file went through a conversion of text (EF BF BD stands where bytes were), and its numbers are lost: copy it again as binary, without autocrlf or an editor.';

export const foreignArchive =
  'this is a ZIP archive without weights of PyTorch or NumPy (a .keras model is one, too): unpack it, or export the weights: in Python, numpy.savez(path, **{v.path: v.numpy() for v in model.weights}).';

const protobuf =
  'this is a graph as protobuf (ONNX, or a SavedModel of TensorFlow), not a file of weights: load ONNX as a graph; of TensorFlow, save the weights in Python: numpy.savez(path, **{v.name: v.numpy() for v in model.weights}).';

/** A message that begins as a model of ONNX does (its version, then who made it), a SavedModel, or a frozen graph. */
function isGraph(bytes: Uint8Array): boolean {
  const [first = 0, second = 0, third = 0] = bytes;
  const versioned =
    first === 0x08 && second >= 1 && second < 0x10 && [0x12, 0x1a, 0x2a, 0x32, 0x3a, 0x42].includes(third);
  return versioned || (first === 0x0a && (third === 0x0a || bytes[3] === 0x0a));
}
