/** Where the units of the network stand on the page, and how strong the lines between them are. No drawing here. */
import type { BlockFrame, Built } from '../worker/protocol.ts';

export const nodeSize = 38;
const pitch = 47;
const mostNodes = 8;

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
}

export interface Layout {
  readonly columns: readonly Column[];
  readonly columnWidth: number;
  readonly width: number;
  readonly height: number;
}

/** Columns of equal width, each column's nodes around the same middle line. */
export function layOut(units: readonly number[], room: number): Layout {
  const columnWidth = Math.max(116, room / units.length);
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
      x: (k + 0.5) * columnWidth,
      ys: Array.from({ length: drawn }, (_, i) => top + i * pitch),
    };
  });
  return { columns, columnWidth, width: columnWidth * units.length, height };
}

/** The number of nodes of each column: what goes in, hidden layers, what comes out. */
export function unitsOf(built: Built): number[] {
  const { spec, inputShape, inputNames } = built;
  const inputs = inputShape.length > 1 ? 1 : inputNames.length;
  const outputs = built.goal === 'classes' ? built.classNames.length : 1;
  return [inputs, ...spec.layers.map((layer) => (layer.kind === 'dense' ? layer.units : layer.filters)), outputs];
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
