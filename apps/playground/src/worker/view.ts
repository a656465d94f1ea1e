/**
 * The plane that the page shows of a network with many inputs: which two inputs span it, and where the others stand.
 * Plain arithmetic on the training samples; the pictures are look.ts and views/.
 */
import { featuresAt, type Problem } from '../model/samples.ts';
import { placeIn } from './place.ts';
import type { Components, View } from './protocol.ts';

type Inputs = Pick<Problem, 'shown' | 'features' | 'goal' | 'pixels'>;

const widthOf = ({ shown }: Inputs): number => shown.train.fields.inputs.shape[1] ?? 1;

/** One column of all training samples. */
function columnOf({ shown }: Inputs, width: number, at: number): Float64Array {
  const { data, shape } = shown.train.fields.inputs;
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
  const targets = problem.shown.train.fields.targets.data;
  const score = problem.goal === 'quantity' ? dependence : separation;
  const order = columns.map((column, at) => ({ at, column, score: score(column, targets) }));
  order.sort((a, b) => b.score - a.score || a.at - b.at);
  const [first, second] = order as [(typeof order)[0], (typeof order)[0]];
  const other = order.slice(1).find(({ column }) => dependence(column, first.column) < mostAlike) ?? second;
  return [first.at, other.at];
}

/** The plane of two inputs or of the principal components (null), with room to see what happens outside. Drawn points have the whole pad. */
export function viewOf(problem: Inputs, axes: readonly [number, number] | null, isDrawn: boolean): View {
  const plain = { axes: axes ?? ([0, 1] as const), components: null };
  if (problem.pixels || isDrawn) return { ...plain, bounds: [-1, 1, -1, 1] };
  const width = widthOf(problem);
  const components = axes === null ? componentsOf(problem) : null;
  const view: View = { ...plain, components, bounds: [0, 1, 0, 1] };
  const range = (direction: 0 | 1): [number, number] => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const part of [problem.shown.train, problem.shown.test]) {
      const { data } = part.fields.inputs;
      for (let start = 0; start < data.length; start += width) {
        const value = placeIn(view, data, start)[direction];
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    return [low, high];
  };
  const [left, right] = range(0);
  const [bottom, top] = range(1);
  const half = (Math.max(right - left, top - bottom) / 2) * 1.2 || 1;
  const [x, y] = [(left + right) / 2, (bottom + top) / 2];
  return { ...view, bounds: [x - half, x + half, y - half, y + half] };
}

/**
 * The two principal components of the training samples: the eigenvectors of their covariances with the largest eigenvalues,
 * by powers of the matrix; what the first one explains is taken out before the second is looked for. Their signs are such that
 * the largest coefficient is positive.
 */
export function componentsOf(problem: Inputs): Components {
  const width = widthOf(problem);
  const columns = Array.from({ length: width }, (_, at) => columnOf(problem, width, at));
  const matrix = columns.map((a) => columns.map((b) => covariance(a, b)));
  const total = matrix.reduce((sum, row, at) => sum + (row[at] as number), 0);
  const first = largestEigenvector(matrix);
  const rest = matrix.map((row, i) =>
    row.map((value, j) => value - first.value * (first.vector[i] as number) * (first.vector[j] as number)),
  );
  const second = largestEigenvector(rest);
  const share = (value: number): number => (total > 0 ? Math.max(0, value) / total : 0);
  return {
    origin: columns.map(mean),
    across: first.vector,
    up: second.vector,
    explained: [share(first.value), share(second.value)],
  };
}

function largestEigenvector(matrix: readonly (readonly number[])[]): { vector: number[]; value: number } {
  // a start that is orthogonal to no axis
  let vector = matrix.map((_, i) => 1 + i / matrix.length);
  let value = 0;
  for (let step = 0; step < 500; step++) {
    const next = matrix.map((row) => row.reduce((sum, entry, j) => sum + entry * (vector[j] as number), 0));
    const length = Math.hypot(...next);
    if (length < 1e-12) break;
    const moved = next.map((entry) => entry / length);
    const change = Math.hypot(...moved.map((entry, i) => entry - (vector[i] as number)));
    vector = moved;
    value = length;
    if (change < 1e-10) break;
  }
  const largest = vector.reduce((top, entry) => (Math.abs(entry) > Math.abs(top) ? entry : top), 0);
  const size = Math.hypot(...vector) * (largest < 0 ? -1 : 1) || 1;
  return { vector: vector.map((entry) => entry / size), value };
}

/**
 * What goes into the network at a place of the plane. Of a point of the plane its features; on the plane of the principal
 * components the sample there whose other components are those of the mean. Otherwise the two axes as asked for, each of the others at its mean for samples
 * with these two, by least squares: x_j = m_j + a_j (u - m_u) + b_j (v - m_v). So the plane goes through the samples
 * instead of beside them.
 */
export function cutOf(
  problem: Inputs,
  { axes, components }: Pick<View, 'axes' | 'components'>,
): (u: number, v: number) => Float32Array {
  const { features } = problem;
  if (features !== null) return (u, v) => Float32Array.from(featuresAt(features, [u, v]));
  if (components !== null) {
    const { origin, across, up } = components;
    return (u, v) => Float32Array.from(origin, (m, at) => m + u * (across[at] as number) + v * (up[at] as number));
  }
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
