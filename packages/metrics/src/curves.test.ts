/** Curves beyond their values: bounds, merging, what is refused; and the pictures of them. */
import { cpu } from '@nn/backend-cpu';
import { normal, setDefaultBackend, setSeed, tensor, uniform } from '@nn/core';
import { beforeEach, expect, test } from 'vitest';
import {
  AUROC,
  CalibrationError,
  confusionSvg,
  drawConfusion,
  drawPrecisionRecall,
  drawReliability,
  drawRoc,
  precisionRecallSvg,
  RocCurve,
  read,
  reliabilitySvg,
  rocSvg,
} from './index.ts';

beforeEach(() => {
  setDefaultBackend(cpu());
  setSeed(2);
});

test('the binned area is within its stated error of the exact one, and the error is not idle', async () => {
  const targets = uniform([500]).greater(0.7).cast('int32');
  const logits = normal([500]).add(targets.cast('float32'));
  const binned = new AUROC({ from: 'logits', thresholds: 6 });
  const exact = new AUROC({ from: 'logits', exact: true });
  for (const metric of [binned, exact]) metric.update(logits, targets);
  const readings = await read({ binned, exact });
  const distance = Math.abs(readings.binned.epoch - readings.exact.epoch);
  expect(distance).toBeGreaterThan(0);
  expect(distance).toBeLessThanOrEqual(binned.errorBound);
  expect(exact.errorBound).toBe(0);
});

test.each([{}, { exact: true }] as const)('two parts merged are the whole: %o', async (options) => {
  const [whole, left, right] = [0, 1, 2].map(() => new AUROC({ from: 'probabilities', ...options })) as [
    AUROC,
    AUROC,
    AUROC,
  ];
  const parts = [
    [tensor([0.1, 0.9, 0.4]), tensor([0, 1, 1])],
    [tensor([0.6, 0.2, 0.8]), tensor([0, 1, 0])],
  ] as const;
  for (const [k, [scores, targets]] of parts.entries()) {
    whole.update(scores, targets);
    (k === 0 ? left : right).update(scores, targets);
  }
  await read({ left, right });
  left.merge(right);
  expect((await left.read()).epoch).toBe((await whole.read()).epoch);
});

test('scores that are no probabilities are an error of the read, never squashed', async () => {
  const message = 'some predictions are no probabilities from 0 to 1';
  for (const metric of [new AUROC({ from: 'probabilities' }), new AUROC({ from: 'probabilities', exact: true })]) {
    metric.update(tensor([2.5, -1]), tensor([1, 0]));
    await expect(metric.read()).rejects.toThrow(message);
  }
  const calibration = new CalibrationError({ from: 'probabilities' });
  calibration.update(tensor([2.5, Number.NaN]), tensor([1, 0]));
  await expect(calibration.read()).rejects.toThrow(message);
  expect(() => new AUROC().update(tensor([0.5]), tensor([1]))).toThrow(
    "AUROC: the predictions are scores: say from: 'logits'",
  );
});

test('classes without positives are left out and named', async () => {
  const metric = new AUROC({ from: 'logits', average: 'macro' });
  metric.update(
    tensor([
      [3, 1, 0],
      [0, 2, 1],
    ]),
    tensor([0, 1]),
  );
  expect((await metric.read()).epoch).toBe(1);
  expect(metric.absentClasses).toEqual([2]);
});

test('pictures have the curve where it is, and names as text', async () => {
  const metric = new RocCurve({ from: 'probabilities', exact: true });
  metric.update(tensor([0.9, 0.8, 0.2, 0.1]), tensor([1, 1, 0, 0]));
  const { epoch } = await metric.read();
  const lines = drawRoc(epoch, { columns: 4, rows: 2 });
  // up the left side, then along the top
  expect(lines).toEqual(['  true positive rate', '1 │⡏⠉⡉⠉', '0 │⡇⠀⠀⠀', '  └────', '   0fa1']);
  expect(rocSvg(epoch, { names: ['a <b>'] })).toContain('a &lt;b&gt;');
  const bins = drawReliability([{ from: 0, to: 1, count: 0, confidence: Number.NaN, accuracy: Number.NaN }], {
    columns: 4,
    rows: 2,
  });
  expect(bins).toHaveLength(5);
});

test('pictures and reads refuse options that do not exist', async () => {
  const [roc, precisionRecall] = [
    [{ falsePositiveRate: [0, 1], truePositiveRate: [0, 1], thresholds: [1, 0] }],
    [{ recall: [0, 1], precision: [1, 1], thresholds: [1, 0] }],
  ];
  const bins = [{ from: 0, to: 1, count: 1, confidence: 1, accuracy: 1 }];
  const wrong = { colour: 1 };
  const pictures: readonly (readonly [string, string, () => unknown])[] = [
    ['drawRoc', 'columns, rows', () => drawRoc(roc, wrong as object)],
    ['drawPrecisionRecall', 'columns, rows', () => drawPrecisionRecall(precisionRecall, wrong as object)],
    ['drawReliability', 'columns, rows', () => drawReliability(bins, wrong as object)],
    ['drawConfusion', 'names', () => drawConfusion([[1]], wrong as object)],
    ['rocSvg', 'size, names', () => rocSvg(roc, wrong as object)],
    ['precisionRecallSvg', 'size, names', () => precisionRecallSvg(precisionRecall, wrong as object)],
    ['reliabilitySvg', 'size, names', () => reliabilitySvg(bins, wrong as object)],
    ['confusionSvg', 'names, size', () => confusionSvg([[1]], wrong as object)],
  ];
  for (const [name, known, draw] of pictures) expect(draw).toThrow(`${name}: no option colour: ${known}.`);
  await expect(read({}, wrong as object)).rejects.toThrow('read: no option colour: gather.');
});
