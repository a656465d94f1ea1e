/** 网络下方的各个标签页（逐步演示除外）。 */
import type { closerWords as english } from '../english/closer.ts';
import type { Words } from '../words.ts';

export const closerWords: Words<typeof english> = {
  tabs: '仔细看看',
  'tab.walk': '逐步计算',
  'tab.distributions': '分布',
  'tab.mistakes': '错误分析',
  'tab.images': '卷积核与特征图',
  'tab.take': '导出与分享',
  weights: '权重',
  gradients: '梯度',
  outputs: '输出',
  histogramOf: '{layer}的{what}：从 {low} 到 {high}',
  confusion: '{count} 个测试样本的混淆矩阵：行是真实类别，列是预测类别。',
  filtersOf: '{layer}的卷积核',
  mapsOf: '{layer}的特征图',
  binOf: '{low} 到 {high}：{count}',
};
