/** The kit itself: it passes what is right, and finds what is wrong with backends that are broken on purpose. */
import type { Alu, Backend, BufferType, Executable, Kernel, Op, Program, TensorData } from '@nn/core';
import { describe, expect, test } from 'vitest';
import { type ConformanceCase, type ConformanceOptions, runConformanceCase, skipOf } from './case.ts';
import { conformanceCases } from './conformance.ts';
import { printGraph, randomGraph, shrinkGraph } from './random-graphs.ts';
import { reference } from './reference.ts';
import { sharedMemory } from './shared-memory.ts';
import { testConformance } from './vitest.ts';

const lacks = { profile: 'the oracle has no clock' };

test('the oracle with the rounding of a device conforms', async () => {
  const backend = reference({ rounding: 'float32' });
  expect(await firstFailure(backend, ['contract', 'programs', 'training'])).toBe(null);
});

/** What core writes for other limits, programs and graphs show; of the rest some are run, and all by `NN_KIT=whole`. */
const isWhole = process.env.NN_KIT === 'whole';
testConformance(
  'the oracle with the limits of a small device',
  () => reference({ rounding: 'float32', limits: { maxReads: 4, maxBindings: 5, inPlace: false } }),
  { lacks, randomCases: 10, every: isWhole ? {} : { values: 4, gradients: 4, fusion: 4, 'special numbers': 4 } },
);

// what core says of memory and groups keeps the meaning of programs where memory is really shared
testConformance('a device whose memory is shared as planned', () => sharedMemory(), {
  lacks,
  groups: ['contract', 'fusion', 'loops', 'programs', 'random graphs', 'training'],
  every: isWhole ? {} : { fusion: 3 },
});

/** Passes everything on to the oracle; tests break one method at a time. */
class Broken implements Backend {
  readonly name = 'broken';
  readonly inner: Backend = reference({ rounding: 'float32' });
  readonly limits = this.inner.limits;
  upload(data: TensorData, type: BufferType): object {
    return this.inner.upload(data, type);
  }
  download(buffer: object): TensorData | Promise<TensorData> {
    return this.inner.download(buffer);
  }
  release(buffer: object): void {
    this.inner.release(buffer);
  }
  compile(program: Program): Executable | Promise<Executable> {
    return this.inner.compile(program);
  }
  idle(): Promise<void> {
    return this.inner.idle();
  }
}

/** A backend whose kernels are changed before they run. */
function withKernels(change: (kernel: Kernel) => Kernel): Backend {
  return new (class extends Broken {
    override compile(program: Program): Executable | Promise<Executable> {
      const steps = program.steps.map((step) => ({ ...step, kernel: change(step.kernel) }));
      return this.inner.compile({ ...program, steps });
    }
  })();
}

/** A backend in which one scalar function is another one. */
function confused(from: Alu, change: (op: Op & { readonly args: readonly number[] }) => Op): Backend {
  const body = (ops: readonly Op[]): Op[] => ops.map((op) => (op.op === from && 'args' in op ? change(op) : op));
  return withKernels((kernel) => ({
    ...kernel,
    value: body(kernel.value),
    ...(kernel.epilogue && { epilogue: body(kernel.epilogue) }),
  }));
}

/** The first case that fails, among those of some groups. */
async function firstFailure(
  backend: Backend,
  groups: readonly string[] = [],
  options: ConformanceOptions = { lacks, randomCases: 20 },
): Promise<{ readonly found: ConformanceCase; readonly error: Error } | null> {
  for (const found of conformanceCases(options)) {
    if (groups.length > 0 && !groups.includes(found.group)) continue;
    if (skipOf(found, { backend, options }) !== null) continue;
    try {
      await runConformanceCase(found, { backend, options });
    } catch (error) {
      return { found, error: error as Error };
    }
  }
  return null;
}

test('a group that does not exist is refused, instead of no case that fails', () => {
  const groups =
    'contract, values, gradients, fusion, special numbers, loops, programs, random graphs, reads, functions of tensors, training';
  const asked = (options: object) => () => conformanceCases(options);
  expect(asked({ groups: ['contract', 'special'] })).toThrow(`conformance: there is no group 'special': ${groups}.`);
  expect(asked({ every: { value: 4 } })).toThrow(`conformance: there is no group 'value': ${groups}.`);
  expect(asked({ every: { values: 0 } })).toThrow(
    "conformance: every n-th case of 'values' is 0: a whole number, 1 or more.",
  );
  expect(new Set(conformanceCases().map(({ group }) => group))).toEqual(new Set(groups.split(', ')));
});

