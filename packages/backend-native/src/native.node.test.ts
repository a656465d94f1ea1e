import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpu } from '@nn/backend-cpu';
import { type Backend, conv2d, gradients, lowBits, parameter, profile, tensor } from '@nn/core';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { panelsOf } from './addon.ts';
import { findCompiler } from './compiler.ts';
import { type NativeOptions, native } from './native.ts';

const root = mkdtempSync(join(tmpdir(), 'nn-native-'));
afterAll(() => rmSync(root, { recursive: true }));
const cache = join(root, 'cache');

function compilerHere(): string | null {
  try {
    return findCompiler();
  } catch {
    return null;
  }
}
const compiler = compilerHere();

/** A program that stands in for the compiler: a shell script. */
function script(name: string, body: string): string {
  const path = join(root, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** What `info()` says in the end. */
async function outcome(options: NativeOptions): Promise<string> {
  const backend = native({ cache, ...options });
  await backend.ready();
  return String(backend.info().details.native);
}

const numbers = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, at) => Math.fround(Math.sin(at * 1.7 + seed)));

/** A product of the given sizes and its gradients, as numbers. */
async function product(backend: Backend, [m, k, n]: readonly [number, number, number]): Promise<number[][]> {
  const a = parameter(numbers(m * k, 1), { shape: [m, k], backend });
  const b = parameter(numbers(k * n, 2), { shape: [k, n], backend });
  const y = a.matmul(b);
  const given = gradients(y.square().sum(), [a, b]);
  const all = await Promise.all([y, ...given].map((one) => one.data()));
  return all.map((values) => [...values]);
}

