/**
 * Parquet and Arrow files that are damaged at random: each is read or refused by a typed error, none ends or fills the process. They are
 * read in a process of their own, because what loops for ever inside a library can be ended in no other way. NN_MUTATIONS sets the number.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

const rounds = Number(process.env.NN_MUTATIONS ?? 200);
/** A file takes some milliseconds; a busy machine may take this long for one. */
const patience = 60_000;

interface Found {
  readonly read: number;
  readonly refused: number;
  readonly slowest: number;
  readonly megabytes: number;
}

/** What the process says at its end; the message tells which file it did not survive. */
function run(kind: string): Promise<Found> {
  const script = join(import.meta.dirname, 'columnar-process.ts');
  const parameters = ['--max-old-space-size=256', '--conditions=@nn/source', '--import', 'tsx', script];
  const child = spawn(process.execPath, [...parameters, kind, '0', String(rounds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let last = 'before the first file';
    const failed = (how: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`${kind}: ${how}, round ${last}`));
    };
    let timer = setTimeout(failed, patience, 'no answer');
    createInterface({ input: child.stdout }).on('line', (line) => {
      clearTimeout(timer);
      timer = setTimeout(failed, patience, 'no answer');
      if (line.startsWith('end ')) resolve(JSON.parse(line.slice(4)) as Found);
      else if (/^\d+$/.test(line)) last = line;
      else process.stdout.write(`${kind}: ${line}\n`);
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0) failed(`the process ended with ${code ?? signal}`);
    });
  });
}

it.each(['parquet', 'arrow'])(
  `%s: ${rounds} damaged files`,
  async (kind) => {
    const { read, refused, slowest, megabytes } = await run(kind);
    expect(read + refused).toBe(rounds);
    expect(read).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    if (process.env.NN_MUTATIONS !== undefined) {
      process.stdout.write(
        `${kind}: ${read} read, ${refused} refused, slowest ${slowest} ms, at most ${megabytes} MB\n`,
      );
    }
  },
  Math.max(180_000, 60 * rounds),
);
