/**
 * What our packages weigh in a page: minified by esbuild, compressed by gzip. Owns the bundles, their ceilings and the
 * names that they must not contain; tests/sizes.test.ts fails when one is broken. The goal for training an MLP is 45 kB,
 * which the JavaScript engine alone kept until memory came back by itself and state moved only with success; the generator
 * of WebAssembly and its kernels are as much again. Ceilings stand 2 % above the sizes: lower one when a size falls, and
 * raise it only for what users get in return.
 *
 *   node scripts/sizes.mjs            prints the sizes, and what they are made of
 *   node scripts/sizes.mjs --write    writes them into README.md, between the markers
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const readme = join(root, 'README.md');

/** @typedef {{ name: string, code: string, ceiling: number, without: string[], splitting?: boolean }} Bundle ceiling: bytes after gzip; without: names that no tree-shaker may leave inside */
/** @typedef {{ minified: number, compressed: number, names: Set<string>, allNames: Set<string>, parts: Record<string, number> }} Size */

/** Training an MLP on a backend. @param {string} backend */
const trainMlp = (backend) => `
  import { cpu } from '${backend}';
  import { setDefaultBackend, tensor } from '@nn/core';
  import { Linear } from '@nn/layers';
  import { SGD } from '@nn/optim';
  setDefaultBackend(cpu());
  const [hidden, output] = [new Linear(2, 8), new Linear(8, 1)];
  const optimizer = new SGD({ hidden, output }, { learningRate: 0.1 });
  const y = output.forward(hidden.forward(tensor([[0, 1]])).tanh());
  console.log(await optimizer.step(y.sub(1).square().mean()));`;

/** What an MLP cannot reach. */
const notInAnMlp = [
  ...['Adam', 'AdamW', 'RMSprop', 'oneCycle', 'LSTM', 'GRU', 'Conv2d', 'BatchNorm2d', 'LayerNorm', 'Embedding'],
  ...['MultiheadAttention', 'TransformerEncoderLayer', 'Dropout', 'crossEntropy', 'summary', 'conv2d', 'einsum'],
  ...['hessian', 'explain', 'profile', 'compile', 'gradcheck', 'debug', 'uniform', 'ConvForward', 'Window'],
  ...['validateProgram', 'renderProgram', 'recover', 'move', 'checkpoint', 'hvp', 'maxPool', 'Fold'],
  ...['GPU', 'createKernelMap', 'parseSafetensors', 'parseCsv'],
  // of the backend: fetched by pages that have convolutions, and by those on which there is no WebAssembly
  ...['emitConvolution', 'winogradForward', 'emitDepthwise', 'hinted', 'sortedOrder'],
  // of half floats and bytes: what `autocast` asks for, and what the backend fetches when a program has some
  ...['autocast', 'storingAs', 'conversionsWith', 'fromFloat16', 'toBfloat16', 'emitByteProduct', 'GradScaler'],
];

