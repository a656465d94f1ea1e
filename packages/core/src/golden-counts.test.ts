/**
 * What one training step of six models costs, as a reviewed list: kernels, distinct kernels, bytes moved between memory
 * and processor, and the memory that is held at the peak. A change that moves a number shows here; after a look at why,
 * `vitest -u` writes the file anew.
 */
import { reference } from '@nn/conformance';
import { expect, test } from 'vitest';
import type { Program } from './backend.ts';
import { deviceOf } from './compile/device.ts';
import { trafficOf } from './compile/render.ts';
import { bytesPerElement } from './dtype.ts';
import { conv2d, gradients, maxPool, type Parameter, parameter, type Tensor, tensor } from './index.ts';
import { sizeOf } from './shape.ts';
import { prepare } from './testing.ts';

const backend = prepare(reference());

interface Model {
  readonly parameters: readonly Parameter[];
  readonly loss: () => Tensor;
}

type Optimizer = (target: Parameter, slope: Tensor) => (readonly [Parameter, Tensor])[];

const weight = (...shape: number[]): Parameter => parameter(new Float32Array(sizeOf(shape)), { shape });
const data = (...shape: number[]): Tensor => tensor(new Float32Array(sizeOf(shape)), { shape });
const classes = (count: number): Tensor => tensor(new Int32Array(count));

const crossEntropy = (logits: Tensor, labels: Tensor): Tensor =>
  logits.logSoftmax().takeAlong(labels.unsqueeze(1), 1).mean().neg();

const descent: Optimizer = (target, slope) => [[target, target.sub(slope.mul(0.1))]];

const momentum: Optimizer = (target, slope) => {
  const velocity = weight(...target.shape);
  const speed = velocity.mul(0.9).add(slope);
  return [
    [velocity, speed],
    [target, target.sub(speed.mul(0.1))],
  ];
};

const adam: Optimizer = (target, slope) => {
  const [first, second] = [weight(...target.shape), weight(...target.shape)];
  const mean = first.mul(0.9).add(slope.mul(0.1));
  const square = second.mul(0.999).add(slope.square().mul(0.001));
  return [
    [first, mean],
    [second, square],
    [target, target.sub(mean.div(0.1).div(square.div(0.001).sqrt().add(1e-8)).mul(0.01))],
  ];
};

