/** 回答的依据，以及混淆矩阵的单元格。 */
import type { explainWords as English } from '../../english/places/explain.ts';
import type { Words } from '../../words.ts';

export const explainWords: Words<typeof English> = {
  'explain.draw': '写一个数字，或从测试集中取一个，看看回答的依据。',
  'explain.target': '解释哪一类的得分',
  'explain.best': '网络的回答 {digit}',
  'explain.integrated': '积分梯度',
  'explain.integratedOf': '积分梯度：每个像素对 {digit} 得分的贡献',
  'explain.cam': '{layer} 的 Grad-CAM',
  'explain.camOf': '{layer} 的 Grad-CAM：在哪里看到支持 {digit} 的特征',
  'explain.sum': '此图对 {digit} 的得分为 {score}，空白纸为 {baseline}；各像素贡献之和为 {sum}，即两者之差。',
  'explain.help':
    '蓝色支持该类，橙色反对。积分梯度沿空白纸到此图的路径累积梯度（Sundararajan 等，2017）；Grad-CAM 以梯度为特征图加权（Selvaraju 等，2017）。',
  'explain.noFilters': 'Grad-CAM 需要卷积层：请添加一层。',
  'explain.cell': '{truth} 判为 {guess}',
  'explain.cellWaits': '正在训练：显示的是之前的样本。暂停后可看当前的样本。',
  'explain.cellHelp': '测试集样本，把握最大的在前。按一个样本，让它走过网络。',
  'explain.walk': '样本 {index}，把握 {share}：让它走过网络',
  'help.explain.target': '询问哪一类的依据。',
  'help.explain.integrated': '从空白纸到该图的路径上，每个像素对得分的贡献之和。',
  'help.explain.cam': '这一层的特征图在哪里支持该类。',
  'help.explain.cell': '这一格的测试样本。按一个，让它走过网络。',
};
