/**
 * The contract of `Backend` and `Executable`, call by call: copies, releases, chains of runs, donations, boxes, groups,
 * errors and profiles. Programs are written by hand here, so that each case asks for one thing; past 400 lines, because
 * it is one list in the order of the interface.
 */
import type { Backend, DType, Kernel, Program, TensorData } from '@nn/core';
import type { ConformanceCase, Need } from '../case.ts';
import { ConformanceError, exactly, expectData, expectFailure, expectTrue } from '../compare.ts';
import { buildKernel, ProgramBuilder } from '../program-builder.ts';
import { floats, integers, releaseAll, runProgram, uploadAll, withExecutable } from './run-program.ts';

function contractCase(
  name: string,
  run: (backend: Backend) => Promise<void>,
  needs: readonly Need[] = [],
): ConformanceCase {
  return { group: 'contract', name, needs, run: ({ backend }) => run(backend) };
}

function expectNumbers(actual: TensorData | undefined, expected: readonly number[], label = 'the result'): void {
  expectData(actual ?? [], expected, exactly, label);
}

/**
 * `x * factor`, where the factor is a scalar of the program. Donated `in place`, the product goes where x was; donated
 * `behind`, x is read by a first step and its memory is written by a second one.
 */
function scaling(size: number, donated: 'not' | 'in place' | 'behind' = 'not'): Program {
  const program = new ProgramBuilder();
  const x = program.input('float32', [size]);
  program.scalar('float32');
  const kernel = buildKernel({
    domain: [size],
    reads: ['float32'],
    scalars: ['float32'],
    value: (body) => {
      body.alu('mul', 'float32', body.load(0, body.axis(0)), body.scalar(0));
    },
  });
  if (donated === 'in place') return program.output(program.step(kernel, [x], { inPlace: 0, slotOf: x }), x).build();
  const product = program.step(kernel, [x]);
  if (donated === 'not') return program.output(product).build();
  return program.output(program.step(copying(size), [product], { slotOf: x }), x).build();
}

function copying(size: number): Kernel {
  return buildKernel({
    domain: [size],
    reads: ['float32'],
    value: (body) => {
      body.load(0, body.axis(0));
    },
  });
}

/** A kernel of one operation on reads at the written element. */
function pointwise(domain: readonly number[], op: 'add' | 'mul' | 'sub', reads = 2): Kernel {
  return buildKernel({
    domain,
    reads: new Array<DType>(reads).fill('float32'),
    value: (body) => {
      let value = body.load(0, body.flat(domain));
      for (let read = 1; read < reads; read++)
        value = body.alu(op, 'float32', value, body.load(read, body.flat(domain)));
    },
  });
}

const stored: readonly (readonly [DType, TensorData])[] = [
  ['float32', Float32Array.of(1.5, -2, 0, 3e38)],
  ['int32', Int32Array.of(7, -8, 0, 16777216)],
  ['bool', Uint8Array.of(1, 0, 0, 1)],
  ['float16', Uint16Array.of(0x3c00, 0xc000, 0, 0x7bff)],
  ['bfloat16', Uint16Array.of(0x3f80, 0xc000, 0, 0x7f7f)],
  ['int8', Int8Array.of(127, -128, 0, 1)],
  ['uint8', Uint8Array.of(255, 0, 128, 1)],
];
const narrow = new Set<DType>(['float16', 'bfloat16', 'int8', 'uint8']);

export function contractCases(): ConformanceCase[] {
  return [...memoryCases(), ...runCases(), ...donationCases(), ...stepCases(), ...failureCases()];
}

