/**
 * The public names and types of each package as docs/api/<package>.md, from the built declarations: a list to review.
 * Comments are left out (the site of the documentation shows them), as are members marked private or @internal, and the static `name` by which a
 * class is called in errors, though a bundler renames it.
 *
 *   node scripts/api.mjs             fails when a list is out of date, and says what changed
 *   node scripts/api.mjs --update    writes the lists, docs/errors.md, docs/guides/vocabulary.md, and the tables of docs/guides/moving-models.md
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { page as errors, errorsPage } from './errors.mjs';
import { page as vocabulary, vocabularyPage } from './vocabulary.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const printer = ts.createPrinter({ removeComments: true });

/** @type {ts.CompilerOptions} */
const options = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  types: [],
  skipLibCheck: true,
  noEmit: true,
};
/** Reads each file once for all packages: what the language and the page declare, and what packages have of each other. */
const host = ts.createCompilerHost(options);
const { getSourceFile } = host;
/** @type {Map<string, ts.SourceFile | undefined>} */
const sources = new Map();
host.getSourceFile = (file, ...rest) => {
  if (!sources.has(file)) sources.set(file, getSourceFile(file, ...rest));
  return sources.get(file);
};

/** The packages that have a list. @returns {string[]} */
export const packages = () => readdirSync(join(root, 'packages')).sort();

/** @param {string} name @returns {string} */
export const pathOf = (name) => join(root, 'docs/api', `${name}.md`);

/** Links to the guides whose examples use a package. @param {string} name @returns {string[]} */
function guidesOf(name) {
  const folder = join(root, 'docs/guides');
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      if (!text.includes(`from '@nn/${name}'`) && !text.includes(`from '@nn/${name}/`)) return [];
      return [`[${/^# (.*)$/m.exec(text)?.[1] ?? file}](../guides/${file})`];
    });
}

/** The list of a package. Throws when its types are not built. @param {string} name @returns {string} */
export function apiOf(name) {
  const folder = join(root, 'packages', name);
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  /** @type {Record<string, string>} */
  const files = {};
  for (const [path, target] of Object.entries(exports)) {
    if (typeof target === 'string') continue;
    const file = join(folder, target.import.types);
    if (!existsSync(file)) throw new Error(`${file} is not there: npm run build first.`);
    files[`@nn/${name}${path.slice(1)}`] = file;
  }
  const program = ts.createProgram(Object.values(files), options, host);
  const sections = Object.entries(files).map(([entry, file]) => entrySection(program, entry, file));
  const prose = [`[README](../../packages/${name}/README.md)`, ...guidesOf(name)];
  const head = `Written by \`npm run api:update\` from the declarations. What the names are for, with examples: ${prose.join(', ')}.`;
  return [`# The public names of @nn/${name}`, head, ...sections].join('\n\n').concat('\n');
}

