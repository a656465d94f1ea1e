/** Tables that come with the page, generated: kinds, a quantity and a rare class, with units, categories and missing values. */
import { RandomSequence } from '@nn/data';
import type { DroppedTable } from './samples.ts';

export const exampleNames = ['flowers', 'houses', 'loans'] as const;
export type ExampleName = (typeof exampleNames)[number];

const makers: Readonly<Record<ExampleName, (random: RandomSequence) => string>> = {
  /** Three kinds whose leaves differ, two of them only together. */
  flowers: (random) => {
    const kinds = [
      { kind: 'alba', petal: [1.5, 0.3], sepal: [5, 3.4] },
      { kind: 'lutea', petal: [4.3, 1.3], sepal: [5.9, 2.8] },
      { kind: 'rosea', petal: [5.5, 2], sepal: [6.6, 3] },
    ] as const;
    return csv(['petal length (cm)', 'petal width (cm)', 'sepal length (cm)', 'sepal width (cm)', 'kind'], 150, (i) => {
      const { kind, petal, sepal } = kinds[i % 3] ?? kinds[0];
      const size = random.normal(0, 1);
      const near = (mean: number, spread: number): string =>
        Math.max(0.1, mean + spread * (0.7 * size + 0.7 * random.normal(0, 1))).toFixed(1);
      return [near(petal[0], 0.45), near(petal[1], 0.2), near(sepal[0], 0.5), near(sepal[1], 0.3), kind];
    });
  },
  /** As a spreadsheet writes it where commas part whole from fraction; some ages and districts are not known. */
  houses: (random) => {
    const districts = { centre: 1.5, harbour: 1.25, north: 1, hills: 1.1 } as const;
    const names = Object.keys(districts) as (keyof typeof districts)[]; // the one cast: a constant object has no other keys
    const comma = (value: number): string => value.toFixed(1).replace('.', ',');
    return csv(
      ['area (m²)', 'rooms', 'age (years)', 'district', 'garden', 'price (k€)'],
      300,
      () => {
        const area = 35 + 140 * random.fraction() ** 1.5;
        const rooms = Math.max(1, Math.round(area / 28 + random.normal(0, 0.7)));
        const age = Math.floor(90 * random.fraction());
        const district = names[random.integer(names.length)] ?? 'north';
        const garden = random.fraction() < 0.4;
        const worth =
          (20 + 2.6 * area + (garden ? 30 : 0)) * districts[district] * (1 - 0.25 * Math.sin((age / 90) * Math.PI));
        const known = (text: string, share: number): string => (random.fraction() < share ? '' : text);
        const price = worth + random.normal(0, 14);
        return [
          comma(area),
          String(rooms),
          known(String(age), 0.08),
          known(district, 0.05),
          garden ? 'yes' : 'no',
          comma(price),
        ];
      },
      ';',
    );
  },
  /** Few of them fail: accuracy alone says little. */
  loans: (random) => {
    const jobs = ['employed', 'self-employed', 'student', 'retired'] as const;
    return csv(['income (k€)', 'debt (k€)', 'age (years)', 'job', 'repaid'], 400, () => {
      const job = jobs[random.integer(jobs.length)] ?? 'employed';
      const income = Math.max(6, (job === 'student' ? 14 : job === 'retired' ? 24 : 42) + random.normal(0, 12));
      const debt = Math.max(0, income * (0.2 + 0.5 * random.fraction()) + random.normal(0, 4));
      const age = Math.round(
        job === 'student'
          ? 19 + 8 * random.fraction()
          : job === 'retired'
            ? 62 + 18 * random.fraction()
            : 24 + 38 * random.fraction(),
      );
      const risk = 7 * (debt / income - 0.74) + (job === 'self-employed' ? 0.7 : 0) + random.normal(0, 0.5);
      const text = (value: number): string => value.toFixed(1);
      return [text(income), random.fraction() < 0.04 ? '' : text(debt), String(age), job, risk > 0 ? 'no' : 'yes'];
    });
  },
};

function csv(names: readonly string[], count: number, row: (i: number) => readonly string[], separator = ','): string {
  const lines = Array.from({ length: count }, (_, i) => row(i).join(separator));
  return `${names.join(separator)}\n${lines.join('\n')}\n`;
}

export const exampleTable = (name: ExampleName): DroppedTable => ({
  name: `${name}.csv`,
  text: makers[name](new RandomSequence(20)),
  encoding: 'utf-8',
});

/** The unit that stands in brackets behind a column's name: `area (m²)`; empty where there is none. */
export function unitOf(column: string): string {
  return /[([]([^()[\]]{1,12})[)\]]\s*$/.exec(column)?.[1] ?? '';
}

/** A number with its unit. */
export const withUnit = (text: string, unit: string): string => (unit === '' ? text : `${text} ${unit}`);
