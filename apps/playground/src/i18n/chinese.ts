/** 页面的中文。各部分的文字各有一个文件。 */
import { answerWords } from './chinese/answer.ts';
import { classroomWords } from './chinese/classroom.ts';
import { closerWords } from './chinese/closer.ts';
import { errors } from './chinese/errors.ts';
import { helpWords } from './chinese/help.ts';
import { lessonsWords } from './chinese/lessons.ts';
import { networkWords } from './chinese/network.ts';
import { pageWords } from './chinese/page.ts';
import { settingsWords } from './chinese/settings.ts';
import { takeWords } from './chinese/take.ts';
import { walkWords } from './chinese/walk.ts';
import type { LanguageWords } from './words.ts';

export const chinese: LanguageWords = {
  tag: 'zh-CN',
  name: '中文',
  words: {
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
  },
  places: async () => (await import('./chinese-places.ts')).places,
  glossary: async () => (await import('./chinese-glossary.ts')).glossary,
  errors,
};
