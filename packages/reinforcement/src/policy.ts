/**
 * A policy as probabilities: on the host, where actions are drawn for environments, and on the device, where their
 * probabilities are learned. Both say the same of the same outputs.
 */
import { oneHot, ShapeError, type Tensor, ValueError } from '@nn/core';
import type { PolicyOutputs } from './networks.ts';
import type { RandomStream } from './random.ts';
import type { Space } from './spaces.ts';

const halfLogTau = 0.5 * Math.log(2 * Math.PI);
/** Added to the logits of forbidden actions: exp of it is 0 in float32. */
export const forbidden = -1e9;

/** How many rows of `size` numbers a list of observations is. Throws a `ShapeError` where it is no whole number of them. */
export function rowsOf({ length }: ArrayLike<number>, size: number): number {
  const count = length / size;
  if (Number.isInteger(count) && count > 0) return count;
  throw new ShapeError(
    'act',
    `${length} numbers are no rows of ${size}, which is the size of an observation here; pass [count, ${size}] as one flat array.`,
    { length, size },
  );
}

/** What an agent says whose network gives NaN or infinities: the environment would take any action for it. */
export function notFinite(row: number): ValueError {
  return new ValueError(
    'act',
    `the network gives no finite numbers for observation ${row}: the training has diverged. Lower the learning rate, or find the operation with \`debug({ eager: true })\`.`,
    { row },
  );
}

/** log p(action) and entropy, both [N], of actions int32 [N] or float32 [N, numbers]. */
export function policyTerms(
  space: Space,
  { policy, logScale }: Pick<PolicyOutputs, 'policy' | 'logScale'>,
  actions: Tensor,
): { readonly logProbability: Tensor; readonly entropy: Tensor } {
  if (space.kind === 'discrete') {
    const logs = policy.logSoftmax(-1);
    return {
      logProbability: logs.mul(oneHot(actions, space.n)).sum(-1),
      entropy: logs.exp().mul(logs).sum(-1).neg(),
    };
  }
  const scale = logScale as Tensor;
  // log N(a; mean, s) = -((a - mean) / s)^2 / 2 - log s - log(2 pi) / 2, its entropy 1/2 + log(2 pi) / 2 + log s
  const distance = actions.sub(policy).div(scale.exp());
  const wide = scale.expand(policy.shape);
  return {
    logProbability: distance.square().mul(-0.5).sub(wide).sub(halfLogTau).sum(-1),
    entropy: wide.add(0.5 + halfLogTau).sum(-1),
  };
}

/** What was drawn for N observations: integers or rows of numbers, and the logarithms of their probabilities. */
export interface Drawn {
  readonly actions: Int32Array | Float32Array;
  readonly logProbabilities: Float32Array;
}

/**
 * Draws actions of `count` rows of outputs: logits, or means followed by logarithms of deviations. Without a random stream the most
 * probable ones. `legal` [count, n] forbids some.
 */
export function drawActions(
  space: Space,
  rows: Float32Array,
  count: number,
  random: RandomStream | null,
  legal?: Uint8Array,
): Drawn {
  const width = rows.length / count;
  const logProbabilities = new Float32Array(count);
  if (space.kind === 'discrete') {
    const { n } = space;
    const actions = new Int32Array(count);
    const weights = new Float64Array(n);
    for (let i = 0; i < count; i++) {
      let largest = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < n; k++) {
        const logit = legal !== undefined && legal[i * n + k] === 0 ? forbidden : rows[i * width + k]!;
        weights[k] = logit;
        if (logit > largest) {
          largest = logit;
          actions[i] = k;
        }
      }
      let total = 0;
      for (let k = 0; k < n; k++) {
        weights[k] = Math.exp(weights[k]! - largest);
        total += weights[k]!;
      }
      if (!Number.isFinite(total)) throw notFinite(i);
      if (random !== null) actions[i] = random.choose(weights);
      logProbabilities[i] = Math.log(weights[actions[i]!]! / total);
    }
    return { actions, logProbabilities };
  }
  const numbers = space.low.length;
  const actions = new Float32Array(count * numbers);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let k = 0; k < numbers; k++) {
      const logScale = rows[i * width + numbers + k]!;
      const noise = random === null ? 0 : random.normal();
      const action = rows[i * width + k]! + Math.exp(logScale) * noise;
      if (!Number.isFinite(action)) throw notFinite(i);
      actions[i * numbers + k] = action;
      sum += -0.5 * noise * noise - logScale - halfLogTau;
    }
    logProbabilities[i] = sum;
  }
  return { actions, logProbabilities };
}

/** Actions as an environment takes them: a normal distribution has no bounds, a `Box` has. */
export function bounded(space: Space, actions: Int32Array | Float32Array): Int32Array | Float32Array {
  if (space.kind === 'discrete') return actions;
  const { low, high } = space;
  return actions.map((x, i) => Math.min(high[i % low.length]!, Math.max(low[i % low.length]!, x)));
}
