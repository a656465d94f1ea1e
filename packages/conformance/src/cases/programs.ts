/**
 * Whole programs: those that core writes for large words (products, convolutions, sorting, softmax, an optimizer's step),
 * as they are and stripped of every permission to be faster, and random ones on numbers that leave no rounding.
 */
import {
  type Backend,
  concat,
  conv2d,
  gradients,
  type Limits,
  type Program,
  parameter,
  replace,
  type Tensor,
  tensor,
} from '@nn/core';
import { captureRuns, plainProgram } from '../capture.ts';
import type { ConformanceCase, ConformanceOptions, Need } from '../case.ts';
import { ConformanceError, exactly, expectData, expectTrue, type Tolerance } from '../compare.ts';
import { hintedCase, hintKinds } from '../hinted-kernels.ts';
import { toleranceOf } from '../operation.ts';
import { oracle } from '../oracle.ts';
import { type RandomCase, randomCase } from '../random-kernels.ts';
import { reference } from '../reference.ts';
import { indices, type Kind, type Sample, sample, tensorOf } from '../samples.ts';
import { halfWorks } from './halves.ts';
import { runProgram } from './run-program.ts';

interface Work {
  readonly name: string;
  readonly inputs: readonly Sample[];
  readonly build: (inputs: readonly Tensor[], backend: Backend) => readonly Tensor[] | Promise<readonly Tensor[]>;
  readonly inexact?: true;
  readonly needs?: readonly Need[];
}

const small = (kind: Kind, ...shape: number[]): Sample => sample(kind, ...shape);
const scattered = (count: number, below: number): Sample =>
  indices(Array.from({ length: count }, (_, k) => ((k * 37) % (below + 2)) - 1));

function productWork(
  words: string,
  a: readonly number[],
  b: readonly number[],
  apply: (a: Tensor, b: Tensor) => Tensor,
): Work {
  return {
    name: `product: ${words}`,
    inputs: [small('tied', ...a), small('tied', ...b)],
    build: ([x, y]) => [apply(x!, y!)],
  };
}

function convolutionWork(
  words: string,
  x: readonly number[],
  w: readonly number[],
  options: Parameters<typeof conv2d>[2],
): Work {
  return {
    name: `convolution and its gradients: ${words}`,
    inputs: [small('tied', ...x), small('tied', ...w)],
    build: ([a, b]) => {
      const y = conv2d(a!, b!, options);
      return [y, ...gradients(y.mul(y).sum(), [a!, b!])];
    },
  };
}

const heads = [
  [2, 3, 8, 8],
  [2, 3, 8, 8],
] as const;
/** [batch, heads, length, width] to [batch, length, heads width]. */
const merged = (x: Tensor): Tensor => x.permute([0, 2, 1, 3]).reshape([2, 8, -1]);

