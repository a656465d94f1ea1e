/** Losses of two weights, to race optimizers on: each one a difficulty of its own. One formula gives slopes and picture. */
import type { Tensor } from '@nn/core';

export const surfaceNames = ['valley', 'rosenbrock', 'saddle', 'beale', 'himmelblau', 'ripples'] as const;
export type SurfaceName = (typeof surfaceNames)[number];

export interface Surface {
  /** x and y of one shape. */
  readonly loss: (x: Tensor, y: Tensor) => Tensor;
  /** [left, right, bottom, top] of what is shown. */
  readonly bounds: readonly [number, number, number, number];
  readonly start: readonly [number, number];
  /** A rate at which plain descent gets somewhere. */
  readonly rate: number;
}

export const surfaces: Readonly<Record<SurfaceName, Surface>> = {
  /** x^2 / 20 + y^2: steep across, flat along. */
  valley: {
    loss: (x, y) => x.square().div(20).add(y.square()),
    bounds: [-10, 10, -5, 5],
    start: [-9, 3],
    rate: 0.3,
  },
  /** (1 - x)^2 + 10 (y - x^2)^2: a valley that bends; its end is hard to find. Source: Rosenbrock 1960, with 10 for 100. */
  rosenbrock: {
    loss: (x, y) => x.mul(-1).add(1).square().add(y.sub(x.square()).square().mul(10)),
    bounds: [-2, 2, -1, 3],
    start: [-1.4, 2.2],
    rate: 0.01,
  },
  /** x^2 - y^2 + y^4 / 8: flat where it turns from up to down, two hollows beside it. */
  saddle: {
    loss: (x, y) => x.square().sub(y.square()).add(y.square().square().div(8)).add(2),
    bounds: [-3, 3, -3, 3],
    start: [-2.5, 0.02],
    rate: 0.05,
  },
  /** Steep walls around a plain. Source: Beale 1958. */
  beale: {
    loss: (x, y) => {
      const term = (constant: number, power: Tensor): Tensor => x.mul(power.sub(1)).add(constant).square();
      return term(1.5, y)
        .add(term(2.25, y.square()))
        .add(term(2.625, y.square().mul(y)));
    },
    bounds: [-1, 4.5, -1.5, 1.5],
    start: [1, 1.2],
    rate: 0.01,
  },
  /** (x^2 + y - 11)^2 + (x + y^2 - 7)^2: four hollows of one depth. Source: Himmelblau 1972. */
  himmelblau: {
    loss: (x, y) => x.square().add(y).sub(11).square().add(x.add(y.square()).sub(7).square()),
    bounds: [-5, 5, -5, 5],
    start: [-0.5, -0.5],
    rate: 0.01,
  },
  /** A bowl with waves: many hollows, of which one is the deepest. Source: Rastrigin 1974, with waves of 2 for 10. */
  ripples: {
    loss: (x, y) => {
      const wave = (of: Tensor): Tensor =>
        of
          .square()
          .div(4)
          .sub(
            of
              .mul(2 * Math.PI)
              .cos()
              .mul(0.5),
          )
          .add(0.5);
      return wave(x).add(wave(y));
    },
    bounds: [-4, 4, -4, 4],
    start: [-3.4, 2.6],
    rate: 0.05,
  },
};
