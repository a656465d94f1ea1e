/** What the network says of one row that a person fills in: encoded and normalised as the samples were. */
import { evaluate, tensor } from '@nn/core';
import { encodeRows, normalize, type RawRow } from '@nn/data';
import { featuresAt } from '../model/samples.ts';
import { numbers } from './look.ts';
import type { Prediction } from './protocol.ts';
import type { Session } from './session.ts';

/** `row`: by column for tables, with null for what is not known; x and y for the plane. Throws a ValueError for other rows. */
export async function predict({ problem, network }: Session, row: RawRow): Promise<Prediction> {
  const inputs = inputsOf();
  const output = await numbers(
    evaluate(() => network.model.forward(tensor(Float32Array.from(inputs), { shape: [1, inputs.length] }))),
  );
  if (problem.goal === 'quantity') {
    const { offset = [0], divisor = [1] } = problem.targetNormalization ?? {};
    return { shares: null, value: (offset[0] ?? 0) + (divisor[0] ?? 1) * (output[0] ?? 0) };
  }
  if (problem.goal === 'binary') {
    const share = 1 / (1 + Math.exp(-(output[0] ?? 0)));
    return { shares: [1 - share, share], value: null };
  }
  const top = Math.max(...output);
  const powers = Array.from(output, (z) => Math.exp(z - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return { shares: powers.map((power) => power / sum), value: null };

  function inputsOf(): ArrayLike<number> {
    const { features, encoding, normalization } = problem;
    if (features !== null) return featuresAt(features, [Number(row.x), Number(row.y)]);
    if (encoding === null || normalization === null) return [];
    return normalize(encodeRows([row], encoding), normalization).data;
  }
}
