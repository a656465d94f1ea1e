/** Where samples stand in the picture of the plane, and which one is meant by a place of it. Shares of its width and height. */

import { placeIn } from '../worker/place.ts';
import type { Built, Points, View } from '../worker/protocol.ts';

/** From the left and from the top, 0 to 1 inside the picture. */
export function shareOf(view: View, points: Points, i: number): readonly [across: number, down: number] {
  const [left, right, bottom, top] = view.bounds;
  const [u, v] = placeIn(view, points.inputs, i * points.width);
  return [(u - left) / (right - left), 1 - (v - bottom) / (top - bottom)];
}

/** The sample nearest to a place and not farther than `reach`, counted through training and then test samples. */
export function nearestSample(
  known: Pick<Built, 'train' | 'test' | 'trainSize'>,
  view: View,
  [across, down]: readonly [number, number],
  reach: number,
  withTest: boolean,
): number | null {
  let best: number | null = null;
  let least = reach;
  const look = (points: Points, start: number): void => {
    for (let i = 0; i < points.targets.length; i++) {
      const [x, y] = shareOf(view, points, i);
      const distance = Math.hypot(x - across, y - down);
      if (distance > least) continue;
      least = distance;
      best = start + i;
    }
  };
  look(known.train, 0);
  if (withTest) look(known.test, known.trainSize);
  return best;
}