function memoryCases(): ConformanceCase[] {
  return [
    contractCase('limits are whole', async ({ limits }) => {
      for (const dtype of ['float32', 'int32', 'bool'] as const) {
        expectTrue(limits.dtypes.includes(dtype), `limits.dtypes lacks ${dtype}, which every backend stores.`);
      }
      expectTrue(limits.maxReads >= 4, `limits.maxReads is ${limits.maxReads}: core needs at least 4.`);
      expectTrue(limits.maxBindings >= 5, `limits.maxBindings is ${limits.maxBindings}: core needs at least 5.`);
      expectTrue(limits.maxLength >= 2 ** 16, `limits.maxLength is ${limits.maxLength}: too little for any model.`);
      const { count, bytes } = limits.maxResident;
      expectTrue(count > 0 && bytes > 0, 'limits.maxResident leaves no room for any result.');
    }),
    ...stored.map(([dtype, data]) =>
      contractCase(
        `${dtype} comes back as it was uploaded`,
        async (backend) => {
          const buffer = backend.upload(data, { dtype, shape: [2, 2] });
          const back = await backend.download(buffer);
          backend.release(buffer);
          expectTrue(back.constructor === data.constructor, `${dtype} came back as a ${back.constructor.name}.`);
          expectNumbers(back, Array.from(data), dtype);
        },
        narrow.has(dtype) ? [dtype as Need] : [],
      ),
    ),
    contractCase('an upload copies before it returns', async (backend) => {
      const data = Float32Array.of(1, 2, 3);
      const buffer = backend.upload(data, { dtype: 'float32', shape: [3] });
      data.fill(9);
      expectNumbers(await backend.download(buffer), [1, 2, 3]);
      backend.release(buffer);
    }),
    contractCase('a view into a larger array is uploaded as it is', async (backend) => {
      const buffer = backend.upload(Float32Array.of(9, 1, 2, 9).subarray(1, 3), { dtype: 'float32', shape: [2] });
      expectNumbers(await backend.download(buffer), [1, 2]);
      backend.release(buffer);
    }),
    contractCase('a download is a copy', async (backend) => {
      const buffer = backend.upload(Float32Array.of(1, 2), { dtype: 'float32', shape: [2] });
      (await backend.download(buffer)).fill(9);
      expectNumbers(await backend.download(buffer), [1, 2]);
      backend.release(buffer);
    }),
    contractCase('a scalar is a buffer of one element', async (backend) => {
      const buffer = backend.upload(Float32Array.of(2.5), { dtype: 'float32', shape: [] });
      expectNumbers(await backend.download(buffer), [2.5]);
      backend.release(buffer);
    }),
    contractCase('65,537 elements come back', async (backend) => {
      const data = Float32Array.from({ length: 65537 }, (_, i) => i / 8);
      const buffer = backend.upload(data, { dtype: 'float32', shape: [65537] });
      expectData(await backend.download(buffer), data, exactly, 'a large buffer');
      backend.release(buffer);
    }),
    contractCase('two downloads may be under way', async (backend) => {
      const buffers = uploadAll(backend, [floats([1, 2]), floats([3])]);
      const [a, b, again] = await Promise.all([...buffers, buffers[0]!].map((buffer) => backend.download(buffer)));
      expectNumbers(a, [1, 2]);
      expectNumbers(b, [3]);
      expectNumbers(again, [1, 2]);
      for (const buffer of buffers) backend.release(buffer);
    }),
    contractCase('idle resolves with nothing to do', async (backend) => {
      await backend.idle();
      await backend.idle();
    }),
  ];
}

