/** What `loadModel` says of files that it does not read, beside the kinds that `safetensors.test.ts` tells. */
import { expect, it } from 'vitest';
import { inspectWeights } from './inspect/inspect.ts';
import { anyKind, foreignArchive } from './rare-kinds.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

it.each([
  ['an empty archive', 'PK\x05\x06\0\0\0\0\0\0', 'this is an empty ZIP archive.'],
  ['GGML', 'tjgg\x01\0\0\0', 'this is GGML, the format before GGUF'],
  ['MessagePack', '\x81\xa6params\x82\xa7', 'this is MessagePack, as weights of Flax are'],
  ['ExecuTorch', '\x1c\0\0\0ET12', 'this is a program of ExecuTorch (.pte)'],
  ['zstd', '\x28\xb5\x2f\xfd\x04\0\0\0', 'this is packed by zstd: unpack it first.'],
  ['xz', '\xfd7zXZ\0\0\x04', 'this is packed by xz'],
  ['bzip2', 'BZh91AY&', 'this is packed by bzip2'],
  ['7-Zip', '7z\xbc\xaf\x27\x1c\0\x04', 'this is packed by 7-Zip'],
  ['TensorFlow.js', '{"format": "layers-model", "generatedBy": "keras"}', 'this is the model.json of TensorFlow.js'],
  [
    'a description of Keras',
    '{"class_name": "Sequential", "config": []}',
    'this is the description of a model of Keras',
  ],
  [
    'weights of TensorFlow.js',
    '[{"paths": ["group1-shard1of1"]',
    'this is the list of weights of a model of TensorFlow.js',
  ],
  ['RAR', 'Rar!\x1a\x07\x01\0', 'this is packed by RAR'],
  ['a page', '<html></html>', 'this is a web page'],
])('%s', async (_, text, words) => {
  expect(anyKind(bytesOf(text))).toContain(words);
  await expect(inspectWeights(bytesOf(text))).rejects.toThrow(words);
});

it.each([
  [
    'Keras',
    ['metadata.json', 'config.json', 'model.weights.h5'],
    'this is a model of Keras (.keras): loadKeras(source)',
  ],
  ['SavedModel', ['m/', 'm/saved_model.pb'], 'this is a graph of TensorFlow as protobuf (a SavedModel)'],
  ['TorchScript', ['net/code/net.py', 'net/data/0'], 'this is a program of TorchScript'],
  ['a file of weights', ['a/readme.md', 'a/model.safetensors'], 'It holds a/model.safetensors.'],
  ['others', ['a', 'b', 'c', 'd'], 'It holds a, b, c.'],
])('an archive of %s', (_, names, words) => {
  expect(foreignArchive(names)).toContain(words);
});
