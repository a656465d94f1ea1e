/**
 * What a lesson may ask for: each value by its name, as a number or as one of some words, read from a moment of the page.
 * No signals and no drawing here, so that lessons can be tried without a page.
 */
import type { Key } from '../i18n/english.ts';
import {
  activations,
  coverages,
  initializers,
  losses,
  optimizers,
  penalties,
  type Spec,
  schedules,
  tasks,
} from '../model/spec.ts';
import { countsAt, scoresOf } from '../model/threshold.ts';
import type { PlaceFacts } from '../places/place.ts';
import type { Built, Frame } from '../worker/protocol.ts';

export const tabs = ['walk', 'distributions', 'metrics', 'mistakes', 'predict', 'images', 'explain', 'take'] as const;
export type Tab = (typeof tabs)[number];

/** The board at one moment. */
export interface Board {
  readonly spec: Spec;
  readonly built: Built;
  readonly frame: Frame;
  /** Above which share of class 1 a sample is called class 1. */
  readonly threshold: number;
  readonly tab: Tab;
  readonly lines: 'weights' | 'gradients';
  /** The neuron that is pinned. */
  readonly neuron: { readonly block: number; readonly unit: number } | null;
  /** What the network takes the digit for that was drawn or chosen; null where none is. */
  readonly recognised: number | null;
  /** The step of training at which the step of the lesson began. */
  readonly begun: number;
  /** The kind of the error that training ended by. */
  readonly stopped: string | null;
}

/** The page at one moment: the board, where that is shown, and what another place tells of itself. */
export interface Moment {
  readonly board: Board | null;
  readonly facts: PlaceFacts;
}

interface NumberValue {
  readonly kind: 'number';
  /** How it is called and written. */
  readonly label: Key;
  readonly as: 'share' | 'count' | 'number';
  read(moment: Moment): number | null;
}

interface WordValue {
  readonly kind: 'word';
  readonly label: Key;
  readonly words: readonly string[];
  /** What stands before a word in the keys of the page's words. */
  readonly prefix: string;
  read(moment: Moment): string | null;
}

export type Value = NumberValue | WordValue;

type OfBoard<Found> = (board: Board) => Found | null;

const onBoard =
  <Found>(read: OfBoard<Found>) =>
  ({ board }: Moment): Found | null =>
    board === null ? null : read(board);

const number = (label: Key, read: OfBoard<number>, as: NumberValue['as'] = 'number'): NumberValue => ({
  kind: 'number',
  label,
  as,
  read: onBoard(read),
});
const share = (label: Key, read: OfBoard<number>): NumberValue => number(label, read, 'share');
const count = (label: Key, read: OfBoard<number>): NumberValue => number(label, read, 'count');
const word = (label: Key, prefix: string, words: readonly string[], read: OfBoard<string>): WordValue => ({
  kind: 'word',
  label,
  words,
  prefix,
  read: onBoard(read),
});
/** Of another place than the board. */
const elsewhere = (name: keyof PlaceFacts, label: Key, as: NumberValue['as']): NumberValue => ({
  kind: 'number',
  label,
  as,
  read: ({ facts }) => facts[name] ?? null,
});

const unitsIn = ({ frame }: Board, wanted: string): number =>
  frame.blocks.reduce(
    (sum, { units, kind }) => (kind === 'output' ? 0 : units.filter((u) => u === wanted).length) + sum,
    0,
  );

/** The root of the mean square. */
function size(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / Math.max(1, values.length));
}

/** The gradient in the first layer of weights as a share of that in the last: small where it vanishes on its way back. */
function gradientShare({ frame: { blocks } }: Board): number | null {
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined || blocks.length < 2) return null;
  const behind = size(last.gradients);
  return behind > 0 ? size(first.gradients) / behind : null;
}

const scoreAt = ({ built, frame, threshold }: Board): ReturnType<typeof scoresOf> | null =>
  frame.testShares === null ? null : scoresOf(countsAt(frame.testShares, built.test.targets, threshold));

export const valueNames = [
  'step',
  'stepsHere',
  'epoch',
  'trainLoss',
  'testLoss',
  'lossGap',
  'trainAccuracy',
  'testAccuracy',
  'dead',
  'saturated',
  'gradientShare',
  'precision',
  'recall',
  'threshold',
  'samples',
  'noise',
  'balance',
  'seed',
  'layers',
  'neurons',
  'dropout',
  'learningRate',
  'batchSize',
  'penaltyRate',
  'neuronLayer',
  'recognised',
  'task',
  'activation',
  'optimizer',
  'schedule',
  'loss',
  'penalty',
  'initializer',
  'coverage',
  'tab',
  'lines',
  'stopped',
  'placeSteps',
  'textLayers',
  'textTestLoss',
  'attentionBack',
  'attentionShare',
  'agentDiscount',
  'agentMean',
  'agentWatched',
] as const;
export type ValueName = (typeof valueNames)[number];