describe('the kit finds', () => {
  test.each<[string, Backend, string]>([
    [
      'an upload that keeps the array',
      new (class extends Broken {
        readonly kept = new WeakMap<object, TensorData>();
        override upload(data: TensorData, type: BufferType): object {
          const buffer = super.upload(data, type);
          this.kept.set(buffer, data);
          return buffer;
        }
        override async download(buffer: object): Promise<TensorData> {
          const data = await super.download(buffer);
          return this.kept.get(buffer)?.slice() ?? data;
        }
      })(),
      'contract',
    ],
    [
      'scalars that are read too late',
      new (class extends Broken {
        readonly late = new WeakMap<object, () => object>();
        override async compile(program: Program): Promise<Executable> {
          const executable = await super.compile(program);
          return {
            ...executable,
            run: (inputs, scalars) => {
              const outputs = executable.run(inputs, scalars);
              outputs.forEach((output, k) => {
                if (program.donations.length === 0) this.late.set(output, () => executable.run(inputs, scalars)[k]!);
              });
              return outputs;
            },
          };
        }
        override download(buffer: object): TensorData | Promise<TensorData> {
          return super.download(this.late.get(buffer)?.() ?? buffer);
        }
      })(),
      'contract',
    ],
    [
      'the hint of a product taken for its meaning',
      withKernels((kernel) => {
        if (kernel.hint?.kind !== 'contraction' || kernel.epilogue === undefined) return kernel;
        const { epilogue: _, ...rest } = kernel;
        return kernel.dtype === kernel.reduce?.dtype ? rest : kernel;
      }),
      'values',
    ],
    ['a floorMod with the sign of the dividend', confused('floorMod', (op) => ({ ...op, op: 'mod' })), 'values'],
    ['a maximum of which the minimum was meant', confused('min', (op) => ({ ...op, op: 'max' })), 'values'],
    ['a comparison with equality', confused('less', (op) => ({ ...op, args: [op.args[1]!, op.args[0]!] })), 'values'],
    ['a tanh that is a sine', confused('tanh', (op) => ({ ...op, op: 'sin' })), 'values'],
    [
      'a running maximum that starts from 0',
      withKernels((kernel) =>
        kernel.reduce?.op === 'max' ? { ...kernel, reduce: { ...kernel.reduce, op: 'sum' } } : kernel,
      ),
      'values',
    ],
    [
      'integers that do not wrap',
      confused('mul', (op) => (op.dtype === 'int32' ? { ...op, op: 'max' } : op)),
      'values',
    ],
  ])('%s', async (_, backend, group) => {
    const failure = await firstFailure(backend, [group]);
    expect(failure?.found.group).toBe(group);
  });

  test('a capability that is said to be missing and is there', async () => {
    const failure = await firstFailure(reference({ rounding: 'float32' }), ['special numbers'], {
      lacks: { ...lacks, 'nan/exp': 'an invention' },
    });
    expect(failure?.error.message).toBe(
      'special numbers, nan in exp: passes, although the backend says that it lacks nan/exp: an invention. Take that from the list.',
    );
  });

  test('nothing where the backend itself says what it lacks', async () => {
    const oracle = reference({ rounding: 'float32' });
    const backend: Backend = Object.assign(Object.create(oracle), {
      limits: oracle.limits,
      capabilities: { lacks: { profile: 'no clock', nan: 'not always' } },
      upload: oracle.upload.bind(oracle),
      download: oracle.download.bind(oracle),
      release: oracle.release.bind(oracle),
      compile: oracle.compile.bind(oracle),
      idle: oracle.idle.bind(oracle),
    });
    expect(await firstFailure(backend, ['contract', 'special numbers'], {})).toBe(null);
    expect((await firstFailure(backend, ['contract'], { lacks: {} }))?.found.needs).toEqual(['profile']);
  });

  test('a fused kernel that differs, and the smallest graph with it', async () => {
    // adds 1/8 to every sum that is made in a kernel with a comparison
    const backend = withKernels((kernel) => {
      const last = kernel.value.at(-1)!;
      if (kernel.reduce !== undefined || last.op !== 'add' || last.dtype !== 'float32') return kernel;
      if (!kernel.value.some(({ op }) => op === 'max')) return kernel;
      return { ...kernel, value: [...kernel.value.slice(0, -1), { ...last, op: 'sub' }] };
    });
    const failure = await firstFailure(backend, ['random graphs'], { lacks, randomCases: 60 });
    expect(failure?.error.message).toContain('The smallest part that fails');
    const steps = failure!.error.message.split('\n').filter((line) => / of v/.test(line));
    expect(steps.length).toBeLessThanOrEqual(4);
  });
});

test('every case has a name of its own', () => {
  const names = conformanceCases().map(({ group, name }) => `${group}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
});

test('a random graph follows from its seed', () => {
  expect(printGraph(randomGraph(5))).toBe(printGraph(randomGraph(5)));
  expect(printGraph(randomGraph(5))).not.toBe(printGraph(randomGraph(6)));
});

test('shrinking keeps only what fails', async () => {
  const graph = randomGraph(12, 20);
  const target = graph.values.findIndex((value) => value.kind === 'step');
  const fails = async (candidate: typeof graph) => printGraph(candidate).includes(`v${target} = `);
  const smallest = await shrinkGraph(graph, fails, async () => []);
  expect(smallest.roots).toHaveLength(1);
  expect(await fails(smallest)).toBe(true);
});
