/** Networks with the weights of PyTorch's and torchaudio's give the same numbers; what comes in pieces gives what the whole gives; small ones learn. */
import { cpu } from '@nn/backend-cpu';
import { evaluate, namedParameters, setDefaultBackend, setSeed, type Tensor, tensor, zeros } from '@nn/core';
import { crossEntropy, ctc, type Layer } from '@nn/layers';
import { AdamW } from '@nn/optim';
import { beforeAll, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/recognition.json';
import { logMelSpectrogram } from '../features/features.ts';
import { ctcGreedyDecode } from '../recognition/ctc-decode.ts';
import { apart, floats, relative, testSignal } from '../testing.ts';
import { Conformer, ConformerRecognizer, conformerSmall } from './conformer.ts';
import { DsCnn, M5 } from './keywords.ts';
import { FeatureStream, StreamingRecognizer } from './streaming.ts';

beforeAll(() => setDefaultBackend(cpu()));

describe('equals PyTorch', () => {
  it.each(fixtures.models)(
    '$name $options',
    async ({ name, options, shape, input, output, outputShape, state, ...rest }) => {
      const model =
        name === 'M5' ? new M5(options) : new Conformer(options as ConstructorParameters<typeof Conformer>[0]);
      const parameters = namedParameters(model);
      const names = [...parameters.keys()].filter((key) => !key.endsWith('num_batches_tracked'));
      expect(names.sort()).toEqual(Object.keys(state).sort());
      for (const [key, value] of Object.entries(state as Record<string, { shape: number[]; data: string }>)) {
        expect(parameters.get(key)!.shape).toEqual(value.shape);
        parameters.get(key)!.assign(tensor(floats(value.data), { shape: value.shape }));
      }
      const x = tensor(floats(input), { shape });
      const lengths = 'lengths' in rest ? { lengths: rest.lengths as number[] } : {};
      const y = evaluate((): Tensor => (model instanceof M5 ? model.forward(x) : model.forward(x, lengths)));
      expect(y.shape).toEqual(outputShape);
      expect(relative(await y.data(), floats(output))).toBeLessThan(2e-5);
    },
  );

  it('has the sizes of the papers', () => {
    const weights = (model: object): number =>
      [...namedParameters(model)]
        .filter(([key]) => !/running|num_batches/.test(key))
        .reduce((sum, [, { size }]) => sum + size, 0);
    expect(weights(new M5())).toBe(26915);
    expect([weights(new DsCnn()), new DsCnn({ size: 'large' }).forward(zeros([1, 10, 49])).shape]).toEqual([
      23180,
      [1, 12],
    ]);
    const small = conformerSmall({ classes: 30 });
    expect(weights(small) / 1e6).toBeCloseTo(8.7, 0);
  });
});

describe('in pieces as in one', () => {
  it('features of pieces of every size', async () => {
    const options = { convention: 'torchaudio', fftSize: 128, hopLength: 50, mels: 12 } as const;
    const samples = testSignal(1500);
    const whole = logMelSpectrogram(tensor(samples), { ...options, center: false });
    for (const size of [1500, 333, 70, 7]) {
      const stream = new FeatureStream(options);
      const frames: number[][] = [];
      for (let at = 0; at < samples.length; at += size) {
        const piece = stream.push(samples.subarray(at, at + size));
        if (piece) frames.push(...(await piece.squeeze(0).transpose().array(2)));
      }
      expect([frames.length, frames[0]!.length]).toEqual([whole.shape[1], whole.shape[0]]);
      expect(apart(frames.flat(), await whole.transpose().data())).toBeLessThan(1e-4);
    }
    // @ts-expect-error Whisper's logarithm needs the loudest frame
    expect(() => new FeatureStream({ convention: 'whisper' })).toThrow(
      "FeatureStream: the convention 'whisper' needs the whole sound: 'torchaudio' does not.",
    );
  });

  it('a recogniser of what was said so far', async () => {
    setSeed(3);
    const model = new StreamingRecognizer({ features: 6, classes: 5, hidden: 8, layers: 2, kernelSize: 5, stride: 2 });
    const x = tensor(testSignal(2 * 6 * 24), { shape: [2, 6, 24] });
    const whole = await model.forward(x).data();
    for (const size of [2, 4, 12]) {
      let state = model.start(2);
      const pieces: number[] = [];
      for (let at = 0; at < 24; at += size) {
        const result = model.step(x.slice([0, 0, at], [null, null, at + size]), state);
        pieces.push(...(await result.logProbabilities.data()));
        state = result.state;
      }
      expect(apart(pieces, whole)).toBeLessThan(1e-5);
    }
    expect(() => model.step(zeros([2, 6, 3]), model.start(2))).toThrow(
      'StreamingRecognizer: takes features [N, 6, T], T a multiple of 2 above 0, got [2, 6, 3].',
    );
  });
});

describe('learns', () => {
  const rows = Float32Array.from({ length: 6 * 10 * 49 }, (_, i) => {
    const [n, f] = [Math.floor(i / 490), Math.floor((i % 490) / 49)];
    return Math.sin(i * 12.9898) * 0.3 + (f === n % 3 ? 1 : 0);
  });

  it('DS-CNN tells bands apart', async () => {
    setSeed(1);
    const model: Layer = new DsCnn({ classes: 3 });
    const optimizer = new AdamW(model, { learningRate: 0.01 });
    const x = tensor(rows, { shape: [6, 10, 49] });
    const y = tensor(Int32Array.from({ length: 6 }, (_, n) => n % 3));
    for (let step = 0; step < 12; step++) await optimizer.step(crossEntropy(model.forward(x), y));
    const last = await crossEntropy(model.forward(x), y).item();
    expect(last).toBeLessThan(0.1);
  });

  it('a conformer with CTC spells what it was shown', async () => {
    setSeed(2);
    const model = new ConformerRecognizer({
      features: 8,
      classes: 4,
      dimension: 16,
      heads: 2,
      feedForward: 24,
      layers: 1,
      kernelSize: 5,
    });
    // each label is a band of its own, for eight frames
    const targets = [
      [1, 2, 3],
      [3, 1, 2],
    ];
    const x = tensor(
      targets.map((labels) =>
        Array.from({ length: 8 }, (_, f) =>
          labels.flatMap((label) => Array.from({ length: 8 }, () => Number(f === 2 * label))),
        ),
      ),
    );
    const optimizer = new AdamW(model, { learningRate: 0.01 });
    for (let step = 0; step < 60; step++) await optimizer.step(ctc(model.forward(x).logProbabilities, tensor(targets)));
    const { logProbabilities, lengths } = evaluate(() => model.forward(x, { lengths: [24, 24] }));
    expect(lengths).toEqual([6, 6]);
    const read = await ctcGreedyDecode(logProbabilities);
    expect(read.map(({ labels }) => labels)).toEqual(targets);
  });
});
