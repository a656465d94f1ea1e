/**
 * The packages in a browser, as users bundle them: plain esbuild, Vite and webpack with no configuration of ours, in the
 * page and in a Web Worker, and under Content-Security-Policies.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';
import sounds from '../packages/audio/fixtures/sounds.json';
import pictures from '../packages/vision/fixtures/pictures.json';
import { openPages, type Pages } from './support/browser.ts';
import { command } from './support/commands.ts';
import { everything, write } from './support/install.ts';
import { language } from './support/language.ts';

/** A photograph of 48 x 32 pixels that the camera noted to be turned, and what Node reads in it. */
const photo = (pictures.turns[5] ?? { bytes: '' }).bytes;
/** A photograph with colours of half the size, and a sound that pages decode themselves. */
const colored = pictures.files.find(({ name }) => name === 'jpeg 4:2:0')?.bytes ?? '';
const flac = sounds.packed.find(({ name }) => name === 'FLAC');

/** What the page and the worker of every bundle do: fit y = 2 x + 1, and say with which engine. */
const train = `
import { decodeAudio, encodeWav, resample, waveformOf } from '@nn/audio';
import { cpu } from '@nn/backend-cpu';
import { distillationLoss } from '@nn/compress';
import { setDefaultBackend, tensor } from '@nn/core';
import { Gamma, klDivergence, Normal } from '@nn/distributions';
import { deepLift, integratedGradients } from '@nn/explain';
import { demographicParity } from '@nn/fairness';
import { encodeKeras, loadKeras } from '@nn/keras';
import { moons } from '@nn/data';
import { Linear } from '@nn/layers';
import { Mean, R2Score, read } from '@nn/metrics';
import { alone, dataParallel } from '@nn/distributed';
import { encodeOnnx, loadOnnx } from '@nn/onnx';
import { SGD } from '@nn/optim';
import { PoissonLoader, PrivateOptimizer } from '@nn/privacy';
import { CartPole, PPO, TicTacToe, VectorEnvironment } from '@nn/reinforcement';
import { generateAll, GPT2, trainBpe } from '@nn/text';
import { earlyStopping, Training } from '@nn/train';
import { decodeImage, encodePng, imageOf, resize } from '@nn/vision';
import { language } from './language.mjs';
const jpeg = '${photo}';
async function pictures() {
  const image = imageOf(Uint8Array.from({ length: 48 }, (_, i) => i * 5), 4, 4, 3);
  const png = await decodeImage(await encodePng(resize(image, 2)));
  const photo = await decodeImage(Uint8Array.from(atob(jpeg), (letter) => letter.charCodeAt(0)));
  return [png.data.join(), photo.width, photo.data.reduce((sum, value, i) => (sum + value * (i + 1)) % 1000003, 0)];
}
async function sounds() {
  const tone = waveformOf(Float32Array.from({ length: 64 }, (_, i) => Math.round(9000 * Math.sin(i / 3)) / 32768), 8000);
  const { samples } = await decodeAudio(encodeWav(resample(tone, 4000)));
  return samples.reduce((sum, value, i) => sum + value * 32768 * (i + 1), 0);
}
async function keras() {
  const layer = { class_name: 'Dense', config: { name: 'dense', units: 1, use_bias: false, batch_input_shape: [null, 2] } };
  const model = { class_name: 'Sequential', keras_version: '2.15.0', config: { name: 'small', layers: [layer] } };
  const weights = [{ name: 'dense/kernel', shape: [2, 1], dtype: 'float32' }];
  const json = { modelTopology: { model_config: model }, weightsManifest: [{ paths: ['w.bin'], weights }] };
  const files = [new File([JSON.stringify(json)], 'model.json'), new File([Float32Array.of(2, 3)], 'w.bin')];
  const loaded = await loadKeras(files);
  const answer = (model) => model.forward(tensor([[1, 10]])).item();
  try {
    const written = [await encodeKeras(loaded, { format: 'h5' }), await encodeKeras(loaded)];
    const again = await Promise.all(written.map((bytes) => loadKeras(bytes)));
    return (await Promise.all([loaded, ...again].map(answer))).join();
  } catch (error) {
    return (await answer(loaded)) + ', ' + error.message;
  }
}
export async function train() {
  const backend = cpu();
  setDefaultBackend(backend);
  const model = new Linear(1, 1);
  const optimizer = new SGD(model, { learningRate: 0.1 });
  const x = tensor([[0], [1], [2]]);
  const y = tensor([[1], [3], [5]]);
  const metrics = { loss: new Mean(), r2: new R2Score() };
  for (let step = 0; step < 100; step++) {
    const prediction = model.forward(x);
    const loss = prediction.sub(y).square().mean();
    metrics.loss.update(loss);
    metrics.r2.update(prediction, y);
    await optimizer.step(loss);
    if (step === 49) await read(metrics);
  }
  const { r2 } = await read(metrics);
  const training = new Training({
    model,
    optimizer,
    data: [{ x, y }],
    step: (batch) => model.forward(batch.x).sub(batch.y).square().mean(),
    steps: 100,
    callbacks: [earlyStopping({ monitor: 'loss', patience: 100 })],
  });
  await training.run();
  const joined = await (await dataParallel(optimizer, alone())).stepOf(3, model.forward(x).sub(y).square().mean());
  const drawn = (await new Gamma(2, 1).sample([8]).min().item()) > 0;
  const apart = await klDivergence(new Normal(0, 1), new Normal(1, 1)).item();
  const tokenizer = await trainBpe(['to be or not to be'], { size: 260 });
  const spoken = tokenizer.decode(tokenizer.encode('naïve ☃'));
  const agent = new PPO(new VectorEnvironment(() => new CartPole(), 2), { rolloutSteps: 8, minibatches: 1, epochs: 1 });
  const acted = (await agent.iterate()).steps + new TicTacToe().legalMoves(new TicTacToe().start()).length;
  const loader = new PoissonLoader(moons(50), { batchSize: 10, random: 'cryptographic' });
  const guarded = new Linear(2, 2);
  const keeper = new PrivateOptimizer(new SGD(guarded, { learningRate: 0.1 }), guarded, { noiseMultiplier: 1, random: 'cryptographic' });
  await keeper.step(loader.draw(), ({ inputs }) => guarded.forward(inputs).sum(1));
  const spent = keeper.accountant.epsilon(1e-5).toFixed(2);
  const fair = demographicParity({ targets: [1, 0, 1, 0], predictions: [1, 0, 1, 1], groups: ['a', 'a', 'b', 'b'] }).ratio;
  const gpt = new GPT2({ vocabularySize: 8, contextLength: 32, dimension: 8, layers: 1, heads: 2 });
  const [{ ids: said }] = await generateAll(gpt, [1, 2], { maxTokens: 5, seed: 1 });
  const written = await loadOnnx(await encodeOnnx(model, [1, 1]));
  const again = (await written.forward(tensor([[10]])).item()).toFixed(2);
  const told = await integratedGradients(model, tensor([[10]])).attributions.add(deepLift(model, tensor([[10]])).attributions).item();
  const taught = await distillationLoss(tensor([[1, 2, 0]]), tensor([[2, 4, 0]]), { targets: tensor([1]), alpha: 0.3 }).item();
  const { engine, reason } = backend.info();
  const [seen, heard, kept, speech] = [await pictures(), await sounds(), await keras(), await language()];
  return { seen, speech, taught: taught.toFixed(4), joined: joined < 1e-6, told: told.toFixed(1), heard, kept, spoken, acted, spent, fair, said: said.length, answer: (await model.forward(tensor([[10]])).item()).toFixed(2), r2: r2.window.toFixed(3), again, drawn, apart, engine, reason };
}`;
const speak = `
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend } from '@nn/core';
import { language } from './language.mjs';
setDefaultBackend(cpu());
console.log(JSON.stringify(await language()));`;
const worker = "import { train } from './train.js'; train().then(postMessage, (error) => postMessage(String(error)));";
/** \`start\` makes the worker, each bundler in its own way. */
const page = (start: string): string => `
import { train } from './train.js';
async function inWorker() {
  const worker = ${start};
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => resolve('the worker failed: ' + event.message);
  });
}
async function onJavaScriptAlone() {
  const { cpu } = await import('@nn/backend-cpu/javascript');
  const { tensor } = await import('@nn/core');
  const backend = cpu();
  return backend.info().engine + ' ' + (await tensor([1, 2, 3], { backend }).mul(2).array()).join();
}
async function listen() {
  const { FeatureStream, openMicrophone } = await import('@nn/audio');
  const microphone = await openMicrophone({ sampleRate: 8000, seconds: 0.25 });
  const stream = new FeatureStream({ convention: 'torchaudio', sampleRate: 8000, fftSize: 200, hopLength: 100, mels: 20 });
  let [sounds, loudest, shape] = [0, 0, ''];
  for await (const { samples, sampleRate } of microphone) {
    loudest = Math.max(loudest, ...samples);
    shape = [sampleRate, samples.length, stream.push(samples)?.shape[1]].join();
    if (++sounds === 6) await microphone.close();
  }
  return shape + (loudest > 0.01 && loudest <= 1.01 ? ' beeps' : ' silence: ' + loudest);
}
async function look() {
  const { bitmapDecoder, decodeImage, fromCanvas, imageOf, toPixels } = await import('@nn/vision');
  const image = imageOf(Uint8Array.from({ length: 24 }, (_, i) => i * 9), 4, 2, 3);
  const canvas = Object.assign(document.createElement('canvas'), { width: 4, height: 2 });
  const { data, width, height } = toPixels(image);
  canvas.getContext('2d').putImageData(new ImageData(data, width, height), 0, 0);
  const drawn = fromCanvas(canvas).data.join() === image.data.join();
  const bytes = Uint8Array.from(atob('${colored}'), (letter) => letter.charCodeAt(0));
  const ours = await decodeImage(bytes);
  const theirs = await decodeImage(bytes, { decoder: bitmapDecoder() });
  const apart = Math.max(...ours.data.map((value, i) => Math.abs(value - theirs.data[i])));
  // the camera of the browser's tests: a moving disc on green
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
  const video = Object.assign(document.createElement('video'), { muted: true, srcObject: stream });
  await video.play();
  const seen = fromCanvas(video);
  const small = fromCanvas(video, { size: { width: 8, height: 6 } });
  for (const track of stream.getTracks()) track.stop();
  const [red, green, blue] = [0, 1, 2].map((k) => seen.data.reduce((sum, value, i) => sum + (i % 3 === k ? value : 0), 0));
  return { drawn, size: [theirs.width, theirs.height].join(), near: apart <= 3, camera: [seen.width, seen.height, small.width].join(), green: green > red && green > blue };
}
async function decodeByPage() {
  const { decodeAudio, platformDecoder } = await import('@nn/audio');
  const bytes = Uint8Array.from(atob('${flac?.bytes}'), (letter) => letter.charCodeAt(0));
  const { samples, sampleRate, length } = await decodeAudio(bytes, { decoder: platformDecoder({ sampleRate: ${flac?.sampleRate} }) });
  return { sampleRate, length, samples: [...samples] };
}
async function onGpu() {
  const { gpu } = await import('@nn/backend-gpu');
  const { tensor } = await import('@nn/core');
  const backend = await gpu({ mode: 'webgl2' });
  return (await tensor([1, 2, 3], { backend }).mul(2).array()).join();
}
const caught = (work) => work.catch((error) => String(error));
const [inPage, inBackground] = await Promise.all([train(), inWorker()].map(caught));
const more = location.search === '?more' ? { onGpu: await caught(onGpu()), live: await caught(listen()), looked: await caught(look()), decoded: await caught(decodeByPage()), alone: await caught(onJavaScriptAlone()) } : {};
console.log('result: ' + JSON.stringify({ inPage, inBackground, ...more }));`;
const html = (script: string): string =>
  `<!doctype html><meta charset="utf-8"><title>nn</title><script type="module" src="${script}"></script>`;
