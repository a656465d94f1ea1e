/** Roots of functions that only fall: what turns "epsilon of this noise" into "noise of this epsilon". */

/** The smallest x, to a relative `precision`, at which the falling function is at most 0; `low` is where it is above. */
export function firstBelow(falling: (x: number) => number, low: number, high: number, precision = 1e-10): number {
  let [above, below] = [low, high];
  while (below - above > precision * Math.max(1e-12, Math.abs(below))) {
    const middle = (above + below) / 2;
    if (middle === above || middle === below) break;
    if (falling(middle) > 0) above = middle;
    else below = middle;
  }
  return below;
}
