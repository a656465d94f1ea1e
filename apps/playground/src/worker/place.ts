/** Where samples stand on the plane that is shown: plain arithmetic that page and worker share. */
import type { View } from './protocol.ts';

/** Where a sample, whose columns begin at `start`, stands on the plane. */
export function placeIn(
  { axes, components }: Pick<View, 'axes' | 'components'>,
  data: ArrayLike<number>,
  start: number,
): readonly [u: number, v: number] {
  if (components === null) return [data[start + axes[0]] as number, data[start + axes[1]] as number];
  const { origin, across, up } = components;
  let [u, v] = [0, 0];
  origin.forEach((mean, at) => {
    const difference = (data[start + at] as number) - mean;
    u += difference * (across[at] as number);
    v += difference * (up[at] as number);
  });
  return [u, v];
}
