/** Who belongs together: one attribute, or several, whose intersections are groups of their own. Owns names and positions. */
import { ShapeError, ValueError } from '@nn/core';

/** For each sample a value: 'female', 3. */
export type Attribute = ArrayLike<string | number>;
/** One attribute, or several by name. */
export type Attributes = Attribute | Readonly<Record<string, Attribute>>;

/** For each group, by its name, the positions of its samples. Of two attributes the names are 'female, Black'. */
export function groupsOf(operation: string, attributes: Attributes, size: number): Map<string, number[]> {
  const lists = isAttribute(attributes) ? { group: attributes } : attributes;
  const names = Object.keys(lists);
  if (names.length === 0) throw new ValueError(operation, 'there are no attributes to make groups of.');
  for (const [name, list] of Object.entries(lists)) checkLength(operation, name, list, size);
  const groups = new Map<string, number[]>();
  for (let i = 0; i < size; i++) {
    const key = Object.values(lists)
      .map((list) => String(list[i]))
      .join(', ');
    const members = groups.get(key) ?? [];
    members.push(i);
    groups.set(key, members);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isAttribute(attributes: Attributes): attributes is Attribute {
  return 'length' in attributes && typeof attributes.length === 'number';
}

/** Throws ShapeError unless the list has a value for each sample. */
export function checkLength(operation: string, name: string, list: ArrayLike<unknown>, size: number): void {
  if (list.length === size) return;
  throw new ShapeError(operation, `${name} has ${list.length} values, there are ${size} samples.`, {
    [name]: list.length,
    size,
  });
}

/** Throws ValueError unless all values are 0 or 1. */
export function checkBinary(operation: string, name: string, list: ArrayLike<number>): void {
  for (let i = 0; i < list.length; i++) {
    if (list[i] === 0 || list[i] === 1) continue;
    throw new ValueError(operation, `${name} ${i} is ${list[i]}: it must be 0 or 1, with 1 for what is good to get.`, {
      index: i,
    });
  }
}
