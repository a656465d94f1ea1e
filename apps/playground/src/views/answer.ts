/**
 * What the plane shows, and what its colours mean: the output of the network or one unit, with the values at both ends of
 * the scale in the units of the data. No drawing here, and no signals: the legend and the painting read the same.
 */
import { type BlockFrame, type Built, type Frame, grid } from '../worker/protocol.ts';
import { magnitude } from './colors.ts';
import { short } from './format.ts';

/** A unit of a layer; the output's block stands after the last layer. */
interface Unit {
  readonly block: number;
  readonly unit: number;
}

export interface Answer {
  /** `classes`: the likeliest of several; the values of all units. Otherwise the values of one. */
  readonly kind: 'unit' | 'binary' | 'quantity' | 'classes';
  readonly values: Float32Array;
  /** What stands at both ends of the colours: -scale and scale. */
  readonly scale: number;
  /** How strong the colours are, so that the samples on top stand out. */
  readonly strength: number;
}

/** How strong the colours of answers are below samples of classes. */
const pale = 0.62;

/** Whether a unit has an answer of its own beside the network's. */
export const isOwn = (built: Built, chosen: Unit | null): chosen is Unit =>
  chosen !== null && (chosen.block < built.spec.layers.length || built.goal === 'classes');

/** What is shown for the unit that is pointed at or pinned, if any; null where the frame holds no plane. */
export function answerOf(built: Built, { blocks }: Pick<Frame, 'blocks'>, chosen: Unit | null): Answer | null {
  const places = grid * grid;
  if (isOwn(built, chosen)) {
    const { block, unit } = chosen;
    const values = blocks[block]?.maps.subarray(unit * places, (unit + 1) * places);
    if (values === undefined || values.length < places) return null;
    return { kind: 'unit', values, scale: magnitude(values, 0.5), strength: pale };
  }
  const output: Pick<BlockFrame, 'maps'> | undefined = blocks.at(-1);
  const count = built.goal === 'classes' ? built.classNames.length : 1;
  if (output === undefined || output.maps.length !== count * places) return null;
  const { maps: values } = output;
  if (built.goal === 'classes') return { kind: 'classes', values, scale: 1, strength: 1 };
  if (built.goal === 'binary') return { kind: 'binary', values, scale: 1, strength: pale };
  return { kind: 'quantity', values, scale: magnitude(built.train.targets), strength: 1 };
}

/** The words at both ends of the colours; null for several classes, which have a colour each. */
export function legendOf(built: Built, answer: Answer): readonly [low: string, high: string] | null {
  if (answer.kind === 'classes') return null;
  if (answer.kind === 'binary') return [built.classNames[0] ?? '0', built.classNames[1] ?? '1'];
  const real = answer.kind === 'quantity' ? targetIn(built) : (value: number): number => value;
  return [short(real(-answer.scale)), short(real(answer.scale))];
}

/** From the numbers that the network works with to those of the target's column. */
export function targetIn({ targetScale }: Pick<Built, 'targetScale'>): (value: number) => number {
  if (targetScale === null) return (value) => value;
  const [offset = 0, divisor = 1] = [targetScale.offset[0], targetScale.divisor[0]];
  return (value) => offset + divisor * value;
}

/** The same for an input. */
export function inputIn({ inputScale }: Pick<Built, 'inputScale'>, axis: number): (value: number) => number {
  if (inputScale === null) return (value) => value;
  const [offset = 0, divisor = 1] = [inputScale.offset[axis], inputScale.divisor[axis]];
  return (value) => offset + divisor * value;
}

/** Curves over the one input of a network: its answers from left to right, and the range of their axis. */
export interface Curves {
  /** For a unit and a quantity one, as it is; for classes the share of each. */
  readonly lines: readonly Float32Array[];
  readonly range: readonly [low: number, high: number];
}

export function curvesOf(built: Built, { kind, values }: Answer): Curves {
  const row = (unit: number): Float32Array => values.subarray(unit * grid * grid, unit * grid * grid + grid);
  if (kind === 'binary') return { lines: [row(0).map((z) => 1 / (1 + Math.exp(-z)))], range: [-0.1, 1.1] };
  if (kind === 'classes') {
    const rows = built.classNames.map((_, unit) => row(unit));
    const shares = rows.map((logits) =>
      logits.map((z, i) => 1 / rows.reduce((sum, other) => sum + Math.exp((other[i] as number) - z), 0)),
    );
    return { lines: shares, range: [-0.1, 1.1] };
  }
  const seen = kind === 'quantity' ? [row(0), built.train.targets, built.test.targets] : [row(0)];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const part of seen) {
    for (const value of part) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  const room = (high - low) * 0.08 || 1;
  return { lines: [row(0)], range: [low - room, high + room] };
}
