/** The address of the repository in a package.json. */
import { expect, test } from 'vitest';
import { problemsOf, withAddress } from './address.mjs';

const address = 'https://example.org/owner/nn';
const manifest = { name: '@nn/core', version: '0.0.0', license: 'MIT', type: 'module' };

test('is written behind the licence, with the folder of the package', () => {
  const written = withAddress(manifest, address, 'core');
  expect(Object.keys(written)).toEqual(['name', 'version', 'license', 'homepage', 'bugs', 'repository', 'type']);
  expect(written.repository).toEqual({
    type: 'git',
    url: 'git+https://example.org/owner/nn.git',
    directory: 'packages/core',
  });
  expect(withAddress(written, address, 'core')).toEqual(written);
});

test('is missed where it is not there, and where it is that of another repository', () => {
  expect(problemsOf(manifest, 'core')).toEqual(
    ['homepage', 'bugs', 'repository'].map((field) => `packages/core/package.json has no \`${field}\`.`),
  );
  const written = withAddress(manifest, address, 'core');
  expect(problemsOf(written, 'core')).toEqual([]);
  expect(problemsOf(written, 'core', address)).toEqual([]);
  expect(problemsOf(written, 'core', 'https://example.org/other/nn')).toHaveLength(3);
});
