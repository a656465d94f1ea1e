/**
 * What a pen leaves on a pad, as pixels from 0 (paper) to 1 (ink), and its centring the way of MNIST: the ink is scaled
 * to 20 of 28 pixels and its centre of mass moved to the middle.
 */
export class Ink {
  readonly side: number;
  readonly pixels: Float32Array;

  constructor(side: number) {
    this.side = side;
    this.pixels = new Float32Array(side * side);
  }

  clear(): void {
    this.pixels.fill(0);
  }

  /** A stroke of a round pen, soft at its edge. */
  line(from: readonly [number, number], to: readonly [number, number], radius = 1.25): void {
    const { side, pixels } = this;
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const length = dx * dx + dy * dy;
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const [px, py] = [column + 0.5 - from[0], row + 0.5 - from[1]];
        const along = length === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / length));
        const distance = Math.hypot(px - along * dx, py - along * dy);
        const dark = Math.max(0, Math.min(1, radius + 0.5 - distance));
        const at = row * side + column;
        pixels[at] = Math.max(pixels[at] as number, dark);
      }
    }
  }

  get isEmpty(): boolean {
    return this.pixels.every((value) => value === 0);
  }
}

/** Dark ink on clear paper. */
export function inkImage(pixels: Float32Array, side: number, strength = 1): ImageData {
  const image = new ImageData(side, side);
  pixels.forEach((value, i) => {
    image.data.set([38, 42, 50, 255 * value * strength], 4 * i);
  });
  return image;
}

/** The ink scaled into a box of 20 pixels, its centre of mass in the middle of 28. */
export function centre({ pixels, side }: Pick<Ink, 'pixels' | 'side'>): Float32Array {
  let [left, right, top, bottom] = [side, -1, side, -1];
  for (let i = 0; i < pixels.length; i++) {
    if ((pixels[i] as number) < 0.05) continue;
    const [x, y] = [i % side, Math.floor(i / side)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  const result = new Float32Array(side * side);
  if (right < left) return result;
  const scale = ((20 / 28) * side) / Math.max(right - left + 1, bottom - top + 1);
  const [boxX, boxY] = [(left + right + 1) / 2, (top + bottom + 1) / 2];
  const place = (cx: number, cy: number): Float32Array => {
    const made = new Float32Array(side * side);
    for (let i = 0; i < made.length; i++) {
      const x = ((i % side) + 0.5 - cx) / scale + boxX;
      const y = (Math.floor(i / side) + 0.5 - cy) / scale + boxY;
      made[i] = mean(pixels, side, x, y, 0.5 / scale);
    }
    return made;
  };
  const middle = side / 2;
  const first = place(middle, middle);
  let [mass, sumX, sumY] = [0, 0, 0];
  first.forEach((value, i) => {
    mass += value;
    sumX += value * ((i % side) + 0.5);
    sumY += value * (Math.floor(i / side) + 0.5);
  });
  if (mass === 0) return first;
  return place(2 * middle - sumX / mass, 2 * middle - sumY / mass);
}

/** The mean of a square of pixels around a point: enough samples that none is skipped when shrinking. */
function mean(pixels: Float32Array, side: number, x: number, y: number, half: number): number {
  const steps = Math.max(1, Math.ceil(4 * half));
  let sum = 0;
  for (let a = 0; a < steps; a++) {
    for (let b = 0; b < steps; b++) {
      const px = x + (((a + 0.5) / steps) * 2 - 1) * half;
      const py = y + (((b + 0.5) / steps) * 2 - 1) * half;
      sum += bilinear(pixels, side, px, py);
    }
  }
  return sum / (steps * steps);
}

function bilinear(pixels: Float32Array, side: number, x: number, y: number): number {
  const [fx, fy] = [x - 0.5, y - 0.5];
  const [column, row] = [Math.floor(fx), Math.floor(fy)];
  const [a, b] = [fx - column, fy - row];
  const at = (r: number, c: number): number =>
    r < 0 || c < 0 || r >= side || c >= side ? 0 : (pixels[r * side + c] as number);
  return (
    (1 - a) * (1 - b) * at(row, column) +
    a * (1 - b) * at(row, column + 1) +
    (1 - a) * b * at(row + 1, column) +
    a * b * at(row + 1, column + 1)
  );
}