function runCases(): ConformanceCase[] {
  return [
    contractCase('a program runs with what its scalars are at that moment', async (backend) => {
      await withExecutable(backend, scaling(3), async (executable) => {
        const [x] = uploadAll(backend, [floats([1, 2, 3])]);
        const scalars = Float64Array.of(2);
        const [first] = executable.run([x!], scalars);
        scalars[0] = 10; // the array is the caller's again
        const [second] = executable.run([x!], scalars);
        expectNumbers(await backend.download(first!), [2, 4, 6], 'the first run');
        expectNumbers(await backend.download(second!), [10, 20, 30], 'the second run');
        for (const buffer of [x!, first!, second!]) backend.release(buffer);
      });
    }),
    contractCase('a result is not touched by later runs', async (backend) => {
      await withExecutable(backend, scaling(5), async (executable) => {
        const [x] = uploadAll(backend, [floats([1, 2, 3, 4, 5])]);
        const results = [1, 2, 3, 4].map((factor) => executable.run([x!], Float64Array.of(factor))[0]!);
        for (const [k, result] of results.entries()) {
          expectNumbers(
            await backend.download(result),
            [1, 2, 3, 4, 5].map((value) => value * (k + 1)),
            `run ${k}`,
          );
        }
        for (const buffer of [x!, ...results]) backend.release(buffer);
      });
    }),
    contractCase('results are inputs of the next run, without waiting', async (backend) => {
      await withExecutable(backend, scaling(2), async (executable) => {
        let [x] = uploadAll(backend, [floats([1, -3])]);
        for (let step = 0; step < 20; step++) {
          const [next] = executable.run([x!], Float64Array.of(step % 2 === 0 ? 4 : 0.5));
          backend.release(x!); // legal while the queued program uses it
          x = next;
        }
        expectNumbers(await backend.download(x!), [1024, -3072]);
        backend.release(x!);
      });
    }),
    contractCase('one buffer may be two inputs', async (backend) => {
      const program = new ProgramBuilder();
      const [a, b] = [program.input('float32', [3]), program.input('float32', [3])];
      program.output(program.step(pointwise([3], 'mul'), [a, b]));
      await withExecutable(backend, program.build(), async (executable) => {
        const [x] = uploadAll(backend, [floats([1, 2, 3])]);
        const [y] = executable.run([x!, x!], new Float64Array(0));
        expectNumbers(await backend.download(y!), [1, 4, 9]);
        backend.release(x!);
        backend.release(y!);
      });
    }),
    contractCase('a program may be compiled twice, and one released', async (backend) => {
      const first = await backend.compile(scaling(2));
      const second = await backend.compile(scaling(2));
      first.release();
      const [x] = uploadAll(backend, [floats([1, 2])]);
      const [y] = second.run([x!], Float64Array.of(3));
      expectNumbers(await backend.download(y!), [3, 6]);
      second.release();
      expectNumbers(await backend.download(y!), [3, 6], 'after its executable was released');
      backend.release(x!);
      backend.release(y!);
    }),
    contractCase('outputs come in their order, from any step', async (backend) => {
      const program = new ProgramBuilder();
      const [a, b] = [program.input('float32', [2]), program.input('float32', [2])];
      const sum = program.step(pointwise([2], 'add'), [a, b]);
      const square = program.step(pointwise([2], 'mul'), [sum, sum]);
      const difference = program.step(pointwise([2], 'sub'), [square, a]);
      const built = program.output(difference).output(sum).output(square).build();
      const [first, second, third] = await runProgram(backend, built, [floats([1, 2]), floats([3, 5])]);
      expectNumbers(first, [15, 47]);
      expectNumbers(second, [4, 7]);
      expectNumbers(third, [16, 49]);
    }),
    contractCase('scalars of all dtypes', async (backend) => {
      const program = new ProgramBuilder();
      for (const dtype of ['int32', 'float32', 'bool'] as const) program.scalar(dtype);
      const kernel = buildKernel({
        domain: [3],
        scalars: ['float32', 'bool', 'int32'],
        value: (body) => {
          const isShifted = body.scalar(1, 'bool');
          const shift = body.alu('where', 'int32', isShifted, body.scalar(2, 'int32'), body.constant(0, 'int32'));
          const index = body.alu('add', 'int32', body.axis(0), shift);
          body.alu('mul', 'float32', body.alu('cast', 'float32', index), body.scalar(0));
        },
      });
      program.output(program.step(kernel, [], { scalars: [1, 2, 0] }));
      const built = program.build();
      expectNumbers((await runProgram(backend, built, [], [7, 0.5, 1]))[0], [3.5, 4, 4.5]);
      expectNumbers((await runProgram(backend, built, [], [7, 0.5, 0]))[0], [0, 0.5, 1]);
    }),
    contractCase('idle resolves when the work is done', async (backend) => {
      await withExecutable(backend, scaling(4), async (executable) => {
        const [x] = uploadAll(backend, [floats([1, 2, 3, 4])]);
        const [y] = executable.run([x!], Float64Array.of(2));
        await backend.idle();
        expectNumbers(await backend.download(y!), [2, 4, 6, 8]);
        backend.release(x!);
        backend.release(y!);
      });
    }),
    contractCase(
      'a profile gives the same results and a time for each step',
      async (backend) => {
        const program = new ProgramBuilder();
        const x = program.input('float32', [8]);
        const twice = program.step(pointwise([8], 'add'), [x, x]);
        program.output(program.step(pointwise([8], 'mul'), [twice, x]));
        const built = program.build();
        await withExecutable(backend, built, async (executable) => {
          if (executable.profile === undefined) throw new ConformanceError('executables have no profile.');
          const buffers = uploadAll(backend, [floats([0, 1, 2, 3, 4, 5, 6, 7])]);
          const { outputs, milliseconds } = await executable.profile(buffers, new Float64Array(0));
          expectNumbers(await backend.download(outputs[0]!), [0, 2, 8, 18, 32, 50, 72, 98]);
          expectTrue(milliseconds.length === 2, `${milliseconds.length} times for 2 steps.`);
          expectTrue(
            milliseconds.every((time) => Number.isFinite(time) && time >= 0),
            'a time is no time.',
          );
          releaseAll(backend, built, buffers, outputs);
        });
      },
      ['profile'],
    ),
  ];
}

