/** Tensors that come from nowhere (filled, counted, drawn at random), and dtypes that only store. */
import {
  arange,
  type Backend,
  bernoulli,
  compile,
  full,
  getDefaultBackend,
  hostUniform,
  linspace,
  normal,
  ones,
  parameter,
  randomInteger,
  randomState,
  replace,
  setDefaultBackend,
  setRandomState,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from '@nn/core';
import type { ConformanceCase } from '../case.ts';
import { exactly, expectClose, expectData } from '../compare.ts';
import { type Operation, operation, readAll, toleranceOf } from '../operation.ts';
import { reference } from '../reference.ts';
import { any, given } from '../samples.ts';

export function sourceOperations(): Operation[] {
  const made = (name: string, make: (backend: Backend) => Tensor, exact = true): Operation => ({
    name,
    inputs: [],
    apply: (_, backend) => make(backend),
    exact,
  });
  const half = [0x3c00, 0xc000, 0x3555, 0x7bff, 0x0400];
  const brain = [0x3f80, 0xc000, 0x3eab, 0x7f00];
  return [
    made('zeros: float32', (backend) => zeros([2, 3], { backend })),
    made('ones: bool', (backend) => ones([3], { dtype: 'bool', backend })),
    made('full: int32', (backend) => full([2, 2], -7, { dtype: 'int32', backend })),
    made('full: a scalar', (backend) => full([], 0.375, { backend })),
    made('arange: whole numbers', (backend) => arange(3, 17, 4, { backend })),
    made('arange: backwards, in fractions', (backend) => arange(1, -1, -0.25, { backend })),
    made('arange: nothing', (backend) => arange(5, 5, 1, { backend })),
    made('linspace: both ends included', (backend) => linspace(-1, 2, 7, { backend }), false),
    operation('zeros: beside a tensor', [any(2, 3)], (x) => x.add(zeros([3])).mul(ones([2, 1])), { exact: true }),
    operation('cast: float16 is read', [given(half, [half.length], 'float16')], (x) => x.cast('float32'), {
      exact: true,
      differentiable: false,
      needs: ['float16'],
    }),
    operation('cast: bfloat16 is read', [given(brain, [brain.length], 'bfloat16')], (x) => x.cast('float32'), {
      exact: true,
      differentiable: false,
      needs: ['bfloat16'],
    }),
    operation('cast: int8 is read', [given([127, -128, 5], [3], 'int8')], (x) => x.cast('int32'), {
      exact: true,
      needs: ['int8'],
    }),
    operation('cast: uint8 is read', [given([255, 0, 7], [3], 'uint8')], (x) => x.cast('float32').div(255), {
      needs: ['uint8'],
    }),
    operation(
      'cast: to float16, rounded to even',
      [given([1 / 3, -2.5, 65504, 1e-6, 2049, 2051])],
      (x) => x.cast('float16'),
      {
        exact: true,
        differentiable: false,
        needs: ['float16'],
      },
    ),
    operation('cast: to bfloat16, rounded to even', [given([1 / 3, -2.5, 257, 259, 1e30])], (x) => x.cast('bfloat16'), {
      exact: true,
      differentiable: false,
      needs: ['bfloat16'],
    }),
    operation('cast: to int8, saturating', [given([300, -300, 1.9, -1.9])], (x) => x.cast('int8'), {
      exact: true,
      differentiable: false,
      needs: ['int8'],
    }),
    operation('cast: to uint8, saturating', [given([300, -5, 1.9, 254.9])], (x) => x.cast('uint8'), {
      exact: true,
      differentiable: false,
      needs: ['uint8'],
    }),
  ];
}

/** Draws with the seed put back afterwards: the kit leaves the user's stream as it was. */
async function withSeed<T>(seed: number, work: () => Promise<T>): Promise<T> {
  const state = randomState();
  setRandomState({ seed, counter: 0 });
  try {
    return await work();
  } finally {
    setRandomState(state);
  }
}

function defaultBackend(): Backend | null {
  try {
    return getDefaultBackend();
  } catch {
    return null; // none is set
  }
}

export function randomCases(): ConformanceCase[] {
  const draws: readonly (readonly [string, () => Tensor])[] = [
    ['uniform', () => uniform([4, 33])],
    ['uniform in a range', () => uniform([7], { low: -2, high: 3 })],
    ['normal', () => normal([65], { mean: 1, standardDeviation: 2 })],
    ['bernoulli', () => bernoulli([64], 0.3)],
    ['randomInteger', () => randomInteger([50], -3, 9)],
    ['two draws in one sum', () => uniform([9]).add(uniform([9]))],
    ['a draw with its own view', () => uniform([3, 3]).transpose().mul(2)],
  ];
  return [
    {
      group: 'values',
      name: 'random: read as it is, as a new value of a parameter, and as an argument of a compiled function',
      needs: [],
      run: ({ backend }) =>
        withSeed(42, async () => {
          const outer = defaultBackend();
          setDefaultBackend(backend);
          try {
            const right = (draws: number) =>
              withSeed(42, async () => Array.from({ length: draws }, () => hostUniform(6)));
            const [first, second, third] = (await right(3)) as [Float32Array, Float32Array, Float32Array];
            const bare = uniform([6]);
            expectData(await bare.data(), first, exactly, 'a bare random tensor');
            expectData(
              await bare.mul(2).data(),
              first.map((value) => value * 2),
              exactly,
              'used after it was read',
            );
            const twice = compile((x: Tensor) => x.mul(2));
            expectData(
              await (await twice(uniform([6]))).data(),
              second.map((value) => value * 2),
              exactly,
              'an argument',
            );
            const weight = parameter(new Float32Array(6));
            await replace([[weight, uniform([6])]]);
            expectData(await weight.data(), third, exactly, 'a new value of a parameter');
          } finally {
            if (outer !== null) setDefaultBackend(outer);
          }
        }),
    },
    ...draws.map(([name, make]): ConformanceCase => {
      return {
        group: 'values',
        name: `random: ${name}`,
        needs: [],
        run: async ({ backend, options }) => {
          // a number that lives on the backend brings the draw there
          const compute = (on: Backend) =>
            withSeed(42, async () => {
              const drawn = make();
              return (await readAll([drawn.mul(tensor(1, { dtype: drawn.dtype, backend: on }))]))[0]!;
            });
          expectClose(await compute(backend), await compute(reference()), toleranceOf({ slack: 4 }, options), name);
        },
      };
    }),
    {
      group: 'values',
      name: 'random: the device draws what the host draws',
      needs: [],
      run: async ({ backend }) => {
        const device = await withSeed(7, () => uniform([257]).mul(tensor(1, { backend })).data());
        const host = await withSeed(7, async () => hostUniform(257));
        expectData(device, host, exactly, 'uniform');
      },
    },
  ];
}
