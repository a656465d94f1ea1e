/**
 * A group of processes that MPI's launcher started. Owns the start and the end of MPI in a process, and the wait with a limit;
 * what is called is library.ts.
 */
import { ValueError } from '@nn/core';
import { alone } from '../alone.ts';
import { Group, type GroupOptions, type Numbers, type Transport } from '../group.ts';
import { GroupError } from '../group-error.ts';
import { launchOf } from '../launcher.ts';
import { type Koffi, loadMpi, type Mpi } from './library.ts';

export interface MpiOptions extends GroupOptions {
  /** The path of the library; that of the environment's NN_MPI_LIBRARY, or what fits the launcher, where not given. */
  readonly library?: string;
}

interface NodeProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly stderr: { write(text: string): unknown };
  on(event: string, listener: (value: never) => void): unknown;
  off(event: string, listener: (value: never) => void): unknown;
}

/** With this MPI allows calls from several threads at once, which saying that one waits needs. */
const threadMultiple = 3;
/** How long a witness listens to who waits, in milliseconds. */
const rollCall = 3000;

/** MPI begins once in a process, and ends once. */
let present: Group | null = null;

/**
 * The group of all processes that `mpirun`, `srun` or their likes started with this program: Open MPI 4 and 5, MPICH, and
 * libraries with the common binary interface of MPI 5. Of a program that no launcher started, a group of one. Needs the package
 * `koffi`, and MPI on the machine.
 *
 * Throws ValueError without koffi or MPI, and GroupError where MPI knows of other processes than the launcher. An error that
 * nobody catches, and an end without `close()`, end all processes.
 *
 * @example
 * import { mpi } from '@nn/distributed/mpi';
 * const group = await mpi(); // mpirun -np 4 node program.js
 * console.log(group.rank, group.size); // => 0 1
 */
export async function mpi({ library, timeout = 300_000 }: MpiOptions = {}): Promise<Group> {
  // the cast: where this can run, there is one
  const { process } = globalThis as unknown as { process: NodeProcess };
  const launch = launchOf(process.env);
  if (launch === null && library === undefined) return alone();
  if (present !== null) return present;
  const loaded = loadMpi(await koffiHere(), launch, library ?? process.env.NN_MPI_LIBRARY, process.platform);
  const transport = begin(loaded, timeout, process);
  if (launch !== null && launch.size !== transport.size) {
    throw new GroupError(
      'mpi',
      `${launch.launcher} started ${launch.size} processes, ${loaded.name} knows of ${transport.size}: start the program with its own mpirun, or with srun, or name the library that belongs to the launcher.`,
      { launcher: launch.launcher, started: launch.size, known: transport.size },
    );
  }
  present = new Group(transport);
  return present;
}

async function koffiHere(): Promise<Koffi> {
  try {
    // the cast: what is used of it, which its own types say with types of Node
    return ((await import('koffi')) as unknown as { readonly default: Koffi }).default;
  } catch (error) {
    throw new ValueError(
      'mpi',
      `MPI is called through the package koffi, which is not there (${error instanceof Error ? error.message.split('\n')[0] : error}): npm install koffi.`,
    );
  }
}

