/** How good the network is, in the words of the field: the metrics of @nn/metrics over both parts, and of each class. */
import { type Tensor, tensor } from '@nn/core';
import {
  accuracy,
  auroc,
  averagePrecision,
  balancedAccuracy,
  brierScore,
  f1Score,
  logLoss,
  matthewsCorrelation,
  meanAbsoluteError,
  precision,
  RocCurve,
  r2Score,
  recall,
  rootMeanSquaredError,
} from '@nn/metrics';
import { mostMeasured, type Samples } from '../model/samples.ts';
import { answers } from './mistakes.ts';
import type { ClassScores, MetricName, Metrics } from './protocol.ts';
import type { Session } from './session.ts';

/** A part with the network's answers: shares of classes, or numbers in the units of the data. */
interface Judged {
  readonly predicted: Tensor;
  readonly truth: Tensor;
  readonly values: Float32Array;
  readonly targets: Float32Array;
}

/** `threshold`: the share of class 1 from which an answer is 1; it counts for two classes. */
export async function metrics(session: Session, threshold: number): Promise<Metrics> {
  const { problem } = session;
  const [train, test] = await Promise.all([judge(session, problem.train), judge(session, problem.test)]);
  const formulas = formulasOf(session, threshold);
  const rows = await Promise.all(
    formulas.map(async ([name, formula]) => {
      const [ofTrain, ofTest] = await Promise.all([formula(train).item(), formula(test).item()]);
      return { name, train: ofTrain, test: ofTest };
    }),
  );
  const isQuantity = problem.goal === 'quantity';
  return {
    rows,
    classes: isQuantity ? null : await classScores(session, test, threshold),
    roc: problem.goal === 'binary' ? await rocOf(test) : null,
    scatter: isQuantity ? { truth: test.targets, predicted: test.values } : null,
    threshold,
  };
}

type Formula = (of: Judged) => Tensor;

function formulasOf({ problem }: Session, threshold: number): readonly (readonly [MetricName, Formula])[] {
  if (problem.goal === 'quantity') {
    return [
      ['rootMeanSquaredError', ({ predicted, truth }) => rootMeanSquaredError(predicted, truth)],
      ['meanAbsoluteError', ({ predicted, truth }) => meanAbsoluteError(predicted, truth)],
      ['r2', ({ predicted, truth }) => r2Score(predicted, truth)],
    ];
  }
  const isBinary = problem.goal === 'binary';
  const options = { from: 'probabilities', ...(isBinary && { threshold }) } as const;
  const shared: readonly (readonly [MetricName, Formula])[] = [
    ['accuracy', ({ predicted, truth }) => accuracy(predicted, truth, options)],
    ['balancedAccuracy', ({ predicted, truth }) => balancedAccuracy(predicted, truth, options)],
    ['f1', ({ predicted, truth }) => f1Score(predicted, truth, options)],
    ['matthews', ({ predicted, truth }) => matthewsCorrelation(predicted, truth, options)],
    ['logLoss', ({ predicted, truth }) => logLoss(predicted, truth, { from: 'probabilities' })],
  ];
  if (!isBinary) return shared;
  return [
    ...shared,
    ['precision', ({ predicted, truth }) => precision(predicted, truth, options)],
    ['recall', ({ predicted, truth }) => recall(predicted, truth, options)],
    ['auroc', ({ predicted, truth }) => auroc(predicted, truth)],
    ['averagePrecision', ({ predicted, truth }) => averagePrecision(predicted, truth)],
    ['brier', ({ predicted, truth }) => brierScore(predicted, truth, { from: 'probabilities' })],
  ];
}

async function judge(session: Session, whole: Samples): Promise<Judged> {
  const { problem } = session;
  const count = Math.min(mostMeasured(problem.pixels), whole.size);
  const part = whole.take(Int32Array.from({ length: count }, (_, i) => i));
  const output = await answers(session, part);
  const truth = part.fields.targets.data;
  if (problem.goal === 'quantity') {
    const [offset, divisor] = [
      problem.targetNormalization?.offset[0] ?? 0,
      problem.targetNormalization?.divisor[0] ?? 1,
    ];
    const values = output.map((value) => offset + divisor * value);
    const targets = Float32Array.from(truth, (value) => offset + divisor * value);
    return { values, targets, predicted: tensor(values), truth: tensor(targets) };
  }
  const isBinary = problem.goal === 'binary';
  const logits = tensor(output, { shape: isBinary ? [count] : [count, problem.outputs] });
  const predicted = isBinary ? logits.sigmoid() : logits.softmax();
  const targets = Int32Array.from(truth);
  return { values: output, targets: Float32Array.from(truth), predicted, truth: tensor(targets) };
}

/** Of the test samples: precision, recall and F1 of each class, and how many samples it has. */
async function classScores({ problem }: Session, test: Judged, threshold: number): Promise<readonly ClassScores[]> {
  const isBinary = problem.goal === 'binary';
  const classes = problem.classNames.length;
  // of two classes each is one of two, not the positive one and the rest
  const predicted = isBinary ? test.predicted.greater(threshold).cast('int32') : test.predicted.argMax(1);
  const options = { classes, task: 'multiclass', from: 'labels', average: 'none' } as const;
  const [ofPrecision, ofRecall, ofF1] = await Promise.all(
    [precision, recall, f1Score].map(async (score) => score(predicted, test.truth, options).data()),
  );
  return problem.classNames.map((_, k) => ({
    precision: ofPrecision?.[k] ?? Number.NaN,
    recall: ofRecall?.[k] ?? Number.NaN,
    f1: ofF1?.[k] ?? Number.NaN,
    count: test.targets.filter((target) => target === k).length,
  }));
}

async function rocOf({ predicted, truth }: Judged): Promise<Metrics['roc']> {
  const curve = new RocCurve({ from: 'probabilities', exact: true });
  curve.update(predicted, truth);
  const [points] = (await curve.read()).epoch;
  if (points === undefined) return null;
  return { falsePositiveRate: [...points.falsePositiveRate], truePositiveRate: [...points.truePositiveRate] };
}
