/** The bar of a place: start over, train and pause, and the numbers of where it stands. Looks like the board's. */
import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { Icon } from '../views/icon.tsx';
import type { ControlName } from '../views/names.ts';
import { type PlaceFacts, placeFacts, placeKeys } from './place.ts';

interface BarProps {
  readonly worker: { readonly running: Signal<boolean>; toggle(): void; pause(): void };
  readonly restart: () => void;
  readonly facts: readonly PlaceFact[];
  /** What lessons may ask for, and how they set what it depends on. */
  readonly told?: PlaceFacts;
  readonly apply?: (settings: URLSearchParams) => void;
  readonly children?: ComponentChildren;
}

export interface PlaceFact {
  readonly id: string;
  readonly about: ControlName;
  readonly name: string;
  readonly value: string;
  readonly strong?: boolean;
}

const nothing: PlaceFacts = {};

export function PlaceBar({ worker, restart, facts, told = nothing, apply, children }: BarProps): JSX.Element {
  const isRunning = worker.running.value;
  const label = isRunning ? t('pause') : t('run');
  useEffect(() => {
    placeKeys.value = {
      toggle: () => worker.toggle(),
      restart,
      run: () => {
        if (!worker.running.peek()) worker.toggle();
      },
      pause: () => worker.pause(),
      apply: (settings) => apply?.(settings),
    };
    return () => {
      placeKeys.value = null;
      placeFacts.value = nothing;
      worker.pause();
    };
  }, [worker]);
  useEffect(() => {
    placeFacts.value = told;
  });
  return (
    <section class="controls place-controls" aria-label={t('training')}>
      <div class="buttons">
        <button type="button" class="icon" onClick={restart} data-name="reset" aria-label={t('reset')}>
          <Icon name="reset" />
        </button>
        <button
          type="button"
          class="play"
          onClick={() => worker.toggle()}
          aria-pressed={isRunning}
          data-name="train"
          aria-label={label}
        >
          <Icon name={isRunning ? 'pause' : 'play'} />
        </button>
      </div>
      {children}
      <dl class="standing" aria-live="off">
        {facts.map(({ id, about, name, value, strong }) => (
          <div key={id} class={strong ? 'fact strong' : 'fact'} data-name={about}>
            <dt>{name}</dt>
            <dd data-fact={id}>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
