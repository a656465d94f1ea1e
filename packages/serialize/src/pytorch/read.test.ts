/** Files that PyTorch wrote, in every container that it ever had, with the values that it reads back from them. */
import { isNNError } from '@nn/core';
import { RandomSequence } from '@nn/data';
import { describe, expect, it } from 'vitest';
import fixtures from '../../fixtures/torch.json' with { type: 'json' };
import { loadTensors } from '../tensors.ts';
import { decode, expectedTensors, type FileCase, inOrder } from '../testing/cases.ts';
import type { WeightsEntry } from '../weights.ts';
import { PickleRecord, unpickle } from './pickle.ts';
import { flatten } from './state-dict.ts';
import { TorchStorage, TorchTensor } from './tensors.ts';
import { entryOf } from './views.ts';

const cases: readonly FileCase[] = fixtures.cases;
const fileOf = (name: string): Uint8Array => decode(cases.find((item) => item.name === name)?.file ?? '');

describe('files of PyTorch', () => {
  for (const { name, file, tensors } of cases) {
    if (name === 'TorchScript') continue;
    it(name, async () => {
      const loaded = await loadTensors(decode(file), {
        narrow: true,
        only: (key) => key in tensors && Object.hasOwn(tensors, key),
      });
      expect(loaded.format).toBe('PyTorch');
      expect(inOrder(loaded.tensors)).toEqual(expectedTensors(tensors));
    });
  }

  it('tell what they hold besides tensors, in one line each', async () => {
    const { skipped } = await loadTensors(fileOf('checkpoint'), { only: () => false });
    expect(skipped).toEqual([
      'epoch: a number, 7',
      'best: an object of numpy.core.multiarray.scalar',
      'arguments: an object of argparse.Namespace',
      'optimizer.param_groups: a list without tensors',
      "note: text, 'text'",
      'nothing: nothing (None)',
      'names: a list without tensors',
    ]);
  });

  it('tell of tensors that have no counterpart, and read those beside them', async () => {
    const { tensors, skipped } = await loadTensors(fileOf('odd'), { only: (name) => name !== 'complex' });
    expect([...tensors.keys()]).toEqual(['good', '1', '__proto__', 'nested.__proto__.x', 'nested.list.0']);
    expect(skipped).toEqual([
      'sparse: an object of torch._utils._rebuild_sparse_tensor',
      'quantized: an object of torch._utils._rebuild_qtensor',
      "nested.list.1: text, 'text'",
      'set: a set',
      'large: a number, 1180591620717411303424',
    ]);
    await expect(loadTensors(fileOf('odd'))).rejects.toThrow(
      "PyTorch: 'complex' is C64, which has no counterpart here",
    );
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  it('refuse float64 unless it may be rounded, and say whose', async () => {
    await expect(loadTensors(fileOf('types'))).rejects.toThrow(
      "PyTorch: 'f64' is F64, which float32 cannot keep exactly; pass { narrow: true } to round.",
    );
  });

  it('that are programs are refused with what to do', async () => {
    await expect(loadTensors(fileOf('TorchScript'))).rejects.toThrow(
      "PyTorch: this is a program of TorchScript (torch.jit.save), not a file of weights; in Python: torch.save(torch.jit.load(path).state_dict(), 'model.pt').",
    );
  });
});

/** What loads is what stood there: damage that goes unnoticed in numbers is the numbers' own. */
async function refusedOrRead(bytes: Uint8Array): Promise<'refused' | 'read'> {
  try {
    await loadTensors(bytes, { narrow: true });
    return 'read';
  } catch (error) {
    if (!isNNError(error) || error.code !== 'format') throw error;
    expect(error.message.length).toBeLessThan(4001);
    return 'refused';
  }
}

describe('a file of PyTorch that is cut off', () => {
  for (const name of ['tied', 'tied, legacy', 'tar', 'deflated']) {
    it(name, async () => {
      const whole = fileOf(name);
      const [last] = [whole.length - (name === 'tar' ? 10240 : 0)];
      // Every length of the last and first parts, where structure stands; the rest in steps.
      const lengths = Array.from({ length: last }, (_, k) => k).filter(
        (k) => k < 600 || k > last - 300 || k % 13 === 0,
      );
      for (const length of lengths)
        expect(await refusedOrRead(whole.subarray(0, length)), String(length)).toBe('refused');
      expect(await refusedOrRead(whole.subarray())).toBe('read');
    });
  }
});

it('damaged files of PyTorch are read or refused with a reason, quickly', async () => {
  const environment = typeof process === 'undefined' ? undefined : process.env.NN_FUZZ;
  const rounds = Number(environment ?? 400);
  const random = new RandomSequence(31);
  const files = ['tied', 'checkpoint, legacy', 'tar', 'odd', 'deflated'].map(fileOf);
  let refused = 0;
  let slowest = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = files[round % files.length]!.slice();
    for (let change = random.integer(4); change >= 0; change--) {
      const at = random.integer(bytes.length);
      // Half of the changes are opcodes and small numbers, the other half any byte.
      bytes[at] = random.integer(2) ? random.integer(256) : opcodes[random.integer(opcodes.length)]!;
    }
    const before = performance.now();
    if ((await refusedOrRead(bytes)) === 'refused') refused++;
    slowest = Math.max(slowest, performance.now() - before);
  }
  expect(refused).toBeGreaterThan(rounds / 20);
  expect(refused).toBeLessThan(rounds);
  expect(slowest).toBeLessThan(5000);
});

const opcodes = [...'\x80(.}])ctquhjrRbsaQeKMJNX\x85\x86\x87\x88\x89\x8a\xff\x00'].map((character) =>
  character.charCodeAt(0),
);

describe('a pickle made to harm', () => {
  const hooks = { maxBytes: 2 ** 28, call: () => undefined, persistent: (identifier: unknown) => identifier };
  const run = (text: string): unknown =>
    unpickle(
      Uint8Array.from(text, (character) => character.charCodeAt(0)),
      hooks,
    ).value;
  it('runs nothing: a call of any name stays a record', () => {
    const value = run('\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.');
    expect(value).toBeInstanceOf(PickleRecord);
    expect(value).toMatchObject({ path: 'os.system', args: ['true'] });
  });
  it('that holds itself, or is nested without end, is told as what it is', () => {
    const cycle = run('\x80\x02]q\0h\0a.');
    expect(flatten(cycle, 10)).toEqual({ tensors: new Map(), skipped: ['0: a list without tensors'], containers: [] });
    expect(() => flatten(run(`\x80\x02${']'.repeat(200)}${'a'.repeat(199)}.`), 10)).toThrow(
      'PyTorch: the values of the file are nested more than 100 deep.',
    );
    // Each list holds the one before twice: 2^40 values in 300 bytes.
    const doubled = Array.from(
      { length: 40 },
      (_, k) => `]q${String.fromCharCode(k + 1)}h${String.fromCharCode(k)}ah${String.fromCharCode(k)}a`,
    );
    expect(() => flatten(run(`\x80\x02]q\0${doubled.join('')}.`), 10)).toThrow(
      'PyTorch: the file holds more than 2000000 values; it is no file of weights.',
    );
  });
  it('is refused where its opcodes are wrong', () => {
    expect(() => run('\x80\x02\x82')).toThrow('pickle: byte 2 is the opcode 0x82, which no file of weights has');
    expect(() => run('\x80\x02a')).toThrow('pickle: byte 3 takes from an empty stack');
    expect(() => run('\x80\x02h\x05')).toThrow('pickle: byte 4 asks for value 5, which was never kept');
    expect(() => run('\x80\x02X\xff\xff\xff\x7f')).toThrow(
      'the pickle ends at byte 7, 2147483654 are needed; the file is truncated.',
    );
  });
});

it('a tensor that repeats few elements to all memory is refused, one that repeats some is read', async () => {
  const storage = new TorchStorage('0', 'FloatStorage', 1);
  const bytes = new Map([['0', { size: 4, owned: true, order: 0, read: async () => new Uint8Array(4) }]]);
  const repeated = (count: number): unknown =>
    entryOf(
      'x',
      new TorchTensor(storage, 'F32', 0, [count, 1], [0, 0]),
      { bytes, bigEndian: false },
      { maxBytes: 4000 },
    );
  const few = repeated(1000);
  expect(few).toMatchObject({ shape: [1000, 1], size: 4000 });
  expect(few).not.toHaveProperty('unread');
  const words =
    'repeats the 4 bytes of its storage to 4004, more than maxBytes, which is 4000: save a copy of it without repeats, tensor.contiguous()';
  const many = repeated(1001) as WeightsEntry;
  expect(many.unread).toBe(words);
  await expect(many.read('x', {})).rejects.toThrow(`PyTorch: 'x' ${words}.`);
});