/** @param {ts.Program} program @param {string} entry @param {string} file */
function entrySection(program, entry, file) {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const symbol = source && checker.getSymbolAtLocation(source);
  const home = dirname(file);
  /** Public names by symbol. @type {Map<ts.Symbol, string>} */
  const names = new Map();
  for (const exported of symbol ? checker.getExportsOfModule(symbol) : []) {
    const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    names.set(target, exported.name);
  }
  /** Types that public declarations name but that are not exported. @type {Map<ts.Symbol, string>} */
  const behind = new Map();
  const seen = new Set(names.keys());
  const queue = [...seen];
  for (let next = queue.pop(); next; next = queue.pop()) {
    for (const declaration of declarationsOf(next, home)) {
      for (const used of referencedIn(declaration, checker, home)) {
        if (seen.has(used)) continue;
        seen.add(used);
        behind.set(used, used.name);
        queue.push(used);
      }
    }
  }
  const block = (/** @type {Map<ts.Symbol, string>} */ symbols) =>
    [...symbols]
      .map(([found, name]) => ({ name, text: textOf(found, name, home) }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
      .map(({ text }) => text)
      .join('\n\n');
  const parts = [`## ${entry}`, fence(block(names))];
  if (behind.size > 0) parts.push(`### Types behind ${entry}`, fence(block(behind)));
  return parts.join('\n\n');
}

const fence = (/** @type {string} */ text) => `\`\`\`ts\n${text}\n\`\`\``;

/** The declarations in the package's own files; a variable with its statement. @param {ts.Symbol} symbol @param {string} home */
function declarationsOf(symbol, home) {
  return (symbol.declarations ?? [])
    .filter((declaration) => declaration.getSourceFile().fileName.startsWith(home))
    .map((declaration) => (ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration));
}

/** @param {ts.Symbol} symbol @param {string} name @param {string} home */
function textOf(symbol, name, home) {
  const declarations = declarationsOf(symbol, home);
  const texts = declarations.map((declaration) =>
    printer.printNode(ts.EmitHint.Unspecified, publicPart(declaration), declaration.getSourceFile()),
  );
  const text = texts
    .join('\n')
    .replace(/^declare /gm, '')
    .replace(/^ {4}(?= *\S)/gm, '  ');
  if (texts.length === 0) return `export { ${name} }; // of another package`;
  return name === symbol.name ? text : `// ${symbol.name} as ${name}\n${text}`;
}

/** A class without what is private or @internal, and without its name as a string. @param {ts.Node} declaration @returns {ts.Node} */
function publicPart(declaration) {
  if (!ts.isClassDeclaration(declaration)) return declaration;
  const { modifiers, name, typeParameters, heritageClauses } = declaration;
  return ts.factory.updateClassDeclaration(
    declaration,
    modifiers,
    name,
    typeParameters,
    heritageClauses,
    publicMembers(declaration),
  );
}

/** @param {ts.ClassDeclaration} declaration */
function publicMembers({ members }) {
  return members.filter(
    (member) =>
      !(ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) &&
      !(member.name && ts.isPrivateIdentifier(member.name)) &&
      !(member.name?.getText() === 'name' && ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) &&
      !ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal'),
  );
}

/** The symbols of this package that a declaration names. @param {ts.Node} declaration @param {ts.TypeChecker} checker @param {string} home */
function referencedIn(declaration, checker, home) {
  /** @type {Set<ts.Symbol>} */
  const found = new Set();
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const local = checker.getSymbolAtLocation(node);
      const symbol = local && local.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(local) : local;
      const isOurs = symbol?.declarations?.some(
        (at) =>
          at.getSourceFile().fileName.startsWith(home) &&
          isTopLevel(ts.isVariableDeclaration(at) ? at.parent.parent : at),
      );
      if (symbol && isOurs) found.add(symbol);
    }
    if (ts.isClassDeclaration(node)) {
      for (const part of [...(node.heritageClauses ?? []), ...(node.typeParameters ?? []), ...publicMembers(node)])
        visit(part);
    } else ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found;
}

const isTopLevel = (/** @type {ts.Node | undefined} */ node) =>
  node?.parent !== undefined && ts.isSourceFile(node.parent);

/** Which lines are new and which are gone, for people. @param {string} before @param {string} after */
export function difference(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const gone = old.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
  return [...gone, ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(root, 'docs/api'), { recursive: true });
  if (process.argv.includes('--update')) {
    writeFileSync(errors, errorsPage());
    writeFileSync(vocabulary, vocabularyPage());
    // The tables of the guide on moving models come from the readers themselves, which are TypeScript.
    const options = ['--conditions=@nn/source', '--import', 'tsx', join(root, 'scripts/formats.ts'), '--update'];
    if (spawnSync(process.execPath, options, { stdio: 'inherit', cwd: root }).status !== 0) process.exitCode = 1;
  }
  for (const name of packages()) {
    const [path, now] = [pathOf(name), apiOf(name)];
    const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (before === now) continue;
    if (process.argv.includes('--update')) writeFileSync(path, now);
    else {
      console.error(`docs/api/${name}.md is out of date: npm run api:update.\n${difference(before, now)}`);
      process.exitCode = 1;
    }
  }
}
