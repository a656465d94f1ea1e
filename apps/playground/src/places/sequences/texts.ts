/** Texts to learn from, made by rules of our own, so that it can be seen which of them the network has found. */
import { RandomSequence } from '@nn/data';
import type { Language } from '../../i18n/language.ts';

export const textNames = ['sentences', 'repeats', 'brackets', 'own'] as const;
export type TextName = (typeof textNames)[number];

const english = {
  who: ['the cat', 'the dog', 'a small bird', 'the old man', 'a girl', 'the red fox', 'my sister'],
  does: ['sees', 'likes', 'finds', 'follows', 'looks for', 'runs after'],
  what: ['a ball', 'the moon', 'a green apple', 'the river', 'some bread', 'an old song', 'the rain'],
  where: ['in the garden', 'near the house', 'on the hill', 'by the sea', 'under the tree'],
  when: ['today', 'at night', 'every morning', 'in winter'],
};
const chinese = {
  who: ['小猫', '小狗', '一只小鸟', '老人', '女孩', '红狐狸', '我的妹妹'],
  does: ['看见', '喜欢', '找到', '跟着', '寻找', '追赶'],
  what: ['一个球', '月亮', '绿苹果', '小河', '一些面包', '一首老歌', '雨'],
  where: ['在花园里', '在屋子旁', '在山上', '在海边', '在树下'],
  when: ['今天', '晚上', '每天早晨', '冬天'],
};

/** A text of about `length` characters; the same for the same seed. */
export function makeText(name: Exclude<TextName, 'own'>, language: Language, length: number, seed: number): string {
  const random = new RandomSequence(seed);
  const any = <Item>(items: readonly Item[]): Item => items[random.integer(items.length)] as Item;
  let text = '';
  while (text.length < length) {
    if (name === 'sentences') text += language === 'zh' ? chineseSentence(any) : englishSentence(any);
    else if (name === 'repeats') {
      const word = makeWord(any, 3 + random.integer(3));
      text += `${word} ${word} ${word}. `;
    } else text += `${makeBrackets(any, random, 3)} `;
  }
  return text.trim();
}

type Any = <Item>(items: readonly Item[]) => Item;

function englishSentence(any: Any): string {
  const { who, does, what, where, when } = english;
  const tail = any([`${any(where)}`, `${any(when)}`, `${any(where)} ${any(when)}`]);
  const text = `${any(who)} ${any(does)} ${any(what)} ${tail}. `;
  return text[0]?.toUpperCase() + text.slice(1);
}

function chineseSentence(any: Any): string {
  const { who, does, what, where, when } = chinese;
  return `${any([`${any(when)}，`, ''])}${any(who)}${any(where)}${any(does)}${any(what)}。`;
}

/** A word that nothing tells but itself: what repeats it must look back. */
function makeWord(any: Any, letters: number): string {
  return Array.from({ length: letters }, (_, i) => any([...(i % 2 === 0 ? 'bdfgklmnprst' : 'aeiou')])).join('');
}

function makeBrackets(any: Any, random: RandomSequence, depth: number): string {
  const pairs = ['()', '[]', '{}'] as const;
  const pair = any(pairs);
  const inner = depth === 0 || random.uniform() < 0.3 ? '' : makeBrackets(any, random, depth - 1);
  const beside = depth > 1 && random.uniform() < 0.35 ? makeBrackets(any, random, depth - 2) : '';
  return `${pair[0]}${inner}${pair[1]}${beside}`;
}