const works: readonly Work[] = [
  productWork('64 x 64 x 64', [64, 64], [64, 64], (a, b) => a.matmul(b)),
  productWork('sizes that fit no tile', [37, 53], [53, 29], (a, b) => a.matmul(b)),
  productWork('one row', [1, 130], [130, 67], (a, b) => a.matmul(b)),
  productWork('one column', [67, 130], [130], (a, b) => a.matmul(b)),
  productWork('an outer product', [41, 1], [1, 35], (a, b) => a.matmul(b)),
  productWork('transposed at the left', [31, 18], [31, 21], (a, b) => a.transpose().matmul(b)),
  productWork('transposed at the right', [18, 31], [21, 31], (a, b) => a.matmul(b.transpose())),
  productWork('batches that broadcast', [3, 1, 9, 7], [5, 7, 6], (a, b) => a.matmul(b)),
  productWork('of slices', [20, 20], [20, 20], (a, b) => a.at([2, 19], [1, 14]).matmul(b.at([3, 16], [0, 20, 2]))),
  productWork('with bias and relu after it', [9, 17], [17, 12], (a, b) => a.matmul(b).add(b.at(0)).relu()),
  productWork('its heads merged', ...heads, (a, b) => merged(a.matmul(b)).matmul(b.reshape([48, 8]).at([0, 24]))),
  productWork('its heads merged, with what finishes it', ...heads, (a, b) => merged(a.matmul(b).mul(2)).relu().sub(1)),
  productWork('heads in boxes beside each other', ...heads, (a, b) =>
    concat([merged(a.matmul(b)), merged(b.matmul(b).mul(3)), merged(b)], 2),
  ),
  productWork('heads in boxes that cut others', ...heads, (a, b) =>
    concat([merged(a).at([0, 2], [0, 8], [0, 3]), merged(a.matmul(b))], 2),
  ),
  productWork('its last axis moved', ...heads, (a, b) => a.matmul(b).permute([0, 3, 1, 2])),
  convolutionWork('3 x 3, padded', [2, 3, 9, 8], [5, 3, 3, 3], { padding: 1 }),
  convolutionWork('strided', [2, 4, 11, 9], [3, 4, 3, 2], { stride: [2, 3] }),
  convolutionWork('dilated, in groups', [1, 6, 10, 9], [4, 3, 2, 3], { dilation: 2, groups: 2, padding: [1, 2] }),
  convolutionWork('1 x 1', [3, 8, 5, 5], [6, 8, 1, 1], {}),
  {
    name: 'scatterAdd: many rows',
    inputs: [small('tied', 13, 5), scattered(200, 13), small('tied', 200, 5)],
    build: ([x, i, u]) => [x!.scatterAdd(i!, u!)],
  },
  {
    name: 'scatterAdd: along the last axis',
    inputs: [small('tied', 4, 30), scattered(90, 30), small('tied', 4, 90)],
    build: ([x, i, u]) => [x!.scatterAdd(i!, u!, 1)],
  },
  {
    name: 'running sum: 200 long',
    inputs: [small('tied', 3, 200)],
    build: ([x]) => [x!.cumsum(1), x!.transpose().cumsum(0)],
  },
  {
    name: 'sorting: 150 long, with equals',
    inputs: [small('whole', 3, 150)],
    build: ([x]) => Object.values(x!.sort(1)),
  },
  {
    name: 'sorting: columns, descending',
    inputs: [small('distinct', 90, 3)],
    build: ([x]) => Object.values(x!.sort(0, { descending: true })),
  },
  {
    name: 'largest and its index: 700 long',
    inputs: [small('tied', 4, 700)],
    build: ([x]) => [x!.max(1), x!.argMax(1)],
  },
  { name: 'sum: 5,000 long', inputs: [small('tied', 5000)], build: ([x]) => [x!.sum(), x!.mul(x!).sum()] },
  { name: 'sum: columns of a wide matrix', inputs: [small('tied', 70, 130)], build: ([x]) => [x!.sum(0), x!.sum(1)] },
  {
    name: 'softmax: rows',
    inputs: [small('any', 12, 40)],
    build: ([x]) => [x!.softmax(), x!.logSoftmax()],
    inexact: true,
  },
  { name: 'layer norm: rows', inputs: [small('any', 9, 33)], build: ([x]) => [normalized(x!)], inexact: true },
  {
    name: 'rows less their mean, and their exponentials, both used afterwards',
    inputs: [small('any', 9, 33), small('any', 33, 4)],
    build: ([x, w]) => {
      const centred = x!.sub(x!.mean(-1, { keepAxes: true }));
      return [centred.matmul(w!), centred.exp().matmul(w!)];
    },
    inexact: true,
  },
  {
    name: 'a parameter that is replaced beside its mirror image',
    inputs: [small('any', 17)],
    build: async ([x]) => {
      const target = parameter(x!);
      const mirrored = target.flip(0).mul(3);
      await replace([[target, target.mul(2)]], [mirrored]);
      return [target, mirrored];
    },
  },
  {
    name: 'attention: causal',
    inputs: [small('any', 2, 7, 8), small('any', 2, 7, 8)],
    build: ([x, m]) => [attention(x!, m!)],
    inexact: true,
  },
  {
    name: 'an optimizer step: momentum and parameters together',
    inputs: [small('any', 6, 5), small('any', 8, 6), small('any', 8, 5)],
    build: ([w, x, y], backend) => momentumStep(w!, x!, y!, backend),
    inexact: true,
  },
];

function normalized(x: Tensor): Tensor {
  const centred = x.sub(x.mean(-1, { keepAxes: true }));
  return centred.div(centred.square().mean(-1, { keepAxes: true }).add(1e-5).sqrt());
}

function attention(x: Tensor, memory: Tensor): Tensor {
  const scores = x.matmul(memory.transpose()).mul(1 / Math.sqrt(8));
  const [rows, columns] = [scores.shape.at(-2)!, scores.shape.at(-1)!];
  const mask = tensor(
    Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, k) => (k > i ? -1e9 : 0))),
  );
  return scores.add(mask).softmax().matmul(memory);
}

async function momentumStep(w: Tensor, x: Tensor, y: Tensor, backend: Backend): Promise<readonly Tensor[]> {
  const weight = parameter(w);
  const velocity = parameter(new Float32Array(w.size), { shape: w.shape, backend });
  for (let step = 0; step < 3; step++) {
    const loss = x.matmul(weight).sub(y).square().mean();
    const [slope] = gradients(loss, [weight]);
    const speed = velocity.mul(0.9).add(slope);
    await replace(
      [
        [velocity, speed],
        [weight, weight.sub(speed.mul(0.1))],
      ],
      [loss],
    );
  }
  return [weight];
}

