/** Values that are written into a tensor: in its dtype, if they are the same numbers there. */
import type { DType } from '../backend.ts';
import { isReal } from '../dtype.ts';
import { DTypeError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import { cast } from './functions.ts';
import { valuesOnHost } from './index-range.ts';

/** `values` as `dtype`. Float32 ones fit into integers only as a list of whole numbers, which is float32 without meaning to be. */
export function fitting(operation: string, values: Node, dtype: DType, isList: boolean): Node {
  if (isReal(dtype) || !isReal(values.dtype)) return cast(values, dtype);
  const numbers = isList ? valuesOnHost(values, true) : null;
  if (numbers === null || !Array.from(numbers).every(Number.isInteger)) {
    throw new DTypeError(operation, `float32 values do not fit into ${dtype}: x.cast('float32') takes them.`, {
      dtype,
    });
  }
  return cast(values, dtype);
}
