/**
 * What our pages do with code: an example that a page can run gets its buttons, and the declarations of public names link to
 * the names they use. It adds to what VitePress renders and changes nothing of it.
 */
import type { MarkdownRenderer } from 'vitepress';
import type { Site } from './site.ts';

export function addExamples(md: MarkdownRenderer, { names, inPage }: Pick<Site, 'names' | 'inPage'>): void {
  const pages = new NamePages(names);
  const highlight = md.options.highlight;
  md.options.highlight = async (code: string, language: string, attributes: string) => {
    const html = (await highlight?.(code, language, attributes)) ?? '';
    const owner = /\bapi:([\w-]+)/.exec(attributes)?.[1];
    return owner === undefined ? html : linkNames(html, (name) => pages.of(name, owner));
  };
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, at, options, env, self) => {
    const html = fence?.(tokens, at, options, env, self) ?? '';
    const { info = '', content = '' } = tokens[at] ?? {};
    if (!canRun(info, content, inPage)) return html;
    const docstring = /\bdocstring\b/.test(info) ? ' docstring' : '';
    return `<RunnableExample${docstring}>${html}</RunnableExample>`;
  };
}

/** TypeScript that is meant to be run and asks for nothing but packages that are there. */
export function canRun(info: string, code: string, inPage: readonly string[]): boolean {
  const [language = '', ...marks] = info.split(/\s+/);
  if (!['ts', 'typescript'].includes(language)) return false;
  if (marks.some((mark) => mark === 'no-run' || mark.startsWith('api:'))) return false;
  const imported = [...code.matchAll(/(?:\bfrom|\bimport)[ (]+'([^']+)'/g)].map(([, specifier = '']) => specifier);
  return imported.length > 0 && imported.every((specifier) => inPage.includes(specifier));
}

/** Which page describes a name: that of the package itself first, then core's, then the only one there is. */
class NamePages {
  readonly #byName = new Map<string, { readonly owner: string; readonly page: string }[]>();

  constructor(names: Site['names']) {
    for (const [owner, name, page] of names) {
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), { owner, page }]);
    }
  }

  of(name: string, owner: string): string | undefined {
    const found = this.#byName.get(name) ?? [];
    const best = found.find((each) => each.owner === owner) ?? found.find((each) => each.owner === 'core');
    const page = (best ?? (found.length === 1 ? found[0] : undefined))?.page;
    // From one page of names to another: all of them lie two folders deep.
    return page?.replace(/^api\//, '../').replace(/\.md$/, `.html#${name}`);
  }
}

/** Types in highlighted code, as links. @internal */
function linkNames(html: string, link: (name: string) => string | undefined): string {
  return html.replace(/>([^<]+)</g, (whole, text: string) => {
    const linked = text.replace(/\b[A-Z]\w+\b/g, (name) => {
      const target = link(name);
      return target === undefined ? name : `<a href="${target}">${name}</a>`;
    });
    return linked === text ? whole : `>${linked}<`;
  });
}
