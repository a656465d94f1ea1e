/** 各处共有的控制栏。 */
import type { barWords as English } from '../../english/places/bar.ts';
import type { Words } from '../../words.ts';

export const barWords: Words<typeof English> = {
  'help.train': '开始运行或暂停。',
  'help.reset': '按当前设置从头开始。',
  'help.places.newSeed': '用另外的随机数重新开始。',
  'help.places.learningRate': '每一步的大小：太低则缓慢，太高则发散。改变后重新开始。',
};
