/** Programs as text: what people read in explain, and snapshots in tests. */
import { type RecordingBackend, recording, reference } from '@nn/conformance';
import { beforeEach, expect, test } from 'vitest';
import type { Program } from '../backend.ts';
import { concat, ones, parameter, replace, setDefaultBackend, type Tensor, tensor } from '../index.ts';
import { prepare } from '../testing.ts';
import { renderProgram, trafficOf, workOf } from './render.ts';

prepare(reference());
let backend: RecordingBackend = recording(reference());

beforeEach(() => {
  backend = recording(reference());
  setDefaultBackend(backend);
});

async function programOf(...tensors: readonly Tensor[]): Promise<Program> {
  await Promise.all(tensors.map((x) => x.data()));
  return backend.programs.at(-1) as Program;
}

test('a step is one line: what it writes, and the expression', async () => {
  const text = renderProgram(
    await programOf(
      tensor([[1, 2]])
        .matmul(ones([2, 3]))
        .add(1)
        .exp(),
    ),
  );
  expect(text.split('\n')).toEqual([
    'program: 1 inputs, 1 scalars, 2 steps, 1 outputs, 2 kernels',
    '  %1 float32[2,3] = 1',
    '  %2 float32[1,3] = exp((sum[r0<2]((%0[r0] * %1[(i1 + (r0 * 3))])) + $0)) #contraction',
    'return %2',
  ]);
});

test('boxes name their base and start, groups have a bracket, and memory taken over is told', async () => {
  const joined = renderProgram(await programOf(concat([tensor([1, 2]), tensor([3])])));
  expect(joined).toContain('%2 float32[3] = %0[i0] into new memory at [0]');
  expect(joined).toContain('%3 float32[3] = %1[0] into %2 at [2]');
  const rows = renderProgram(await programOf(tensor([[1, 2, 3]]).softmax()));
  expect(rows).toMatch(/┌ .*\n│ .*\n(│ .*\n)?└ /u);
  const weight = parameter([1, 2]);
  await replace([[weight, weight.mul(2)]]);
  expect(renderProgram(backend.programs.at(-1) as Program)).toContain('%1 takes the memory of %0');
});

test('a value that is used twice has a name, and is written once', async () => {
  expect(renderProgram(await programOf(tensor([1, 2]).exp().square()))).toMatch(
    /\{ t\d = exp\(%0\[i0\]\); \(t\d \* t\d\) \}/u,
  );
});

test('equal programs give equal text', async () => {
  const text = async (value: number): Promise<string> => renderProgram(await programOf(tensor([value, 1]).mul(value)));
  expect(await text(2)).toBe(await text(5));
});

test('work counts floating-point operations of values, traffic the bytes of each buffer once', async () => {
  const [step] = (await programOf(tensor([[1, 2, 3]]).matmul(tensor([[1], [2], [3]])))).steps;
  if (step === undefined) throw new Error('no step');
  expect(workOf(step)).toBe(6); // three products and three sums
  const [square] = (await programOf(tensor([1, 2, 3, 4]).exp().square())).steps;
  if (square === undefined) throw new Error('no step');
  expect(workOf(square)).toBe(8);
  expect(trafficOf(square, (buffer) => (buffer === square.write ? 100 : 7))).toBe(107);
});
