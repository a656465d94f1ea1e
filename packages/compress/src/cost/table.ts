/** A cost as data and as a table of text. Owns its form and how figures are written, not what they are. */
import type { Shape } from '@nn/core';
import type { Work } from './work.ts';

/** What a layer costs, without the layers inside of it. */
export interface CostRow extends Work {
  /** As in the names of its parameters: 'layers.0'; '' is the model; null is what no layer made: losses, updates. */
  readonly path: string | null;
  /** What the layer calls itself: 'Linear(4, 3)'. */
  readonly layer: string;
  /** Layers above it. */
  readonly depth: number;
  /** Of its last call; null for a layer that was not called. */
  readonly outputShape: Shape | null;
  /** Numbers that it learns or has learned, in itself, in as many bits as they may have. */
  readonly parameters: number;
  /** Of its parameters and buffers, as they are stored. */
  readonly parameterBytes: number;
}

/** Plain data, as JSON.stringify takes it. */
export interface Cost extends Work {
  readonly rows: readonly CostRow[];
  readonly parameters: number;
  /** Of those the ones that are trained: not those that are frozen. */
  readonly trainableParameters: number;
  /** Of all parameters and buffers, as they are stored. */
  readonly parameterBytes: number;
  /** Planned for all that lives at once, parameters and inputs too, in the largest of the programs. */
  readonly memoryBytes: number;
  /** Of that what is neither parameter nor input: activations, gradients, scratch. */
  readonly workingBytes: number;
  /** Kernels that run. */
  readonly kernels: number;
  readonly programs: number;
  /** The table as text, which is also what Node's console shows. */
  toString(): string;
}

/** A row for each layer, and what all of them come to. */
export function costTable(cost: Omit<Cost, 'toString'>): string {
  const isInteger = cost.integerMultiplyAdds > 0;
  const figures = (
    row: Pick<
      CostRow,
      | 'parameters'
      | 'parameterBytes'
      | 'multiplyAdds'
      | 'flops'
      | 'integerMultiplyAdds'
      | 'otherOperations'
      | 'bytesMoved'
    >,
  ): string[] => [
    group(row.parameters),
    bytes(row.parameterBytes),
    group(row.multiplyAdds),
    ...(isInteger ? [group(row.integerMultiplyAdds)] : []),
    group(row.flops),
    group(row.otherOperations),
    bytes(row.bytesMoved),
  ];
  const head = [
    'layer',
    'output',
    'parameters',
    'stored',
    'multiply-adds',
    ...(isInteger ? ['of whole numbers'] : []),
    'flops',
    'other',
    'moved',
  ];
  const rows = cost.rows.filter(
    (row) => row.path !== '' || row.parameters + row.flops + row.otherOperations + row.bytesMoved > 0,
  );
  const lines = rows.map((row) => [
    '  '.repeat(row.depth) + (row.path === '' || row.path === null ? row.layer : `${row.path}: ${row.layer}`),
    row.outputShape === null ? '' : `[${row.outputShape.join(', ')}]`,
    ...figures(row),
  ]);
  const all = [head, ...lines, ['total', '', ...figures(cost)]];
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const text = all.map((line) =>
    line
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(widths.reduce((width, one) => width + one + 2, -2));
  const end = `memory ${bytes(cost.memoryBytes)}, of it ${bytes(cost.workingBytes)} beside parameters and inputs; ${cost.kernels} kernels in ${cost.programs} ${cost.programs === 1 ? 'program' : 'programs'}`;
  return [text[0], rule, ...text.slice(1, -1), rule, text.at(-1), end].join('\n');
}

function group(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** '1.5 kB': units of 1,000. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [size, unit] = [count, 0];
  while (size >= 1000 && unit < units.length - 1) [size, unit] = [size / 1000, unit + 1];
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}
