/** What the page knows of the race, and what a person can do with it. */
import { batch, type Signal, signal } from '@preact/signals';
import { type OptimizerName, optimizers } from '../../model/spec.ts';
import { complain } from '../../state/actions.ts';
import { PlaceWorker } from '../connect.ts';
import { keepSetting, settingOf } from '../place.ts';
import type { Path, RaceCalls, RaceSettings } from './protocol.ts';
import { type SurfaceName, surfaceNames, surfaces } from './surfaces.ts';

const worker: PlaceWorker<RaceCalls, null> = new PlaceWorker(
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'race' }),
);

export const raceSteps = 200;

/** Optimizers that scale their steps by the gradients' size walk a rate a step; plain descent walks rate times slope. */
const scaled: ReadonlySet<OptimizerName> = new Set(['rmsprop', 'adam', 'adamw']);
/** Momentum of 0.9 comes to ten times the rate in the end. */
const heavy: ReadonlySet<OptimizerName> = new Set(['momentum', 'nesterov']);

function startOf(surface: SurfaceName): RaceSettings {
  const { start, rate, bounds } = surfaces[surface];
  const step = (bounds[1] - bounds[0]) / 100;
  const rateOf = (name: OptimizerName): number =>
    Number((scaled.has(name) ? step : heavy.has(name) ? rate / 5 : rate).toPrecision(2));
  const rates = Object.fromEntries(optimizers.map((name) => [name, rateOf(name)])) as RaceSettings['rates']; // the one cast: of all names
  return { surface, start, rates, steps: raceSteps };
}

export const settings: Signal<RaceSettings> = signal(startOf(settingOf('surface', surfaceNames)));
export const paths: Signal<readonly Path[]> = signal([]);
export const heights: Signal<Float32Array | null> = signal(null);
/** Which of the steps is shown. */
export const shownStep: Signal<number> = signal(0);
export const running: Signal<boolean> = signal(false);

/** Starts anew, with other settings if they are given. */
export function begin(changes: Partial<RaceSettings> = {}): void {
  const next = { ...settings.value, ...changes };
  batch(() => {
    settings.value = next;
    shownStep.value = 0;
    paths.value = [];
  });
  worker.ask('paths', next).then((found) => {
    if (settings.value === next) paths.value = found;
  }, complain);
}

export function chooseSurface(surface: SurfaceName): void {
  keepSetting('surface', surface);
  heights.value = null;
  worker.ask('heights', surface).then((found) => {
    if (settings.value.surface === surface) heights.value = found;
  }, complain);
  begin(startOf(surface));
}

/** Plays and rests, as the places' bar asks for it. */
export const clock: { readonly running: Signal<boolean>; toggle(): void; pause(): void } = {
  running,
  toggle: () => {
    if (!running.value && shownStep.value >= raceSteps) shownStep.value = 0;
    running.value = !running.value;
  },
  pause: () => {
    running.value = false;
  },
};
