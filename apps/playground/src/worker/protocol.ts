/**
 * What page and worker say to one another. Typed on both sides; arrays travel without being copied.
 * The page asks (`Command`), the worker answers each question once (`Reply`) and reports on its own (`Report`).
 */
import type { CsvReading, RawRow } from '@nn/data';
import type { Told } from '../i18n/words.ts';
import type { Feature } from '../model/features.ts';
import type { ColumnFacts, Dropped } from '../model/samples.ts';
import type { BackendName, Goal, Spec } from '../model/spec.ts';

export type Command =
  /** Makes the experiment anew. */
  | { readonly kind: 'build'; readonly spec: Spec }
  /** Changes what needs no new network, in mid-training. */
  | { readonly kind: 'retune'; readonly spec: Spec }
  | { readonly kind: 'drop'; readonly dropped: Dropped }
  | { readonly kind: 'run' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'step' }
  /** Trains to the end of the epoch. */
  | { readonly kind: 'epoch' }
  /** Goes back, or forth again, to the last kept moment that is not after a step. */
  | { readonly kind: 'rewind'; readonly step: number }
  /** At most so many steps a second, to watch, and from frame to frame; null for as many as there can be. */
  | { readonly kind: 'pace'; readonly stepsPerSecond: number | null; readonly stepsPerFrame: number | null }
  | { readonly kind: 'backend'; readonly name: BackendName }
  | { readonly kind: 'availability' }
  | { readonly kind: 'save'; readonly as: 'model' | 'checkpoint' }
  /** `version`: of the packages that the programs ask for. */
  | { readonly kind: 'export'; readonly as: ExportKind; readonly version: string }
  | { readonly kind: 'load'; readonly bytes: Uint8Array }
  | { readonly kind: 'recognise'; readonly pixels: Float32Array }
  | { readonly kind: 'walk'; readonly sample: number }
  /** What one step on this sample alone would make of the weights. */
  | { readonly kind: 'update'; readonly sample: number }
  /** Which samples are answered wrongly, the worst first. */
  | { readonly kind: 'mistakes' }
  | { readonly kind: 'metrics'; readonly threshold: number }
  /** What the network says of a row that was filled in. */
  | { readonly kind: 'predict'; readonly row: RawRow }
  /** The test samples of a cell of the confusion matrix. */
  | { readonly kind: 'cell'; readonly truth: number; readonly guess: number; readonly threshold: number }
  /** What the answer about an image rests on; `target` is a class, null for the one that it is taken for. */
  | { readonly kind: 'explain'; readonly pixels: Float32Array; readonly target: number | null }
  /** Spans the plane by two other inputs, or by the principal components. */
  | { readonly kind: 'axes'; readonly axes: readonly [number, number] | null }
  /** Goes on training with other points. */
  | { readonly kind: 'points'; readonly spec: Spec }
  /** Puts a number in place of a weight, or of a bias where the input is -1. */
  | {
      readonly kind: 'edit';
      readonly block: number;
      readonly unit: number;
      readonly input: number;
      readonly value: number;
    }
  /** The page has drawn the last frame and can take another. */
  | { readonly kind: 'seen' };

/** A folder that runs, a page that predicts, or a graph for other runtimes. */
export type ExportKind = 'zip' | 'page' | 'onnx';

/** The answer to each kind of command. */
export interface Answers {
  readonly build: Built;
  readonly retune: null;
  readonly drop: null;
  readonly run: null;
  readonly pause: null;
  readonly step: null;
  readonly epoch: null;
  readonly rewind: Spec;
  readonly pace: null;
  readonly backend: BackendFacts;
  readonly availability: readonly Availability[];
  readonly save: Uint8Array;
  readonly export: Uint8Array;
  readonly load: Built;
  readonly recognise: Recognised;
  readonly walk: Walk;
  readonly update: Update;
  readonly mistakes: readonly number[];
  readonly metrics: Metrics;
  readonly predict: Prediction;
  readonly cell: readonly CellSample[];
  readonly explain: Explanation;
  readonly axes: null;
  readonly points: Built;
  readonly edit: null;
  readonly seen: null;
}

export type CommandOf<Kind extends Command['kind']> = Extract<Command, { readonly kind: Kind }>;

export type Request = Command & { readonly id: number };