const asModule = "new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })";

const trained = {
  told: '40.0', // twice 2 x 10
  joined: true,
  taught: '0.2910',
  // PNG and JPEG come out in a page as they do in Node.
  seen: ['54,59,64,77,82,87,148,153,158,171,176,181', 32, 57042],
  speech: expect.toSatisfy((speech: unknown) => isDeepStrictEqual(speech, inNode), 'what Node says'),
  // A sound at half the rate, through a WAV file.
  heard: 281236,
  // A model of TensorFlow.js from files that were dropped on the page.
  kept: '32,32,32',
  acted: 25,
  spent: '2.83',
  fair: 0.5,
  answer: '21.00',
  r2: '1.000',
  drawn: true,
  again: '21.00',
  apart: 0.5,
  spoken: 'naïve ☃',
  said: 5,
  engine: 'wasm',
  reason: expect.stringContaining('the fastest that works here'),
};
const all = {
  inPage: trained,
  inBackground: trained,
  onGpu: '2,4,6',
  live: '8000,2000,20 beeps',
  looked: { drawn: true, size: '45,37', near: true, camera: '320,240,8', green: true },
  decoded: {
    sampleRate: flac?.sampleRate,
    length: flac?.length,
    samples: expect.toSatisfy(isAsNode, 'the samples that Node decodes'),
  },
  alone: 'javascript 2,4,6',
};

