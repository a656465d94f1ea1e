/**
 * The samples of an experiment: generated, drawn, or read from a dropped file; parted into training and test.
 * What the task is (two classes, several, a quantity) follows from the samples and is told with them.
 */
import { ValueError } from '@nn/core';
import {
  blobs,
  type Column,
  type ColumnKind,
  type CsvOptions,
  type CsvReading,
  circles,
  type DataArray,
  Dataset,
  type DataWarning,
  digits,
  dropMissing,
  encodeTable,
  fitNormalization,
  fitTable,
  inputNames,
  moons,
  type Normalization,
  normalize,
  parseCsv,
  spirals,
  type Table,
  type TableEncoding,
  trainTestSplit,
  xor,
} from '@nn/data';
import { type Feature, featureFacts, isPlain } from './features.ts';
import { regressionPoints } from './regression.ts';
import { type Goal, isBinaryTask, type Spec, type TableChoice } from './spec.ts';
import { exampleTable, unitOf } from './tables.ts';

/** Samples ready for a network. */
export type Samples = Dataset<{
  readonly inputs: DataArray<Float32Array> | DataArray<Float64Array> | DataArray<Uint8Array>;
  readonly targets: DataArray<Int32Array> | DataArray<Float32Array> | DataArray<Float64Array>;
}>;

export interface DroppedTable {
  readonly name: string;
  readonly text: string;
  /** What the file's bytes were read as. */
  readonly encoding: string;
}

/** How a table is read: whatever the file leaves open is inferred, and told on the page in place of the console. */
export const tableOptions: CsvOptions = { header: 'infer', trim: true, onWarning: () => {} };

export function readTable({ name, text }: DroppedTable, kinds: Readonly<Record<string, ColumnKind>> = {}): Table {
  return parseCsv(text, { ...tableOptions, name, kinds });
}

/** What was dropped on the page: files do not fit in an address. */
export interface Dropped {
  readonly table?: DroppedTable;
  readonly images?: {
    readonly name: string;
    readonly pixels: Uint8Array;
    readonly labels: Int32Array;
    readonly shape: readonly number[];
  };
}

export interface Problem {
  readonly train: Samples;
  readonly test: Samples;
  /** The same as the page draws them: points of the plane by their coordinates, whatever is made of these for the network. */
  readonly shown: { readonly train: Samples; readonly test: Samples; readonly names: readonly string[] };
  /** What is made of a point of the plane; null for tables and images. */
  readonly features: readonly Feature[] | null;
  readonly goal: Goal;
  /** Numbers that the network puts out: 1, or one for each class. */
  readonly outputs: number;
  /** Of one sample: [2], or [1, 28, 28]. */
  readonly inputShape: readonly number[];
  readonly inputNames: readonly string[];
  /** The classes' names; empty for a quantity. */
  readonly classNames: readonly string[];
  /** Pixels are divided by 255 on their way in. */
  readonly pixels: boolean;
  /** For tables: how the columns were normalised. */
  readonly normalization: Normalization | null;
  readonly targetNormalization: Normalization | null;
  readonly targetName: string;
  /** For tables: the columns that it is predicted from. */
  readonly columns: readonly string[];
  /** How a row of them becomes numbers. */
  readonly encoding: TableEncoding | null;
  /** What is doubtful about them. */
  readonly warnings: readonly DataWarning[];
}

export function makeProblem(spec: Spec, dropped: Dropped): Problem {
  const { task, samples: count, seed, noise } = spec;
  const { generated: size } = balanceOf(spec);
  switch (task) {
    case 'moons':
      return plane(spec, balanced(spec, moons(size, { seed, noise })));
    case 'circles':
      return plane(spec, balanced(spec, circles(size, { seed, noise })));
    case 'xor':
      return plane(spec, balanced(spec, xor(size, { seed, noise })));
    case 'spirals':
      return plane(spec, balanced(spec, spirals(size, { seed, noise })));
    case 'blobs':
      return plane(spec, balanced(spec, blobs(size, { seed, noise, classes: 2 })));
    case 'plane':
    case 'hills':
    case 'ripple':
      return plane(spec, regressionPoints(task, count, { seed, noise }));
    case 'drawn':
      return plane(spec, drawnPoints(spec));
    case 'table':
      return tableProblem(spec, dropped);
    case 'digits':
      return images(spec, digits(count, { seed, distortion: 2 * noise }));
    case 'idx':
      return images(spec, droppedImages(spec, dropped));
  }
}

/** How many samples of two even classes are generated, and how many of class 1 are kept of them; together `samples`. */
export function balanceOf({ samples, balance }: Spec): { readonly generated: number; readonly ones: number } {
  const ones = Math.max(2, Math.round(balance * samples));
  return { generated: balance === 0.5 ? samples : 2 * (samples - ones), ones };
}

