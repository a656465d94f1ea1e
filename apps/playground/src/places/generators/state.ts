/** What is generated, what the page knows of it, and the place of the latent plane that a person looks at. */
import { batch, type Signal, signal } from '@preact/signals';
import { complain } from '../../state/actions.ts';
import { PlaceWorker } from '../connect.ts';
import { keepSetting, settingOf } from '../place.ts';
import { type GeneratorCalls, type GeneratorFrame, type GeneratorSettings, type Kind, kinds } from './protocol.ts';

const rates: Readonly<Record<Kind, number>> = { gan: 1e-3, autoencoder: 2e-3 };

const first = settingOf('kind', kinds);

export const settings: Signal<GeneratorSettings> = signal({
  ...{ kind: first, shape: 'ring', generatorRate: rates[first], discriminatorRate: 1e-3, divergenceWeight: 0, seed: 1 },
});

export interface Curves {
  readonly steps: readonly number[];
  /** Of the discriminator, or of the training. */
  readonly one: readonly number[];
  /** Of the generator, or of the test. */
  readonly other: readonly number[];
}

export const curves: Signal<Curves> = signal({ steps: [], one: [], other: [] });
/** Where on the latent plane, as shares from the left and from the bottom. */
export const latent: Signal<readonly [number, number]> = signal([0.5, 0.5]);
export const decoded: Signal<Float32Array | null> = signal(null);
/** A test digit, and what came back of it. */
export const passed: Signal<{ readonly input: Float32Array; readonly output: Float32Array } | null> = signal(null);

let run = 0;
let isAsking = false;

export const generators: PlaceWorker<GeneratorCalls, GeneratorFrame> = new PlaceWorker(
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'generators' }),
  (frame) => {
    if (frame.run !== run) curves.value = { steps: [], one: [], other: [] };
    run = frame.run;
    const { steps, one, other } = curves.value;
    if (frame.step === 0 || frame.step === steps.at(-1)) return;
    const isKept = (_: unknown, i: number): boolean => steps.length < 600 || i % 2 === 0 || i > 500;
    const [a, b] =
      frame.kind === 'gan' ? [frame.discriminatorLoss, frame.generatorLoss] : [frame.trainLoss, frame.testLoss];
    curves.value = {
      steps: [...steps, frame.step].filter(isKept),
      one: [...one, a].filter(isKept),
      other: [...other, b].filter(isKept),
    };
  },
);

export function begin(changes: Partial<GeneratorSettings> = {}): void {
  batch(() => {
    settings.value = { ...settings.value, ...changes };
    decoded.value = null;
    passed.value = null;
  });
  generators.ask('begin', settings.value).then(() => decode(), complain);
}

export function chooseKind(kind: Kind): void {
  keepSetting('kind', kind);
  begin({ kind, generatorRate: rates[kind] });
}

/** Decodes the place that is looked at; of many questions in a short time the last. */
export function decode(): void {
  const frame = generators.frame.peek();
  if (settings.peek().kind !== 'autoencoder' || frame?.kind !== 'autoencoder' || isAsking) return;
  isAsking = true;
  const [left, right, bottom, top] = frame.bounds;
  const [across, up] = latent.peek();
  const asked = latent.peek();
  generators
    .ask('decode', left + across * (right - left), bottom + up * (top - bottom))
    .then((pixels) => {
      decoded.value = pixels;
    }, complain)
    .finally(() => {
      isAsking = false;
      if (latent.peek() !== asked) decode();
    });
}

export function lookAt(across: number, up: number): void {
  const inside = (share: number): number => Math.min(1, Math.max(0, share));
  latent.value = [inside(across), inside(up)];
  passed.value = null;
  decode();
}

/** Sends a test digit through. */
export function pass(index: number): void {
  generators.ask('pass', index).then((found) => {
    passed.value = found;
  }, complain);
}

begin();
