/**
 * The order of reading: what the sidebar shows. Guides stand as docs/README.md lists them, under its headings, so that the list
 * for readers of the repository and that of the site are one; a guide that it leaves out stops the build.
 */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { ApiPage } from './api/pages.ts';
import { type Page, titleOf } from './documents.ts';
import { pageOf, places, root } from './places.ts';

export interface Item {
  readonly text: string;
  readonly link?: string;
  readonly items?: readonly Item[];
  readonly collapsed?: boolean;
}

export type Sidebar = Readonly<Record<string, readonly Item[]>>;

/** `guides/tensors.md` as a link of the sidebar. */
const linkTo = (page: string): string => `/${page.replace(/(^|\/)index\.md$/, '$1').replace(/\.md$/, '')}`;

export function sidebars(pages: readonly Page[], api: readonly ApiPage[]): Sidebar {
  const guides = readingOrder();
  const decisions = pages
    .filter(({ page }) => /^decisions\/\d/.test(page))
    .map(({ page, text }) => ({ text: titleOf(text), link: linkTo(page) }));
  const packages = pages
    .filter(({ page }) => page.startsWith('packages/') && !page.endsWith('index.md'))
    .map(({ page }) => ({ text: `@nn/${posix.basename(page, '.md')}`, link: linkTo(page) }));
  const lists = api.filter(({ page }) => page.endsWith('/index.md'));
  const ofPackage = lists.map(({ owner, page }): [string, readonly Item[]] => [
    linkTo(page),
    [
      {
        text: `@nn/${owner}`,
        items: [
          { text: 'All its names', link: linkTo(page) },
          ...api
            .filter((each) => each.owner === owner && each !== lists.find((list) => list.owner === owner))
            .map(({ title, page: at }) => ({ text: title, link: linkTo(at) })),
        ],
      },
      {
        text: 'Other packages',
        collapsed: true,
        items: lists
          .filter((list) => list.owner !== owner)
          .map(({ title, page: at }) => ({ text: title, link: linkTo(at) })),
      },
    ],
  ]);
  const all = lists.map(({ title, page }) => ({ text: title, link: linkTo(page) }));
  return {
    ...Object.fromEntries(ofPackage),
    '/api/': [{ text: 'Names of', items: all }],
    '/packages/': [{ text: 'Packages', items: [{ text: 'Which is for what', link: '/packages/' }, ...packages] }],
    '/decisions/': [{ text: 'Decisions', items: decisions }],
    '/': guides,
  };
}

/** The headings of docs/README.md, and the pages that stand under each. */
export function readingOrder(): readonly Item[] {
  const all = places();
  const text = readFileSync(join(root, 'docs/README.md'), 'utf8');
  const [, ...parts] = text.split(/^## /m);
  const groups = parts.map((part): Item => {
    const [heading = '', ...lines] = part.split('\n');
    const items = [...lines.join('\n').matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)].map(([, label = '', target = '']) => {
      const page = pageOf(posix.join('docs', target), all);
      if (page === undefined) throw new Error(`docs/README.md links to ${target}, which is no page.`);
      return { text: label.replaceAll('`', ''), link: linkTo(page) };
    });
    return { text: heading, items };
  });
  const listed = new Set(groups.flatMap(({ items = [] }) => items.map(({ link }) => link)));
  const forgotten = all.filter(({ page }) => /^guides\/(?!index)/.test(page) && !listed.has(linkTo(page)));
  if (forgotten.length > 0) {
    throw new Error(`docs/README.md does not list ${forgotten.map(({ file }) => file).join(', ')}.`);
  }
  return [{ text: 'All guides', link: '/guides/' }, ...groups];
}
