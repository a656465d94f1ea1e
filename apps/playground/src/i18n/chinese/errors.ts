/** 出错与警告的中文说法，按其标识查找；`{name}` 处填入事实。 */
import { excerpt } from '@nn/core';
import type { Mismatch } from '@nn/serialize';
import type { ErrorWords, Facts, Told } from '../words.ts';

/** `{name}` is the fact of that name; a `*` stands for any operation. */
const kinds: ErrorWords['kinds'] = {
  // doubts about tables
  'warning/*/encoding': '文件不是 UTF-8，按 {encoding} 读取。',
  'warning/parseCsv/no-names': '第一行是数字，当作数据；各列称为 column1、column2……',
  'warning/parseCsv/data-as-names': '第一行看起来是数据（{cells}），却被当作列名。',
  'warning/parseCsv/one-column': '文件只读出一列：“{column}”。',
  'warning/parseCsv/no-value': '“{column}”列没有值。',
  'warning/parseCsv/mixed-notations': '“{column}”列的小数点写法不一致（第 {line} 行是“{text}”），已当作类别。',
  'warning/parseCsv/two-notations': '“{column}”列中第 {line} 行的“{text}”逗号含义不明，已当作类别。',
  'warning/parseCsv/other-notation': '“{column}”列中第 {line} 行的“{text}”不合所给的小数点写法，因此每个值都成了类别。',
  'warning/parseCsv/mostly-numbers': '“{column}”列的 {present} 个值中只有 {numbers} 个是数，因此每个值都成了类别。',
  'warning/parseCsv/missing-mark':
    '“{column}”列中第 {line} 行的“{text}”当作缺失值（{count} 个值中有 {blanks} 个这样的值）。',
  'warning/parseCsv/decimal-comma': '“{column}”列中第 {line} 行的“{text}”读作带小数逗号的数。',
  'warning/parseCsv/thousands-mark': '“{column}”列中第 {line} 行的“{text}”读作带千位分隔符的数。',
  'warning/parseCsv/decimal-point': '“{column}”列的点读作小数点，而其他列用逗号。',
  'warning/parseCsv/lost-digits': '“{column}”列中第 {line} 行的“{text}”位数太多，会丢失精度；如果是编号，请当作类别。',
  'warning/parseCsv/lost-zeros':
    '“{column}”列中第 {line} 行的“{text}”以零开头，读作数会丢掉零；如果是编号，请当作类别。',
  'warning/fitTable/many-categories':
    '“{column}”列在 {rows} 行中有 {categories} 个类别，从中学不到什么：请不要选它作为依据。',
  'warning/fitTable/moments': '“{column}”列的数当作 1970 年以来的毫秒数，{value} 不像是日期：请检查单位。',
  // tables
  'value/fitTable/no-value': '“{column}”列没有任何值，无法填补：请不要选它作为依据。',
  'format/parseCsv/columns': '{name} 第 {line} 行有 {columns} 列，应为 {expected} 列。',
  'format/parseCsv/empty': '{name} 是空文件。',
  'format/parseCsv/column-count': '{name} 的第一行超过 {maxColumns} 列。',
  'format/parseCsv/same-names': '{name} 第 {line} 行：第 {before} 列与第 {column} 列同名（“{columnName}”），请改名。',
  'format/parseCsv/open-quote': '{name} 第 {line} 行第 {column} 列：引号没有闭合。',
  'format/parseCsv/after-quote':
    '{name} 第 {line} 行第 {column} 列：闭合引号后面是“{character}”，应为分隔符或行尾（字段内的引号要写两次）。',
  'format/parseCsv/inner-quote': '{name} 第 {line} 行第 {column} 列：字段中间有引号；请把整个字段放进引号。',
  'format/parseCsv/value': '{name} 第 {line} 行第 {column} 列的值与该列的类型不符。',
  'format/readCsv/size': '{name} 有 {length} 字节，最多 {maxBytes} 字节。',
  'format/*/zip': '{name} 是压缩包（.xlsx、.ods 等电子表格）：请导出为 CSV。',
  'format/*/office': '{name} 是旧版 Office 文件（.xls）：请导出为 CSV。',
  'format/*/utf-16': '{name} 含有零字节（像是 UTF-16）：请另存为 UTF-8。',
  'format/*/not-utf-8': '{name} 的字节不是可读的文字：请另存为 UTF-8。',
  'format/*/not-text': '{name} 的字节不是 {encoding} 文字：请另存为 UTF-8。',
  'format/*/no-decoder': '此浏览器只能读 UTF-8，而 {name} 不是。',
  'value/columns': '{name} 有 {columns} 列：至少需要一列用来预测、一列作为依据。',
  'value/rows': '{name} 中“{target}”有值的只有 {rows} 行：至少需要 10 行。',
  'value/one-class': '“{target}”只有一个值：没有可区分的类别。',
  'value/too-many-classes': '“{target}”有 {classes} 个值，类别太多：最多 26 个。',
  'format/encodeTable/missing': '{name} 第 {line} 行“{column}”列缺少值。',
  'format/encodeTable/category': '{name} 第 {line} 行“{column}”列的值不是数。',
  'format/encodeTable/date': '{name} 第 {line} 行“{column}”列的值不是日期。',
  'format/encodeTable/unknown': '{name} 第 {line} 行“{column}”列的值不在已知类别之中。',
  'format/encodeTable/infinite': '{name} 第 {line} 行“{column}”列的值是无穷大，无法从中学习。',
  'value/fitNormalization/not-finite': '第 {sample} 个样本的第 {element} 个数是 {value}：没有可用的值。',
  'value/*/part': '{size} 个样本中取 {testSize} 个用于测试，会使一部分为空：请改变测试比例或增加样本。',
  // images
  'format/readIdx/short': '{name} 只有 {length} 字节，太短，不是 IDX 文件。',
  'format/readIdx/magic': '{name} 的文件头是 {magic}，不是 IDX 文件。',
  'format/readIdx/type': '{name} 含有 {type} 类型的数，应为 {expected}。',
  'format/readIdx/rank': '{name} 有 {rank} 个维度，应为 {expected} 个。',
  'format/readIdx/sizes': '{name} 在第 {length} 字节处中断，文件不完整。',
  'format/readIdx/truncated': '{name} 的形状 {shape} 需要 {expected} 字节，只有 {actual} 字节：文件不完整。',
  'format/readIdx/too-long': '{name} 的形状 {shape} 需要 {expected} 字节，却有 {actual} 字节：文件过长。',
  'format/readIdx/size': '{name} 的形状 {shape} 需要 {needed} 字节，最多 {maxBytes} 字节。',
  'format/readIdx/narrow': '{name} 含有双精度数，不能原样读取。',
  'format/readIdxImages/count': '{imagesName} 有 {images} 张图像，{labelsName} 有 {labels} 个标签：数目必须相等。',
  'format/*/gzip': '{name}：gzip 数据在 {length} 字节之后损坏或中断。',
  'format/*/unpacked-size': '{name} 解压后超过 {limit} 字节。',
  // models
  'format/safetensors/foreign': '这不是 safetensors 文件。',
  'format/safetensors/truncated': '模型文件不完整：文件头需要 {needed} 字节，文件只有 {length} 字节（safetensors）。',
  'format/safetensors/outside': '模型文件不完整：“{name}”应到第 {end} 字节，数据只有 {size} 字节（safetensors）。',
  'format/safetensors/too-long': '模型文件不对：张量到第 {end} 字节为止，数据却有 {size} 字节（safetensors）。',
  'format/safetensors/header': '模型文件的文件头已损坏（safetensors）。',
  'format/safetensors/metadata': '模型文件的附加信息已损坏（safetensors）。',
  'format/safetensors/tensor': '模型文件中“{name}”的描述已损坏（safetensors）。',
  'format/safetensors/tensor-count': '模型文件有 {tensors} 个张量，太多了（safetensors）。',
  'format/loadCheckpoint/part': '检查点缺少这个网络所需的部分：{absent}。',
  'format/loadCheckpoint/no-checkpoint': '这是模型文件，不是检查点。',
  'format/loadCheckpoint/metadata': '检查点文件已损坏。',
  'format/loadCheckpoint/version': '检查点的版本是 {version}，这里只能读版本 1。',
  'format/loadCheckpoint/state': '检查点中“{name}”的状态不能用，未做任何更改。',
  'format/*/mismatch': mismatch,
  // devices
  'backend/gpu/unavailable': unavailable,
  'backend/gpu/no-webgpu': '此浏览器没有 WebGPU（缺少 navigator.gpu）。',
  'backend/gpu/no-adapter': '此浏览器有 WebGPU，但没有可用的设备。',
  'backend/gpu/no-webgl2': '此浏览器不提供 WebGL 2。',
  'backend/gpu/no-float-textures': '此 WebGL 2 不能写入 32 位浮点数（EXT_color_buffer_float），因此不能计算。',
  'backend/gpu/wrong-sums': '{device} 上的 {mode} 计算出错（得到 {wrong}，应为 {right}），因此不使用。',
  'backend/gpu/compile': 'GPU 不能编译其中的一段程序：请使用 CPU。',
  'backend/gpu/lost': 'GPU 连接已断开，设备上的内容全部丢失：请重新开始，或打开检查点。',
  'backend/lost': '设备连接已断开，设备上的内容全部丢失：请重新开始，或打开检查点。',
  'backend/gpu/out-of-memory': 'GPU 内存不足：已用 {used} 字节，放不下另外 {bytes} 字节。',
  'backend/cpu/out-of-memory': '内存不足：放不下另外 {bytes} 字节。请减少样本或网络的大小。',
  'backend/memory/out-of-memory': '内存不足：已用 {used} 字节，放不下另外 {bytes} 字节。请减少样本或网络的大小。',
  // lessons
  'format/lesson/size': '课程文件 {name} 有 {length} 个字符，最多 {longest} 个。',
  'format/lesson/json': '课程文件 {name} 不是 JSON：{why}',
  'format/lesson/field': '课程文件 {name}：{path} 是 {found}，应为 {expected}。',
  'format/lesson/fetch': '读不到课程 {address}：{why}',
  // the page itself
  'value/few-points': '请至少画四个点，两类都要有。',
  'value/few-samples': '每一类都需要样本。',
  'value/no-sound': '图像没有声音。',
  'value/no-table': '请把一个 CSV 文件拖到页面上，或选择一个。链接不包含文件。',
  'value/no-images': '请把两个 IDX 文件（图像和标签）拖到页面上。链接不包含文件。',
  'value/convolution-after-dense': '卷积层需要图像：请放在全连接层之前，或移除。',
  'value/diverged': '训练已停止：{step} 步之后损失为 {loss}，数值不再有限。请试试更小的学习率。',
  'value/short-text': '文本只有 {characters} 个字符：至少需要 {needed} 个。',
  'value/no-experiment': '还没有实验。',
  'value/no-batch': '没有可训练的批：样本太少。',
  'value/plane-axes': '这两个不是输入：共有 {width} 个输入。',
  'value/no-such-weight': '第 {layer} 层的第 {unit} 个神经元没有这个权重。',
  'value/page-dates': '能预测的网页只接受数值和类别，而此表含有日期。',
  'page/worker': '训练线程没有启动。',
};

