/**
 * Writes what VitePress builds from: every document with its links, the names of all packages, the pages of this folder, the
 * packages for examples that run in the page, the playground if it is built, and what the sidebar shows.
 *
 *   node --import tsx apps/docs/src/stage/main.ts
 */
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ApiPage, apiPages } from './api/pages.ts';
import { documents, type Page } from './documents.ts';
import { lessonPages, playground } from './lessons.ts';
import { listPages } from './lists.ts';
import { sidebars } from './order.ts';
import { bundlePackages, inPage } from './packages.ts';
import { content, home } from './places.ts';

rmSync(content, { recursive: true, force: true });
mkdirSync(content, { recursive: true });
const api: readonly ApiPage[] = apiPages();
const found: readonly Page[] = documents();
if (!existsSync(playground)) throw new Error('The playground is not built: npm run docs builds it.');
const pages: readonly Page[] = [...found, ...listPages(found, api), ...lessonPages(playground), ...api];
for (const { page, text } of pages) {
  mkdirSync(dirname(join(content, page)), { recursive: true });
  writeFileSync(join(content, page), text);
}
cpSync(join(home, 'pages'), content, { recursive: true });
await bundlePackages();
cpSync(playground, join(content, 'public/playground'), { recursive: true });
const names = api.flatMap((page) => page.names.map((name) => [page.owner, name, page.page]));
writeFileSync(join(content, 'site.json'), JSON.stringify({ sidebar: sidebars(found, api), names, inPage: inPage() }));