export function programCases({ seed = 1, randomCases = 40 }: ConformanceOptions): ConformanceCase[] {
  const halves = halfWorks().map((work): Work => ({ ...work, needs: [work.dtype] }));
  return [...[...works, ...halves].map(workCase), ...randomProgramCases(seed, randomCases)];
}

/** The programs of a computation give what they give without hints, groups and shared memory, and what the oracle says. */
function workCase({ name, inputs, build, inexact, needs = [] }: Work): ConformanceCase {
  return {
    group: 'programs',
    name,
    needs,
    run: async ({ backend, options }) => {
      const load = (on: Backend): Tensor[] => inputs.map((input, k) => tensorOf(input, k + 1, on));
      // core writes programs by the limits
      const question = `programs, ${name}, ${JSON.stringify(backend.limits)}`;
      const runs = await oracle(question, () => captureRuns(backend.limits, (on) => build(load(on), on)));
      expectTrue(runs.length > 0, `${name}: core ran no program.`);
      const tolerance = inexact === true ? toleranceOf({ slack: 4 }, options) : exactly;
      for (const run of runs) {
        await expectOutputs(backend, run.program, run, tolerance, name);
        await expectOutputs(backend, plainProgram(run.program), run, tolerance, `${name}, without hints and groups`);
      }
    },
  };
}

async function expectOutputs(
  backend: Backend,
  program: Program,
  { inputs, scalars, outputs }: Omit<Awaited<ReturnType<typeof captureRuns>>[number], 'program'>,
  tolerance: Tolerance,
  label: string,
): Promise<void> {
  const found = await runProgram(backend, program, inputs, scalars);
  for (const [k, right] of outputs.entries()) expectData(found[k] ?? [], right, tolerance, `${label}, output ${k}`);
}

/** A random program, the first one from this seed on that the device can be asked to run, against the oracle. */
function drawnCase(
  name: string,
  seed: number,
  draw: (seed: number) => RandomCase,
  {
    needs = [],
    tolerance = () => exactly,
  }: { readonly needs?: readonly Need[]; readonly tolerance?: (options: ConformanceOptions) => Tolerance } = {},
): ConformanceCase {
  return {
    group: 'programs',
    name: `${name}, seed ${seed}`,
    needs,
    run: async ({ backend, options }) => {
      const first = seed * 1000;
      const isPossible = (number: number): boolean => isWithin(draw(number).program, backend.limits);
      const number = Array.from({ length: 1000 }, (_, k) => first + k).find(isPossible);
      if (number === undefined) throw new ConformanceError(`${name}: none of 1,000 programs is within the limits.`);
      const { program, inputs, scalars } = draw(number);
      const right = reference({ rounding: 'float32', limits: backend.limits });
      const question = `programs, ${name}, number ${number}, ${JSON.stringify(backend.limits)}`;
      const outputs = await oracle(question, () => runProgram(right, program, inputs, [...scalars]));
      const run = { inputs, scalars: [...scalars], outputs };
      await expectOutputs(backend, program, run, tolerance(options), `${name}, number ${number}`);
    },
  };
}

function randomProgramCases(seed: number, count: number): ConformanceCase[] {
  return [
    ...Array.from({ length: count }, (_, k) => {
      if (k % 4 !== 3) return drawnCase('random program', seed + k, randomCase);
      const inexact = (number: number): RandomCase => randomCase(number, { exact: false });
      return drawnCase('random program with functions', seed + k, inexact, {
        tolerance: (options) => toleranceOf({ slack: 10 }, options),
      });
    }),
    ...hintKinds.flatMap((kind) =>
      [0, 1, 2].map((k) => {
        const large = k === 2;
        const draw = (number: number): RandomCase => hintedCase(kind, number, { large });
        const needs: readonly Need[] = kind === 'bytes' ? ['int8', 'uint8'] : [];
        return drawnCase(`${large ? 'large ' : ''}${kind} with a hint`, seed + k, draw, { needs });
      }),
    ),
  ];
}

const wordOperations = new Set(['pow', 'shl', 'shr', 'and', 'or', 'xor', 'mul', 'add', 'sub']);

/** Whether core could have written the program for a device with these limits. */
function isWithin({ buffers, steps }: Program, limits: Limits): boolean {
  return (
    buffers.every(({ dtype }) => limits.dtypes.includes(dtype)) &&
    steps.every(({ kernel, into, inPlace, reads }) => {
      const room = Math.min(limits.maxReads, limits.maxBindings - 1);
      if (reads.length > room || ((into !== undefined || inPlace !== undefined) && !limits.inPlace)) return false;
      if (limits.exactInt32) return true;
      // without wrapping integers, only those that cannot grow past 2^24
      const words = [...kernel.value, ...(kernel.epilogue ?? [])].filter(
        ({ op, dtype }) => dtype === 'int32' && wordOperations.has(op),
      );
      return words.every(({ op }) => op === 'mul' || op === 'add' || op === 'sub') && words.length <= 12;
    })
  );
}