/** Whether a page has decoded what Node does: as near as 16 bits over 32767 and over 32768 are. */
function isAsNode(samples: readonly number[]): boolean {
  const expected = new Float32Array(
    Uint8Array.from(atob(flac?.samples ?? ''), (letter) => letter.charCodeAt(0)).buffer,
  );
  return samples.length === flac?.length && expected.every((value, i) => Math.abs(value - samples[i]!) < 1e-4);
}

let pages: Pages;
let site: string;
/** What tests/support/language.ts does in Node. */
let inNode: unknown;

beforeAll(async () => {
  // Inside the project, where the bundlers find the packages.
  site = join(everything(), 'site');
  write(site, {
    'train.js': train,
    'language.mjs': language,
    'speak.mjs': speak,
    'worker.js': worker,
    'page.js': page(asModule),
    'index.html': html('./page.js'),
    'plain.js': page("new Worker('./worker.js', { type: 'module' })"),
  });
  inNode = JSON.parse(await command(process.execPath, ['speak.mjs'], { cwd: site }));
  pages = await openPages(join(site, 'out'));
});
afterAll(async () => {
  await pages?.close();
  rmSync(site, { recursive: true, force: true });
});

const here = process.env.NN_SKIP_BROWSER !== '1';

test('language in Node: what was learned is read again, what steers is obeyed, and beams look at their source', () => {
  expect(inNode).toMatchObject({
    ...{ back: 'naïve ☃', pieces: ['▁to', '▁be'], same: true, come: true, reason: 'enough', count: 3 },
    digits: expect.stringMatching(/^[0-9]{3}$/),
    word: expect.stringMatching(/^(né|ÿ|日本)$/),
    bars: ['0.867', '0.117', '0.016'],
  });
  const { ids, best, looked } = inNode as { ids: number[][]; best: number[]; looked: string[] };
  expect(ids.map(({ length }) => length)).toEqual([8, 8]);
  expect(looked).toEqual(Array(best.length + 1).fill('1.000'));
});

