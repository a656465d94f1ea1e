/** 逐步演示。 */
import type { walkWords as english } from '../english/walk.ts';
import type { Words } from '../words.ts';

export const walkWords: Words<typeof english> = {
  sample: '样本',
  previous: '上一个样本',
  next: '下一个样本',
  forward: '前向传播',
  backward: '反向传播',
  stepOf: '第 {step} 步，共 {all} 步',
  back: '后退',
  walkHint: '一个样本前向传播，经过网络；然后损失的梯度反向传播。',
  walkInput: '样本输入网络。',
  walkSum: '每个神经元把各输入乘以权重后相加，再加上偏置。',
  walkActivation: '激活函数对这个和作非线性变换。',
  walkLoss: '损失函数比较输出与目标值。',
  walkBackOutput: '损失对神经元输出的导数：由后一层传回。',
  walkBackSum: '经过激活函数：乘以它的导数。',
  walkBackWeight: '对每个权重：乘以相应的输入。优化器沿相反方向更新。',
  walkKernels: '每行一个卷积核组；行中每个输入通道对应一个核。',
  kernelOf: '卷积核 {filter}，通道 {channel}',
  chosenUnit: '神经元',
  target: '目标值',
  loading: '准备中 ...',
};
