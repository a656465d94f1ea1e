/**
 * What it costs the host to choose a token among many, beside sorting all of them: scores of vocabularies of 32,000 and 128,000, as an
 * untrained model gives them (flat) and a trained one (peaked). In turns, medians.
 * Run: npx tsx --conditions=@nn/source packages/text/bench/choice.ts
 */
import process from 'node:process';
import { randomValue } from '@nn/core';
import { type ChoiceOptions, logSumExp, TokenChoice } from '../src/generation/choose.ts';

const rounds = 31;
const past = { prompt: [], generated: [] };
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Sorts all, then walks down: what is saved. */
function bySorting(scores: Float32Array, { topP = 1 }: ChoiceOptions, random: number): number {
  const order = Array.from(scores, (_, id) => id).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const weights = order.map((id) => Math.exp(scores[id]! - scores[order[0]!]!));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [kept, share] = [0, 0];
  while (kept < order.length && (kept === 0 || share < topP * total)) share += weights[kept++]!;
  let left = random * share;
  for (let at = 0; at < kept; at++) {
    left -= weights[at]!;
    if (left < 0) return order[at]!;
  }
  return order[kept - 1]!;
}

/** Standard normal numbers, by Box and Muller. */
const normal = (stream: number, at: number): number =>
  Math.sqrt(-2 * Math.log(1 - randomValue(1, stream, at))) * Math.cos(2 * Math.PI * randomValue(2, stream, at));

for (const size of [32_000, 128_000]) {
  for (const [kind, deviation] of [
    ['flat', 0.1],
    ['peaked', 4],
  ] as const) {
    const rows = Array.from({ length: rounds }, (_, stream) =>
      Float32Array.from({ length: size }, (_, at) => deviation * normal(stream, at)),
    );
    for (const options of [{}, { topP: 0.9 }, { topK: 50 }, { minP: 0.05 }] satisfies ChoiceOptions[]) {
      const [chosen, sorted, rest]: number[][] = [[], [], []];
      const choice = new TokenChoice(options, size);
      let same = 0;
      for (const [row, scores] of rows.entries()) {
        const random = randomValue(3, row, 0);
        let started = performance.now();
        logSumExp('bench', scores, 0, 0);
        rest!.push(performance.now() - started);
        started = performance.now();
        const token = choice.token(scores, past, null, random);
        chosen!.push(performance.now() - started);
        if ('topK' in options || 'minP' in options) continue;
        started = performance.now();
        same += bySorting(scores, options, random) === token ? 1 : 0;
        sorted!.push(performance.now() - started);
      }
      const beside =
        sorted!.length === 0
          ? ''
          : `; by sorting ${median(sorted!).toFixed(1)} ms, ${(median(sorted!) / median(chosen!)).toFixed(0)} times as long, the same token in ${same} of ${rounds}`;
      process.stdout.write(
        `${size} ${kind.padEnd(6)} ${JSON.stringify(options).padEnd(12)} ${median(chosen!).toFixed(2)} ms, log-probability ${median(rest!).toFixed(2)} ms${beside}\n`,
      );
    }
  }
}
