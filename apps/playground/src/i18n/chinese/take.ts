/** 可以带走的内容。 */
import type { takeWords as english } from '../english/take.ts';
import type { Words } from '../words.ts';

export const takeWords: Words<typeof english> = {
  takeLink: '这个实验的链接',
  copy: '复制',
  copied: '已复制',
  takeModel: '训练好的模型',
  saveModel: '下载模型',
  saveCheckpoint: '下载检查点',
  openModel: '打开文件',
  modelHelp: '模型只含权重（safetensors，PyTorch 可读）。检查点还含优化器和数据位置：训练从原处继续。',
  takeProgram: '程序',
  programHelp: '这个 TypeScript 程序建立同样的网络，用同样的数据训练，得到同样的数字（最后几位取决于设备）。',
  measured: '两者都只测量每部分的前 {count} 个样本。',
  notPublished: '这些软件包尚未发布：请把 {name} 放进本项目的代码目录，先运行 npm run build，再运行 npx tsx {name}。',
  notStraight: '训练途中改过设置，或载入过文件：程序从第一步起就用现在的设置训练，得到的数字会不同。',
  saveProgram: '下载程序',
  linkHelp: '除文件和权重外，一切都在地址里。',
  takeFiles: '可独立运行的文件',
  takeFilesHelp:
    'zip 中包含数据、模型、一个用于训练和一个用于预测的 TypeScript 程序、结果相同的 PyTorch 训练程序、一个能预测的网页，以及 ONNX 格式的网络。',
  torchDropout: '随机失活在 PyTorch 中取不同的随机数，因此损失略有不同。',
  'take.zip': '全部下载 (zip)',
  'take.page': '能预测的网页 (HTML)',
  'take.onnx': '导出 ONNX',
};
