/**
 * The processes that train one network together: those that `mpirun` or `srun` started with this program, or threads of this
 * one. Without either there is a group of one, and nothing is different.
 */
import process from 'node:process';
import { alone, type Group, launchOf, workers } from '@nn/distributed';
import { Failure } from './failure.ts';
import type { Settings } from './options.ts';

/** Tasks that several ranks can train. */
const forRanks: readonly Settings['task'][] = ['digits'];

/** Whether this process is one of several and not the first: it prints nothing that the first prints, too. */
export function isSilent(): boolean {
  return (launchOf(process.env)?.rank ?? 0) > 0;
}

/** The group of this program. Throws a `Failure` for a task that runs in one process. */
export async function openGroup(threads: number | undefined, task: Settings['task']): Promise<Group> {
  const launch = launchOf(process.env);
  const launched = launch?.size ?? 1;
  if (threads !== undefined && launched > 1) {
    throw new Failure(`--workers ${threads}: ${launch?.launcher} has started ${launched} processes: leave it out.`);
  }
  if (Math.max(launched, threads ?? 1) > 1 && !forRanks.includes(task)) {
    throw new Failure(
      `--task ${task} runs in one process; together several train ${forRanks.join(', ')}: --task ${forRanks[0]}.`,
    );
  }
  if (launched === 1) return threads === undefined ? alone() : workers(threads);
  const { mpi } = await import('@nn/distributed/mpi');
  return mpi();
}
