/** Boxes and the detector against torchvision's: every operation, the answers of the same weights, what is made of them, losses and one step. */
import { cpu } from '@nn/backend-cpu';
import {
  gradients,
  namedParameters,
  parameter,
  setDefaultBackend,
  setTraining,
  type Tensor,
  tensor,
  zeros,
} from '@nn/core';
import { SGD } from '@nn/optim';
import { beforeAll, describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/detection.json';
import * as vision from '../index.ts';
import { fillWeights, noise, signature } from '../testing.ts';

const { operations, detector } = fixtures;
const {
  batchedNms,
  boxArea,
  boxConvert,
  clipBoxesToImage,
  decodeBoxes,
  defaultBoxes,
  encodeBoxes,
  imageOf,
  masksToBoxes,
  matchBoxes,
  nms,
  ssdLite320MobileNetV3Large,
} = vision;

beforeAll(() => setDefaultBackend(cpu()));

const boxes = (values: readonly number[]): Tensor =>
  tensor(Float32Array.from(values), { shape: [values.length / 4, 4] });

/** The largest difference, in units of the largest expected value. */
async function apart(x: Tensor | ArrayLike<number>, expected: readonly number[]): Promise<number> {
  const values: ArrayLike<number> = 'data' in x ? await x.data() : x;
  expect(values.length).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(0, ...expected.map((value, i) => Math.abs(value - values[i]!))) / scale;
}

describe('operations on boxes equal torchvision', () => {
  const [a, b] = [() => boxes(operations.a), () => boxes(operations.b)];

  it('converts between all forms', async () => {
    for (const [forms, expected] of Object.entries(operations.convert)) {
      const [from, to] = forms.split(' ') as [vision.BoxForm, vision.BoxForm];
      expect(await apart(boxConvert(boxConvert(a(), 'xyxy', from), from, to), expected), forms).toBeLessThan(1e-6);
    }
    expect(() => boxConvert(a(), 'xyxy', 'yxyx' as 'xyxy')).toThrow('boxConvert: no form yxyx: xyxy, xywh, cxcywh.');
    expect(() => boxConvert(zeros([2, 3]), 'xyxy', 'xywh')).toThrow(
      'boxConvert: boxes have four numbers each, [..., 4]; got [2, 3].',
    );
  });

  it('measures, cuts, and finds boxes around masks', async () => {
    expect(await apart(boxArea(a()), operations.area)).toBeLessThan(1e-6);
    expect(await apart(clipBoxesToImage(a(), { height: 20, width: 15 }), operations.clipped)).toBe(0);
    const masks = tensor(Int32Array.from(operations.masks), { shape: [3, 9, 11] });
    expect(await apart(masksToBoxes(masks), operations.maskBoxes)).toBe(0);
    expect(
      await masksToBoxes(zeros([1, 4, 5]))
        .flatten()
        .array(),
    ).toEqual([0, 0, 0, 0]);
  });

  it.each(Object.entries(operations.pairs))('%s', async (name, expected) => {
    const measure = Reflect.get(vision, name) as typeof vision.boxIou;
    expect(await apart(measure(a(), b()), expected)).toBeLessThan(2e-6);
  });

  it.each(Object.entries(operations.losses))('%s and its gradient', async (name, { loss, gradient }) => {
    const measure = Reflect.get(vision, name) as typeof vision.generalizedBoxIouLoss;
    const x = parameter(Float32Array.from(operations.a.slice(0, 20)), { shape: [5, 4] });
    const value = measure(x, b());
    expect(await apart(value, loss)).toBeLessThan(2e-6);
    const [slope] = gradients(value.sum(), [x]);
    expect(await apart(slope!, gradient)).toBeLessThan(1e-5);
    const sum = loss.reduce((total, each) => total + each, 0);
    expect(await measure(x, b(), { reduction: 'mean' }).item()).toBeCloseTo(sum / 5, 5);
    expect(() => measure(a(), b())).toThrow(`${name}: prediction and target differ: [7, 4] and [5, 4].`);
  });

  it('codes boxes and decodes them', async () => {
    expect(await apart(encodeBoxes(boxes(operations.a.slice(0, 20)), b()), operations.codes)).toBeLessThan(1e-6);
    const codes = tensor(
      noise('codes', 20).map((value) => 30 * value),
      { shape: [5, 4] },
    );
    expect(await apart(decodeBoxes(codes, b()), operations.decoded)).toBeLessThan(2e-6);
    expect(await apart(decodeBoxes(encodeBoxes(a(), a().add(3)), a().add(3)), operations.a)).toBeLessThan(2e-6);
  });

  it('suppresses what a better box covers, of one class and of many', () => {
    const { boxes: all, scores, labels, one, batched } = operations.nms;
    for (const [threshold, kept] of Object.entries(one)) expect([...nms(all, scores, Number(threshold))]).toEqual(kept);
    expect([...batchedNms(all, scores, labels, 0.3)]).toEqual(batched);
    expect([...nms([], [], 0.5)]).toEqual([]);
    expect(() => nms([0, 0, 1], [1], 0.5)).toThrow(
      'nms: 3 numbers are not four for each of 1 scores: boxes are left, top, right, bottom.',
    );
    expect(() => nms([0, 0, 1, 1], [Number.NaN], 0.5)).toThrow('nms: score 0 is NaN: boxes cannot be put in order.');
  });

  it('lays out default boxes', async () => {
    const maps = [
      { height: 3, width: 4 },
      { height: 1, width: 2 },
    ];
    const size = { height: 30, width: 40 };
    const cases = {
      ramp: { aspectRatios: [[2, 3], [2]], minRatio: 0.2, maxRatio: 0.95 },
      steps: { aspectRatios: [[2], []], scales: [0.3, 0.6, 1.2], steps: [9, 20] },
      unclipped: { aspectRatios: [[3], [2]], scales: [0.7, 0.9, 1.05], clip: false },
    };
    for (const [name, options] of Object.entries(cases)) {
      const expected = operations.defaults[name as keyof typeof cases];
      expect(await apart(defaultBoxes(maps, size, options), expected), name).toBeLessThan(1e-6);
    }
    expect(() => defaultBoxes(maps, size, { aspectRatios: [[2]] })).toThrow(
      'defaultBoxes: 1 lists of aspect ratios take 1 maps, got 2.',
    );
  });

  it('says which default box answers for which box', () => {
    const { anchors, truth, matches } = operations.matching;
    const labels = Int32Array.from([1, 2, 3, 4, 5, 6]);
    const corners = Float32Array.from(truth);
    const matched = matchBoxes(Float32Array.from(anchors), { corners, labels });
    expect([...matched.labels.data]).toEqual(matches.map((n) => n + 1));
    matches.forEach((n, at) => {
      const from = n < 0 ? anchors.slice(4 * at, 4 * at + 4) : truth.slice(4 * n, 4 * n + 4);
      expect([...matched.corners.data.subarray(4 * at, 4 * at + 4)]).toEqual(from.map(Math.fround));
    });
    const flat = { corners: new Float32Array([3, 3, 3, 9]), labels: new Int32Array([1]) };
    expect(() => matchBoxes(Float32Array.from(anchors), flat)).toThrow('matchBoxes: box 0, 3 3 3 9, has no area.');
    const background = { corners: new Float32Array([3, 3, 4, 9]), labels: new Int32Array([0]) };
    expect(() => matchBoxes(Float32Array.from(anchors), background)).toThrow(
      'box 0, 3 3 4 9, is of class 0, which is the background: classes count from 1.',
    );
  });
});

/** A picture of bytes whose numbers both sides compute. */
function picture(name: string, height: number, width: number): vision.Image {
  const values = noise(name, 3 * height * width).map((value) => Math.round((value + 0.5) * 255));
  const data = new Uint8Array(values.length);
  for (let i = 0; i < height * width; i++) {
    for (let channel = 0; channel < 3; channel++) data[3 * i + channel] = values[channel * height * width + i]!;
  }
  return imageOf(data, width, height, 3);
}

describe('SSD-lite equals torchvision', () => {
  const { classes, found, losses, rate, steps, targets } = detector;
  const made = (): vision.SsdLite => {
    const model = ssdLite320MobileNetV3Large({ classes });
    fillWeights(model);
    for (const [name, weight] of namedParameters(model)) {
      if (/module_list\.\d\.1\.weight$/.test(name)) weight.assign(weight.mul(0.25));
      if (/classification_head\.module_list\.\d\.1\.bias$/.test(name)) {
        const offset = Float32Array.from({ length: weight.size }, (_, i) => (i % classes === 0 ? 2 : 0));
        weight.assign(weight.add(tensor(offset)));
      }
    }
    return model;
  };

  it('names, answers, and what is found on pictures of two sizes', async () => {
    expect(signature(ssdLite320MobileNetV3Large())).toBe(detector.full);
    const model = made();
    expect(signature(model)).toBe(detector.signature);
    const images = [picture('first', 320, 320), picture('second', 150, 210)];
    const detections = await model.detect(images);
    for (const [n, { corners, labels, scores }] of detections.entries()) {
      const expected = found[n]!;
      expect(labels.length).toBe(expected.count);
      expect([...labels.subarray(0, 50)]).toEqual(expected.labels);
      expect(await apart(scores.subarray(0, 50), expected.scores)).toBeLessThan(1e-4);
      expect(await apart(corners.subarray(0, 200), expected.boxes)).toBeLessThan(1e-4);
    }
    expect(() => model.forward(zeros([1, 3, 300, 320]))).toThrow(
      'SsdLite: takes pictures [N, 3, 320, 320], got [1, 3, 300, 320]: resize them, or use detect.',
    );
    expect(await model.detect([])).toEqual([]);
  });

  it('losses and one step of training', async () => {
    const model = made();
    const images = vision.imageTensor([picture('first', 320, 320), picture('third', 320, 320)]);
    const matched = targets.map(({ corners, labels }) =>
      matchBoxes(model.anchors, { corners: Float32Array.from(corners), labels: Int32Array.from(labels) }),
    );
    const stacked = {
      labels: tensor(Int32Array.from(matched.flatMap((each) => [...each.labels.data])), {
        shape: [2, model.anchors.length / 4],
      }),
      corners: tensor(Float32Array.from(matched.flatMap((each) => [...each.corners.data])), {
        shape: [2, model.anchors.length / 4, 4],
      }),
    };
    setTraining(true);
    const named = namedParameters(model);
    const before = new Map<string, Float32Array>();
    for (const key of Object.keys(steps)) before.set(key, await named.get(key)!.data('float32'));
    const optimizer = new SGD(model, { learningRate: rate });
    const { classification, regression } = model.loss(model.forward(images), stacked);
    await optimizer.step(classification.add(regression), classification, regression);
    expect((await classification.item()) / losses.classification).toBeCloseTo(1, 3);
    expect((await regression.item()) / losses.regression).toBeCloseTo(1, 3);
    for (const [key, expected] of Object.entries(steps as unknown as Record<string, [number, number]>)) {
      const after = await named.get(key)!.data('float32');
      const moved = Array.from(after, (each, i) => each - before.get(key)![i]!);
      const length = Math.sqrt(moved.reduce((sum, each) => sum + each * each, 0));
      const weighed = moved.reduce((sum, each, i) => sum + (each * (((7 * i) % 11) - 5)) / 8, 0);
      // a weight that moves by less than its own last digits does not show
      const digits = 6e-8 * Math.sqrt(moved.length);
      expect(Math.abs(length - expected[0]), key).toBeLessThan(0.01 * expected[0] + 3 * digits);
      expect(Math.abs(weighed - expected[1]), key).toBeLessThan(0.02 * expected[0] + 3 * digits);
    }
    expect(() => model.loss(model.forward(images), { ...stacked, labels: zeros([2, 7]) })).toThrow(
      'SsdLite.loss: 2 pictures of 3234 default boxes take labels [2, 3234] and corners [2, 3234, 4], got [2, 7] and [2, 3234, 4]: matchBoxes makes them.',
    );
  });
});