function begin(mpi: Mpi, timeout: number, process: NodeProcess): Transport {
  const { handles } = mpi;
  const { world, reductions } = handles;
  const out = [0];
  const threads = [0];
  mpi.call('Init_thread', null, null, threadMultiple, threads);
  mpi.call('Comm_set_errhandler', world, handles.errorsReturn);
  mpi.call('Comm_rank', world, out);
  const rank = out[0]!;
  mpi.call('Comm_size', world, out);
  const size = out[0]!;
  // who waits says so on a line of its own
  const line = [handles.type === 'int' ? 0 : null] as unknown[];
  mpi.call('Comm_dup', world, line);

  /** Ends all processes, this one too. */
  function abort(reason: string): void {
    process.stderr.write(`${reason}\n`);
    mpi.call('Abort', world, 1);
  }
  let failed: string | null = null;
  const fail = (error: unknown): void => {
    failed = error instanceof Error ? error.message : String(error);
  };
  const ended = (): void => {
    abort(`rank ${rank} of ${size} ${failed === null ? 'ended without group.close()' : `failed: ${failed}`}`);
  };
  process.on('uncaughtExceptionMonitor', fail);
  process.on('exit', ended);

  /** Calls so far: the tag under which ranks say that they wait. */
  let calls = 0;
  /** Ranks that hear who waits: two, because one of them may be the one that is missing. */
  const witnesses = [0, 1].filter((witness) => witness < size);

  /** Says to the witnesses that this rank has been waiting for some time. */
  function sayWaiting(): void {
    if (threads[0] !== threadMultiple) return;
    for (const witness of witnesses) {
      if (witness !== rank) mpi.call('Send', Uint8Array.of(1), 1, handles.types.byte, witness, calls % 30_000, line[0]);
    }
  }

  /** Who does not wait as this rank does, which a witness knows by the silence of the others. */
  async function missing(): Promise<string> {
    const someone = `a rank of ${size} is missing`;
    if (threads[0] !== threadMultiple) return someone;
    if (!witnesses.includes(rank)) {
      // a witness ends the work of all
      await pause(2 * rollCall);
      return someone;
    }
    const silent = new Set([...Array(size).keys()].filter((other) => other !== rank));
    const status = new Uint8Array(128);
    for (const end = performance.now() + rollCall; performance.now() < end && silent.size > 0; await pause(50)) {
      for (const other of silent) {
        mpi.call('Iprobe', other, calls % 30_000, line[0], out, status);
        if (out[0] !== 0) silent.delete(other);
      }
    }
    const who = [...silent];
    if (who.length === 0) return someone;
    return `${who.length === 1 ? 'rank' : 'ranks'} ${who.join(', ')} of ${size} ${who.length === 1 ? 'is' : 'are'} missing`;
  }

  /** Waits for a call that blocks, so long and no longer. */
  async function within(operation: string, call: Promise<void>): Promise<void> {
    calls++;
    const timers: ReturnType<typeof setTimeout>[] = [];
    const over = new Promise<boolean>((resolve) => {
      timers.push(
        setTimeout(sayWaiting, Math.min(1000, timeout / 2)),
        setTimeout(() => resolve(true), timeout),
      );
    });
    let isOver: boolean;
    try {
      isOver = await Promise.race([call.then(() => false), over]);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new GroupError(operation, `${words}: all ranks make the same calls with as many numbers.`, {}, error);
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
    if (!isOver) return;
    throw new GroupError(operation, `${await missing()} after ${timeout} ms: stopped, or in another call.`, {
      timeout,
    });
  }

  const typeOf = (values: Numbers): unknown => handles.types[values.constructor.name as 'Float32Array'];
  const here = handles.inPlace;
  return {
    name: `MPI (${mpi.name})`,
    rank,
    size,
    async allReduce(values, reduction, fixed) {
      const [type, operation, count] = [typeOf(values), reductions[reduction], values.length];
      if (!fixed) {
        await within('allReduce', mpi.wait('Allreduce', here, values, count, type, operation, world));
        return;
      }
      const [send, receive] = rank === 0 ? [here, values] : [values, null];
      await within('allReduce', mpi.wait('Reduce', send, receive, count, type, operation, 0, world));
      await within('allReduce', mpi.wait('Bcast', values, count, type, 0, world));
    },
    broadcast: (values, root) =>
      within('broadcast', mpi.wait('Bcast', values, values.length, typeOf(values), root, world)),
    allGather: (values, all) =>
      within(
        'allGather',
        mpi.wait('Allgather', values, values.length, typeOf(values), all, values.length, typeOf(values), world),
      ),
    allToAll(values, received) {
      const [type, count] = [typeOf(values), values.length / size];
      return within('allToAll', mpi.wait('Alltoall', values, count, type, received, count, type, world));
    },
    reduceScatter(values, part, bounds) {
      const counts = Int32Array.from({ length: size }, (_, other) => bounds[other + 1]! - bounds[other]!);
      return within(
        'reduceScatter',
        mpi.wait('Reduce_scatter', values, part, counts, typeOf(values), reductions.sum, world),
      );
    },
    barrier: () => within('barrier', mpi.wait('Barrier', world)),
    abort,
    close() {
      process.off('uncaughtExceptionMonitor', fail);
      process.off('exit', ended);
      if (failed === null) mpi.call('Finalize');
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
