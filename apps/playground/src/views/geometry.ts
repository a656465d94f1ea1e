/** Where the units of the network stand on the page, and how strong the lines between them are. No drawing here. */
import { expectedGoal, hasFeatures, isImageTask, type LayerSpec, type Spec } from '../model/spec.ts';
import type { BlockFrame, Built } from '../worker/protocol.ts';

export const nodeSize = 38;
const pitch = 47;
const mostNodes = 8;
/** What a column needs at least: the settings of a layer; a node alone; a node with a name beside it. */
const leastWidths = { layer: 104, end: 76, named: 132 };

export interface Column {
  /** -1 for the inputs; otherwise the block. */
  readonly block: number;
  /** All units, of which the first `shown` are drawn. */
  readonly units: number;
  readonly shown: number;
  /** The middle of the column. */
  readonly x: number;
  /** The middles of its nodes. */
  readonly ys: readonly number[];
  /** For a name on one side of a node. */
  readonly nameWidth: number;
}

export interface Layout {
  readonly columns: readonly Column[];
  readonly columnWidths: readonly number[];
  readonly width: number;
  readonly height: number;
}

/** The columns of an equal width where there is room; those at both ends give way to the layers, which have settings. */
function widthsIn(count: number, room: number, isNamed: boolean): number[] {
  const { layer } = leastWidths;
  const end = isNamed ? leastWidths.named : leastWidths.end;
  const ends = Math.max(end, Math.min(room / count, (room - (count - 2) * layer) / 2));
  const inner = Math.max(layer, (room - 2 * ends) / (count - 2));
  return Array.from({ length: count }, (_, k) => (k === 0 || k === count - 1 ? ends : inner));
}

/** A column for each layer, each column's nodes around the same middle line. */
export function layOut(units: readonly number[], room: number, isNamed = false): Layout {
  const columnWidths = widthsIn(units.length, room, isNamed);
  const leftOf = columnWidths.map((_, k) => columnWidths.slice(0, k).reduce((sum, width) => sum + width, 0));
  const shown = units.map((count, k) => Math.min(count, k === units.length - 1 ? 10 : mostNodes));
  const hasMore = units.some((count, k) => count > (shown[k] as number));
  const height = Math.max(4, ...shown) * pitch + (hasMore ? 24 : 6);
  const middle = (Math.max(4, ...shown) * pitch) / 2;
  const columns = units.map((count, k): Column => {
    const drawn = shown[k] as number;
    const top = middle - ((drawn - 1) * pitch) / 2;
    return {
      block: k - 1,
      units: count,
      shown: drawn,
      x: (leftOf[k] as number) + (columnWidths[k] as number) / 2,
      ys: Array.from({ length: drawn }, (_, i) => top + i * pitch),
      nameWidth: ((columnWidths[k] as number) - nodeSize) / 2 - 8,
    };
  });
  return { columns, columnWidths, width: columnWidths.reduce((sum, width) => sum + width, 0), height };
}

/** The number of nodes of each column: what goes in, hidden layers, what comes out. */
export function unitsOf(built: Pick<Built, 'spec' | 'goal' | 'inputShape' | 'inputNames' | 'classNames'>): number[] {
  const { spec, inputShape, inputNames } = built;
  const inputs = inputShape.length > 1 ? 1 : inputNames.length;
  const outputs = built.goal === 'classes' ? built.classNames.length : 1;
  return [inputs, ...spec.layers.map(sizeOf), outputs];
}

const sizeOf = (layer: LayerSpec): number => (layer.kind === 'dense' ? layer.units : layer.filters);

/** Whether inputs or outputs have names that want room. */
export const hasNames = ({
  inputNames,
  goal,
  classNames,
}: Pick<Built, 'inputNames' | 'goal' | 'classNames'>): boolean =>
  [...inputNames, ...(goal === 'classes' ? classNames : [])].some((name) => name.length > 2);

