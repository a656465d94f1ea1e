import { conv2d, gradients, type Parameter, parameter, tensor } from '@nn/core';
import { expect, it } from 'vitest';
import { watched } from '../../testing.ts';

/** A convolution and both gradients. */
async function results(threads: number, input: readonly number[], padding: number): Promise<readonly unknown[]> {
  const { backend, engine, paths } = watched({ threads });
  if (threads > 1) await expect.poll(() => engine.pool?.ready, { timeout: 20_000 }).toBe(threads - 1);
  const [x, w] = [input, [20, input[1] as number, 3, 3]].map((shape) => {
    const size = shape.reduce((count, extent) => count * extent, 1);
    return parameter(
      tensor(
        Float32Array.from({ length: size }, (_, at) => Math.sin(at * at)),
        { shape, backend },
      ),
    );
  }) as [Parameter, Parameter];
  const y = conv2d(x, w, { padding });
  const wanted = [y, ...gradients(y.square().sum(), [x, w])];
  const data = await Promise.all(wanted.map((value) => value.data()));
  engine.pool?.close();
  expect(paths.filter((path) => path.startsWith('winograd'))).toHaveLength(3);
  return data;
}

it.each([
  ['of a batch', [24, 16, 20, 20], 1],
  ['of one large image', [1, 12, 70, 90], 1],
  ['of one large image without padding', [1, 12, 90, 70], 0],
])(
  'a convolution by Winograd %s is the same in every bit with one thread and with three',
  async (_, input, padding) => {
    expect(await results(3, input, padding)).toEqual(await results(1, input, padding));
  },
);