/** @type {readonly Bundle[]} */
export const bundles = [
  {
    name: '`@nn/core` alone',
    code: "export * from '@nn/core';",
    ceiling: 114_000,
    without: [
      'Linear',
      'Sequential',
      'SGD',
      'Adam',
      'cpu',
      'interpreterEngine',
      'GPU',
      'parseSafetensors',
      'DataLoader',
    ],
  },
  {
    name: 'training an MLP: core + backend-cpu + `Linear` + `SGD`',
    code: trainMlp('@nn/backend-cpu'),
    splitting: true,
    ceiling: 110_000,
    without: notInAnMlp,
  },
  {
    name: 'the same with `@nn/backend-cpu/wasm`',
    code: trainMlp('@nn/backend-cpu/wasm'),
    splitting: true,
    ceiling: 97_300,
    without: [...notInAnMlp, 'javascriptEngine', 'interpreterEngine', 'HostEngine'],
  },
  {
    name: 'the same with `@nn/backend-cpu/javascript`',
    code: trainMlp('@nn/backend-cpu/javascript'),
    splitting: true,
    ceiling: 60_900,
    without: [...notInAnMlp, 'wasmEngine', 'interpreterEngine', 'ThreadPool', 'Gemm'],
  },
  {
    name: '`@nn/core` and one metric: `Accuracy`, read',
    code: "export * from '@nn/core'; export { Accuracy, read } from '@nn/metrics';",
    ceiling: 116_900,
    without: ['F1Score', 'ConfusionMatrix', 'BLEU', 'RowMetric', 'CurveMetric', 'logLosses', 'rocSvg', 'drawDots'],
  },
  {
    name: '`@nn/core` with `Training` and `progress`',
    code: "export * from '@nn/core'; export { progress, Training } from '@nn/train';",
    ceiling: 125_900,
    without: [
      'GPU',
      'EarlyStopping',
      'BestWeights',
      'parseSafetensors',
      'encodeSafetensors',
      'loadCheckpoint',
      'Accuracy',
      'RollBack',
      'RunReport',
      'GradientStatistics',
      'checkStart',
      'search',
      'trainInWorker',
      'Dashboard',
    ],
  },
  {
    name: '`Dataset` and `DataLoader`, with what they need of core',
    code: "export { DataLoader, Dataset } from '@nn/data';",
    ceiling: 44_300,
    without: ['DataPipeline', 'BatchPipeline', 'indexRecords', 'parseCsv', 'fitTable', 'digits', 'smote', 'gunzip'],
  },
  {
    name: '`dataPipeline` over `textLines`, with what they need of core',
    code: "export { dataPipeline, textLines } from '@nn/data';",
    ceiling: 53_700,
    without: ['parseCsv', 'csvRows', 'fitTable', 'digits', 'smote', 'servePipeline'],
  },
  {
    name: '`loadModel` of a safetensors file, with what it needs of core',
    code: "export { loadModel } from '@nn/serialize';",
    ceiling: 52_800,
    splitting: true,
    without: ['unpickle', 'readDirectory', 'DataLoader'],
  },
  {
    name: '`parseSafetensors` and `decodeTensor`, with what they need of core',
    code: "export { decodeTensor, parseSafetensors } from '@nn/serialize';",
    ceiling: 44_400,
    without: ['openWeights', 'unpickle', 'loadModel', 'readDirectory'],
  },
  {
    name: '`resize` and `pixelNormalization` of `@nn/vision`, with what they need of core',
    code: "export { pixelNormalization, resize } from '@nn/vision';",
    ceiling: 41_400,
    splitting: true,
    without: ['decodeImage', 'decodePng', 'imageFolder', 'DataPipeline', 'Conv2d', 'gridSample', 'cpu'],
  },
  {
    name: '`decodeImage` of `@nn/vision`, with what it needs of core; JPEGs load their decoder when one is read',
    code: "export { decodeImage } from '@nn/vision';",
    ceiling: 43_900,
    splitting: true,
    without: ['encodePng', 'imageFolder', 'DataPipeline', 'Conv2d', 'gridSample', 'cpu'],
  },
  {
    name: '`resample` and `normalizeVolume` of `@nn/audio`, with what they need of core',
    code: "export { normalizeVolume, resample } from '@nn/audio';",
    ceiling: 41_000,
    splitting: true,
    without: ['decodeAudio', 'decodeWav', 'audioFolder', 'DataPipeline', 'Linear', 'spectrogram', 'specAugment', 'cpu'],
  },
  {
    name: '`decodeAudio` of `@nn/audio`, with what it needs of core',
    code: "export { decodeAudio } from '@nn/audio';",
    ceiling: 43_400,
    splitting: true,
    without: ['encodeWav', 'audioFolder', 'DataPipeline', 'Linear', 'spectrogram', 'stft', 'cpu'],
  },
  {
    name: '`logMelSpectrogram` of `@nn/audio`, with what it needs of core',
    code: "export { logMelSpectrogram } from '@nn/audio';",
    ceiling: 53_200,
    splitting: true,
    without: ['decodeAudio', 'griffinLim', 'istft', 'RandomSequence', 'DataPipeline', 'Linear', 'cpu'],
  },
  {
    name: '`trainBpe` and the tokenizer that it makes, with what they need of core',
    code: "export { trainBpe } from '@nn/text';",
    ceiling: 44_800,
    without: ['trainUnigram', 'WordPieceModel', 'loadTokenizer', 'HuggingFaceModel', 'Linear', 'parseSafetensors'],
  },
  {
    name: '`loadOnnx`, with what it needs of core and layers',
    code: "export { loadOnnx } from '@nn/onnx';",
    splitting: true,
    ceiling: 117_100,
    without: ['LSTMCell', 'TransformerEncoder', 'crossEntropy'],
  },
  {
    name: '`loadKeras`, with what it needs of core, layers and serialize; h5wasm is loaded when an HDF5 file is read',
    code: "export { loadKeras } from '@nn/keras';",
    ceiling: 110_100,
    splitting: true,
    without: ['encodeSafetensors', 'unpickle', 'DataLoader', 'TransformerEncoder', 'crossEntropy', 'cpu'],
  },
  {
    name: '`CartPole` and `PPO` of `@nn/reinforcement`, with what they need of core, layers and optim',
    code: "export { CartPole, PPO, VectorEnvironment } from '@nn/reinforcement';",
    ceiling: 62_800,
    splitting: true,
    without: ['DQN', 'SAC', 'AlphaBeta', 'GameNetwork', 'PrioritizedReplay', 'Snake', 'sceneText', 'cpu'],
  },
  {
    name: '`integratedGradients` of `@nn/explain`, with what it needs of core and layers',
    code: "export { integratedGradients } from '@nn/explain';",
    ceiling: 45_900,
    splitting: true,
    without: ['deepLift', 'gradCam', 'withChainRule', 'Conv2d', 'Linear', 'cpu'],
  },
  {
    name: '`distillationLoss` of `@nn/compress`, with what it needs of core and layers',
    code: "export { distillationLoss } from '@nn/compress';",
    ceiling: 41_900,
    splitting: true,
    without: ['attentionTransferLoss', 'Conv2d', 'Linear', 'cpu'],
  },
  {
    name: '`PrivateOptimizer` and `PoissonLoader` of `@nn/privacy`, with what they need of core, data and layers',
    code: "export { PoissonLoader, PrivateOptimizer } from '@nn/privacy';",
    ceiling: 73_400,
    without: ['DataPipeline', 'parseCsv', 'TransformerEncoder', 'crossEntropy', 'cpu'],
  },
  {
    name: '`metricFrame` and `fitThresholds` of `@nn/fairness`, with what they need of core',
    code: "export { fitThresholds, metricFrame } from '@nn/fairness';",
    ceiling: 41_200,
    splitting: true,
    without: ['Adversary', 'modelCard', 'exponentiatedGradient', 'Linear', 'cpu'],
  },
  {
    name: '`dataParallel` over `workers` of `@nn/distributed`, with what they need of core',
    code: "export { dataParallel, workers } from '@nn/distributed';",
    ceiling: 56_600,
    splitting: true,
    without: ['powerSgd', 'bf16', 'Sharded', 'LocalSgd', 'cpu'],
  },
  {
    name: 'everything but the GPU',
    splitting: true,
    code: [
      'core',
      'backend-cpu',
      'distributions',
      'layers',
      'metrics',
      'onnx',
      'optim',
      'data',
      'serialize',
      'keras',
      'text',
      'vision',
      'audio',
      'train',
    ]
      .map((name) => `export * from '@nn/${name}';`)
      .join('\n'),
    ceiling: 550_800,
    without: ['GPU', 'createKernelMap', 'conformance'],
  },
];

