/**
 * Structured pruning that leaves a smaller network: channels are taken out of layers, of the statistics behind them, and of the
 * inputs of the layers that follow. Owns the choice and the rebuilding; what belongs together is `channels.ts`.
 */
import {
  checkOptions,
  evaluate,
  isParameter,
  noGradient,
  type Parameter,
  parameter,
  type Shape,
  tensor,
  ValueError,
} from '@nn/core';
import { layersOf } from '@nn/layers';
import { fitsPath, listed } from '../model.ts';
import { countToPrune } from '../prune/masks.ts';
import { type Call, type Component, componentsOf, countOf, type Slot } from './channels.ts';
import { axisOf, type Port, type Ports } from './ports.ts';

export interface ShrinkOptions {
  /** What goes of each layer's channels: a share from 0 to 1, or a whole number above. */
  readonly amount: number;
  /** Which channels matter least: those with the smallest weights, or any. Default 'l2'. */
  readonly importance?: 'l1' | 'l2' | 'random';
  /** Whether the lowest of each layer go, or those of all layers together, each against its layer's mean. Default 'layer'. */
  readonly scope?: 'layer' | 'global';
  /** Layers keep multiples of this many channels, as kernels like them. Default 1. */
  readonly multipleOf?: number;
  /** Whose channels: paths or beginnings of paths of the layers that make them. Default: all that can go. */
  readonly which?: string | RegExp | ((path: string) => boolean);
}

/** What became of a layer. */
export interface Shrunk {
  readonly path: string;
  readonly layer: string;
  /** Output channels, before and after. */
  readonly from: number;
  readonly to: number;
}

/**
 * Takes channels out of the Linear, Conv and ConvTranspose layers of a model, in place, with everything that belongs to them: BatchNorm,
 * PReLU and depthwise convolutions between, and the inputs of the layers behind, through flattening, concatenation and residual sums.
 * What reaches the result, or a layer that cannot be cut (LayerNorm, recurrent layers, attention), stays. The smaller network
 * computes what the larger one would with those channels left out: it is really faster. Gives what became smaller.
 *
 * `inputShape` is an example's. Parameters are new: make optimizers afterwards, and train on. Throws ValueError where nothing can
 * go, and where the model does not run afterwards (it uses sizes that no layer tells of); it is then as it was.
 *
 * @example
 * import { cpu } from '@nn/backend-cpu';
 * import { shrink } from '@nn/compress';
 * import { setDefaultBackend, zeros } from '@nn/core';
 * import { BatchNorm2d, Conv2d, Flatten, Linear, ReLU, Sequential } from '@nn/layers';
 * setDefaultBackend(cpu());
 * const model = new Sequential(
 *   new Conv2d(1, 8, 3), new BatchNorm2d(8), new ReLU(), new Flatten(), new Linear(8 * 16, 10),
 * );
 * const [first] = await shrink(model, [1, 1, 6, 6], { amount: 0.5 });
 * console.log(first?.path, first?.from, first?.to); // => 0 8 4
 * console.log(String(model.at(4)), model.forward(zeros([1, 1, 6, 6])).shape); // => Linear(64, 10) [ 1, 10 ]
 */
export async function shrink(
  model: { readonly forward: (...inputs: never[]) => unknown },
  inputShape: Shape | readonly Shape[],
  options: ShrinkOptions,
): Promise<Shrunk[]> {
  checkOptions('shrink', options, ['amount', 'importance', 'scope', 'multipleOf', 'which']);
  const call = callOf(model, inputShape);
  const components = await componentsOf(model, call);
  const removable = components.filter(({ produced }) => mayGo(produced, options));
  if (removable.length === 0) throw nothingToTake(model, components, options);
  const scored = await score(removable, options.importance ?? 'l2');
  const removed = choose(scored, options);
  return rebuild(removed, () => void evaluate(() => noGradient(() => call(false))));
}

/** Calls a model with examples of a shape. */
function callOf(
  model: { readonly forward: (...inputs: never[]) => unknown },
  inputShape: Shape | readonly Shape[],
): Call {
  const isOne = (shape: Shape | readonly Shape[]): shape is Shape => shape.every((size) => typeof size === 'number');
  const shapes = isOne(inputShape) ? [inputShape] : inputShape;
  return (isNothing) =>
    Reflect.apply(
      model.forward,
      model,
      shapes.map((shape) => {
        const size = shape.reduce((product, length) => product * length, 1);
        return tensor(new Float32Array(size).fill(isNothing ? Number.NaN : 0), { shape });
      }),
    );
}

