/** Where models and the files beside them come from: addresses and hubs; and what files are that hold no model. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { Linear } from '@nn/layers';
import { beforeAll, expect, it } from 'vitest';
import { encodeOnnx } from './export/encode-onnx.ts';
import { loadOnnx } from './load/load-onnx.ts';

beforeAll(() => setDefaultBackend(cpu()));

it.each([
  [
    'https://example.org/m/model.onnx?token=1',
    'https://example.org/m/model.onnx?token=1',
    'https://example.org/m/model.onnx.data',
  ],
  [
    'hf://owner/name/onnx/model.onnx@v1',
    'https://huggingface.co/owner/name/resolve/v1/onnx/model.onnx',
    'https://huggingface.co/owner/name/resolve/v1/onnx/model.onnx.data',
  ],
  [
    'hf://owner/name@v1/onnx/model.onnx',
    'https://huggingface.co/owner/name/resolve/v1/onnx/model.onnx',
    'https://huggingface.co/owner/name/resolve/v1/onnx/model.onnx.data',
  ],
])('the weights beside %s are fetched from there', async (source, address, beside) => {
  const layer = new Linear(64, 8);
  const { model, data } = await encodeOnnx(layer, [1, 64], { external: 'model.onnx.data' });
  const files = new Map([
    [address, model],
    [beside, data],
  ]);
  const asked: string[] = [];
  const fetch = async (url: string): Promise<Response> => {
    asked.push(url);
    const bytes = files.get(url);
    return bytes ? new Response(bytes as Uint8Array<ArrayBuffer>) : new Response('', { status: 404 });
  };
  const loaded = await loadOnnx(source, { fetch });
  const x = tensor([Array.from({ length: 64 }, (_, k) => k - 32)]);
  expect(await loaded.forward(x).array()).toEqual(await layer.forward(x).array());
  expect(asked).toEqual([address, beside]);
  await expect(loadOnnx('https://example.org/none.onnx', { fetch })).rejects.toThrow('there is no such file (404)');
});

it('a file that is another one is refused by its hash', async () => {
  const bytes = await encodeOnnx(new Linear(1, 1), [1, 1]);
  await expect(loadOnnx(bytes, { sha256: '0'.repeat(64) })).rejects.toThrow('download: the file has the SHA-256');
});

const zip = (name: string): string => `PK\x03\x04${'\0'.repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}`;

it.each([
  [
    'a file of PyTorch',
    zip('net/data.pkl'),
    'weights without a graph: loadModel(source, model) of @nn/serialize reads them, or export it as ONNX',
  ],
  [
    'a model of Keras',
    zip('metadata.json'),
    'this is a model of Keras (.keras): loadKeras(source) of @nn/keras reads it.',
  ],
  ['another archive', zip('a.onnx'), 'this is a ZIP archive: unpack it, and load the .onnx file in it.'],
  ['HDF5', '\x89HDF\r\n\x1a\n', 'loadKeras(source) of @nn/keras reads it.'],
  ['TensorFlow Lite', '\x1c\0\0\0TFL3', 'this is a model of TensorFlow Lite: in Python, tf2onnx --tflite converts it'],
  ['safetensors', '\x10\0\0\0\0\0\0\0{"a":{}}', 'this is a safetensors file, weights without a graph'],
  ['an old pickle', '\x80\x02\x8a\nl\xfc\x9cF', "this is a pickle of Python's, as old files of PyTorch are"],
  ['TensorFlow.js', '{"format": "layers-model"}', 'A model.json of TensorFlow.js is read by loadKeras(source)'],
  ['Git LFS', 'version https://git-lfs.github.com/spec/v1\noid', 'this is a pointer of Git LFS'],
  ['a page', '<!doctype html>', 'this is a web page'],
  ['GGUF', 'GGUF\x03\0\0\0', 'this is GGUF, weights without a graph'],
  ['a SavedModel', '\x08\x01\x12\x04\x0a\x02\x0a\x00', 'this is a graph of TensorFlow as protobuf (a SavedModel)'],
  ['an array of NumPy', '\x93NUMPY\x01\0v\0', 'this is one array of NumPy (.npy)'],
  [
    'a tar',
    `storages${'\0'.repeat(249)}ustar`,
    'this is a tar archive: of old files of PyTorch loadModel(source, model)',
  ],
  ['a model that is cut off', '\x08\x08\x12\x02nn:\x7f', 'the file ends inside of the model'],
  ['nothing', '', 'the file is empty: it was not downloaded, or not written.'],
])('%s is called by its name', async (_, text, words) => {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  await expect(loadOnnx(bytes)).rejects.toThrow(words);
});
