/**
 * Tables and series for the tasks: files of `--data`, or generated ones, so that nothing has to be downloaded. Generated
 * data has what real data has: values that are missing, a rule with exceptions, trends and seasons.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CsvFileOptions, parseCsv, RandomSequence, readCsv, type Table } from '@nn/data';
import { Failure } from './failure.ts';

/** The file of a folder, as it is or packed by gzip. Throws a `Failure` where it is not there; what is wrong within it is the reader's to tell. */
async function tableOf(folder: string, name: string, options: CsvFileOptions): Promise<Table> {
  const packed = join(folder, `${name}.gz`);
  const path = existsSync(packed) ? packed : join(folder, name);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Failure(`--data ${folder}: there is no ${name}.`);
    throw new Failure(`--data ${folder}: ${name} cannot be read: ${error.message}.`);
  });
  return readCsv(bytes, { name: path, onWarning: () => undefined, ...options });
}

/** The columns that tell of a passenger; others of the known file say the same again, or what is to be predicted. */
const passengerColumns = ['survived', 'pclass', 'sex', 'age', 'sibsp', 'parch', 'fare', 'embarked'];

/** titanic.csv of a folder, or passengers who are drawn. */
export async function passengers(folder: string | undefined, seed: number): Promise<Table> {
  const options = { columns: passengerColumns, kinds: { survived: 'category', pclass: 'category' } } as const;
  if (folder !== undefined) return tableOf(folder, 'titanic.csv', options);
  const random = new RandomSequence(seed, 1);
  const rows = Array.from({ length: 900 }, () => {
    const pclass = 1 + Math.floor(random.uniform() ** 0.6 * 3);
    const isFemale = random.uniform() < 0.36;
    const age = Math.max(1, random.normal(40 - 5 * pclass, 14));
    const [sibsp, parch] = [Math.floor(random.uniform() ** 3 * 4), Math.floor(random.uniform() ** 4 * 4)];
    const fare = Math.exp(random.normal(4.6 - 0.9 * pclass, 0.5)) * (1 + 0.3 * (sibsp + parch));
    const odds =
      (isFemale ? 1.4 : -1.3) + 0.75 * (2 - pclass) - 0.025 * (age - 30) - 0.3 * Math.max(0, sibsp + parch - 2);
    const survived = random.uniform() < 1 / (1 + Math.exp(-1.4 * odds)) ? 1 : 0;
    const port = ['S', 'S', 'S', 'C', 'Q'][random.integer(5)]!;
    const known = random.uniform() < 0.8 ? age.toFixed(0) : '';
    return [
      survived,
      pclass,
      isFemale ? 'female' : 'male',
      known,
      sibsp,
      parch,
      fare.toFixed(2),
      random.uniform() < 0.01 ? '' : port,
    ];
  });
  return parseCsv([passengerColumns, ...rows].join('\n'), {
    ...options,
    name: 'drawn passengers',
    onWarning: () => undefined,
  });
}

/** The columns that the income is told from, and those that say of whom. */
const peopleColumns = [
  ...['age', 'workclass', 'education_years', 'marital_status', 'occupation', 'capital_gain', 'capital_loss'],
  ...['hours_per_week', 'sex', 'race', 'income'],
];

/**
 * adult.csv of a folder, or 8,000 people who are drawn: what a person does not choose decides part of the income, and part of
 * the work and of the hours. Races of few rows are one.
 */
