/**
 * How people write the ten digits: several ways each, as the points that the pen passes. Only data.
 * `digits.ts` bends and draws them. Coordinates: x to the right, y down, the digit fills about the unit square.
 */

/** A stroke from pen down to pen up, as x, y, x, y, ...: a smooth curve through the points; a point given twice is a corner. */
export type Stroke = readonly number[];

/** One way to write a digit: its strokes, and how often it is chosen among the ways of that digit. */
export interface Way {
  readonly weight: number;
  readonly strokes: readonly Stroke[];
}

const zero: readonly Way[] = [
  // An oval from the top, counterclockwise, closed.
  {
    weight: 4,
    strokes: [[0.52, 0, 0.24, 0.1, 0.1, 0.45, 0.2, 0.85, 0.48, 1, 0.78, 0.86, 0.9, 0.5, 0.78, 0.12, 0.5, 0]],
  },
  // The ends overlap at the top right.
  {
    weight: 3,
    strokes: [
      [
        0.66, 0.1, 0.42, 0.02, 0.18, 0.26, 0.12, 0.66, 0.32, 0.98, 0.64, 0.94, 0.86, 0.6, 0.82, 0.22, 0.58, 0.04, 0.4,
        0.1,
      ],
    ],
  },
  // Narrow and leaning, not quite closed.
  { weight: 2, strokes: [[0.6, 0.04, 0.36, 0.2, 0.22, 0.6, 0.34, 0.98, 0.6, 0.86, 0.76, 0.45, 0.72, 0.1, 0.56, 0.02]] },
];

const one: readonly Way[] = [
  { weight: 6, strokes: [[0.52, 0, 0.5, 0.5, 0.48, 1]] },
  { weight: 2, strokes: [[0.28, 0.24, 0.42, 0.14, 0.54, 0, 0.54, 0, 0.53, 0.5, 0.52, 1]] },
  // A flag and a base.
  {
    weight: 1,
    strokes: [
      [0.3, 0.22, 0.44, 0.12, 0.54, 0, 0.54, 0, 0.53, 0.5, 0.52, 1],
      [0.26, 1, 0.52, 0.99, 0.8, 1],
    ],
  },
];

const two: readonly Way[] = [
  // A hook, a diagonal, a straight base.
  {
    weight: 4,
    strokes: [
      [
        0.14, 0.24, 0.3, 0.04, 0.62, 0.02, 0.8, 0.22, 0.68, 0.52, 0.4, 0.8, 0.12, 0.99, 0.12, 0.99, 0.5, 0.98, 0.9,
        0.96,
      ],
    ],
  },
  // A loop at the lower left.
  {
    weight: 3,
    strokes: [
      [
        0.16, 0.2, 0.38, 0.02, 0.7, 0.1, 0.76, 0.36, 0.58, 0.68, 0.28, 0.94, 0.1, 0.96, 0.14, 0.8, 0.34, 0.8, 0.58,
        0.94, 0.92, 0.92,
      ],
    ],
  },
  // Upright neck, wavy base.
  {
    weight: 2,
    strokes: [
      [
        0.2, 0.3, 0.26, 0.08, 0.54, 0, 0.76, 0.14, 0.72, 0.42, 0.48, 0.7, 0.18, 0.92, 0.18, 0.92, 0.42, 0.86, 0.64,
        0.98, 0.88, 0.9,
      ],
    ],
  },
];

const three: readonly Way[] = [
  {
    weight: 5,
    strokes: [
      [
        0.16, 0.14, 0.4, 0, 0.7, 0.08, 0.72, 0.32, 0.4, 0.46, 0.4, 0.46, 0.72, 0.54, 0.84, 0.76, 0.6, 0.97, 0.3, 0.98,
        0.1, 0.86,
      ],
    ],
  },
  // The bowls meet in a small loop.
  {
    weight: 2,
    strokes: [
      [
        0.18, 0.1, 0.46, 0, 0.74, 0.12, 0.66, 0.36, 0.42, 0.46, 0.36, 0.5, 0.46, 0.48, 0.78, 0.58, 0.82, 0.8, 0.54, 1,
        0.14, 0.9,
      ],
    ],
  },
  // A flat top.
  {
    weight: 1,
    strokes: [
      [
        0.16, 0.02, 0.46, 0.02, 0.8, 0, 0.8, 0, 0.6, 0.22, 0.42, 0.4, 0.42, 0.4, 0.72, 0.48, 0.82, 0.72, 0.62, 0.96,
        0.34, 0.99, 0.1, 0.88,
      ],
    ],
  },
];

const four: readonly Way[] = [
  // Open: down and across, then the stem.
  {
    weight: 4,
    strokes: [
      [0.2, 0.04, 0.16, 0.3, 0.12, 0.54, 0.12, 0.54, 0.45, 0.55, 0.92, 0.5],
      [0.74, 0.02, 0.7, 0.5, 0.66, 1],
    ],
  },
  // Open, with a round corner.
  {
    weight: 3,
    strokes: [
      [0.24, 0.02, 0.14, 0.32, 0.22, 0.52, 0.46, 0.55, 0.72, 0.46],
      [0.8, 0, 0.73, 0.45, 0.62, 1],
    ],
  },
  // Closed: a triangle and a stem in one stroke.
  {
    weight: 2,
    strokes: [[0.64, 1, 0.66, 0.5, 0.68, 0.02, 0.68, 0.02, 0.4, 0.34, 0.1, 0.66, 0.1, 0.66, 0.5, 0.66, 0.94, 0.64]],
  },
];

