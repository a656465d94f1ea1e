/** Pages that only list others: packages, names by package, decisions. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { ApiPage } from './api/pages.ts';
import { mapLinks, type Page, titleOf } from './documents.ts';
import { root } from './places.ts';

export function listPages(pages: readonly Page[], api: readonly ApiPage[]): readonly Page[] {
  return [packageList(), nameList(api), decisionList(pages)];
}

/** The table of README.md, with a link to the names of each package. */
function packageList(): Page {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const rows = /^## Packages\n\n([\s\S]*?)\n\n/m.exec(readme)?.[1]?.split('\n').slice(2) ?? [];
  if (rows.length === 0) throw new Error('README.md has no table under "## Packages".');
  const table = rows.map((row) => {
    const name = /\(packages\/([\w-]+)\)/.exec(row)?.[1];
    if (name === undefined) throw new Error(`README.md: a row of the packages without a link: ${row}`);
    return `${mapLinks(row, () => `./${name}.md`)} [names](../api/${name}/index.md) |`;
  });
  return {
    page: 'packages/index.md',
    text: ['# Packages', '', '| package | what it is | |', '|---|---|---|', ...table, ''].join('\n'),
  };
}

function nameList(api: readonly ApiPage[]): Page {
  const lists = api.filter(({ page }) => page.endsWith('/index.md'));
  const parts = lists.map(({ owner, page }) => {
    const own = api.filter((each) => each.owner === owner && !each.page.endsWith('/index.md'));
    const links = own.map(({ title, page: at }) => `[${title}](./${owner}/${posix.basename(at)})`);
    return `## [\`@nn/${owner}\`](./${posix.relative('api', page)})\n\n${links.join(' · ')}`;
  });
  const count = api.reduce((sum, { names }) => sum + names.length, 0);
  const text = `# Names\n\nThe ${count} public names of all packages, from their sources. The search finds each of them.`;
  return { page: 'api/index.md', text: `${text}\n\n${parts.join('\n\n')}\n` };
}

function decisionList(pages: readonly Page[]): Page {
  const rows = pages
    .filter(({ page }) => /^decisions\/\d/.test(page))
    .map(({ page, text }) => `- [${titleOf(text)}](./${posix.basename(page)})`);
  const text = '# Decisions\n\nWhy it is built as it is: what was tried, what was measured, what was chosen.';
  return { page: 'decisions/index.md', text: `${text}\n\n${rows.join('\n')}\n` };
}