export const values: Readonly<Record<ValueName, Value>> = {
  step: count('steps', ({ frame }) => frame.step),
  stepsHere: count('value.stepsHere', ({ frame, begun }) => Math.max(0, frame.step - begun)),
  epoch: count('epoch', ({ frame }) => frame.epoch),
  trainLoss: number('trainLoss', ({ frame }) => frame.trainLoss),
  testLoss: number('testLoss', ({ frame }) => frame.testLoss),
  lossGap: number('value.lossGap', ({ frame }) => frame.testLoss - frame.trainLoss),
  trainAccuracy: share('value.trainAccuracy', ({ frame }) => frame.trainAccuracy),
  testAccuracy: share('testAccuracy', ({ frame }) => frame.testAccuracy),
  dead: count('value.dead', (moment) => unitsIn(moment, 'dead')),
  saturated: count('value.saturated', (moment) => unitsIn(moment, 'saturated')),
  gradientShare: share('value.gradientShare', gradientShare),
  precision: share('metric.precision', (moment) => scoreAt(moment)?.precision ?? null),
  recall: share('metric.recall', (moment) => scoreAt(moment)?.recall ?? null),
  threshold: number('value.threshold', ({ threshold }) => threshold),
  samples: count('samples', ({ spec }) => spec.samples),
  noise: number('noise', ({ spec }) => spec.noise),
  balance: share('balance', ({ spec }) => spec.balance),
  seed: count('seed', ({ spec }) => spec.seed),
  layers: count('value.layers', ({ spec }) => spec.layers.length),
  neurons: count('value.neurons', ({ spec }) =>
    spec.layers.reduce((sum, layer) => sum + (layer.kind === 'dense' ? layer.units : layer.filters), 0),
  ),
  dropout: share('dropout', ({ spec }) => Math.max(0, ...spec.layers.map(({ dropout }) => dropout))),
  learningRate: number('learningRate', ({ spec }) => spec.learningRate),
  batchSize: count('batchSize', ({ spec }) => spec.batchSize),
  penaltyRate: number('penaltyRate', ({ spec }) => spec.penaltyRate),
  neuronLayer: count('value.neuronLayer', ({ neuron }) => (neuron === null ? null : neuron.block + 1)),
  recognised: count('value.recognised', ({ recognised }) => recognised),
  task: word('task', 'task.', tasks, ({ spec }) => spec.task),
  activation: word('activation', 'activation.', activations, ({ spec }) => {
    const [first, ...others] = spec.layers.map(({ activation }) => activation);
    return first !== undefined && others.every((name) => name === first) ? first : null;
  }),
  optimizer: word('optimizer', 'optimizer.', optimizers, ({ spec }) => spec.optimizer),
  schedule: word('schedule', 'schedule.', schedules, ({ spec }) => spec.schedule),
  loss: word('loss', 'loss.', losses, ({ spec }) => spec.loss),
  penalty: word('penalty', 'penalty.', penalties, ({ spec }) => spec.penalty),
  initializer: word('initializer', 'initializer.', initializers, ({ spec }) => spec.initializer),
  coverage: word('coverage', 'coverage.', coverages, ({ spec }) => spec.coverage),
  tab: word('tabs', 'tab.', tabs, ({ tab }) => tab),
  lines: word('lines', 'lines.', ['weights', 'gradients'], ({ lines }) => lines),
  stopped: word('value.stopped', 'value.stopped.', ['diverged', 'no'], ({ stopped }) =>
    stopped === 'value/diverged' ? 'diverged' : 'no',
  ),
  placeSteps: elsewhere('placeSteps', 'steps', 'count'),
  textLayers: elsewhere('textLayers', 'value.textLayers', 'count'),
  textTestLoss: elsewhere('textTestLoss', 'testLoss', 'number'),
  attentionBack: elsewhere('attentionBack', 'value.attentionBack', 'count'),
  attentionShare: elsewhere('attentionShare', 'value.attentionShare', 'share'),
  agentDiscount: elsewhere('agentDiscount', 'value.agentDiscount', 'number'),
  agentMean: elsewhere('agentMean', 'value.agentMean', 'number'),
  agentWatched: elsewhere('agentWatched', 'value.agentWatched', 'number'),
};

export const isValueName = (name: string): name is ValueName => Object.hasOwn(values, name);

/** Whether a comparison holds at a moment. A value that is not there, or is no number, fulfils nothing. */
export function holds(
  goal: {
    readonly value: ValueName;
    readonly atLeast: number | null;
    readonly atMost: number | null;
    readonly is: readonly string[] | null;
  },
  moment: Moment,
): boolean {
  const found = values[goal.value].read(moment);
  if (found === null) return false;
  if (typeof found === 'string') return goal.is?.includes(found) ?? false;
  return (goal.atLeast === null || found >= goal.atLeast) && (goal.atMost === null || found <= goal.atMost);
}
