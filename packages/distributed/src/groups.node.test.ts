/**
 * Ranks as threads and as processes of MPI: every call, and training that equals one process and PyTorch's
 * DistributedDataParallel. Where MPI is not installed its tests are skipped, and say so.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { launchers, programOf, runCommand as run, switches } from './start-ranks-tests.ts';

const program = programOf({ name: 'ranks-tests.ts' });
afterAll(() => program.remove());
const golden: Trained = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/ddp.json'), 'utf8'));

interface Trained {
  readonly losses: readonly number[];
  readonly parameters: readonly (readonly number[])[];
}
interface Report {
  readonly name: string;
  readonly size: number;
  readonly wrong: string[];
  readonly trained: Readonly<Record<string, Trained>>;
  readonly said: string;
}

const { node } = program;

async function started(
  launcher: string,
  size: number,
  ...more: string[]
): Promise<Report & { readonly code: number | null }> {
  const { code, output, error } =
    launcher === 'workers'
      ? await run(node[0]!, [...node.slice(1), 'workers', String(size), ...more])
      : await run(launcher, [...switches(launcher), '-np', String(size), ...node, 'mpi', String(size), ...more]);
  const line = output.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`no report (code ${code}): ${output}${error}`);
  return { ...JSON.parse(line), code };
}

/** The largest difference of parameters. */
function distance(one: Trained, other: Trained): number {
  const [a, b] = [one, other].map(({ parameters }) => parameters.flat());
  return Math.max(...a!.map((value, at) => Math.abs(value - b![at]!)));
}

const kinds: readonly (readonly [launcher: string, size: number, name: RegExp])[] = [
  ['workers', 1, /^alone$/],
  ['workers', 3, /^workers$/],
  ['mpirun.openmpi', 2, /^MPI \(Open MPI [\d.]+\)$/],
  ['mpirun.mpich', 3, /^MPI \(MPICH [\d.]+\)$/],
];

describe.each(kinds)('%s with %i', (launcher, size, name) => {
  const there = launcher === 'workers' || launchers.includes(launcher);
  if (!there) {
    it.skip(`${launcher} is not installed`, () => undefined);
    return;
  }
  it('makes all calls, and trains as one process does, as PyTorch and as its own other ways', {
    timeout: 90_000,
  }, async () => {
    const report = await started(launcher, size);
    expect(report).toMatchObject({ size, wrong: [], code: 0 });
    expect(report.name).toMatch(name);
    const { plain, buckets, uneven, sharded, parts, bf16, powerSgd, seldom } = report.trained as Record<
      string,
      Trained
    >;
    for (const equal of [plain, buckets, uneven, sharded]) {
      expect(distance(equal!, golden)).toBeLessThan(1e-6);
      equal!.losses.forEach((loss, step) => void expect(loss).toBeCloseTo(golden.losses[step]!, 5));
    }
    expect(distance(parts!, golden)).toBeLessThan(1e-6);
    // compressed ones come close, and are not the same
    expect(distance(bf16!, golden)).toBeLessThan(0.005);
    expect(distance(powerSgd!, golden)).toBeLessThan(0.2);
    if (size > 1) {
      expect(distance(bf16!, golden)).toBeGreaterThan(1e-5);
      expect(distance(powerSgd!, golden)).toBeGreaterThan(1e-4);
    }
    expect(distance(seldom!, golden)).toBeGreaterThan(0.01);
  });
});

describe('a Training of ranks', () => {
  it('has the history and the parameters of one process, and writes once', async () => {
    const [one, three] = (await Promise.all([1, 3].map((size) => started('workers', size, '60000', 'fit')))).map(
      (report) => report as unknown as Fitted,
    );
    expect(three!.step).toBe(one!.step);
    expect(three!.history).toEqual(closeTo(one!.history));
    expect(three!.loss).toBeCloseTo(one!.loss, 5);
    expect(three!.parameters).toEqual(closeTo(one!.parameters));
    const [events] = one!.heard;
    expect(one!.heard).toEqual([events, events]);
    expect(three!.heard).toEqual([events, events, events, 0, events, 0]);
  });

  it('counts ranks by what their samples weigh', async () => {
    const [one, three] = await Promise.all([1, 3].map((size) => started('workers', size, '60000', 'weighed')));
    expect(three).toEqual({ ...(closeTo(one) as object), name: expect.any(String), size: 3 });
  });
});

interface Fitted {
  readonly step: number;
  readonly history: readonly object[];
  readonly loss: number;
  readonly parameters: readonly number[];
  readonly heard: readonly number[];
}

/** The same with every number close. */
function closeTo(value: unknown): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 5);
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(closeTo);
  return Object.fromEntries(Object.entries(Object(value)).map(([name, inner]) => [name, closeTo(inner)]));
}

describe('ranks that fail', () => {
  it('a rank that does not come is named when the time is over', async () => {
    const { said } = await started('workers', 3, '1500', 'late');
    expect(said).toBe('allReduce: rank 1 of 3 is missing after 1500 ms: stopped, or in another call.');
  });

  it('an error of one is told to all', async () => {
    const { said, code } = await started('workers', 3, '20000', 'fails');
    expect(said).toBe('allReduce: rank 1 failed: the disk is full');
    expect(code).not.toBe(0);
  });

  it('one that leaves is told to all', async () => {
    const { said } = await started('workers', 2, '20000', 'leaves');
    expect(said).toBe('allReduce: rank 1 ended without close()');
  });

  it('ranks that make different calls are told which', async () => {
    const { said } = await started('workers', 2, '20000', 'other');
    expect(said).toBe(
      'allReduce: rank 0 calls allReduce of 1 in a Float32Array, rank 1 barrier: all ranks make the same calls in the same order.',
    );
  });

  it('parameters that one rank changed are found', async () => {
    const { said } = await started('workers', 2, '20000', 'changed');
    expect(said).toMatch(/^agree: rank 1 of 2 has other parameters than rank 0: /);
  });

  it.skipIf(!launchers.includes('mpirun.openmpi'))(
    'MPI names who is missing, and ends all',
    { timeout: 90_000 },
    async () => {
      const { said, code } = await started('mpirun.openmpi', 3, '2000', 'late');
      expect(said).toBe('allReduce: rank 1 of 3 is missing after 2000 ms: stopped, or in another call.');
      expect(code).not.toBe(0);
    },
  );

  it.skipIf(!launchers.includes('mpirun.mpich'))('a process that is killed ends all', async () => {
    const { code } = await run('mpirun.mpich', ['-np', '3', ...node, 'mpi', '3', '20000', 'killed']);
    expect(code).not.toBe(0);
  });
});
