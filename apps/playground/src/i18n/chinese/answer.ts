/** 平面、曲线与手写板。 */
import type { answerWords as english } from '../english/answer.ts';
import type { Words } from '../words.ts';

export const answerWords: Words<typeof english> = {
  planeLabel: '网络对平面上每个点的预测',
  padLabel: '画点的平面：方向键移动，回车或空格放一个点，Delete 删除最近的点',
  penClass: '接下来的点',
  clear: '清除',
  showTest: '显示测试集样本',
  slice: '其他输入取与这两项相应的样本平均值。',
  across: '横轴',
  up: '纵轴',
  curveOf: '从左到右：{input}。',
  pointAtUnit: '指向网络中的一个神经元，在这里看它的输出。',
  pinned: '{name}的输出',
  backToOutput: '回到输出',
  curves: '训练曲线',
  lossValue: '损失',
  accuracy: '准确率',
  trainPart: '训练集',
  testPart: '测试集',
  drawDigit: '写一个数字',
  drawPad: '画数字的画板：方向键移动笔，空格提笔或落笔，Delete 清除',
  recognised: '看起来像 {digit}，{share}',
  notYet: '写一个数字，看看网络认成什么。',
  examples: '或取测试集中的一个',
  example: '测试图像 {digit}',
};
