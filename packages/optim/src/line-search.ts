/**
 * A line search for the strong Wolfe conditions: a step that lowers the loss enough and where it no longer falls steeply.
 * Numbers only; owns no tensors and no direction.
 */

/** The loss, its slope along the line, and the gradient, at a step. */
export interface Point {
  readonly step: number;
  readonly loss: number;
  readonly slope: number;
  readonly gradient: Float32Array;
}

/** Shares of the first slope: of the fall that is asked for, and of the slope that may be left. */
const [leastFall, mostSlope] = [1e-4, 0.9];
const mostEvaluations = 25;

/**
 * From `start` (at step 0, its slope below 0) along a line. First steps grow until they bracket a point that fulfils
 * loss <= start + c1 step slope and |slope| <= c2 |slope at 0|; then the bracket shrinks by minima of cubics.
 * (Nocedal and Wright 2006, algorithms 3.5 and 3.6; bounds and safeguards as PyTorch's `strong_wolfe`.)
 */
export async function strongWolfe(
  evaluate: (step: number) => Promise<Point>,
  start: Point,
  firstStep: number,
  largest: number,
  tolerance: number,
): Promise<{ readonly point: Point; readonly evaluations: number }> {
  const isHigh = ({ step, loss }: Point): boolean => loss > start.loss + leastFall * step * start.slope;
  const isFlat = ({ slope }: Point): boolean => Math.abs(slope) <= -mostSlope * start.slope;
  let before = start;
  let point = await evaluate(firstStep);
  let evaluations = 1;
  let tries = 0;
  let bracket: [Point, Point] | null = null;
  while (tries < mostEvaluations) {
    if (isHigh(point) || (tries > 1 && point.loss >= before.loss)) bracket = [before, point];
    else if (isFlat(point)) return { point, evaluations };
    else if (point.slope >= 0) bracket = [before, point];
    if (bracket !== null) break;
    const next = cubicMinimum(before, point, [point.step + 0.01 * (point.step - before.step), point.step * 10]);
    before = point;
    point = await evaluate(next);
    evaluations++;
    tries++;
  }
  let [low, high] = ordered(bracket ?? [start, point]);
  let isStuck = false;
  while (tries < mostEvaluations && Math.abs(high.step - low.step) * largest >= tolerance) {
    const [left, right] = [Math.min(low.step, high.step), Math.max(low.step, high.step)];
    let step = cubicMinimum(low, high, [left, right]);
    // twice near an end is no progress: a tenth inwards from there
    const margin = 0.1 * (right - left);
    const isNear = Math.min(right - step, step - left) < margin;
    if (isNear && (isStuck || step >= right || step <= left)) {
      step = Math.abs(step - right) < Math.abs(step - left) ? right - margin : left + margin;
      isStuck = false;
    } else isStuck = isNear;
    point = await evaluate(step);
    evaluations++;
    tries++;
    if (isHigh(point) || point.loss >= low.loss) {
      [low, high] = ordered([low, point]);
      continue;
    }
    if (isFlat(point)) return { point, evaluations };
    if (point.slope * (high.step - low.step) >= 0) high = low;
    low = point;
  }
  return { point: low, evaluations };
}

function ordered([a, b]: readonly [Point, Point]): [Point, Point] {
  return a.loss <= b.loss ? [a, b] : [b, a];
}

/** Where the cubic through two points with their slopes is lowest, within the bounds; their middle where it has no minimum. */
function cubicMinimum(a: Point, b: Point, [low, high]: readonly [number, number]): number {
  const [first, last] = a.step <= b.step ? [a, b] : [b, a];
  const d1 = first.slope + last.slope - (3 * (first.loss - last.loss)) / (first.step - last.step);
  const square = d1 * d1 - first.slope * last.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const at = last.step - ((last.step - first.step) * (last.slope + d2 - d1)) / (last.slope - first.slope + 2 * d2);
  return Math.min(Math.max(at, low), high);
}
