/** Slots: how little memory a program needs, and that no two living buffers share any. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import type { Program } from '../backend.ts';
import { bytesPerElement } from '../dtype.ts';
import { concat, gradients, type Tensor, tensor } from '../index.ts';
import { sizeOf } from '../shape.ts';
import { prepare } from '../testing.ts';
import { deviceOf } from './device.ts';

const backend = prepare(reference());

const programOf = (...roots: readonly Tensor[]): Program =>
  deviceOf(backend).prepare(
    roots.map(({ node }) => node),
    [],
  ).plan.program;

/** The bytes of all slots that are neither inputs nor outputs. */
function scratch({ buffers, inputs, outputs }: Program): number {
  const kept = new Set(
    [...buffers.keys()].filter((b) => b < inputs || outputs.includes(b)).map((b) => buffers[b]?.slot),
  );
  const sizes = new Map<number, number>();
  for (const { slot, dtype, shape } of buffers) {
    if (!kept.has(slot)) sizes.set(slot, Math.max(sizes.get(slot) ?? 0, sizeOf(shape) * bytesPerElement(dtype)));
  }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

const square = (): Tensor => tensor(new Float32Array(256), { shape: [16, 16] });

describe('intermediate values share memory', () => {
  test('a chain of products needs two buffers, however long', () => {
    const weights = Array.from({ length: 8 }, square);
    const program = programOf(weights.reduce((x, w) => x.matmul(w), square()));
    expect(program.steps).toHaveLength(8);
    expect(scratch(program)).toBeLessThanOrEqual(2 * 1024);
  });

  test('a value of one element waits in a slot of one element', () => {
    const x = square();
    const program = programOf(x.sub(x.sum()).exp());
    expect(scratch(program)).toBe(4);
  });

  test('a step that reads only where it writes takes the memory of what it reads', () => {
    const y = square().matmul(square());
    const program = programOf(
      y
        .sub(y.max(1, { keepAxes: true }))
        .exp()
        .sum(),
    );
    expect(program.steps.some(({ inPlace }) => inPlace !== undefined) || scratch(program) <= 1024 + 64).toBe(true);
  });

  test('boxes of one tensor are written in one memory', () => {
    const x = square();
    const program = programOf(concat([x.exp(), x.sin(), x.cos()]));
    expect(new Set(program.steps.map(({ write }) => program.buffers[write]?.slot)).size).toBe(1);
  });
});

test('the gradients of a deep network live no longer than they are needed', () => {
  const weights = Array.from({ length: 12 }, square);
  const loss = weights.reduce((x, w) => x.matmul(w).tanh(), square()).sum();
  const program = programOf(...gradients(loss, weights));
  // 12 activations, and a few cotangents at a time
  expect(scratch(program)).toBeLessThanOrEqual((12 + 4) * 1024 + 64);
});

test('inputs and outputs have slots of their own', () => {
  const [x, y] = [square(), square()];
  const program = programOf(x.matmul(y), x.matmul(y).exp(), x.sum());
  const own = [...program.buffers.keys()].filter((b) => b < program.inputs || program.outputs.includes(b));
  const slots = own.map((b) => program.buffers[b]?.slot);
  expect(new Set(slots).size).toBe(slots.length);
});
