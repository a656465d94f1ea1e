/** Data as it lies at many clients: each with classes of its own. For simulations. */
import { ValueError } from '@nn/core';
import { RandomSequence } from '@nn/data';

/**
 * Splits samples among clients so that the shares of each class are drawn from a Dirichlet distribution: concentration 0.1
 * gives each client a class or two, 100 nearly the same of all. Every sample goes to one client; every client gets one at
 * least. (Hsu et al. 2019.)
 *
 * @example
 * import { dirichletSplit } from '@nn/privacy';
 * const parts = dirichletSplit(Int32Array.from({ length: 300 }, (_, i) => i % 3), 5, { concentration: 0.3, seed: 1 });
 * console.log(parts.length, parts.reduce((sum, part) => sum + part.length, 0)); // => 5 300
 */
export function dirichletSplit(
  targets: ArrayLike<number>,
  clients: number,
  { concentration = 0.5, seed = 0 }: { readonly concentration?: number; readonly seed?: number } = {},
): Int32Array[] {
  if (!(Number.isInteger(clients) && clients >= 1 && clients <= targets.length)) {
    throw new ValueError(
      'dirichletSplit',
      `clients is ${clients}: it must be a whole number from 1 to ${targets.length}, the samples.`,
      { clients },
    );
  }
  if (!(concentration > 0)) {
    throw new ValueError('dirichletSplit', `concentration is ${concentration}: it must be above 0.`, { concentration });
  }
  const random = new RandomSequence(seed, 0x1c000000);
  const parts = Array.from({ length: clients }, () => [] as number[]);
  const classes = new Map<number, number[]>();
  for (let i = 0; i < targets.length; i++) {
    const members = classes.get(targets[i]!) ?? [];
    members.push(i);
    classes.set(targets[i]!, members);
  }
  for (const members of classes.values()) {
    const logs = parts.map(() => logGamma(random, concentration));
    const most = Math.max(...logs);
    const weights = logs.map((value) => Math.exp(value - most));
    const total = weights.reduce((sum, value) => sum + value, 0);
    const order = random.shuffle(Int32Array.from(members));
    let [from, passed] = [0, 0];
    parts.forEach((part, k) => {
      passed += weights[k]! / total;
      const to = k === clients - 1 ? order.length : Math.round(passed * order.length);
      part.push(...order.subarray(from, to));
      from = to;
    });
  }
  for (const part of parts) {
    while (part.length === 0) {
      const richest = parts.reduce((a, b) => (b.length > a.length ? b : a));
      part.push(richest.pop()!);
    }
  }
  return parts.map((part) => Int32Array.from(part).sort());
}

/** ln of a gamma variate, which below a shape of 1 may be too small for a double. (Marsaglia and Tsang 2000.) */
function logGamma(random: RandomSequence, shape: number): number {
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random.fraction()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.fraction()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
