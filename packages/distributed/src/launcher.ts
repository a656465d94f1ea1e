/**
 * What launchers write into the environment: mpirun of Open MPI and MPICH, Slurm's srun, torchrun and its likes, Kubernetes'
 * indexed jobs. They are read, not replaced.
 */

/** What a launcher says of this process. */
export interface Launch {
  /** Who started it: 'Open MPI', 'MPICH', 'Slurm', 'torchrun', 'Kubernetes'. */
  readonly launcher: string;
  readonly rank: number;
  readonly size: number;
  /** Which one it is on its machine, from 0; null where the launcher does not say. */
  readonly localRank: number | null;
}

const known = [
  ['Open MPI', 'OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'],
  ['MPICH', 'PMI_RANK', 'PMI_SIZE', 'MPI_LOCALRANKID'],
  ['Slurm', 'SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'],
  ['torchrun', 'RANK', 'WORLD_SIZE', 'LOCAL_RANK'],
  ['Kubernetes', 'JOB_COMPLETION_INDEX', 'JOB_COMPLETIONS', ''],
] as const;

/**
 * What the launcher of this process says; null where it was started by hand. Kubernetes gives an index and no size: set
 * JOB_COMPLETIONS in the manifest.
 *
 * @example
 * import { launchOf } from '@nn/distributed';
 * console.log(launchOf({ SLURM_PROCID: '3', SLURM_NTASKS: '8', SLURM_LOCALID: '1' }));
 * // => { launcher: 'Slurm', rank: 3, size: 8, localRank: 1 }
 */
export function launchOf(environment: Readonly<Record<string, string | undefined>>): Launch | null {
  for (const [launcher, rankName, sizeName, localName] of known) {
    const [rank, size] = [environment[rankName], environment[sizeName]].map(wholeNumber);
    if (rank === null || rank === undefined || size === null || size === undefined || rank >= size) continue;
    return { launcher, rank, size, localRank: wholeNumber(environment[localName]) };
  }
  return null;
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}
