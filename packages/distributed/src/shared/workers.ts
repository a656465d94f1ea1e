/**
 * Ranks as worker threads: the program is started again in each, as MPI's launcher starts processes, and all meet in shared
 * memory. Owns who starts whom, and that a thread's end is known to all.
 */
import { ValueError } from '@nn/core';
import { alone } from '../alone.ts';
import { Group, type GroupOptions } from '../group.ts';
import { GroupError } from '../group-error.ts';
import { bytesFor, SharedMemory } from './memory.ts';
import { type Scope, scopeHere } from './scope.ts';
import { sharedTransport } from './transport.ts';

export interface WorkersOptions extends GroupOptions {
  /** The module that each rank runs, as `import.meta.url` gives it; the program itself where not given. */
  readonly module?: string | { readonly href: string };
}

/** What a rank is told when it is started. */
interface Seat {
  readonly buffer: SharedArrayBuffer;
  readonly rank: number;
  readonly size: number;
}

/**
 * A group of `size` threads of this process: the program is started again in `size` - 1 worker threads (Node) or workers (in a
 * page, where the program itself must run in a worker, and the page be isolated from other origins), and each finds its own
 * rank here. What only one is to do stands behind `group.rank === 0`; `group.close()` is the last call of each.
 *
 * Throws ValueError where there is no shared memory; GroupError where a thread does not start.
 *
 * @example
 * import { workers } from '@nn/distributed';
 * const group = await workers(1); // 4: four threads run this program
 * const [sum] = await group.allReduce(Float32Array.of(group.rank + 1));
 * if (group.rank === 0) console.log(sum); // => 1
 * await group.close();
 */
export async function workers(size: number, options: WorkersOptions = {}): Promise<Group> {
  if (!Number.isInteger(size) || size < 1) {
    throw new ValueError('workers', `${size} is not a number of ranks: a whole number, 1 or more.`, { size });
  }
  const { timeout = 300_000 } = options;
  const scope = scopeHere();
  if (scope.isMember) return member(scope, await seatOf(scope, timeout), timeout);
  if (size === 1) return alone();
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new ValueError(
      'workers',
      'there is no shared memory: the page must be served with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.',
    );
  }
  if (!scope.canWait) {
    throw new ValueError('workers', 'a page must not wait for threads: start the program in a worker of its own.');
  }
  const buffer = new SharedArrayBuffer(bytesFor(size));
  const others = await start(scope, buffer, size, options);
  const seat = { buffer, rank: 0, size };
  return member(scope, seat, timeout, () => others.left());
}

/** The threads of the other ranks, all running. */
async function start(
  scope: Scope,
  buffer: SharedArrayBuffer,
  size: number,
  { module, timeout = 300_000 }: WorkersOptions,
): Promise<{ left(): Promise<void> }> {
  const memory = new SharedMemory(buffer, 0, size, timeout);
  const threads = Array.from({ length: size - 1 }, (_, at) => {
    const rank = at + 1;
    const thread = scope.start(typeof module === 'object' ? module.href : module, `nn rank ${rank}`);
    const fail = (error: Error): GroupError => {
      memory.end(`rank ${rank} failed: ${error.message}`);
      return new GroupError('workers', `rank ${rank} did not start: ${error.message}`, { rank }, error);
    };
    const running = new Promise<void>((resolve, reject) => {
      thread.listen(
        (message) => {
          if (message === 'seat?') thread.send({ buffer, rank, size } satisfies Seat);
          // not before: a browser may keep what was sent until this thread is back in its event loop, where a wait for the
          // others would never let it be
          if (message === 'seated') resolve();
        },
        (error) => reject(fail(error)),
      );
    });
    return { thread, running };
  });
  try {
    await Promise.all(threads.map(({ running }) => running));
  } catch (error) {
    for (const { thread } of threads) thread.stop();
    throw error;
  }
  return {
    left: async () => {
      await Promise.all(threads.map(({ thread }) => thread.left));
    },
  };
}

/** Asks who started this thread for its place. */
function seatOf(scope: Scope, timeout: number): Promise<Seat> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new GroupError('workers', `nobody gave this thread a rank within ${timeout} ms.`, { timeout })),
      timeout,
    );
    scope.ask('seat?', (message) => {
      clearTimeout(timer);
      scope.tell('seated');
      // the cast: what `start` sends
      resolve(message as Seat);
    });
  });
}

/** A rank that tells the others when its program fails, or ends without having closed the group. */
function member(scope: Scope, { buffer, rank, size }: Seat, timeout: number, left?: () => Promise<void>): Group {
  const memory = new SharedMemory(buffer, rank, size, timeout);
  const quiet = scope.onEnd((error) => {
    const why = error === null ? 'ended without close()' : `failed: ${error}`;
    memory.end(`rank ${rank} ${why}`);
  });
  const closed = async (): Promise<void> => {
    quiet();
    if (left === undefined) scope.leave();
    else await left();
  };
  return new Group(sharedTransport({ buffer, rank, size, timeout, closed }));
}
