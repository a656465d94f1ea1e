/** Fine drawings without colours: each character is a field of 2 x 4 dots. */

/** The bit of each dot in the Unicode block of braille patterns, by row and column. */
const bits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/**
 * Lines of `columns` characters; `isSet` is asked for the dots of a grid of 2 columns x 4 rows.
 *
 * @example
 * import { drawDots } from '@nn/metrics';
 * console.log(drawDots(2, 1, (x, y) => x === y)); // => [ '⠑⢄' ]
 */
export function drawDots(columns: number, rows: number, isSet: (x: number, y: number) => boolean): string[] {
  return Array.from({ length: rows }, (_, row) => {
    let line = '';
    for (let column = 0; column < columns; column++) {
      let pattern = 0;
      bits.forEach((pair, y) => {
        pair.forEach((bit, x) => {
          if (isSet(2 * column + x, 4 * row + y)) pattern |= bit;
        });
      });
      line += String.fromCodePoint(0x2800 + pattern);
    }
    return line;
  });
}

/**
 * A curve of values from left to right, from 0 at the bottom to `top` at the top. `total`: how many values fill the width.
 * Where `isFine`, in dots of braille, else in stars.
 *
 * @example
 * import { drawCurve } from '@nn/metrics';
 * console.log(drawCurve([0, 1, 2], 3, 2, 3, 3, false)); // => [ '  *', ' * ', '*  ' ]
 */
export function drawCurve(
  values: readonly number[],
  total: number,
  top: number,
  columns: number,
  rows: number,
  isFine: boolean,
): string[] {
  const [width, height] = isFine ? [2 * columns, 4 * rows] : [columns, rows];
  const heightAt = (x: number): number | undefined => {
    const value = values[Math.floor((x / width) * total)];
    if (value === undefined) return undefined;
    return Math.round((1 - Math.min(1, Math.max(0, value / top))) * (height - 1));
  };
  const isSet = (x: number, y: number): boolean => {
    const here = heightAt(x);
    if (here === undefined) return false;
    // Steep parts are filled from the height of the neighbour on the left, so that the curve has no holes.
    const before = x > 0 ? (heightAt(x - 1) ?? here) : here;
    if (here === before) return y === here;
    return here > before ? y > before && y <= here : y >= here && y < before;
  };
  if (isFine) return drawDots(columns, rows, isSet);
  return Array.from({ length: rows }, (_, y) =>
    Array.from({ length: columns }, (_, x) => (isSet(x, y) ? '*' : ' ')).join(''),
  );
}
