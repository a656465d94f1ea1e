import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { parameter } from './parameter.ts';
import { namedParameters } from './tree.ts';

test('parameters are found in maps, lists and objects of another realm', () => {
  const make = runInNewContext('(a, b, c) => ({ map: new Map([["x", a]]), list: [b], inside: { c } })');
  const model = make(parameter([1]), parameter([2]), parameter([3]));
  expect(model.map instanceof Map).toBe(false);
  expect([...namedParameters(model).keys()]).toEqual(['map.x', 'list.0', 'inside.c']);
});