export type FromWorker =
  | { readonly kind: 'reply'; readonly id: number; readonly value: Answers[Command['kind']] }
  | { readonly kind: 'refused'; readonly id: number; readonly why: Told }
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** Training has come to the end that it was asked for. */
  | { readonly kind: 'rested' }
  /** Training ended by itself: an error, or numbers that are no longer finite. */
  | { readonly kind: 'stopped'; readonly why: Told };

export interface Availability {
  readonly name: BackendName;
  /** Why it cannot be used; null where it can. */
  readonly missing: Told | null;
}

export interface BackendFacts {
  readonly name: BackendName;
  /** The engine of the CPU, or the device as its driver names it. */
  readonly detail: string;
  readonly threads: number;
}

/** The samples as the page draws them. */
export interface Points {
  /** [count, width]: coordinates, or the columns of a table; for images empty. */
  readonly inputs: Float32Array;
  readonly width: number;
  readonly targets: Float32Array;
}

/** The two directions in which samples differ most, of length 1, from the mean of all. */
export interface Components {
  readonly origin: readonly number[];
  readonly across: readonly number[];
  readonly up: readonly number[];
  /** The shares of the variance that lie along them. */
  readonly explained: readonly [number, number];
}

/** What spans the plane that is shown, and its rectangle: [left, right, bottom, top]. */
export interface View {
  /** Two of the inputs, unless the principal components do. */
  readonly axes: readonly [number, number];
  readonly components: Components | null;
  readonly bounds: readonly [number, number, number, number];
}

export interface Scale {
  readonly offset: readonly number[];
  readonly divisor: readonly number[];
}

export interface Built {
  readonly spec: Spec;
  readonly goal: Goal;
  readonly inputShape: readonly number[];
  readonly inputNames: readonly string[];
  /** Of the columns of the points: those of the plane, or the inputs themselves. */
  readonly shownNames: readonly string[];
  /** What is made of a point of the plane; null for tables and images. */
  readonly features: readonly Feature[] | null;
  readonly classNames: readonly string[];
  /** Units of the table's columns, where they were normalised: real = offset + divisor * normalised. */
  readonly inputScale: Scale | null;
  readonly targetScale: Scale | null;
  readonly view: View;
  readonly train: Points;
  readonly test: Points;
  readonly trainSize: number;
  readonly testSize: number;
  readonly parameterCount: number;
  /** For tables: all columns, and the choice with its blanks filled in. */
  readonly columns: readonly ColumnFacts[];
  /** The name of the table and what its bytes were read as. */
  readonly file: { readonly name: string; readonly encoding: string } | null;
  /** How the table was read, and what is doubtful about it. */
  readonly reading: CsvReading | null;
  readonly target: string;
  /** A few test images to look at: [count, height, width]. */
  readonly gallery: { readonly pixels: Float32Array; readonly labels: readonly number[]; readonly side: number } | null;
  readonly backend: BackendFacts;
  /** The measurements so far, when a checkpoint was loaded. */
  readonly history: readonly Measurement[];
}

/** What is measured at a moment of the training. Accuracies are null for quantities. */
export interface Measurement {
  readonly step: number;
  readonly trainLoss: number;
  readonly testLoss: number;
  readonly trainAccuracy: number | null;
  readonly testAccuracy: number | null;
}

export interface Histogram {
  /** The bins divide -range to range. */
  readonly range: number;
  readonly counts: readonly number[];
}

export type UnitState = 'alive' | 'dead' | 'saturated';

export interface BlockFrame {
  readonly kind: 'dense' | 'conv' | 'output';
  /** Of the weights: [units, inputs] or [filters, channels, k, k]. */
  readonly shape: readonly number[];
  /** The first `shownUnits` rows of the weights and of their gradients. */
  readonly weights: Float32Array;
  readonly gradients: Float32Array;
  readonly biases: Float32Array;
  readonly weightHistogram: Histogram;
  readonly gradientHistogram: Histogram;
  /** Over what the units put out for training samples. */
  readonly outputHistogram: Histogram;
  readonly units: readonly UnitState[];
  /** For planes: what each shown unit answers over the plane, [units, grid, grid]. For images: its map for the sample, [units, h, w]. */
  readonly maps: Float32Array;
  readonly mapShape: readonly [number, number];
}

