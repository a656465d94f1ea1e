/**
 * What the gradients of every sample apart cost: `perSampleGradients` beside a version written by hand for each layer (a batched
 * forward pass, the gradient of what the layer gives, and the formula for its weights), and beside the gradient of the whole
 * batch, in turns; medians.
 * Run: npx tsx --conditions=@nn/source packages/layers/bench/per-sample.ts [words of names]
 */
import process from 'node:process';
import { cpu } from '@nn/backend-cpu';
import {
  compile,
  einsum,
  gradients,
  parameters,
  perSampleGradients,
  randomInteger,
  setDefaultBackend,
  setSeed,
  stack,
  type Tensor,
  unfold,
  uniform,
  zeros,
} from '@nn/core';
import { attention, Conv2d, Embedding, LayerNorm, Linear, LSTM, MultiheadAttention } from '../src/index.ts';

setDefaultBackend(cpu());
setSeed(1);

interface Subject {
  readonly name: string;
  readonly model: object;
  readonly input: Tensor;
  readonly forward: (x: Tensor) => Tensor;
  /** The gradients by hand, in the order of `parameters(model)`. */
  readonly byHand: (x: Tensor) => Tensor[];
}

/** The loss of each sample: one that has a gradient everywhere. */
const losses = (y: Tensor): Tensor =>
  y
    .square()
    .reshape([y.shape[0] as number, -1])
    .mean(1);

function linear(): Subject {
  const layer = new Linear(256, 256);
  const forward = (x: Tensor): Tensor => layer.forward(x);
  const byHand = (x: Tensor): Tensor[] => {
    const y = forward(x);
    const [g] = gradients(losses(y).sum(), [y]);
    return [einsum('no,ni->noi', g, x), g];
  };
  return { name: 'Linear 256-256, 64 samples', model: layer, input: uniform([64, 256]), forward, byHand };
}

function convolution(): Subject {
  const layer = new Conv2d(16, 32, 3, { padding: 1 });
  const forward = (x: Tensor): Tensor => layer.forward(x);
  const byHand = (x: Tensor): Tensor[] => {
    const y = forward(x);
    const [g] = gradients(losses(y).sum(), [y]);
    const [n, o] = y.shape as [number, number];
    const columns = unfold(x, { size: [3, 3], padding: 1 });
    const flat = g.reshape([n, o, -1]);
    return [einsum('nop,nkp->nok', flat, columns).reshape([n, ...layer.weight.shape]), flat.sum(2)];
  };
  return {
    name: 'Conv2d 16-32 3x3 on 16x16, 32 samples',
    model: layer,
    input: uniform([32, 16, 16, 16]),
    forward,
    byHand,
  };
}

function embedding(): Subject {
  const layer = new Embedding(500, 64);
  const forward = (x: Tensor): Tensor => layer.forward(x);
  const byHand = (x: Tensor): Tensor[] => {
    const y = forward(x);
    const [g] = gradients(losses(y).sum(), [y]);
    const [n, length] = x.shape as [number, number];
    const rows = randomRows(n).mul(500).add(x);
    return [
      zeros([n * 500, 64])
        .scatterAdd(rows.reshape([-1]), g.reshape([n * length, 64]))
        .reshape([n, 500, 64]),
    ];
  };
  return {
    name: 'Embedding 500-64, 32 samples of 20',
    model: layer,
    input: randomInteger([32, 20], 0, 500),
    forward,
    byHand,
  };
}

/** 0, 1, ... down a column. */
const randomRows = (n: number): Tensor => zeros([n, 1]).add(1).cumsum(0).sub(1).cast('int32');

function normalization(): Subject {
  const layer = new LayerNorm(256);
  const forward = (x: Tensor): Tensor => layer.forward(x);
  const byHand = (x: Tensor): Tensor[] => {
    const centred = x.sub(x.mean(-1, { keepAxes: true }));
    const normal = centred.div(centred.square().mean(-1, { keepAxes: true }).add(1e-5).sqrt());
    const y = normal.mul(layer.weight as Tensor).add(layer.bias as Tensor);
    const [g] = gradients(losses(y).sum(), [y]);
    return [g.mul(normal).sum(1), g.sum(1)];
  };
  return { name: 'LayerNorm 256, 32 samples of 32', model: layer, input: uniform([32, 32, 256]), forward, byHand };
}

