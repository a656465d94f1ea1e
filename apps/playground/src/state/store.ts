/**
 * What the page knows, as signals: the experiment, what the worker said of it, and what is selected. Changing it is
 * actions.ts; drawing it is views/.
 */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Tab } from '../lessons/values.ts';
import type { PaceName } from '../model/pace.ts';
import type { Dropped } from '../model/samples.ts';
import { expectedGoal, type Goal, isImageTask, type Spec } from '../model/spec.ts';
import { decodeSpec, encodeSpec } from '../model/url.ts';
import type { Availability, Built, Frame, Measurement, Recognised, View } from '../worker/protocol.ts';

/** What a task waits for: not an error, and said where it is to be put. */
export type Wish = 'fewPoints' | 'noTable' | 'noImages';

export interface Notice {
  readonly kind: 'error' | 'done';
  /** Its words in the present language. */
  readonly say: () => string;
}

/** A unit of the network: hidden layers count from 0, the output stands after the last. */
export interface Selection {
  readonly block: number;
  readonly unit: number;
}

export const spec: Signal<Spec> = signal(decodeSpec(location.hash));
export const built: Signal<Built | null> = signal(null);
export const frame: Signal<Frame | null> = signal(null);
export const history: Signal<readonly Measurement[]> = signal([]);
export const pace: Signal<PaceName> = signal('normal');
export const running: Signal<boolean> = signal(false);
/** While the worker makes a new experiment or opens a device. */
export const waiting: Signal<boolean> = signal(false);
/** Whether the network came about by the present settings alone, from the first step on. */
export const isStraight: Signal<boolean> = signal(true);
/** The kind of the error by which training ended; null until one does. */
export const stopped: Signal<string | null> = signal(null);
export const notice: Signal<Notice | null> = signal(null);
export const wish: Signal<Wish | null> = signal(null);
export const availability: Signal<readonly Availability[]> = signal([]);
export const dropped: Signal<Dropped> = signal({});
export const selection: Signal<Selection | null> = signal(null);
/** Whether lines show weights or the gradients of the loss. */
export const lines: Signal<'weights' | 'gradients'> = signal('weights');
/** The tab of the closer look. */
export const tab: Signal<Tab> = signal('walk');
/** Above which share of class 1 a sample is called class 1. */
export const threshold: Signal<number> = signal(0.5);
export const showTest: Signal<boolean> = signal(true);
/** A run that another one is compared with. */
export interface KeptRun {
  readonly spec: Spec;
  readonly built: Built;
  readonly history: readonly Measurement[];
  /** What the output was over the plane. */
  readonly maps: Float32Array;
}
export const kept: Signal<KeptRun | null> = signal(null);
/** The run as it was before someone went back in it; null while the network is as far as it has come. */
export const cameFrom: Signal<KeptRun | null> = signal(null);

/** Whether answers are shown as what they decide. */
export const isDiscrete: Signal<boolean> = signal(false);
/** The class that the next drawn point gets. */
export const pen: Signal<0 | 1> = signal(0);
/** The image whose feature maps are shown: 0 to 1, row by row. */
export const sample: Signal<Float32Array | null> = signal(null);
/** What the network takes the image for. */
export const recognised: Signal<Recognised | null> = signal(null);

/** The address of what the page shows; empty until it shows anything. */
const isSeen: ReadonlySignal<boolean> = computed(() => frame.value !== null);
export const experiment: ReadonlySignal<string> = computed(() =>
  isSeen.value && built.value !== null ? encodeSpec(built.value.spec) : '',
);
let lastView: View | null = null;
/** What spans the plane: the same object as long as it is the same, though each frame brings one. */
export const view: ReadonlySignal<View | null> = computed(() => {
  const next = frame.value?.view ?? built.value?.view ?? null;
  if (JSON.stringify(next) !== JSON.stringify(lastView)) lastView = next;
  return lastView;
});
/** Until an experiment is there, what its task lets expect: nothing on the page moves when it comes. */
export const isImages: ReadonlySignal<boolean> = computed(() =>
  built.value === null ? isImageTask(spec.value.task) : built.value.inputShape.length > 1,
);
export const goal: ReadonlySignal<Goal> = computed(() => built.value?.goal ?? expectedGoal(spec.value.task));
