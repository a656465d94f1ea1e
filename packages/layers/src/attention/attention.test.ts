/** Attention in blocks against attention at once, caches against whole sequences, and the errors. Values: networks.test.ts. */
import { cpu } from '@nn/backend-cpu';
import {
  arange,
  type Backend,
  compile,
  concat,
  evaluate,
  gradients,
  type Program,
  setDefaultBackend,
  setSeed,
  type Tensor,
  tensor,
  uniform,
  where,
  zeros,
} from '@nn/core';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  AdditiveAttention,
  type AttentionOptions,
  alibiSlopes,
  attention,
  GroupedQueryAttention,
  KeyValueCache,
  LayerNorm,
  MultiheadAttention,
  rotary,
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '../index.ts';
import { weigh } from '../testing.ts';

let backend: Backend;
beforeAll(() => {
  backend = cpu();
  setDefaultBackend(backend);
});
afterEach(() => vi.restoreAllMocks());

/** Equal but for rounding. */
async function expectClose(found: Tensor, right: Tensor, what = 'value'): Promise<void> {
  expect(found.shape, what).toEqual(right.shape);
  const [a, b] = await Promise.all([found.data(), right.data()]);
  const far = [...a].findIndex((value, i) => !(Math.abs(value - (b[i] ?? Number.NaN)) <= 2e-5));
  if (far >= 0) throw new Error(`${what}[${far}]: ${a[far]}, expected ${b[far]}`);
}

const bools = (rows: number, columns: number, isTrue: (i: number, j: number) => boolean): Tensor =>
  tensor(
    Uint8Array.from({ length: rows * columns }, (_, k) => Number(isTrue(Math.floor(k / columns), k % columns))),
    { shape: [rows, columns], dtype: 'bool' },
  );

describe('blocks of queries', () => {
  const q = uniform([2, 2, 7, 4], { low: -2, high: 2 });
  const k = uniform([2, 2, 8, 4], { low: -2, high: 2 });
  const v = uniform([2, 2, 8, 3]);
  const bias = uniform([2, 7, 8]);

  test.each<readonly [string, AttentionOptions, readonly Tensor[]]>([
    ['see everything', {}, []],
    ['are causal', { causal: true }, []],
    ['have a window', { window: 3 }, []],
    ['have a window and are causal', { causal: true, window: 2 }, []],
    ['have a mask that hides a row whole', { hidden: bools(7, 8, (i, j) => i === 4 || (i + j) % 3 === 0) }, []],
    ['have a mask of one row, and are causal', { visible: bools(1, 8, (_, j) => j !== 1), causal: true }, []],
    ['have a bias to learn', { bias }, [bias]],
    ['have slopes', { slopes: alibiSlopes(2), causal: true }, []],
    [
      'stand elsewhere',
      {
        causal: true,
        positions: {
          query: tensor([1, 2, 3, 4, 5, 6, 7]).cast('int32'),
          key: tensor([0, 1, 2, 3, 4, 5, 6, 7]).cast('int32'),
        },
      },
      [],
    ],
  ])('that %s give what all at once give, with first and second gradients', async (_, options, more) => {
    const inputs = [q, k, v, ...more];
    const run = (blockSize: number): Tensor[] => {
      const { output } = attention(q, k, v, { ...options, blockSize });
      const first = gradients(weigh([output]), inputs);
      return [output, ...first, ...gradients(weigh(first), inputs)];
    };
    const [found, right] = [run(3), run(7)];
    for (const [i, value] of found.entries()) await expectClose(value, right[i] ?? q, `${i}`);
  });

  test('may share keys and values, as heads in groups do', async () => {
    const query = uniform([2, 2, 3, 5, 4]);
    const [key, value] = [uniform([2, 2, 1, 6, 4]), uniform([2, 2, 1, 6, 3])];
    const run = (blockSize: number): Tensor[] => {
      const { output } = attention(query, key, value, { causal: true, blockSize });
      return [output, ...gradients(weigh([output]), [query, key, value])];
    };
    const [found, right] = [run(2), run(5)];
    for (const [i, x] of found.entries()) await expectClose(x, right[i] ?? q, `${i}`);
  });

  test('may have one tensor as query, key and value', async () => {
    const x = uniform([5, 4]);
    const slope = (blockSize: number): Tensor => gradients(weigh([attention(x, x, x, { blockSize }).output]), [x])[0];
    await expectClose(slope(2), slope(5));
  });

  test('drop the same weights in the gradient as before', async () => {
    setSeed(3);
    const { output } = attention(q, k, v, { dropout: 0.5, blockSize: 3 });
    const loss = weigh([output]);
    const [slope] = gradients(loss, [v]);
    // the output is linear in the values
    const [left, right] = await Promise.all([slope.mul(v).sum().item(), loss.item()]);
    expect(left).toBeCloseTo(right, 3);
    const whole = await evaluate(() => attention(q, k, v, { dropout: 0.5, blockSize: 3 }).output).data();
    expect(await output.data()).not.toEqual(whole);
  });

  test('take memory that grows with the length and not with its square, in training too', async () => {
    const bytes = async (length: number): Promise<number> => {
      const x = [uniform([length, 4]), uniform([length, 4]), uniform([length, 4])] as const;
      await Promise.all(x.map((part) => part.data()));
      let most = 0;
      const compiled = backend.compile.bind(backend);
      vi.spyOn(backend, 'compile').mockImplementation((program) => {
        most = Math.max(most, bytesOf(program));
        return compiled(program);
      });
      const found = gradients(
        attention(...x, { causal: true, blockSize: 16 })
          .output.square()
          .sum(),
        [...x],
      );
      await Promise.all(found.map((slope) => slope.data()));
      vi.restoreAllMocks();
      return most;
    };
    const [short, long] = [await bytes(128), await bytes(256)];
    expect(long / short).toBeLessThan(2.2);
    // less than the scores alone
    expect(long).toBeLessThan(256 * 256 * 4);
  });
});

