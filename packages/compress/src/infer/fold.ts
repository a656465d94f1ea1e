/** BatchNorm folded into the layer before it. Owns the arithmetic, and finding pairs that may be folded. */
import {
  evaluate,
  full,
  isParameter,
  isTensor,
  noGradient,
  type Parameter,
  parameter,
  type Shape,
  type Tensor,
  tensor,
} from '@nn/core';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, Identity, layersOf, watch } from '@nn/layers';
import { replaceLayer } from '../model.ts';
import { type Ports, portsOf } from '../structure/ports.ts';

type Norm = BatchNorm1d | BatchNorm2d | BatchNorm3d;

interface Pair {
  readonly before: Ports;
  readonly norm: Norm;
  readonly path: string;
}

/**
 * Folds each BatchNorm into the Linear, Conv or ConvTranspose whose result it alone is given: w' = w s and b' = (b - mean) s + shift,
 * with s = scale / sqrt(variance + epsilon), and puts an Identity in its place. The model computes the same in evaluation (to
 * rounding), with one pass less; in training it no longer normalises. `inputShape` is an example's. Gives the paths that were folded.
 * PyTorch's `fuse_conv_bn_eval`, for a whole model.
 *
 * A BatchNorm without running statistics stays, and so does one whose input others use, too.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { foldBatchNorm } from '@nn/compress';
 * import { setDefaultBackend } from '@nn/core';
 * import { BatchNorm2d, Conv2d, Sequential } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const model = new Sequential(new Conv2d(1, 2, 3), new BatchNorm2d(2));
 * console.log(await foldBatchNorm(model, [1, 1, 5, 5]), String(model.at(1))); // => [ '1' ] Identity()
 */
export async function foldBatchNorm(
  model: { readonly forward: (...inputs: never[]) => unknown },
  inputShape: Shape | readonly Shape[],
): Promise<string[]> {
  const folded: string[] = [];
  for (const { before, norm, path } of await pairsOf(model, inputShape)) {
    const { runningMean: mean, runningVar: variance } = norm;
    const { layer, outputs } = before;
    const weight: unknown = Reflect.get(layer, 'weight');
    if (mean === null || variance === null || outputs === null || !isParameter(weight)) continue;
    const bias: unknown = Reflect.get(layer, 'bias');
    const factor = variance
      .add(norm.epsilon)
      .rsqrt()
      .mul(norm.weight ?? 1);
    const shape = weight.shape.map((size, axis) => (axis === outputs.axis ? size : 1));
    const shifted = (isParameter(bias) ? bias.sub(mean) : mean.neg()).mul(factor).add(norm.bias ?? 0);
    const [weights, biases] = await Promise.all([weight.mul(factor.reshape(shape)).data(), shifted.data()]);
    replaceLayer('foldBatchNorm', model, norm, new Identity());
    Object.assign(layer, {
      weight: renewed(weight, weights, weight.shape),
      bias: renewed(isParameter(bias) ? bias : null, biases, mean.shape),
    });
    folded.push(path);
  }
  return folded;
}

function renewed(old: Parameter | null, values: ArrayLike<number>, shape: Shape): Parameter {
  const made = parameter(Float32Array.from(values), { shape, name: old?.name ?? '' });
  if (old?.frozen === true) made.frozen = true;
  return made;
}

/** BatchNorms with the layer whose result they are given, and nobody else. */
async function pairsOf(
  model: { readonly forward: (...inputs: never[]) => unknown },
  inputShape: Shape | readonly Shape[],
): Promise<Pair[]> {
  const isOne = (shape: Shape | readonly Shape[]): shape is Shape => shape.every((size) => typeof size === 'number');
  const shapes = isOne(inputShape) ? [inputShape] : inputShape;
  const blank = (shape: Shape): Tensor =>
    tensor(new Float32Array(shape.reduce((count, size) => count * size, 1)), { shape });
  const found = layersOf(model);
  const makers = new Map<unknown, Ports>();
  const calls = new Map<object, number>();
  const pairs: Pair[] = [];
  const restores = found.map((one) =>
    watch(one.layer, ([input], output) => {
      const { layer, path } = one;
      calls.set(layer, (calls.get(layer) ?? 0) + 1);
      const ports = portsOf(one);
      if (ports?.outputs) makers.set(output, ports);
      const before = makers.get(input);
      const isNorm = layer instanceof BatchNorm1d || layer instanceof BatchNorm2d || layer instanceof BatchNorm3d;
      // a Linear over more than rows has its channels last, where the norm has them second
      const isAligned = isTensor(input) && before?.channelAxis(input) === 1;
      if (isNorm && before !== undefined && isAligned) pairs.push({ before, norm: layer, path });
    }),
  );
  const run = (): unknown => evaluate(() => noGradient(() => Reflect.apply(model.forward, model, shapes.map(blank))));
  try {
    run();
  } finally {
    for (const restore of restores) restore();
  }
  const fit: Pair[] = [];
  for (const pair of pairs) {
    const once = calls.get(pair.before.layer) === 1 && calls.get(pair.norm) === 1;
    if (once && (await isAlone(pair, run))) fit.push(pair);
  }
  return fit;
}

/** Whether nothing but the norm sees what the layer gives: NaN there must not come out when the norm gives something else. */
async function isAlone({ before, norm }: Pair, run: () => unknown): Promise<boolean> {
  const restores = [
    watch(before.layer, (_, output) => withValue(output, Number.NaN), { replace: true }),
    watch(norm, (_, output) => withValue(output, 0), { replace: true }),
  ];
  try {
    const result = run();
    const results = isTensor(result) ? [result] : Object.values(Object(result)).filter(isTensor);
    const found = await Promise.all(
      results.filter(({ dtype }) => dtype === 'float32').map((x) => x.notEqual(x).any().item()),
    );
    return !found.some((one) => Boolean(one));
  } finally {
    for (const restore of restores) restore();
  }
}

function withValue(output: unknown, value: number): unknown {
  return isTensor(output) ? full(output.shape, value) : output;
}
