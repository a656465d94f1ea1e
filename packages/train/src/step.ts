/**
 * One step of a training: from batches to new parameters and recorded losses, as plain calls or compiled. Owns what a step
 * does; when it is made, and what follows, is loop.ts.
 */
import { compile, type Tensor } from '@nn/core';
import { countOf, sumOf } from './batches.ts';
import { compiledWork, type Work } from './compiled-step.ts';
import type { StepsOptimizer } from './events.ts';
import type { LossLog } from './loss-log.ts';
import { scalar } from './weights.ts';

/** Makes a step of the batches of a group, and answers how many samples they have: at once where nothing is waited for. */
export type Stepper<B> = (group: readonly B[]) => number | Promise<number>;

/** The user's step has updated the parameters itself; the loss that it returns is recorded. */
export function ownSteps<B>(step: (batch: B) => Tensor | Promise<Tensor>, log: LossLog): Stepper<B> {
  return async (group) => {
    let samples = 0;
    for (const batch of group) {
      log.record(scalar(await step(batch)));
      samples += log.count(countOf(batch));
    }
    return samples;
  };
}

/**
 * A step of the optimizer on the mean loss of the group, where `step` gives a scalar: each batch counts by its share of the samples, or of
 * their weights where `weightOf` tells them, so several small batches give the gradient of one large.
 */
export function optimizerSteps<B>(
  step: (batch: B) => Tensor,
  optimizer: StepsOptimizer,
  log: LossLog,
  isCompiled: boolean,
  weightOf: ((batch: B) => Tensor) | null,
): Stepper<B> {
  const work = (batch: B, share: number | Tensor, isLast: boolean): Promise<void> => {
    const loss = step(batch);
    const part = share === 1 ? loss : loss.mul(share);
    log.record(part);
    return isLast ? optimizer.step(part) : optimizer.accumulate(part);
  };
  const run: Work<B, void | Promise<void>> = isCompiled
    ? compiledWork<B, void, void>((batch, share, isLast) => void work(batch, share, isLast), compile)
    : work;
  const end = (batch: B): number => log.count(countOf(batch));
  const inParts = async (group: readonly B[]): Promise<number> => {
    const counts = group.map(countOf);
    const samples = sumOf(counts);
    const weights = weightOf && group.map(weightOf);
    // where nothing weighs anything the losses are 0 as well
    const total = weights?.reduce((sum, weight) => sum.add(weight)).maximum(1e-30);
    for (const [at, batch] of group.entries()) {
      const share = samples === 0 ? 1 / group.length : counts[at]! / samples;
      await run(batch, total ? weights![at]!.div(total) : share, at === group.length - 1);
      log.count(counts[at]!);
    }
    return samples;
  };
  return (group) => {
    if (group.length !== 1) return inParts(group);
    const batch = group[0]!;
    const made = run(batch, 1, true);
    return made instanceof Promise ? made.then(() => end(batch)) : end(batch);
  };
}
