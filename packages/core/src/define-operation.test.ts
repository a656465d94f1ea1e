/** Operations of users: what they are refused for. What they compute is a case of the kit: `cases/outsiders.ts`. */
import { reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import {
  compile,
  defineOperation,
  gradients,
  type OperationDefinition,
  scan,
  type Tensor,
  tensor,
  vmap,
} from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

const twice: OperationDefinition<null> = {
  name: 'twice',
  kind: 'pointwise',
  lower: (at, { dtype }) => at.emit('add', dtype, at.input(0, at.index), at.input(0, at.index)),
};

describe('an operation of your own', () => {
  test('goes through gradients, rows, loops and compiled functions', async () => {
    const double = defineOperation({ ...twice, gradient: (g) => [g.mul(2)] });
    const x = tensor([1, 2, 3]);
    expect(await gradients(double([x]).square().sum(), [x])[0].array()).toEqual([8, 16, 24]);
    expect(await vmap((row: Tensor) => double([row.add(1)]))(x).array()).toEqual([4, 6, 8]);
    const step = (total: Tensor, row: Tensor) => ({ carry: double([total]).add(row), output: total });
    const { carry } = scan(step, tensor(0), x);
    expect([await carry.item(), await gradients(carry, [x])[0].array()]).toEqual([11, [4, 2, 1]]);
    const fast = compile((y: Tensor) => double([y]));
    for (let call = 0; call < 3; call++) expect(await (await fast(x)).array()).toEqual([2, 4, 6]);
  });

  test('has no gradient and no rows that it does not say', () => {
    const x = tensor([[1, 2]]);
    const first = defineOperation({
      name: 'first',
      kind: 'view',
      infer: ([y]) => ({ dtype: y!.dtype, shape: y!.shape.slice(1) }),
      lower: (at) => at.input(0, [at.space.zero, ...at.index]),
    });
    expect(() => gradients(first([x]).sum(), [x])).toThrow('gradients: first has no gradient: take it out of the path');
    expect(() => vmap((row: Tensor) => first([row]))(x)).toThrow(
      'vmap: first has no rule for many rows at a time: add `batch` to it, or call the function row by row.',
    );
  });

  test.each([
    [{ ...twice, name: '' }, 'defineOperation: an operation needs a name, which its errors begin with.'],
    [
      { ...twice, kind: 'other' },
      "defineOperation: the kind of twice is \"other\": it is 'pointwise', 'view' or 'nest'.",
    ],
    [{ name: 'twice', kind: 'pointwise' }, 'defineOperation: twice needs lower, which writes its loop body.'],
    [{ ...twice, kind: 'view' }, 'defineOperation: twice is a view, and needs infer: the type of its result.'],
    [{ ...twice, kind: 'nest', infer: () => null }, 'defineOperation: twice is a nest, and needs reduction.'],
    [{ ...twice, reduction: () => null }, 'defineOperation: twice is a pointwise, and reduces nothing.'],
    [{ ...twice, rank: 1 }, 'defineOperation: no option rank'],
  ])('is refused where its definition lacks something: %#', (definition, message) => {
    expect(() => defineOperation(definition as never)).toThrow(message);
  });
});
