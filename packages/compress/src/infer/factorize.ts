/** Weights as products of two thinner ones. Owns the ranks and the new layers; singular values are core's. */
import { checkOptions, isParameter, type Parameter, parameter, svd, type Tensor, ValueError } from '@nn/core';
import { Conv1d, Conv2d, Conv3d, Linear, layersOf, Sequential } from '@nn/layers';
import { fitsPath, listed, replaceLayer } from '../model.ts';

export interface FactorizeOptions {
  /** The rank: a share of the full one up to 1, or a whole number above. */
  readonly rank?: number;
  /** In place of a rank: the share of the squared singular values that is kept, from 0 to 1. Default 0.9. */
  readonly energy?: number;
  /** Which layers, by path. Default: all Linear and Conv layers that become smaller. */
  readonly which?: string | RegExp | ((path: string) => boolean);
}

/** What became of a layer. */
export interface Factorized {
  readonly path: string;
  readonly rank: number;
  /** Of how many at most. */
  readonly fullRank: number;
  /** Numbers in the weight before, and in both after. */
  readonly from: number;
  readonly to: number;
  /** |W - U V| / |W|, the smallest that this rank can have. */
  readonly error: number;
}

type Window = Conv1d | Conv2d | Conv3d;

/**
 * Puts two thinner layers in the place of one, the best approximation of its rank (singular values): a Linear(in, out) becomes
 * Linear(in, rank) and Linear(rank, out), a convolution one of `rank` channels and one of 1 x 1. Layers that would not become
 * smaller stay. The model changes in place; train on with a new optimizer to win back what was lost. (Denton et al. 2014.)
 *
 * Throws ValueError where no layer becomes smaller.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { factorize } from '@nn/compress';
 * import { setDefaultBackend } from '@nn/core';
 * import { Linear, Sequential } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const model = new Sequential(new Linear(32, 32));
 * const [only] = await factorize(model, { rank: 0.25 });
 * console.log(only?.rank, only?.from, only?.to); // => 8 1024 512
 */
export async function factorize(model: object, options: FactorizeOptions = {}): Promise<Factorized[]> {
  checkOptions('factorize', options, ['rank', 'energy', 'which']);
  const { rank, energy = 0.9, which } = options;
  if (rank !== undefined && options.energy !== undefined)
    throw new ValueError('factorize', 'give either rank or energy.');
  if (rank !== undefined && !(rank > 0 && (rank <= 1 || Number.isInteger(rank)))) {
    throw new ValueError('factorize', `rank is ${rank}: it must be a share above 0, or a whole number.`);
  }
  if (!(energy > 0 && energy <= 1))
    throw new ValueError('factorize', `energy is ${energy}: it must be above 0, up to 1.`);
  const all = layersOf(model).flatMap(({ path, layer }) =>
    path !== '' && isFactorizable(layer) ? [{ path, layer }] : [],
  );
  const targets = all.filter(({ path }) => which === undefined || fitsPath(which, path));
  const made: Factorized[] = [];
  for (const { path, layer } of targets) {
    const { weight } = layer;
    const [outputs = 0, ...others] = weight.shape;
    const inputs = others.reduce((product, size) => product * size, 1);
    const { u, s, vh } = await factors(weight.reshape([outputs, inputs]));
    const squares = s.map((value) => value * value);
    const total = squares.reduce((sum, value) => sum + value, 0);
    const kept =
      rank === undefined ? rankOf(squares, energy * total) : Math.max(1, rank > 1 ? rank : Math.round(rank * s.length));
    const to = kept * (inputs + outputs);
    if (kept > s.length || to >= weight.size) continue;
    const lost = squares.slice(kept).reduce((sum, value) => sum + value, 0);
    const first = new Float32Array(kept * inputs);
    const second = new Float32Array(outputs * kept);
    for (let r = 0; r < kept; r++) {
      // both sides take a root of the singular value, so that they are alike large
      const root = Math.sqrt(s[r] ?? 0);
      for (let i = 0; i < inputs; i++) first[r * inputs + i] = root * (vh[r * inputs + i] ?? 0);
      for (let o = 0; o < outputs; o++) second[o * kept + r] = root * (u[o * s.length + r] ?? 0);
    }
    replaceLayer('factorize', model, layer, pairOf(layer, kept, first, second));
    made.push({ path, rank: kept, fullRank: s.length, from: weight.size, to, error: Math.sqrt(lost / (total || 1)) });
  }
  if (made.length > 0) return made;
  const paths = (targets.length > 0 ? targets : all).map(({ path }) => path);
  throw new ValueError(
    'factorize',
    `no layer becomes smaller at this rank: ${listed(paths)} that could be factorized.`,
  );
}

function isFactorizable(layer: object): layer is Linear | Window {
  const isWindow = layer instanceof Conv1d || layer instanceof Conv2d || layer instanceof Conv3d;
  return (layer instanceof Linear || (isWindow && layer.groups === 1)) && isParameter(layer.weight);
}

async function factors(matrix: Tensor): Promise<Record<'u' | 's' | 'vh', Float32Array>> {
  const { u, s, vh } = svd(matrix);
  const [left, values, right] = await Promise.all([u.data(), s.data(), vh.data()]);
  return { u: Float32Array.from(left), s: Float32Array.from(values), vh: Float32Array.from(right) };
}

/** The smallest rank that keeps so much of the squares. */
function rankOf(squares: Float32Array, wanted: number): number {
  let sum = 0;
  for (let rank = 1; rank <= squares.length; rank++) {
    sum += squares[rank - 1] ?? 0;
    if (sum >= wanted * (1 - 1e-6)) return rank;
  }
  return squares.length;
}

function pairOf(layer: Linear | Window, rank: number, first: Float32Array, second: Float32Array): Sequential {
  const { inputs, outputs, bias } = layer;
  if (layer instanceof Linear) {
    const [thin, wide] = [new Linear(inputs, rank, { bias: false }), new Linear(rank, outputs, { bias: false })];
    thin.weight = parameter(first, { shape: [rank, inputs] });
    wide.weight = parameter(second, { shape: [outputs, rank] });
    wide.bias = bias;
    return new Sequential(thin, wide);
  }
  const { kernelSize, stride, padding, dilation } = layer;
  const Kind = layer instanceof Conv1d ? Conv1d : layer instanceof Conv2d ? Conv2d : Conv3d;
  const thin = new Kind(inputs, rank, kernelSize, { stride, padding, dilation, bias: false });
  const wide = new Kind(
    rank,
    outputs,
    kernelSize.map(() => 1),
    { bias: false },
  );
  const set = (weight: Parameter, values: Float32Array): Parameter => parameter(values, { shape: weight.shape });
  thin.weight = set(thin.weight, first);
  wide.weight = set(wide.weight, second);
  wide.bias = bias;
  return new Sequential(thin, wide);
}
