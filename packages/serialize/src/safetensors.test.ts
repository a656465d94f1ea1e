import { isNNError } from '@nn/core';
import { describe, expect, it } from 'vitest';
import layouts from '../fixtures/layouts.json' with { type: 'json' };
import types from '../fixtures/types.json' with { type: 'json' };
import type { HostTensor } from './element-types.ts';
import { decodeTensor, encodeSafetensors, headerLimit, parseSafetensors } from './safetensors.ts';

const bytesFrom = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** A file of this header and `size` bytes of data. */
function fileOf(header: string, size = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function region(shape: number[], begin: number, end: number, dtype = 'F32'): string {
  return JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
}

describe('decodeTensor', () => {
  types.forEach(({ dtype, shape, values, file, error, narrow }, i) => {
    it(`${error ? 'refuses' : 'reads'} ${dtype} of shape [${shape.join(', ')}] (${i})`, () => {
      const stored = parseSafetensors(bytesFrom(file)).tensors.get('x');
      if (!stored) throw new Error('the fixture has no x');
      const decode = (): HostTensor => decodeTensor('x', stored, { narrow: narrow ?? false });
      if (error) {
        expect(decode).toThrow(error);
        expect(decode).toThrow("safetensors: 'x' is ");
        return;
      }
      expect(decode().shape).toEqual(shape);
      const kind = dtype.startsWith('F') || dtype === 'BF16' ? 'float32' : dtype === 'BOOL' ? 'bool' : 'int32';
      expect(decode().dtype).toBe(kind);
      expect([...decode().data]).toEqual(
        values.map((value) => (kind === 'float32' ? Math.fround(Number(value)) : Number(value))),
      );
    });
  });

  it('refuses float64 unless told to round', () => {
    const stored = { type: 'F64', shape: [1], bytes: new Uint8Array(8) } as const;
    expect(() => decodeTensor('w', stored)).toThrow("safetensors: 'w' is F64, which float32 cannot keep exactly");
  });

  it('takes 64-bit integers as far as int32 holds them, and refuses the next one on each side', () => {
    const decode = (value: bigint): HostTensor =>
      decodeTensor('n', { type: 'I64', shape: [1], bytes: new Uint8Array(BigInt64Array.of(value).buffer) });
    for (const last of [-(2n ** 31n), 2n ** 31n - 1n]) expect([...decode(last).data]).toEqual([Number(last)]);
    expect(() => decode(2n ** 31n)).toThrow("'n' is I64, its element 0 is 2147483648; int32 cannot hold it.");
    expect(() => decode(-(2n ** 31n) - 1n)).toThrow("'n' is I64, its element 0 is -2147483649; int32 cannot hold it.");
  });

  it('keeps half floats and small integers as they are stored when told to', () => {
    const keep = (type: 'F16' | 'BF16' | 'I8' | 'U8', bytes: number[]): HostTensor =>
      decodeTensor('x', { type, shape: [1], bytes: Uint8Array.from(bytes) }, { widen: false });
    expect(keep('F16', [0, 0x3c])).toEqual({ dtype: 'float16', shape: [1], data: Uint16Array.of(0x3c00) });
    expect(keep('BF16', [0x80, 0x3f])).toEqual({ dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0x3f80) });
    expect(keep('I8', [255])).toEqual({ dtype: 'int8', shape: [1], data: Int8Array.of(-1) });
    expect(keep('U8', [255])).toEqual({ dtype: 'uint8', shape: [1], data: Uint8Array.of(255) });
  });
});

