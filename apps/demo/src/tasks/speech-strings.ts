/**
 * Strings of digits: a recogniser that looks back only learns by CTC what was said, not when. Beside it stands the rule that cuts at pauses and takes the nearest mean for each piece.
 */
import {
  ctcBeamDecode,
  cut,
  joined,
  logMelSpectrogram,
  StreamingRecognizer,
  specAugment,
  voiceActivity,
  type Waveform,
  withLength,
} from '@nn/audio';
import { evaluate, setSeed, type Tensor, tensor } from '@nn/core';
import { dataPipeline, RandomSequence } from '@nn/data';
import { ctc } from '@nn/layers';
import { WordErrorRate } from '@nn/metrics';
import { AdamW, oneCycle } from '@nn/optim';
import { Training } from '@nn/train';
import type { Context } from '../context.ts';
import { shownBy } from '../run.ts';
import { type Recording, speechRate } from '../speech-data.ts';
import { featuresOf, nearestMean, type Sample } from '../speech-features.ts';

/** 3.2 seconds. */
const length = 25_600;
const digits = 4;
/** Features of a string: 32 mels of 158 moments. */
const [mels, frames] = [32, 158];
const size = mels * frames;

interface Spoken {
  readonly waveform: Waveform;
  readonly said: readonly number[];
}

/** Some digits of one speaker with short pauses between them. */
function spoken(recordings: readonly Recording[], random: RandomSequence): Spoken {
  const { speaker } = recordings[random.integer(recordings.length)]!;
  const own = recordings.filter((each) => each.speaker === speaker);
  const chosen = Array.from({ length: 2 + random.integer(digits - 1) }, () => own[random.integer(own.length)]!);
  const waveform = joined(
    chosen.map((each) => each.waveform),
    { pause: random.uniform(0.02, 0.2) },
  );
  const said = chosen.map(({ digit }) => digit);
  const noise = withLength(waveform, length);
  const loudness = 10 ** random.uniform(-3.2, -2.2);
  return { waveform: { ...noise, samples: noise.samples.map((x) => x + loudness * random.normal()) }, said };
}

/** Sounds [N, length] to mels [N, 32, 158], each around 0. */
function features(sounds: Tensor): Tensor {
  const options = { sampleRate: speechRate, fftSize: 320, hopLength: 160, mels, center: false };
  const levels = logMelSpectrogram(sounds, { convention: 'torchaudio', ...options });
  return levels.add(10).div(20).slice([0, 0, 0], [null, null, frames]);
}

/** The features of many strings, [N, 32, 158] one by one. */
async function featuresOfStrings(strings: readonly Spoken[]): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  for (let from = 0; from < strings.length; from += 40) {
    const part = strings.slice(from, from + 40);
    const sounds = new Float32Array(part.length * length);
    part.forEach(({ waveform }, i) => {
      sounds.set(waveform.samples, i * length);
    });
    const data = await features(tensor(sounds, { shape: [part.length, length], borrow: true })).data('float32');
    for (let i = 0; i < part.length; i++) found.push(data.slice(i * size, (i + 1) * size));
  }
  return found;
}

/** Errors of the recogniser and of the rule; null where the training was stopped. */
export async function readStrings(
  train: readonly Sample[],
  test: readonly Sample[],
  context: Context,
): Promise<{ readonly errors: number; readonly cut: number } | null> {
  const { settings, interrupt, terminal } = context;
  const { seed, epochs = 16, batchSize = 32 } = settings;
  setSeed(seed);
  const model = new StreamingRecognizer({
    features: mels,
    classes: 11,
    hidden: 80,
    layers: 1,
    kernelSize: 7,
    stride: 2,
  });
  const random = new RandomSequence(seed, 77);
  const strings = Array.from({ length: Math.min(1280, 4 * train.length) }, () => spoken(train, random));
  const heard = await featuresOfStrings(strings);
  const masks = specAugment({ frequencyMasks: 1, frequencyWidth: 6, timeMasks: 2, timeWidth: 8 });
  const batches = dataPipeline(strings.map(({ said }, i) => ({ said, mel: heard[i]! })))
    .map(({ said, mel }, context) => ({
      inputs: { data: mel, shape: [mels, frames] },
      covered: { data: masks.drawElement({ frequencies: mels, frames }, context.random), shape: [3, 2] },
      // class 0 is the blank
      targets: Array.from({ length: digits }, (_, k) => (said[k] ?? -1) + 1),
      spoken: said.length,
    }))
    .batch(batchSize, { shuffle: true, seed, dtypes: { targets: 'int32', spoken: 'int32' } });
  const steps = epochs * Math.ceil(strings.length / batchSize);
  const training = new Training({
    model,
    optimizer: new AdamW(model, { learningRate: oneCycle(0.008, { steps }) }),
    data: batches,
    step: ({ inputs, targets, covered, spoken: targetLengths }) =>
      ctc(model.forward(masks.apply(inputs, covered)), targets, { targetLengths }),
    epochs,
    signal: interrupt.signal,
    callbacks: shownBy({ task: 'speech', title: 'strings of digits', epochs: false }, context),
  });
  const { why } = await training.run();
  terminal.clear();
  if (why === 'aborted') return null;

  const unheard = Array.from({ length: Math.min(200, test.length) }, () => spoken(test, random));
  const all = new Float32Array(unheard.length * size);
  for (const [i, mel] of (await featuresOfStrings(unheard)).entries()) all.set(mel, i * size);
  const x = tensor(all, { shape: [unheard.length, mels, frames], borrow: true });
  const found = await ctcBeamDecode(
    evaluate(() => model.forward(x)),
    { beamWidth: 8 },
  );
  const rule = nearestMean(train);
  const [read, byRule] = [new WordErrorRate(), new WordErrorRate()];
  for (const [i, { said, waveform }] of unheard.entries()) {
    const labels = (found[i]?.[0]?.labels ?? []).map((label) => label - 1).join(' ');
    read.update(labels, said.join(' '));
    const pieces = voiceActivity(waveform, { shortestPause: 0.04 }).map((segment) => ({
      ...{ waveform: cut(waveform, segment), digit: 0, speaker: '', take: 0 },
    }));
    byRule.update((await featuresOf(pieces)).map(rule).join(' '), said.join(' '));
    if (i < 4) terminal.text(`  said ${said.join(' ')}, read ${labels || 'nothing'}`);
  }
  const [{ epoch: errors }, { epoch: cutErrors }] = await Promise.all([read.read(), byRule.read()]);
  return { errors, cut: cutErrors };
}
