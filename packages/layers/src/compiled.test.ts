/** What layers and losses make for themselves in a call (tables, lengths, weights) is the same in each call of a compiled function. */
import { cpu } from '@nn/backend-cpu';
import { compile, setDefaultBackend, type Tensor, tensor, zeros } from '@nn/core';
import { beforeAll, expect, test } from 'vitest';
import { alibiSlopes, crossEntropy, ctc, nll, SinusoidalPositionalEncoding } from './index.ts';

beforeAll(() => setDefaultBackend(cpu()));

const targets = tensor(Int32Array.of(1, 2, 3, 1), { shape: [2, 2] });
const classes = tensor(Int32Array.of(1, 0));
const positions = new SinusoidalPositionalEncoding(4, { batchFirst: true });

test.each<readonly [string, readonly number[], (x: Tensor) => Tensor]>([
  ['ctc without lengths', [5, 2, 4], (x) => ctc(x.logSoftmax(-1), targets)],
  ['crossEntropy with weights in a list', [2, 3], (x) => crossEntropy(x, classes, { weight: [1, 2, 3] })],
  ['nll with weights in a list', [2, 3], (x) => nll(x, classes, { weight: [1, 2, 3] })],
  ['alibiSlopes', [2, 3, 1, 1], (x) => x.mul(alibiSlopes(3))],
  [
    'positions of several widths, the longer behind',
    [1, 150, 4],
    (x) => [3, 70, 150].map((width) => positions.forward(x.at([], [0, width])).sum()).reduce((a, b) => a.add(b)),
  ],
])('%s', async (_, shape, f) => {
  const input = zeros(shape);
  const expected = await f(input).array();
  const fast = compile(f);
  for (let call = 0; call < 4; call++) expect(await (await fast(input)).array()).toEqual(expected);
});
