/** Each sentence is made by what says it, so that a change of its words is noticed here. */
import { cpu } from '@nn/backend-cpu';
import { FormatError, setDefaultBackend } from '@nn/core';
import { parseCsv, readCsv, readIdxImages, trainTestSplit, xor } from '@nn/data';
import { Linear } from '@nn/layers';
import { SGD } from '@nn/optim';
import { encodeCheckpoint, loadCheckpoint } from '@nn/serialize';
import { describe, expect, it } from 'vitest';
import { describeError } from '../model/describe-error.ts';
import { makeProblem } from '../model/samples.ts';
import { defaults, dense, withTask } from '../model/spec.ts';
import { Session } from '../worker/session.ts';
import { errors } from './chinese/errors.ts';
import { tellError } from './errors.ts';
import type { Told } from './words.ts';

setDefaultBackend(cpu());

const inChinese = (said: Told): string => tellError(errors, said);

async function said(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return inChinese(describeError(error));
  }
  throw new Error('nothing was refused');
}

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const table = (text: string) => () =>
  makeProblem(withTask(defaults, 'table'), { table: { name: 't.csv', text, encoding: 'utf-8' } });
const rows = (row: (i: number) => string): string => Array.from({ length: 40 }, (_, i) => row(i)).join('\n');
const silent = { name: 't.csv', onWarning: () => {} };

describe('in Chinese, with the facts', () => {
  it('tables are refused', async () => {
    expect(await said(() => parseCsv('a,b\n1,2\n3\n', silent))).toBe('t.csv 第 3 行有 1 列，应为 2 列。');
    expect(await said(() => parseCsv('', silent))).toBe('t.csv 是空文件。');
    expect(await said(() => parseCsv('a,a\n1,2\n', silent))).toMatch(
      /^t\.csv 第 1 行：第 1 列与第 2 列同名（“a”），请改名。$/,
    );
    expect(await said(() => parseCsv('a,b\n1,"2\n', silent))).toBe('t.csv 第 2 行第 2 列：引号没有闭合。');
    expect(await said(() => parseCsv('a,b\n1,"2"3\n', silent))).toMatch(/闭合引号后面是“3”/);
    expect(await said(() => parseCsv('a,b\n1,2"3\n', silent))).toMatch(/^t\.csv 第 2 行第 2 列：字段中间有引号/);
    expect(await said(() => readCsv(bytes(0x50, 0x4b, 3, 4, 0), silent))).toMatch(/^t\.csv 是压缩包/);
    expect(await said(() => readCsv(bytes(97, 0xff, 0xfe, 10), silent))).toBe(
      't.csv 的字节不是可读的文字：请另存为 UTF-8。',
    );
    expect(await said(table('x\n1\n2'))).toBe('t.csv 有 1 列：至少需要一列用来预测、一列作为依据。');
    expect(await said(table('x,y\n1,2'))).toBe('t.csv 中“y”有值的只有 1 行：至少需要 10 行。');
    expect(await said(table(`x,y\n${rows((i) => `${i},same`)}`))).toBe('“y”只有一个值：没有可区分的类别。');
    expect(await said(table(`x,y\n${rows((i) => `${i},name${i}`)}`))).toBe('“y”有 40 个值，类别太多：最多 26 个。');
    expect(await said(() => trainTestSplit(xor(3), { testFraction: 0.01 }))).toMatch(/^3 个样本中取 0 个用于测试/);
  });

  it('doubts about tables are told', () => {
    const { reading } = parseCsv('1,2;2,5;x\n3,4;n/a;y\n1,5;7;x\n', { ...silent, header: 'infer' });
    expect(reading?.warnings.map(inChinese)).toEqual([
      '第一行是数字，当作数据；各列称为 column1、column2……',
      '“column1”列中第 2 行的“3,4”读作带小数逗号的数。',
      '“column2”列中第 2 行的“n/a”当作缺失值（3 个值中有 1 个这样的值）。',
      '“column2”列中第 1 行的“2,5”读作带小数逗号的数。',
    ]);
  });

  it('images are refused', async () => {
    const read = (images: Uint8Array, labels = bytes(0, 0, 8, 1, 0, 0, 0, 1, 3)) =>
      said(() => readIdxImages(images, labels, { images: 'i', labels: 'l' }));
    expect(await read(bytes(1))).toBe('i 只有 1 字节，太短，不是 IDX 文件。');
    expect(await read(bytes(9, 9, 9, 9))).toBe('i 的文件头是 09 09 09 09，不是 IDX 文件。');
    expect(await read(bytes(0, 0, 8, 1, 0, 0, 0, 1, 3))).toMatch(/^i 有 1 个维度，应为 3 个。$/);
    const two = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1];
    expect(await read(bytes(...two, 5))).toBe('i 的形状 [2, 1, 1] 需要 18 字节，只有 17 字节：文件不完整。');
    expect(await read(bytes(...two, 5, 6))).toBe('i 有 2 张图像，l 有 1 个标签：数目必须相等。');
  });

  it('models are refused', async () => {
    const session = await Session.make(defaults, {});
    const model = await session.save('model');
    expect(await said(() => session.load(model.subarray(0, 100)))).toMatch(/^模型文件不完整：文件头需要 \d+ 字节/);
    expect(await said(() => session.load(model.subarray(0, model.length - 7)))).toMatch(/^模型文件不完整：“/);
    expect(await said(() => session.load(bytes(1, 2)))).toBe('这不是 safetensors 文件。');
    const other = await (await Session.make({ ...defaults, layers: [dense(3)] }, {})).save('model');
    const text = new TextDecoder('latin1').decode(other).replace('nn.playground', 'xx.playground');
    const strange = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    expect(await said(() => session.load(strange))).toMatch(
      /^文件与网络不符，未做任何更改：.*文件中缺少 .*在文件中是 \[3, 2\]，此处是/,
    );
  });

  it('checkpoints that lack the state of a part name the part', async () => {
    const model = new Linear(2, 1);
    const file = await encodeCheckpoint({ model, optimizer: {} });
    const optimizer = new SGD(model, { learningRate: 0.1 });
    expect(await said(() => loadCheckpoint(file, { model, optimizer }))).toBe(
      '文件与网络不符，未做任何更改：文件中缺少状态 optimizer。',
    );
  });

  it('devices that cannot be used say why, each in its own words', async () => {
    const missing = { kind: 'backend/gpu/no-webgpu', message: 'this browser has no WebGPU.', data: {} };
    const data = { tried: [], reasons: [missing, { kind: 'backend/gpu', message: 'waiting failed.', data: {} }] };
    expect(inChinese({ kind: 'backend/gpu/unavailable', message: 'gpu: no usable device.', data })).toBe(
      '没有可用的 GPU：此浏览器没有 WebGPU（缺少 navigator.gpu）。设备出错：waiting failed.请在浏览器中允许硬件加速、换一个浏览器，或使用 CPU。',
    );
  });

  it('what has no counterpart, or lacks a fact of it, is told behind the name of its class', () => {
    const said = describeError(new FormatError('elsewhere/strange', 'something else.'));
    expect(inChinese(said)).toBe('文件有误：elsewhere: something else.');
    expect(inChinese(describeError(new Error('Something else.')))).toBe('出错了：Something else.');
    expect(inChinese({ kind: 'format/parseCsv/empty', message: 'It is empty.', data: {} })).toBe(
      '文件有误：It is empty.',
    );
    expect(inChinese({ kind: 'toString', message: 'No kind.', data: {} })).toBe('出错了：No kind.');
  });
});
