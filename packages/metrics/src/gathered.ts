/** What metrics of several processes tell each other in a read: fetched where there are several. */
import type { ReadOptions } from './read.ts';

/** What each process has handed over, by metric: the lengths stand before the numbers. */
export async function gathered(
  own: readonly ArrayLike<number>[],
  gather: NonNullable<ReadOptions['gather']>,
): Promise<ArrayLike<number>[][]> {
  const lists = own.map((numbers) => Array.from(numbers));
  const processes = await gather(Float32Array.from([...lists.map(({ length }) => length), ...lists.flat()]));
  return processes.map((numbers) => {
    let start = own.length;
    return lists.map((_, at) => {
      start += numbers[at]!;
      return numbers.subarray(start - numbers[at]!, start);
    });
  });
}
