/** 生成网络。 */
import type { generatorWords as English } from '../../english/places/generators.ts';
import type { Words } from '../../words.ts';

export const generatorWords: Words<typeof English> = {
  'generators.settings': '生成器',
  'generators.kind': '种类',
  'generators.title.gan': '生成器与判别器',
  'generators.title.autoencoder': '数字自编码器',
  'generators.about.gan': '一个网络把噪声变成点；另一个学习分辨它们与真实的点，前者则学习骗过后者。',
  'generators.about.autoencoder': '数字要通过两个数再还原：于是每个数字在平面上有一个位置，每个位置都是一个数字。',
  'generators.help.gan':
    '圆圈是真实的点，实心点是生成的点。蓝色：判别器认为那里是真的；橙色：认为是假的。短线表示生成器被要求把点移向何处。',
  'generators.help.autoencoder': '圆点是测试集数字，每类一种颜色；背后是各位置解码的结果。可拖动，或用方向键移动。',
  'generators.plane': '平面上真实与生成的点',
  'generators.latentPad': '潜在平面：拖动或用方向键选择位置',
  'generators.shape': '真实的点',
  'generators.shape.ring': '两个圆环',
  'generators.shape.moons': '月牙',
  'generators.shape.islands': '五个岛',
  'generators.shape.spiral': '螺旋',
  'generators.generatorRate': '生成器学习率',
  'generators.discriminatorRate': '判别器学习率',
  'generators.divergence': 'KL 散度的权重',
  'generators.generator': '生成器',
  'generators.discriminator': '判别器',
  'generators.coverage': '覆盖率',
  'generators.decoded': '解码',
  'generators.decodedDigit': '此位置的数字',
  'generators.decodedHelp': '解码器由此位置的两个数得到的图像。',
  'generators.passedHelp': '左边是由两个数还原的图像，右边是输入的测试集数字。',
  'generators.went': '输入的数字',
  'generators.through': '让一个测试集数字通过',
  'generators.pass': '让一个 {digit} 通过',
};
