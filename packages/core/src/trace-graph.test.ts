import { describe, expect, it } from 'vitest';
import { ones, parameter, tensor, traceGraph, where } from './index.ts';

describe('traceGraph', () => {
  it('shows what a tensor is made of, each node as one object', () => {
    const weight = parameter([
      [1, 2],
      [3, 4],
    ]);
    const trace = traceGraph(() => {
      const x = ones([3, 2]);
      return { x, y: x.matmul(weight).add(x) };
    });
    const node = trace.nodeOf(trace.result.y);
    expect([node.operation, node.dtype, node.shape]).toEqual(['add', 'float32', [3, 2]]);
    expect(node.inputs[1]).toBe(trace.nodeOf(trace.result.x));
    const product = trace.compositeOf(node.inputs[0]!);
    expect(product?.name).toBe('matmul');
    expect(product?.inputs[1]).toBe(trace.nodeOf(weight));
  });

  it('names operations that are made of others, the outermost where one is the other', () => {
    const made = (work: Parameters<typeof traceGraph>[0]): string | undefined => {
      const trace = traceGraph(work as () => ReturnType<typeof ones>);
      return trace.compositeOf(trace.nodeOf(trace.result))?.name;
    };
    const x = tensor([
      [1, -2],
      [3, 4],
    ]);
    expect(made(() => x.softmax())).toBe('softmax');
    expect(made(() => x.logSoftmax())).toBe('logSoftmax');
    expect(made(() => x.relu())).toBe('relu');
    expect(made(() => x.sigmoid())).toBe('sigmoid');
    expect(made(() => x.softplus())).toBe('softplus');
    expect(made(() => x.gelu())).toBe('gelu');
    expect(made(() => x.abs())).toBe('abs');
    expect(made(() => x.sign())).toBe('sign');
    expect(made(() => x.round())).toBe('round');
    expect(made(() => x.mean(1))).toBe('mean');
    expect(made(() => x.argMax(1))).toBe('argMax');
    expect(
      made(() =>
        x.takeAlong(
          tensor(
            [
              [0, 1],
              [1, 0],
            ],
            { dtype: 'int32' },
          ),
          1,
        ),
      ),
    ).toBe('takeAlong');
    expect(made(() => where(x.less(0), 0, x))).toBeUndefined();
  });

  it('keeps nothing afterwards', () => {
    const trace = traceGraph(() => ones([2]));
    const later = ones([2]).relu();
    expect(trace.compositeOf(trace.nodeOf(later))).toBeUndefined();
  });
});
