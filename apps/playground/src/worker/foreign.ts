/**
 * Models from elsewhere, as `npm start` saves them: their layers have names of their own, and their images were
 * normalised in another way. Owns how they come to fit; what fits is loaded by session.ts.
 */
import { type Parameter, tensor } from '@nn/core';
import type { Network } from '../model/build.ts';

type Named = ReadonlyMap<string, { readonly shape: readonly number[] }>;

const layerOf = (name: string): string => name.slice(0, name.lastIndexOf('.'));

/** For each layer, the parts and shapes of what it holds: `bias [8], weight [8, 1, 5, 5]`. */
function layersOf(named: Named): Map<string, string> {
  const parts = new Map<string, string[]>();
  for (const [name, { shape }] of named) {
    const layer = layerOf(name);
    const part = name.slice(layer.length);
    if (part === '.num_batches_tracked') continue; // a counter that files may lack
    parts.set(layer, [...(parts.get(layer) ?? []), `${part} [${shape.join(', ')}]`]);
  }
  return new Map([...parts].map(([layer, all]) => [layer, all.sort().join(', ')]));
}

/**
 * The network's names for those of a file: where the layers have other names, each corresponds to the first that is left
 * with the same parts and shapes, in the order of their names. Where they do not correspond one to one, names stay as they
 * are, so that loading tells what does not fit.
 */
export function renaming(file: Named, own: Named): (name: string) => string {
  if ([...own.keys()].every((name) => file.has(name))) return (name) => name;
  const left = [...layersOf(file)].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const counterparts = new Map<string, string>();
  for (const [layer, parts] of layersOf(own)) {
    const at = left.findIndex(([, theirs]) => theirs === parts);
    if (at < 0) return (name) => name;
    for (const [theirs] of left.splice(at, 1)) counterparts.set(theirs, layer);
  }
  if (left.length > 0) return (name) => name;
  return (name) => {
    const layer = layerOf(name);
    return `${counterparts.get(layer) ?? layer}${name.slice(layer.length)}`;
  };
}

interface PixelScale {
  readonly offset: number;
  readonly divisor: number;
}

/** How the pixels 0 to 255 of a file's model were normalised; null where it does not say so. */
export function pixelScaleOf(metadata: ReadonlyMap<string, string>): PixelScale | null {
  try {
    const { per, offset, divisor } = Object(JSON.parse(metadata.get('normalization') ?? 'null')) as Record<
      string,
      unknown
    >;
    if (per !== 'array' || !Array.isArray(offset) || !Array.isArray(divisor)) return null;
    const scale = { offset: Number(offset[0]), divisor: Number(divisor[0]) };
    return Number.isFinite(scale.offset) && scale.divisor > 0 ? scale : null;
  } catch {
    return null;
  }
}

/**
 * Makes the first layer take pixels p from 0 to 1 in place of x = (255 p - offset) / divisor, which changes nothing that
 * comes out: w x + b = (255 / divisor) w p + (b - offset / divisor * sum of w). Where zeros stand around the image this is
 * exact but at the edges.
 */
export async function takePixels({ weighted: [first] }: Network, { offset, divisor }: PixelScale): Promise<void> {
  if (first === undefined || first.bias === null) return;
  const [weights, biases] = await Promise.all([numbersOf(first.weight), numbersOf(first.bias)]);
  const row = weights.length / biases.length;
  const moved = biases.map(
    (bias, unit) =>
      bias - (offset / divisor) * weights.subarray(unit * row, (unit + 1) * row).reduce((a, b) => a + b, 0),
  );
  const scaled = weights.map((weight) => (255 / divisor) * weight);
  first.weight.assign(tensor(scaled, { shape: first.weight.shape }));
  first.bias.assign(tensor(moved, { shape: first.bias.shape }));
}

async function numbersOf(of: Parameter): Promise<Float32Array> {
  return Float32Array.from((await of.data()) as Float32Array);
}
