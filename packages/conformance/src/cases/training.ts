/**
 * Short trainings from end to end: whole steps with donated parameters, whose loss curves agree with the oracle's. The
 * optimizers are written out here, so that the kit needs only core.
 */
import {
  type Backend,
  conv2d,
  gradients,
  maxPool,
  type Parameter,
  parameter,
  replace,
  type Tensor,
  tensor,
} from '@nn/core';
import type { ConformanceCase } from '../case.ts';
import { expectData, expectTrue } from '../compare.ts';
import { oracle } from '../oracle.ts';
import { reference } from '../reference.ts';
import { dataOf, type Kind, sample, seedOf } from '../samples.ts';

/** What one training needs from its backend. */
interface Maker {
  readonly backend: Backend;
  /** A parameter of random values, scaled. */
  parameter(name: string, scale: number, ...shape: number[]): Parameter;
  data(name: string, kind: Kind, ...shape: number[]): Tensor;
}

interface Training {
  readonly name: string;
  /** The parameters and the loss of step number `step`. */
  readonly make: (maker: Maker) => {
    readonly parameters: readonly Parameter[];
    readonly loss: (step: number) => Tensor;
  };
  readonly optimizer: 'gradient descent' | 'momentum' | 'adam';
  readonly learningRate: number;
}

const steps = 8;

/** -log of the probability of the right class, on average. */
function crossEntropy(logits: Tensor, classes: Tensor): Tensor {
  return logits.logSoftmax().takeAlong(classes.unsqueeze(1), 1).mean().neg();
}

const trainings: readonly Training[] = [
  {
    name: 'a line by gradient descent',
    optimizer: 'gradient descent',
    learningRate: 0.1,
    make: (maker) => {
      const [w, b] = [maker.parameter('w', 0.5, 3, 1), maker.parameter('b', 0, 1)];
      const [x, y] = [maker.data('x', 'any', 16, 3), maker.data('y', 'any', 16, 1)];
      return { parameters: [w, b], loss: () => x.matmul(w).add(b).sub(y).square().mean() };
    },
  },
  {
    name: 'two layers of sigmoids by momentum',
    optimizer: 'momentum',
    learningRate: 0.5,
    make: (maker) => {
      const [a, b] = [maker.parameter('a', 1, 2, 4), maker.parameter('b', 1, 4, 1)];
      const [x, y] = [maker.data('x', 'any', 12, 2), maker.data('y', 'bool', 12, 1)];
      return { parameters: [a, b], loss: () => x.matmul(a).sigmoid().matmul(b).sigmoid().sub(y).square().mean() };
    },
  },
  {
    name: 'a classifier by Adam, on batches that are cut from the data',
    optimizer: 'adam',
    learningRate: 0.02,
    make: (maker) => {
      const [a, b] = [maker.parameter('a', 0.3, 5, 7), maker.parameter('b', 0.3, 7, 3)];
      const [bias, x] = [maker.parameter('bias', 0, 7), maker.data('x', 'any', 24, 5)];
      const classes = maker
        .data('classes', 'bool', 24)
        .add(maker.data('more', 'bool', 24))
        .cast('int32');
      return {
        parameters: [a, b, bias],
        loss: (step) => {
          const start = (step * 6) % 18;
          const hidden = x
            .at([start, start + 6])
            .matmul(a)
            .add(bias)
            .relu();
          return crossEntropy(hidden.matmul(b), classes.at([start, start + 6]));
        },
      };
    },
  },
  {
    name: 'a convolutional network by Adam',
    optimizer: 'adam',
    learningRate: 0.01,
    make: (maker) => {
      const [filters, head] = [maker.parameter('filters', 0.3, 4, 1, 3, 3), maker.parameter('head', 0.2, 36, 2)];
      const [x, classes] = [maker.data('x', 'any', 4, 1, 6, 6), maker.data('classes', 'bool', 4).cast('int32')];
      return {
        parameters: [filters, head],
        loss: () => {
          const features = maxPool(conv2d(x, filters, { padding: 1 }).relu(), { size: [2, 2] });
          return crossEntropy(features.flatten(1).matmul(head), classes);
        },
      };
    },
  },
  {
    name: 'a recurrent network through 6 steps in time, by momentum',
    optimizer: 'momentum',
    learningRate: 0.1,
    make: (maker) => {
      const [inward, around] = [maker.parameter('inward', 0.4, 3, 5), maker.parameter('around', 0.4, 5, 5)];
      const [x, y] = [maker.data('x', 'any', 6, 4, 3), maker.data('y', 'unit', 4, 5)];
      return {
        parameters: [inward, around],
        loss: () => {
          let state = y.mul(0);
          for (let time = 0; time < 6; time++) state = x.at(time).matmul(inward).add(state.matmul(around)).tanh();
          return state.sub(y).square().mean();
        },
      };
    },
  },
  {
    name: 'normalised rows with a table of rows chosen by index, by gradient descent',
    optimizer: 'gradient descent',
    learningRate: 0.5,
    make: (maker) => {
      const [table, scale] = [maker.parameter('table', 0.5, 6, 4), maker.parameter('scale', 1, 4)];
      const y = maker.data('y', 'any', 5, 4);
      return {
        parameters: [table, scale],
        loss: () => {
          const rows = table.gather([0, 3, 3, 5, 1]);
          const centred = rows.sub(rows.mean(-1, { keepAxes: true }));
          const deviation = centred.square().mean(-1, { keepAxes: true }).add(1e-3).sqrt();
          return centred.div(deviation).mul(scale).sub(y).square().mean();
        },
      };
    },
  },
];

