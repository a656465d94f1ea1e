/** Compiling ahead of the first use. */
import { type RecordingBackend, recording, reference } from '@nn/conformance';
import { beforeEach, expect, test } from 'vitest';
import {
  BackendError,
  parameter,
  prepare as prepareProgram,
  randomState,
  setDefaultBackend,
  setSeed,
  tensor,
  uniform,
} from './index.ts';
import { compilingBy, prepare } from './testing.ts';

prepare(reference());
let backend: RecordingBackend = recording(reference());

beforeEach(() => {
  backend = recording(reference());
  setDefaultBackend(backend);
});

const forward = (x: number) => tensor([x, 2, 3]).mul(x).softmax();

test('what was prepared is not compiled again', async () => {
  await prepareProgram(() => forward(1));
  expect(backend.counts).toMatchObject({ compile: 1, run: 0, upload: 0 });
  await forward(5).data();
  expect(backend.counts).toMatchObject({ compile: 1, run: 1 });
});

test('parameters and random numbers stay as they are', async () => {
  setSeed(4);
  const count = parameter([1], { trainable: false });
  await prepareProgram(() => {
    count.assign(count.add(uniform([1])));
    return count.mul(2);
  });
  expect(randomState()).toEqual({ seed: 4, counter: 0 });
  expect(await count.array()).toEqual([1]);
});

test('what was assigned before is not lost, and what the function assigns before it throws is', async () => {
  const count = parameter([1], { trainable: false, name: 'count' });
  count.assign(count.add(1));
  await prepareProgram(() => {
    count.assign(count.mul(100));
    return forward(1);
  });
  const failing = () => {
    count.assign(count.mul(100));
    uniform([1]);
    throw new Error('no');
  };
  setSeed(4);
  await expect(prepareProgram(failing)).rejects.toThrow('no');
  expect(randomState()).toEqual({ seed: 4, counter: 0 });
  expect(await count.array()).toEqual([2]);
});

test('draws that are made while a program compiles stay made', async () => {
  const inner = reference();
  let compiled = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    compiled = resolve;
  });
  setDefaultBackend(compilingBy(inner, (program) => gate.then(() => inner.compile(program))));
  setSeed(4);
  const done = prepareProgram(() => forward(1));
  uniform([1]);
  compiled();
  await done;
  expect(randomState()).toEqual({ seed: 4, counter: 1 });
});

test('a program that cannot be compiled is named, and tried again', async () => {
  backend.fail('compile');
  await expect(prepareProgram(() => forward(1))).rejects.toThrow('compile: made to fail by a test.');
  await prepareProgram(() => forward(1));
  expect(backend.counts.compile).toBe(2);
});

test('a program whose compilation fails later is tried again too', async () => {
  const inner = reference();
  let compiled = 0;
  const slow = compilingBy(inner, async (program) => {
    if (compiled++ === 0) throw new BackendError('', 'the shader does not compile');
    return inner.compile(program);
  });
  setDefaultBackend(slow);
  await expect(prepareProgram(() => forward(1))).rejects.toThrow('the shader does not compile');
  expect((await forward(1).data()).length).toBe(3);
});

test('the function must be synchronous', async () => {
  await expect(prepareProgram((async () => forward(1)) as never)).rejects.toThrow(
    'prepare: the function must not be async',
  );
});

test('what the function assigns on another backend is no part of the program', async () => {
  const elsewhere = parameter(tensor([1], { backend: recording(reference()) }), { trainable: false });
  await prepareProgram(() => {
    elsewhere.assign(elsewhere.mul(2));
    return forward(1);
  });
  expect(backend.programs[0]?.outputs).toHaveLength(1);
  await forward(2).data();
  expect(backend.counts.compile).toBe(1);
  expect(await elsewhere.array()).toEqual([1]);
});
