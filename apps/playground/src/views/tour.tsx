/** A tour of half a minute: five parts of the page, one after the other, with a sentence each. It may be paused and walked. */
import { type Signal, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { run } from '../state/actions.ts';
import { running } from '../state/store.ts';
import { Icon } from './icon.tsx';

const stops = [
  { name: 'data', at: '[data-name="task"]' },
  { name: 'network', at: '[data-name="network"]' },
  { name: 'train', at: '[data-name="train"]' },
  { name: 'output', at: '[data-name="output"], [data-name="digitPad"]' },
  { name: 'lessons', at: '.lessons, .lesson' },
] as const;
const secondsEach = 6;

const at: Signal<number | null> = signal(null);
const isPaused: Signal<boolean> = signal(false);
const box: Signal<DOMRect | null> = signal(null);

export function beginTour(): void {
  isPaused.value = false;
  at.value = 0;
}

const end = (): void => {
  at.value = null;
  box.value = null;
};

function go(by: number): void {
  const next = (at.peek() ?? 0) + by;
  if (next >= stops.length) end();
  else at.value = Math.max(0, next);
}

export function Tour(): JSX.Element | null {
  const dialog = useRef<HTMLDivElement>(null);
  const now = at.value;
  const stop = now === null ? undefined : stops[now];
  useEffect(() => {
    if (stop === undefined) return;
    const target = document.querySelector(stop.at);
    target?.scrollIntoView({ block: 'center' });
    // the page scrolls and grows below it
    let request = 0;
    const measure = (): void => {
      const [now, before] = [target?.getBoundingClientRect() ?? null, box.peek()];
      const isMoved = now?.top !== before?.top || now?.left !== before?.left || now?.height !== before?.height;
      if (isMoved) box.value = now;
      request = requestAnimationFrame(measure);
    };
    measure();
    if (stop.name === 'train' && !running.peek()) run();
    dialog.current?.focus();
    return () => cancelAnimationFrame(request);
  }, [stop]);
  useEffect(() => {
    if (stop === undefined || isPaused.value) return;
    const timer = setTimeout(() => go(1), 1000 * secondsEach);
    return () => clearTimeout(timer);
  }, [stop, isPaused.value]);
  if (now === null || stop === undefined) return null;
  const place = box.value;
  const isBelow = place === null || place.top < innerHeight / 2;
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') end();
    else if (event.key === 'ArrowRight') go(1);
    else if (event.key === 'ArrowLeft') go(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      {place !== null && (
        <div
          class="spot"
          aria-hidden="true"
          style={{
            left: `${place.left - 8}px`,
            top: `${place.top - 8}px`,
            width: `${place.width + 16}px`,
            height: `${place.height + 16}px`,
          }}
        />
      )}
      <div
        ref={dialog}
        class="tour"
        role="dialog"
        aria-label={t('tour')}
        tabIndex={-1}
        onKeyDown={press}
        style={isBelow ? { bottom: '1.2rem' } : { top: '1.2rem' }}
      >
        <p aria-live="polite">{t(`tour.${stop.name}`)}</p>
        <div class="row">
          <progress value={now + 1} max={stops.length} aria-label={t('tour')} />
          <button type="button" onClick={() => go(-1)} disabled={now === 0}>
            {t('tourBack')}
          </button>
          <button
            type="button"
            class="icon"
            aria-label={t(isPaused.value ? 'tourGo' : 'tourPause')}
            onClick={() => {
              isPaused.value = !isPaused.value;
            }}
          >
            <Icon name={isPaused.value ? 'play' : 'pause'} />
          </button>
          <button type="button" class="primary" onClick={() => go(1)}>
            {now === stops.length - 1 ? t('tourEnd') : t('tourNext')}
          </button>
          <button type="button" class="icon" aria-label={t('tourEnd')} onClick={end}>
            <Icon name="close" />
          </button>
        </div>
      </div>
    </>
  );
}