describe('without native code', () => {
  it.each([
    ['it is switched off', { enabled: false }, 'no, because it is switched off (enabled: false, or NN_NATIVE=0)'],
    [
      'the compiler is not there',
      { compiler: '/nowhere/cc' },
      /^no, because \/nowhere\/cc could not be run \(.*ENOENT/,
    ],
  ] as const)('WebAssembly computes, and info says why: %s', async (_, options, said) => {
    const found = await outcome(options);
    if (typeof said === 'string') expect(found).toBe(said);
    else expect(found).toMatch(said);
    const backend = native({ cache, ...options });
    expect(await product(backend, [3, 4, 5])).toEqual(await product(cpu({ engine: 'wasm' }), [3, 4, 5]));
  });

  it('an environment variable switches it off', async () => {
    process.env.NN_NATIVE = '0';
    onTestFinished(() => void delete process.env.NN_NATIVE);
    expect(await outcome({})).toContain('it is switched off');
  });

  it('a compiler that fails is quoted, and leaves nothing behind', async () => {
    const folder = join(root, 'failing');
    const failing = script('failing-cc', 'test "$1" = --version && exit 0\necho "no space left" >&2\nexit 3');
    expect(await outcome({ compiler: failing, cache: folder })).toBe(
      `no, because ${failing} ended with 3: no space left`,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a folder that others may write into is refused', async () => {
    const folder = join(root, 'open');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    const fake = script('quiet-cc', 'exit 0');
    expect(await outcome({ compiler: fake, cache: folder })).toContain(`others may write into ${folder}`);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a result of the compiler that is no addon is not loaded', async () => {
    const strange = script(
      'strange-cc',
      'test "$1" = --version && exit 0\nwhile [ $# -gt 0 ]; do test "$1" = -o && echo text > "$2"; shift; done',
    );
    expect(await outcome({ compiler: strange, cache: join(root, 'strange') })).toMatch(
      /^no, because the compiled code could not be loaded/,
    );
  });

  it('rows fall into panels of 6 and 4 as the engine packs them', () => {
    expect([1, 4, 5, 6, 7, 8, 9, 11, 12, 13].map((rows) => panelsOf(rows, 6))).toEqual([
      [4],
      [4],
      [6],
      [6],
      [4, 4],
      [4, 4],
      [6, 4],
      [6, 6],
      [6, 6],
      [6, 4, 4],
    ]);
    expect(panelsOf(9, 4)).toEqual([4, 4, 4]);
  });
});

describe.skipIf(compiler === null)('with native code', () => {
  /** The largest difference, relative where numbers are large. */
  const near = (found: number[][], expected: number[][]): void => {
    const differences = found.flatMap((values, which) =>
      values.map((value, at) => {
        const wanted = expected[which]?.[at] ?? Number.NaN;
        return Math.abs(value - wanted) / Math.max(1, Math.abs(wanted));
      }),
    );
    expect(differences.length).toBeGreaterThan(0);
    expect(differences.reduce((worst, one) => (one <= worst ? worst : one), 0)).toBeLessThan(2e-4);
  };

  it('products and gradients are those of WebAssembly, at every edge of tiles and blocks', async () => {
    const backend = native({ cache });
    expect(await backend.ready()).toBe(true);
    expect(backend.info().details.native).toMatch(/^programs and products by /);
    const plain = cpu({ engine: 'wasm' });
    for (const sizes of [
      [1, 300, 40],
      [2, 64, 640],
      [6, 16, 16],
      [7, 90, 33],
      [64, 400, 70],
      [150, 385, 17],
    ] as const)
      near(await product(backend, sizes), await product(plain, sizes));
  });

  it('the first steps run before there is native code, and what was compiled for them goes on with it', async () => {
    const backend = native({ cache: join(root, 'fresh') });
    const w = parameter(numbers(64 * 48, 3), { shape: [64, 48], backend });
    const x = tensor(numbers(32 * 64, 4), { shape: [32, 64], backend });
    const before = [...(await x.matmul(w).relu().data())];
    expect(await backend.ready()).toBe(true);
    expect(backend.info().details.nativeFrom).toBe('compiled now');
    const { kernels } = backend.info();
    near([[...(await x.matmul(w).relu().data())]], [before]);
    expect(backend.info().kernels).toBe(kernels);
  });

  it("a second process takes the file, which is its user's alone", async () => {
    const again = native({ cache });
    await again.ready();
    expect(again.info().details.nativeFrom).toBe('cache');
    expect(statSync(cache).mode & 0o777).toBe(0o700);
    expect(readdirSync(cache).every((name) => name.endsWith('.node'))).toBe(true);
  });

  it('wrong code is found before it is used', async () => {
    // multiplies by two where it should not
    const wrong = script(
      'wrong-cc',
      `test "$1" = --version && exec ${compiler} --version\nfor last; do :; done\nsed -i 's/) = s0_0;/) = s0_0 + s0_0;/' "$last"\nexec ${compiler} "$@"`,
    );
    expect(await outcome({ compiler: wrong, cache: join(root, 'wrong') })).toMatch(
      /^no, because the compiled code is wrong: a product is /,
    );
  });

  it('wrong code of programs is found before it is used, and products stay', async () => {
    const wrong = script(
      'wrong-programs-cc',
      `test "$1" = --version && exec ${compiler} --version\nfor last; do :; done\nsed -i 's/{ return a - b; }/{ return a + b; }/' "$last"\nexec ${compiler} "$@"`,
    );
    const backend = native({ cache: join(root, 'wrong-programs'), compiler: wrong });
    expect(await backend.ready()).toBe(true);
    const { native: code, noNativePrograms } = backend.info().details;
    expect(code).toMatch(/^products by /);
    expect(noNativePrograms).toMatch(/^the compiled code is wrong: a program gives /);
  });

  /** Trains until its program is worth native code; gives losses, and parameters in the end. */
  async function trained(backend: ReturnType<typeof native>): Promise<number[][]> {
    const w = parameter(numbers(300 * 256, 5), { shape: [300, 256], backend });
    const x = tensor(numbers(512 * 300, 6), { shape: [512, 300], backend });
    const losses: number[] = [];
    const step = async (): Promise<void> => {
      const loss = x.matmul(w).tanh().add(1.5).log().square().mean();
      const [gradient] = gradients(loss, [w]);
      await w.assign(w.sub(gradient!.mul(0.5)));
      losses.push(await loss.item());
    };
    for (let turn = 0; turn < 60; turn++) await step();
    await backend.ready();
    for (let turn = 0; turn < 5; turn++) await step();
    return [losses, [...(await w.data())]];
  }

  it('a program that takes time becomes native code while it runs, and goes on where it was', async () => {
    const backend = native({ cache });
    await backend.ready();
    const expected = await trained(native({ enabled: false }));
    near(await trained(backend), expected);
    expect(backend.info().details.nativePrograms).toBeGreaterThan(0);
    expect(backend.info().details.nativeFailure).toBe(undefined);
  });

  it('deterministic programs are those of WebAssembly, bit for bit, in one thread and in two', async () => {
    const expected = await trained(native({ enabled: false, deterministic: true }));
    for (const threads of [1, 2]) {
      const backend = native({ cache, deterministic: true, threads });
      await backend.ready();
      expect(await trained(backend)).toEqual(expected);
      expect(backend.info().details.nativePrograms).toBeGreaterThan(0);
    }
  });

  it('steps beside the event loop keep their order with batches that come, results that are read and memory that grows', async () => {
    const side = 64;
    /** Losses of steps that nobody waits for, with batches of their own, a value in the middle, and parameters in the end. */
    const walk = async (backend: ReturnType<typeof native>): Promise<number[][]> => {
      const w = parameter(numbers(side * side, 5), { shape: [side, side], backend });
      const reads: Promise<ArrayLike<number>>[] = [];
      for (let turn = 0; turn < 24; turn++) {
        const rows = turn === 16 ? 20_000 : side;
        const x = tensor(numbers(rows * side, turn), { shape: [rows, side], backend });
        const loss = x.matmul(w).tanh().square().mean();
        const [gradient] = gradients(loss, [w]);
        await w.assign(w.sub(gradient!.mul(0.5)));
        reads.push(loss.data());
        if (turn % 8 === 5) reads.push(w.data());
        // the program is under way then, and nobody waits for it
        await Promise.resolve();
      }
      const found = await Promise.all([...reads, w.data()]);
      return found.map((values) => Array.from(values));
    };
    const expected = await walk(native({ enabled: false, deterministic: true }));
    for (const threads of [1, 2]) {
      const backend = native({ cache, deterministic: true, threads, wait: true, besideFrom: 0 });
      await backend.ready();
      expect(await walk(backend)).toEqual(expected);
      expect(backend.info().details.runsBesideEventLoop).toBeGreaterThan(8);
      await backend.idle();
    }
  });

  it('timers come through a step that runs beside the event loop, and not through one that does not', async () => {
    const size = 700;
    const ticks = async (besideFrom: number): Promise<number> => {
      const backend = native({ cache, wait: true, besideFrom });
      await backend.ready();
      const a = tensor(numbers(size * size, 1), { shape: [size, size], backend });
      const once = async (): Promise<void> => void (await a.matmul(a).matmul(a).tanh().sum().item());
      for (let turn = 0; turn < 4; turn++) await once();
      let count = 0;
      let goesOn = true;
      const tick = (): void => {
        count += 1;
        if (goesOn) setImmediate(tick);
      };
      tick();
      await once();
      goesOn = false;
      return count;
    };
    const [beside, blocking] = [await ticks(0), await ticks(Number.POSITIVE_INFINITY)];
    // a turn of the loop takes microseconds, and the product milliseconds
    expect(beside).toBeGreaterThan(10);
    expect(blocking).toBeLessThan(10);
  });

  it('what a program asks of the host, it gets: sines of large numbers and powers of negative ones', async () => {
    const backend = native({ cache, wait: true });
    await backend.ready();
    const large = [1e7, -3e8, 5e6, 1e20, 3e9, -2e7, 4e12, 1e30, 9e6, 2e6];
    const x = tensor(large, { backend });
    expect([...(await x.sin().data())]).toEqual(large.map((value) => Math.fround(Math.sin(Math.fround(value)))));
    const powers = await tensor([-2, -3, -0.5, 4], { backend })
      .pow(tensor([3, 2, -3, 0.5], { backend }))
      .data();
    expect([...powers]).toEqual([-8, 9, -8, 2]);
    expect(backend.info().details.nativePrograms).toBeGreaterThan(1);
  });

  it('truth values and bytes are narrowed in order, and saturated', async () => {
    const backend = native({ cache, wait: true });
    await backend.ready();
    const values = Float32Array.from({ length: 203 }, (_, at) => (((at * 67) % 203) - 101) * 4.5);
    const x = tensor(values, { backend });
    const bytes = (low: number, high: number): number[] =>
      [...values].map((value) => Math.min(high, Math.max(low, Math.trunc(value))));
    expect([...(await x.greater(0).data())].map(Boolean)).toEqual([...values].map((value) => value > 0));
    expect([...(await x.cast('int8').data())]).toEqual(bytes(-128, 127));
    expect([...(await x.cast('uint8').data())]).toEqual(bytes(0, 255));
    expect(backend.info().details.nativePrograms).toBeGreaterThan(2);
  });

  it('products of bytes and of half floats are those of WebAssembly', async () => {
    const backend = native({ cache, wait: true });
    await backend.ready();
    const products = async (on: Backend, [m, k, n]: readonly [number, number, number]): Promise<number[][]> => {
      const bytes = Uint8Array.from({ length: m * k }, (_, at) => (at * 37) & 255);
      const levels = Int8Array.from({ length: n * k }, (_, at) => ((at * 91) & 255) - 128);
      const x = tensor(bytes, { shape: [m, k], backend: on });
      const w = tensor(levels, { shape: [n, k], backend: on }).transpose();
      const half = tensor(numbers(m * k, 8), { shape: [m, k], backend: on }).cast('bfloat16');
      const other = tensor(numbers(n * k, 9), { shape: [n, k], backend: on })
        .cast('float16')
        .transpose();
      const made = [
        lowBits(x, 7).matmul(w.cast('int32')),
        x.cast('int32').matmul(w.cast('int32')),
        half.matmul(other),
        half.matmul(other).cast('bfloat16').cast('float32'),
        half.matmul(other).cast('float16').cast('float32'),
      ];
      return (await Promise.all(made.map((one) => one.data()))).map((values) => [...values]);
    };
    for (const sizes of [
      [1, 272, 48],
      [5, 130, 17],
      [33, 96, 40],
    ] as const) {
      const [sevenBits, eightBits, ...floats] = await products(backend, sizes);
      const [seven, eight, ...expected] = await products(cpu({ engine: 'wasm' }), sizes);
      expect([sevenBits, eightBits]).toEqual([seven, eight]);
      near([floats[0]!], [expected[0]!]);
      // rounded: a unit of the last place, where sums differ in theirs
      floats.slice(1).forEach((values, which) => {
        for (const [at, value] of values.entries()) {
          expect(Math.abs(value - expected[which + 1]![at]!)).toBeLessThan(0.01 * Math.abs(value) + 0.01);
        }
      });
    }
    const { nativePrograms, nativeFailure } = backend.info().details;
    expect(nativePrograms).toBeGreaterThanOrEqual(3);
    expect(nativeFailure).toBe(undefined);
  });

  it('a program that cannot be compiled goes on as WebAssembly, and info says why', async () => {
    const fragile = script(
      'fragile-cc',
      `test "$1" = --version && exec ${compiler} --version\nfor last; do :; done\ngrep -q f32x4_sqrt "$last" && grep -q library_multiply "$last" && { echo "too hard" >&2; exit 4; }\nexec ${compiler} "$@"`,
    );
    const backend = native({ cache: join(root, 'fragile'), compiler: fragile, wait: true });
    await backend.ready();
    const x = tensor(numbers(40 * 50, 1), { shape: [40, 50], backend });
    const y = await x.matmul(x.transpose()).abs().sqrt().data();
    const plain = tensor(numbers(40 * 50, 1), { shape: [40, 50], backend: cpu({ engine: 'wasm' }) });
    near([[...y]], [[...(await plain.matmul(plain.transpose()).abs().sqrt().data())]]);
    expect(backend.info().details.nativeFailure).toContain('ended with 4: too hard');
  });

  it('a memory that grows is found again', async () => {
    const backend = native({ cache });
    await backend.ready();
    const small = [8, 40, 24] as const;
    const expected = await product(cpu({ engine: 'wasm' }), small);
    near(await product(backend, small), expected);
    const { linearMemory } = backend.info().details;
    const large = tensor(new Float32Array(6 * 2 ** 20), { backend });
    expect(await large.add(1).sum().item()).toBe(6 * 2 ** 20);
    expect(backend.info().details.linearMemory).toBeGreaterThan(Number(linearMemory));
    near(await product(backend, small), expected);
  });

  it('two threads give the bits of one', async () => {
    const [one, two] = [native({ cache }), native({ cache, threads: 2 })];
    await Promise.all([one.ready(), two.ready()]);
    expect(two.info().details.threads).toBe(2);
    const sizes = [200, 300, 120] as const;
    expect(await product(two, sizes)).toEqual(await product(one, sizes));
  });

  it('deterministic products are those of WebAssembly, bit for bit', async () => {
    const backend = native({ cache, deterministic: true });
    await backend.ready();
    const sizes = [64, 400, 70] as const;
    expect(await product(backend, sizes)).toEqual(await product(cpu({ engine: 'wasm', deterministic: true }), sizes));
  });

  it.each<[input: [number, number, number, number], filters: number, padding: number]>([
    // whole vectors of tiles and filters, and such as end within one; padding; several images and one
    [[2, 8, 8, 12], 8, 1],
    [[1, 11, 21, 15], 13, 0],
    [[3, 13, 10, 9], 9, 1],
  ] as const)(
    'convolutions of %j by Winograd are those of WebAssembly, bit for bit',
    async (input, filters, padding) => {
      const made = async (on: Backend): Promise<number[][]> => {
        const x = parameter(
          numbers(
            input.reduce((a, b) => a * b),
            1,
          ),
          { shape: input, backend: on },
        );
        const w = parameter(numbers(filters * input[1] * 9, 2), { shape: [filters, input[1], 3, 3], backend: on });
        const y = conv2d(x, w, { padding });
        const all = [y, ...gradients(y.square().sum(), [x, w])];
        return (await Promise.all(all.map((one) => one.data()))).map((values) => [...values]);
      };
      const exact = await made(cpu({ engine: 'wasm', deterministic: true }));
      const same = native({ cache, deterministic: true, wait: true });
      const fused = native({ cache, wait: true });
      for (const backend of [same, fused]) {
        await backend.ready();
        const { kernels } = await profile(async () => void (await made(backend)));
        const paths = kernels.map(({ path }) => path).filter((path) => path.startsWith('winograd'));
        expect(paths.map((path) => path.replace(/ \d\S*/, ''))).toEqual(
          expect.arrayContaining(['winograd forward native', 'winograd input native', 'winograd weight native']),
        );
      }
      expect(await made(same)).toEqual(exact);
      for (const [at, values] of (await made(fused)).entries()) near([values], [exact[at]!]);
    },
  );

  it('a process ends when its own work is done, and is kept by whoever waits for the compiler', async () => {
    const run = (then: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const program = `import { native } from '@nn/backend-native'; const backend = native({ cache: ${JSON.stringify(join(root, `ends${then.length}`))} }); ${then}`;
        const flags = ['--conditions=@nn/source', '--import', import.meta.resolve('tsx'), '--input-type=module'];
        const child = spawn(process.execPath, [...flags, '--eval', program], { cwd: import.meta.dirname });
        let text = '';
        child.stdout.on('data', (part) => {
          text += part;
        });
        child.stderr.on('data', (part) => {
          text += part;
        });
        child.on('error', reject);
        child.on('close', (status) => resolve(`${status} ${text.trim()}`));
      });
    expect(await run("console.log('done');")).toBe('0 done');
    expect(await run('console.log(await backend.ready());')).toBe('0 true');
  });
});
