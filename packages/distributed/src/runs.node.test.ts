/**
 * Trainings of several ranks from their beginning to a kill, a stop or their end, and on from there: with threads, and with MPI
 * where it is installed.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { launchers, programOf, runCommand, switches } from './start-ranks-tests.ts';

const program = programOf({ name: 'runs-tests.ts' });
afterAll(() => program.remove());

interface Run {
  readonly why: string;
  readonly step: number;
  readonly history: readonly { readonly values: Readonly<Record<string, number>> }[];
  readonly values: readonly number[];
}

const argumentsOf = (wanted: object): string[] => {
  const folder = join(program.folder, 'runs');
  mkdirSync(folder, { recursive: true });
  return [...program.node.slice(1), JSON.stringify({ folder, ...wanted })];
};

/** What a program prints that runs in threads. */
async function inThreads<Report>(workers: number, wanted: object): Promise<Report> {
  const { code, output, error } = await runCommand(program.node[0]!, argumentsOf({ workers, ...wanted }));
  if (code !== 0) throw new Error(`code ${code}: ${output}${error}`);
  return JSON.parse(output);
}

const close = (values: readonly number[]): readonly number[] => values.map((value) => expect.closeTo(value, 5));

describe('a run of several ranks', () => {
  it('is stopped by one, and goes on bit for bit, random numbers and running statistics too', {
    timeout: 90_000,
  }, async () => {
    const { whole, stopped, again, apart } = await inThreads<
      Record<'whole' | 'stopped' | 'again', Run> & { apart: number }
    >(3, { what: 'noisy' });
    expect([whole.why, whole.step]).toEqual(['done', 18]);
    // rank 1 wanted it after step 7: all know with the next
    expect([stopped.why, stopped.step]).toEqual(['callback', 8]);
    expect(again).toEqual(whole);
    expect(apart).toBe(0);
  });

  it('may have a compiled step', async () => {
    const { plain, compiled } = await inThreads<Record<'plain' | 'compiled', Run>>(2, { what: 'compiled' });
    expect(compiled.values).toEqual(close(plain.values));
    expect(compiled.history.map(({ values }) => values.loss)).toEqual(
      close(plain.history.map(({ values }) => values.loss!)),
    );
  });

  it('may spread the state of the optimizer, which is one file for any number', async () => {
    type Report = { readonly values: number[]; readonly again: number[]; readonly stepCount: number };
    const three = await inThreads<Report>(3, { what: 'sharded' });
    // reads what three wrote after their fourth step, and goes on alone
    const one = await inThreads<Report>(1, { what: 'sharded', isWritten: true });
    expect(three.again).toEqual(three.values);
    expect(three.stepCount).toBe(8);
    expect(three.values).toEqual(close(one.values));
    expect(one.again).toEqual(close(three.values));
    // the file is not its own: the last bits come from sums of three parts
    expect(one.again).not.toEqual(one.values);
  });

  it('shares the trials of a search and the folds of a cross-validation', async () => {
    interface Report {
      readonly rows: readonly {
        readonly trial: number;
        readonly score: number | null;
        readonly error: string | null;
      }[];
      readonly seen: readonly number[];
      readonly shares: readonly number[];
      readonly halved: readonly object[];
      readonly asha: number;
      readonly folds: readonly object[];
    }
    const [{ shares, seen, ...three }, { shares: all, seen: order, ...one }] = await Promise.all([
      inThreads<Report>(3, { what: 'search' }),
      inThreads<Report>(1, { what: 'search' }),
    ]);
    expect(three).toEqual(one);
    expect([shares, all]).toEqual([[4, 3, 3], [10]]);
    expect(seen).toEqual(order);
    expect(three.rows.filter(({ error }) => error === 'too large')).toHaveLength(2);
  });

  it('validates as one process does, and ends together', async () => {
    interface Report {
      readonly values: Readonly<Record<'accuracy' | 'loss', number>>;
      readonly errors: number;
      readonly said: string;
    }
    const [three, one] = await Promise.all([
      inThreads<Report>(3, { what: 'validate' }),
      inThreads<Report>(1, { what: 'validate' }),
    ]);
    expect(three.values.accuracy).toBeCloseTo(one.values.accuracy, 6);
    expect(three.values.loss).toBeCloseTo(one.values.loss, 5);
    // 1 + 4 + 1 + 2 changes in the 4 + 4 + 4 + 3 + 6 letters of the predictions' references
    expect(three.errors).toBe(one.errors);
    expect([three.said, one.said]).toEqual(['validate: the signal of rank 1 of 3 ended it.', 'nothing']);
  });
});

describe('the guide', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/many-machines.md'), 'utf8');
  const first = guide.split('```ts\n').find((text) => text.includes('workers(1)'))!;

  it.each([2, 3])('runs as it stands on %i threads', async (size) => {
    const written = programOf({ text: first.split('\n```')[0]!.replace('workers(1)', `workers(${size})`) });
    const { code, output, error } = await runCommand(written.node[0]!, written.node.slice(1));
    written.remove();
    const [, promised] = /console\.log\(optimizer\.stepCount\); \/\/ => (\d+)/.exec(first)!;
    expect({ code, output, error }).toEqual({ code: 0, output: `${promised}\n`, error: '' });
  });
});

describe.skipIf(!launchers.includes('mpirun.openmpi'))('a rank that is killed in mid-step', () => {
  const script = join(import.meta.dirname, '../../../docs/clusters/restart.sh');
  const start = (ranks: number, wanted: object): string[] => [
    ...['mpirun.openmpi', ...switches('mpirun.openmpi'), '-np', String(ranks), program.node[0]!],
    ...argumentsOf({ what: 'killed', ...wanted }),
  ];
  interface Report {
    readonly from: number;
    readonly whole: Run;
    readonly mine: Run;
  }

  it('ends all, and the run that is started again goes on from the checkpoint to the same bits', {
    timeout: 180_000,
  }, async () => {
    const folder = join(program.folder, 'killed');
    mkdirSync(folder);
    const { code, output, error } = await runCommand('bash', [
      ...[script, '--max-restarts', '2', '--pause', '0'],
      ...start(2, { folder, killAt: 9 }),
    ]);
    expect([code, error.match(/exited on signal 9/g)?.length]).toEqual([0, 1]);
    expect(error).toContain('restart 1 of 2: the program ended with code 137');
    const { from, whole, mine } = JSON.parse(output.split('\n').find((line) => line.startsWith('{')) ?? '{}') as Report;
    expect(from).toBe(8);
    expect(mine).toEqual(whole);
  });

  it('goes on with another number of ranks to the same values', { timeout: 180_000 }, async () => {
    const folder = join(program.folder, 'fewer');
    mkdirSync(folder);
    const first = await runCommand(...commandOf(start(2, { folder, killAt: 9 })));
    expect(first.code).not.toBe(0);
    const { output } = await runCommand(...commandOf(start(3, { folder })));
    const { from, whole, mine } = JSON.parse(output.split('\n').find((line) => line.startsWith('{')) ?? '{}') as Report;
    expect(from).toBe(8);
    expect(mine.values).toEqual(close(whole.values));
    expect(mine.step).toBe(whole.step);
  });
});

const commandOf = ([command, ...rest]: readonly string[]): [string, string[]] => [command!, rest];
