/**
 * Where things lie: the repository, and where each of its documents stands on the site.
 * It knows names, not contents; documents.ts rewrites the links between them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, posix } from 'node:path';

export const home: string = join(import.meta.dirname, '../..');
export const root: string = join(home, '../..');
/** What VitePress builds from: written by main.ts, never by hand. */
export const content: string = join(home, 'content');
export const dist: string = join(home, 'dist');

/** A document of the repository and its page, both with `/` and relative: `docs/errors.md`, `errors.md`. */
export interface Place {
  readonly file: string;
  readonly page: string;
}

/** Every Markdown document that is a page of the site. */
export function places(): readonly Place[] {
  const inFolder = (folder: string, to: string): Place[] =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .sort()
      .map((name) => ({ file: `${folder}/${name}`, page: `${to}/${name}` }));
  const readmes = (group: string, to: string): Place[] =>
    readdirSync(join(root, group))
      .sort()
      .filter((name) => existsSync(join(root, group, name, 'README.md')))
      .map((name) => ({ file: `${group}/${name}/README.md`, page: `${to}/${name}.md` }));
  const alone = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
  return [
    { file: 'docs/README.md', page: 'guides/index.md' },
    { file: 'README.md', page: 'overview.md' },
    { file: 'SECURITY.md', page: 'security.md' },
    ...alone.sort().map((name) => ({ file: `docs/${name}`, page: name })),
    ...inFolder('docs/guides', 'guides'),
    ...inFolder('docs/decisions', 'decisions'),
    ...readmes('packages', 'packages'),
    ...readmes('apps', 'apps'),
  ];
}

/** The page on which a file or a folder of the repository is shown: undefined where there is none. */
export function pageOf(path: string, all: readonly Place[]): string | undefined {
  const wanted = path.replace(/\/$/, '');
  const found = all.find(({ file }) => file === wanted || file === `${wanted}/README.md`);
  if (found !== undefined) return found.page;
  const names = /^docs\/api\/([\w-]+)\.md$/.exec(wanted)?.[1];
  if (names !== undefined) return `api/${names}/index.md`;
  if (wanted === 'docs/api') return 'api/index.md';
  if (wanted === 'docs/decisions') return 'decisions/index.md';
  if (wanted === 'docs/guides' || wanted === 'docs') return 'guides/index.md';
  if (wanted === 'packages') return 'packages/index.md';
  return undefined;
}

/** A link between two pages, as Markdown writes it. */
export function relativeLink(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to);
  return path.startsWith('.') ? path : `./${path}`;
}

export const baseName = (path: string): string => basename(path, '.ts');
