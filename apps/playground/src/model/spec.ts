/**
 * The whole description of an experiment: data, network, training. Everything else is made from it: the address of the
 * page, the layers, the generated program. Plain JSON; owns names, defaults and limits, and no behaviour.
 */

import { type Feature, plainFeatures } from './features.ts';
import type { ExampleName } from './tables.ts';

/** Where the samples come from. */
export const tasks = [
  'moons',
  'circles',
  'xor',
  'spirals',
  'blobs',
  'drawn',
  'plane',
  'hills',
  'ripple',
  'table',
  'digits',
  'idx',
] as const;
export type Task = (typeof tasks)[number];

export const activations = [
  'tanh',
  'relu',
  'sigmoid',
  'gelu',
  'silu',
  'leakyRelu',
  'elu',
  'softplus',
  'linear',
] as const;
export type Activation = (typeof activations)[number];

export const norms = ['none', 'batch', 'layer'] as const;
export type Norm = (typeof norms)[number];

export const initializers = [
  'default',
  'xavierUniform',
  'xavierNormal',
  'kaimingUniform',
  'kaimingNormal',
  'lecunNormal',
  'orthogonal',
  'zeros',
] as const;
export type Initializer = (typeof initializers)[number];

export const optimizers = ['sgd', 'momentum', 'nesterov', 'rmsprop', 'adam', 'adamw'] as const;
export type OptimizerName = (typeof optimizers)[number];

export const schedules = ['constant', 'step', 'exponential', 'cosine', 'warmUp', 'oneCycle'] as const;
export type ScheduleName = (typeof schedules)[number];

export const losses = ['crossEntropy', 'meanSquaredError', 'l1', 'huber'] as const;
export type LossName = (typeof losses)[number];

export const penalties = ['none', 'l1', 'l2'] as const;
export type Penalty = (typeof penalties)[number];

export const backends = ['cpu', 'webgl2', 'webgpu'] as const;
export type BackendName = (typeof backends)[number];

/** Where the training samples come from; the test samples come from everywhere. */
export const coverages = ['everywhere', 'leftHalf'] as const;
export type Coverage = (typeof coverages)[number];

interface LayerBase {
  readonly activation: Activation;
  readonly norm: Norm;
  /** Share of the values that are dropped while training. */
  readonly dropout: number;
}

export interface DenseSpec extends LayerBase {
  readonly kind: 'dense';
  readonly units: number;
}

export interface ConvSpec extends LayerBase {
  readonly kind: 'conv';
  readonly filters: number;
  /** Side of the square kernel; odd. */
  readonly kernel: number;
  /** Whether zeros stand around the image, so that it keeps its size; otherwise it loses `kernel - 1` on each side. */
  readonly pad: boolean;
  /** Whether a 2 x 2 maximum halves the image. */
  readonly pool: boolean;
}

export type LayerSpec = DenseSpec | ConvSpec;

/** A point that was drawn by hand: x and y from -1 to 1. */
export interface DrawnPoint {
  readonly x: number;
  readonly y: number;
  readonly target: 0 | 1;
}

/** What to take from a dropped table. */
export interface TableChoice {
  /** The column to predict; the last where empty. */
  readonly target: string;
  /** The columns to predict it from; all others where empty. */
  readonly inputs: readonly string[];
  /** Whether a column of numbers is a class or a quantity. */
  readonly as: 'auto' | 'classes' | 'number';
  /** A table that comes with the page, in place of the one that was dropped. */
  readonly example?: ExampleName;
}

export interface Spec {
  readonly task: Task;
  /** Samples to generate. */
  readonly samples: number;
  readonly noise: number;
  /** Share of the samples that is kept for testing. */
  readonly testFraction: number;
  readonly seed: number;
  /** Share of class 1 among generated samples of two classes. */
  readonly balance: number;
  readonly coverage: Coverage;
  readonly points: readonly DrawnPoint[];
  /** What goes into a network over the plane. */
  readonly features: readonly Feature[];
  readonly table: TableChoice;
  readonly layers: readonly LayerSpec[];
  readonly initializer: Initializer;
  readonly loss: LossName;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  /** Steps that the schedule takes. */
  readonly scheduleSteps: number;
  readonly batchSize: number;
  readonly penalty: Penalty;
  readonly penaltyRate: number;
  readonly backend: BackendName;
}

/** Smallest and largest value of each number. */
export const limits = {
  samples: [20, 5000],
  noise: [0, 1],
  testFraction: [0.1, 0.9],
  seed: [0, 4294967295],
  balance: [0.02, 0.5],
  learningRate: [1e-5, 10],
  scheduleSteps: [10, 100000],
  batchSize: [1, 1024],
  penaltyRate: [0, 1],
  units: [1, 256],
  filters: [1, 32],
  kernel: [3, 7],
  dropout: [0, 0.9],
} as const;

export const mostLayers = 8;
export const mostPoints = 400;