describe.runIf(here)('in Chromium', () => {
  test('a plain esbuild bundle trains in the page, in a worker, on the GPU and with generated JavaScript alone', async () => {
    const entryPoints = ['plain', 'worker'].map((name) => join(site, `${name}.js`));
    const outdir = join(site, 'out/esbuild');
    await esbuild({ entryPoints, outdir, bundle: true, splitting: true, format: 'esm', minify: true });
    write(outdir, { 'index.html': html('./plain.js') });
    const { result, messages } = await pages.visit('esbuild/index.html?more');
    expect(result).toEqual(all);
    expect(messages).toEqual([]);
  });

  test('a Vite build does', async () => {
    const output = { outDir: join(site, 'out/vite'), emptyOutDir: false };
    await vite({
      root: site,
      base: './',
      configFile: false,
      logLevel: 'error',
      build: output,
      worker: { format: 'es' },
    });
    expect((await pages.visit('vite/index.html?more')).result).toEqual(all);
  });

  test('Vite builds the worker of the guide in the format that the guide names, and refuses it in its own', async () => {
    const guide = readFileSync(join(import.meta.dirname, '../docs/guides/browser.md'), 'utf8');
    const block = (name: string): string => {
      const [, code] = new RegExp(`\`\`\`ts[^\\n]*\\n(// ${name.replace('.', '[.]')}[^]*?)\`\`\``).exec(guide) ?? [];
      if (code === undefined) throw new Error(`the guide has no ${name}`);
      return code;
    };
    const root = join(site, 'guide');
    write(root, { 'page.ts': block('page.ts'), 'worker.ts': block('worker.ts'), 'index.html': html('./page.ts') });
    const build = (worker: { readonly format?: 'es' }): Promise<unknown> =>
      vite({ root, configFile: false, logLevel: 'silent', build: { outDir: join(site, 'out/guide') }, worker });
    await expect(build({})).rejects.toThrow('Module format "iife" does not support top-level await');
    expect(block('vite.config.ts')).toContain("export default { worker: { format: 'es' } };");
    await build({ format: 'es' });
    const assets = readdirSync(join(site, 'out/guide/assets')).map((name) => name.split('-')[0]);
    expect(assets).toContain('worker');
  });

  test('a webpack build does', async () => {
    const path = join(site, 'out/webpack');
    const compiler = webpack({
      mode: 'production',
      context: site,
      entry: './page.js',
      output: { path, filename: 'page.js' },
      // esbuild and Vite minify already; here it would only cost time.
      optimization: { minimize: false },
    });
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
      compiler?.run((error, done) => (error ? reject(error) : compiler.close(() => resolve(done)))),
    );
    expect(stats?.toJson({ all: false, errors: true }).errors).toEqual([]);
    write(path, { 'index.html': html('./page.js') });
    expect((await pages.visit('webpack/index.html?more')).result).toEqual(all);
  });
});

