/** A loop as one operation means what the same steps mean one after the other: values, gradients of every order, rows. */
import { recording, reference } from '@nn/conformance';
import { describe, expect, test } from 'vitest';
import {
  compile,
  concat,
  debug,
  explain,
  grad,
  gradients,
  jvp,
  parameter,
  scan,
  setDefaultBackend,
  solve,
  stack,
  type Tensor,
  tensor,
  uniform,
  vmap,
  where,
  whileLoop,
} from './index.ts';
import { prepare } from './testing.ts';

prepare(reference());

async function expectSame(found: Tensor, right: Tensor): Promise<void> {
  expect(found.shape).toEqual(right.shape);
  const [a, b] = await Promise.all([found.data(), right.data()]);
  a.forEach((value, i) => {
    expect(value).toBeCloseTo(b[i] as number, 5);
  });
}

const numbers = (...shape: number[]): Tensor => {
  const size = shape.reduce((product, n) => product * n, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => (((7 * i) % 11) - 5) / 8),
    { shape },
  );
};

interface State {
  readonly h: Tensor;
  readonly c: Tensor;
}
type Step = (state: State, x: Tensor) => { carry: State; output: Tensor };

const weight = numbers(3, 4).mul(0.7);
const bias = numbers(3);

/** A cell with two carried values, one of which is kept, a matrix and a bias from outside. */
const cell: Step = ({ h, c }, x) => {
  const sum = concat([h, x], 1).matmul(weight.transpose()).add(bias);
  const next = sum
    .at('...', [0, 1])
    .sigmoid()
    .mul(c)
    .add(sum.at('...', [1, 2]).tanh());
  const hidden = next.tanh().mul(sum.at('...', [2, 3]).sigmoid());
  return { carry: { h: concat([hidden, h.at('...', [0, 1])], 1), c: next }, output: hidden.mul(2) };
};

/** The same turn after turn. */
function unrolled(step: Step, start: State, xs: Tensor, reverse = false): { carry: State; outputs: Tensor } {
  let carry = start;
  const count = xs.shape[0] as number;
  const outputs: Tensor[] = [];
  for (let turn = 0; turn < count; turn++) {
    const at = reverse ? count - 1 - turn : turn;
    const made = step(carry, xs.at(at));
    carry = made.carry;
    outputs[at] = made.output;
  }
  return { carry, outputs: stack(outputs) };
}

const start = (): State => ({ h: numbers(2, 2), c: numbers(2, 1).add(0.3) });
const xs = numbers(5, 2, 2).add(0.1);

const kept = numbers(5, 2, 1);

const lossOf = ({ carry, outputs }: { carry: State; outputs: Tensor }): Tensor =>
  outputs.mul(kept).sum().add(carry.h.square().sum()).add(carry.c.sum());

