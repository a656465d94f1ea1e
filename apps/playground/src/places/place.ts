/**
 * Which place of the page is shown: the board of networks, or one of those that are fetched when they are first visited. The
 * address says which, and holds a place's own settings beside it: `#place=agents&world=snake`.
 */
import { type Signal, signal } from '@preact/signals';

export const placeNames = ['network', 'race', 'agents', 'games', 'sequences', 'generators', 'senses'] as const;
export type PlaceName = (typeof placeNames)[number];

/** What the keys of the page, and lessons, do in a place. */
export interface PlaceKeys {
  readonly toggle: () => void;
  readonly restart: () => void;
  readonly run: () => void;
  readonly pause: () => void;
  /** Changes settings, as an address would name them. */
  readonly apply: (settings: URLSearchParams) => void;
}

/** What the goals of lessons may ask of the place that is shown; null or missing for what it does not know. */
export interface PlaceFacts {
  /** Since the last start. */
  readonly placeSteps?: number | null;
  readonly textLayers?: number;
  readonly textTestLoss?: number | null;
  /** How many characters back the one that is looked from looks most, and how much of its look that is. */
  readonly attentionBack?: number | null;
  readonly attentionShare?: number | null;
  readonly agentDiscount?: number;
  readonly agentMean?: number | null;
  /** The return of the episode that is watched. */
  readonly agentWatched?: number | null;
}

export const place: Signal<PlaceName> = signal(named());
/** Of the place that is shown; null on the board, which has its own. */
export const placeKeys: Signal<PlaceKeys | null> = signal(null);
export const placeFacts: Signal<PlaceFacts> = signal({});

function named(): PlaceName {
  const name = addressed().get('place');
  return placeNames.find((known) => known === name) ?? 'network';
}

/** The settings in the address. */
export function addressed(): URLSearchParams {
  return new URLSearchParams(location.hash.replace(/^#/, ''));
}

/** What of a few words the address gives a setting; the first where it gives none of them. */
export function settingOf<Name extends string>(setting: string, names: readonly [Name, ...Name[]]): Name {
  const given = addressed().get(setting);
  return names.find((name) => name === given) ?? names[0];
}

/** Keeps a setting of the place that is shown in the address. */
export function keepSetting(setting: string, value: string): void {
  const query = addressed();
  query.set('place', place.peek());
  query.set(setting, value);
  history.replaceState(null, '', `#${query}`);
}

addEventListener('hashchange', () => {
  place.value = named();
});