export async function people(folder: string | undefined, seed: number): Promise<Table> {
  // '?': who does not say what work they do is a kind of worker
  const options = { columns: peopleColumns, missing: [''] } as const;
  if (folder !== undefined) return tableOf(folder, 'adult.csv', options);
  const random = new RandomSequence(seed, 4);
  const works = ['Craft-repair', 'Adm-clerical', 'Sales', 'Exec-managerial', 'Prof-specialty'];
  const rows = Array.from({ length: 8000 }, () => {
    const isFemale = random.uniform() < 0.45;
    const race = random.uniform() < 0.75 ? 'White' : random.uniform() < 0.6 ? 'Black' : 'Other';
    const age = Math.round(Math.min(80, Math.max(18, random.normal(39, 13))));
    const years = Math.round(Math.min(16, Math.max(4, random.normal(race === 'Black' ? 9.5 : 10.2, 2.5))));
    const work = Math.min(4, Math.floor((years / 16) * 3 + random.uniform() * 2 - (isFemale ? 0.4 : 0)));
    const hours = Math.round(Math.min(80, Math.max(10, random.normal(isFemale ? 36.5 : 42.5, 11))));
    const isMarried = random.uniform() < (isFemale ? 0.15 : 0.6);
    const gain = random.uniform() < 0.08 ? Math.round(random.uniform() * 15_000) : 0;
    const odds =
      -5 + 0.03 * age + 0.28 * (years - 10) + 0.3 * work + 0.03 * hours + (isMarried ? 1.9 : 0) + gain / 4000;
    const isMore = random.uniform() < 1 / (1 + Math.exp(-odds + (isFemale ? 0.5 : 0) + (race === 'Black' ? 0.5 : 0)));
    return [
      ...[age, random.uniform() < 0.75 ? 'Private' : 'Self-emp', years],
      ...[isMarried ? 'Married-civ-spouse' : 'Never-married', works[Math.max(0, work)]!, gain, 0, hours],
      ...[isFemale ? 'Female' : 'Male', race, isMore ? '>50K' : '<=50K'],
    ];
  });
  return parseCsv([peopleColumns, ...rows].join('\n'), { ...options, name: 'drawn people' });
}

/** mammography.csv of a folder, or 6,000 rows of six numbers that are drawn: 2.3 % of another kind, half of them alike. */
export async function mammographies(folder: string | undefined, seed: number): Promise<Table> {
  const kinds = { calcification: 'category' } as const;
  if (folder !== undefined) return tableOf(folder, 'mammography.csv', { kinds });
  const random = new RandomSequence(seed, 3);
  const columns = ['area', 'gray_level', 'gradient_strength', 'noise', 'contrast', 'shape_moment'];
  const rows = Array.from({ length: 6000 }, (_, row) => {
    const isRare = row % 43 === 0;
    const isPlain = random.uniform() < 0.5;
    // the rare kind lies on an arc around the others, or among them
    const turn = random.uniform() * Math.PI;
    const [across, up] = isRare && isPlain ? [3.2 * Math.cos(turn), 3.2 * Math.sin(turn)] : [0, 0];
    const values = columns.map((__, k) => random.normal(k === 0 ? across : k === 1 ? up : isRare ? 0.8 : 0, 0.9));
    return [...values.map((value) => value.toFixed(5)), Number(isRare)];
  });
  return parseCsv([[...columns, 'calcification'], ...rows].join('\n'), { kinds, name: 'drawn cases' });
}

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** The last column of a file of a folder, or what `drawn` gives. */
async function seriesOf(
  folder: string | undefined,
  file: string,
  drawn: { readonly length: number; at(t: number, random: RandomSequence): number },
  seed: number,
): Promise<readonly number[]> {
  if (folder === undefined) {
    const random = new RandomSequence(seed, 2);
    return Array.from({ length: drawn.length }, (_, t) => drawn.at(t, random));
  }
  const table = await tableOf(folder, file, {});
  const column = table.columns.at(-1);
  if (column?.kind !== 'number' || column.values.some(Number.isNaN)) {
    throw new Failure(`--data ${folder}: the last column of ${file} must be numbers, none of them missing.`);
  }
  return Array.from(column.values);
}

/** 144 months of passengers of airlines: a season that grows with the trend. */
export async function airline(folder: string | undefined, seed: number): Promise<Series> {
  const shape = [-0.09, -0.1, 0.03, 0, -0.01, 0.11, 0.21, 0.2, 0.07, -0.07, -0.2, -0.08];
  const at = (t: number, random: RandomSequence): number =>
    Math.round(Math.exp(4.8 + 0.0098 * t + shape[t % 12]! + random.normal(0, 0.025)));
  const values = await seriesOf(folder, 'airline-passengers.csv', { length: 144, at }, seed);
  return { name: 'airline passengers, a month', values };
}

/** 3,650 days of lowest temperatures: a season, and weather that lasts some days. */
export async function temperatures(folder: string | undefined, seed: number): Promise<Series> {
  let weather = 0;
  const at = (t: number, random: RandomSequence): number => {
    weather = 0.6 * weather + random.normal(0, 2.1);
    return Math.max(0, 11.2 + 4.3 * Math.cos((2 * Math.PI * (t - 25)) / 365) + weather);
  };
  const values = await seriesOf(folder, 'daily-min-temperatures.csv', { length: 3650, at }, seed);
  return { name: 'lowest temperature, a day', values };
}