function donationCases(): ConformanceCase[] {
  const forms = [
    ['in place', ['inPlace']],
    ['behind', []],
  ] as const;
  return [
    ...forms.flatMap(([form, needs]) => [
      contractCase(
        `a donated input becomes the output, ${form}`,
        async (backend) => {
          await withExecutable(backend, scaling(4, form), async (executable) => {
            let [x] = uploadAll(backend, [floats([1, 2, 3, -4])]);
            for (let step = 0; step < 100; step++) {
              x = executable.run([x!], Float64Array.of(step % 2 === 0 ? 2 : 0.5))[0]!;
            }
            expectNumbers(await backend.download(x!), [1, 2, 3, -4]);
            backend.release(x!);
          });
        },
        needs,
      ),
      contractCase(
        `a download sees the values of its moment, before a donation ${form}`,
        async (backend) => {
          await withExecutable(backend, scaling(3, form), async (executable) => {
            const [x] = uploadAll(backend, [floats([1, 2, 3])]);
            const before = backend.download(x!);
            const [y] = executable.run([x!], Float64Array.of(5));
            expectNumbers(await before, [1, 2, 3], 'the download before the run');
            expectNumbers(await backend.download(y!), [5, 10, 15], 'the result');
            backend.release(y!);
          });
        },
        needs,
      ),
    ]),
    contractCase(
      'a donated input is still read by the steps before',
      async (backend) => {
        // p' = p - g, and the sum of the old p's squares
        const program = new ProgramBuilder();
        const p = program.input('float32', [4]);
        const g = program.input('float32', [4]);
        const total = buildKernel({
          domain: [],
          reads: ['float32'],
          reduce: { op: 'sum', extents: [4], dtype: 'float32' },
          value: (body) => {
            const element = body.load(0, body.axis(0));
            body.alu('mul', 'float32', element, element);
          },
        });
        const norm = program.step(total, [p]);
        const next = program.step(pointwise([4], 'sub'), [p, g], { inPlace: 0, slotOf: p });
        const built = program.output(norm).output(next, p).build();
        const [sum, values] = await runProgram(backend, built, [floats([1, 2, 3, 4]), floats([1, 1, 0, -1])]);
        expectNumbers(sum, [30]);
        expectNumbers(values, [0, 1, 3, 5]);
      },
      ['inPlace'],
    ),
  ];
}