/** @param {Pick<Bundle, 'code' | 'splitting'>} bundle @returns {Promise<Size>} */
export async function measure({ code, splitting = false }) {
  /** @param {boolean} minify */
  const bundle = async (minify) => {
    const { outputFiles, metafile } = await build({
      stdin: { contents: code, resolveDir: root },
      bundle: true,
      minify,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      legalComments: 'none',
      write: false,
      metafile: true,
      logLevel: 'error',
      // What is loaded when it is needed (`import()`) is then in files of its own, which a page does not fetch at first.
      splitting,
      outdir: '/page',
      entryNames: 'entry',
    });
    const atFirst = fetchedAtFirst(metafile.outputs);
    const texts = outputFiles.filter(({ path }) => atFirst.some((name) => path.endsWith(`/${name.split('/').pop()}`)));
    return {
      output: texts.map(({ text }) => text).join(''),
      all: outputFiles.map(({ text }) => text).join('\n'),
      inputs: Object.assign({}, ...atFirst.map((name) => metafile.outputs[name]?.inputs)),
    };
  };
  const [small, readable] = await Promise.all([bundle(true), bundle(false)]);
  const parts = Object.entries(small.inputs).map(([file, { bytesInOutput }]) => [file, bytesInOutput]);
  return {
    minified: small.output.length,
    compressed: gzipSync(small.output, { level: 9 }).length,
    names: declaredNames(readable.output),
    allNames: declaredNames(readable.all),
    parts: Object.fromEntries(parts),
  };
}

