/** Which samples the network answers wrongly: those that a person wants to see, and to walk through. */
import { evaluate, tensor } from '@nn/core';
import { mostMeasured, type Problem, type Samples } from '../model/samples.ts';
import { guess, numbers } from './look.ts';
import type { CellSample } from './protocol.ts';
import type { Session } from './session.ts';

/** Of a quantity no answer is right, so the worst ones count as mistakes. */
const mostOfQuantity = 20;

/** Their places, counted through the training samples and then the test samples, the surest mistakes first. */
export async function mistakes(session: Session): Promise<number[]> {
  const { problem } = session;
  const parts = [
    { whole: problem.test, start: problem.train.size },
    { whole: problem.train, start: 0 },
  ];
  const found = (
    await Promise.all(
      parts.map(async ({ whole, start }) => {
        const count = Math.min(mostMeasured(problem.pixels), whole.size);
        const part = whole.take(Int32Array.from({ length: count }, (_, i) => i));
        const output = await answers(session, part);
        const truth = part.fields.targets.data;
        return Array.from({ length: count }, (_, i) => ({
          at: start + i,
          error: errorOf(problem, output, i, truth[i] as number),
        }));
      }),
    )
  ).flat();
  const wrong = found.filter(({ error }) => error > 0).sort((a, b) => b.error - a.error);
  return (problem.goal === 'quantity' ? wrong.slice(0, mostOfQuantity) : wrong).map(({ at }) => at);
}

/** Samples of a cell that are shown. */
const mostOfCell = 24;

/** The test samples of one class that the network takes for one, the surest answers first; of two, at a threshold. */
export async function samplesOf(
  session: Session,
  truth: number,
  wanted: number,
  threshold: number = 0.5,
): Promise<CellSample[]> {
  const { problem } = session;
  const { goal, outputs, test, train } = problem;
  const count = Math.min(mostMeasured(problem.pixels), test.size);
  const part = test.take(Int32Array.from({ length: count }, (_, i) => i));
  const output = await answers(session, part);
  const { inputs, targets } = part.fields;
  const size = inputs.data.length / count;
  const all = Array.from({ length: count }, (_, i) => i);
  const called = (i: number): number => {
    if (goal !== 'binary') return guess(goal, output, i, outputs);
    return 1 / (1 + Math.exp(-(output[i] as number))) > threshold ? 1 : 0;
  };
  return all
    .filter((i) => targets.data[i] === truth && called(i) === wanted)
    .map((i): CellSample => {
      const data = inputs.data.slice(i * size, (i + 1) * size);
      const values = Float32Array.from(data, (value) => (problem.pixels ? value / 255 : value));
      return { index: train.size + i, inputs: values, share: shareOf(output, i, outputs) };
    })
    .sort((a, b) => b.share - a.share)
    .slice(0, mostOfCell);
}

/** The probability of the likeliest class: of one logit z by the sigmoid of |z|, of several by softmax. */
function shareOf(output: Float32Array, row: number, outputs: number): number {
  if (outputs === 1) return 1 / (1 + Math.exp(-Math.abs(output[row] as number)));
  const logits = output.subarray(row * outputs, (row + 1) * outputs);
  const largest = Math.max(...logits);
  return 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
}

/** What the network puts out for samples, [count, outputs]. */
export async function answers({ network, problem }: Session, part: Samples): Promise<Float32Array> {
  const { inputs } = part.fields;
  const data = Float32Array.from(inputs.data, (value) => (problem.pixels ? value / 255 : value));
  return numbers(evaluate(() => network.model.forward(tensor(data, { shape: inputs.shape }))));
}

/** 0 where the answer is right; else how far the wrong answer stands above the right one. */
function errorOf({ goal, outputs }: Problem, output: Float32Array, row: number, truth: number): number {
  if (goal === 'quantity') return Math.abs((output[row] as number) - truth);
  const answer = guess(goal, output, row, outputs);
  if (answer === truth) return 0;
  if (goal === 'binary') return Math.abs(output[row] as number) || Number.MIN_VALUE;
  const at = (k: number): number => output[row * outputs + k] as number;
  return at(answer) - at(truth) || Number.MIN_VALUE;
}
