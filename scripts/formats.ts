/**
 * The tables of docs/guides/moving-models.md, from the code that reads and writes: formats, types of elements, operators, layers, and
 * what is said of files that are not read. A name that no package exports ends the script.
 *
 *   node --conditions=@nn/source --import tsx scripts/formats.ts --update    writes them, as npm run api:update does
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import * as keras from '@nn/keras';
import * as onnx from '@nn/onnx';
import * as serialize from '@nn/serialize';
import { anyKind } from '@nn/serialize/formats';
import { activationBuilders } from '../packages/keras/src/layers/activations.ts';
import { attentionBuilders } from '../packages/keras/src/layers/attention.ts';
import { convLstmBuilders } from '../packages/keras/src/layers/conv-lstm.ts';
import { convolutionBuilders } from '../packages/keras/src/layers/convolution.ts';
import { denseBuilders } from '../packages/keras/src/layers/dense.ts';
import { mergingBuilders } from '../packages/keras/src/layers/merging.ts';
import { normalizationBuilders } from '../packages/keras/src/layers/normalization.ts';
import { poolingBuilders } from '../packages/keras/src/layers/pooling.ts';
import { preprocessingBuilders } from '../packages/keras/src/layers/preprocessing.ts';
import { rearrangingBuilders } from '../packages/keras/src/layers/rearranging.ts';
import { recurrentBuilders } from '../packages/keras/src/layers/recurrent.ts';
import { wrapperBuilders } from '../packages/keras/src/layers/wrappers.ts';
import { operators } from '../packages/onnx/src/operators/index.ts';
import { elementTypes, whyUnread } from '../packages/serialize/src/element-types.ts';
import { blockTypes } from '../packages/serialize/src/gguf/blocks.ts';
import { plainTypes } from '../packages/serialize/src/gguf/read.ts';
import { types as arrayTypes } from '../packages/serialize/src/numpy/npy.ts';
import { types as storageTypes } from '../packages/serialize/src/pytorch/tensors.ts';

const page = join(import.meta.dirname, '../docs/guides/moving-models.md');

/** Public names of a package as code; one that is not there is a fault. */
function names(module: Readonly<Record<string, unknown>>, ...wanted: readonly string[]): string {
  const missing = wanted.find((name) => !(name in module));
  if (missing !== undefined) throw new Error(`moving-models.md: ${missing} is exported by no package.`);
  return wanted.map((name) => `\`${name}\``).join(', ');
}

/** The functions of a package that write files. */
const writers = (module: Readonly<Record<string, unknown>>): string =>
  Object.keys(module)
    .filter((name) => /^(encode|save)/.test(name))
    .map((name) => `\`${name}\``)
    .join(', ') || '-';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const listed = (items: Iterable<string>): string => [...new Set(items)].join(', ');

function formats(): string {
  const weights = names(serialize, 'loadModel', 'loadTensors', 'inspectWeights');
  const saved = names(serialize, 'saveModel', 'encodeModel');
  return table(
    ['files', 'what is in them', 'read by', 'written by'],
    [
      [
        'safetensors; in several files by their index',
        'weights',
        weights,
        `${saved}, ${names(serialize, 'encodeSafetensors')}`,
      ],
      [
        'PyTorch: `.pt`, `.pth`, `.bin` of every version',
        'weights, checkpoints',
        weights,
        `${saved} as \`'pytorch'\`, ${names(serialize, 'encodeTorch')}`,
      ],
      [
        'NumPy: `.npz`, `.npy`',
        'arrays',
        `${weights}, ${names(serialize, 'parseNpy')}`,
        `${saved} as \`'npz'\`, ${names(serialize, 'encodeNpz', 'encodeNpy')}`,
      ],
      ['llama.cpp: `.gguf`', 'weights, quantised', weights, '-'],
      [
        'ONNX: `.onnx`, with weights beside it',
        'a graph with weights',
        names(onnx, 'loadOnnx', 'inspectOnnx'),
        writers(onnx),
      ],
      [
        'Keras: `.keras`, `.h5`; TensorFlow.js: `model.json`',
        'layers with weights',
        names(keras, 'loadKeras', 'loadKerasWeights', 'loadKerasTensors', 'inspectKeras'),
        writers(keras),
      ],
    ],
  );
}

