/**
 * What a file is that is not safetensors: people hand over weights of other formats, web pages that a download gave
 * instead, pointers of Git LFS. Told from the first bytes; nothing of it is read further.
 */

const convert = "in Python: safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors')";

/** A sentence on what the bytes are and what to do, or undefined where they may be safetensors. */
export function otherKind(bytes: Uint8Array): string | undefined {
  const head = Array.from(bytes.subarray(0, 256), (byte) => String.fromCharCode(byte)).join('');
  if (head.startsWith('PK\x03\x04')) {
    const length = (bytes[26] ?? 0) + 256 * (bytes[27] ?? 0);
    const first = head.slice(30, 30 + length);
    if (first.endsWith('.npy'))
      return 'this is an archive of NumPy (.npz): in Python: safetensors.numpy.save_file(dict(numpy.load(path)), "model.safetensors").';
    if (/(^|\/)(data\.pkl|version|byteorder|\.format_version|\.data\/)/.test(first))
      return `this is a file of PyTorch (.pt, .pth, .bin), which runs code when it is opened: convert it where you trust it, ${convert}.`;
    return 'this is a ZIP archive (a .keras model is one, too): unpack it, or export the weights as safetensors.';
  }
  if (bytes[0] === 0x80 && (bytes[1] ?? 9) <= 5) {
    return `this is a pickle, as old files of PyTorch are (.pt, .pth), which runs code when it is opened: convert it where you trust it, ${convert}.`;
  }
  if (head.startsWith('\x89HDF\r\n\x1a\n'))
    return 'this is HDF5, as weights of Keras are (.h5): in Python, read it and write safetensors.numpy.save_file(weights, path).';
  if (head.startsWith('GGUF'))
    return 'this is GGUF, quantised weights of llama.cpp, which is not read here: take the safetensors of the same model.';
  if (head.startsWith('\x93NUMPY'))
    return 'this is one array of NumPy (.npy): in Python: safetensors.numpy.save_file({"name": numpy.load(path)}, "model.safetensors").';
  if (head.startsWith('\x1f\x8b')) return 'this is packed by gzip: unpack it first, as with gunzip of @nn/data.';
  if (head.startsWith('version https://git-lfs'))
    return 'this is a pointer of Git LFS, not the file itself: run git lfs pull, or download the file by its own address.';
  if (/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml)/i.test(head))
    return 'this is a web page, not a file of weights: the download gave a page (a login, an error) instead; look at its address and status.';
  if (/^\s*\{/.test(head))
    return 'this is JSON: of a model in several files it is the index, which names the .safetensors files to load.';
  return undefined;
}
