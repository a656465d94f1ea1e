/**
 * The page of lessons, in both languages: a card for each lesson that the built playground carries, as its own list names
 * them. The lessons are the playground's; here they are only found and linked.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from './documents.ts';
import { root } from './places.ts';

interface Lesson {
  readonly name: string;
  readonly title: Readonly<Record<string, string>>;
  readonly about: Readonly<Record<string, string>>;
}

const words = {
  en: {
    title: 'Lessons',
    about:
      'The playground is a page on which you see a network learn: what each neuron answers, the lines with their weights, the ' +
      'curves, the gradient on its way back. Nothing has to be installed, and nothing leaves the page.',
    goals: 'Each lesson is a few steps with a goal, and sees when it is reached.',
    open: 'Open the playground',
    more: 'What it shows, and how it is made: [the playground](./apps/playground.md).',
  },
  zh: {
    title: '课程',
    about:
      '演练场是一个能看见神经网络学习过程的网页：每个神经元的输出、连线上的权重、损失曲线，以及反向传回的梯度。无需安装，数据也不会离开本页。',
    goals: '每节课分为几步，各有目标，达到时页面会告诉你。',
    open: '打开演练场',
    more: '它展示什么、如何实现：[演练场](../apps/playground.md)（英文）。',
  },
};

export function lessonPages(playground: string): readonly Page[] {
  const lessons = lessonsOf(join(playground, 'lessons'));
  return [
    { page: 'lessons.md', text: pageIn('en', lessons) },
    { page: 'zh/lessons.md', text: pageIn('zh', lessons) },
  ];
}

function lessonsOf(folder: string): readonly Lesson[] {
  const list = join(folder, 'index.json');
  if (!existsSync(list)) return [];
  const { lessons } = JSON.parse(readFileSync(list, 'utf8')) as { lessons: readonly string[] };
  return lessons.map((file) => {
    const { title, about } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Omit<Lesson, 'name'>;
    return { name: file.replace(/\.json$/, ''), title, about };
  });
}

/** What a lesson does not say in a language it says in English. */
function pageIn(language: keyof typeof words, lessons: readonly Lesson[]): string {
  const say = words[language];
  const cards = lessons.map(({ name, title, about }) => {
    const attribute = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    const text = (of: Lesson['title']): string => attribute(of[language] ?? of.en ?? name);
    return `<LessonCard name="${name}" title="${text(title)}" about="${text(about)}" />`;
  });
  return [
    `---\ntitle: ${say.title}\naside: false\n---`,
    `# ${say.title}`,
    say.about,
    ...(cards.length > 0 ? [say.goals, `<div class="lesson-cards">\n${cards.join('\n')}\n</div>`] : []),
    `<PlaygroundLink text="${say.open}" />`,
    say.more,
  ].join('\n\n');
}

/** Where the build of the playground lies. */
export const playground: string = join(root, 'apps/playground/dist');
