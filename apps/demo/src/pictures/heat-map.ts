/** A matrix as shades: a row for each word that was said, a column for each word that was looked at. */
import { padText, type Terminal, widthOf } from '@nn/train';

/** From nothing to all. */
const shades = ' .:-=+*#%@';

/** `weights[row][column]` from 0 to 1; rows and columns bear their names, those of columns stand upright. */
export function drawHeatMap(
  weights: readonly (readonly number[])[],
  names: { readonly rows: readonly string[]; readonly columns: readonly string[] },
  terminal: Terminal,
): string[] {
  const left = Math.max(0, ...names.rows.map(widthOf));
  const columns = names.columns.slice(0, Math.max(1, Math.floor((terminal.columns - left - 4) / 2)));
  const height = Math.max(0, ...columns.map((name) => [...name].length));
  const head = Array.from({ length: height }, (_, line) => {
    const at = (name: string): string => [...name.padStart(height)][line] ?? ' ';
    return `${' '.repeat(left + 1)}${columns.map((name) => `${at(name)} `).join('')}`.trimEnd();
  });
  const rows = weights.map((row, i) => {
    const cells = columns.map((_, k) => {
      const shade = shades[Math.min(shades.length - 1, Math.floor((row[k] ?? 0) * shades.length))]!;
      return `${terminal.paint(shade, (row[k] ?? 0) > 0.5 ? 'green' : 'cyan')} `;
    });
    return `${padText(names.rows[i] ?? '', left)} ${cells.join('')}`.trimEnd();
  });
  return [...head, ...rows];
}