function mayGo(produced: readonly Slot[], { which }: ShrinkOptions): boolean {
  return which === undefined || produced.every(({ layer }) => fitsPath(which, layer.path));
}

function nothingToTake(model: object, components: readonly Component[], { which }: ShrinkOptions): ValueError {
  const can = [...new Set(components.flatMap(({ produced }) => produced.map(({ layer }) => layer.path)))];
  if (can.length > 0)
    return new ValueError('shrink', `no layer fits ${String(which)}: of those that can be smaller ${listed(can)}.`);
  const all = layersOf(model).map(({ path }) => path);
  return new ValueError(
    'shrink',
    `no channels can go: all of them reach the result, or layers that cannot be cut (normalisation over channels, recurrent layers, attention, masked weights); ${listed(all.filter((path) => path !== ''))}.`,
  );
}

interface Scored extends Component {
  readonly importance: number;
}

/** The norm of all weights that make a group of channels. */
async function score(components: readonly Component[], importance: 'l1' | 'l2' | 'random'): Promise<Scored[]> {
  const values = new Map<Parameter, ArrayLike<number>>();
  const layers = new Set(components.flatMap(({ produced }) => produced.map(({ layer }) => layer)));
  for (const { layer } of layers) {
    const weight: unknown = Reflect.get(layer, 'weight');
    if (isParameter(weight)) values.set(weight, await weight.data());
  }
  return components.map((component, k) => {
    if (importance === 'random') return { ...component, importance: hash(k) };
    let sum = 0;
    for (const { layer, channel } of component.produced) {
      const weight: unknown = Reflect.get(layer.layer, 'weight');
      if (!isParameter(weight) || layer.outputs === null) continue;
      const data = values.get(weight) ?? [];
      forSlice(weight.shape, axisOf(weight, layer.outputs), channel, (at) => {
        const size = Math.abs(data[at] ?? 0);
        sum += importance === 'l1' ? size : size * size;
      });
    }
    return { ...component, importance: importance === 'l1' ? sum : Math.sqrt(sum) };
  });
}

/** Numbers without an order, the same each time. */
const hash = (k: number): number => ((Math.imul(k + 1, 0x9e3779b1) >>> 0) / 2 ** 32) % 1;

/** Calls `visit` with the positions of one slice along an axis. */
function forSlice(shape: Shape, axis: number, slice: number, visit: (at: number) => void): void {
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = shape[axis] ?? 1;
  const outer = shape.slice(0, axis).reduce((product, length) => product * length, 1);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit((o * size + slice) * inner + i);
  }
}

/** The groups that go. Groups of the same producers are one layer's, and one of them always stays. */
function choose(components: readonly Scored[], { amount, scope = 'layer', multipleOf = 1 }: ShrinkOptions): Scored[] {
  if (!(Number.isInteger(multipleOf) && multipleOf >= 1)) {
    throw new ValueError('shrink', `multipleOf is ${multipleOf}: it must be a whole number of at least 1.`);
  }
  const bundles = new Map<string, Scored[]>();
  for (const component of components) {
    const key = [...new Set(component.produced.map(({ layer }) => layer.path))].sort().join(' ');
    bundles.set(key, [...(bundles.get(key) ?? []), component]);
  }
  const mean = (list: readonly Scored[]): number => list.reduce((sum, one) => sum + one.importance, 0) / list.length;
  const relative = [...bundles.values()].flatMap((list) => {
    const middle = mean(list) || 1;
    return list.map((one) => ({ one, list, value: one.importance / middle }));
  });
  relative.sort((a, b) => a.value - b.value);
  const lowest = new Set(relative.slice(0, countToPrune(amount, relative.length)).map(({ one }) => one));
  return [...bundles.values()].flatMap((list) => {
    const sorted = list.toSorted((a, b) => a.importance - b.importance);
    const wanted =
      scope === 'global' ? list.filter((one) => lowest.has(one)).length : countToPrune(amount, list.length);
    // all channels of the layers, of which some may be bound to stay
    const total = Math.max(...list.flatMap(({ produced }) => produced.map(({ layer }) => countOf(layer))));
    let count = Math.min(wanted, list.length, total - 1);
    while (count > 0 && (total - count) % multipleOf !== 0) count--;
    return sorted.slice(0, count);
  });
}

