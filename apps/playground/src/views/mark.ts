/** One sample on the plane or at a curve. */

/** Training samples are discs, test samples rings. */
export function paintMark(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  color: string,
  dark: boolean,
  isRing: boolean,
): void {
  context.beginPath();
  context.arc(x, y, isRing ? radius - 0.4 : radius, 0, 2 * Math.PI);
  if (isRing) {
    context.fillStyle = dark ? 'rgba(20, 22, 26, 0.75)' : 'rgba(255, 255, 255, 0.8)';
    context.lineWidth = 1.6;
    context.strokeStyle = color;
  } else {
    context.fillStyle = color;
    context.lineWidth = 1;
    context.strokeStyle = dark ? 'rgba(10, 12, 16, 0.9)' : 'rgba(255, 255, 255, 0.95)';
  }
  context.fill();
  context.stroke();
}
