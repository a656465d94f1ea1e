/** The words of the places in the present language, which come with the first of them. */
import { type Signal, signal } from '@preact/signals';
import type { PlaceKey } from '../i18n/english-places.ts';
import { type Language, language, languages } from '../i18n/language.ts';
import type { PlaceWords } from '../i18n/words.ts';

const known: Signal<Partial<Record<Language, PlaceWords>>> = signal({});

/** Fetches the words of a language; those that are there stay until then. */
export async function fetchWords(wanted: Language): Promise<void> {
  if (known.peek()[wanted] !== undefined) return;
  const words = await languages[wanted].places();
  known.value = { ...known.peek(), [wanted]: words };
}

/** What a place says of a control: of its own, and of those that mean something else there; empty where it says nothing. */
export function placeHelp(control: string): string {
  const words: Readonly<Record<string, string>> = known.value[language.value] ?? {};
  return words[`help.${control}`] ?? '';
}

/** The words for a key of the places; `{name}` is filled in. */
export function say(name: PlaceKey, values: Readonly<Record<string, string | number>> = {}): string {
  const words = known.value[language.value] ?? Object.values(known.value)[0];
  return (words?.[name] ?? '').replace(/\{(\w+)\}/g, (whole, slot: string) => String(values[slot] ?? whole));
}
