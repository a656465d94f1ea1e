/**
 * What our pages do with code: an example that a page can run gets its buttons, and the declarations of public names link to
 * the names they use. It adds to what VitePress renders and changes nothing of it.
 */
import type { MarkdownOptions, MarkdownRenderer } from 'vitepress';
import type { Site } from './site.ts';

type Transformer = NonNullable<MarkdownOptions['codeTransformers']>[number];
type Coloured = Parameters<NonNullable<Transformer['span']>>[0];

export function addExamples(md: MarkdownRenderer, inPage: readonly string[]): void {
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, at, options, env, self) => {
    const html = fence?.(tokens, at, options, env, self) ?? '';
    const { info = '', content = '' } = tokens[at] ?? {};
    if (!canRun(info, content, inPage)) return html;
    const docstring = /\bdocstring\b/.test(info) ? ' docstring' : '';
    return `<RunnableExample${docstring}>${html}</RunnableExample>`;
  };
}

/** Types in the declarations of a package (`ts api:layers`) lead to the pages that describe them. */
export function nameLinks(names: Site['names']): Transformer {
  const pages = new NamePages(names);
  return {
    name: 'nn:name-links',
    span(node) {
      const owner = /\bapi:([\w-]+)/.exec(this.options.meta?.__raw ?? '')?.[1];
      if (owner !== undefined) node.children = node.children.flatMap((child) => linked(child, owner, pages));
    },
  };
}

/** A piece of text in one colour, with its names as links. */
function linked(child: Coloured['children'][number], owner: string, pages: NamePages): Coloured['children'] {
  if (child.type !== 'text') return [child];
  return child.value.split(/\b([A-Z]\w+)\b/).flatMap((value): Coloured['children'] => {
    if (value === '') return [];
    const href = /^[A-Z]\w+$/.test(value) ? pages.of(value, owner) : undefined;
    const text = { type: 'text' as const, value };
    return href === undefined ? [text] : [{ type: 'element', tagName: 'a', properties: { href }, children: [text] }];
  });
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
