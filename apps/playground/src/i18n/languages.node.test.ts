import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { placeControls } from '../places/control-names.ts';
import { chinese } from './chinese.ts';
import { english, type Key } from './english.ts';
import type { PlaceKey } from './english-places.ts';
import type { LanguageWords } from './words.ts';

const languages: readonly LanguageWords[] = [english, chinese];
const slotsOf = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string).sort();

/** The keys of all files of words in a folder. */
async function keysIn(folder: string): Promise<string[]> {
  const files = readdirSync(new URL(folder, import.meta.url)).filter(
    (name) => name.endsWith('.ts') && name !== 'errors.ts',
  );
  const parts: readonly object[] = await Promise.all(
    files.map((name) => import(/* @vite-ignore */ new URL(`${folder}${name}`, import.meta.url).href)),
  );
  return parts.flatMap((part) => Object.values(part).flatMap((words) => Object.keys(Object(words))));
}

describe.each(languages)('$name', ({ words, places, glossary }) => {
  it('says every key of the places, with the same facts', async () => {
    const [said, wanted] = await Promise.all([places(), english.places()]);
    for (const [key, text] of Object.entries(wanted)) {
      expect(said[key as PlaceKey]?.trim(), key).toBeTruthy();
      expect(slotsOf(said[key as PlaceKey]), key).toEqual(slotsOf(text));
    }
    expect(Object.keys(said).sort()).toEqual(Object.keys(wanted).sort());
  });

  it('has a term for each optimizer, activation, loss, schedule, first weight, penalty and metric', async () => {
    const text = Object.values(await glossary())
      .flat()
      .join('\n')
      .toLowerCase();
    const plain = ['penalty.none', 'schedule.constant', 'initializer.default', 'initializer.zeros'];
    const choices = Object.keys(english.words).filter(
      (key) => /^(optimizer|activation|loss|schedule|initializer|penalty|metric)\./.test(key) && !plain.includes(key),
    );
    expect(choices.length).toBeGreaterThan(40);
    expect(choices.filter((key) => !text.includes(words[key as Key].toLowerCase()))).toEqual([]);
  });

  it('has the whole glossary', async () => {
    const terms = Object.entries(await glossary());
    expect(terms.map(([name]) => name)).toEqual(Object.keys(await english.glossary()));
    for (const [name, [term, meaning]] of terms) expect([term.trim(), meaning.trim()], name).not.toContain('');
  });

  it('says every key, with the facts that the English words have', () => {
    for (const [key, text] of Object.entries(english.words)) {
      const said = words[key as Key];
      expect(said?.trim(), key).toBeTruthy();
      expect(slotsOf(said), key).toEqual(slotsOf(text));
    }
    expect(Object.keys(words).sort()).toEqual(Object.keys(english.words).sort());
  });
});

it('says of each control of a place what it is for', async () => {
  const said = Object.keys(await english.places()).filter((key) => key.startsWith('help.'));
  // these two mean something else on the board
  expect(said.sort()).toEqual([...placeControls, 'reset', 'train'].map((name) => `help.${name}`).sort());
});

it.each(['english/', 'chinese/'])('%s has no key in two files: one would hide the other', async (folder) => {
  const keys = await keysIn(folder);
  expect(keys.length).toBeGreaterThan(200);
  expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  expect(keys.sort()).toEqual(Object.keys(english.words).sort());
});

it('is complete by its type: a language in one file that lacks a key does not compile', () => {
  const { title: _, ...rest } = english.words;
  // @ts-expect-error: the title is missing
  const partial: LanguageWords = { ...english, tag: 'xx', name: 'x', words: rest };
  expect(partial.words.title).toBeUndefined();
});
