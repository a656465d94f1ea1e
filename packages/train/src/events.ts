/**
 * What happens in a training, as data: the one channel between the loop and everything that watches it. Owns the types of
 * events, values and callbacks; nothing here runs. The loop that sends them is loop.ts.
 */
import type { Stateful, Tensor } from '@nn/core';
import type { Metric, Reading } from '@nn/metrics';
import type { Batches } from './batches.ts';

/** Metrics by the name that events and monitors call them. */
export type Metrics = Readonly<Record<string, Metric<unknown>>>;

/** The value of each metric, and the loss. */
export type ValuesOf<M extends Metrics> = { readonly loss: number } & {
  readonly [Name in keyof M]: M[Name] extends Metric<infer Value> ? Value : never;
};

/** The same values of the validation data, as 'validation.loss'. */
export type Validated<V> = { readonly [Name in keyof V & string as `validation.${Name}`]: V[Name] };

/** A name that a callback can watch: 'loss', 'accuracy', 'validation.accuracy'. */
export type Monitor<V> = (keyof V & string) | keyof Validated<V>;

/** The values that events must have for a monitor to be there. */
export type Monitored<Name extends string> = Readonly<
  Record<Name extends `validation.${infer Base}` ? Base : Name, number>
>;

/** Why a training ended. */
export type Ending = 'done' | 'callback' | 'aborted' | 'diverged' | 'error';

/** Where the training stands when an event is sent. */
export interface Place {
  /** The epoch that is under way, from 1; after the last one, at 'stopped', the one that would follow. */
  readonly epoch: number;
  /** Steps of the optimizer that were made, over all epochs. */
  readonly step: number;
}

/** Before the first step of this process. */
export interface StartEvent extends Place {
  readonly type: 'start';
  readonly epochs: number | null;
  /** Steps of an epoch; null where the data does not tell. */
  readonly stepsPerEpoch: number | null;
  /** Steps of the whole training; null where the data does not tell. */
  readonly steps: number | null;
}

/** After each step. Nothing was read from the device for it. */
export interface StepEvent extends Place {
  readonly type: 'step';
  /** Samples in the step. */
  readonly count: number;
}

/** After each read: the values since the one before, and since the beginning of the epoch. */
export interface ReadEvent<V> extends Place {
  readonly type: 'read';
  /** The loss of each step since the last read, exactly, in order; the last is that of `step`. */
  readonly losses: readonly number[];
  /** Samples in these steps. */
  readonly samples: number;
  readonly values: { readonly [Name in keyof V]: Reading<V[Name]> };
  /** Of the next step, for each group of the optimizer; none where the steps are the user's own. */
  readonly learningRates: readonly number[];
}

/** At the end of an epoch: its values. */
export interface EpochEvent<V> extends Place {
  readonly type: 'epoch';
  readonly values: V;
  readonly learningRates: readonly number[];
}

/** Before a validation. */
export interface ValidatingEvent extends Place {
  readonly type: 'validating';
}

/** After a validation: its values. */
export interface ValidatedEvent<V> extends Place {
  readonly type: 'validated';
  readonly values: Validated<V>;
}

/** Everything that the last steps did is on the host, and every callback knows of it: the place to save. */
export interface RestEvent extends Place {
  readonly type: 'rest';
}

/** Something that the user should look at; also what callbacks `warn` of. */
export interface WarningEvent extends Place {
  readonly type: 'warning';
  /** For programs: 'plateau', 'spike', 'diverged'. */
  readonly what: string;
  readonly message: string;
}

/** The last event, in every case but one: a process that is killed. */
export interface StoppedEvent extends Place {
  readonly type: 'stopped';
  readonly why: Ending;
  /** What went wrong, where something did. */
  readonly error?: unknown;
}

export type TrainingEvent<V> =
  | StartEvent
  | StepEvent
  | ReadEvent<V>
  | EpochEvent<V>
  | ValidatingEvent
  | ValidatedEvent<V>
  | RestEvent
  | WarningEvent
  | StoppedEvent;

/** Parameters that share a learning rate, which may be set to a number or a function of the steps before. */
export interface RateGroup {
  get learningRate(): number;
  set learningRate(value: number | ((step: number) => number));
  /** The function that gives the learning rate, null where it is a plain number. */
  readonly schedule: ((step: number) => number) | null;
}

/** The part of an optimizer that a training uses: those of @nn/optim have it. */
export interface StepsOptimizer {
  step(loss: Tensor | null): Promise<void>;
  accumulate(loss: Tensor): Promise<void>;
  readonly learningRates: readonly number[];
  readonly groups: readonly RateGroup[];
}

/** What callbacks may ask of a training. */
export interface Controls {
  /** null where the steps are the user's own. */
  readonly optimizer: StepsOptimizer | null;
  readonly model: object;
  /** The finished epochs with their values. */
  readonly history: readonly (Place & { readonly values: object })[];
  /** What a checkpoint of the run holds. */
  readonly parts: Readonly<Record<string, object>>;
  /** What is walked in each epoch. */
  readonly data: Batches<unknown>;
  /** What it is validated on; null where it is not. */
  readonly validationData: Batches<unknown> | null;
  /** The loss of a batch as the step makes it, updating no parameter; null where the steps are the user's own. */
  readonly lossOf: ((batch: never) => Tensor) | null;
  /** Ends the training after this event: as asked for by a callback, or as by the signal. */
  stop(why?: 'callback' | 'aborted'): void;
  /** Asks for a validation after the current step. */
  validate(): void;
  /** Sends a warning to all callbacks, after this event. */
  warn(what: string, message: string): void;
  /** Whether higher values of a monitor are better, which metrics know of themselves; null where neither is. */
  higherIsBetter(monitor: string): boolean | null;
}

/**
 * What a callback may ask to hear: types of events, or 'some steps' in the place of 'step': for who shows how far a training is.
 * Those are the steps that take longer than a moment, one in 16 of the others, and as a rule the last one before a read.
 */
export type Heard = TrainingEvent<unknown>['type'] | 'some steps';

/**
 * Watches a training. All callbacks get every event that they hear, in the order in which they were given; one that returns a
 * promise is waited for. One with state that a resumed run needs is `Stateful`.
 */
export interface Callback<V = object> extends Partial<Stateful> {
  readonly handle: (event: TrainingEvent<V>, training: Controls) => void | Promise<void>;
  /** What it is told of; all events where not given. Small steps are quicker where nobody hears 'step'. */
  readonly hears?: readonly Heard[];
  /** Whether it prints or writes: where several processes train together only the first hears of events. */
  readonly isOutput?: boolean;
}
