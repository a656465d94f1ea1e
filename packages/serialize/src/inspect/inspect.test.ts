/** What `npx @nn/serialize inspect` prints of each format, and how texts of others come out of it. */
import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../element-types.ts';
import { encodeNpz } from '../numpy/write.ts';
import { encodeTorch } from '../pytorch/write.ts';
import { encodeSafetensors } from '../safetensors.ts';
import { inspectWeights } from './inspect.ts';
import { inspectionText } from './text.ts';

const weight: HostTensor = { dtype: 'float32', shape: [300, 4], data: new Float32Array(1200) };
const bias: HostTensor = { dtype: 'int8', shape: [3], data: new Int8Array(3) };

describe('inspectWeights', () => {
  it('prints a table of tensors, and texts beside them', async () => {
    const bytes = encodeSafetensors(
      [
        ['weight', weight],
        ['bias', bias],
      ],
      { format: 'pt', note: 'two\nlines \u001b[31mred' },
    );
    expect(String(await inspectWeights(bytes))).toBe(`the file: safetensors, 2 tensors

tensor  dtype  shape     elements  bytes
----------------------------------------
weight  F32    [300, 4]     1,200  4,800
bias    I8     [3]              3      3
----------------------------------------
total                       1,203  4,803

metadata
  format: pt
  note: two\\u{a}lines \\u{1b}[31mred`);
  });

  it('counts tied weights once, and tells what is no tensor', async () => {
    const report = await inspectWeights(
      encodeTorch([
        ['embedding', weight],
        ['head', weight],
      ]),
    );
    expect([report.format, report.elements, report.bytes]).toEqual(['PyTorch', 1200, 4800]);
    expect(report.tensors).toEqual([
      { name: 'embedding', type: 'F32', shape: [300, 4], bytes: 4800 },
      { name: 'head', type: 'F32', shape: [300, 4], bytes: 4800 },
    ]);
  });

  it('names types that cannot be read', async () => {
    const bytes = encodeSafetensors([['x', { dtype: 'float32', shape: [2], data: new Float32Array(2) }]]);
    const text = new TextDecoder().decode(bytes).replace('"F32","shape":[2]', '"C64","shape":[1]');
    const report = await inspectWeights(new TextEncoder().encode(text));
    expect(report.tensors[0]?.unread).toBe('is C64, which has no counterpart here; convert it to F16 or F32 first');
    expect(String(report)).toContain('\n\nnot supported\n  x: is C64, which has no counterpart here');
  });

  it('reads archives of NumPy, and refuses what holds no weights', async () => {
    expect((await inspectWeights(encodeNpz([['bias', bias]]))).tensors).toEqual([
      { name: 'bias', type: 'I8', shape: [3], bytes: 3 },
    ]);
    await expect(inspectWeights(new TextEncoder().encode('<html></html>'))).rejects.toThrow('this is a web page');
    await expect(inspectWeights(new Uint8Array(9), { only: true } as object)).rejects.toThrow(
      'inspectWeights: no option only',
    );
  });
});

it('inspectionText lays out any table', () => {
  expect(
    inspectionText({
      title: 'a.onnx: ONNX',
      columns: ['node', 'count'],
      rows: [],
      totals: ['total', 0],
      sections: [
        { title: 'inputs', lines: ['x: float32 [N, 3]'] },
        { title: 'none', lines: [] },
      ],
    }),
  ).toBe('a.onnx: ONNX\n\nnode   count\n------------\n------------\ntotal  0\n\ninputs\n  x: float32 [N, 3]');
});
