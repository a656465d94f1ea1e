/** Regions of work with threads that come late, die, or are forgotten: what the protocol promises. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { i32 } from '../code/instructions.ts';
import { host, ModuleContext, type Target } from '../code/module-context.ts';
import { libraryBytes } from '../kernels/library.ts';
import { LinearMemory } from '../memory.ts';
import { type PoolProgram, ThreadPool } from './pool.ts';
import { addWork, control, phaseParameters } from './protocol.ts';

afterEach(() => vi.restoreAllMocks());

/** A pool whose programs add a number to the word at `table` (or at `place`), once for each piece. */
function setUp(threads: number) {
  const memory = new LinearMemory(true);
  const target: Target = { fused: false, tileRows: 4, memory: memory.type, threads };
  const pool = new ThreadPool(memory, threads, libraryBytes(target));
  const table = memory.allocate(64);
  memory.words[table / 4] = 0;
  const adding = (step: number, place?: number): PoolProgram => {
    const { module } = new ModuleContext(target);
    const phase = module.function(null, phaseParameters, [], (builder) => {
      const at = place === undefined ? builder.parameter(0, 'i32') : i32.const(place);
      builder.emit(i32.atomicAddVoid(at, i32.const(step)));
    });
    addWork(module, [phase]);
    const bytes = module.bytes();
    const imports = { memory: { memory: memory.memory }, host };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
    return { module: pool.share(bytes, 64), work: exports.work as PoolProgram['work'] };
  };
  const run = (program: PoolProgram, pieces: number): void =>
    pool.run(program, 0, { table, scratch: 0, own: 0 }, pieces, pieces);
  return { pool, memory, adding, run, count: () => Atomics.load(memory.words, table / 4) };
}

describe('a region of work', () => {
  it('is closed to whoever comes late, while the next one is written', () => {
    const { adding, run, count } = setUp(1);
    const program = adding(1);
    let late = (): void => undefined;
    run(
      {
        ...program,
        work: (...[at, sequence, own]) => {
          program.work(at, sequence, own);
          late = () => program.work(at, sequence, own);
        },
      },
      2,
    );
    expect(count()).toBe(2);
    const { store } = Atomics;
    vi.spyOn(Atomics, 'store').mockImplementation((...given: Parameters<typeof store>) => {
      const stored = store(...given);
      late();
      return stored;
    });
    run(program, 6);
    expect(count()).toBe(8);
  });

  it('gives workers the module that it names and no other', async () => {
    const { pool, adding, run, count } = setUp(2);
    await vi.waitFor(() => expect(pool.ready).toBe(1), { timeout: 20_000 });
    const [one, hundred] = [adding(1), adding(100)];
    const idle = (): void => undefined;
    // What a late thread may read: the number of one region with the address of another.
    run({ module: { ...one.module, id: hundred.module.id }, work: idle }, 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    run({ ...hundred, work: idle }, 2);
    expect(count()).toBe(200);
    pool.forget(one.module);
    run({ ...one, work: idle }, 0);
    pool.close();
  });

  it('is lost with a worker that does not come back, and says what to do', () => {
    const { pool, adding, run } = setUp(1);
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 15_000));
    expect(() => run({ ...adding(1), work: () => undefined }, 1)).toThrow(
      expect.objectContaining({
        message:
          'threads: a worker died in the middle of a step, so what this backend holds cannot be trusted. Make a new one with cpu(), and bring the model back from its last backup: recover(model, optimizer, backend).',
        data: { lost: true },
      }),
    );
    expect(pool.failure).toBe('a worker died');
  });

  it('waits for workers that are late because the process was stopped', () => {
    const { pool, adding, run, memory } = setUp(1);
    let region = 0;
    let looks = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => {
      // stopped for ten minutes, twice; then the piece arrives
      if (++looks === 5) Atomics.add(memory.words, (region + control.finished) / 4, 1);
      return looks * 600_000;
    });
    const work = (at: number): void => {
      region = at;
    };
    run({ ...adding(1), work }, 1);
    expect([looks, pool.failure]).toEqual([5, null]);
  });

  it('is lost at once with a worker that an error ended', async () => {
    const { pool, adding, run } = setUp(2);
    await vi.waitFor(() => expect(pool.ready).toBe(1), { timeout: 20_000 });
    const start = performance.now();
    expect(() => run({ ...adding(1, -64), work: () => undefined }, 1)).toThrow(
      'threads: a worker failed in the middle of a step',
    );
    expect(performance.now() - start).toBeLessThan(15_000);
    await vi.waitFor(() => expect(pool.failure).toContain('a worker failed'), { timeout: 20_000 });
  });
});
