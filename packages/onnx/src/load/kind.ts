/** What a file is that is no ONNX model: people hand over what a download gave instead, and models of other tools. */

const reExport = "export it as ONNX: in Python, torch.onnx.export(model, example, 'model.onnx').";

/** Of each kind how it begins, and a sentence on what it is and what to do. */
const kinds: readonly (readonly [beginning: RegExp | string, words: string])[] = [
  [
    /^version https:\/\/git-lfs/,
    'this is a pointer of Git LFS, not the file itself: run git lfs pull, or download the file by its own address.',
  ],
  [
    /^(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml)/i,
    'this is a web page: the download gave a page (a login, an error) in place of the model; look at its address and status.',
  ],
  [
    /^PK.{28}([^/]*\/)?(data\.pkl|version|byteorder|\.format_version|\.data\/)/s,
    `this is a file of PyTorch, weights without a graph: loadModel(source, model) of @nn/serialize reads them, or ${reExport}`,
  ],
  [/^PK.{28}(metadata|config)\.json/s, 'this is a model of Keras (.keras): loadKeras(source) of @nn/keras reads it.'],
  ['PK\x03\x04', 'this is a ZIP archive: unpack it, and load the .onnx file in it.'],
  ['\x89HDF\r\n\x1a\n', 'this is HDF5, as models of Keras are (.h5): loadKeras(source) of @nn/keras reads it.'],
  ['\x80', `this is a pickle of Python's, as old files of PyTorch are: ${reExport}`],
  [/^[\s\S]{4}TFL3/, 'this is a model of TensorFlow Lite: in Python, tf2onnx --tflite converts it to ONNX.'],
  [/^[\s\S]{4}ORTM/, 'this is a model in the format of onnxruntime (.ort): give the .onnx file that it was made from.'],
  ['GGUF', 'this is GGUF, weights without a graph: loadModel of @nn/serialize reads it.'],
  ['\x1f\x8b', 'this is packed by gzip: unpack it first.'],
  [/^.{8}\{"/, 'this is a safetensors file, weights without a graph: loadModel of @nn/serialize reads it.'],
  [
    /^\s*\{/,
    'this is JSON; ONNX is a binary file. A model.json of TensorFlow.js is read by loadKeras(source) of @nn/keras.',
  ],
];

/** What the bytes are, or undefined where they may be a model. */
export function otherKind(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'the file is empty: it was not downloaded, or not written.';
  const head = Array.from(bytes.subarray(0, 512), (byte) => String.fromCharCode(byte)).join('');
  const found = kinds.find(([beginning]) =>
    typeof beginning === 'string' ? head.startsWith(beginning) : beginning.test(head),
  );
  if (found) return found[1];
  if (head.includes('\xef\xbf\xbd')) {
    return 'the file went through a conversion of text (EF BF BD stands where bytes were), and its numbers are lost: copy it again as binary.';
  }
  return undefined;
}