function stepCases(): ConformanceCase[] {
  const box = buildKernel({
    domain: [2, 2],
    reads: ['float32'],
    value: (body) => {
      body.load(0, body.flat([2, 2]));
    },
  });
  return [
    contractCase('buffers of one slot follow each other', async (backend) => {
      const program = new ProgramBuilder();
      const x = program.input('float32', [3]);
      const a = program.step(pointwise([3], 'add'), [x, x]);
      const b = program.step(pointwise([3], 'mul'), [a, x]);
      const c = program.step(pointwise([3], 'sub'), [b, x], { slotOf: a });
      const d = program.step(pointwise([3], 'add'), [c, c], { slotOf: b });
      program.output(program.step(pointwise([3], 'sub'), [d, x]));
      expectNumbers((await runProgram(backend, program.build(), [floats([1, 2, 3])]))[0], [1, 10, 27]);
    }),
    contractCase('a slot grows with its largest buffer', async (backend) => {
      const spread = buildKernel({
        domain: [6],
        reads: ['float32'],
        value: (body) => {
          body.load(0, body.alu('floorMod', 'int32', body.axis(0), body.constant(2, 'int32')));
        },
      });
      const program = new ProgramBuilder();
      const x = program.input('float32', [2]);
      const small = program.step(pointwise([2], 'add'), [x, x]);
      const other = program.step(pointwise([2], 'mul'), [small, x]);
      const large = program.step(spread, [other], { slotOf: small });
      program.output(program.step(pointwise([6], 'add'), [large, large]));
      expectNumbers((await runProgram(backend, program.build(), [floats([1, 3])]))[0], [4, 36, 4, 36, 4, 36]);
    }),
    contractCase('reads start at their offsets', async (backend) => {
      const program = new ProgramBuilder();
      const x = program.input('float32', [7]);
      program.output(program.step(pointwise([3], 'sub'), [x, x], { offsets: [4, 1] }));
      expectNumbers((await runProgram(backend, program.build(), [floats([0, 1, 4, 9, 16, 25, 36])]))[0], [15, 21, 27]);
    }),
    contractCase('steps run in groups', async (backend) => {
      // softmax without exp: rows divided by their sums
      const program = new ProgramBuilder();
      const x = program.input('float32', [3, 4]);
      const sums = buildKernel({
        domain: [3],
        reads: ['float32'],
        reduce: { op: 'sum', extents: [4], dtype: 'float32' },
        value: (body) => {
          body.load(
            0,
            body.index([
              [0, 4],
              [1, 1],
            ]),
          );
        },
      });
      const divide = buildKernel({
        domain: [3, 4],
        reads: ['float32', 'float32'],
        value: (body) => {
          body.alu('div', 'float32', body.load(0, body.flat([3, 4])), body.load(1, body.axis(0)));
        },
      });
      const total = program.step(sums, [x]);
      const built = program
        .output(program.step(divide, [x, total]))
        .group(0, 1, 1, [total])
        .build();
      const values = [1, 1, 2, 4, 2, 2, 2, 2, 0, 0, 0, 8];
      const [rows] = await runProgram(backend, built, [floats(values, [3, 4])]);
      expectNumbers(rows, [0.125, 0.125, 0.25, 0.5, 0.25, 0.25, 0.25, 0.25, 0, 0, 0, 1]);
    }),
    contractCase(
      'a box goes on top of its base',
      async (backend) => {
        const program = new ProgramBuilder();
        const base = program.input('float32', [3, 3]);
        const x = program.input('float32', [2, 2]);
        program.output(program.step(box, [x], { into: { base, shape: [3, 3], start: [0, 1] } }));
        const inputs = [floats([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]), floats([-1, -2, -3, -4], [2, 2])];
        expectNumbers((await runProgram(backend, program.build(), inputs))[0], [1, -1, -2, 4, -3, -4, 7, 8, 9]);
      },
      ['inPlace'],
    ),
    contractCase(
      'boxes fill a buffer, at starts from scalars',
      async (backend) => {
        const program = new ProgramBuilder();
        const x = program.input('float32', [2, 2]);
        const y = program.input('float32', [2, 2]);
        program.scalar('int32');
        const first = program.step(box, [x], { into: { base: null, shape: [4, 2], start: [0, 0] } });
        const second = { into: { base: first, shape: [4, 2], start: [{ scalar: 0 }, 0] }, slotOf: first };
        program.output(program.step(box, [y], second));
        const built = program.build();
        const inputs = [floats([1, 2, 3, 4], [2, 2]), floats([5, 6, 7, 8], [2, 2])];
        expectNumbers((await runProgram(backend, built, inputs, [2]))[0], [1, 2, 3, 4, 5, 6, 7, 8]);
      },
      ['inPlace'],
    ),
    contractCase(
      'a donated base keeps what is outside of the box',
      async (backend) => {
        const program = new ProgramBuilder();
        const cache = program.input('float32', [4, 2]);
        const x = program.input('float32', [2, 2]);
        program.scalar('int32');
        const into = { base: cache, shape: [4, 2], start: [{ scalar: 0 }, 0] };
        program.output(program.step(box, [x], { into, slotOf: cache }), cache);
        await withExecutable(backend, program.build(), async (executable) => {
          let [memory, row] = uploadAll(backend, [floats(new Array(8).fill(0), [4, 2]), floats([1, 2, 3, 4], [2, 2])]);
          for (const start of [2, 0, 1]) memory = executable.run([memory!, row!], Float64Array.of(start))[0]!;
          expectNumbers(await backend.download(memory!), [1, 2, 1, 2, 3, 4, 3, 4]);
          backend.release(memory!);
          backend.release(row!);
        });
      },
      ['inPlace'],
    ),
    contractCase('reductions in all operations and dtypes', async (backend) => {
      const program = new ProgramBuilder();
      const x = program.input('float32', [2, 3]);
      const n = program.input('int32', [2, 3]);
      const reduce = (op: 'sum' | 'product' | 'max' | 'min', dtype: 'float32' | 'int32'): Kernel =>
        buildKernel({
          domain: [2],
          reads: [dtype],
          reduce: { op, extents: [3], dtype },
          value: (body) => {
            body.load(
              0,
              body.index([
                [0, 3],
                [1, 1],
              ]),
              dtype,
            );
          },
        });
      for (const op of ['sum', 'product', 'max', 'min'] as const) {
        program.output(program.step(reduce(op, 'float32'), [x]));
        program.output(program.step(reduce(op, 'int32'), [n]));
      }
      const inputs = [floats([1, -2, 4, 0.5, 8, -1], [2, 3]), integers([3, -5, 2, -1, -1, 6], [2, 3])];
      const results = await runProgram(backend, program.build(), inputs);
      const right = [
        [3, 7.5],
        [0, 4],
        [-8, -4],
        [-30, 6],
        [4, 8],
        [3, 6],
        [-2, -1],
        [-5, -1],
      ];
      for (const [k, numbers] of right.entries()) expectNumbers(results[k], numbers, `output ${k}`);
    }),
  ];
}

