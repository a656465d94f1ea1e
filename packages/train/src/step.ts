/**
 * One step of a training: from batches to new parameters and recorded losses, as plain calls or compiled. Owns what a step
 * does; when it is made, and what follows, is training.ts.
 */
import { compile, isTensor, type Tensor, ValueError } from '@nn/core';
import { countOf } from './batches.ts';
import type { StepsOptimizer } from './events.ts';
import type { LossLog } from './loss-log.ts';
import { scalar } from './weights.ts';

/** Makes a step of the batches of a group, and answers how many samples they have. */
export type Stepper<B> = (group: readonly B[]) => Promise<number>;

/** The user's step has updated the parameters itself; the loss that it returns is recorded. */
export function ownSteps<B>(step: (batch: B) => Tensor | Promise<Tensor>, log: LossLog): Stepper<B> {
  return async (group) => {
    let samples = 0;
    for (const batch of group) {
      log.record(scalar(await step(batch)));
      log.count(countOf(batch));
      samples += countOf(batch);
    }
    return samples;
  };
}

/**
 * A step of the optimizer on the mean loss of the group, where `step` gives a scalar: each batch counts by its share of the samples, so several small
 * batches give the gradient of one large.
 */
export function optimizerSteps<B>(
  step: (batch: B) => Tensor,
  optimizer: StepsOptimizer,
  log: LossLog,
  isCompiled: boolean,
): Stepper<B> {
  const work = (batch: B, share: number, isLast: boolean): Promise<void> => {
    const loss = step(batch);
    log.record(loss);
    const part = share === 1 ? loss : loss.mul(share);
    return isLast ? optimizer.step(part) : optimizer.accumulate(part);
  };
  const compiled = compile((tensors: unknown, like: Missing, share: number, isLast: boolean) => {
    // the cast: the tensors of a batch, and for what else it had an error that says so
    void work(undress(tensors, like) as B, share, isLast);
  });
  const run = isCompiled
    ? (batch: B, share: number, isLast: boolean): Promise<void> => {
        const { tensors, missing } = dress(batch);
        return compiled(tensors, missing, share, isLast);
      }
    : work;
  const single = compile((tensors: unknown, like: Missing) => {
    // the cast: as above
    void work(undress(tensors, like) as B, 1, true);
  });
  return async (group) => {
    if (group.length === 1) {
      const batch = group[0]!;
      if (isCompiled) {
        const { tensors, missing } = dress(batch);
        await single(tensors, missing);
      } else await work(batch, 1, true);
      const count = countOf(batch);
      log.count(count);
      return count;
    }
    const counts = group.map(countOf);
    const samples = counts.reduce((sum, count) => sum + count, 0);
    for (const [at, batch] of group.entries()) {
      const share = samples === 0 ? 1 / group.length : counts[at]! / samples;
      await run(batch, share, at === group.length - 1);
      log.count(counts[at]!);
    }
    return samples;
  };
}

/** Names of what a compiled step cannot see. */
type Missing = readonly string[];

/** The tensors of a batch, which are the arguments of a compiled step. */
function dress(batch: unknown): { readonly tensors: unknown; readonly missing: Missing } {
  if (isMadeOfTensors(batch)) return { tensors: batch, missing: [] };
  const entries = Object.entries(Object(batch) as object);
  return {
    tensors: Object.fromEntries(entries.filter(([, value]) => isMadeOfTensors(value))),
    missing: entries.filter(([, value]) => !isMadeOfTensors(value)).map(([name]) => name),
  };
}

function undress(tensors: unknown, missing: Missing): unknown {
  for (const name of missing) {
    Object.defineProperty(tensors, name, {
      get(): never {
        throw new ValueError(
          'Training',
          `a compiled step cannot use batch.${name}: it sees the tensors of a batch alone; leave compile out, or make a tensor of it.`,
          { name },
        );
      },
    });
  }
  return tensors;
}

function isMadeOfTensors(value: unknown): boolean {
  if (isTensor(value)) return true;
  if (Array.isArray(value)) return value.every(isMadeOfTensors);
  const isRecord = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
  return isRecord && Object.values(value).every(isMadeOfTensors);
}
