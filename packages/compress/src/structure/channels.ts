/**
 * Which channels of a model belong together: the output channels of a layer, the input channels of those behind it, the
 * statistics between. Found by trying, not by knowing operations: where a channel is NaN, everything that it reaches is.
 *
 * A probe sets some output channels of one layer to NaN, and all outputs of the others to 0. To tell n channels apart takes not n
 * probes but 2 log2 n: in one those whose number has bit b, in another the others. What one probe of each pair reaches is fed by
 * exactly one channel, whose number is read off bit by bit; what both reach mixes channels, which then must all stay.
 */
import { evaluate, full, isTensor, noGradient, type Tensor, tensor, where, zeros } from '@nn/core';
import { type Found, layersOf, watch } from '@nn/layers';
import { type Ports, portsOf } from './ports.ts';

/** Channels of a layer's output, or of its input. */
export interface Slot {
  readonly layer: Ports;
  readonly channel: number;
}

/** Channels that go together or stay together. */
export interface Component {
  readonly produced: readonly Slot[];
  readonly consumed: readonly Slot[];
}

/** What one probe reached. */
interface Reached {
  /** By layer: for each channel of its input whether it was reached. */
  readonly inputs: ReadonlyMap<Ports, Float32Array>;
  /** Whether something was reached that cannot be rebuilt: the result, a layer with weights of another kind. */
  readonly isOutside: boolean;
}

/** Runs the model on an example, or, where `isNothing`, on one that is NaN throughout. */
export type Call = (isNothing: boolean) => unknown;

/** Groups of channels that can be taken out together. */
export async function componentsOf(model: object, call: Call): Promise<Component[]> {
  const found = layersOf(model);
  const known = found.flatMap((one) => portsOf(one) ?? []);
  const opaque = found.filter((one) => isOpaque(one, known));
  const producers = known.filter(({ outputs }) => outputs !== null);
  const groups = new Groups();
  for (const producer of producers) {
    const count = countOf(producer);
    const bits = Math.max(1, Math.ceil(Math.log2(count)));
    const probes: Reached[] = [];
    for (let bit = 0; bit < bits; bit++) {
      for (const value of [1, 0]) {
        const chosen = Float32Array.from({ length: count }, (_, channel) => (((channel >> bit) & 1) === value ? 1 : 0));
        probes.push(await probe(producer, chosen, { known, opaque, call }));
      }
    }
    connect(groups, producer, count, probes);
  }
  // what comes from elsewhere, alone or added to a producer's, must stay
  const fromOutside = await probe(null, new Float32Array(1), { known, opaque, call });
  for (const layer of known) {
    const reached = fromOutside.inputs.get(layer);
    for (let channel = 0; channel < inputCountOf(layer); channel++) {
      if ((reached?.[channel] ?? 1) > 0) groups.keep(groups.input(layer, channel));
    }
  }
  return groups.components();
}

/** Joins the channels of a producer with what its probes reached. */
function connect(groups: Groups, producer: Ports, count: number, probes: readonly Reached[]): void {
  const own = Array.from({ length: count }, (_, channel) => groups.output(producer, channel));
  own.forEach((node, channel) => {
    // a channel that reaches out does so in each probe that it is part of
    const reachesOut = probes.every(({ isOutside }, k) => isOutside || ((channel >> (k >> 1)) & 1) !== 1 - (k % 2));
    if (reachesOut) groups.keep(node);
  });
  const layers = new Set(probes.flatMap(({ inputs }) => [...inputs.keys()]));
  for (const layer of layers) {
    const size = inputCountOf(layer);
    for (let slot = 0; slot < size; slot++) {
      let channel = 0;
      let [isReached, isMixed] = [false, false];
      for (let bit = 0; bit * 2 < probes.length; bit++) {
        const [one, zero] = [probes[2 * bit], probes[2 * bit + 1]].map(
          (reached) => (reached?.inputs.get(layer)?.[slot] ?? 0) > 0,
        );
        if (one === true && zero === true) isMixed = true;
        if (one === true || zero === true) isReached = true;
        if (one === true) channel |= 1 << bit;
      }
      if (!isReached) continue;
      const node = groups.input(layer, slot);
      if (isMixed || own[channel] === undefined) {
        groups.keep(node);
        for (const each of own) groups.keep(each);
      } else groups.join(own[channel]!, node);
    }
  }
}

