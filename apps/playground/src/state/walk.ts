/**
 * The walk of one sample through the network: which sample, at which of its stages, and how far the numbers of the stage
 * have travelled. The tab tells it in words and formulas, the diagram shows it; both read it here.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Update, Walk, WalkLayer } from '../worker/protocol.ts';
import { ask, complain } from './actions.ts';
import { built, frame, isImages, running, sample as shownImage } from './store.ts';

/** The stages of one layer: two on the way forward, three on the way back, and what the optimizer makes of it. */
export type BlockStage = 'sum' | 'activation' | 'backOutput' | 'backSum' | 'backWeight' | 'update';

export type Stage =
  | { readonly kind: 'input' }
  | { readonly kind: BlockStage; readonly block: number }
  | { readonly kind: 'loss' };

export const speeds = { slow: 3200, normal: 1200 } as const;
export type WalkSpeed = keyof typeof speeds;

/** Counts through the training samples and then the test samples. */
export const sample: Signal<number> = signal(0);
export const position: Signal<number> = signal(0);
export const unit: Signal<number> = signal(0);
export const walk: Signal<Walk | null> = signal(null);
export const update: Signal<Update | null> = signal(null);
/** Whether someone walks: the diagram then shows the walk in place of the weights. */
export const isWalking: Signal<boolean> = signal(false);
/** Whether the stages follow one another by themselves. */
export const isPlaying: Signal<boolean> = signal(false);
export const speed: Signal<WalkSpeed> = signal('normal');
/** How far the numbers of the stage have come, 0 to 1. */
export const motion: Signal<number> = signal(1);

/** Forward through every layer, the loss, back, and the step of the optimizer. */
export function stagesOf(layers: readonly Pick<WalkLayer, 'kind'>[]): Stage[] {
  const of = (block: number, ...kinds: readonly BlockStage[]): Stage[] => kinds.map((kind) => ({ kind, block }));
  const isOutput = (block: number): boolean => layers[block]?.kind === 'output';
  const blocks = layers.map((_, block) => block);
  const forward = blocks.flatMap((block) => (isOutput(block) ? of(block, 'sum') : of(block, 'sum', 'activation')));
  const back = blocks
    .toReversed()
    .flatMap((block) =>
      isOutput(block) ? of(block, 'backSum', 'backWeight') : of(block, 'backOutput', 'backSum', 'backWeight'),
    );
  const updates = blocks.flatMap((block) => of(block, 'update'));
  return [{ kind: 'input' }, ...forward, { kind: 'loss' }, ...back, ...updates];
}

export const stages: ReadonlySignal<readonly Stage[]> = computed(() =>
  walk.value === null ? [] : stagesOf(walk.value.layers),
);
export const stage: ReadonlySignal<Stage> = computed(
  () => stages.value[Math.min(position.value, stages.value.length - 1)] ?? { kind: 'input' },
);

export const isBackward = ({ kind }: Stage): boolean => kind.startsWith('back');

/** The walk that fits the network that is shown; none while another one is on its way. */
export const current: ReadonlySignal<Walk | null> = computed(() =>
  walk.value !== null && walk.value.layers.length === (built.value?.spec.layers.length ?? -1) + 1 ? walk.value : null,
);

/** Where the walk stands in the network: -1 for what goes in, the number of blocks for the loss. */
export const placeOf = (at: Stage, blocks: number): number =>
  at.kind === 'input' ? -1 : at.kind === 'loss' ? blocks : at.block;

/** To be run in an effect: asks anew for a new frame, sample or network; not while training runs, which would be too often. */
export function follow(): void {
  const step = frame.value?.step;
  const index = sample.value;
  if (built.value === null || step === undefined || running.value) return;
  update.value = null;
  ask({ kind: 'walk', sample: index }).then((answer) => {
    walk.value = answer;
    if (isWalking.peek() && isImages.peek() && shownImage.peek() === null) showImage();
  }, complain);
}

/** To be run in an effect: what the optimizer does is asked for when the walk comes to it, and again if another sample has come. */
export function followUpdate(): void {
  const known = current.value;
  if (stage.value.kind !== 'update' || known === null || running.value) return;
  if (update.value?.sample === known.sample) return;
  ask({ kind: 'update', sample: known.sample }).then((answer) => {
    update.value = answer;
  }, complain);
}

/** The unit whose numbers are told, within the layer of the stage. */
export const unitIn = (layer: WalkLayer): number => Math.min(unit.value, layer.biases.length - 1);

export function moveTo(at: number): void {
  batch(() => {
    position.value = Math.max(0, Math.min(stages.value.length - 1, at));
    if (position.value > 0) begin();
  });
}

function begin(): void {
  if (isWalking.value) return;
  isWalking.value = true;
  if (isImages.value && walk.value !== null) showImage();
}

export function move(by: number): void {
  moveTo(position.value + by);
}

/** From the first sample to the last and round again. */
export function turn(by: number): void {
  const count = (built.value?.trainSize ?? 0) + (built.value?.testSize ?? 0);
  if (count > 0) sample.value = (sample.value + by + count) % count;
}

/** Walks another sample, which someone pointed at. */
export function walkWith(index: number): void {
  batch(() => {
    sample.value = index;
    isWalking.value = true;
    if (isImages.value) shownImage.value = null;
  });
}

/** The digit that walks is also the one that the feature maps and the pad show. */
function showImage(): void {
  const pixels = walk.peek()?.inputs;
  if (pixels === undefined) return;
  shownImage.value = pixels;
  ask({ kind: 'recognise', pixels: pixels.slice() }).catch(complain);
}

let seen = -1;
/** The next sample that is answered wrongly; resolves to false where there is none. */
export async function walkMistake(): Promise<boolean> {
  const all = await ask({ kind: 'mistakes' });
  if (all.length === 0) return false;
  seen = (seen + 1) % all.length;
  walkWith(all[seen] as number);
  return true;
}

export function togglePlaying(): void {
  batch(() => {
    if (!isPlaying.value && position.value >= stages.value.length - 1) position.value = 0;
    isPlaying.value = !isPlaying.value;
    begin();
  });
}

/** The diagram shows the weights again. */
export function leave(): void {
  batch(() => {
    isWalking.value = false;
    isPlaying.value = false;
    position.value = 0;
  });
}
