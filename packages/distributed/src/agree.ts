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
  for (const parameter of parameters) hash = hashOf(await valuesOf(parameter), hash);
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
function hashOf(values: Float32Array | Int32Array, start: number): number {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  let hash = start;
  for (let at = 0; at < words.length; at++) hash = Math.imul(hash ^ words[at]!, 0x01000193);
  return hash;
}

/** The numbers of a parameter as they travel: whole numbers as such, all others, halves too, as float32. */
async function valuesOf(parameter: Parameter): Promise<Float32Array | Int32Array> {
  return parameter.dtype === 'int32' ? parameter.data('int32') : parameter.cast('float32').data('float32');
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
    const values = await valuesOf(parameter);
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
  if (group.size === 1 || parameters.length === 0) return;
  const own = await Promise.all(parameters.map(valuesOf));
  // all at once, and in double precision, so that equal values have themselves as their mean
  const sums = new Float64Array(own.reduce((size, { length }) => size + length, 0));
  let start = 0;
  for (const values of own) {
    sums.set(values, start);
    start += values.length;
  }
  await group.allReduce(sums, 'sum', { fixed: true });
  start = 0;
  const updates = parameters.map((parameter, at) => {
    const mean = sums.subarray(start, start + own[at]!.length).map((sum) => sum / group.size);
    start += mean.length;
    const values = parameter.dtype === 'int32' ? Int32Array.from(mean, Math.round) : Float32Array.from(mean);
    return [parameter, valuesFor(parameter, values)] as const;
  });
  await replace(updates);
}

function valuesFor({ shape, backend, dtype }: Parameter, values: Float32Array | Int32Array): ReturnType<typeof tensor> {
  return tensor(values, { shape: [...shape], ...(backend && { backend }) }).cast(dtype);
}