export interface Frame extends Measurement {
  readonly epoch: number;
  /** Position inside the epoch, 0 to 1. */
  readonly progress: number;
  readonly learningRate: number;
  /** A step of training, without looking at it. */
  readonly stepMilliseconds: number;
  /** Bytes of the backend: in buffers, kept for reuse, and for intermediates. */
  readonly memory: { readonly used: number; readonly pooled: number; readonly scratch: number };
  readonly backend: BackendFacts;
  readonly running: boolean;
  /** Steps that can be gone back to. */
  readonly kept: readonly number[];
  /** Of the plane that the maps are of. */
  readonly view: View;
  readonly blocks: readonly BlockFrame[];
  /** Rows are the truth, columns the guess; null for quantities. */
  readonly confusion: { readonly size: number; readonly counts: readonly number[] } | null;
  /** For two classes: the share of class 1 that the network gives to each measured test sample. */
  readonly testShares: Float32Array | null;
}

export interface CellSample {
  /** Counts through the training samples and then the test samples. */
  readonly index: number;
  /** As the network gets them. */
  readonly inputs: Float32Array;
  /** How probable the network thinks its answer, 0 to 1. */
  readonly share: number;
}

export interface Explanation {
  readonly target: number;
  /** What the network takes the image for. */
  readonly best: number;
  /** What each pixel adds to the score of the target, over paper without ink (integrated gradients). */
  readonly attributions: Float32Array;
  /** The target's logit for the image, and for paper. */
  readonly score: number;
  readonly baselineScore: number;
  /** Where each layer of filters saw what speaks for the target (Grad-CAM). */
  readonly cams: readonly {
    readonly block: number;
    readonly values: Float32Array;
    readonly height: number;
    readonly width: number;
  }[];
}

export interface Recognised {
  readonly shares: Float32Array;
  readonly best: number;
}

/** One layer of the walk-through: what went in, what came out, and the gradients on the way back. */
export interface WalkLayer {
  readonly kind: 'dense' | 'conv' | 'output';
  readonly activation: string;
  readonly norm: string;
  readonly inputs: Float32Array;
  /** Of one sample: [inputs], or [channels, height, width]. */
  readonly inputShape: readonly number[];
  /** Before the activation. */
  readonly sums: Float32Array;
  readonly sumShape: readonly number[];
  /** Zeros around the image of a convolution. */
  readonly padding: number;
  readonly outputs: Float32Array;
  readonly outputShape: readonly number[];
  readonly weights: Float32Array;
  /** [units, inputs] or [filters, channels, height, width]. */
  readonly weightShape: readonly number[];
  readonly biases: Float32Array;
  readonly weightGradients: Float32Array;
  readonly biasGradients: Float32Array;
  readonly sumGradients: Float32Array;
  readonly outputGradients: Float32Array;
}

export interface Walk {
  readonly sample: number;
  readonly inputs: Float32Array;
  readonly inputShape: readonly number[];
  readonly target: number;
  readonly output: Float32Array;
  readonly loss: number;
  readonly lossName: string;
  readonly layers: readonly WalkLayer[];
}

/** The weights after one step of the optimizer on one sample, block by block, and the loss of the sample then. */
export interface Update {
  readonly sample: number;
  readonly layers: readonly { readonly weights: Float32Array; readonly biases: Float32Array }[];
  readonly loss: number;
}

export type MetricName =
  | 'accuracy'
  | 'balancedAccuracy'
  | 'f1'
  | 'matthews'
  | 'logLoss'
  | 'precision'
  | 'recall'
  | 'auroc'
  | 'averagePrecision'
  | 'brier'
  | 'rootMeanSquaredError'
  | 'meanAbsoluteError'
  | 'r2';

export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Test samples of the class. */
  readonly count: number;
}

export interface Metrics {
  readonly rows: readonly { readonly name: MetricName; readonly train: number; readonly test: number }[];
  /** Of the test samples; null for a quantity. */
  readonly classes: readonly ClassScores[] | null;
  readonly roc: { readonly falsePositiveRate: readonly number[]; readonly truePositiveRate: readonly number[] } | null;
  /** Of a quantity, in the units of the data: the test samples. */
  readonly scatter: { readonly truth: Float32Array; readonly predicted: Float32Array } | null;
  readonly threshold: number;
}

/** Shares of the classes, or the quantity in the units of the data. */
export interface Prediction {
  readonly shares: readonly number[] | null;
  readonly value: number | null;
}

/** Points on each side of the plane. */
export const grid = 48;
/** Units of a layer that are shown one by one. */
export const shownUnits = 32;
