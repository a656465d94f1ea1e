/**
 * Winograd's minimal filtering F(4x4, 3x3), as matrices (S. Winograd, "Arithmetic Complexity of Computations", 1980; A. Lavin
 * and S. Gray, arXiv:1509.09308). A filter and a patch are polynomials, and their product is found from its values at six
 * points: a 4x4 tile of the output takes 36 products for each channel and filter instead of 144.
 */

/** Outputs of a tile along one axis, and places of its patch: each stands for one frequency. */
export const tile = 4;
export const taps = 3;
export const reach: number = tile + taps - 1;

/** Polynomials are evaluated here and at infinity. These points lose the fewest bits: see docs/decisions/0010. */
const points: readonly number[] = [0, 0.75, -0.75, 1.5, -1.5];

export type Matrix = readonly (readonly number[])[];
export const transposed = (matrix: Matrix): number[][] =>
  matrix[0]!.map((_, column) => matrix.map((row) => row[column]!));
export const powers = (x: number, count: number): number[] => Array.from({ length: count }, (_, power) => x ** power);
const atInfinity = (count: number): number[] => powers(0, count).reverse();
/** Coefficients of the product of (x - root), padded to `reach`. */
const polynomial = (roots: readonly number[]): number[] =>
  roots.reduce(
    (product, root) => product.map((value, power) => (product[power - 1] ?? 0) - root * value),
    powers(0, reach),
  );
const others = (point: number): number[] => points.filter((other) => other !== point);

/** out = A^T ((G g) * (B^T d)), a filter g and a patch d, the product element by element (Cook and Toom). */
export const outputs: Matrix = [...points.map((x) => powers(x, tile)), atInfinity(tile)];
export const filters: Matrix = [
  ...points.map((x) => {
    const norm = others(x).reduce((product, other) => product * (x - other), 1);
    return powers(x, taps).map((power) => power / norm);
  }),
  atInfinity(taps),
];
export const patches: Matrix = [...points.map((x) => polynomial(others(x))), polynomial(points)];
