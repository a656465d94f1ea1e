/**
 * Looks at what was built, as a host would serve it: every address of a page, its style sheets and scripts must lead to a file
 * of the site, every anchor to something on its page, and nothing may be asked of another host. Links to other hosts are for
 * people to follow; they are not visited.
 *
 *   node --import tsx apps/docs/src/stage/check.ts
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import process from 'node:process';
import { dist } from './places.ts';

/** What is wrong, one line each. `files` are the paths of the site with `/`; `read` answers the text of one. */
export function complaints(files: readonly string[], read: (file: string) => string): readonly string[] {
  const all = new Set(files);
  const anchors = new Map<string, ReadonlySet<string>>();
  const anchorsOf = (page: string): ReadonlySet<string> => {
    const found =
      anchors.get(page) ??
      new Set([...read(page).matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, id = '']) => plain(id)));
    anchors.set(page, found);
    return found;
  };
  return files
    .filter((file) => file.endsWith('.html') && file !== '404.html' && !file.startsWith('playground/'))
    .flatMap((page) => [...new Set(addresses(read(page)).flatMap((address) => wrong(page, address, all, anchorsOf)))])
    .concat(files.filter((file) => file.endsWith('.css')).flatMap((file) => foreignStyles(file, read(file))));
}

interface Address {
  readonly value: string;
  /** Whether the browser fetches it by itself. */
  readonly isLoaded: boolean;
}

function addresses(html: string): readonly Address[] {
  return [...html.matchAll(/<(\w+)\s([^>]*?)>/g)].flatMap(([, tag = '', attributes = '']) =>
    [...attributes.matchAll(/(?:^|\s)(href|src|srcset|poster|action)="([^"]*)"/g)].map(([, name, value = '']) => ({
      value: plain(value),
      isLoaded: name !== 'href' || tag === 'link',
    })),
  );
}

const plain = (text: string): string => text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&');

function wrong(
  page: string,
  { value, isLoaded }: Address,
  all: ReadonlySet<string>,
  anchorsOf: (page: string) => ReadonlySet<string>,
): readonly string[] {
  if (/^(data|mailto|blob|javascript):/.test(value)) return [];
  if (/^([a-z]+:)?\/\//.test(value)) return isLoaded ? [`${page} loads ${value} from another host.`] : [];
  if (value.startsWith('/')) return [`${page} leads to ${value}, which is right at the root of a host only.`];
  const [before = '', hash = ''] = value.split('#');
  const [path = ''] = before.split('?');
  const target = path === '' ? page : posix.join(posix.dirname(page), decodeURI(path));
  const file = target.endsWith('/') || target === '.' ? posix.join(target, 'index.html') : target;
  if (!all.has(file)) return [`${page} leads to ${value}, and there is no ${file}.`];
  const anchor = decodeURIComponent(hash);
  const isMissing =
    anchor !== '' && file.endsWith('.html') && !file.startsWith('playground/') && !anchorsOf(file).has(anchor);
  return isMissing ? [`${page} leads to ${value}, and ${file} has no "${anchor}".`] : [];
}

function foreignStyles(file: string, text: string): readonly string[] {
  return [...text.matchAll(/(?:url\(\s*["']?|@import\s+["'])((?:https?:)?\/\/[^"')\s]+)/g)].map(
    ([, address]) => `${file} loads ${address} from another host.`,
  );
}

if (process.argv[1] === import.meta.filename) {
  if (!existsSync(dist)) throw new Error(`${dist} is not there: npm run docs builds it.`);
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split('\\').join('/'))
    .filter((file) => statSync(join(dist, file)).isFile());
  const found = complaints(files, (file) => readFileSync(join(dist, file), 'utf8'));
  for (const complaint of found) console.error(complaint);
  const pages = files.filter((file) => file.endsWith('.html')).length;
  console.log(`${pages} pages, ${found.length} dead links`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
