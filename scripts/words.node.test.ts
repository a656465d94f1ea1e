/** docs/guides/words.md: every word of its tables is still used where the table says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/guides/words.md'), 'utf8');

/** The sections with their words; a path counts from the folder in the title, without the part that both name. */
const rows = page
  .split(/^## /m)
  .slice(1)
  .flatMap((section) => {
    const [folder = ''] = /(?<=\(`)[^`]+/.exec(section) ?? [];
    const base = folder.slice(0, folder.indexOf('/src/') + '/src/'.length);
    return [...section.matchAll(/^\| \*\*(?<word>[^*]+)\*\* \|.*\| `(?<path>[^`]+)` \|$/gm)].map(({ groups }) => ({
      word: groups?.word ?? '',
      path: base + (groups?.path ?? ''),
    }));
  });

test('all rows are understood', () => {
  expect(rows).toHaveLength(page.match(/^\| \*\*/gm)?.length ?? 0);
  expect(rows.length).toBeGreaterThan(30);
  expect(new Set(rows.map(({ word }) => word)).size).toBe(rows.length);
});

test.each(rows)('$word is used in $path', ({ word, path }) => {
  expect(readFileSync(join(root, path), 'utf8')).toMatch(new RegExp(word.replace(/s$/, ''), 'i'));
});
