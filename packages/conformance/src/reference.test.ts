import type { Backend, BufferType, Program, TensorData } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { type BodyBuilder, buildKernel, ProgramBuilder } from './program-builder.ts';
import { type ReferenceBuffer, reference } from './reference.ts';

const float = (...values: number[]): Float32Array => Float32Array.of(...values);

/** Runs a program on fresh uploads and downloads its outputs. */
async function execute(
  backend: Backend<ReferenceBuffer>,
  program: Program,
  data: readonly TensorData[],
  scalars: readonly number[] = [],
): Promise<TensorData[]> {
  const inputs = data.map((values, input) => backend.upload(values, program.buffers[input] as BufferType));
  const executable = await backend.compile(program);
  const outputs = executable.run(inputs, Float64Array.from(scalars));
  return Promise.all(outputs.map((output) => backend.download(output)));
}

/** out[i] = read 0 at i, after `change`. */
function pointwise(size: number, change: (body: BodyBuilder, x: number) => void) {
  return buildKernel({
    domain: [size],
    reads: ['float32'],
    value: (body) => change(body, body.load(0, body.axis(0))),
  });
}

const double = (size: number) => pointwise(size, (body, x) => body.alu('add', 'float32', x, x));

describe('reference', () => {
  it('evaluates a matrix product with a bias and a maximum as its epilogue', async () => {
    const program = new ProgramBuilder();
    const a = program.input('float32', [2, 3]);
    const b = program.input('float32', [3, 2]);
    const bias = program.input('float32', [2]);
    const kernel = buildKernel({
      domain: [2, 2],
      reads: ['float32', 'float32', 'float32'],
      reduce: { op: 'sum', extents: [3], dtype: 'float32' },
      value: (body) => {
        const left = body.load(
          0,
          body.index([
            [0, 3],
            [2, 1],
          ]),
        );
        body.alu(
          'mul',
          'float32',
          left,
          body.load(
            1,
            body.index([
              [2, 2],
              [1, 1],
            ]),
          ),
        );
      },
      epilogue: (body) => {
        const sum = body.alu('add', 'float32', body.accumulator(), body.load(2, body.axis(1)));
        body.alu('max', 'float32', sum, body.constant(0));
      },
    });
    program.output(program.step(kernel, [a, b, bias]));
    const data = [float(1, 2, 3, 4, 5, 6), float(1, 0, 0, 1, -1, 2), float(10, -9)];
    // [[1, 2, 3], [4, 5, 6]] times [[1, 0], [0, 1], [-1, 2]] is [[-2, 8], [-2, 17]].
    expect(await execute(reference(), program.build(), data)).toEqual([float(8, 0, 8, 8)]);
  });

  it('computes in double precision, and rounds constants and results when asked to', async () => {
    const tenth = new ProgramBuilder();
    const y = tenth.input('float32', [1]);
    tenth.output(
      tenth.step(
        pointwise(1, (body, v) => body.alu('mul', 'float32', v, body.constant(0.1))),
        [y],
      ),
    );
    const exact = reference();
    const buffer = exact.upload(float(3), { dtype: 'float32', shape: [1] });
    expect((await exact.compile(tenth.build())).run([buffer], new Float64Array(0))[0]!.elements![0]).toBe(3 * 0.1);
    const single = reference({ rounding: 'float32' });
    const other = single.upload(float(3), { dtype: 'float32', shape: [1] });
    const rounded = (await single.compile(tenth.build())).run([other], new Float64Array(0))[0]!.elements![0];
    expect(rounded).toBe(Math.fround(3 * Math.fround(0.1)));
  });

  it.each(['sum', 'product', 'max', 'min'] as const)(
    'reduces by %s, from its neutral element, keeping NaN',
    async (op) => {
      const kernel = buildKernel({
        domain: [2],
        reads: ['float32'],
        reduce: { op, extents: [3], dtype: 'float32' },
        value: (body) =>
          body.load(
            0,
            body.index([
              [0, 3],
              [1, 1],
            ]),
          ),
      });
      const program = new ProgramBuilder();
      program.output(program.step(kernel, [program.input('float32', [6])]));
      const [result] = await execute(reference(), program.build(), [float(-2, -3, -4, 1, Number.NaN, 2)]);
      expect(result![0]).toBe({ sum: -9, product: -24, max: -2, min: -4 }[op]);
      expect(result![1]).toBeNaN();
    },
  );

  it('names step, kernel, read and place of a load out of range', async () => {
    const kernel = buildKernel({
      domain: [3],
      reads: ['float32'],
      value: (body) => body.load(0, body.index([[0, 2]], 1)),
    });
    const program = new ProgramBuilder();
    const x = program.input('float32', [4]);
    program.output(program.step(kernel, [program.step(double(4), [x])]));
    await expect(execute(reference(), program.build(), [float(1, 2, 3, 4)])).rejects.toThrow(
      /^step 1 \(kernel .*\): read 0 \(buffer 1\) at 5, for element 2: outside of its 4 elements\.$/,
    );
  });

  it('reads from an offset, and checks the end of the buffer from there', async () => {
    const program = new ProgramBuilder();
    const x = program.input('float32', [4]);
    program.output(program.step(double(2), [x], { offsets: [2] }));
    expect(await execute(reference(), program.build(), [float(1, 2, 3, 4)])).toEqual([float(6, 8)]);
    const beyond = new ProgramBuilder();
    const y = beyond.input('float32', [4]);
    beyond.output(beyond.step(double(2), [y], { offsets: [3] }));
    await expect(execute(reference(), beyond.build(), [float(1, 2, 3, 4)])).rejects.toThrow(
      'outside of its 4 elements',
    );
  });

  it('does not read a buffer again after its slot was overwritten', async () => {
    const program = new ProgramBuilder();
    const x = program.input('float32', [2]);
    const a = program.step(double(2), [x]);
    const b = program.step(double(2), [x], { slotOf: a });
    program.output(program.step(double(2), [a])).output(b);
    await expect(execute(reference(), program.build(), [float(1, 2)])).rejects.toThrow(
      'read 0: buffer 1 is dead: its slot was overwritten by step 1.',
    );
  });

  it('lets a step write what it reads where every load is at the written element, and only there', async () => {
    const make = (kernel: ReturnType<typeof double>): Program => {
      const program = new ProgramBuilder();
      const a = program.step(double(3), [program.input('float32', [3])]);
      return program.output(program.step(kernel, [a], { inPlace: 0, slotOf: a })).build();
    };
    expect(await execute(reference(), make(double(3)), [float(1, 2, 3)])).toEqual([float(4, 8, 12)]);
    const reverse = buildKernel({
      domain: [3],
      reads: ['float32'],
      value: (body) => body.load(0, body.index([[0, -1]], 2)),
    });
    await expect(execute(reference(), make(reverse), [float(1, 2, 3)])).rejects.toThrow(
      'an in-place read is not at the written element',
    );
  });

  it('refuses a shared slot in one step that is not marked in place, or where the limits exclude it', () => {
    const make = (inPlace: boolean): Program => {
      const program = new ProgramBuilder();
      const a = program.step(double(3), [program.input('float32', [3])]);
      return program.output(program.step(double(3), [a], { slotOf: a, ...(inPlace && { inPlace: 0 }) })).build();
    };
    const rule = 'read 0 shares the slot of the written buffer without being in place';
    expect(() => reference().compile(make(false))).toThrow(rule);
    expect(() => reference({ limits: { inPlace: false } }).compile(make(true))).toThrow(rule);
  });

  it('replaces a box of the base, at starts from scalars, and leaves the base as it was', async () => {
    const program = new ProgramBuilder();
    const base = program.input('float32', [3, 3]);
    const box = program.input('float32', [2]);
    const row = program.scalar('int32');
    const kernel = buildKernel({ domain: [1, 2], reads: ['float32'], value: (body) => body.load(0, body.axis(1)) });
    const into = { base, shape: [3, 3], start: [{ scalar: row }, 1] };
    program.output(program.step(kernel, [box], { into }));
    const data = [float(1, 2, 3, 4, 5, 6, 7, 8, 9), float(-1, -2)];
    const backend = reference();
    expect(await execute(backend, program.build(), data, [2])).toEqual([float(1, 2, 3, 4, 5, 6, 7, -1, -2)]);
    await expect(execute(backend, program.build(), data, [3])).rejects.toThrow(
      'a box of [1, 2] at [3, 1] is not inside [3, 3]',
    );
  });

  it('fills a buffer box by box in one slot, and notices elements that nobody has written', async () => {
    const copy = pointwise(2, () => undefined);
    const make = (complete: boolean): Program => {
      const program = new ProgramBuilder();
      const x = program.input('float32', [2]);
      const first = program.step(copy, [x], { into: { base: null, shape: [4], start: [0] } });
      if (!complete) return program.output(first).build();
      const into = { base: first, shape: [4], start: [2] };
      return program.output(program.step(copy, [x], { into, slotOf: first })).build();
    };
    expect(await execute(reference(), make(true), [float(1, 2)])).toEqual([float(1, 2, 1, 2)]);
    await expect(execute(reference(), make(false), [float(1, 2)])).rejects.toThrow('unwritten elements');
  });

  it('takes donated inputs over, and refuses them afterwards', async () => {
    const program = new ProgramBuilder();
    const x = program.input('float32', [2]);
    program.output(program.step(double(2), [x], { inPlace: 0, slotOf: x }), x);
    const backend = reference();
    const buffer = backend.upload(float(1, 2), { dtype: 'float32', shape: [2] });
    const executable = await backend.compile(program.build());
    const [output] = executable.run([buffer], new Float64Array(0));
    expect(await backend.download(output!)).toEqual(float(2, 4));
    const gone = 'the buffer was donated before';
    expect(() => executable.run([buffer], new Float64Array(0))).toThrow(gone);
    expect(() => backend.release(buffer)).toThrow(gone);
    await expect(backend.download(buffer)).rejects.toThrow(gone);
  });

  it('refuses a donated input that is also another input', () => {
    const add = buildKernel({
      domain: [1],
      reads: ['float32', 'float32'],
      value: (body) => body.alu('add', 'float32', body.load(0, body.axis(0)), body.load(1, body.axis(0))),
    });
    const program = new ProgramBuilder();
    const [x, y] = [program.input('float32', [1]), program.input('float32', [1])];
    program.output(program.step(add, [x, y], { inPlace: 0, slotOf: x }), x);
    const backend = reference();
    const buffer = backend.upload(float(1), { dtype: 'float32', shape: [1] });
    const executable = backend.compile(program.build());
    if (executable instanceof Promise) throw new Error('the reference compiles at once');
    expect(() => executable.run([buffer, buffer], new Float64Array(0))).toThrow('input 0 is also another input');
    expect(buffer.elements).not.toBeNull();
  });

  it('refuses to overwrite an input that is not donated', async () => {
    const program = new ProgramBuilder();
    const x = program.input('float32', [2]);
    program.output(program.step(double(2), [x], { inPlace: 0, slotOf: x }));
    await expect(execute(reference(), program.build(), [float(1, 2)])).rejects.toThrow(
      'overwrites input 0, which is not donated',
    );
  });

  it('holds local buffers of a group to their outer index and their group', async () => {
    const make = (shift: number, late: boolean): Program => {
      const program = new ProgramBuilder();
      const x = program.input('float32', [2, 2]);
      const copy = buildKernel({
        domain: [2, 2],
        reads: ['float32'],
        value: (body) => body.load(0, body.flat([2, 2])),
      });
      const shifted = buildKernel({
        domain: [2, 2],
        reads: ['float32'],
        value: (body) =>
          body.load(
            0,
            body.index(
              [
                [0, 2 - 2 * shift],
                [1, 1],
              ],
              2 * shift,
            ),
          ),
      });
      const local = program.step(copy, [x]);
      program.output(program.step(shifted, [local]));
      if (late) program.output(program.step(copy, [local]));
      return program.group(0, 1, 1, [local]).build();
    };
    const data = [float(1, 2, 3, 4)];
    expect(await execute(reference(), make(0, false), data)).toEqual([float(1, 2, 3, 4)]);
    await expect(execute(reference(), make(1, false), data)).rejects.toThrow('at another outer index of its group');
    await expect(execute(reference(), make(0, true), data)).rejects.toThrow('it was local to a group that ended');
  });

  it('refuses released buffers, foreign buffers, wrong uploads and released programs', async () => {
    const backend = reference();
    const type: BufferType = { dtype: 'float32', shape: [2] };
    const buffer = backend.upload(float(1, 2), type);
    backend.release(buffer);
    await expect(backend.download(buffer)).rejects.toThrow('the buffer was released before');
    expect(() => backend.release(buffer)).toThrow('the buffer was released before');
    expect(() => backend.release({ type, elements: new Float64Array(2) })).toThrow(
      'no buffer of the reference backend',
    );
    expect(() => backend.upload(float(1), type)).toThrow(
      'float32 [2] takes a Float32Array of 2, got a Float32Array of 1',
    );
    expect(() => backend.upload(Int32Array.of(1, 2), type)).toThrow('takes a Float32Array of 2, got a Int32Array of 2');
    expect(() => backend.upload(float(), { dtype: 'float32', shape: [0] })).toThrow('0 elements');
    const program = new ProgramBuilder();
    program.output(program.step(double(2), [program.input('float32', [2])]));
    const executable = await backend.compile(program.build());
    executable.release();
    expect(() => executable.run([], new Float64Array(0))).toThrow('the executable was released');
  });

  it('copies what it is given and what it gives', async () => {
    const backend = reference();
    const data = float(1, 2);
    const buffer = backend.upload(data, { dtype: 'float32', shape: [2] });
    data[0] = 9;
    const first = await backend.download(buffer);
    expect(first).toEqual(float(1, 2));
    first[1] = 9;
    expect(await backend.download(buffer)).toEqual(float(1, 2));
  });

  it('judges programs before they run', () => {
    const compile = (change: (program: ProgramBuilder, x: number) => void): (() => unknown) => {
      const program = new ProgramBuilder();
      change(program, program.input('float32', [2]));
      return () => reference().compile(program.build());
    };
    const kernel = (value: (body: BodyBuilder) => void, dtype?: 'int32') =>
      buildKernel({ domain: [2], reads: ['float32'], value, ...(dtype && { dtype }) });
    expect(compile((program, x) => program.output(x))).toThrow('output buffer 0 is an input');
    expect(compile((program, x) => program.step(double(2), [x + 5]))).toThrow('reads buffer 5, not written yet');
    expect(
      compile((program, x) =>
        program.step(
          kernel((body) => body.load(0, body.axis(1))),
          [x],
        ),
      ),
    ).toThrow('operation 0 (axis): axis 1 is none of the 1 int32 axes');
    expect(
      compile((program, x) =>
        program.step(
          kernel((body) => body.load(0, body.constant(0))),
          [x],
        ),
      ),
    ).toThrow('operation 1 (load): the index is not int32');
    expect(
      compile((program, x) =>
        program.step(
          kernel((body) => body.alu('add', 'float32', body.load(0, body.axis(0)), body.axis(0))),
          [x],
        ),
      ),
    ).toThrow('operation 3 (add): takes no (float32, int32) for a result of float32');
    expect(
      compile((program, x) =>
        program.step(
          kernel((body) => body.load(0, body.axis(0)), 'int32'),
          [x],
        ),
      ),
    ).toThrow('computes float32 for a kernel of int32');
    expect(
      compile((program, x) =>
        program.step(
          kernel((body) => {
            const value = body.load(0, body.axis(0));
            for (let i = 0; i < 127; i++) body.alu('floor', 'float32', value);
          }),
          [x],
        ),
      ),
    ).toThrow('a body of 129 operations');
  });
});
