/** The language of the page: English or Chinese, chosen by the browser's and changed at will. */
import { type Signal, signal } from '@preact/signals';
import { chinese } from './chinese.ts';
import { english, type Key } from './english.ts';
import { inChinese, type Told } from './errors.ts';

export type Language = 'en' | 'zh';

const key = 'nn.playground.language';

export const language: Signal<Language> = signal(initial());

function initial(): Language {
  const kept = read();
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
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
  const text = (language.value === 'zh' ? chinese : english)[name];
  return text.replace(/\{(\w+)\}/g, (whole, slot: string) => String(values[slot] ?? whole));
}

/** What an error or a warning says, in the present language. */
export function told(said: Told): string {
  return language.value === 'zh' ? inChinese(said) : said.message;
}