describe('encodeSafetensors', () => {
  for (const { name, file, exact } of layouts) {
    it(`${exact ? 'writes to the byte what the reference writes' : 'reads what the reference reads'}: ${name}`, () => {
      const bytes = bytesFrom(file);
      const { tensors, metadata } = parseSafetensors(bytes);
      const decoded = [...tensors].map(([key, stored]) => [key, decodeTensor(key, stored, { widen: false })] as const);
      const written = encodeSafetensors(decoded.reverse(), Object.fromEntries(metadata));
      if (exact) expect(written).toEqual(bytes);
      else expect(new Map(parseSafetensors(written).tensors)).toEqual(new Map(tensors));
    });
  }

  it('aligns the data to 8 bytes whatever the header needs', () => {
    for (let length = 1; length < 12; length++) {
      const bytes = encodeSafetensors([['n'.repeat(length), { dtype: 'bool', shape: [1], data: Uint8Array.of(1) }]]);
      expect((bytes.length - 1) % 8).toBe(0);
      expect(parseSafetensors(bytes).tensors.size).toBe(1);
    }
  });

  it('keeps names that are special to JavaScript', () => {
    const one: HostTensor = { dtype: 'int32', shape: [], data: Int32Array.of(1) };
    const names = ['__proto__', 'constructor', '0', 'toString', ''];
    const bytes = encodeSafetensors(names.map((name) => [name, one] as const));
    expect([...parseSafetensors(bytes).tensors.keys()].sort()).toEqual([...names].sort());
  });

  it('writes arrays that are parts of larger ones', () => {
    const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const stored = parseSafetensors(encodeSafetensors([['x', { dtype: 'float32', shape: [2], data }]])).tensors.get(
      'x',
    );
    expect(stored && decodeTensor('x', stored).data).toEqual(new Float32Array([1, 2]));
  });

  it('refuses what a file cannot hold', () => {
    const one: HostTensor = { dtype: 'float32', shape: [1], data: new Float32Array(1) };
    const encode =
      (name: string, tensor: HostTensor = one): (() => Uint8Array) =>
      () =>
        encodeSafetensors([[name, tensor]]);
    expect(() =>
      encodeSafetensors([
        ['a', one],
        ['a', one],
      ]),
    ).toThrow("the name 'a' is there twice or reserved");
    expect(encode('__metadata__')).toThrow('reserved');
    expect(encode('half \ud800')).toThrow('half of a surrogate pair');
    expect(encode('x', { ...one, shape: [2] })).toThrow(
      "'x' has 1 elements of 4 bytes, float32 of shape [2] needs 2 of 4.",
    );
    expect(encode('x', { ...one, dtype: 'bool' })).toThrow('bool of shape [1] needs 1 of 1');
    expect(() => encodeSafetensors([], { key: '\udc00' })).toThrow("the metadata 'key' is not well-formed text");
  });
});

