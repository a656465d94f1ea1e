/**
 * The documents of the repository as pages of the site. The text stays as it is; only links change, from files to pages. A
 * source file that a document links to becomes a page with its text, pictures come along, and what is no page loses its link.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { content, type Place, pageOf, places, relativeLink, root } from './places.ts';

export interface Page {
  readonly page: string;
  readonly text: string;
}

/** Stands for code that is put aside: a sign that no document has. */
const mark = '\uE000';
const pictures = ['.svg', '.png', '.jpg', '.gif'];

/** Every document as a page, and the sources that they link to. */
export function documents(): readonly Page[] {
  const all = places();
  const shown: Place[] = [...all];
  const sources = new Set<string>();
  const pages: Page[] = [];
  for (let place = shown.pop(); place !== undefined; place = shown.pop()) {
    const from = place;
    const found = new Set<string>();
    const text = mapLinks(readFileSync(join(root, from.file), 'utf8'), (link) => onSite(from, link, all, found));
    pages.push({ page: from.page, text });
    for (const file of [...found].filter((each) => !sources.has(each))) {
      sources.add(file);
      // A document inside of a package has links of its own.
      if (file.endsWith('.md')) shown.push({ file, page: sourcePageOf(file) });
      else pages.push(sourcePage(file));
    }
  }
  return pages.sort((a, b) => (a.page < b.page ? -1 : 1));
}

/** The first heading of a document, without its marks. */
export function titleOf(text: string): string {
  return /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? '';
}

/**
 * Every link outside of code, as another target or, for null, as its text alone.
 * It knows `[text](target)` and pictures inside of the text, which is all that our documents use.
 */
export function mapLinks(markdown: string, change: (target: string) => string | null): string {
  const link = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)/g;
  const inText = (text: string): string =>
    text.replace(link, (_, sign: string, label: string, target: string) => {
      const found = change(target);
      return found === null ? inText(label) : `${sign}[${inText(label)}](${found})`;
    });
  return outsideOfCode(markdown, inText);
}

/** Fences and `code` stay as they are; the label of a link may hold code. */
function outsideOfCode(markdown: string, change: (text: string) => string): string {
  const code: string[] = [];
  const hidden = markdown.replace(/^( *)(`{3,})[^\n]*\n[\s\S]*?^\1\2 *$|`[^`\n]*`/gm, (found) => {
    code.push(found);
    return `${mark}${code.length - 1}${mark}`;
  });
  const restore = (text: string): string =>
    text.replace(new RegExp(`${mark}(\\d+)${mark}`, 'g'), (_, at: string) => code[Number(at)] ?? '');
  return restore(change(hidden));
}

/** A link of a document as a link of its page. */
function onSite({ file, page }: Place, link: string, all: readonly Place[], sources: Set<string>): string | null {
  if (/^([a-z]+:|#)/.test(link)) return link;
  const [path = '', hash] = link.split('#');
  const target = posix.join(posix.dirname(file), decodeURIComponent(path));
  const anchor = hash === undefined ? '' : `#${hash}`;
  const found = pageOf(target, all);
  if (found !== undefined) return relativeLink(page, found) + anchor;
  const origin = join(root, target);
  if (!existsSync(origin)) throw new Error(`${file} links to ${link}, which is not there.`);
  if (statSync(origin).isDirectory()) return null;
  if (pictures.includes(extname(target))) return relativeLink(page, bring(origin, join('files', target)));
  if (target.endsWith('.json')) return `/${bring(origin, join('public/files', target)).slice('public/'.length)}`;
  sources.add(target);
  return relativeLink(page, sourcePageOf(target)) + anchor;
}

function bring(origin: string, to: string): string {
  mkdirSync(dirname(join(content, to)), { recursive: true });
  copyFileSync(origin, join(content, to));
  return to;
}

/** Without dots in its name, which would be taken for a kind of file. */
const sourcePageOf = (file: string): string => `source/${file.replace(/\.md$/, '').replaceAll('.', '-')}.md`;

function sourcePage(file: string): Page {
  const fence = '```````';
  const text = readFileSync(join(root, file), 'utf8');
  const head = `---\ntitle: ${file}\nsearch: false\naside: false\n---\n\n# \`${file}\``;
  return { page: sourcePageOf(file), text: `${head}\n\n${fence}${extname(file).slice(1)} no-run\n${text}\n${fence}\n` };
}
