/** No function of tensors is missing from the kit. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { awaitedOperations, bundles } from './tensor-functions.ts';

test('the kit has a case for every function that core exports from its folder functions', () => {
  const index = readFileSync(join(import.meta.dirname, '../../../core/src/index.ts'), 'utf8');
  const exported = [...index.matchAll(/export \{([^}]*)\} from '\.\/functions\//g)]
    .flatMap(([, names = '']) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));
  expect(exported.length).toBeGreaterThan(100);
  const tested = [...bundles().flatMap(({ operations }) => operations), ...awaitedOperations()].map(({ name }) =>
    name.replace(/:.*/, ''),
  );
  expect(exported.filter((name) => !tested.includes(name))).toEqual([]);
});
