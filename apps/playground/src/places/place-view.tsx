/** The ways between the places, and the place that the address names: fetched when it is first visited. */
import { type Signal, signal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { language, t } from '../i18n/language.ts';
import { encodeSpec } from '../model/url.ts';
import { complain, pause } from '../state/actions.ts';
import { running, spec } from '../state/store.ts';
import { reveal } from '../views/reveal.ts';
import { type PlaceName, place, placeNames } from './place.ts';
import { fetchWords } from './words.ts';

type Lazy = Exclude<PlaceName, 'network'>;
type View = () => JSX.Element;

const files: Readonly<Record<Lazy, () => Promise<View>>> = {
  race: async () => (await import('./race/race-place.tsx')).RacePlace,
  agents: async () => (await import('./agents/agents-place.tsx')).AgentsPlace,
  games: async () => (await import('./games/games-place.tsx')).GamesPlace,
  sequences: async () => (await import('./sequences/sequences-place.tsx')).SequencesPlace,
  generators: async () => (await import('./generators/generators-place.tsx')).GeneratorsPlace,
  senses: async () => (await import('./senses/senses-place.tsx')).SensesPlace,
};

const fetched: Signal<Partial<Record<Lazy, View>>> = signal({});

async function visit(name: Lazy): Promise<void> {
  if (running.peek()) pause();
  const [view] = await Promise.all([fetched.peek()[name] ?? files[name](), fetchWords(language.value)]);
  if (fetched.peek()[name] === undefined) fetched.value = { ...fetched.peek(), [name]: view };
}

export function PlaceView(): JSX.Element {
  useSignalEffect(() => {
    const name = place.value;
    if (name === 'network') return;
    void language.value;
    visit(name).catch(complain);
  });
  const name = place.value;
  const Shown = name === 'network' ? undefined : fetched.value[name];
  return Shown === undefined ? <p class="small place-wait">{t('loading')}</p> : <Shown />;
}

export function PlaceLinks(): JSX.Element {
  const row = useRef<HTMLElement>(null);
  useEffect(() => reveal(row.current, row.current?.querySelector('[aria-current]')), [place.value]);
  return (
    <nav ref={row} class="places" aria-label={t('places')}>
      {placeNames.map((name) => (
        <a
          key={name}
          href={name === 'network' ? `#${encodeSpec(spec.value)}` : `#place=${name}`}
          aria-current={place.value === name ? 'page' : undefined}
        >
          {t(`place.${name}`)}
        </a>
      ))}
    </nav>
  );
}