test('many scores are computed in blocks unasked, few are not', async () => {
  const most = async (length: number): Promise<number> => {
    const x = uniform([4, length, 2]);
    await x.data();
    let bytes = 0;
    const compiled = backend.compile.bind(backend);
    vi.spyOn(backend, 'compile').mockImplementation((program) => {
      bytes = Math.max(bytes, bytesOf(program));
      return compiled(program);
    });
    await attention(x, x, x).output.sum().item();
    vi.restoreAllMocks();
    return bytes;
  };
  expect(await most(256)).toBeGreaterThan(4 * 4 * 256 ** 2);
  expect(await most(2048)).toBeLessThan(4 * 4 * 2048 ** 2 * 0.4);
});

/** The memory of a program: each slot as large as what is largest in it. */
function bytesOf({ buffers }: Program): number {
  const slots = new Map<number, number>();
  for (const { slot, shape } of buffers) {
    const size = 4 * shape.reduce((product, length) => product * length, 1);
    slots.set(slot, Math.max(slots.get(slot) ?? 0, size));
  }
  return [...slots.values()].reduce((sum, size) => sum + size, 0);
}

describe('a cache', () => {
  const steps = (x: Tensor, sizes: readonly number[]): Tensor[] => x.split(sizes, 1);

  test.each<readonly [string, (x: Tensor, cache?: KeyValueCache) => Tensor, () => KeyValueCache, readonly number[]]>(
    (() => {
      const multihead = new MultiheadAttention(8, 2, { batchFirst: true });
      const grouped = new GroupedQueryAttention(8, 4, { keyValueHeads: 2, rotary: true, batchFirst: true });
      const sloped = new GroupedQueryAttention(8, 4, { keyValueHeads: 1, alibi: true, batchFirst: true });
      const near = new GroupedQueryAttention(8, 2, { window: 3, rotary: true, batchFirst: true });
      const through =
        (layer: GroupedQueryAttention) =>
        (x: Tensor, cache?: KeyValueCache): Tensor =>
          layer.forward(x, cache && { cache });
      return [
        [
          'of several heads',
          (x, cache) => multihead.forward(x, x, x, cache ? { cache } : { causal: true }),
          () => multihead.cache(2, 12),
          [3, 1, 1, 4],
        ],
        ['of grouped heads that are turned', through(grouped), () => grouped.cache(2, 9), [4, 1, 3, 1]],
        ['of heads with slopes', through(sloped), () => sloped.cache(2, 16), [1, 1, 5, 2]],
        ['of a window, written round', through(near), () => near.cache(2, 4), [2, 1, 2, 1, 1, 2]],
        ['of a window, token by token', through(near), () => near.cache(2, 3), [1, 1, 1, 1, 1, 1, 1, 1, 1]],
      ];
    })(),
  )('%s gives what the whole sequence gives', async (_, layer, make, sizes) => {
    const x = uniform([2, 9, 8], { low: -1, high: 1 });
    const whole = layer(x);
    const cache = make();
    let at = 0;
    for (const part of steps(x, sizes)) {
      const length = part.shape[1] ?? 0;
      await expectClose(layer(part, cache), whole.at([], [at, at + length]), `from ${at}`);
      at += length;
    }
    expect(cache.length).toBe(9);
    cache.reset();
    await expectClose(layer(x.at([], [0, 1]), cache), whole.at([], [0, 1]), 'after reset');
  });

  test('of each layer generates through a compiled step that is compiled once', async () => {
    const make = (): TransformerEncoderLayer =>
      new TransformerEncoderLayer(8, 2, { feedForward: 8, dropout: 0, batchFirst: true });
    const encoder = new TransformerEncoder(make, 2, { norm: new LayerNorm(8) });
    const x = uniform([1, 10, 8]);
    const whole = encoder.forward(x, { causal: true });
    const right = await whole.data();
    const caches = encoder.caches(1, 10);
    const step = compile((part: Tensor) => encoder.forward(part, { caches }));
    const rows = await x.data();
    const found: number[] = [];
    let compilations = 0;
    const compiled = backend.compile.bind(backend);
    for (let i = 0; i < 10; i++) {
      if (i === 4) {
        vi.spyOn(backend, 'compile').mockImplementation((program) => {
          compilations++;
          return compiled(program);
        });
      }
      const part = tensor(rows.slice(8 * i, 8 * i + 8), { shape: [1, 1, 8] });
      found.push(...(await (await step(part)).data()));
    }
    expect(compilations).toBe(0);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(right[i] ?? Number.NaN, 4);
    await expect(step(tensor(new Float32Array(8), { shape: [1, 1, 8] }))).rejects.toThrow(
      'MultiheadAttention(8, 2): 10 tokens and 1 more do not fit into a cache of 10: make it larger, reset() it, or give the attention a window.',
    );
    expect(caches.map(({ length }) => length)).toEqual([10, 10]);
  });

  test('of the decoder gives what the whole target gives', async () => {
    const make = (): TransformerDecoderLayer =>
      new TransformerDecoderLayer(8, 2, { feedForward: 8, dropout: 0, batchFirst: true });
    const decoder = new TransformerDecoder(make, 2);
    const [x, memory] = [uniform([1, 4, 8]), uniform([1, 3, 8])];
    const whole = decoder.forward(x, memory, { target: { causal: true } });
    const caches = decoder.caches(1, 4);
    for (const [at, token] of x.split(4, 1).entries()) {
      await expectClose(decoder.forward(token, memory, { caches }), whole.at([], [at, at + 1]));
    }
  });

  test('takes other sequences, as the search with beams does', async () => {
    const layer = new GroupedQueryAttention(4, 2, { batchFirst: true });
    const [x, next] = [uniform([2, 3, 4]), uniform([2, 1, 4])];
    const cache = layer.cache(2, 4);
    await layer.forward(x, { cache }).data();
    cache.reorder(tensor(Int32Array.of(1, 1)));
    const right = layer.cache(2, 4);
    await layer.forward(x.gather(tensor(Int32Array.of(1, 1)), 0), { cache: right }).data();
    await expectClose(layer.forward(next, { cache }), layer.forward(next, { cache: right }));
  });
});