describe('parseSafetensors refuses', () => {
  const broken: [what: string, bytes: Uint8Array, message: string][] = [
    ['no bytes', new Uint8Array(0), '0 bytes are too few'],
    ['half a length', new Uint8Array(7), '7 bytes are too few'],
    ['a header over the limit', Uint8Array.of(1, 0xe1, 0xf5, 5, 0, 0, 0, 0), `${headerLimit} is the limit`],
    ['a length of 64 bits', new Uint8Array(8).fill(255), '18446744073709551615 bytes'],
    [
      'a header that is cut off',
      fileOf('{}').subarray(0, 9),
      'the header needs 10 bytes, the file has 9; it is truncated',
    ],
    ['an empty header', fileOf(''), "the header begins with '', not with '{'"],
    ['a header that begins with a space', fileOf(' {}'), "begins with ' '"],
    ['a byte order mark', fileOf('\ufeff{}'), "not with '{'"],
    ['bytes that are not UTF-8', fileOf('{"?":1}').fill(0xff, 10, 11), 'not UTF-8'],
    ['what is not JSON', fileOf('{"a":}'), 'the header is not JSON'],
    ['JSON that goes on', fileOf('{}{}'), 'the header is not JSON'],
    ['deep nesting', fileOf(`{"a":${'['.repeat(200000)}`), 'the header is nested more than 3 deep'],
    ['a nested field', fileOf(`{"a":{"dtype":[[1]],"shape":[1],"data_offsets":[0,4]}}`, 4), 'nested more than 3 deep'],
    ['many axes', fileOf(`{"a":${region(new Array<number>(65).fill(1), 0, 4)}}`, 4), 'has 65 axes, 64 are the limit'],
    ['a tensor twice', fileOf(`{"a":${region([1], 0, 4)},"a":${region([1], 0, 4)}}`, 4), "the key 'a' twice"],
    [
      'a tensor twice by escapes',
      fileOf(`{"a":${region([1], 0, 4)},"\\u0061":${region([1], 0, 4)}}`, 4),
      "the key 'a' twice",
    ],
    [
      'a doubled key within',
      fileOf('{"a":{"dtype":"F32","shape":[],"shape":[1],"data_offsets":[0,4]}}', 4),
      "the key 'shape' twice",
    ],
    ['doubled metadata', fileOf('{"__metadata__":{"k":"1","k":"2"}}'), "the key 'k' twice"],
    ['metadata that is not text', fileOf('{"__metadata__":{"k":1}}'), "__metadata__ has 'k', which is not text"],
    ['metadata that is no object', fileOf('{"__metadata__":["k"]}'), '__metadata__ is not an object'],
    ['a tensor that is no object', fileOf('{"a":[]}'), "'a' is described by no object"],
    ['an unknown dtype', fileOf(`{"a":${region([1], 0, 4, 'F33')}}`, 4), `'a' has the unknown dtype "F33"`],
    ['no dtype', fileOf('{"a":{"shape":[1],"data_offsets":[0,4]}}', 4), 'unknown dtype undefined'],
    ['a negative size', fileOf(`{"a":${region([-1], 0, 4)}}`, 4), 'has the shape [-1], not a list of sizes'],
    ['a size with a fraction', fileOf(`{"a":${region([0.5], 0, 4)}}`, 4), 'not a list of sizes'],
    [
      'a shape that is no list',
      fileOf('{"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}}', 4),
      'not a list of sizes',
    ],
    ['three offsets', fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}', 4), 'not a begin and an end'],
    ['an end before the begin', fileOf(`{"a":${region([1], 4, 0)}}`, 4), 'outside of the 4 bytes'],
    ['an end after the file', fileOf(`{"a":${region([2], 0, 8)}}`, 4), '[0, 8], outside of the 4 bytes of data'],
    [
      'bytes that are too few for the shape',
      fileOf(`{"a":${region([2], 0, 4)}}`, 4),
      "'a' has 4 bytes, F32 of shape [2] needs 8",
    ],
    ['half bytes', fileOf(`{"a":${region([1], 0, 0, 'F4')}}`), "'a' has 0 bytes, F4 of shape [1] needs 0.5"],
    [
      'sizes beyond all numbers',
      fileOf(`{"a":${region([...new Array<number>(30).fill(2 ** 50), 0], 0, 0)}}`),
      'needs NaN',
    ],
    [
      'tensors that overlap',
      fileOf(`{"a":${region([2], 0, 8)},"b":${region([1], 4, 8)}}`, 8),
      "'b' begins at byte 4, 'a' ends at byte 8; they overlap",
    ],
    ['tensors at the same place', fileOf(`{"a":${region([1], 0, 4)},"b":${region([1], 0, 4)}}`, 4), 'they overlap'],
    [
      'a hole',
      fileOf(`{"a":${region([1], 0, 4)},"b":${region([1], 8, 12)}}`, 12),
      "'b' begins at byte 8, 'a' ends at byte 4; they leave a hole",
    ],
    ['a hole at the front', fileOf(`{"a":${region([1], 4, 8)}}`, 8), "'a' begins at byte 4, the header ends at byte 0"],
    [
      'bytes left over',
      fileOf(`{"a":${region([1], 0, 4)}}`, 5),
      'the tensors end at byte 4, the file has 5 bytes of data',
    ],
  ];
  for (const [what, bytes, message] of broken) {
    it(what, () => {
      expect(() => parseSafetensors(bytes)).toThrow('safetensors: ');
      expect(() => parseSafetensors(bytes)).toThrow(message);
      expect(() => parseSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'format' }));
    });
  }

  it('nothing but damage, for 10,000 files with random damage, and with no other error', () => {
    const good = encodeSafetensors(
      [
        ['layer.weight', { dtype: 'float32', shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6]) }],
        ['layer.bias', { dtype: 'float32', shape: [2], data: new Float32Array([7, 8]) }],
        ['flag', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
      ],
      { format: 'pt' },
    );
    // A linear congruential generator (Numerical Recipes), so that a failure can be repeated.
    let state = 12345;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const alphabet = [...'{}[]",:0123456789-.eE\\u F'].map((character) => character.charCodeAt(0));
    let accepted = 0;
    for (let round = 0; round < 10000; round++) {
      let bytes = good.slice();
      if (below(4) === 0) bytes = bytes.slice(0, below(bytes.length));
      for (let change = below(4); change >= 0 && bytes.length > 0; change--) {
        // Half of the changes keep the header text, so that they reach the checks behind the JSON.
        bytes[below(bytes.length)] = below(2) === 0 ? below(256) : (alphabet[below(alphabet.length)] as number);
      }
      try {
        for (const [name, stored] of parseSafetensors(bytes).tensors) decodeTensor(name, stored);
        accepted++;
      } catch (error) {
        if (!isNNError(error) || error.code !== 'format') throw error;
      }
    }
    // What is accepted has its damage in numbers, in a name or in metadata.
    expect(accepted).toBeGreaterThan(100);
    expect(accepted).toBeLessThan(6000);
  });
});

