import { BodyBuilder, buildKernel, ProgramBuilder } from '@nn/conformance';
import { BackendError, type BufferType, compile, type Program, parameter, setDefaultBackend, tensor } from '@nn/core';
import { describe, expect, it } from 'vitest';
import { cpu } from './cpu.ts';

const vector: BufferType = { dtype: 'float32', shape: [3] };
const none = new Float64Array(0);

/** out[i] = 2 * x[i], in the memory of x where it is donated. */
function doubling(donate: boolean, size = 3): Program {
  const kernel = buildKernel({
    domain: [size],
    reads: ['float32'],
    value: (body) => {
      const x = body.load(0, body.axis(0));
      body.alu('add', 'float32', x, x);
    },
  });
  const program = new ProgramBuilder();
  const x = program.input('float32', [size]);
  if (donate) program.output(program.step(kernel, [x], { inPlace: 0, slotOf: x }), x);
  else program.output(program.step(kernel, [x]));
  return program.build();
}

describe.each(['wasm', 'javascript', 'interpreter'] as const)('buffers and programs in %s', (engine) => {
  it('checks uploads against their type', () => {
    const backend = cpu({ engine });
    const upload = (data: Parameters<typeof backend.upload>[0], type: BufferType) => () => backend.upload(data, type);
    expect(upload(Float32Array.of(1, 2), vector)).toThrow(
      'upload: float32 [3] needs a Float32Array of 3, but the data is a Float32Array of 2.',
    );
    expect(upload(Int32Array.of(1, 2, 3), vector)).toThrow(
      'needs a Float32Array of 3, but the data is a Int32Array of 3',
    );
    expect(upload(new Float32Array(0), { dtype: 'float32', shape: [0, 2] })).toThrow('needs at least one element');
    expect(upload(Uint8Array.of(1), { dtype: 'bool', shape: [] })).not.toThrow();
  });

  it('has what is computed read at once, and says later what has failed', async () => {
    const backend = cpu({ engine });
    setDefaultBackend(backend);
    const y = tensor([1, 2, 3]).mul(2);
    expect(y.dataAtOnce()).toBeNull();
    await y.data();
    expect(y.dataAtOnce()).toEqual(Float32Array.of(2, 4, 6));
    const count = parameter([1]);
    const step = compile(() => count.assign(count.add(1)));
    for (let call = 0; call < 5; call++) step.atOnce() ?? (await step());
    expect(count.dataAtOnce()).toEqual(Float32Array.of(6));
    count.assign(count.mul(2));
    expect(count.dataAtOnce()).toBeNull();
    expect(await count.data()).toEqual(Float32Array.of(12));
    expect(backend.download(backend.upload(Float32Array.of(1, 2, 3), vector))).toEqual(Float32Array.of(1, 2, 3));
    const released = backend.upload(Float32Array.of(1, 2, 3), vector);
    backend.release(released);
    await expect(backend.download(released)).rejects.toThrow(BackendError);
  });

  it('copies what it is given and what it gives', async () => {
    const backend = cpu({ engine });
    const data = Float32Array.of(1, 2, 3);
    const buffer = backend.upload(data, vector);
    data[0] = 9;
    const first = await backend.download(buffer);
    expect(first).toEqual(Float32Array.of(1, 2, 3));
    first[1] = 9;
    expect(await backend.download(buffer)).toEqual(Float32Array.of(1, 2, 3));
  });

  it('keeps the elements of every dtype that it stores', async () => {
    const backend = cpu({ engine });
    const stored = {
      float32: Float32Array.of(1.5, -0, Number.NaN, Infinity, 1e-45),
      int32: Int32Array.of(0, -1, 2147483647, -2147483648, 5),
      bool: Uint8Array.of(0, 1, 1, 0, 1),
      int8: Int8Array.of(-128, 127, 0, -1, 5),
      uint8: Uint8Array.of(0, 255, 128, 1, 5),
      float16: Uint16Array.of(0, 0x3c00, 0x7bff, 0xfc00, 1),
      bfloat16: Uint16Array.of(0, 0x3f80, 0x7f7f, 0xff80, 1),
    };
    for (const dtype of backend.limits.dtypes) {
      const buffer = backend.upload(stored[dtype], { dtype, shape: [5] });
      expect(await backend.download(buffer)).toEqual(stored[dtype]);
    }
  });

  it('refuses buffers that are released, donated or not its own', async () => {
    const backend = cpu({ engine });
    const released = backend.upload(Float32Array.of(1, 2, 3), vector);
    backend.release(released);
    await expect(backend.download(released)).rejects.toThrow(BackendError);
    const executable = await backend.compile(doubling(true));
    expect(() => executable.run([released], none)).toThrow(BackendError);
    const donated = backend.upload(Float32Array.of(1, 2, 3), vector);
    const [output] = executable.run([donated], none);
    // linear memory knows nothing of objects: there the buffer goes on as the output
    expect(output === donated).toBe(engine === 'wasm');
    if (output !== donated) {
      expect(() => executable.run([donated], none)).toThrow(BackendError);
      await expect(backend.download(donated)).rejects.toThrow(BackendError);
    }
    expect(await backend.download(output!)).toEqual(Float32Array.of(2, 4, 6));
    const kept = backend.upload(Float32Array.of(1, 2, 3), vector);
    const copying = await backend.compile(doubling(false));
    for (let run = 0; run < 3; run++) copying.run([kept], none);
    backend.release(kept);
    expect(() => copying.run([kept], none)).toThrow(BackendError);
    const foreign = cpu({ engine: 'interpreter' }).upload(Float32Array.of(1, 2, 3), vector);
    expect(() => executable.run([foreign], none)).toThrow(BackendError);
    expect(() => executable.run([{}], none)).toThrow(BackendError);
  });

  it('leaves a donated input alone when a run fails before it starts', async () => {
    const backend = cpu({ engine });
    const executable = await backend.compile(doubling(true));
    const input = backend.upload(Float32Array.of(1, 2, 3), vector);
    expect(() => executable.run([input], Float64Array.of(1))).toThrow(BackendError);
    expect(() => executable.run([input, input], none)).toThrow(BackendError);
    expect(await backend.download(input)).toEqual(Float32Array.of(1, 2, 3));
    executable.release();
    expect(() => executable.run([input], none)).toThrow(BackendError);
    expect(await backend.download(input)).toEqual(Float32Array.of(1, 2, 3));
  });

  it('allocates nothing in a steady state: donated memory goes around, released memory comes back', async () => {
    const backend = cpu({ engine });
    const step = await backend.compile(doubling(true));
    const other = await backend.compile(doubling(false));
    const total = (): number => {
      const { used, pooled, scratch } = backend.info().memory;
      return used + pooled + scratch;
    };
    let state: object = backend.upload(Float32Array.of(0, 1, -1), vector);
    const once = (): void => {
      const [output] = other.run([state], none);
      backend.release(output!);
      state = step.run([state], none)[0]!;
    };
    once();
    const before = total();
    for (let i = 0; i < 100; i++) once();
    expect(total()).toBe(before);
    const [zero] = await backend.download(state);
    expect(zero).toBe(0);
  });

  it('runs an early program rightly after a later one has moved the memory for intermediates', async () => {
    const chain = (size: number): Program => {
      const program = new ProgramBuilder();
      let last = program.input('float32', [size]);
      const kernel = doubling(false, size).steps[0]!.kernel;
      for (let i = 0; i < 4; i++) last = program.step(kernel, [last]);
      return program.output(last).build();
    };
    const backend = cpu({ engine });
    const small = await backend.compile(chain(3));
    const input = backend.upload(Float32Array.of(1, 2, 3), vector);
    const expected = Float32Array.of(16, 32, 48);
    expect(await backend.download(small.run([input], none)[0]!)).toEqual(expected);
    const large = await backend.compile(chain(300_000));
    expect(await backend.download(small.run([input], none)[0]!)).toEqual(expected);
    const ones = backend.upload(new Float32Array(300_000).fill(1), { dtype: 'float32', shape: [300_000] });
    const [many] = large.run([ones], none);
    expect((await backend.download(many!)).every((value) => value === 16)).toBe(true);
    expect(await backend.download(small.run([input], none)[0]!)).toEqual(expected);
  });

  it('converts scalars to their dtypes', async () => {
    const backend = cpu({ engine });
    const kernel = buildKernel({
      domain: [1],
      scalars: ['int32', 'float32'],
      value: (body) => body.alu('add', 'float32', body.alu('cast', 'float32', body.scalar(0, 'int32')), body.scalar(1)),
    });
    const program = new ProgramBuilder();
    program.scalar('float32');
    program.scalar('int32');
    program.output(program.step(kernel, [], { scalars: [1, 0] }));
    const executable = await backend.compile(program.build());
    const [output] = executable.run([], Float64Array.of(0.1, 7.9));
    expect(await backend.download(output!)).toEqual(Float32Array.of(Math.fround(7 + Math.fround(0.1))));
  });

  it('fills one buffer box by box, and moves a box by scalars without touching the base', async () => {
    const backend = cpu({ engine });
    const body = new BodyBuilder();
    body.load(0, body.axis(0));
    const copy = buildKernel({ domain: [3], reads: ['float32'], value: body.ops });
    const program = new ProgramBuilder();
    const [x, base] = [program.input('float32', [3]), program.input('float32', [100])];
    const at = program.scalar('int32');
    const first = program.step(copy, [x], { into: { base: null, shape: [6], start: [3] } });
    const both = program.step(copy, [x], { into: { base: first, shape: [6], start: [0] }, slotOf: first });
    const moved = program.step(copy, [x], { into: { base, shape: [100], start: [{ scalar: at }] } });
    program.output(both).output(moved);
    const executable = await backend.compile(program.build());
    const old = backend.upload(new Float32Array(100), { dtype: 'float32', shape: [100] });
    const data = Float32Array.of(1, 2, 3);
    const outputs = executable.run([backend.upload(data, vector), old], Float64Array.of(97));
    expect(await backend.download(outputs[0]!)).toEqual(Float32Array.of(1, 2, 3, 1, 2, 3));
    const expected = new Float32Array(100);
    expected.set(data, 97);
    expect(await backend.download(outputs[1]!)).toEqual(expected);
    expect(await backend.download(old)).toEqual(new Float32Array(100));
  });

  it('profiles each step and gives the same outputs', async () => {
    const backend = cpu({ engine });
    const executable = await backend.compile(doubling(false));
    const input = backend.upload(Float32Array.of(1, 2, 3), vector);
    const { outputs, milliseconds } = (await executable.profile?.([input], none))!;
    expect(await backend.download(outputs[0]!)).toEqual(Float32Array.of(2, 4, 6));
    expect(milliseconds).toHaveLength(1);
    expect(milliseconds[0]).toBeGreaterThanOrEqual(0);
    expect(executable.paths).toHaveLength(1);
    expect(executable.paths?.[0]).not.toBe('');
  });

  it('is idle once what was asked is done', async () => {
    const backend = cpu({ engine });
    const executable = await backend.compile(doubling(false));
    executable.run([backend.upload(Float32Array.of(1, 2, 3), vector)], none);
    await expect(backend.idle()).resolves.toBeUndefined();
  });
});

describe('wide vectors', () => {
  it('are not taken where V8 cannot be asked for them, and info says why', () => {
    const { details } = cpu({ engine: 'wasm', wide: true }).info();
    if (details.vectorBits === 256) return expect(details.notWide).toBeUndefined();
    expect(details.vectorBits).toBe(128);
    expect(details.notWide).toMatch(/^only Node from 23\.5 on|^a product of 16 columns takes \d+\.\d times as long/);
  });

  it('are of the engine wasm alone', () => {
    expect(cpu({ engine: 'javascript', wide: true }).info().reason).toBe(
      'asked for; not wide, because only wasm can be',
    );
  });

  it('are not asked for by default', () => {
    expect(cpu({ engine: 'wasm' }).info().details.notWide).toBeUndefined();
  });
});