/** All samples of class 0, and the first of class 1. */
function balanced(spec: Spec, whole: Samples): Samples {
  if (spec.balance === 0.5) return whole;
  const { ones } = balanceOf(spec);
  let kept = 0;
  return whole.take(indicesWhere(whole.size, (i) => whole.fields.targets.data[i] === 0 || kept++ < ones));
}

/** The samples whose first input lies below the median: what one would collect who looks in one place only. */
function covered({ coverage }: Spec, train: Samples): Samples {
  if (coverage === 'everywhere') return train;
  const across = Array.from({ length: train.size }, (_, i) => Number(train.fields.inputs.data[2 * i]));
  const middle = [...across].sort((a, b) => a - b)[across.length >> 1] ?? 0;
  return train.take(indicesWhere(train.size, (i) => (across[i] as number) < middle));
}

const indicesWhere = (size: number, keeps: (i: number) => boolean): number[] =>
  Array.from({ length: size }, (_, i) => i).filter(keeps);

/** Samples of a part that are measured; more would slow the training down without changing the curves visibly. */
export const mostMeasured = (pixels: boolean): number => (pixels ? 250 : 600);

/** Points in the plane with two classes or with a quantity. */
function plane(spec: Spec, whole: Samples): Problem {
  const isQuantity = whole.fields.targets.data instanceof Float32Array;
  const { train: all, test } = split(spec, whole, !isQuantity);
  const train = isBinaryTask(spec.task) ? covered(spec, all) : all;
  const { features } = spec;
  return {
    train: featured(train, features),
    test: featured(test, features),
    shown: { train, test, names: ['x', 'y'] },
    features,
    goal: isQuantity ? 'quantity' : 'binary',
    outputs: 1,
    inputShape: [features.length],
    inputNames: features.map((name) => featureFacts[name].label),
    classNames: isQuantity ? [] : ['0', '1'],
    pixels: false,
    normalization: null,
    targetNormalization: null,
    targetName: '',
    columns: [],
    encoding: null,
    warnings: [],
  };
}

/** Points [count, 2] as what the network gets of them, [count, features]. */
function featured(part: Samples, chosen: readonly Feature[]): Samples {
  if (isPlain(chosen)) return part;
  const { inputs, targets } = part.fields;
  const data = new Float32Array(part.size * chosen.length);
  for (let i = 0; i < part.size; i++) data.set(featuresAt(chosen, inputs.data, 2 * i), i * chosen.length);
  return new Dataset({ inputs: { data, shape: [part.size, chosen.length] }, targets });
}

/** What goes into the network for the point whose coordinates begin at `start`. */
export function featuresAt(chosen: readonly Feature[], points: ArrayLike<number>, start = 0): number[] {
  return chosen.map((name) => featureFacts[name].at(points[start] as number, points[start + 1] as number));
}

function split(spec: Spec, whole: Samples, hasClasses: boolean): { train: Samples; test: Samples } {
  const { testFraction, seed } = spec;
  return trainTestSplit(whole, { testFraction, seed, ...(hasClasses && { stratifyBy: 'targets' }) });
}

function drawnPoints({ points }: Spec): Samples {
  const hasBoth = points.some(({ target }) => target === 0) && points.some(({ target }) => target === 1);
  if (points.length < 4 || !hasBoth) {
    throw new ValueError('/few-points', 'Draw at least 4 points, some of each class.');
  }
  return new Dataset({
    inputs: { data: Float32Array.from(points.flatMap(({ x, y }) => [x, y])), shape: [points.length, 2] },
    targets: { data: Int32Array.from(points, ({ target }) => target), shape: [points.length] },
  });
}

/** What the page shows of a table before and after a choice. */
interface TableFacts {
  readonly columns: readonly ColumnFacts[];
  readonly reading: CsvReading | null;
}

export function tableFacts(table: Table): TableFacts {
  return {
    columns: table.columns.map(columnFacts),
    reading: table.reading ?? null,
  };
}

/** What the page tells of a column. */
export interface ColumnFacts {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly unit: string;
  readonly missing: number;
  /** Of numbers, from where to where; null where there are none. */
  readonly range: readonly [number, number] | null;
  /** Of other columns the values that there are, at most 50 of them. */
  readonly categories: readonly string[];
}

function columnFacts({ name, kind, values }: Column): ColumnFacts {
  const facts = { name, kind, unit: unitOf(name) };
  if (kind === 'number') {
    const known = [...values].filter((value): value is number => typeof value === 'number' && !Number.isNaN(value));
    const [low, high] = known.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)] as const, [
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ] as const);
    return {
      ...facts,
      missing: values.length - known.length,
      range: known.length > 0 ? [low, high] : null,
      categories: [],
    };
  }
  const known = [...values].filter((value) => value !== null);
  const categories = [...new Set(known.map(String))].sort().slice(0, 50);
  return { ...facts, missing: values.length - known.length, range: null, categories };
}

