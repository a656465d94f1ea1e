/** What is taken along says what the page says: the ONNX of both kinds. */
import { cpu } from '@nn/backend-cpu';
import { setDefaultBackend, tensor } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { loadOnnx } from '@nn/onnx';
import { beforeAll, expect, it } from 'vitest';
import { drawnPicture } from './drawn-pictures-tests.ts';
import { SenseLearner } from './learner.ts';
import { powerOf } from './networks.ts';
import { pictureOf, writePicture } from './pictures.ts';
import { pictureSide, soundLength } from './protocol.ts';
import { takenAlong } from './take.ts';

beforeAll(() => setDefaultBackend(cpu()));

const softmax = (logits: ArrayLike<number>): number[] => {
  const powers = Array.from(logits, Math.exp);
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
};

it('the ONNX of pictures takes their planes', async () => {
  const random = new RandomSequence(1);
  const learner = await SenseLearner.begin({ kind: 'pictures', classes: 2, seed: 1 });
  for (let i = 0; i < 6; i++) await learner.add(i % 2, [drawnPicture(i % 2, random)]);
  for (let step = 0; step < 3; step++) await learner.turn();
  const model = await loadOnnx(await takenAlong(learner, 'onnx', ['a', 'b'], '0.0.0'));
  const pixels = drawnPicture(0, random);
  const planes = new Float32Array(3 * pictureSide * pictureSide);
  writePicture(pictureOf(pixels), planes, 0);
  const logits = await model.forward(tensor(planes, { shape: [1, 3, pictureSide, pictureSide] })).data();
  const expected = await learner.judge(pixels);
  softmax(logits).forEach((share, k) => {
    expect(share).toBeCloseTo(expected[k] ?? 0, 4);
  });
});

it('the ONNX of sounds takes the power of a second in mels', async () => {
  const random = new RandomSequence(2);
  const sound = (): Float32Array => Float32Array.from({ length: soundLength }, () => 0.1 * random.normal());
  const learner = await SenseLearner.begin({ kind: 'sounds', classes: 2, seed: 1 });
  for (let i = 0; i < 4; i++) await learner.add(i % 2, [sound()]);
  for (let step = 0; step < 3; step++) await learner.turn();
  const model = await loadOnnx(await takenAlong(learner, 'onnx', ['a', 'b'], '0.0.0'));
  const samples = sound();
  const logits = await model.forward(powerOf(tensor(samples, { shape: [1, soundLength] }))).data();
  const expected = await learner.judge(samples);
  softmax(logits).forEach((share, k) => {
    expect(share).toBeCloseTo(expected[k] ?? 0, 4);
  });
});
