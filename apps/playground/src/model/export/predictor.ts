/**
 * The forward pass of a trained network in plain numbers, for a page that needs nothing else. `predictor` stands in that page as
 * its own source text, so it uses nothing from outside itself; the tests compare it with the network.
 */
import type { Activation } from '../spec.ts';

/** One layer with its numbers; shapes are those of one sample. */
export type PlainLayer =
  | { readonly kind: 'linear'; readonly weight: readonly number[]; readonly bias: readonly number[] }
  | {
      readonly kind: 'conv';
      /** [filters, channels, kernel, kernel] */
      readonly shape: readonly [number, number, number, number];
      readonly padding: number;
      readonly weight: readonly number[];
      readonly bias: readonly number[];
    }
  /** (x - mean) / sqrt(variance + epsilon) * weight + bias, of each channel. */
  | {
      readonly kind: 'batchNorm';
      readonly mean: readonly number[];
      readonly variance: readonly number[];
      readonly weight: readonly number[];
      readonly bias: readonly number[];
      readonly epsilon: number;
    }
  | {
      readonly kind: 'layerNorm';
      readonly weight: readonly number[];
      readonly bias: readonly number[];
      readonly epsilon: number;
    }
  | { readonly kind: 'activation'; readonly name: Exclude<Activation, 'linear'> }
  /** The maxima of squares of 2 x 2. */
  | { readonly kind: 'pool' };

/** A function from the numbers of one sample, [channels, height, width] or [inputs], to what the network puts out. */
export function predictor(
  layers: readonly PlainLayer[],
  inputShape: readonly number[],
): (inputs: ArrayLike<number>) => number[] {
  // Abramowitz and Stegun 7.1.26, to 1.5e-7
  const erf = (x: number): number => {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return Math.sign(x) * (1 - sum * Math.exp(-x * x));
  };
  const activations: Record<string, (x: number) => number> = {
    tanh: Math.tanh,
    relu: (x) => Math.max(0, x),
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    gelu: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
    silu: (x) => x / (1 + Math.exp(-x)),
    leakyRelu: (x) => (x > 0 ? x : 0.01 * x),
    elu: (x) => (x > 0 ? x : Math.expm1(x)),
    softplus: (x) => (x > 20 ? x : Math.log1p(Math.exp(x))),
  };
  const at = (list: ArrayLike<number>, i: number): number => list[i] ?? 0;
  return (inputs) => {
    let values: number[] = Array.from(inputs);
    let [channels = 1, height = 1, width = 1] = inputShape;
    for (const layer of layers) {
      if (layer.kind === 'linear') {
        const row = values.length;
        const before = values;
        values = layer.bias.map((bias, unit) => {
          let sum = bias;
          for (let i = 0; i < row; i++) sum += at(layer.weight, unit * row + i) * at(before, i);
          return sum;
        });
        [channels, height, width] = [values.length, 1, 1];
      } else if (layer.kind === 'conv') {
        const [filters, maps, kernel] = layer.shape;
        const [rows, columns] = [height + 2 * layer.padding - kernel + 1, width + 2 * layer.padding - kernel + 1];
        const made: number[] = [];
        for (let filter = 0; filter < filters; filter++) {
          for (let row = 0; row < rows; row++) {
            for (let column = 0; column < columns; column++) {
              let sum = at(layer.bias, filter);
              for (let map = 0; map < maps; map++) {
                for (let i = 0; i < kernel * kernel; i++) {
                  const y = row + Math.floor(i / kernel) - layer.padding;
                  const x = column + (i % kernel) - layer.padding;
                  if (y < 0 || x < 0 || y >= height || x >= width) continue;
                  sum +=
                    at(layer.weight, (filter * maps + map) * kernel * kernel + i) *
                    at(values, (map * height + y) * width + x);
                }
              }
              made.push(sum);
            }
          }
        }
        values = made;
        [channels, height, width] = [filters, rows, columns];
      } else if (layer.kind === 'batchNorm') {
        const places = values.length / channels;
        values = values.map((value, i) => {
          const channel = Math.floor(i / places);
          const scale = at(layer.weight, channel) / Math.sqrt(at(layer.variance, channel) + layer.epsilon);
          return (value - at(layer.mean, channel)) * scale + at(layer.bias, channel);
        });
      } else if (layer.kind === 'layerNorm') {
        const mean = values.reduce((a, b) => a + b, 0) / values.length;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
        const scale = 1 / Math.sqrt(variance + layer.epsilon);
        values = values.map((value, i) => (value - mean) * scale * at(layer.weight, i) + at(layer.bias, i));
      } else if (layer.kind === 'activation') {
        values = values.map(activations[layer.name] ?? ((x) => x));
      } else {
        const [rows, columns] = [height >> 1, width >> 1];
        const made: number[] = [];
        for (let i = 0; i < channels * rows * columns; i++) {
          const map = Math.floor(i / (rows * columns));
          const start = (map * height + 2 * (Math.floor(i / columns) % rows)) * width + 2 * (i % columns);
          const square = [start, start + 1, start + width, start + width + 1];
          made.push(Math.max(...square.map((place) => at(values, place))));
        }
        values = made;
        [height, width] = [rows, columns];
      }
    }
    return values;
  };
}
