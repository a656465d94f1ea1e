/**
 * What can be told before the first step: of the data, of the first loss, of the gradients. Owns the questions and their
 * thresholds; changes nothing (random state, metrics, running statistics and positions in data stay). For any loop.
 */
import {
  checkOptions,
  evaluate,
  gradientsOrNull,
  isTensor,
  type Model,
  namedParameters,
  randomState,
  setRandomState,
  type Tensor,
  ValueError,
} from '@nn/core';
import type { Callback, Metrics, StepsOptimizer } from '../events.ts';
import { figure } from '../format.ts';
import { statesOf } from '../metric-states.ts';
import type { Finding } from './finding.ts';
import { type Field, fieldsOf, firstBatchOf, rowHashes } from './sample-fields.ts';

export interface StartOptions {
  readonly model: Model;
  /** A `DataLoader`, a pipeline (of which the first batch), or a list of batches: what can only be walked once is not looked at. */
  readonly data: object;
  readonly validationData?: object | null | undefined;
  /** The loss of a batch. */
  readonly lossOf?: ((batch: never) => Tensor) | null | undefined;
  /** Metrics that `lossOf` updates: they are as before afterwards. */
  readonly metrics?: Metrics | undefined;
}

/**
 * Looks at data, loss and gradients before the first step: numbers that are not finite or badly scaled, classes that are
 * missing or rare, rows that are in training and validation, a loss far above that of a guess, parameters without gradient.
 * Each finding says what, where, and what to do.
 *
 * @example
 * import { DataLoader, moons } from '@nn/data';
 * import { crossEntropy, Linear } from '@nn/layers';
 * import { checkStart } from '@nn/train';
 * const model = { used: new Linear(2, 2), forgotten: new Linear(2, 2) };
 * const data = new DataLoader(moons(100, { seed: 1 }), { batchSize: 20 });
 * type Sample = ReturnType<typeof data.peek>;
 * const lossOf = ({ inputs, targets }: Sample) => crossEntropy(model.used.forward(inputs), targets);
 * const findings = await checkStart({ model, data, lossOf });
 * console.log(findings.map(({ what, place }) => `${what} ${place}`)); // => [ 'no-gradient forgotten' ]
 */
export async function checkStart(options: StartOptions): Promise<Finding[]> {
  checkOptions('checkStart', options, ['model', 'data', 'validationData', 'lossOf', 'metrics']);
  const { model, data, validationData, lossOf } = options;
  if (typeof data !== 'object' || data === null || (lossOf !== undefined && typeof model !== 'object')) {
    throw new ValueError('checkStart', 'takes the model and the data of the training: { model, data, lossOf }.');
  }
  const fields = await fieldsOf(data);
  const batch = await firstBatchOf(data);
  const findings: Finding[] = [];
  for (const [name, field] of fields) findings.push(...(field.isClasses ? ofClasses(name, field) : []));
  const holes = ofHoles(fields, '');
  findings.push(...holes);
  for (const [name, tensor] of tensorsOf(batch)) {
    if (tensor.dtype !== 'float32' || name === 'mask' || holes.some(({ place }) => place === name)) continue;
    findings.push(...ofScale(name, await tensor.data(), tensor.shape));
  }
  findings.push(...ofLengths(batch));
  if (validationData) {
    const held = await fieldsOf(validationData);
    findings.push(...ofHoles(held, "the validation's "), ...ofDuplicates(fields, held));
  }
  if (lossOf && batch !== null) {
    const classes = [...fields.values()].find(({ isClasses }) => isClasses);
    findings.push(...(await ofLoss(model, batch, lossOf, options.metrics ?? {}, classes ?? null)));
  }
  return findings;
}

function tensorsOf(batch: unknown): [string, Tensor][] {
  if (isTensor(batch)) return [['batch', batch]];
  return Object.entries(Object(batch) as object).filter((entry): entry is [string, Tensor] => isTensor(entry[1]));
}

