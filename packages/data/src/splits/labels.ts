/**
 * What samples have in common: a class to keep in equal shares, a group that must stay whole. Reads it from a field of a
 * dataset or a column of a table as codes 0, 1, 2, ... in the order of the values. Owns no choice of samples.
 */
import { realmTag, ValueError } from '@nn/core';
import type { Table } from '../readers/csv.ts';
import { checkDataset, type Dataset, isRagged } from '../samples/dataset.ts';
import { columnFinder } from '../tables/table.ts';

/** `codes[i]` says to which of `count` values sample i belongs; `missing` is the code of a missing value, where there is one. */
export interface Labels {
  readonly codes: Int32Array;
  readonly count: number;
  readonly missing?: number;
}

export function isTable(source: Dataset | Table): source is Table {
  return typeof source === 'object' && source !== null && 'lines' in source && 'columns' in source;
}

/** The number of samples of a dataset or rows of a table. */
export function sampleCount(operation: string, source: Dataset | Table): number {
  if (isTable(source)) return source.lines.length;
  checkDataset(operation, source);
  return source.size;
}

/** The values of a field of whole numbers, one a sample, or of a column; `option` is the option that named it. */
export function labelsOf(operation: string, source: Dataset | Table, option: string, name: string): Labels {
  if (isTable(source)) {
    const column = columnFinder(operation, source)(name);
    return coded<number | string>(column.values, (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }
  const field = Object.hasOwn(source.fields, name) ? source.fields[name] : undefined;
  if (!field || isRagged(field) || field.shape.length !== 1 || realmTag(field.data).startsWith('Float')) {
    throw new ValueError(
      operation,
      `${option} '${name}' must name a field of whole numbers, one a sample; there are ${Object.keys(source.fields).join(', ')}. For a column of a table: readCsv(bytes, { kinds: { column: 'category' } }).`,
      { [option]: name },
    );
  }
  return coded(field.data, (a, b) => a - b);
}

/** The labels of groups that must stay whole, where no group may be unknown. */
export function groupsOf(operation: string, source: Dataset | Table, name: string): Labels {
  const groups = labelsOf(operation, source, 'groupBy', name);
  if (groups.missing !== undefined) {
    const row = groups.codes.indexOf(groups.missing);
    throw new ValueError(
      operation,
      `groupBy '${name}' is missing in row ${row}, so its group is not known; drop such rows with dropMissing.`,
      { row },
    );
  }
  return groups;
}

/** The samples of each label, in ascending order. */
export function membersOf({ codes, count }: Labels): Int32Array[] {
  const members: number[][] = Array.from({ length: count }, () => []);
  codes.forEach((code, index) => {
    members[code]!.push(index);
  });
  return members.map((indices) => Int32Array.from(indices));
}

/** Codes in the order of the values; null and NaN, which stand for missing ones, come last. */
function coded<Value extends number | string>(
  values: ArrayLike<Value | null>,
  compare: (a: Value, b: Value) => number,
): Labels {
  const isMissing = (value: Value | null): value is null => value === null || Number.isNaN(value);
  const distinct = new Set<Value>();
  let hasMissing = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? null;
    if (isMissing(value)) hasMissing = true;
    else distinct.add(value as Value);
  }
  const code = new Map([...distinct].sort(compare).map((value, i) => [value, i]));
  const missing = code.size;
  const codes = Int32Array.from(values, (value) => (isMissing(value) ? missing : code.get(value as Value)!));
  return hasMissing ? { codes, count: missing + 1, missing } : { codes, count: missing };
}