describe('hostile headers', () => {
  it('have bounded depth, count and size, each a limit of the reader', () => {
    const many = fileOf(`{${Array.from({ length: 101 }, (_, i) => `"${i}":${region([0], 0, 0)}`).join()}}`);
    expect(parseSafetensors(many).tensors.size).toBe(101);
    expect(() => parseSafetensors(many, { maxTensors: 99 })).toThrow('the header has 101 tensors, maxTensors is 99');
    expect(() => parseSafetensors(many, { maxHeaderBytes: 100 })).toThrow('100 is the limit');
    const items = fileOf(`{"a":[${'0,'.repeat(2_000_000)}0]}`);
    expect(() => parseSafetensors(items)).toThrow('the header has more items than 100000 tensors need');
    // Brackets, commas and keys within names are none.
    const odd = '[[[[[,,,,"'.repeat(100);
    expect([...parseSafetensors(fileOf(`{${JSON.stringify(odd)}:${region([0], 0, 0)}}`)).tensors.keys()]).toEqual([
      odd,
    ]);
  });

  it('end in messages that a terminal can show', () => {
    const name = 'n'.repeat(5_000_000);
    for (const text of [
      `{"${name}":1}`,
      `{"${name}":${region([1], 0, 8)}}`,
      `{"a":${region([1], 0, 4, name)}}`,
      `{"a":{"dtype":"F32","shape":["${name}"],"data_offsets":[0,4]}}`,
      `{"${name}":1,"${name}":2}`,
      `{"__metadata__":{"${name}":1}}`,
      `{"${name}`,
    ]) {
      expect(() => parseSafetensors(fileOf(text, 4))).toThrow(
        expect.objectContaining({ code: 'format', message: expect.stringMatching(/^.{10,600}$/s) }),
      );
    }
  });

  it('inherit nothing from all objects', () => {
    const text = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__proto__":{"dtype":"F32"}}';
    expect(() => parseSafetensors(fileOf(text, 4))).toThrow("'__proto__' has the shape undefined");
  });

  it('of 100,000 tensors are read', () => {
    const text = `{${Array.from({ length: 100_000 }, (_, i) => `"layer.${i}.weight":${region([0, 2], 0, 0)}`).join()}}`;
    expect(parseSafetensors(fileOf(text)).tensors.size).toBe(100_000);
  });
});

describe('a file of another kind is called by its name', () => {
  const zip = (name: string): string =>
    `PK\x03\x04${'\0'.repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}${'\0'.repeat(40)}`;
  const kinds: [string, string, string][] = [
    [
      'PyTorch',
      zip('archive/data.pkl'),
      'this is a file of PyTorch (.pt, .pth, .bin), not safetensors: loadModel(source, model) and loadTensors(source) read it, and runs nothing in it.',
    ],
    [
      'PyTorch, old',
      '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P',
      'this is an old file of PyTorch (.pt, .pth), not safetensors',
    ],
    ['NumPy archive', zip('arr_0.npy'), 'this is an archive of NumPy (.npz), not safetensors'],
    ['NumPy array', '\x93NUMPY\x01\0v\0', 'this is one array of NumPy (.npy), not safetensors'],
    ['Keras', zip('metadata.json'), 'this is a model of Keras (.keras): loadKeras(source) of @nn/keras reads it.'],
    ['another archive', zip('photo.jpg'), 'this is a ZIP archive without weights of PyTorch or NumPy: unpack it'],
    ['a frozen graph', '\x0a\x1f\x0a\x05input\x12', 'this is a graph of TensorFlow as protobuf'],
    ['a pickle', '\x80\x04\x95\0\0\0\0\0', "this is a pickle of Python's, not a file that torch.save wrote"],
    ['ONNX', '\x08\x07\x12\x07pytorch', 'this is a model of ONNX, a graph as protobuf: loadOnnx(source)'],
    ['SavedModel', '\x08\x01\x12\xc5\x83\x05\x0a\xe8', 'this is a graph of TensorFlow as protobuf (a SavedModel'],
    ['TensorFlow Lite', '\x1c\0\0\0TFL3', 'this is a model of TensorFlow Lite (.tflite)'],
    ['text', '\x89\xef\xbf\xbdHDF\xef\xbf\xbd', 'the file went through a conversion of text'],
    ['HDF5', '\x89HDF\r\n\x1a\n\0', 'this is HDF5'],
    ['GGUF', 'GGUF\x03\0\0\0', 'this is GGUF'],
    ['gzip', '\x1f\x8b\x08\0\0\0\0\0', 'this is packed by gzip'],
    ['a page', '\n<!DOCTYPE html><html>', 'this is a web page, not a file of weights'],
    ['Git LFS', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d', 'this is a pointer of Git LFS'],
    ['JSON', '{"metadata": {"total_size": 1}}', 'this is JSON'],
  ];
  for (const [what, text, message] of kinds) {
    it(what, () => {
      const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
      expect(() => parseSafetensors(bytes)).toThrow(`safetensors: ${message}`);
      expect(() => parseSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'format' }));
    });
  }
});