export const dense = (units: number, activation: Activation = 'tanh'): DenseSpec => ({
  kind: 'dense',
  units,
  activation,
  norm: 'none',
  dropout: 0,
});

export const conv = (filters: number, kernel = 5): ConvSpec => ({
  kind: 'conv',
  filters,
  kernel,
  pad: true,
  pool: true,
  activation: 'relu',
  norm: 'none',
  dropout: 0,
});

export const defaults: Spec = {
  task: 'moons',
  samples: 300,
  noise: 0.12,
  testFraction: 0.3,
  seed: 1,
  balance: 0.5,
  coverage: 'everywhere',
  points: [],
  features: plainFeatures,
  table: { target: '', inputs: [], as: 'auto' },
  layers: [dense(6), dense(4)],
  initializer: 'default',
  loss: 'crossEntropy',
  optimizer: 'adam',
  learningRate: 0.03,
  schedule: 'constant',
  scheduleSteps: 2000,
  batchSize: 32,
  penalty: 'none',
  penaltyRate: 0.001,
  backend: 'cpu',
};

/** Whether the samples are images. */
export const isImageTask = (task: Task): boolean => task === 'digits' || task === 'idx';
/** Whether the task is to predict a quantity (a table may be either; its columns decide). */
export const isRegressionTask = (task: Task): boolean => task === 'plane' || task === 'hills' || task === 'ripple';

/** Two classes with one number for both, several with one each, or a quantity. */
export type Goal = 'binary' | 'classes' | 'quantity';

/** What a task is taken for until its samples are there. */
export function expectedGoal(task: Task): Goal {
  if (isImageTask(task)) return 'classes';
  return isRegressionTask(task) ? 'quantity' : 'binary';
}

/** Whether the samples are points of the plane, of which functions may go in. */
export const hasFeatures = (task: Task): boolean => !isImageTask(task) && task !== 'table';
/** Whether the samples are generated points of two classes. */
export const isBinaryTask = (task: Task): boolean =>
  task === 'moons' || task === 'circles' || task === 'xor' || task === 'spirals' || task === 'blobs';

/** Whether samples are made by a generator with noise. */
export const isGenerated = (task: Task): boolean => task !== 'drawn' && task !== 'table' && task !== 'idx';

/** Values that suit a task, where they differ from the defaults. A new task starts from these. */
export function startOf(task: Task): Partial<Spec> {
  switch (task) {
    case 'spirals':
      return { layers: [dense(8), dense(8)], samples: 400, noise: 0.03 };
    case 'xor':
      return { noise: 0.05, layers: [dense(4), dense(2)] };
    case 'circles':
      return { noise: 0.08, layers: [dense(4)] };
    case 'blobs':
      return { noise: 0.3, layers: [dense(4)] };
    case 'plane':
      return { noise: 0.05, loss: 'meanSquaredError', layers: [dense(4)] };
    case 'hills':
    case 'ripple':
      return { noise: 0.05, loss: 'meanSquaredError', samples: 500, layers: [dense(8), dense(8)] };
    case 'table':
      return { layers: [dense(8, 'relu'), dense(8, 'relu')], learningRate: 0.01 };
    case 'digits':
    case 'idx':
      return {
        layers: [conv(6), conv(8), dense(32, 'relu')],
        samples: 1500,
        noise: 0.5,
        learningRate: 0.003,
        batchSize: 32,
        testFraction: 0.2,
      };
    default:
      return {};
  }
}

/** The experiment after its task was changed: data and network are new, the way of training stays. */
export function withTask(spec: Spec, task: Task): Spec {
  const { points, seed, backend, optimizer, schedule, scheduleSteps, penalty, penaltyRate, initializer } = spec;
  const kept = { points, seed, backend, optimizer, schedule, scheduleSteps, penalty, penaltyRate, initializer };
  return { ...defaults, ...kept, ...startOf(task), task };
}

/** A number within its limits. */
export function clamp(name: keyof typeof limits, value: number): number {
  const [low, high] = limits[name];
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : low;
}

/** Changes of these need new samples or a new network; all others are taken up in mid-training. */
const structural = [
  'task',
  'samples',
  'noise',
  'testFraction',
  'seed',
  'balance',
  'coverage',
  'points',
  'features',
  'table',
  'layers',
  'initializer',
] as const;

/** What of two experiments asks for another network; lists count as equal when what is in them is. */
export function structuralChanges(before: Spec, after: Spec): (typeof structural)[number][] {
  return structural.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

export type Setting = keyof Spec;
/** What of an experiment can be set on the page, by name; a lesson or a teacher's link may fix some of them. */
export const settings: readonly Setting[] = [
  'task',
  'samples',
  'noise',
  'testFraction',
  'seed',
  'balance',
  'coverage',
  'points',
  'features',
  'table',
  'layers',
  'initializer',
  'loss',
  'optimizer',
  'learningRate',
  'schedule',
  'scheduleSteps',
  'batchSize',
  'penalty',
  'penaltyRate',
  'backend',
];