function names(list: unknown): string {
  const all = Array.isArray(list) ? list.map((name) => excerpt(String(name), 60)) : [];
  return all.length > 6 ? `${all.slice(0, 6).join('、')} 等 ${all.length} 个` : all.join('、');
}

/** Which names and shapes of a file are not those of the network. */
function mismatch({ missing, unexpected, mismatched, missingStates, unexpectedStates }: Facts): string {
  const [lacks, has] = [names(missing), names(unexpected)];
  const [lacksState, hasState] = [names(missingStates), names(unexpectedStates)];
  const all: readonly Mismatch[] = Array.isArray(mismatched) ? mismatched : [];
  const side = (fact: string | readonly number[]): string => (typeof fact === 'string' ? fact : `[${fact.join(', ')}]`);
  const differ = all.flatMap((found) =>
    'here' in found ? [`“${excerpt(found.name, 60)}”在文件中是 ${side(found.file)}，此处是 ${side(found.here)}`] : [],
  );
  const others = all.length - differ.length;
  const parts = [
    ...(lacks === '' ? [] : [`文件中缺少 ${lacks}`]),
    ...(has === '' ? [] : [`文件中多出 ${has}`]),
    ...(lacksState === '' ? [] : [`文件中缺少状态 ${lacksState}`]),
    ...(hasState === '' ? [] : [`文件中多出状态 ${hasState}`]),
    ...differ.slice(0, 6),
    ...(others > 0 ? [`另有 ${others} 处不符`] : []),
  ];
  return `文件与网络不符，未做任何更改：${parts.join('；')}。`;
}

function unavailable({ reasons }: Facts, tell: (said: Told) => string): string {
  const all = (Array.isArray(reasons) ? (reasons as readonly Told[]) : []).map(tell);
  return `没有可用的 GPU：${all.join('')}请在浏览器中允许硬件加速、换一个浏览器，或使用 CPU。`;
}

const classes: ErrorWords['classes'] = {
  format: '文件有误',
  value: '设置有误',
  shape: '形状不符',
  dtype: '类型不符',
  backend: '设备出错',
  warning: '请注意',
};

export const errors: ErrorWords = { kinds, classes, other: '出错了', colon: '：' };