/** Numbers that are not finite, in all rows: those of one batch are seen by the first loss as well, others by a later one. */
function ofHoles(fields: Fields, whose: string): Finding[] {
  return [...fields].flatMap(([name, { data, rows }]): Finding[] => {
    if (ArrayBuffer.isView(data) && !(data instanceof Float32Array || data instanceof Float64Array)) return [];
    const width = data.length / rows;
    const broken = new Set<number>();
    let first = -1;
    for (let at = 0; at < data.length; at++) {
      if (Number.isFinite(data[at])) continue;
      if (first < 0) first = at;
      broken.add(Math.floor(at / width));
    }
    if (first < 0) return [];
    return [
      {
        what: 'not-finite',
        place: name,
        message: `${whose}${name} has ${data[first]} in row ${Math.floor(first / width)} (rows that are not finite: ${broken.size} of ${rows}): fill in or drop what is missing before training.`,
      },
    ];
  });
}

/** The values of a batch, as the network gets them: all of them, or those of one column of [N, columns] among others that are right. */
function ofScale(name: string, values: ArrayLike<number>, shape: readonly number[]): Finding[] {
  const scaled = (message: string): Finding[] => [
    {
      what: 'scale',
      place: name,
      message: `${message}: networks learn best from about 0 and 1; normalise it (fitNormalization, DataLoader's normalize).`,
    },
  ];
  const all = spreadOf(values, 0, 1);
  if (all.broken >= 0) {
    return [
      {
        what: 'not-finite',
        place: name,
        message: `batch.${name} has ${values[all.broken]} at element ${all.broken}: fill in or drop what is missing before training.`,
      },
    ];
  }
  const has = ({ mean, deviation }: Spread): string =>
    `the mean ${figure(mean)} and the deviation ${figure(deviation)}`;
  if (isLarge(all)) return scaled(`batch.${name} has ${has(all)}`);
  if (all.largest > 0 && all.largest < 0.01) {
    return scaled(`the largest of batch.${name} is ${figure(all.largest)}, which a network hardly sees`);
  }
  const [, columns = 1] = shape;
  if (shape.length !== 2 || columns === 1) return [];
  const spreads = Array.from({ length: columns }, (_, column) => spreadOf(values, column, columns));
  const large = [...spreads.keys()].filter((column) => isLarge(spreads[column]!));
  if (large.length === 0) return [];
  const [first] = large;
  return scaled(
    `column ${first} of batch.${name} has ${has(spreads[first!]!)}, unlike others (${large.length} of ${columns} columns)`,
  );
}

interface Spread {
  readonly mean: number;
  readonly deviation: number;
  readonly largest: number;
  /** The first element that is not finite, or -1. */
  readonly broken: number;
}

const isLarge = ({ mean, deviation }: Spread): boolean => Math.abs(mean) > 10 || deviation > 10;

/** Of every `step`th value from `start` on. */
function spreadOf(values: ArrayLike<number>, start: number, step: number): Spread {
  let [sum, squares, largest, count] = [0, 0, 0, 0];
  for (let at = start; at < values.length; at += step) {
    const value = values[at]!;
    if (!Number.isFinite(value)) return { mean: 0, deviation: 0, largest: 0, broken: at };
    sum += value;
    squares += value * value;
    largest = Math.max(largest, Math.abs(value));
    count++;
  }
  const mean = count === 0 ? 0 : sum / count;
  const deviation = count === 0 ? 0 : Math.sqrt(Math.max(0, squares / count - mean * mean));
  return { mean, deviation, largest, broken: -1 };
}

function ofClasses(name: string, { data, rows }: Field): Finding[] {
  const counts = countsOf(data);
  const last = lastOf(counts);
  const place = name;
  if (counts.size === 1) {
    return [{ what: 'one-class', place, message: `all ${rows} ${name} are ${last}: there is nothing to tell apart.` }];
  }
  const findings: Finding[] = [];
  const missing = last + 1 - counts.size;
  if (missing > 0) {
    const first: number[] = [];
    for (let label = 0; first.length < Math.min(missing, 5); label++) if (!counts.has(label)) first.push(label);
    findings.push({
      what: 'missing-class',
      place,
      message: `${name} go to ${last}, but none is ${first.join(', ')}${missing > 5 ? `, ... (${missing} classes)` : ''}: number classes from 0 without gaps.`,
    });
  }
  let [least, most]: [Count, Count] = [
    [0, Number.POSITIVE_INFINITY],
    [0, 0],
  ];
  for (const entry of counts) {
    if (entry[1] < least[1]) least = entry;
    if (entry[1] > most[1]) most = entry;
  }
  if (most[1] >= 10 * least[1]) {
    findings.push({
      what: 'rare-class',
      place,
      message: `class ${least[0]} of ${name} has ${least[1]} samples, class ${most[0]} has ${most[1]}: give classWeights, a balancedSampler, or judge by balanced accuracy.`,
    });
  }
  return findings;
}

