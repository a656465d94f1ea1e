/** Draws what a network of two inputs answers in the plane, and the points it learns from, in the colours of the page. */
import { reach, side } from '../trainer/protocol.ts';

export interface Points {
  readonly places: Float32Array;
  readonly classes: Int32Array;
}

type Colour = readonly [red: number, green: number, blue: number];

export function draw(canvas: HTMLCanvasElement, { places, classes }: Points, answers: Float32Array | undefined): void {
  const size = Math.round(canvas.clientWidth * devicePixelRatio);
  const context = canvas.getContext('2d');
  if (context === null || size === 0) return;
  canvas.width = size;
  canvas.height = size;
  const style = getComputedStyle(canvas);
  const [blue, orange, zero] = ['--nn-blue', '--nn-orange', '--nn-zero'].map((name) =>
    style.getPropertyValue(name).trim(),
  );
  if (answers !== undefined) {
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture(answers, rgb(blue), rgb(zero), rgb(orange)), 0, 0, size, size);
  }
  const at = (value: number): number => ((value / reach + 1) / 2) * size;
  const radius = Math.max(2.5, size / 130);
  context.lineWidth = Math.max(1, radius / 3);
  context.strokeStyle = style.getPropertyValue('--nn-edge').trim();
  classes.forEach((type, index) => {
    context.beginPath();
    context.arc(at(places[2 * index] ?? 0), at(-(places[2 * index + 1] ?? 0)), radius, 0, 2 * Math.PI);
    context.fillStyle = (type === 1 ? orange : blue) ?? '';
    context.fill();
    context.stroke();
  });
}

/** One pixel for each answer: blue for 0, orange for 1, paper between. */
function picture(answers: Float32Array, blue: Colour, zero: Colour, orange: Colour): HTMLCanvasElement {
  const small = document.createElement('canvas');
  small.width = side;
  small.height = side;
  const context = small.getContext('2d');
  const image = context?.createImageData(side, side);
  if (context === null || image === undefined) return small;
  answers.forEach((answer, cell) => {
    const share = Math.min(1, Math.abs(2 * answer - 1)) * 0.75;
    const end = answer > 0.5 ? orange : blue;
    for (const [channel, value] of end.entries()) {
      image.data[4 * cell + channel] = share * value + (1 - share) * (zero[channel] ?? 0);
    }
    image.data[4 * cell + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  return small;
}

/** Of `#rrggbb`. */
function rgb(text = ''): Colour {
  const part = (at: number): number => Number.parseInt(text.slice(at, at + 2), 16) || 0;
  return [part(1), part(3), part(5)];
}