/** Where NaN in some channels of a producer goes, or, without a producer, NaN in the input and in layers of another kind. */
async function probe(
  producer: Ports | null,
  chosen: Float32Array,
  { known, opaque, call }: { readonly known: readonly Ports[]; readonly opaque: readonly Found[]; readonly call: Call },
): Promise<Reached> {
  const inputs = new Map<Ports, Tensor[]>();
  const outside: Tensor[] = [];
  const marks = tensor(chosen);
  const restores = known.map((layer) =>
    watch(
      layer.layer,
      (given, output) => {
        const [input] = given;
        if (isTensor(input)) inputs.set(layer, [...(inputs.get(layer) ?? []), reachedChannels(input, layer)]);
        if (!isTensor(output) || layer.outputs === null) return output;
        const blank = zeros(output.shape); // whatever came in, nothing goes out
        if (layer !== producer) return blank;
        const axis = layer.channelAxis(output);
        const shape = output.shape.map((size, k) => (k === axis ? size : 1));
        return where(marks.reshape(shape).greater(0), Number.NaN, blank);
      },
      { replace: true },
    ),
  );
  const looks = opaque.map(({ layer }) =>
    watch(
      layer,
      (given, output) => {
        if (producer === null)
          return withTensors(output, (x) => (x.dtype === 'float32' ? full(x.shape, Number.NaN) : x));
        outside.push(...tensorsIn(given));
        return output;
      },
      { replace: true },
    ),
  );
  try {
    const result = evaluate(() => noGradient(() => call(producer === null)));
    outside.push(...tensorsIn(result));
  } finally {
    for (const restore of [...looks, ...restores]) restore();
  }
  const entries = [...inputs].flatMap(([layer, calls]) => calls.map((reached) => [layer, reached] as const));
  const floats = outside.filter(({ dtype }) => dtype === 'float32');
  const [values, reaches] = await Promise.all([
    Promise.all(entries.map(([, reached]) => reached.data())),
    Promise.all(floats.map((x) => x.notEqual(x).any().item())),
  ]);
  const reached = new Map<Ports, Float32Array>();
  entries.forEach(([layer], k) => {
    const before = reached.get(layer);
    const now = Float32Array.from(values[k]!);
    reached.set(layer, before === undefined ? now : now.map((value, at) => Math.max(value, before[at] ?? 0)));
  });
  return { inputs: reached, isOutside: reaches.some((one) => Boolean(one)) };
}

function withTensors(value: unknown, change: (x: Tensor) => Tensor): unknown {
  if (isTensor(value)) return change(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, isTensor(part) ? change(part) : part]));
}

/** For each channel whether any of its values is NaN. */
function reachedChannels(x: Tensor, layer: Ports): Tensor {
  const axis = layer.channelAxis(x);
  const others = x.shape.map((_, k) => k).filter((k) => k !== axis);
  const isReached = x.notEqual(x).cast('float32');
  return others.length === 0 ? isReached : isReached.max(others);
}

/** Whether a layer has numbers of its own that nobody here can cut. */
function isOpaque({ layer, path }: Found, known: readonly Ports[]): boolean {
  if (known.some((one) => one.layer === layer) || path === '') return false;
  return Object.values(layer).some((value) => typeof value === 'object' && value !== null && 'isParameter' in value);
}

export function countOf({ layer, counts, inputs }: Ports): number {
  return Number(Reflect.get(layer, counts.outputs[0] ?? counts.inputs[0] ?? '') ?? inputs.fields.length);
}

function inputCountOf({ layer, counts, inputs }: Ports): number {
  const [count] = counts.inputs;
  if (count !== undefined) return Number(Reflect.get(layer, count));
  const [field] = inputs.fields;
  const own: unknown = field === undefined ? undefined : Reflect.get(layer, field);
  return isTensor(own) ? own.size : 0;
}

function tensorsIn(value: unknown): Tensor[] {
  if (isTensor(value)) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part) => (isTensor(part) ? [part] : []));
}

/** Sets of channels that were joined. */
class Groups {
  readonly #nodes = new Map<string, { readonly slot: Slot; readonly isOutput: boolean; readonly id: number }>();
  readonly #parents: number[] = [];
  readonly #kept: boolean[] = [];

  output(layer: Ports, channel: number): number {
    return this.#node('out', layer, channel);
  }

  input(layer: Ports, channel: number): number {
    return this.#node('in', layer, channel);
  }

  #node(side: 'in' | 'out', layer: Ports, channel: number): number {
    const key = `${side} ${layer.path} ${channel}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known.id;
    const id = this.#parents.push(this.#parents.length) - 1;
    this.#kept.push(false);
    this.#nodes.set(key, { slot: { layer, channel }, isOutput: side === 'out', id });
    return id;
  }

  #root(node: number): number {
    let at = node;
    while (this.#parents[at] !== at) at = this.#parents[at]!;
    return at;
  }

  join(left: number, right: number): void {
    const [a, b] = [this.#root(left), this.#root(right)];
    this.#parents[b] = a;
    this.#kept[a] = this.#kept[a]! || this.#kept[b]!;
  }

  keep(node: number): void {
    this.#kept[this.#root(node)] = true;
  }

  /** Those that may go: they have a producer, and all that they reach can be rebuilt. */
  components(): Component[] {
    const found = new Map<number, { produced: Slot[]; consumed: Slot[] }>();
    for (const { slot, isOutput, id } of this.#nodes.values()) {
      const root = this.#root(id);
      if (this.#kept[root]) continue;
      const component = found.get(root) ?? { produced: [], consumed: [] };
      component[isOutput ? 'produced' : 'consumed'].push(slot);
      found.set(root, component);
    }
    return [...found.values()].filter(({ produced, consumed }) => produced.length > 0 && consumed.length > 0);
  }
}
