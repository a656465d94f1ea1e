/** Small images in a terminal with colours: two pixels in each character, one above the other. */
import type { Color, ColorDepth } from '@nn/train';

/** Lines of `width` characters, height / 2 of them; `height` is even. Needs 256 colours or more. */
export function drawPixels(
  width: number,
  height: number,
  colorAt: (x: number, y: number) => Color,
  depth: ColorDepth,
): string[] {
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = '';
    let last = '';
    for (let x = 0; x < width; x++) {
      // The block fills the upper half with the text's colour and leaves the lower half to the background.
      const colors = `\u001b[38;${code(colorAt(x, y), depth)};48;${code(colorAt(x, y + 1), depth)}m`;
      line += colors === last ? '▀' : `${colors}▀`;
      last = colors;
    }
    lines.push(`${line}\u001b[0m`);
  }
  return lines;
}

function code([red, green, blue]: Color, depth: ColorDepth): string {
  if (depth === 24) return `2;${Math.round(red)};${Math.round(green)};${Math.round(blue)}`;
  return `5;${nearestOf256(red, green, blue)}`;
}

/** The levels of the 6 x 6 x 6 cube that begins at color 16. */
const levels = [0, 95, 135, 175, 215, 255];

/** The nearest color of the cube, or of the 24 greys (8, 18, ..., 238) that begin at 232. */
function nearestOf256(red: number, green: number, blue: number): number {
  const cube = [red, green, blue].map((value) => nearest(levels, value));
  const grey = Math.min(23, Math.max(0, Math.round(((red + green + blue) / 3 - 8) / 10)));
  const distance = (candidate: readonly number[]): number =>
    [red, green, blue].reduce((sum, value, i) => sum + (value - (candidate[i] as number)) ** 2, 0);
  const shade = 8 + 10 * grey;
  if (distance([shade, shade, shade]) < distance(cube.map((level) => levels[level] as number))) return 232 + grey;
  return 16 + 36 * (cube[0] as number) + 6 * (cube[1] as number) + (cube[2] as number);
}

function nearest(values: readonly number[], wanted: number): number {
  let best = 0;
  values.forEach((value, i) => {
    if (Math.abs(value - wanted) < Math.abs((values[best] as number) - wanted)) best = i;
  });
  return best;
}

/** The colour at `share` of the way from one to the other. */
export function mix(from: Color, to: Color, share: number): Color {
  const at = (i: 0 | 1 | 2): number => from[i] + (to[i] - from[i]) * share;
  return [at(0), at(1), at(2)];
}
