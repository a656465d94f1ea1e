/** What each package exports, as reviewed: docs/api/*.md. A change that is meant is announced by `npm run api:update`. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { apiOf, difference, packages, pathOf } from '../scripts/api.mjs';

test.each(packages())('@nn/%s exports what docs/api lists', (name) => {
  const reviewed = existsSync(pathOf(name)) ? readFileSync(pathOf(name), 'utf8') : '';
  expect(difference(reviewed, apiOf(name)), `docs/api/${name}.md is out of date: npm run api:update`).toBe('');
});
