/** The page in English; its keys are those of all languages. Each part of the page has its own file of words. */
import { answerWords } from './english/answer.ts';
import { classroomWords } from './english/classroom.ts';
import { closerWords } from './english/closer.ts';
import { helpWords } from './english/help.ts';
import { lessonsWords } from './english/lessons.ts';
import { networkWords } from './english/network.ts';
import { pageWords } from './english/page.ts';
import { settingsWords } from './english/settings.ts';
import { takeWords } from './english/take.ts';
import { walkWords } from './english/walk.ts';
import type { LanguageWords } from './words.ts';

type AllWords = typeof pageWords &
  typeof settingsWords &
  typeof networkWords &
  typeof answerWords &
  typeof closerWords &
  typeof walkWords &
  typeof takeWords &
  typeof lessonsWords &
  typeof helpWords &
  typeof classroomWords;

export type Key = keyof AllWords;

const words: AllWords = {
  ...pageWords,
  ...settingsWords,
  ...networkWords,
  ...answerWords,
  ...closerWords,
  ...walkWords,
  ...takeWords,
  ...lessonsWords,
  ...helpWords,
  ...classroomWords,
};

const glossary: LanguageWords['glossary'] = async () => (await import('./english-glossary.ts')).glossary;
const places: LanguageWords['places'] = async () => (await import('./english-places.ts')).places;

export const english: LanguageWords = { tag: 'en', name: 'English', words, places, glossary, errors: null };