function failureCases(): ConformanceCase[] {
  return [
    contractCase('a released buffer cannot be downloaded', async (backend) => {
      const [x] = uploadAll(backend, [floats([1])]);
      backend.release(x!);
      await expectFailure(() => backend.download(x!), 'a released buffer was downloaded.');
    }),
    contractCase('a run with a released input throws and leaves a donated one alone', async (backend) => {
      const program = new ProgramBuilder();
      const p = program.input('float32', [2]);
      const g = program.input('float32', [2]);
      const next = program.step(pointwise([2], 'sub'), [p, g]);
      program.output(program.step(copying(2), [next], { slotOf: p }), p);
      await withExecutable(backend, program.build(), async (executable) => {
        const [kept, gone] = uploadAll(backend, [floats([1, 2]), floats([3, 4])]);
        backend.release(gone!);
        const run = (): unknown => executable.run([kept!, gone!], new Float64Array(0));
        await expectFailure(run, 'a program ran on a released buffer.');
        expectNumbers(await backend.download(kept!), [1, 2], 'the donated input');
        backend.release(kept!);
      });
    }),
    contractCase('a failed run does not disturb later ones', async (backend) => {
      await withExecutable(backend, scaling(2), async (executable) => {
        const [x, gone] = uploadAll(backend, [floats([1, 2]), floats([3, 4])]);
        backend.release(gone!);
        await expectFailure(() => executable.run([gone!], Float64Array.of(1)), 'a program ran on a released buffer.');
        const [y] = executable.run([x!], Float64Array.of(2));
        expectNumbers(await backend.download(y!), [2, 4]);
        backend.release(x!);
        backend.release(y!);
      });
    }),
  ];
}
