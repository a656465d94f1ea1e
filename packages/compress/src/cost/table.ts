/** Costs as a table of text. Owns how figures are written, not what they are. */
import type { Cost, CostRow } from './cost.ts';

/** A row for each layer, and what all of them come to. */
export function costTable(cost: Omit<Cost, 'toString'>): string {
  const isInteger = cost.integerMultiplyAdds > 0;
  const figures = (
    row: Pick<
      CostRow,
      'parameters' | 'multiplyAdds' | 'flops' | 'integerMultiplyAdds' | 'otherOperations' | 'bytesMoved'
    >,
  ): string[] => [
    group(row.parameters),
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
