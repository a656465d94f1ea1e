/** The language of the page: chosen by the browser's and changed at will. A new one is its file, and its tag and line below. */
import { type Signal, signal } from '@preact/signals';
import { chinese } from './chinese.ts';
import { english, type Key } from './english.ts';
import { tellError } from './errors.ts';
import type { LanguageWords, Told } from './words.ts';

export type Language = 'en' | 'zh';

export const languages: Readonly<Record<Language, LanguageWords>> = { en: english, zh: chinese };

const isLanguage = (name: string): name is Language => Object.hasOwn(languages, name);
export const languageNames: readonly Language[] = Object.keys(languages).filter(isLanguage);

const key = 'nn.playground.language';

export const language: Signal<Language> = signal(initial());

/** The one that was chosen before, the first of the browser's that the page speaks, or English. */
function initial(): Language {
  const wanted = navigator.languages.map((tag) => tag.toLowerCase().split(/[-_@.]/)[0] ?? '');
  return [read() ?? '', ...wanted].find(isLanguage) ?? 'en';
}

function read(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function setLanguage(next: Language): void {
  language.value = next;
  try {
    localStorage.setItem(key, next);
  } catch {
    // the choice then lasts as long as the page
  }
}

/** The words for a key in the present language; `{name}` is filled in. */
export function t(name: Key, values: Readonly<Record<string, string | number>> = {}): string {
  const text = languages[language.value].words[name];
  return text.replace(/\{(\w+)\}/g, (whole, slot: string) => String(values[slot] ?? whole));
}

/** What an error or a warning says, in the present language. */
export const told = (said: Told): string => tellError(languages[language.value].errors, said);