describe.runIf(here)('under a Content-Security-Policy', () => {
  const visit = async (policy: string, query = ''): Promise<Visited> =>
    (await pages.visit(`esbuild/index.html${query}`, policy)).result as Visited;
  interface Visited {
    readonly inPage: typeof trained;
    readonly inBackground: typeof trained;
    readonly onGpu?: string;
    readonly alone?: string;
  }

  test("that allows 'wasm-unsafe-eval' or 'unsafe-eval', everything is as fast as without one", async () => {
    for (const source of ["'wasm-unsafe-eval'", "'unsafe-eval'"]) {
      const policy = `default-src 'self'; script-src 'self' ${source}`;
      expect(await visit(policy)).toEqual({ inPage: trained, inBackground: trained });
    }
  });

  test('that allows no code to be made, the interpreter trains, with the same result and the reason', async () => {
    const { inPage, inBackground, onGpu, alone } = await visit("default-src 'self'", '?more');
    for (const found of [inPage, inBackground]) {
      expect(found).toMatchObject({ answer: '21.00', engine: 'interpreter' });
      expect(found.reason).toContain("a policy forbids to compile WebAssembly (it needs 'wasm-unsafe-eval')");
      expect(found.reason).toContain('functions cannot be generated here');
      expect(found.kept).toMatch(/^32, .*h5wasm.* A Content-Security-Policy must allow 'wasm-unsafe-eval'/);
    }
    expect(onGpu).toBe('2,4,6'); // shaders are not scripts
    expect(alone).toContain("Import from '@nn/backend-cpu' to take what works here");
  });

  test('that allows no workers, the page trains all the same', async () => {
    const { inPage, inBackground } = await visit("default-src 'self' 'wasm-unsafe-eval'; worker-src 'none'");
    expect(inPage).toEqual(trained);
    expect(inBackground).toContain('the worker failed');
  });
});
