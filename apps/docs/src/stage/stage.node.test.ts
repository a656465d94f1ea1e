/** Documents keep their text and change their links; names come whole; dead links are seen. */
import { describe, expect, test } from 'vitest';
import { parseComment } from './api/declarations.ts';
import { entries, publicNames } from './api/exports.ts';
import { apiPages, safe } from './api/pages.ts';
import { complaints } from './check.ts';
import { mapLinks } from './documents.ts';
import { canRun } from './examples.ts';
import { parted } from './offline.ts';
import { readingOrder } from './order.ts';
import { inPage } from './packages.ts';
import { slug } from './slug.ts';

describe('links', () => {
  const up = (target: string): string | null => (target === 'gone' ? null : target.toUpperCase());
  test('change outside of code only', () => {
    const text = 'a [b `c](d)`](e.md) `[f](g)`\n\n```ts\n[h](i)\n```\n![j](k.svg)';
    expect(mapLinks(text, up)).toBe('a [b `c](d)`](E.MD) `[f](g)`\n\n```ts\n[h](i)\n```\n![j](K.SVG)');
  });
  test('of a picture inside of a link change both', () => {
    expect(mapLinks('[![a](b)](c)', up)).toBe('[![a](B)](C)');
  });
  test('that lead nowhere leave their words', () => {
    expect(mapLinks('see [the `tests`](gone).', up)).toBe('see the `tests`.');
  });
});

test('anchors are those of hosts of repositories', () => {
  expect(['What it weighs', 'A `Training`, step by step!', '中文 标题', 'snake_case-and'].map(slug)).toEqual([
    'what-it-weighs',
    'a-training-step-by-step',
    '中文-标题',
    'snake_case-and',
  ]);
});

test('examples run in the page when all that they import is there', () => {
  const there = ['@nn/core'];
  expect(canRun('ts', "import { a } from '@nn/core';", there)).toBe(true);
  expect(canRun('ts docstring', "const { a } = await import('@nn/core');", there)).toBe(true);
  expect(canRun('ts no-run', "import { a } from '@nn/core';", there)).toBe(false);
  expect(canRun('ts', "import { a } from '@nn/core';\nimport fs from 'node:fs';", there)).toBe(false);
  expect(canRun('js', "import { a } from '@nn/core';", there)).toBe(false);
  expect(canRun('ts api:core', 'class A {}', there)).toBe(false);
});

test('packages that ask for Node are not offered to pages', () => {
  const offered = inPage();
  expect(offered).toEqual(
    expect.arrayContaining(['@nn/core', '@nn/train', '@nn/train/browser', '@nn/backend-cpu/wasm']),
  );
  for (const none of ['@nn/train/node', '@nn/conformance/node-test', '@nn/backend-native', '@nn/create']) {
    expect(offered).not.toContain(none);
  }
});

describe('names', () => {
  test('a doc comment is prose and examples', () => {
    const comment = '/**\n * What it is.\n *\n * More.\n * @example\n * f(1); // => 1\n * @internal\n */';
    expect(parseComment(comment)).toEqual({ prose: 'What it is.\n\nMore.', examples: ['f(1); // => 1'] });
  });
  test('what looks like a tag is text, but in code', () => {
    expect(safe('a < b, `c < d`, {{ e }}')).toBe('a &lt; b, `c < d`, &#123;&#123; e }}');
  });
  test('every public name has one place, with its declaration', () => {
    const owners = ['optim', 'train'];
    const pages = apiPages(owners);
    for (const owner of owners) {
      const wanted = entries()
        .filter(({ name }) => name === owner)
        .flatMap((entry) => publicNames(entry).map(({ name }) => name));
      const found = pages.filter((page) => page.owner === owner).flatMap(({ names }) => names);
      expect(found.toSorted()).toEqual(wanted.toSorted());
    }
    const adam = pages.find(({ page }) => page === 'api/optim/adam.md');
    expect(adam?.text).toContain('class Adam extends Optimizer');
    expect(adam?.text).not.toMatch(/\bprivate\b|#\w+;|static readonly name/);
    const node = pages.find(({ page }) => page === 'api/train/node.md');
    expect(node?.text).toContain('# From `@nn/train/node`');
  });
});

test('every guide stands in the order of reading', () => {
  const [first, hour] = readingOrder();
  expect(first?.text).toBe('All guides');
  expect(hour?.items?.[0]).toEqual({ text: 'Getting started', link: '/guides/getting-started' });
});

test('what is kept at once is what every page needs; the search and the guides come next, the playground keeps itself', () => {
  const files = [
    ...[
      'index.html',
      '404.html',
      'errors.html',
      'hashmap.json',
      'guides/a.html',
      'api/core/b.html',
      'packages/core.js',
    ],
    ...[
      'assets/app.x.js',
      'assets/style.y.css',
      'assets/chunks/theme.z.js',
      'assets/chunks/@localSearchIndexroot.q.js',
    ],
    ...['assets/index.md.a.lean.js', 'assets/guides_a.md.b.js', 'assets/api_core_b.md.c.js', 'source/d.html'],
    ...[
      'playground/index.html',
      'playground/assets/index.js',
      'service-worker.js',
      'zh/index.html',
      'zh/guides/a.html',
    ],
  ];
  const { first, later } = parted(files);
  expect(first).toEqual([
    'assets/app.x.js',
    'assets/chunks/theme.z.js',
    'assets/index.md.a.lean.js',
    'assets/style.y.css',
    'index.html',
    'zh/index.html',
  ]);
  expect(later).toEqual([
    'assets/chunks/@localSearchIndexroot.q.js',
    'assets/guides_a.md.b.js',
    'guides/a.html',
    'zh/guides/a.html',
    'packages/core.js',
    'errors.html',
    'api/core/b.html',
    'assets/api_core_b.md.c.js',
    'source/d.html',
  ]);
});

test('dead links, missing anchors, roots and other hosts are seen', () => {
  const site: Record<string, string> = {
    'index.html':
      '<a href="./a/b.html#here">x</a><a href="a/">y</a><link href="style.css"><a href="https://example.com">z</a>',
    'a/index.html': '<a href="../index.html">x</a><a href="#self">y</a><h2 id="self"></h2>',
    'a/b.html':
      '<h2 id="here"></h2><a href="../none.html">x</a><a href="../a/index.html#gone">y</a><a href="/root.html">z</a>',
    'style.css': 'a{background:url(https://example.com/a.png)}b{background:url(data:x)}',
    'c.html': '<script src="https://example.com/a.js"></script>',
  };
  expect(complaints(Object.keys(site), (file) => site[file] ?? '')).toEqual([
    'a/b.html leads to ../none.html, and there is no none.html.',
    'a/b.html leads to ../a/index.html#gone, and a/index.html has no "gone".',
    'a/b.html leads to /root.html, which is right at the root of a host only.',
    'c.html loads https://example.com/a.js from another host.',
    'style.css loads https://example.com/a.png from another host.',
  ]);
});