const five: readonly Way[] = [
  // Stem and bowl, then the roof.
  {
    weight: 4,
    strokes: [
      [
        0.24, 0.04, 0.2, 0.22, 0.18, 0.42, 0.18, 0.42, 0.46, 0.36, 0.78, 0.52, 0.8, 0.78, 0.56, 0.98, 0.28, 0.98, 0.08,
        0.86,
      ],
      [0.24, 0.05, 0.5, 0.04, 0.84, 0],
    ],
  },
  // From the roof's right end in one stroke.
  {
    weight: 3,
    strokes: [
      [
        0.86, 0.02, 0.56, 0.03, 0.28, 0.04, 0.28, 0.04, 0.24, 0.24, 0.2, 0.44, 0.2, 0.44, 0.5, 0.4, 0.76, 0.56, 0.76,
        0.8, 0.5, 0.99, 0.14, 0.9,
      ],
    ],
  },
  // Soft, near an S.
  {
    weight: 2,
    strokes: [[0.84, 0.04, 0.52, 0.03, 0.3, 0.12, 0.26, 0.34, 0.46, 0.46, 0.7, 0.6, 0.7, 0.84, 0.44, 1, 0.12, 0.92]],
  },
];

const six: readonly Way[] = [
  {
    weight: 4,
    strokes: [
      [0.68, 0.02, 0.4, 0.2, 0.2, 0.52, 0.18, 0.82, 0.38, 1, 0.66, 0.94, 0.78, 0.74, 0.62, 0.56, 0.38, 0.62, 0.2, 0.8],
    ],
  },
  // A straight stem and a small bowl.
  {
    weight: 3,
    strokes: [[0.54, 0, 0.36, 0.3, 0.22, 0.62, 0.22, 0.88, 0.42, 1, 0.66, 0.9, 0.66, 0.68, 0.46, 0.6, 0.26, 0.76]],
  },
  // The curl goes on inside the bowl.
  {
    weight: 2,
    strokes: [
      [
        0.8, 0.08, 0.5, 0.06, 0.24, 0.34, 0.14, 0.7, 0.32, 0.98, 0.66, 0.98, 0.84, 0.74, 0.66, 0.5, 0.36, 0.56, 0.26,
        0.76,
      ],
    ],
  },
];

const seven: readonly Way[] = [
  { weight: 5, strokes: [[0.1, 0.08, 0.46, 0.06, 0.84, 0.03, 0.84, 0.03, 0.66, 0.4, 0.48, 0.72, 0.38, 1]] },
  // A bar through the stem.
  {
    weight: 2,
    strokes: [
      [0.12, 0.06, 0.48, 0.05, 0.86, 0.02, 0.86, 0.02, 0.64, 0.42, 0.46, 1],
      [0.3, 0.52, 0.54, 0.5, 0.8, 0.48],
    ],
  },
  // A serif at the left, a round corner.
  { weight: 2, strokes: [[0.12, 0.22, 0.14, 0.06, 0.14, 0.06, 0.46, 0.06, 0.78, 0.04, 0.78, 0.18, 0.58, 0.5, 0.5, 1]] },
];

const eight: readonly Way[] = [
  // One stroke from the upper right through the crossing and back.
  {
    weight: 4,
    strokes: [
      [
        0.74, 0.16, 0.5, 0.01, 0.26, 0.14, 0.32, 0.36, 0.56, 0.5, 0.76, 0.7, 0.68, 0.93, 0.44, 1, 0.22, 0.86, 0.3, 0.64,
        0.54, 0.46, 0.74, 0.28, 0.76, 0.14,
      ],
    ],
  },
  // From the crossing, the upper bowl first, wide.
  {
    weight: 2,
    strokes: [
      [
        0.5, 0.46, 0.24, 0.32, 0.28, 0.08, 0.56, 0, 0.78, 0.16, 0.66, 0.38, 0.42, 0.54, 0.18, 0.74, 0.26, 0.96, 0.56,
        0.99, 0.78, 0.82, 0.7, 0.58, 0.48, 0.46,
      ],
    ],
  },
  // Two rings.
  {
    weight: 1,
    strokes: [
      [0.5, 0, 0.28, 0.1, 0.28, 0.36, 0.5, 0.46, 0.72, 0.36, 0.72, 0.1, 0.5, 0],
      [0.5, 0.46, 0.22, 0.6, 0.2, 0.88, 0.5, 1, 0.8, 0.88, 0.78, 0.6, 0.5, 0.46],
    ],
  },
];

const nine: readonly Way[] = [
  // A ring and a straight stem.
  {
    weight: 4,
    strokes: [
      [
        0.76, 0.16, 0.52, 0.02, 0.24, 0.14, 0.2, 0.4, 0.44, 0.52, 0.68, 0.38, 0.77, 0.14, 0.77, 0.14, 0.72, 0.55, 0.66,
        1,
      ],
    ],
  },
  // The stem bends back to the left.
  {
    weight: 3,
    strokes: [
      [
        0.76, 0.2, 0.56, 0.01, 0.28, 0.1, 0.2, 0.36, 0.42, 0.52, 0.68, 0.4, 0.78, 0.16, 0.78, 0.5, 0.68, 0.84, 0.44, 1,
        0.18, 0.92,
      ],
    ],
  },
  // A small open head.
  {
    weight: 2,
    strokes: [[0.7, 0.06, 0.42, 0.04, 0.26, 0.24, 0.36, 0.46, 0.6, 0.4, 0.74, 0.1, 0.74, 0.1, 0.66, 0.5, 0.52, 1]],
  },
];

/** The ways to write each digit, at the digit's own index. */
export const digitWays: readonly (readonly Way[])[] = [zero, one, two, three, four, five, six, seven, eight, nine];
