/**
 * What is taken along of the senses: the network as ONNX, and a folder with its weights, a TypeScript program that predicts for a
 * file, and the samples that a person gave. The ONNX of sounds takes the power in mels: ONNX as we write it has no windows of signals.
 */
import { encodeWav, waveformOf } from '@nn/audio';
import type { Tensor } from '@nn/core';
import type { Sequential } from '@nn/layers';
import { encodeModel, encodeZip } from '@nn/serialize';
import { encodePng } from '@nn/vision';
import { literal } from '../../model/program.ts';
import type { SenseLearner } from './learner.ts';
import { featuresOf, melOptions, type Piece, range } from './networks.ts';
import { frames, type Kind, mels, pictureSide, type SenseFile, soundLength, soundRate } from './protocol.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export async function takenAlong(
  learner: SenseLearner,
  as: SenseFile,
  names: readonly string[],
  version: string,
): Promise<Uint8Array> {
  const { kind } = learner.settings;
  const { model, pieces, samples } = learner.taken;
  const onnx = await onnxOf(kind, model);
  if (as === 'onnx') return onnx;
  const files = new Map<string, Uint8Array>([
    ['README.md', bytesOf(readme(kind, names))],
    ['package.json', bytesOf(`${JSON.stringify(packageOf(kind, version), null, 2)}\n`)],
    ['predict.mts', bytesOf(programOf(kind, pieces, names))],
    ['model.safetensors', await encodeModel(model)],
    ['model.onnx', onnx],
  ]);
  for (const [i, { label, data }] of samples.entries()) {
    const path = `samples/${folderOf(names, label)}/${i + 1}`;
    if (data.kind === 'picture') files.set(`${path}.png`, new Uint8Array(await encodePng(data.image)));
    else if (data.samples !== null) files.set(`${path}.wav`, encodeWav(waveformOf(data.samples, soundRate)));
  }
  return encodeZip(files);
}

/** A class's folder: its number and what of its name every system takes. */
const folderOf = (names: readonly string[], label: number): string =>
  `${label + 1}-${(names[label] ?? '').replace(/[^\p{L}\p{N}_-]+/gu, '_').slice(0, 40)}`;

/** `input` is [batch, 3, side, side] of -1 to 1, or the power of a second in mels; `output` are logits. */
async function onnxOf(kind: Kind, model: Sequential): Promise<Uint8Array> {
  const { encodeOnnx } = await import('@nn/onnx');
  if (kind === 'pictures') return encodeOnnx(model, [1, 3, pictureSide, pictureSide], { dynamic: { batch: 0 } });
  const listening = { network: model, forward: (power: Tensor): Tensor => model.forward(featuresOf(power)) };
  return encodeOnnx(listening, [1, mels, frames], { dynamic: { batch: 0 } });
}

const readme = (kind: Kind, names: readonly string[]): string => `# ${names.join(', ')}

Made by the nn playground: a network that tells ${names.length} classes apart, and the samples it was given.

- \`npm install\`, then \`npm run predict -- FILE\` for ${kind === 'pictures' ? 'a picture (PNG or JPEG)' : 'a sound (WAV)'}.
- \`model.onnx\` runs in onnxruntime and other readers of ONNX: \`input\` ${
  kind === 'pictures'
    ? `[batch, 3, ${pictureSide}, ${pictureSide}], each byte of the picture divided by 127.5, less 1`
    : `[batch, ${mels}, ${frames}], the power of a second in mels, as \`melSpectrogram\` in predict.mts computes it`
}, \`output\` [batch, ${names.length}], logits in the order ${names.join(', ')}.
- \`model.safetensors\` holds the weights alone.
`;

function packageOf(kind: Kind, version: string): object {
  const range = `^${version}`;
  const needed = ['backend-cpu', 'core', 'layers', 'serialize', kind === 'pictures' ? 'vision' : 'audio'];
  return {
    name: `nn-${kind}`,
    private: true,
    type: 'module',
    scripts: { predict: 'tsx predict.mts' },
    dependencies: Object.fromEntries(needed.map((name) => [`@nn/${name}`, range])),
    devDependencies: { '@types/node': '^20.19.0', tsx: '^4.0.0' },
  };
}

function programOf(kind: Kind, pieces: readonly Piece[], names: readonly string[]): string {
  const layers = [...new Set(['Sequential', ...pieces.map(({ code }) => /^new (\w+)/.exec(code)?.[1] ?? '')])].sort();
  const isPictures = kind === 'pictures';
  return `/** Made by the nn playground. Predicts for a file: npx tsx predict.mts ${isPictures ? 'picture.png' : 'sound.wav'} */
import { readFileSync } from 'node:fs';
${isPictures ? '' : "import { decibels, decodeAudio, melSpectrogram, withLength } from '@nn/audio';\n"}import { cpu } from '@nn/backend-cpu';
import { evaluate, setDefaultBackend, tensor } from '@nn/core';
import { ${layers.join(', ')} } from '@nn/layers';
import { loadModel } from '@nn/serialize';
${isPictures ? "import { centerCrop, decodeImage, planes, resize } from '@nn/vision';\n" : ''}
setDefaultBackend(cpu());
const model = new Sequential(
${pieces.map(({ code }) => `  ${code},`).join('\n')}
);
await loadModel('model.safetensors', model);

const [, , path] = process.argv;
if (path === undefined) throw new Error('Name a file: npx tsx predict.mts ${isPictures ? 'picture.png' : 'sound.wav'}');
const file = readFileSync(path);
${isPictures ? pictureCode : soundCode}
const shares = await evaluate(() => model.forward(inputs).softmax(1)).data();
const names = [${names.map(literal).join(', ')}];
for (const [k, name] of names.entries()) console.log(\`\${name}: \${(100 * shares[k]!).toFixed(2)} %\`);
`;
}

const pictureCode = `const image = await decodeImage(file, { channels: 3 });
const square = resize(centerCrop(image, Math.min(image.width, image.height)), ${pictureSide});
const pixels = Float32Array.from(planes(square).data, (byte) => byte / 127.5 - 1);
const inputs = tensor(pixels, { shape: [1, 3, ${pictureSide}, ${pictureSide}] });`;

const soundCode = `const sound = withLength(await decodeAudio(file, { sampleRate: ${soundRate}, channels: 1 }), ${soundLength}); // a second
const power = melSpectrogram(tensor(sound.samples, { shape: [1, ${soundLength}] }), ${JSON.stringify(melOptions)
  .replace(/"(\w+)":/g, ' $1: ')
  .replace(/"/g, "'")
  .replace('}', ' }')});
const levels = decibels(power, { reference: 'max', range: ${range} });
const inputs = levels.sub(levels.mean(-1, { keepAxes: true })).div(20);`;