/** The entry and what it imports, directly or through others, but for `import()`. @param {import('esbuild').Metafile['outputs']} outputs */
function fetchedAtFirst(outputs) {
  const entry = Object.keys(outputs).find((name) => name.endsWith('entry.js')) ?? '';
  const found = new Set([entry]);
  for (const name of found) {
    for (const { path, kind } of outputs[name]?.imports ?? []) if (kind === 'import-statement') found.add(path);
  }
  return [...found];
}

/** What the bundle declares. esbuild adds digits to names that clash. @param {string} code */
function declaredNames(code) {
  const found = code.matchAll(/^ *(?:export )?(?:async )?(?:function\*?|class|var|const|let) ([\w$]+)/gm);
  return new Set([...found].map(([, name = '']) => name.replace(/(?<=[a-z])\d$/, '')));
}

const kilobytes = (/** @type {number} */ bytes) => (bytes / 1000).toFixed(1);

/** The rows of README.md. @param {readonly Size[]} sizes */
export function table(sizes) {
  return [
    '| bundle (esbuild) | minified | and gzipped | CI fails above |',
    '|---|---|---|---|',
    ...bundles.map(({ name, ceiling }, at) => {
      const { minified = 0, compressed = 0 } = sizes[at] ?? {};
      return `| ${name} | ${kilobytes(minified)} kB | ${kilobytes(compressed)} kB | ${kilobytes(ceiling)} kB |`;
    }),
  ].join('\n');
}

const marked = /(<!-- sizes: written by npm run sizes -->\n)([\s\S]*?)\n?(<!-- \/sizes -->)/;

/** What README.md says now. @returns {string | undefined} */
export function written() {
  return marked.exec(readFileSync(readme, 'utf8'))?.[2];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = await Promise.all(bundles.map(measure));
  console.log(table(sizes));
  if (process.argv.includes('--write')) {
    const text = readFileSync(readme, 'utf8');
    if (!marked.test(text))
      throw new Error('README.md has no place for the sizes: <!-- sizes: written by npm run sizes -->');
    writeFileSync(
      readme,
      text.replace(marked, (_, before, __, after) => `${before}${table(sizes)}\n${after}`),
    );
  } else {
    for (const [at, { parts }] of sizes.entries()) {
      console.log(`\n${bundles[at]?.name}`);
      for (const [file, bytes] of Object.entries(parts)) if (bytes > 0) console.log(`  ${kilobytes(bytes)} kB ${file}`);
    }
  }
}
