/**
 * The pages of the public names: one for each folder (or file) of a package's sources, so that names that belong together stand
 * together, and one with all names of the package. The names, comments and examples come from the sources themselves.
 */
import { join, posix, relative, sep } from 'node:path';
import { baseName, root } from '../places.ts';
import { type Comment, type Declaration, declarationOf } from './declarations.ts';
import { type Entry, entries, type PublicName, publicNames } from './exports.ts';

export interface ApiPage {
  /** `api/layers/attention.md` */
  readonly page: string;
  /** `layers` */
  readonly owner: string;
  /** What the sidebar calls it. */
  readonly title: string;
  readonly names: readonly string[];
  readonly text: string;
}

/** The pages of packages (all, unless it is said which), those of a package together, its list of names first. */
export function apiPages(only?: readonly string[]): readonly ApiPage[] {
  const byPackage = new Map<string, Entry[]>();
  for (const entry of entries().filter(({ name }) => only?.includes(name) ?? true))
    byPackage.set(entry.name, [...(byPackage.get(entry.name) ?? []), entry]);
  return [...byPackage].flatMap(([name, own]) => pagesOf(name, own));
}

function pagesOf(owner: string, own: readonly Entry[]): ApiPage[] {
  const pages = new Map<string, { readonly entry: Entry; readonly names: PublicName[] }>();
  for (const entry of own) {
    for (const name of publicNames(entry)) {
      const key = entry.path === '' ? areaOf(owner, name.file) : entry.path;
      const page = pages.get(key) ?? { entry, names: [] };
      if (page.entry !== entry) throw new Error(`@nn/${owner}: ${key} is a folder and an entry.`);
      page.names.push(name);
      pages.set(key, page);
    }
  }
  const made = [...pages].sort(byEntry).map(([key, { entry, names }]) => areaPage(owner, key, entry, names));
  return [listPage(owner, made), ...made.map(({ page }) => page)];
}

/** Other entries come last. */
const byEntry = (
  [a, { entry: of }]: readonly [string, { readonly entry: Entry }],
  [b, { entry: and }]: readonly [string, { readonly entry: Entry }],
): number => of.path.localeCompare(and.path) || (a < b ? -1 : 1);

/** The folder in which the sources of a package keep a name, or its file. */
function areaOf(owner: string, file: string): string {
  const path = relative(join(root, 'packages', owner, 'src'), file)
    .split(sep)
    .join('/');
  return path.includes('/') ? (path.split('/')[0] ?? '') : baseName(path);
}

interface Made {
  readonly page: ApiPage;
  readonly entry: Entry;
  readonly rows: readonly { readonly name: string; readonly kind: string; readonly summary: string }[];
}

function areaPage(owner: string, key: string, entry: Entry, names: readonly PublicName[]): Made {
  const sections = [...names]
    .sort((a, b) => a.name.localeCompare(b.name, 'en'))
    .map(({ name, local, file }) => ({ name, declaration: declarationOf(file, local, name) }))
    .map(({ name, declaration }) => ({ name, declaration, text: section(owner, name, declaration) }));
  const title = entry.path === '' ? key.replaceAll('-', ' ') : entry.specifier;
  // An anchor that no name can have.
  const head = `# ${entry.path === '' ? `\`@nn/${owner}\` ${title}` : `From \`${entry.specifier}\``} {#these-names}`;
  const page = posix.join('api', owner, `${key}.md`);
  const from = `Names of [\`@nn/${owner}\`](./index.md), imported from \`${entry.specifier}\`.`;
  return {
    entry,
    page: {
      page,
      owner,
      title,
      names: sections.map(({ name }) => name),
      text: [
        `---\ntitle: ${JSON.stringify(entry.path === '' ? `${title} · @nn/${owner}` : entry.specifier)}\n---`,
        head,
        from,
        ...sections.map(({ text }) => text),
      ].join('\n\n'),
    },
    rows: sections.map(({ name, declaration: { kind, comment } }) => ({ name, kind, summary: summaryOf(comment) })),
  };
}

function section(owner: string, name: string, { kind, code, comment, members }: Declaration): string {
  return [
    `## ${name} <Badge type="info" text="${kind}" /> {#${name}}`,
    `\`\`\`ts api:${owner}\n${code}\n\`\`\``,
    prose(comment),
    ...members.flatMap(({ code: signature, comment: about }) => [
      `<div class="api-member">\n\n\`\`\`ts api:${owner}\n${signature}\n\`\`\`\n\n${prose(about)}\n\n</div>`,
    ]),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Text and examples. In prose, what looks like a tag or like Vue's braces is text. */
function prose({ prose: text, examples }: Comment): string {
  return [
    text === '' ? '' : safe(text),
    ...examples.map((example) => (example.startsWith('```') ? example : `\`\`\`ts docstring\n${example}\n\`\`\``)),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Escapes what Vue would take for its own outside of code. */
export function safe(markdown: string): string {
  return markdown
    .split(/(```[\s\S]*?```|`[^`\n]*`)/)
    .map((part, at) => (at % 2 === 1 ? part : part.replaceAll('<', '&lt;').replaceAll('{{', '&#123;&#123;')))
    .join('');
}

/** The first sentence. */
function summaryOf({ prose: text }: Comment): string {
  const paragraph = text.split('\n\n')[0]?.replace(/\s+/g, ' ') ?? '';
  const sentence = /^(?:`[^`]*`|\.(?! |$)|[^`.])*\.?/.exec(paragraph)?.[0] ?? paragraph;
  return safe(sentence).replaceAll('|', '\\|');
}

/** Every name of the package, with what it is for. */
function listPage(owner: string, made: readonly Made[]): ApiPage {
  const tables = made.flatMap(({ page, entry, rows }) => [
    `## [${entry.path === '' ? page.title : `From \`${entry.specifier}\``}](./${posix.basename(page.page)})`,
    ['| name | | |', '|---|---|---|']
      .concat(
        rows.map(
          // As HTML: Markdown's links make anchors small, and 'Linear' and 'linear' are two names.
          ({ name, kind, summary }) =>
            `| <a href="./${posix.basename(page.page, '.md')}.html#${name}"><code>${name}</code></a> | ${kind} | ${summary} |`,
        ),
      )
      .join('\n'),
  ]);
  const count = made.reduce((sum, { rows }) => sum + rows.length, 0);
  return {
    page: posix.join('api', owner, 'index.md'),
    owner,
    title: `@nn/${owner}`,
    names: [],
    text: [
      `---\ntitle: "Names of @nn/${owner}"\n---`,
      `# \`@nn/${owner}\``,
      `${count} public names. What the package is for, with the way of the data through it: [its page](../../packages/${owner}.md).`,
      ...tables,
    ].join('\n\n'),
  };
}
