/**
 * The plane that the page shows of a network with many inputs: which two inputs span it, and where the others stand.
 * Plain arithmetic on the training samples; the pictures are look.ts and views/.
 */
import type { Problem } from '../model/samples.ts';
import type { View } from './protocol.ts';

type Inputs = Pick<Problem, 'train' | 'test' | 'goal' | 'pixels' | 'inputShape'>;

const widthOf = ({ inputShape }: Inputs): number => inputShape[0] ?? 1;

/** One input of all training samples. */
function columnOf({ train }: Inputs, width: number, at: number): Float64Array {
  const { data, shape } = train.fields.inputs;
  return Float64Array.from({ length: shape[0] ?? 0 }, (_, i) => data[i * width + at] as number);
}

const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / Math.max(1, values.length);
};

/** The mean of (a - mean a)(b - mean b). */
function covariance(a: Float64Array, b: ArrayLike<number>): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  return mean(a.map((value, i) => (value - meanA) * ((b[i] as number) - meanB)));
}

/** The squared correlation, 0 to 1. */
function dependence(a: Float64Array, b: ArrayLike<number>): number {
  const product = covariance(a, a) * covariance(Float64Array.from(b), b);
  return product > 0 ? covariance(a, b) ** 2 / product : 0;
}

/** The share of the variance that lies between the classes, 0 to 1: how well a column alone tells them apart. */
function separation(column: Float64Array, classes: ArrayLike<number>): number {
  const whole = mean(column);
  const groups = new Map<number, { count: number; sum: number }>();
  column.forEach((value, i) => {
    const group = groups.get(classes[i] as number) ?? { count: 0, sum: 0 };
    groups.set(classes[i] as number, { count: group.count + 1, sum: group.sum + value });
  });
  let between = 0;
  for (const { count, sum } of groups.values()) between += count * (sum / count - whole) ** 2;
  const total = covariance(column, column) * column.length;
  return total > 0 ? between / total : 0;
}

/** Two columns that say nearly the same span no plane. */
const mostAlike = 0.98;

/** The two inputs that tell most of the target, each alone; in the order of the columns where there are two. */
export function chooseAxes(problem: Inputs): readonly [number, number] {
  const width = widthOf(problem);
  if (problem.pixels || width <= 2) return [0, Math.min(1, width - 1)];
  const columns = Array.from({ length: width }, (_, at) => columnOf(problem, width, at));
  const targets = problem.train.fields.targets.data;
  const score = problem.goal === 'quantity' ? dependence : separation;
  const order = columns.map((column, at) => ({ at, column, score: score(column, targets) }));
  order.sort((a, b) => b.score - a.score || a.at - b.at);
  const [first, second] = order as [(typeof order)[0], (typeof order)[0]];
  const other = order.slice(1).find(({ column }) => dependence(column, first.column) < mostAlike) ?? second;
  return [first.at, other.at];
}

/** The plane of two inputs, with room to see what happens outside. Drawn points have the whole pad. */
export function viewOf(problem: Inputs, axes: readonly [number, number], isDrawn: boolean): View {
  if (problem.pixels || isDrawn) return { axes, bounds: [-1, 1, -1, 1] };
  const width = widthOf(problem);
  const range = (axis: number): [number, number] => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const part of [problem.train, problem.test]) {
      const { data } = part.fields.inputs;
      for (let i = axis; i < data.length; i += width) {
        low = Math.min(low, data[i] as number);
        high = Math.max(high, data[i] as number);
      }
    }
    return [low, high];
  };
  const [left, right] = range(axes[0]);
  const [bottom, top] = axes[1] === axes[0] ? [left, right] : range(axes[1]);
  const half = (Math.max(right - left, top - bottom) / 2) * 1.2 || 1;
  const [x, y] = [(left + right) / 2, (bottom + top) / 2];
  return { axes, bounds: [x - half, x + half, y - half, y + half] };
}

/**
 * Where all inputs stand at a place of the plane: the two axes as asked for, each of the others at its mean for samples
 * with these two, by least squares: x_j = m_j + a_j (u - m_u) + b_j (v - m_v). So the plane goes through the samples
 * instead of beside them.
 */
export function cutOf(problem: Inputs, axes: readonly [number, number]): (u: number, v: number) => Float32Array {
  const width = widthOf(problem);
  const columns = Array.from({ length: width }, (_, at) => columnOf(problem, width, at));
  const [across, up] = [columns[axes[0]] as Float64Array, columns[axes[1]] as Float64Array];
  const [uu, uv, vv] = [covariance(across, across), covariance(across, up), covariance(up, up)];
  const determinant = uu * vv - uv * uv;
  const isPlane = determinant > 1e-9 * uu * vv;
  const slopes = columns.map((column): [number, number] => {
    const [cu, cv] = [covariance(column, across), covariance(column, up)];
    if (isPlane) return [(cu * vv - cv * uv) / determinant, (cv * uu - cu * uv) / determinant];
    return [uu > 0 ? cu / uu : 0, 0];
  });
  const means = columns.map(mean);
  return (u, v) => {
    const [du, dv] = [u - (means[axes[0]] as number), v - (means[axes[1]] as number)];
    const place = Float32Array.from(means, (value, at) => {
      const [a, b] = slopes[at] as [number, number];
      return value + a * du + b * dv;
    });
    place[axes[1]] = v;
    place[axes[0]] = u;
    return place;
  };
}