export function trainingCases(): ConformanceCase[] {
  return trainings.map((training) => ({
    group: 'training',
    name: training.name,
    needs: [],
    run: async ({ backend, options }) => {
      const expected = await oracle(`training, ${training.name}`, () => train(training, reference()));
      const actual = await train(training, backend);
      const error = Math.max(2e-4, 20 * (options.functionError ?? 0));
      expectData(actual.losses, expected.losses, { relative: error, absolute: error }, 'the losses');
      expectTrue(actual.losses.at(-1)! < actual.losses[0]!, 'the loss did not fall.');
      for (const [k, right] of expected.parameters.entries()) {
        expectData(actual.parameters[k]!, right, { relative: 20 * error, absolute: 20 * error }, `parameter ${k}`);
      }
    },
  }));
}

async function train(
  { name, make, optimizer, learningRate }: Training,
  backend: Backend,
): Promise<{ losses: number[]; parameters: ArrayLike<number>[] }> {
  const fill = (label: string, kind: Kind, shape: readonly number[]): Float32Array =>
    Float32Array.from(dataOf(sample(kind, ...shape), seedOf(name + label)));
  const { parameters, loss } = make({
    backend,
    parameter: (label, scale, ...shape) =>
      parameter(
        fill(label, 'any', shape).map((value) => value * scale),
        { shape, backend, name: label },
      ),
    data: (label, kind, ...shape) => tensor(fill(label, kind, shape), { shape, backend }),
  });
  const moments = parameters.map(({ size, shape }) =>
    [0, 1].map(() => parameter(new Float32Array(size), { shape, backend, buffer: true })),
  );
  const losses: Tensor[] = [];
  for (let step = 0; step < steps; step++) {
    const value = loss(step);
    const slopes = gradients(value, parameters);
    const updates = parameters.flatMap((target, k): [Parameter, Tensor][] => {
      const slope = slopes[k]!;
      const [first, second] = moments[k] as [Parameter, Parameter];
      if (optimizer === 'gradient descent') return [[target, target.sub(slope.mul(learningRate))]];
      if (optimizer === 'momentum') {
        const speed = first.mul(0.9).add(slope);
        return [
          [first, speed],
          [target, target.sub(speed.mul(learningRate))],
        ];
      }
      const mean = first.mul(0.9).add(slope.mul(0.1));
      const square = second.mul(0.999).add(slope.square().mul(0.001));
      const scaled = mean.div(1 - 0.9 ** (step + 1));
      const root = square
        .div(1 - 0.999 ** (step + 1))
        .sqrt()
        .add(1e-8);
      return [
        [first, mean],
        [second, square],
        [target, target.sub(scaled.div(root).mul(learningRate))],
      ];
    });
    await replace(updates, [value]);
    losses.push(value);
  }
  const read = await Promise.all(losses.map((value) => value.item()));
  return { losses: read, parameters: await Promise.all(parameters.map((target) => target.data())) };
}