describe.each([false, true])('scan, in reverse %s', (reverse) => {
  test('gives what the steps give one after the other', async () => {
    const { carry, outputs } = scan(cell, start(), xs, { reverse });
    const right = unrolled(cell, start(), xs, reverse);
    await expectSame(outputs, right.outputs);
    await expectSame(carry.h, right.carry.h);
    await expectSame(carry.c, right.carry.c);
    // alone, and beside each other
    const again = scan(cell, start(), xs, { reverse });
    await expectSame(again.carry.c, right.carry.c);
    await expectSame(scan(cell, start(), xs, { reverse }).outputs, right.outputs);
  });

  test.each([false, true])('has its gradient, recomputed %s', async (recompute) => {
    const first = start();
    const targets = [first.h, first.c, xs, weight, bias];
    const found = gradients(lossOf(scan(cell, first, xs, { reverse, recompute })), targets);
    const right = gradients(lossOf(unrolled(cell, first, xs, reverse)), targets);
    for (const [k, gradient] of right.entries()) await expectSame(found[k] as Tensor, gradient);
  });

  test('has its gradient with one row, whose products are of columns and rows', async () => {
    const first = { h: numbers(1, 2), c: numbers(1, 1) };
    const row = numbers(5, 1, 2);
    const targets = [first.h, row, weight, bias];
    const loss = ({ outputs }: { outputs: Tensor }): Tensor => outputs.square().sum();
    const found = gradients(loss(scan(cell, first, row, { reverse })), targets);
    const right = gradients(loss(unrolled(cell, first, row, reverse)), targets);
    const text = await explain(found[2] as Tensor);
    for (const [k, gradient] of right.entries()) await expectSame(found[k] as Tensor, gradient);
    expect(text).toMatch(/sum\[r0<5\]\(\(%\d+\[.*\) #contraction/);
  });

  test('has second gradients', async () => {
    const first = start();
    const targets = [first.h, first.c, xs, weight, bias];
    const second = (loss: Tensor): Tensor[] => {
      const slopes = gradients(loss, targets);
      const total = slopes.map((slope) => slope.mul(numbers(...slope.shape)).sum()).reduce((a, b) => a.add(b));
      return gradients(total, targets);
    };
    const found = second(lossOf(scan(cell, first, xs, { reverse })));
    const right = second(lossOf(unrolled(cell, first, xs, reverse)));
    for (const [k, gradient] of right.entries()) await expectSame(found[k] as Tensor, gradient);
  });

  test('goes with rows', async () => {
    const many = numbers(3, 5, 2, 2);
    const run = (x: Tensor): Tensor => scan(cell, start(), x, { reverse }).outputs;
    await expectSame(vmap(run)(many), stack([0, 1, 2].map((k) => run(many.at(k)))));
    const loss = (x: Tensor): Tensor => lossOf(scan(cell, start(), x, { reverse }));
    await expectSame(vmap(grad(loss))(many), stack([0, 1, 2].map((k) => grad(loss)(many.at(k)))));
    const from = (c: Tensor): Tensor => lossOf(scan(cell, { ...start(), c }, xs, { reverse }));
    const states = numbers(3, 2, 1);
    await expectSame(vmap(from)(states), stack([0, 1, 2].map((k) => from(states.at(k)))));
    await expectSame(vmap(grad(from))(states), stack([0, 1, 2].map((k) => grad(from)(states.at(k)))));
  });
});

describe('scan', () => {
  test('carries what is swapped, kept, counted or chosen', async () => {
    const step = ([a, b, n]: Tensor[], x: Tensor) => ({
      carry: [b as Tensor, (a as Tensor).add(x), (n as Tensor).add(1)],
      output: { n: n as Tensor, best: where(x.less(a as Tensor), a as Tensor, x) },
    });
    const { carry, outputs } = scan(step, [tensor(0), tensor(1), tensor(3, { dtype: 'int32' })], tensor([5, 6, 7]));
    expect(await Promise.all(carry.map((x) => (x as Tensor).item()))).toEqual([7, 12, 6]);
    expect(await outputs.n.array()).toEqual([3, 4, 5]);
    expect(await outputs.best.array()).toEqual([5, 6, 7]);
  });

  test('counts turns where there are no inputs, or none at all', async () => {
    const { carry, outputs } = scan((x: Tensor) => ({ carry: x.mul(2), output: x }), tensor(1), null, { length: 5 });
    expect(await carry.item()).toBe(32);
    expect(await outputs.array()).toEqual([1, 2, 4, 8, 16]);
    const none = scan((x: Tensor, y: Tensor) => ({ carry: x.add(y), output: y }), tensor(1), tensor([]));
    expect([await none.carry.item(), none.outputs.shape]).toEqual([1, [0]]);
  });

  test('draws other numbers in each turn, the same ones for its gradient', async () => {
    const step = (x: Tensor, y: Tensor) => ({ carry: x.mul(uniform([2]).add(0.5)), output: y });
    const x = tensor([1, 1]);
    const { carry } = scan(step, x, tensor([0, 0, 0]));
    const [slope] = gradients(carry.sum(), [x]);
    await expectSame(slope, carry);
    const drawn = scan((c: Tensor) => ({ carry: c, output: uniform([]) }), tensor(0), null, { length: 4 }).outputs;
    expect(new Set((await drawn.data()) as Float32Array).size).toBe(4);
  });

  test('goes with forward mode, maxima and loops inside', async () => {
    const step = (x: Tensor, y: Tensor) => {
      const inner = scan((a: Tensor, b: Tensor) => ({ carry: a.mul(b).sin(), output: a.add(b) }), x, y);
      return { carry: inner.carry.add(inner.outputs.max(0)).mul(0.5), output: inner.outputs.sum(0) };
    };
    const by = numbers(3, 4, 2).add(0.2);
    const right = (x: Tensor): Tensor => {
      let carry = x;
      const outputs: Tensor[] = [];
      for (let turn = 0; turn < 3; turn++) {
        let a = carry;
        const sums: Tensor[] = [];
        for (let k = 0; k < 4; k++) {
          const b = by.at(turn).at(k);
          sums.push(a.add(b));
          a = a.mul(b).sin();
        }
        carry = a.add(stack(sums).max(0)).mul(0.5);
        outputs.push(stack(sums).sum(0));
      }
      return stack(outputs).sum().add(carry.square().sum());
    };
    const looped = (x: Tensor): Tensor => {
      const { carry, outputs } = scan(step, x, by);
      return outputs.sum().add(carry.square().sum());
    };
    const x = tensor([0.3, -0.8]);
    await expectSame(looped(x), right(x));
    await expectSame(grad(looped)(x), grad(right)(x));
    const push = (f: (x: Tensor) => Tensor): Tensor => jvp(f, [x], [tensor([1, 2])]).tangent;
    await expectSame(push(looped), push(right));
  });

  test('is compiled once for any values, and short', async () => {
    const first = start();
    const run = compile((x: Tensor) => lossOf(scan(cell, first, x)));
    for (let call = 1; call < 5; call++) {
      const x = xs.mul(call / 3);
      await expectSame(await run(x), lossOf(unrolled(cell, start(), x)));
    }
    const text = await explain(scan(cell, start(), numbers(500, 2, 2)).outputs);
    expect(text).toMatch(/steps \d+ to \d+, 500 times, carrying/);
    expect(text.split('\n').length).toBeLessThan(60);
  });

  test('is the same on a device that repeats no steps', async () => {
    for (const limits of [{ loops: false }, { inPlace: false, maxReads: 4, maxBindings: 5 }]) {
      const backend = reference({ limits });
      const x = tensor(await xs.data(), { shape: xs.shape, backend });
      const { h, c } = start();
      const first = {
        h: tensor(await h.data(), { shape: h.shape, backend }),
        c: tensor(await c.data(), { shape: c.shape, backend }),
      };
      const onDevice: Step = (state, y) => {
        const next = state.c.mul(y.sum(1, { keepAxes: true }).tanh());
        return { carry: { h: state.h.add(y).sin(), c: next }, output: next.add(state.h) };
      };
      const loss = ({ carry, outputs }: { carry: State; outputs: Tensor }): Tensor =>
        outputs.square().sum().add(carry.h.sum()).add(carry.c.sum());
      const found = gradients(loss(scan(onDevice, first, x)), [first.h, first.c, x]);
      const right = gradients(loss(unrolled(onDevice, first, x)), [first.h, first.c, x]);
      for (const [k, gradient] of right.entries()) await expectSame(found[k] as Tensor, gradient);
    }
  });

  test('takes turns apart where the host computes something in each', async () => {
    const step = (x: Tensor, a: Tensor) => {
      const next = solve(a, x);
      return { carry: next, output: next.sum() };
    };
    const matrices = stack(
      [0, 1, 2].map((k) =>
        tensor([
          [2, k],
          [0, 1],
        ]),
      ),
    );
    const start = tensor([[4], [1]]);
    const { carry, outputs } = scan(step, start, matrices);
    const [a, b] = [solve(matrices.at(0), start), (x: Tensor) => solve(matrices.at(2), solve(matrices.at(1), x))];
    await expectSame(carry, b(a));
    await expectSame(outputs.at(0), a.sum());
    await expectSame(gradients(carry.sum(), [start])[0], gradients(b(solve(matrices.at(0), start)).sum(), [start])[0]);
  });

  test("is seen by eager debugging, which names the user's line", async () => {
    debug({ eager: true });
    try {
      const first = start();
      const found = lossOf(scan(cell, first, xs));
      await expectSame(found, lossOf(unrolled(cell, first, xs)));
      await expectSame(gradients(found, [xs])[0], gradients(lossOf(unrolled(cell, first, xs)), [xs])[0]);
      const wrong = scan((x: Tensor, y: Tensor) => ({ carry: x.div(y), output: y }), tensor(1), tensor([1, 0]));
      await expect(wrong.carry.item()).rejects.toThrow(/scan\.test\.ts/);
    } finally {
      debug({ eager: false });
    }
  });

  test('refuses what it cannot mean', () => {
    const keep = (x: Tensor, y: Tensor) => ({ carry: x, output: y });
    expect(() => scan(keep, tensor(0), null as never)).toThrow(
      'scan: there are no inputs to tell how many turns there are: say { length }.',
    );
    expect(() => scan(keep, tensor(0), tensor(1))).toThrow('scan: the inputs need an axis of turns, got [].');
    expect(() => scan(keep, tensor(0), tensor([1, 2]), { length: 3 })).toThrow(
      'scan: input 0, [2], has 2 rows for 3 turns.',
    );
    expect(() => scan((x: Tensor, y: Tensor) => ({ carry: x.add(y), output: x }), tensor(0), numbers(3, 2))).toThrow(
      'scan: the step makes float32 [2] of a carried float32 []: every turn must start alike.',
    );
    expect(() => scan((x: Tensor) => ({ carry: [x], output: x }) as never, tensor(0), numbers(2))).toThrow(
      'scan: the step must give back a carry of the same structure: { carry, output }, with arrays and objects as they came.',
    );
    const total = parameter([0], { name: 'total', buffer: true });
    expect(() =>
      scan(
        (x: Tensor, y: Tensor) => {
          total.assign(y.reshape([1]));
          return { carry: x, output: y };
        },
        tensor(0),
        numbers(2),
      ),
    ).toThrow(
      'scan: the step gives total a value that depends on the turn: carry it from turn to turn, and assign it after the loop.',
    );
  });
});

describe('whileLoop', () => {
  test('goes on as long as values say so', async () => {
    const { n, sum } = await whileLoop(
      (state: { n: Tensor; sum: Tensor }) => state.sum.less(100),
      (state) => ({ n: state.n.add(1), sum: state.sum.add(state.n) }),
      { n: tensor(0), sum: tensor(0) },
    );
    expect([await n.item(), await sum.item()]).toEqual([15, 105]);
  });

  test('takes steps that make tensors, draw numbers and count on the host', async () => {
    let count = 0;
    const sums = await whileLoop(
      ({ x }: { x: Tensor; k: number }) => x.sum().less(9),
      ({ x, k }) => {
        count++;
        return {
          x: x
            .add(tensor([1, 2]))
            .add(uniform([2]).floor())
            .add(k),
          k: 0,
        };
      },
      { x: tensor([0, 0]), k: 0.5 },
    );
    expect([await sums.x.array(), sums.k, count]).toEqual([[3.5, 6.5], 0, 3]);
  });

  test('compiles its turns once, and keeps nothing of turns before', async () => {
    const backend = recording(reference());
    setDefaultBackend(backend);
    const x = await whileLoop(
      (state: Tensor) => state.max().less(300),
      (state) => state.add(1),
      tensor(new Float32Array(100)),
    );
    expect(x.node.inputs).toEqual([]);
    expect([await x.max().item(), backend.programs.length]).toEqual([300, 3]);
    setDefaultBackend(reference());
  });

  test('ends somewhere', async () => {
    await expect(
      whileLoop(
        (x: Tensor) => x.equal(x),
        (x: Tensor) => x,
        tensor(0),
        { most: 3 },
      ),
    ).rejects.toThrow('whileLoop: the condition still holds after 3 turns: is it ever false? { most } allows more.');
    await expect(
      whileLoop(
        (x: Tensor) => x.less(1),
        (x: Tensor) => x,
        tensor([0, 1]),
      ),
    ).rejects.toThrow('whileLoop: the condition must be one bool, got [2]: reduce it, with any() or all().');
  });
});
