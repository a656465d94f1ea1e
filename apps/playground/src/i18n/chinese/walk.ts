/** 逐步演示。 */
import type { walkWords as english } from '../english/walk.ts';
import type { Words } from '../words.ts';

export const walkWords: Words<typeof english> = {
  sample: '样本',
  previous: '上一个样本',
  next: '下一个样本',
  forward: '前向',
  backward: '反向',
  stepOf: '第 {step} 步，共 {all} 步',
  back: '后退',
  walkHint: '一个样本穿过网络；然后它的损失的梯度传回来。',
  walkInput: '样本进入网络。',
  walkSum: '每个单元把输入乘以权重相加，再加上偏置。',
  walkActivation: '激活函数弯曲这个和。',
  walkLoss: '输出与真实值比较。',
  walkBackOutput: '损失随单元的输出如何变化：来自后面的单元。',
  walkBackSum: '穿过激活函数：乘以它的斜率。',
  walkBackWeight: '对每个权重：乘以进来的值。优化器朝相反方向走。',
  walkKernels: '每行一个卷积核组；行中每个输入特征图对应一个核。',
  kernelOf: '卷积核 {filter}，特征图 {channel}',
  chosenUnit: '单元',
  target: '真实值',
  loading: '准备中 ...',
};