describe.each(['interpreter', 'javascript', 'wasm'] as const)('on %s', (engine) => {
  test('blocks and a cache that is written round give what attention at once gives', async () => {
    setDefaultBackend(cpu({ engine }));
    try {
      const layer = new GroupedQueryAttention(4, 2, { window: 2, rotary: true, batchFirst: true });
      const x = uniform([1, 6, 4], { low: -1, high: 1 });
      const whole = layer.forward(x);
      const cache = layer.cache(1, 3);
      const parts = [1, 1, 2, 1, 1];
      let at = 0;
      for (const part of x.split(parts, 1)) {
        const length = part.shape[1] ?? 0;
        await expectClose(layer.forward(part, { cache }), whole.at([], [at, at + length]), `from ${at}`);
        at += length;
      }
      const [q, k] = [uniform([5, 4]), uniform([6, 4])];
      const slopes = (blockSize: number): Tensor[] =>
        gradients(weigh([attention(q, k, k, { causal: true, blockSize }).output]), [q, k]);
      const [found, right] = [slopes(2), slopes(5)];
      for (const [i, slope] of found.entries()) await expectClose(slope, right[i] ?? q, `${i}`);
    } finally {
      setDefaultBackend(backend);
    }
  });
});

describe('positions', () => {
  test('that are turned leave products of equal distance equal', async () => {
    const [a, b] = [uniform([1, 6]), uniform([1, 6])];
    const at = (x: Tensor, position: number): Tensor => rotary(x, { positions: tensor(Int32Array.of(position)) });
    const product = (i: number, j: number): Promise<number> => at(a, i).mul(at(b, j)).sum().item();
    expect(await product(7, 3)).toBeCloseTo(await product(14, 10), 4);
  });

  test('turn only the first values where told so, and go slower by a scale', async () => {
    const x = uniform([3, 6]);
    const turned = rotary(x, { dimension: 4 });
    await expectClose(turned.at('...', [4, 6]), x.at('...', [4, 6]));
    await expectClose(turned.at('...', [0, 4]), rotary(x.at('...', [0, 4])));
    const slow = rotary(x, { scale: 2, positions: tensor(Int32Array.of(0, 2, 4)) });
    await expectClose(slow, rotary(x));
  });
});