type Count = readonly [label: number, count: number];

/** How often each class occurs, by its number from 0: a field of whole numbers may hold ids, of which there are billions. */
function countsOf(labels: ArrayLike<number>): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at]!;
    if (label >= 0) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return new Map([...counts].sort(([a], [b]) => a - b));
}

const lastOf = (counts: ReadonlyMap<number, number>): number => [...counts.keys()].at(-1) ?? 0;

function ofLengths(batch: unknown): Finding[] {
  const { inputs, targets } = Object(batch) as { inputs?: unknown; targets?: unknown };
  if (!isTensor(inputs) || !isTensor(targets) || inputs.shape[0] === targets.shape[0]) return [];
  return [
    {
      what: 'lengths',
      place: 'targets',
      message: `batch.inputs is [${inputs.shape.join(', ')}], batch.targets [${targets.shape.join(', ')}]: the first axis of both counts the samples.`,
    },
  ];
}

function ofDuplicates(train: Fields, held: Fields): Finding[] {
  const inputsOf = (fields: Fields): [string, Field] | undefined => [...fields].find(([, { isClasses }]) => !isClasses);
  const [known, others] = [inputsOf(train), inputsOf(held)];
  if (known === undefined || others === undefined) return [];
  const hashes = new Set(rowHashes(known[1]));
  const twice = rowHashes(others[1]).flatMap((hash, row) => (hashes.has(hash) ? [row] : []));
  if (twice.length === 0) return [];
  return [
    {
      what: 'duplicates',
      place: others[0],
      message: `${twice.length} of ${others[1].rows} rows of the validation's ${others[0]} are in the training too (the first is row ${twice[0]}): its values are too good; split by groups, or drop them.`,
    },
  ];
}

type Fields = ReadonlyMap<string, Field>;

async function ofLoss(
  model: Model,
  batch: object,
  lossOf: (batch: never) => Tensor,
  metrics: Metrics,
  targets: Field | null,
): Promise<Finding[]> {
  const random = randomState();
  const before = await statesOf(metrics);
  try {
    // in evaluation mode running statistics stay, and dropout does not make parameters look unused
    const loss = evaluate(() => lossOf(batch as never));
    const members = [...namedParameters(model)].filter(([, { trainable }]) => trainable);
    const gradients = gradientsOrNull(
      loss,
      members.map(([, member]) => member),
    );
    const [first, ...sizes] = await Promise.all([
      loss.item(),
      ...gradients.map((gradient) => gradient?.abs().max().item() ?? Promise.resolve(0)),
    ]);
    return [
      ...ofFirstLoss(first, targets),
      ...(await ofMetrics(metrics, before)),
      ...ofGradients(
        members.map(([name]) => name),
        sizes,
      ),
    ];
  } finally {
    setRandomState(random);
    for (const [metric, state] of before) metric.loadHostState(state);
  }
}

/** Metrics that the step has left as they were: their values would be NaN. */
async function ofMetrics(
  metrics: Metrics,
  before: readonly (readonly [Metrics[string], unknown])[],
): Promise<Finding[]> {
  const states = new Map(before);
  const findings: Finding[] = [];
  for (const [name, metric] of Object.entries(metrics)) {
    if (JSON.stringify(await metric.readState()) !== JSON.stringify(states.get(metric))) continue;
    const message = `the step does not update the metric '${name}', which has no value then: ${name}.update(predictions, targets) in the step.`;
    findings.push({ what: 'no-update', place: name, message });
  }
  return findings;
}

