/** What a network may be given of a point of the plane: its coordinates, and simple functions of them. */

interface FeatureFacts {
  /** As the page and the exports write it. */
  readonly label: string;
  /** As a program writes it. */
  readonly code: string;
  readonly python: string;
  readonly at: (x: number, y: number) => number;
}

export const features = ['x', 'y', 'xSquared', 'ySquared', 'xy', 'sinX', 'sinY'] as const;
export type Feature = (typeof features)[number];

export const featureFacts: Readonly<Record<Feature, FeatureFacts>> = {
  x: { label: 'x', code: 'x', python: 'x', at: (x) => x },
  y: { label: 'y', code: 'y', python: 'y', at: (_, y) => y },
  xSquared: { label: 'x²', code: 'x * x', python: 'x * x', at: (x) => x * x },
  ySquared: { label: 'y²', code: 'y * y', python: 'y * y', at: (_, y) => y * y },
  xy: { label: 'xy', code: 'x * y', python: 'x * y', at: (x, y) => x * y },
  sinX: {
    label: 'sin πx',
    code: 'Math.sin(Math.PI * x)',
    python: 'np.sin(np.pi * x)',
    at: (x) => Math.sin(Math.PI * x),
  },
  sinY: {
    label: 'sin πy',
    code: 'Math.sin(Math.PI * y)',
    python: 'np.sin(np.pi * y)',
    at: (_, y) => Math.sin(Math.PI * y),
  },
};

export const plainFeatures: readonly Feature[] = ['x', 'y'];

export const isPlain = (chosen: readonly Feature[]): boolean =>
  chosen.length === plainFeatures.length && plainFeatures.every((name, k) => chosen[k] === name);