describe('errors name the layer, both facts and the fix', () => {
  const x = zeros([1, 3, 8]);
  const layer = new MultiheadAttention(8, 2, { batchFirst: true });
  test.each<readonly [string, () => unknown, string]>([
    [
      'window',
      () => attention(x, x, x, { window: 0 }),
      'attention: window is 0: it must be a whole number from 1, which shows a query its own position.',
    ],
    [
      'positions',
      () => attention(x, x, x, { positions: { query: zeros([2]), key: zeros([3]) } }),
      'attention: positions must be [3] of the queries and [3] of the keys, got [2] and [3].',
    ],
    [
      'block',
      () => attention(x, x, x, { blockSize: 0 }),
      'attention: blockSize is 0: it must be a whole number of at least 1.',
    ],
    [
      'cache across',
      () => layer.forward(x, zeros([1, 3, 8]), undefined, { cache: layer.cache(1, 4) }),
      'MultiheadAttention(8, 2): a cache is of self-attention: key and value must be the query.',
    ],
    [
      'cache of another batch',
      () => layer.forward(x, x, x, { cache: layer.cache(2, 4) }),
      'MultiheadAttention(8, 2): its keys are [1, 2, 3, 4], those of the cache [2, 2, 4, 4]: take a cache of this layer, for as many sequences.',
    ],
    [
      'lengths and cache',
      () => layer.forward(x, x, x, { cache: layer.cache(1, 4), lengths: tensor([3]) }),
      'MultiheadAttention(8, 2): lengths and a cache do not go together: fill a cache with sequences of one length.',
    ],
    [
      'window of the cache',
      () =>
        new GroupedQueryAttention(8, 2, { window: 4, batchFirst: true }).forward(x, {
          cache: new KeyValueCache(1, 2, 5, 4, { window: 4 }),
        }),
      'GroupedQueryAttention(8, 2): 3 tokens at a time with a window of 4 need a cache of 6, it has 5.',
    ],
    [
      'groups',
      () => new GroupedQueryAttention(8, 4, { keyValueHeads: 3 }),
      'GroupedQueryAttention(8, 4): 4 heads cannot share 3 of keys and values evenly.',
    ],
    [
      'heads',
      () => new GroupedQueryAttention(8, 3),
      'GroupedQueryAttention(8, 3): the dimension 8 does not divide into 3 heads',
    ],
    [
      'two positions',
      () => new GroupedQueryAttention(8, 2, { alibi: true, rotary: true }),
      'GroupedQueryAttention(8, 2): alibi and rotary both say where tokens stand: take one.',
    ],
    [
      'rotary',
      () => rotary(zeros([2, 3])),
      'rotary: 3 of 3 values cannot be turned in pairs: an even number from 2 can.',
    ],
    [
      'additive',
      () => new AdditiveAttention(3).forward(x),
      'AdditiveAttention(3): takes a query [N, L, 3], a key [N, S, 3] and a value [N, S, ...], got [1, 3, 8], [1, 3, 8] and [1, 3, 8].',
    ],
    [
      'caches',
      () => new TransformerEncoder(() => new TransformerEncoderLayer(8, 2), 2).forward(x, { caches: [] }),
      'TransformerEncoder(2): 0 caches for 2 layers: take caches(batch, capacity), one for each.',
    ],
    [
      'transformer',
      () =>
        new Transformer({ dimension: 8, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 8 }).forward(
          zeros([3, 1, 8]),
          zeros([3, 2, 8]),
        ),
      'Transformer(8, 2): source [3, 1, 8] and target [3, 2, 8] must be [length, N, 8] with the same N.',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('a prefix', () => {
  const [q, k, v] = [uniform([2, 2, 7, 4]), uniform([2, 2, 8, 4]), uniform([2, 2, 8, 3])];
  const prefix = { key: uniform([2, 3, 4], { low: -2, high: 2 }), value: uniform([2, 3, 3]) };

  test.each<readonly [string, AttentionOptions]>([
    ['everything', {}],
    ['what comes before', { causal: true }],
    ['a window', { causal: true, window: 2 }],
    ['what masks show', { hidden: bools(7, 8, (i, j) => i === 4 || (i + j) % 3 === 0), slopes: alibiSlopes(2) }],
    ['a bias', { bias: uniform([2, 7, 8]) }],
  ])('is seen beside %s: as keys in front that no mask hides, also in blocks, with gradients', async (_, options) => {
    const inputs = [q, k, v, prefix.key, prefix.value, ...(options.bias ? [options.bias] : [])];
    const slopes = (output: Tensor): Tensor[] => {
      const first = gradients(weigh([output]), inputs);
      return [output, ...first, ...gradients(weigh(first), inputs)];
    };
    const found = slopes(attention(q, k, v, { ...options, prefix }).output);
    const blocks = slopes(attention(q, k, v, { ...options, prefix, blockSize: 3 }).output);
    // by hand: one softmax over the keys of both, masks and distances of the others alone
    const scale = 0.5;
    const scores = q.matmul(k.transpose()).mul(scale);
    const i = arange(7).unsqueeze(1);
    const j = arange(8);
    const near = options.window === undefined ? null : i.sub(j).abs().greaterEqual(options.window);
    const later = options.causal ? i.less(j) : null;
    const masks = [options.hidden, near, later].filter((mask) => mask !== null && mask !== undefined);
    let own = options.bias === undefined ? scores : scores.add(options.bias);
    if (options.slopes) own = own.sub(i.sub(j).abs().mul(options.slopes));
    for (const mask of masks) own = where(mask, -1e9, own);
    const front = q.matmul(prefix.key.transpose()).mul(scale);
    const whole = concat([front, own], -1).softmax(-1);
    const values = concat([prefix.value.expand([2, 2, 3, 3]), v], -2);
    const right = slopes(whole.matmul(values));
    for (const [at, value] of right.entries()) {
      await expectClose(found[at] ?? q, value, `${at}`);
      await expectClose(blocks[at] ?? q, value, `in blocks ${at}`);
    }
    expect(attention(q, k, v, { ...options, prefix }).weights.shape).toEqual([2, 2, 7, 11]);
  });

  test('is dropped as other keys are, the same in the gradient of blocks', async () => {
    setSeed(3);
    const { output } = attention(q, k, v, { dropout: 0.5, blockSize: 3, prefix });
    const loss = weigh([output]);
    const slopes = gradients(loss, [v, prefix.value]);
    // the output is linear in the values of both
    const parts = await Promise.all([v, prefix.value].map((part, at) => slopes[at]!.mul(part).sum().item()));
    expect(parts[0]! + parts[1]!).toBeCloseTo(await loss.item(), 3);
    const plain = await evaluate(() => attention(q, k, v, { dropout: 0.5, blockSize: 3, prefix }).output).data();
    expect(await output.data()).not.toEqual(plain);
  });

  test('of another width is refused', () => {
    expect(() => attention(q, k, v, { prefix: { key: prefix.value, value: prefix.value } })).toThrow(
      'attention: a prefix is keys [..., P, 4] and values [..., P, 3], got [2, 3, 3] and [2, 3, 3].',
    );
  });
});

test('positions of rows turn each row by its own', async () => {
  const x = uniform([2, 2, 3, 4]);
  const places = tensor(
    [
      [0, 1, 2],
      [5, 6, 7],
    ],
    { dtype: 'int32' },
  );
  const found = rotary(x, { positions: places.unsqueeze(1) });
  for (const row of [0, 1]) await expectClose(found.at(row), rotary(x.at(row), { positions: places.at(row) }));
  expect(() => rotary(x, { positions: places })).not.toThrow();
  expect(() => rotary(x, { positions: arange(2) })).toThrow(
    'rotary: positions must be [3] or broadcast to [2, 2, 3], got [2].',
  );
});