/** A layer's fields before they were cut, and how to give them back. */
interface Cut {
  readonly layer: object;
  readonly fields: Readonly<Record<string, unknown>>;
}

async function rebuild(removed: readonly Component[], run: () => void): Promise<Shrunk[]> {
  const outputs = channelsOf(removed.flatMap(({ produced }) => produced));
  const inputs = channelsOf(removed.flatMap(({ consumed }) => consumed));
  const cuts: Cut[] = [];
  const shrunk: Shrunk[] = [];
  // everything is computed before anything is changed
  const layers = new Set([...outputs.keys(), ...inputs.keys()]);
  for (const ports of layers) {
    const [gone, lost] = [outputs.get(ports) ?? new Set<number>(), inputs.get(ports) ?? new Set<number>()];
    const fields: Record<string, unknown> = {};
    for (const field of new Set([...(ports.outputs?.fields ?? []), ...ports.inputs.fields])) {
      const value: unknown = Reflect.get(ports.layer, field);
      if (!isParameter(value)) continue;
      fields[field] = await cutParameter(value, [
        [ports.outputs, field, gone],
        [ports.inputs, field, lost],
      ]);
    }
    const number = (name: string): number => Number(Reflect.get(ports.layer, name));
    for (const name of ports.counts.outputs) fields[name] = number(name) - gone.size;
    for (const name of ports.counts.inputs) fields[name] = number(name) - lost.size;
    cuts.push({ layer: ports.layer, fields });
    if (ports.outputs !== null && gone.size > 0) {
      shrunk.push({ path: ports.path, layer: '', from: countOf(ports), to: countOf(ports) - gone.size });
    }
  }
  const before = cuts.map(({ layer, fields }) => ({
    layer,
    fields: Object.fromEntries(Object.keys(fields).map((name) => [name, Reflect.get(layer, name)])),
  }));
  for (const { layer, fields } of cuts) Object.assign(layer, fields);
  try {
    run();
  } catch (error) {
    for (const { layer, fields } of before) Object.assign(layer, fields);
    throw new ValueError(
      'shrink',
      `the model does not run with fewer channels, and is as it was: it uses sizes or parameters that no layer tells of. Choose other layers with which. ${String(error)}`,
    );
  }
  return shrunk.map((row) => ({ ...row, layer: String([...layers].find(({ path }) => path === row.path)?.layer) }));
}

function channelsOf(slots: readonly Slot[]): Map<Ports, Set<number>> {
  const found = new Map<Ports, Set<number>>();
  for (const { layer, channel } of slots) found.set(layer, (found.get(layer) ?? new Set()).add(channel));
  return found;
}

/** A parameter without some slices, along each axis that a port has in it. */
async function cutParameter(
  value: Parameter,
  ports: readonly (readonly [Port | null, string, ReadonlySet<number>])[],
): Promise<Parameter> {
  let { shape } = value;
  let data = Float32Array.from(await value.data());
  for (const [port, field, gone] of ports) {
    if (port === null || gone.size === 0 || !port.fields.includes(field)) continue;
    const axis = axisOf(value, port);
    const kept: number[] = [];
    for (let slice = 0; slice < shape[axis]!; slice++) if (!gone.has(slice)) kept.push(slice);
    const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
    const outer = shape.slice(0, axis).reduce((product, size) => product * size, 1);
    const next = new Float32Array(outer * kept.length * inner);
    for (let o = 0; o < outer; o++) {
      kept.forEach((slice, k) => {
        const from = (o * shape[axis]! + slice) * inner;
        next.set(data.subarray(from, from + inner), (o * kept.length + k) * inner);
      });
    }
    shape = shape.map((size, k) => (k === axis ? kept.length : size));
    data = next;
  }
  const made = parameter(data, { shape, buffer: value.isBuffer, name: value.name });
  if (value.frozen) made.frozen = true;
  return made;
}
