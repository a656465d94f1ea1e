/**
 * What went wrong, in the language of the page. Errors of the packages and of the worker come as English sentences: here
 * each has its counterpart, with the facts filled in. What has none is told in English behind the name of its kind.
 */

type Rule = readonly [pattern: RegExp, chinese: string];

const rules: readonly Rule[] = [
  // doubts about tables
  [/^the bytes are not UTF-8; they were read as (\S+): .*$/, '文件不是 UTF-8，按 $1 读取。'],
  [
    /^the first line holds numbers, so it was taken for data, .*$/,
    '第一行是数字，当作数据；各列称为 column1、column2……',
  ],
  [/^the first line looks like data \((.+)\) .*$/, '第一行看起来是数据（$1），却被当作列名。'],
  [/^the file was read as one column, (.+): name the separator\.$/, '文件只读出一列：$1。'],
  [/^column (.+?): has no value;.*$/, '$1 列没有值。'],
  [
    /^column (.+?): some numbers have decimal points and some decimal commas, as (.+); the column .*$/,
    '$1 列的小数点写法不一致（$2），已当作类别。',
  ],
  [
    /^column (.+?): (.+) is one number with a decimal comma and another with commas.*$/,
    '$1 列中 $2 的逗号含义不明，已当作类别。',
  ],
  [/^column (.+?): (\d+) of (\d+) values are numbers, .*$/, '$1 列的 $3 个值中只有 $2 个是数，因此每个值都成了类别。'],
  [
    /^column (.+?): (.+) is taken for a missing value, with (\d+) such of (\d+);.*$/,
    '$1 列中 $2 当作缺失值（$4 个中有 $3 个）。',
  ],
  [
    /^column (.+?): (.+) is read as a number with (?:a decimal comma|decimal commas).*$/,
    '$1 列中 $2 读作带小数逗号的数。',
  ],
  [/^column (.+?): (.+) is read as a number with .*$/, '$1 列中 $2 读作数。'],
  [/^column (.+?): its points are read as decimal points,.*$/, '$1 列的点读作小数点，而其他列用逗号。'],
  [
    /^column (.+?): (.+) has more digits than a number keeps,.*$/,
    '$1 列中 $2 的位数太多，会丢失精度；如果是编号，请当作类别。',
  ],
  [
    /^column (.+?): (.+) begins with a zero, which a number drops;.*$/,
    '$1 列中 $2 以零开头，读作数会丢掉零；如果是编号，请当作类别。',
  ],
  [
    /^fitTable: .+: column (.+) has (\d+) categories in (\d+) rows, .*$/,
    '$1 列在 $3 行中有 $2 个类别，从中学不到什么：请不要选它作为依据。',
  ],
  // tables
  [
    /^parseCsv: (.+), line (\d+): (\d+) columns, (\d+) are expected(?: \('(.+)' is the first that is missing\))?\.$/,
    '$1 第 $2 行有 $3 列，应为 $4 列。',
  ],
  [/^parseCsv: (.+) is empty\.$/, '$1 是空文件。'],
  [/^parseCsv: (.+) has more than (\d+) columns in its first line.*$/, '$1 的第一行超过 $2 列。'],
  [
    /^parseCsv: (.+), line (\d+): columns (\d+) and (\d+) are both named (.+?); rename one.*$/,
    '$1 第 $2 行：第 $3 列与第 $4 列同名（$5），请改名。',
  ],
  [
    /^parseCsv: (.+), line (\d+), column (\d+): a quote is opened and never closed\.$/,
    '$1 第 $2 行第 $3 列：引号没有闭合。',
  ],
  [
    /^parseCsv: (.+), line (\d+), column (\d+): '(.)' follows a closing quote;.*$/su,
    '$1 第 $2 行第 $3 列：闭合引号后面是“$4”，应为分隔符或行尾（字段内的引号要写两次）。',
  ],
  [
    /^parseCsv: (.+), line (\d+), column (\d+): a quote inside a field that does not begin with one;.*$/,
    '$1 第 $2 行第 $3 列：字段中间有引号；请把整个字段放进引号。',
  ],
  [/^readCsv: (.+) has (\d+) bytes, maxBytes is (\d+)\.$/, '$1 有 $2 字节，最多 $3 字节。'],
  [
    /^readCsv: (.+): this is a ZIP archive, as spreadsheets \(\.xlsx, \.ods\) are: export it as CSV\.$/,
    '$1 是压缩包（.xlsx、.ods 等电子表格）：请导出为 CSV。',
  ],
  [
    /^readCsv: (.+): this is an old Office file \(\.xls\): export it as CSV\.$/,
    '$1 是旧版 Office 文件（.xls）：请导出为 CSV。',
  ],
  [/^readCsv: (.+): the text holds zero bytes, as UTF-16 does.*$/, '$1 含有零字节（像是 UTF-16）：请另存为 UTF-8。'],
  [/^readCsv: (.+): the bytes are not (?:UTF-8 text|text in \S+).*$/, '$1 的字节不是可读的文字：请另存为 UTF-8。'],
  [
    /^(.+) has (\d+) columns?: one to predict and one to predict it from are needed\.$/,
    '$1 有 $2 列：至少需要一列用来预测、一列作为依据。',
  ],
  [
    /^(.+) has (\d+) rows with a value of '(.+)': 10 or more are needed\.$/,
    '$1 中“$3”有值的只有 $2 行：至少需要 10 行。',
  ],
  [/^'(.+)' has a single value: there is nothing to tell apart\.$/, '“$1”只有一个值：没有可区分的类别。'],
  [/^'(.+)' has (\d+) values, which are too many classes: at most (\d+)\.$/, '“$1”有 $2 个值，类别太多：最多 $3 个。'],
  [/^encodeTable: (.+), line (\d+), column (.+): the value is missing;.*$/, '$1 第 $2 行“$3”列缺少值。'],
  [/^fitNormalization: sample (\d+), element (\d+) is (\S+);.*$/, '第 $1 个样本的第 $2 个数是 $3：没有可用的值。'],
  [
    /^trainTestSplit: (\d+) of (\d+) samples for testing leave a part empty.*$/,
    '$2 个样本中取 $1 个用于测试，会使一部分为空：请改变测试比例或增加样本。',
  ],
  // images
  [/^readIdx: (.+): (\d+) bytes are too few for a magic number of 4\.$/, '$1 只有 $2 字节，太短，不是 IDX 文件。'],
  [
    /^readIdx: (.+): the magic number ([\da-f ]+) (?:does not begin with 00 00; this is not IDX|names no element type.*|has no axes)\.$/,
    '$1 的文件头是 $2，不是 IDX 文件。',
  ],
  [/^readIdx: (.+): holds (\S+), (\S+) is expected\.$/, '$1 含有 $2 类型的数，应为 $3。'],
  [/^readIdx: (.+): has (\d+) axes, (\d+) are expected\.$/, '$1 有 $2 个维度，应为 $3 个。'],
  [
    /^readIdx: (.+): ends within the sizes of its (\d+) axes, after (\d+) bytes\.$/,
    '$1 在第 $3 字节处中断，文件不完整。',
  ],
  [
    /^readIdx: (.+): shape (\[[\d, ]+\]) of \S+ needs (\d+) bytes, there are (\d+); it is truncated\.$/,
    '$1 的形状 $2 需要 $3 字节，只有 $4 字节：文件不完整。',
  ],
  [
    /^readIdx: (.+): shape (\[[\d, ]+\]) of \S+ needs (\d+) bytes, there are (\d+); it goes on too long\.$/,
    '$1 的形状 $2 需要 $3 字节，却有 $4 字节：文件过长。',
  ],
  [
    /^readIdxImages: (.+) has (\d+) images, (.+) has (\d+) labels; they must be equal\.$/,
    '$1 有 $2 张图像，$3 有 $4 个标签：数目必须相等。',
  ],
  [/^\w+: .*the gzip data is damaged or truncated after (\d+) bytes.*$/, 'gzip 数据在 $1 字节之后损坏或中断。'],
  // models
  [
    /^safetensors: the header needs (\d+) bytes, the file has (\d+); it is truncated\.$/,
    '模型文件不完整：文件头需要 $1 字节，文件只有 $2 字节（safetensors）。',
  ],
  [
    /^safetensors: '(.+)' has the data_offsets \[(\d+), (\d+)\], outside of the (\d+) bytes of data\.$/,
    '模型文件不完整：“$1”应到第 $3 字节，数据只有 $4 字节（safetensors）。',
  ],
  [
    /^safetensors: the tensors end at byte (\d+), the file has (\d+) bytes of data\.$/,
    '模型文件不对：张量到第 $1 字节为止，数据却有 $2 字节（safetensors）。',
  ],
  [
    /^safetensors: .*(?:this is not safetensors\.|are too few for .*|the header begins with .*)$/,
    '这不是 safetensors 文件。',
  ],
  [/^loadCheckpoint: the file has no part .*$/, '检查点缺少这个网络所需的部分。'],
  [/^loadCheckpoint: .*the file is damaged\.$/, '检查点文件已损坏。'],
  [
    /^loadCheckpoint: the file has version (\S+), this package reads version (\S+)\.$/,
    '检查点的版本是 $1，这里只能读版本 $2。',
  ],
  [/^load\w+: the file does not fit, and nothing was changed; (.+)\.$/, '文件与网络不符，未做任何更改：$1。'],
  [/missing in the file: /g, '文件中缺少 '],
  [/unexpected in the file: /g, '文件中多出 '],
  [/different: /g, '不同：'],
  [/('[^']+') has the shape (\[[\d, ]*\]) in the file, (\[[\d, ]*\]) here/g, '$1 在文件中的形状是 $2，此处是 $3'],
  // devices
  [/^gpu: no usable device\. \w+: /, '没有可用的 GPU：'],
  [/this browser has no WebGPU \(navigator\.gpu is missing\)\./, '此浏览器没有 WebGPU（缺少 navigator.gpu）。'],
  [/this browser has WebGPU, but no device for it\./, '此浏览器有 WebGPU，但没有可用的设备。'],
  [/this browser gives no WebGL 2 context\./, '此浏览器不提供 WebGL 2。'],
  [
    /this WebGL 2 cannot draw to 32-bit floats \((\w+)\), so it cannot compute\. Use the CPU backend\./,
    '此 WebGL 2 不能写入 32 位浮点数（$1），因此不能计算。',
  ],
  [
    /(\w+) on (.+) computes wrong sums \((\S+) instead of (\S+)\), so it is not used\..*?CPU backend\./,
    '$2 上的 $1 计算出错（得到 $3，应为 $4），因此不使用。',
  ],
  [
    / Allow hardware acceleration in the browser, try another browser, or use the CPU backend\.$/,
    '请在浏览器中允许硬件加速、换一个浏览器，或使用 CPU。',
  ],
  [
    /^gpu: the \w+ (?:context|device) was lost, and with it everything on (?:the device|it)\..*$/,
    'GPU 连接已断开，设备上的内容全部丢失：请重新开始，或打开检查点。',
  ],
  [/^gpu: out of memory: no room for (\d+) bytes beside (\d+)\.$/, 'GPU 内存不足：已用 $2 字节，放不下另外 $1 字节。'],
  // training
  [/^The loss is (\S+) after (\d+) steps\.$/, '$2 步之后损失为 $1'],
  [/^There is no experiment yet\.$/, '还没有实验。'],
  [/^The loader has no batch\.$/, '没有可训练的批：样本太少。'],
  [/^The worker did not start\.$/, '训练线程没有启动。'],
];

const kinds: Readonly<Record<string, string>> = {
  format: '文件有误',
  value: '设置有误',
  shape: '形状不符',
  dtype: '类型不符',
  backend: '设备出错',
};

/** An English sentence in Chinese; `code` is the kind of the error. */
export function inChinese(message: string, code = ''): string {
  let text = message;
  for (const [pattern, chinese] of rules) text = text.replace(pattern, chinese);
  return text === message ? `${kinds[code] ?? '出错了'}：${message}` : text;
}