/** Schedules that are at 0 long before the training ends: they count steps, and were often given epochs. */
function ofSchedules(optimizer: StepsOptimizer | null, steps: number | null): Finding[] {
  return (optimizer?.groups ?? []).flatMap(({ schedule }, group): Finding[] => {
    if (schedule === null || steps === null) return [];
    let end = steps;
    while (end > 0 && schedule(end - 1) === 0) end--;
    if (end >= 0.9 * steps - 1) return [];
    const message = `the learning rate is 0 from step ${end} on, and the training has ${steps} steps: a schedule counts steps, epochs times the batches of one.`;
    return [{ what: 'schedule-ends', place: `group ${group}`, message }];
  });
}

function ofFirstLoss(loss: number, targets: Field | null): Finding[] {
  const place = 'loss';
  if (!Number.isFinite(loss)) {
    return [
      {
        what: 'not-finite',
        place,
        message: `the first loss is ${loss}: debug({ eager: true }) names the operation that made it.`,
      },
    ];
  }
  const classes = targets === null ? 0 : lastOf(countsOf(targets.data)) + 1;
  const guess = Math.log(classes);
  if (classes < 2 || loss <= 2 * guess + 0.5) return [];
  return [
    {
      what: 'first-loss',
      place,
      message: `the first loss is ${figure(loss)}; a guess among ${classes} classes has a cross entropy of ${figure(guess)}: scale the inputs, begin with smaller weights in the last layer, and give crossEntropy logits, no probabilities.`,
    },
  ];
}

/** A layer that has no gradient at all is one finding. */
function ofGradients(names: readonly string[], sizes: readonly number[]): Finding[] {
  const layerOf = (name: string): string => name.replace(/\.[^.]*$/, '');
  const silent = names.filter((_, at) => sizes[at] === 0);
  const layers = [...new Set(silent.map(layerOf))].map((layer): Finding => {
    const own = silent.filter((name) => layerOf(name) === layer);
    const isWhole = names.filter((name) => layerOf(name) === layer).length === own.length && layer !== '';
    const place = isWhole ? layer : own.join(', ');
    return {
      what: 'no-gradient',
      place,
      message: `${place} gets no gradient from the loss of the first batch: it is not used, or stands behind a stopGradient; freeze it if that is meant.`,
    };
  });
  return layers;
}

/** How many parameters are looked at to see whether any moves: the smallest, which are copied soonest. */
const fewParameters = 16;

function smallestOf(model: Model): Promise<ArrayLike<number>[]> {
  const members = [...namedParameters(model).values()].filter(({ trainable }) => trainable);
  const few = members.sort((a, b) => a.size - b.size).slice(0, fewParameters);
  return Promise.all(few.map((member) => member.data()));
}

function isSame(a: ArrayLike<number>, b: ArrayLike<number> | undefined): boolean {
  for (let k = 0; k < a.length; k++) if (a[k] !== b?.[k]) return false;
  return true;
}

/**
 * `checkStart` as a callback: a warning for each finding, before the first step of a run that is not resumed. After its first epoch
 * one more, where a step without an optimizer has moved no parameter.
 *
 * @example
 * import { startChecks } from '@nn/train';
 * const callbacks = [startChecks()];
 * console.log(callbacks.length); // => 1
 */
export function startChecks(options: Readonly<Record<string, never>> = {}): Callback {
  const [unknown] = Object.keys(options);
  if (unknown !== undefined) throw new ValueError('startChecks', `no option ${unknown}: it takes none.`);
  let before: readonly ArrayLike<number>[] | null = null;
  return {
    hears: ['start', 'epoch'],
    handle: async (event, training) => {
      const { model, data, validationData, lossOf, parts } = training;
      if (event.type === 'epoch' && before !== null) {
        const [old, now] = [before, await smallestOf(model)];
        before = null;
        const message =
          'no parameter has changed in the first epoch: give the training its optimizer, or call optimizer.step(loss) in the step.';
        if (now.length > 0 && now.every((values, k) => isSame(values, old[k])))
          training.warn('nothing-learned', message);
      }
      if (event.type !== 'start' || event.step > 0) return;
      before = training.optimizer === null ? await smallestOf(model) : null;
      // the cast: the training's own metrics, which it calls so among its parts
      const metrics = parts.metrics as Metrics | undefined;
      const findings = await checkStart({ model, data, validationData, lossOf, metrics });
      findings.push(...ofSchedules(training.optimizer, event.steps));
      for (const { what, message } of findings) training.warn(what, message);
    },
  };
}