const models: Readonly<Record<string, readonly [Optimizer, () => Model]>> = {
  '2-4-1, gradient descent': [
    descent,
    () => {
      const [a, b, c, d] = [weight(2, 4), weight(4), weight(4, 1), weight(1)];
      const [x, y] = [data(32, 2), data(32, 1)];
      const loss = () => x.matmul(a).add(b).sigmoid().matmul(c).add(d).sigmoid().sub(y).square().mean();
      return { parameters: [a, b, c, d], loss };
    },
  ],
  'perceptron 784-128-64-10, adam': [
    adam,
    () => {
      const sizes = [784, 128, 64, 10];
      const layers = sizes.slice(1).map((size, k) => [weight(sizes[k] as number, size), weight(size)] as const);
      const [x, labels] = [data(64, 784), classes(64)];
      const forward = (): Tensor =>
        layers.reduce((y: Tensor, [w, b], k) => {
          const z = y.matmul(w).add(b);
          return k < 2 ? z.relu() : z;
        }, x);
      return { parameters: layers.flat(), loss: () => crossEntropy(forward(), labels) };
    },
  ],
  'convolutions 28x28, momentum': [
    momentum,
    () => {
      const [k1, b1, k2, b2, w, b] = [
        weight(8, 1, 3, 3),
        weight(8, 1, 1),
        weight(16, 8, 3, 3),
        weight(16, 1, 1),
        weight(784, 10),
        weight(10),
      ];
      const [x, labels] = [data(32, 1, 28, 28), classes(32)];
      const block = (y: Tensor, k: Parameter, bias: Parameter): Tensor =>
        maxPool(conv2d(y, k, { padding: 1 }).add(bias).relu(), { size: [2, 2] });
      const loss = () =>
        crossEntropy(
          block(block(x, k1, b1), k2, b2)
            .flatten(1)
            .matmul(w)
            .add(b),
          labels,
        );
      return { parameters: [k1, b1, k2, b2, w, b], loss };
    },
  ],
  'LSTM 20 steps, adam': [
    adam,
    () => {
      const [inward, around, bias, head] = [weight(8, 64), weight(16, 64), weight(64), weight(16, 1)];
      const [x, y] = [data(20, 4, 8), data(4, 1)];
      const loss = (): Tensor => {
        let [h, c]: [Tensor, Tensor] = [data(4, 16), data(4, 16)];
        for (let time = 0; time < 20; time++) {
          const gates = x.at(time).matmul(inward).add(h.matmul(around)).add(bias);
          const [i, f, g, o] = gates.split(4, 1) as [Tensor, Tensor, Tensor, Tensor];
          c = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
          h = o.sigmoid().mul(c.tanh());
        }
        return h.matmul(head).sub(y).square().mean();
      };
      return { parameters: [inward, around, bias, head], loss };
    },
  ],
  'transformer block, adam': [
    adam,
    () => {
      const [heads, width, length, batch] = [4, 32, 16, 2];
      const [qkv, out, up, down] = [
        weight(width, 3 * width),
        weight(width, width),
        weight(width, 4 * width),
        weight(4 * width, width),
      ];
      const scales = [weight(width), weight(width), weight(width), weight(width)] as const;
      const [x, y] = [data(batch, length, width), data(batch, length, width)];
      const normalize = (z: Tensor, scale: Parameter, shift: Parameter): Tensor => {
        const centred = z.sub(z.mean(-1, { keepAxes: true }));
        const deviation = centred.square().mean(-1, { keepAxes: true }).add(1e-5).sqrt();
        return centred.div(deviation).mul(scale).add(shift);
      };
      const loss = (): Tensor => {
        const [q, k, v] = normalize(x, scales[0], scales[1])
          .matmul(qkv)
          .split(3, 2)
          .map((part) => part.reshape([batch, length, heads, width / heads]).permute([0, 2, 1, 3])) as [
          Tensor,
          Tensor,
          Tensor,
        ];
        const mixed = q
          .matmul(k.transpose())
          .mul(1 / Math.sqrt(8))
          .softmax()
          .matmul(v);
        const z = x.add(mixed.permute([0, 2, 1, 3]).reshape([batch, length, width]).matmul(out));
        const wide = normalize(z, scales[2], scales[3]).matmul(up).gelu();
        return z.add(wide.matmul(down)).sub(y).square().mean();
      };
      return { parameters: [qkv, out, up, down, ...scales], loss };
    },
  ],
  'autoencoder with batch norm, momentum': [
    momentum,
    () => {
      const [down, scale, shift, up] = [weight(64, 12), weight(12), weight(12), weight(12, 64)];
      const x = data(48, 64);
      const loss = (): Tensor => {
        const code = x.matmul(down);
        const centred = code.sub(code.mean(0));
        const hidden = centred
          .div(code.variance(0, { correction: 0 }).add(1e-5).sqrt())
          .mul(scale)
          .add(shift)
          .relu();
        return hidden.matmul(up).sigmoid().sub(x).abs().mean();
      };
      return { parameters: [down, scale, shift, up], loss };
    },
  ],
};

/** One training step as the Program that the device would get. */
function programOf(optimizer: Optimizer, make: () => Model): Program {
  const { parameters, loss } = make();
  const value = loss();
  const updates = gradients(value, parameters).flatMap((slope, k) => optimizer(parameters[k] as Parameter, slope));
  return deviceOf(backend).prepare(
    [value.node],
    updates.map(([{ variable }, { node }]) => ({ variable, node })),
  ).plan.program;
}

function countsOf(program: Program): Record<string, number> {
  const { buffers, steps } = program;
  const bytesOf = (buffer: number): number => {
    const { dtype, shape } = buffers[buffer] as Program['buffers'][number];
    return sizeOf(shape) * bytesPerElement(dtype);
  };
  const slots = new Map<number, number>();
  for (const [buffer, { slot }] of buffers.entries()) slots.set(slot, Math.max(slots.get(slot) ?? 0, bytesOf(buffer)));
  return {
    kernels: steps.length,
    distinct: new Set(steps.map(({ kernel }) => kernel.key)).size,
    moved: steps.reduce((sum, step) => sum + trafficOf(step, bytesOf), 0),
    peak: [...slots.values()].reduce((sum, bytes) => sum + bytes, 0),
    donated: program.donations.length,
  };
}

test('the cost of six models', async () => {
  const rows = Object.entries(models).map(([name, [optimizer, make]]) => ({
    name,
    ...countsOf(programOf(optimizer, make)),
  }));
  const columns = ['name', 'kernels', 'distinct', 'moved', 'peak', 'donated'] as const;
  const cells = [
    columns as readonly string[],
    ...rows.map((row) => columns.map((column) => String(row[column as 'name']))),
  ];
  const widths = columns.map((_, c) => Math.max(...cells.map((row) => (row[c] as string).length)));
  const text = cells.map((row) =>
    row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c] as number) : cell.padStart(widths[c] as number))).join('  '),
  );
  await expect(`${text.join('\n')}\n`).toMatchFileSnapshot('../fixtures/golden-counts.txt');
});