function lstm(): Subject {
  const layer = new LSTM(64, 64, { batchFirst: true });
  const forward = (x: Tensor): Tensor => layer.forward(x).output;
  const [cell] = layer.cells as [(typeof layer.cells)[number]];
  const byHand = (x: Tensor): Tensor[] => {
    const [n, length] = x.shape as [number, number];
    const fromInput = x
      .matmul(cell.weightIh.transpose())
      .add(cell.biasIh as Tensor)
      .add(cell.biasHh as Tensor);
    let [h, c] = [zeros([n, 64]), zeros([n, 64])];
    const sums: Tensor[] = [];
    const before: Tensor[] = [];
    let total = zeros([n]);
    for (let t = 0; t < length; t++) {
      before.push(h);
      const sum = fromInput.at('...', t, [null]).add(h.matmul(cell.weightHh.transpose()));
      sums.push(sum);
      const [i, f, g, o] = sum.split(4, 1) as [Tensor, Tensor, Tensor, Tensor];
      c = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      h = o.sigmoid().mul(c.tanh());
      total = total.add(h.square().sum(1));
    }
    const back = gradients(total.div(length * 64).sum(), sums);
    const g = einsumStack(back);
    const bias = g.sum(1);
    return [einsum('nto,nti->noi', g, x), einsum('nto,nth->noh', g, einsumStack(before)), bias, bias];
  };
  return { name: 'LSTM 64-64, 32 samples of 20', model: layer, input: uniform([32, 20, 64]), forward, byHand };
}

const einsumStack = (steps: readonly Tensor[]): Tensor => stack(steps, 1);

function heads(): Subject {
  const layer = new MultiheadAttention(64, 4, { batchFirst: true });
  const forward = (x: Tensor): Tensor => layer.forward(x);
  const byHand = (x: Tensor): Tensor[] => {
    const [n, length] = x.shape as [number, number];
    const projected = x.matmul((layer.inProjWeight as Tensor).transpose()).add(layer.inProjBias as Tensor);
    const split = projected.reshape([n, length, 3, 4, 16]).permute([2, 0, 3, 1, 4]);
    const mixed = attention(split.at(0), split.at(1), split.at(2))
      .output.permute([0, 2, 1, 3])
      .reshape([n, length, 64]);
    const y = layer.outProj.forward(mixed);
    const [gy, gp] = gradients(losses(y).sum(), [y, projected]);
    return [einsum('nlo,nli->noi', gp, x), gp.sum(1), einsum('nlo,nli->noi', gy, mixed), gy.sum(1)];
  };
  return {
    name: 'attention 64 wide, 4 heads, 32 samples of 32',
    model: layer,
    input: uniform([32, 32, 64]),
    forward,
    byHand,
  };
}

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1] as number;
const words = process.argv.slice(2);
for (const make of [linear, convolution, embedding, normalization, lstm, heads]) {
  const { name, model, input, forward, byHand } = make();
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  const trained = parameters(model);
  const each = perSampleGradients((x: Tensor) => losses(forward(x)).sum(), model);
  const ways = [
    compile((x: Tensor) => [...each(x).gradients]),
    compile(byHand),
    compile((x: Tensor) => [...gradients(losses(forward(x)).sum(), trained)]),
  ];
  const [ours, right] = await Promise.all(
    ways.slice(0, 2).map(async (way) => Promise.all((await way(input)).map((g) => g.data()))),
  );
  let worst = 0;
  (ours as ArrayLike<number>[]).forEach((values, k) => {
    const other = (right as ArrayLike<number>[])[k] as ArrayLike<number>;
    for (let i = 0; i < values.length; i++)
      worst = Math.max(worst, Math.abs((values[i] as number) - (other[i] as number)));
  });
  const times: number[][] = ways.map(() => []);
  for (let round = 0; round < 23; round++) {
    for (const [k, way] of ways.entries()) {
      const begin = performance.now();
      const results = await way(input);
      await (results[0] as Tensor).sum().item();
      if (round > 2) (times[k] as number[]).push(performance.now() - begin);
    }
  }
  const [vmapped, hand, whole] = times.map(median) as [number, number, number];
  process.stdout.write(
    `${name}: ${vmapped.toFixed(2)} ms, by hand ${hand.toFixed(2)} ms (${(vmapped / hand).toFixed(2)} times), whole batch ${whole.toFixed(2)} ms (${(vmapped / whole).toFixed(2)} times); largest difference ${worst.toExponential(1)}\n`,
  );
}
