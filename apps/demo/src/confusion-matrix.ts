/** Which classes are taken for which: counting, and the table. */
import type { Terminal } from '@nn/train';

/** counts[actual][predicted] */
export type ConfusionMatrix = readonly (readonly number[])[];

export function confusionMatrix(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): ConfusionMatrix {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < actual.length; i++) {
    const row = counts[actual[i] as number] as number[];
    const column = predicted[i] as number;
    row[column] = (row[column] as number) + 1;
  }
  return counts;
}

/** The number of samples on the diagonal. */
export function correctOf(matrix: ConfusionMatrix): number {
  return matrix.reduce((sum, row, actual) => sum + (row[actual] as number), 0);
}

/** For screens that are too narrow for the table: what was right of each class, and each mistake. */
function listMistakes(matrix: ConfusionMatrix, terminal: Terminal): string[] {
  return matrix.map((row, actual) => {
    const mistakes = row.flatMap((value, read) => (value === 0 || read === actual ? [] : [`${value} as ${read}`]));
    const right = terminal.paint(`${row[actual]} right`, 'green');
    return `${terminal.paint(String(actual), 'bold')}  ${[right, ...mistakes].join('  ')}`;
  });
}

/** A row for each class, a column for what it was taken for; the right answers and the mistakes stand out. */
export function drawConfusionMatrix(matrix: ConfusionMatrix, terminal: Terminal): string[] {
  const none = terminal.isInteractive ? '·' : '.';
  const largest = Math.max(...matrix.flat());
  const width = Math.max(4, String(largest).length + 2);
  if (terminal.isInteractive && 5 + width * matrix.length > terminal.columns - 3) return listMistakes(matrix, terminal);
  const header = matrix.map((_, predicted) => String(predicted).padStart(width)).join('');
  const rows = matrix.map((row, actual) => {
    const cells = row.map((value, predicted) => {
      const text = (value === 0 ? none : String(value)).padStart(width);
      if (value === 0) return terminal.paint(text, 'dim');
      return terminal.paint(text, ...(actual === predicted ? (['green'] as const) : (['bold', 'red'] as const)));
    });
    return `${terminal.paint(String(actual).padStart(4), 'bold')} ${cells.join('')}`;
  });
  return [`     ${terminal.paint(header, 'bold')}`, ...rows];
}
