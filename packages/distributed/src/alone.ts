/** A group of one: what programs for many run with when they are started as one. */
import { Group, type Transport } from './group.ts';

/**
 * The group of this process alone: every call gives back what it was given. A program written for many ranks runs with it as
 * it is.
 *
 * @example
 * import { alone } from '@nn/distributed';
 * console.log(await alone().allGather(Int32Array.of(7))); // => Int32Array(1) [ 7 ]
 */
export function alone(): Group {
  const nothing = (): void => undefined;
  const transport: Transport = {
    name: 'alone',
    rank: 0,
    size: 1,
    allReduce: nothing,
    broadcast: nothing,
    allGather: (values, all) => all.set(values),
    allToAll: (values, received) => received.set(values),
    reduceScatter: (values, part) => part.set(values),
    barrier: nothing,
    abort: nothing,
    close: nothing,
  };
  return new Group(transport);
}