function elements(): string {
  const isRead = (type: string): boolean => whyUnread(type) === undefined;
  const split = (all: Iterable<string>): [string, string] => {
    const found = [...new Set(all)];
    return [listed(found.filter(isRead)), listed(found.filter((type) => !isRead(type))) || '-'];
  };
  const blocks = [...blockTypes.values()];
  return table(
    ['files', 'types of elements that are read', 'known, and refused by name'],
    [
      ['safetensors', ...split(elementTypes)],
      ['PyTorch', ...split(storageTypes.values())],
      ['NumPy', ...split(Object.values(arrayTypes))],
      [
        'GGUF',
        listed([...plainTypes.values(), ...blocks.flatMap(({ name, decode }) => (decode ? [name] : []))]),
        listed(blocks.flatMap(({ name, decode }) => (decode ? [] : [name]))),
      ],
    ],
  );
}

function graphs(): string {
  const layers = Object.keys({
    ...denseBuilders,
    ...activationBuilders,
    ...convolutionBuilders,
    ...poolingBuilders,
    ...normalizationBuilders,
    ...rearrangingBuilders,
    ...mergingBuilders,
    ...recurrentBuilders,
    ...convLstmBuilders,
    ...attentionBuilders,
    ...wrapperBuilders,
    ...preprocessingBuilders,
  }).sort();
  const known = [...operators.keys()].sort();
  return [
    `**${known.length} operators of ONNX**, of all versions: ${known.join(', ')}.`,
    `**${layers.length} layers of Keras**: ${layers.join(', ')}.`,
  ].join('\n\n');
}

/** Files that people hand over, by how they begin. */
const strangers: readonly (readonly [what: string, beginning: string])[] = [
  ['a SavedModel of TensorFlow', '\x08\x01\x12\xc5\x83\x05\x0a\xe8'],
  ['TensorFlow Lite', '\x1c\0\0\0TFL3'],
  ['a model of ONNX', '\x08\x07\x12\x07pytorch'],
  ['HDF5', '\x89HDF\r\n\x1a\n'],
  ['`model.json` of TensorFlow.js', '{"format": "layers-model"}'],
  ['MessagePack of Flax', '\x81\xa6params\x82\xa7'],
  ["a pickle of Python's", '\x80\x04\x95\0\0\0\0\0\0\0\0'],
  ['ExecuTorch', '\x1c\0\0\0ET12'],
  ['GGML', 'tjgg\x01\0\0\0'],
  ['gzip', '\x1f\x8b\x08\0\0\0\0\0'],
  ['zstd', '\x28\xb5\x2f\xfd\x04\0\0\0'],
  ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d'],
  ['a web page', '<!doctype html><html>'],
  ['bytes that an editor took for text', '\x89\xef\xbf\xbd\x08\xef\xbf\xbd\x00\x00'],
];

function refused(): string {
  const rows = strangers.map(([what, beginning]) => {
    const words = anyKind(Uint8Array.from(beginning, (character) => character.charCodeAt(0)));
    if (words === undefined) throw new Error(`moving-models.md: nothing is said of ${what}.`);
    return [what, words.replaceAll('|', '\\|').replaceAll('*', '\\*')];
  });
  return table(['what it is', 'what the error says'], rows);
}

/** The page with its tables as the code has them now. */
export function movingModels(text: string): string {
  const parts = { formats, elements, graphs, refused };
  return Object.entries(parts).reduce((before, [name, make]) => {
    const marked = new RegExp(`(<!-- ${name}: written by npm run api:update -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
    if (!marked.test(before)) throw new Error(`moving-models.md has no place for ${name}.`);
    return before.replace(marked, (_, begin: string, end: string) => `${begin}${make()}\n${end}`);
  }, text);
}

export const movingModelsPage: string = page;

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--update'))
  writeFileSync(page, movingModels(readFileSync(page, 'utf8')));
