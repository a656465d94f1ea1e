/**
 * The configuration of VitePress: relative addresses, so that the folder can be served at any path; a search whose index is a
 * file of the site; no fonts, scripts or pictures of other hosts; two languages, of which Chinese has the first pages only.
 */
import { join } from 'node:path';
import {
  type DefaultTheme,
  defineConfig,
  type MarkdownEnv,
  type MarkdownRenderer,
  type PageData,
  type UserConfig,
} from 'vitepress';
import { addExamples, nameLinks } from './examples.ts';
import { content, dist, home } from './places.ts';
import { site } from './site.ts';
import { slug } from './slug.ts';
import { chinese, english } from './words.ts';

export function configuration(): UserConfig<DefaultTheme.Config> {
  const { sidebar, names, inPage } = site();
  return defineConfig({
    base: './',
    srcDir: content,
    outDir: dist,
    cacheDir: join(home, '.vitepress/cache'),
    title: 'nn',
    description: english.description,
    head: [
      [
        'link',
        {
          rel: 'icon',
          href: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M3 4l5 8 5-8M3 12L8 4l5 8" fill="none" stroke="%232563c9" stroke-width="1.5"/><g fill="%23e07b1a"><circle cx="3" cy="4" r="2"/><circle cx="3" cy="12" r="2"/><circle cx="8" cy="4" r="2"/><circle cx="8" cy="12" r="2"/><circle cx="13" cy="4" r="2"/><circle cx="13" cy="12" r="2"/></g></svg>',
        },
      ],
    ],
    lastUpdated: false,
    markdown: {
      anchor: { slugify: slug },
      attrs: true,
      emoji: false,
      footnote: false,
      container: false,
      include: false,
      snippet: false,
      codeTransformers: [nameLinks(names)],
      config: (md) => addExamples(md, inPage),
    },
    locales: {
      root: { label: 'English', lang: 'en', themeConfig: english.theme },
      zh: {
        label: '简体中文',
        lang: 'zh-CN',
        link: '/zh/',
        description: chinese.description,
        themeConfig: chinese.theme,
      },
    },
    themeConfig: {
      sidebar: { ...sidebar, '/zh/': chinese.sidebar },
      outline: [2, 3],
      i18nRouting: sameInLanguage,
      search: {
        provider: 'local',
        options: {
          _render: plainly,
          locales: { zh: { translations: chinese.search } },
          miniSearch: { options: { tokenize } },
        },
      },
    },
    vite: {
      publicDir: join(content, 'public'),
      resolve: { conditions: ['@nn/source', 'browser', 'module', 'development|production'] },
      build: { target: 'es2022', chunkSizeWarningLimit: 20_000 },
      worker: { format: 'es' },
    },
  });
}

/** A page for the index of the search, which needs no colours: those would be made a third time. */
async function plainly(source: string, env: MarkdownEnv, md: MarkdownRenderer): Promise<string> {
  const html = await md.renderAsync(source.replace(/^( *`{3,}).*$/gm, '$1'), env);
  return env.frontmatter?.search === false ? '' : html;
}

/**
 * The same page in another language; one that is only in English leads to the start of the Chinese ones. This and `tokenize`
 * are written into the pages as text, so they use nothing from outside.
 */
function sameInLanguage(_: unknown, route: { readonly data: PageData }, language: string): string {
  const page = route.data.relativePath
    .replace(/^zh\//, '')
    .replace(/(^|\/)index\.md$/, '$1')
    .replace(/\.md$/, '.html');
  const isInBoth = ['', 'lessons.html', 'guides/getting-started.html'].includes(page);
  return `${language === 'root' ? '/' : '/zh/'}${isInBoth ? page : ''}`;
}

/**
 * Words as they are typed and looked for: `crossEntropy` is itself, `cross` and `Entropy`; Chinese has no spaces, so its
 * signs count alone and in pairs.
 */
function tokenize(text: string): string[] {
  return text.split(/[\n\r\p{Z}\p{P}\p{S}]+/u).flatMap((word) => {
    const signs = word.match(/\p{Script=Han}/gu) ?? [];
    const pairs = signs.slice(1).map((sign, at) => `${signs[at]}${sign}`);
    const parts = word.split(/(?<=[a-z\d])(?=[A-Z])/);
    return [word, ...(parts.length > 1 ? parts : []), ...signs, ...pairs];
  });
}