/** What is to be predicted, from which columns, and as what: the choice with its blanks filled in. */
function resolveChoice(
  table: Table,
  choice: TableChoice,
): { readonly target: string; readonly inputs: readonly string[]; readonly isQuantity: boolean } {
  const names = table.columns.map(({ name }) => name);
  if (names.length < 2) {
    throw new ValueError(
      '/columns',
      `${table.name} has ${names.length} column: one to predict and one to predict it from are needed.`,
      { name: table.name, columns: names.length },
    );
  }
  const target = names.includes(choice.target) ? choice.target : (names.at(-1) as string);
  const chosen = choice.inputs.filter((name) => name !== target && names.includes(name));
  const inputs = chosen.length > 0 ? chosen : names.filter((name) => name !== target);
  const column = table.columns.find(({ name }) => name === target);
  if (column === undefined || column.kind !== 'number') return { target, inputs, isQuantity: false };
  const distinct = new Set([...column.values].filter((value) => !Number.isNaN(value)));
  const looksLikeClasses = distinct.size <= 10 && [...distinct].every(Number.isInteger);
  return { target, inputs, isQuantity: choice.as === 'number' || (choice.as === 'auto' && !looksLikeClasses) };
}

/** The table that an experiment is about: one that comes with the page, or the one that was dropped. */
export function tableOf({ table: { example } }: Spec, { table }: Dropped): DroppedTable | undefined {
  return example === undefined ? table : exampleTable(example);
}

function tableProblem(spec: Spec, dropped: Dropped): Problem {
  const file = tableOf(spec, dropped);
  if (file === undefined) throw new ValueError('/no-table', 'Drop a CSV file on the page first.');
  const whole = readTable(file);
  const { target, inputs, isQuantity } = resolveChoice(whole, spec.table);
  // a class that is written as a number is a category
  const kinds = isQuantity ? {} : { [target]: 'category' as const };
  const table = dropMissing(readTable(file, kinds), [target]);
  if (table.lines.length < 10) {
    throw new ValueError(
      '/rows',
      `${file.name} has ${table.lines.length} rows with a value of '${target}': 10 or more are needed.`,
      { name: file.name, rows: table.lines.length, target },
    );
  }
  const warnings: DataWarning[] = [];
  const onWarning = (_: string, warning: DataWarning): void => void warnings.push(warning);
  const encoding = fitTable(table, { targets: target, inputs, missing: 'fill', onWarning });
  const samples = encodeTable(table, encoding);
  const { train, test } = split(spec, samples, !isQuantity);
  const normalization = fitNormalization(train.fields.inputs);
  const targetNormalization = isQuantity ? fitNormalization(train.fields.targets) : null;
  const apply = (part: Samples): Samples =>
    new Dataset({
      inputs: normalize(part.fields.inputs, normalization),
      targets: targetNormalization === null ? part.fields.targets : normalize(part.fields.targets, targetNormalization),
    });
  const column = encoding.targets[0];
  const classNames = column?.kind === 'index' ? column.categories : [];
  if (!isQuantity && classNames.length < 2) {
    throw new ValueError('/one-class', `'${target}' has a single value: there is nothing to tell apart.`, { target });
  }
  if (classNames.length > 26) {
    throw new ValueError(
      '/too-many-classes',
      `'${target}' has ${classNames.length} values, which are too many classes: at most 26.`,
      { target, classes: classNames.length },
    );
  }
  const isBinary = classNames.length === 2;
  const names = inputNames(encoding);
  const parts = { train: apply(train), test: apply(test) };
  return {
    ...parts,
    shown: { ...parts, names },
    features: null,
    goal: isQuantity ? 'quantity' : isBinary ? 'binary' : 'classes',
    outputs: isQuantity || isBinary ? 1 : classNames.length,
    inputShape: [names.length],
    inputNames: names,
    classNames,
    pixels: false,
    normalization,
    targetNormalization,
    targetName: target,
    columns: inputs,
    encoding,
    warnings,
  };
}

function images(spec: Spec, whole: Samples): Problem {
  const { train, test } = split(spec, whole, true);
  const { inputs, targets } = whole.fields;
  const classes = Math.max(2, ...targets.data) + 1;
  return {
    train,
    test,
    shown: { train, test, names: [] },
    features: null,
    goal: 'classes',
    outputs: Math.max(classes, 10),
    inputShape: inputs.shape.slice(1),
    inputNames: [],
    classNames: Array.from({ length: Math.max(classes, 10) }, (_, i) => String(i)),
    pixels: true,
    normalization: null,
    targetNormalization: null,
    targetName: '',
    columns: [],
    encoding: null,
    warnings: [],
  };
}

/** The first `samples` images: a class of 40 machines should not wait for 60,000. */
function droppedImages({ samples: count }: Spec, { images: file }: Dropped): Samples {
  if (file === undefined) throw new ValueError('/no-images', 'Drop two IDX files on the page first.');
  const whole = new Dataset({
    inputs: { data: file.pixels, shape: file.shape },
    targets: { data: file.labels, shape: [file.labels.length] },
  });
  return whole.take(Int32Array.from({ length: Math.min(count, whole.size) }, (_, i) => i));
}
