/** Whatever allocation fails, nothing is left behind and nothing is taken: the same program runs as soon as there is room. */
import { buildKernel, ProgramBuilder } from '@nn/conformance';
import { BackendError, type Program } from '@nn/core';
import { afterEach, expect, it, vi } from 'vitest';
import { WasmEngine } from './engine.ts';

afterEach(() => vi.restoreAllMocks());

const size = 300;

/** Twice the rows of a matrix, softmax-like: an output, intermediates, and work for threads. */
function program(): Program {
  const program = new ProgramBuilder();
  const element: [number, number][] = [
    [0, size],
    [1, 1],
  ];
  const powers = buildKernel({
    domain: [size, size],
    reads: ['float32'],
    value: (body) => {
      body.alu('exp', 'float32', body.load(0, body.index(element)));
    },
  });
  const doubled = buildKernel({
    domain: [size, size],
    reads: ['float32'],
    value: (body) => {
      const x = body.load(
        0,
        body.index([
          [1, size],
          [0, 1],
        ]),
      );
      body.alu('add', 'float32', x, x);
    },
  });
  const middle = program.step(powers, [program.input('float32', [size, size])]);
  program.output(middle);
  program.output(program.step(doubled, [program.step(powers, [middle])]));
  return program.build();
}

it.each([1, 2])('a failed compilation or run gives back what it took, %i threads', async (threads) => {
  const engine = new WasmEngine({ fused: false, threads });
  const input = engine.upload(new Float32Array(size * size).fill(0.5), { dtype: 'float32', shape: [size, size] });
  const { memory } = engine;
  const allocate = memory.allocate.bind(memory);
  let left = Number.POSITIVE_INFINITY;
  vi.spyOn(memory, 'allocate').mockImplementation((bytes) => {
    if (left-- === 0) throw new BackendError('memory', 'no room');
    return allocate(bytes);
  });
  const source = program();
  const attempt = () => {
    const executable = engine.make(source);
    try {
      const outputs = executable.run([input], new Float64Array(0));
      for (const output of outputs) engine.release(output);
    } finally {
      executable.release();
    }
  };
  attempt();
  // What stays is the memory of programs to come: scratch, and that of each thread.
  const { used } = memory;
  let failures = 0;
  for (let at = 0; failures === at; at++) {
    left = at;
    try {
      attempt();
    } catch (error) {
      expect(error).toBeInstanceOf(BackendError);
      failures += 1;
    }
    expect(memory.used).toBe(used);
  }
  expect(failures).toBeGreaterThanOrEqual(3);
  left = Number.POSITIVE_INFINITY;
  attempt();
  expect((await engine.download(input))[0]).toBe(0.5);
  engine.pool?.close();
});
