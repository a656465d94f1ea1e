import { describe, expect, it } from 'vitest';
import { IsolatedBackend } from './isolate.ts';
import { buildKernel, ProgramBuilder } from './program-builder.ts';
import { recording } from './recording.ts';
import { reference } from './reference.ts';

const type = { dtype: 'float32', shape: [2] } as const;

function doubling(donate: boolean) {
  const kernel = buildKernel({
    domain: [2],
    reads: ['float32'],
    value: (body) => {
      const x = body.load(0, body.axis(0));
      body.alu('add', 'float32', x, x);
    },
  });
  const program = new ProgramBuilder();
  const x = program.input('float32', [2]);
  if (donate) program.output(program.step(kernel, [x], { inPlace: 0, slotOf: x }), x);
  else program.output(program.step(kernel, [x]));
  return program.build();
}

describe('recording', () => {
  it('counts calls and keeps what was asked', async () => {
    const backend = recording();
    const program = doubling(false);
    const x = backend.upload(Float32Array.of(1, 2), type);
    const executable = await backend.compile(program);
    const [y] = executable.run([x], new Float64Array(0));
    expect(await backend.download(y!)).toEqual(Float32Array.of(2, 4));
    backend.release(y!);
    expect(backend.counts).toEqual({ upload: 1, download: 1, release: 1, compile: 1, run: 1, idle: 0 });
    expect(backend.programs).toEqual([program]);
    expect(backend.entries.map(({ call }) => call)).toEqual(['upload', 'compile', 'run', 'download', 'release']);
    expect(backend.live).toEqual({ count: 1, bytes: 8 });
    expect(backend.peak).toEqual({ count: 2, bytes: 16 });
    backend.clear();
    expect([backend.entries, backend.counts.run, backend.peak]).toEqual([[], 0, { count: 1, bytes: 8 }]);
  });

  it('counts a donated input as gone', async () => {
    const backend = recording();
    const x = backend.upload(Float32Array.of(1, 2), type);
    const executable = await backend.compile(doubling(true));
    const [y] = executable.run([x], new Float64Array(0));
    expect(backend.live).toEqual({ count: 1, bytes: 8 });
    expect(() => backend.release(x)).toThrow('released, donated or of another backend');
    backend.release(y!);
    expect(backend.live).toEqual({ count: 0, bytes: 0 });
  });

  it('makes the next call of a kind fail, once, and leaves the buffers as they were', async () => {
    const backend = recording();
    const x = backend.upload(Float32Array.of(1, 2), type);
    const executable = await backend.compile(doubling(true));
    backend.fail('run', new Error('no power'));
    expect(() => executable.run([x], new Float64Array(0))).toThrow('no power');
    expect(backend.live.count).toBe(1);
    const [y] = executable.run([x], new Float64Array(0));
    backend.fail('download', undefined, 1);
    expect(await backend.download(y!)).toEqual(Float32Array.of(2, 4));
    await expect(backend.download(y!)).rejects.toThrow('download: made to fail by a test.');
    backend.fail('upload');
    expect(() => backend.upload(Float32Array.of(1, 2), type)).toThrow('upload: made to fail');
    backend.fail('compile');
    expect(() => backend.compile(doubling(false))).toThrow('compile: made to fail');
    backend.fail('idle');
    await expect(backend.idle()).rejects.toThrow('idle: made to fail');
    expect(backend.live).toEqual({ count: 1, bytes: 8 });
  });
});

it('a case that is over gives nothing back a second time, whatever is found unreachable later', async () => {
  const device = recording(reference());
  const one = new IsolatedBackend(device);
  const buffer = one.upload(Float32Array.of(1), { dtype: 'float32', shape: [1] });
  await one.close();
  one.release(buffer);
  expect(device.counts.release).toBe(1);
});
