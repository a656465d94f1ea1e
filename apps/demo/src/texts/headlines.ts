/**
 * Descriptions and what stands over them: documentation comments of TypeScript's own declarations with the name of what they are of, or
 * manual pages of a folder (as /usr/share/man) with their NAME lines. Names stand in words: `textContent` is "text content".
 */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Failure } from '../failure.ts';

export interface Headlines {
  readonly name: string;
  /** Words in lower case, with blanks between. */
  readonly pairs: readonly { readonly text: string; readonly headline: string }[];
}

/** Words of a text: letters and digits, and names in which words are joined taken apart. */
const wordsOf = (text: string): string[] =>
  text
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .match(/[a-z]+|\d+/g) ?? [];

export async function headlines(folder: string | undefined): Promise<Headlines> {
  const found = folder === undefined ? await fromDeclarations() : await fromManuals(folder);
  const unique = new Map<string, { readonly text: string; readonly headline: string }>();
  for (const { text, headline } of found.pairs) {
    const [words, title] = [wordsOf(text), wordsOf(headline)];
    if (words.length < 5 || title.length < 1 || title.length > 10) continue;
    const pair = { text: words.slice(0, 40).join(' '), headline: title.join(' ') };
    unique.set(`${pair.text}\n${pair.headline}`, pair);
  }
  return { name: found.name, pairs: [...unique.values()] };
}

/** Where Node finds it from here: this file runs as it is and, by `npm start`, as a part of what is built. */
function libraryOfTypeScript(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('typescript'));
  } catch {
    throw new Failure(
      'TypeScript, whose declarations are read, is not installed: npm run setup, or --data /usr/share/man.',
    );
  }
}

async function fromDeclarations(): Promise<Headlines> {
  const folder = libraryOfTypeScript();
  const files = (await readdir(folder)).filter((file) => /^lib\..*\.d\.ts$/.test(file)).sort();
  if (files.length === 0) {
    throw new Failure(`There are no declarations of TypeScript in ${folder}: --data /usr/share/man reads manuals.`);
  }
  const pairs: { text: string; headline: string }[] = [];
  for (const file of files) {
    const source = await readFile(join(folder, file), 'utf8');
    for (const [, comment = '', name = ''] of source.matchAll(
      /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*(?:readonly |declare function |declare var |interface )?(\w+)[?<(:\s]/g,
    )) {
      const text = comment
        .replace(/^\s*\*/gm, '')
        .replace(/\[MDN Reference\]\(.*?\)/g, '')
        .replace(/\*\*`.*?`\*\*/g, '') // which spells the name
        .replace(/\n\s*@[\s\S]*/, '');
      pairs.push({ text, headline: name });
    }
  }
  return { name: "documentation comments of TypeScript's declarations", pairs };
}

async function fromManuals(folder: string): Promise<Headlines> {
  const sections = await readdir(folder).catch((error: Error) => {
    throw new Failure(`--data ${folder} cannot be read: ${error.message}.`);
  });
  const pairs: { text: string; headline: string }[] = [];
  for (const section of sections.filter((each) => /^man[1-8]$/.test(each)).sort()) {
    for (const file of (await readdir(join(folder, section))).sort()) {
      const bytes = await readFile(join(folder, section, file)).catch(() => null); // links that lead nowhere
      if (bytes === null) continue;
      const source = file.endsWith('.gz') ? await promisify(gunzip)(bytes).catch(() => null) : bytes;
      const parts = source === null ? [] : source.toString('utf8').split(/^\.S[Hh]\s+"?(.*?)"?\s*$/m);
      const part = (title: string): string =>
        parts[parts.findIndex((each, i) => i % 2 === 1 && each === title) + 1] ?? '';
      const [named, described] = [plain(part('NAME')), plain(part('DESCRIPTION'))];
      const headline = named.split(/ (?:-|--|—) /)[1];
      if (headline !== undefined && described !== '' && parts.includes('DESCRIPTION'))
        pairs.push({ text: described, headline });
    }
  }
  if (pairs.length < 100)
    throw new Failure(
      `--data ${folder}: ${pairs.length} manual pages were found in man1 to man8: at least 100 are needed.`,
    );
  return { name: 'manual pages', pairs };
}

/** Text without the marks of the typesetter. */
function plain(roff: string): string {
  return roff
    .replace(/^\.\\".*$/gm, '')
    .replace(/^\.[A-Za-z]+/gm, '')
    .replace(/\\f[A-Z]|\\f\(..|\\,|\\\/|\\&/g, '')
    .replace(/\\-/g, '-')
    .replace(/\\\(..|\\\[.*?\]|\\./g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
