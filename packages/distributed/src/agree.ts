/** Whether all ranks have the same numbers, and giving them the same. */
import { type Parameter, replace, tensor } from '@nn/core';
import type { Group } from './group.ts';
import { GroupError } from './group-error.ts';

/**
 * Throws GroupError that names the ranks whose parameters are not those of rank 0, bit for bit. All ranks call it.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { agree, alone } from '@nn/distributed';
 * await agree(alone(), [parameter([1, 2])]);
 * console.log('the same on all'); // => the same on all
 */
export async function agree(group: Group, parameters: readonly Parameter[]): Promise<void> {
  let hash = 0x811c9dc5 | 0;
  for (const parameter of parameters) hash = hashOf(await parameter.data(), hash);
  const all = await group.allGather(Int32Array.of(hash));
  const others = [...all.keys()].filter((rank) => all[rank] !== all[0]);
  if (others.length === 0) return;
  throw new GroupError(
    'agree',
    `${others.length === 1 ? 'rank' : 'ranks'} ${others.join(', ')} of ${group.size} ${others.length === 1 ? 'has' : 'have'} other parameters than rank 0: a rank changed them outside of a step, or sums are not the same on all (deterministic: true).`,
    { ranks: others },
  );
}

/** FNV-1a over the words of the numbers. */
function hashOf(values: ArrayLike<number>, start: number): number {
  const words = new Int32Array(Float32Array.from(values).buffer);
  let hash = start;
  for (let at = 0; at < words.length; at++) hash = Math.imul(hash ^ words[at]!, 0x01000193);
  return hash;
}

/**
 * Gives all ranks the parameters of rank 0, or of `root`.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { alone, broadcastParameters } from '@nn/distributed';
 * const weight = parameter([1, 2]);
 * await broadcastParameters(alone(), [weight]);
 * console.log(await weight.array()); // => [ 1, 2 ]
 */
export async function broadcastParameters(group: Group, parameters: readonly Parameter[], root = 0): Promise<void> {
  if (group.size === 1) return;
  const updates = [];
  for (const parameter of parameters) {
    const values = Float32Array.from(await parameter.data());
    await group.broadcast(values, root);
    if (group.rank !== root) updates.push([parameter, valuesFor(parameter, values)] as const);
  }
  if (updates.length > 0) await replace(updates);
}

/**
 * The mean over all ranks in place of one's own values: for running statistics, as those of BatchNorm, which each rank has of
 * its own samples.
 *
 * @example
 * import { parameter } from '@nn/core';
 * import { alone, averageParameters } from '@nn/distributed';
 * const mean = parameter([3], { buffer: true });
 * await averageParameters(alone(), [mean]);
 * console.log(await mean.array()); // => [ 3 ]
 */
export async function averageParameters(group: Group, parameters: readonly Parameter[]): Promise<void> {
  if (group.size === 1) return;
  const updates = [];
  for (const parameter of parameters) {
    const values = await group.allReduce(Float32Array.from(await parameter.data()), 'sum', { fixed: true });
    updates.push([parameter, valuesFor(parameter, values).mul(1 / group.size)] as const);
  }
  if (updates.length > 0) await replace(updates);
}

function valuesFor({ shape, backend }: Parameter, values: Float32Array): ReturnType<typeof tensor> {
  return tensor(values, { shape: [...shape], ...(backend && { backend }) });
}
