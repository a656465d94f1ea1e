/**
 * PyTorch's and Keras' names beside ours as docs/guides/vocabulary.md: from the table in vocabulary-names.mjs and the names that
 * the packages export. A name that is exported is never said to be missing, one that is not is never said to be there.
 *
 *   node scripts/vocabulary.mjs --update    writes the page, as npm run api:update does
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { sections } from './vocabulary-names.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const page = join(root, 'docs/guides/vocabulary.md');

/** @typedef {{ theirs: string, ours: string[], note: string, missing: string[] }} Row missing: of ours, what nobody exports */

/** Where each public value comes from. @returns {Map<string, string[]>} */
export function publicNames() {
  /** @type {Map<string, string[]>} */
  const names = new Map();
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    if (name === 'conformance') continue;
    const { exports } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
    for (const [entry, conditions] of Object.entries(exports)) {
      const source = conditions['@nn/source'];
      if (source === undefined) continue;
      const home = name + entry.slice(1);
      for (const exported of exportsOf(join('packages', name, source))) {
        names.set(exported, [...(names.get(exported) ?? []), home]);
      }
    }
  }
  for (const statement of parse('packages/core/src/tensor.ts').statements) {
    if (!ts.isClassDeclaration(statement) || statement.name?.text !== 'Tensor') continue;
    for (const member of statement.members) {
      if (ts.isMethodDeclaration(member) && ts.isIdentifier(member.name)) names.set(`x.${member.name.text}`, ['core']);
    }
  }
  return names;
}

/** The values that a file exports by name. @param {string} file @returns {string[]} */
function exportsOf(file) {
  return parse(file).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.isTypeOnly) return [];
    const clause = statement.exportClause;
    if (clause === undefined || !ts.isNamedExports(clause)) return [];
    return clause.elements.flatMap(({ isTypeOnly, name }) => (isTypeOnly ? [] : [name.text]));
  });
}

/** @param {string} file */
const parse = (file) => ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true);

/** A line of the table. @param {string} line @param {Map<string, string[]>} names @returns {Row} */
export function rowOf(line, names) {
  // the last " = " divides: theirs may be an assignment
  const [head = '', ...notes] = line.split(' - ');
  const at = head.lastIndexOf(' = ');
  const theirs = at < 0 ? head : head.slice(0, at);
  const ours = at < 0 ? guess(theirs, names) : listOf(head.slice(at + 3));
  const missing = ours.filter((name) => !name.startsWith('"') && !names.has(name));
  return { theirs, ours, note: notes.join(' - '), missing };
}

/** @param {string} text @returns {string[]} */
const listOf = (text) => (text.startsWith('"') ? [text] : text.split(', '));

/** The names that a line without ours may mean. @param {string} theirs @param {Map<string, string[]>} names @returns {string[]} */
function guess(theirs, names) {
  const list = theirs.split(', ');
  const found = list.map((name) => {
    const camel = name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
    return [name, camel].find((candidate) => names.has(candidate));
  });
  return found.flatMap((name) => (name === undefined ? [] : [name]));
}

/** What is missing, as a row says it: nothing of ours is there. @param {Row} row */
export const isMissing = ({ ours, missing }) => missing.length > 0 || ours.length === 0;

/** @returns {{ title: string, about: string, home: string, rows: Row[] }[]} home: the package that comes first */
export function tables(names = publicNames()) {
  return sections.map(({ title, about, home = '', lines }) => ({
    title,
    about,
    home,
    rows: lines
      .trim()
      .split('\n')
      .map((line) => rowOf(line, names)),
  }));
}

/** The page, from the sources as they are. @returns {string} */
export function vocabularyPage() {
  const names = publicNames();
  const all = tables(names);
  const rows = all.flatMap((table) => table.rows);
  const count = (/** @type {Row[]} */ list) => list.reduce((sum, { theirs }) => sum + theirs.split(', ').length, 0);
  const absent = rows.filter(isMissing);
  const parts = all.map(
    ({ title, about, home, rows: lines }) =>
      `## ${title}\n\n${about}\n\n| theirs | here | |\n|---|---|---|\n${lines.map((row) => lineOf(row, names, home)).join('\n')}`,
  );
  return `# The vocabulary: PyTorch's and Keras' names

Written by \`npm run api:update\` from a table and from the names that the packages export. A name in the first column is looked up by
users of PyTorch 2 and Keras 3; the second says what it is called here. \`x.sum\` is a method of tensors; a name without a package comes
from \`@nn/core\`. Of ${count(rows)} names ${count(absent)} are **missing**; the reason stands beside them.
How models move: [from PyTorch](moving-from-pytorch.md), [from TensorFlow.js](moving-from-tensorflow-js.md).

${parts.join('\n\n')}
`;
}

/** @param {string} text */
const code = (text) => `\`${text.replaceAll('|', '\\|')}\``;

/** @param {Row} row @param {Map<string, string[]>} names @param {string} first @returns {string} */
function lineOf(row, names, first) {
  const theirs = row.theirs.split(', ').map(code).join(', ');
  if (isMissing(row)) return `| ${theirs} | **missing** | ${row.note || 'not written yet'} |`;
  const ours = row.ours.map((name) => {
    if (name.startsWith('"')) return code(name.slice(1, -1));
    const homes = names.get(name) ?? [];
    const home = homes.includes(first) ? first : homes[0];
    return home === 'core' ? code(name) : `${code(name)} (${home})`;
  });
  return `| ${theirs} | ${ours.join(', ')} | ${row.note} |`;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--update')) {
  writeFileSync(page, vocabularyPage());
}
