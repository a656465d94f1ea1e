/** The bar of a place: start over, train and pause, and the numbers of where it stands. Looks like the board's. */
import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { Icon } from '../views/icon.tsx';
import type { ControlName } from '../views/names.ts';
import { placeKeys } from './place.ts';

interface BarProps {
  readonly worker: { readonly running: Signal<boolean>; toggle(): void; pause(): void };
  readonly restart: () => void;
  readonly facts: readonly PlaceFact[];
  readonly children?: ComponentChildren;
}

export interface PlaceFact {
  readonly id: string;
  readonly about: ControlName;
  readonly name: string;
  readonly value: string;
  readonly strong?: boolean;
}

export function PlaceBar({ worker, restart, facts, children }: BarProps): JSX.Element {
  const isRunning = worker.running.value;
  const label = isRunning ? t('pause') : t('run');
  useEffect(() => {
    placeKeys.value = { toggle: () => worker.toggle(), restart };
    return () => {
      placeKeys.value = null;
      worker.pause();
    };
  }, [worker]);
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