/** The same before the experiment is there, so that the network's place is kept for it. */
export function expectedUnits({ task, layers, features }: Spec): number[] {
  const classes = expectedGoal(task) === 'classes' ? 10 : 1;
  return [isImageTask(task) ? 1 : hasFeatures(task) ? features.length : 2, ...layers.map(sizeOf), classes];
}

/** What the lines of a frame are made of. */
export interface Weighted {
  readonly blocks: readonly Pick<BlockFrame, 'shape' | 'weights' | 'gradients'>[];
}

export interface Line {
  readonly from: number;
  readonly to: number;
  /** -1 to 1, relative to the strongest line of the layer. */
  readonly strength: number;
}

/**
 * The lines into a block. Several weights between two nodes (a kernel, a flattened map) count as one: the root of their
 * mean square, with the sign of their sum.
 */
export function linesInto(
  frame: Weighted,
  block: number,
  before: Column,
  after: Column,
  what: 'weights' | 'gradients',
): Line[] {
  const found = frame.blocks[block];
  if (found === undefined) return [];
  const values = found[what];
  const row = found.shape.slice(1).reduce((product, size) => product * size, 1);
  const group = row / before.units;
  const lines: Line[] = [];
  let most = 1e-12;
  for (let to = 0; to < after.shown; to++) {
    for (let from = 0; from < before.shown; from++) {
      let [sum, squares] = [0, 0];
      const start = to * row + Math.floor(from * group);
      for (let i = 0; i < group; i++) {
        const value = values[start + i] ?? 0;
        sum += value;
        squares += value * value;
      }
      const strength = Math.sign(sum) * Math.sqrt(squares / group);
      most = Math.max(most, Math.abs(strength));
      lines.push({ from, to, strength });
    }
  }
  return lines.map((line) => ({ ...line, strength: line.strength / most }));
}

/** A line between two nodes, as the diagram draws it: a curve that leaves and arrives level. */
export interface Curve {
  readonly left: number;
  readonly right: number;
  readonly from: number;
  readonly to: number;
}

export const curveBetween = (before: Column, after: Column, from: number, to: number): Curve => ({
  left: before.x + nodeSize / 2 + 1,
  right: after.x - nodeSize / 2 - 1,
  from: before.ys[from] ?? 0,
  to: after.ys[to] ?? 0,
});

/** The point of a curve at 0 (left) to 1 (right): a Bézier curve whose inner points stand at half the way. */
export function pointOn({ left, right, from, to }: Curve, t: number): readonly [x: number, y: number] {
  const middle = (left + right) / 2;
  const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
  return [a * left + (b + c) * middle + d * right, (a + b) * from + (c + d) * to];
}

/** How far a place is from a curve, in pixels. */
export function distanceTo(curve: Curve, x: number, y: number): number {
  if (x < curve.left - 4 || x > curve.right + 4) return Number.POSITIVE_INFINITY;
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k <= 24; k++) {
    const [px, py] = pointOn(curve, k / 24);
    least = Math.min(least, Math.hypot(px - x, py - y));
  }
  return least;
}

/** Where values on a grid cross 0, as pieces of lines in units of the grid (marching squares). */
export function zeroLines(values: Float32Array, side: number): [number, number, number, number][] {
  const pieces: [number, number, number, number][] = [];
  const at = (row: number, column: number): number => values[row * side + column] as number;
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0; column + 1 < side; column++) {
      const [a, b, c, d] = [at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)];
      const cuts: [number, number][] = [];
      if (a > 0 !== b > 0) cuts.push([column + a / (a - b), row]);
      if (b > 0 !== c > 0) cuts.push([column + 1, row + b / (b - c)]);
      if (d > 0 !== c > 0) cuts.push([column + d / (d - c), row + 1]);
      if (a > 0 !== d > 0) cuts.push([column, row + a / (a - d)]);
      for (let k = 0; k + 1 < cuts.length; k += 2) {
        const [from, to] = [cuts[k] as [number, number], cuts[k + 1] as [number, number]];
        pieces.push([from[0], from[1], to[0], to[1]]);
      }
    }
  }
  return pieces;
}
