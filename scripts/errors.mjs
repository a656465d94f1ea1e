/**
 * Every kind of error as docs/errors.md: from the sources, each `new ShapeError(source, words)` and its like. A kind is
 * `code/operation` or `code/operation/reason`, what the property `kind` of a thrown error says.
 *
 *   node scripts/errors.mjs --update    writes the page, as npm run api:update does
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const page = join(root, 'docs/errors.md');

/** The classes, their codes, and what they mean. @type {Readonly<Record<string, readonly [string, string]>>} */
const classes = {
  ShapeError: ['shape', 'Sizes or axes that do not fit together.'],
  DTypeError: ['dtype', 'An element type that the operation does not take.'],
  ValueError: ['value', 'An argument outside its range, or of the wrong kind.'],
  GradientError: ['gradient', 'A gradient that does not exist.'],
  StaleTensorError: ['stale', 'A value that was never computed and can no longer be.'],
  BackendError: ['backend', 'A device that is missing, mixed with another, out of memory or lost.'],
  FormatError: ['format', 'A file or message that is damaged or not of the expected format.'],
  DuplicateCoreError: ['duplicate-core', 'Two copies of `@nn/core` in one process.'],
  warningOf: ['warning', 'No error: what may have been decided wrongly about data, as `onWarning` gets it.'],
};

/** @typedef {{ kind: string, code: string, message: string, operations?: ReadonlySet<string> }} Kind `operations`: whose a check is that several share. */

/** The page, from the sources as they are. @returns {string} */
export function errorsPage() {
  /** @type {Map<string, Map<string, Map<string, Set<string>>>>} code to kind to messages to whose they are */
  const found = new Map(Object.values(classes).map(([code]) => [code, new Map()]));
  for (const { code, kind, message, operations = [] } of allKinds()) {
    const kinds = found.get(code);
    const messages = kinds?.get(kind) ?? new Map();
    messages.set(message, new Set([...(messages.get(message) ?? []), ...operations]));
    kinds?.set(kind, messages);
  }
  const sections = Object.entries(classes).map(([name, [code, meaning]]) => {
    const kinds = [...(found.get(code) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = kinds.map(([kind, messages]) =>
      [
        `- \`${kind}\``,
        ...[...messages].sort(([a], [b]) => (a < b ? -1 : 1)).map((entry) => `  - ${lineOf(...entry)}`),
      ].join('\n'),
    );
    const title = name === 'warningOf' ? '## Warnings\n\n' : `## ${name}\n\n\`error.code === '${code}'\`. `;
    return `${title}${meaning}\n\n${lines.join('\n')}`;
  });
  return `${head}\n\n${sections.join('\n\n')}\n`;
}

/** A message, and whose it is: the first few. An empty name stands for those that are not known. @param {string} message @param {ReadonlySet<string>} operations */
function lineOf(message, operations) {
  const names = [...operations].filter((name) => name !== '').sort();
  if (names.length === 0) return message;
  const most = names.length > 8 ? 6 : names.length;
  const more = names.length > most ? ` and ${names.length - most} more` : '';
  const shown = names.slice(0, most).map((name) => `\`${name}\``);
  return `${message} (${shown.join(', ')}${more}${operations.has('') ? ', and others' : ''})`;
}

const head = `# Errors

Written by \`npm run api:update\` from the sources. Every error is an \`NNError\` (\`isNNError(error)\`): \`error.code\` tells its class,
\`error.kind\` the class, the operation or layer that throws it, and a reason where there is one, \`error.data\` the facts. Messages
may change, kinds do not without a note in the changelog. Here \`<operation>\` stands for the name of the operation, layer or
function that was called, some of them in brackets where several share a check, and \`{...}\` for what is filled in. The names of classes are kept as strings, so that kinds and messages
are the same where a bundler renames classes; give a class of your own a \`static name\` if its errors are to keep theirs. What to do about the classes: [debug](guides/debug.md).`;

/** Every kind that the packages throw, or the sources of an app. @param {readonly string[]} [files] @returns {Kind[]} */
export function allKinds(files = sources()) {
  return files.flatMap(kindsOf);
}

/** @type {string[] | undefined} */
let listed;

/** @returns {string[]} */
function sources() {
  listed ??= readdirSync(join(root, 'packages'))
    .filter((name) => name !== 'conformance')
    .sort()
    .flatMap((name) =>
      readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('testing.ts'))
        .sort()
        .map((file) => join(root, 'packages', name, 'src', file)),
    );
  return listed;
}

/** The errors that a file throws. @param {string} file @returns {Kind[]} */
function kindsOf(file) {
  const read = sourceFile(file);
  const { text } = read;
  if (!Object.keys(classes).some((name) => text.includes(`${name}(`) || text.includes(`extends ${name} `))) return [];
  /** @type {Kind[]} */
  const kinds = [];
  /** @param {ts.Node} node @param {string} layer */
  const visit = (node, layer) => {
    const isOfClass = ts.isClassDeclaration(node) && node.name !== undefined;
    const isAbstract = isOfClass && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword);
    const within = isOfClass ? (isAbstract ? '<operation>' : (node.name?.text ?? layer)) : layer;
    const isOfParent = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword;
    if (ts.isNewExpression(node) || ts.isCallExpression(node)) {
      const known = classes[isOfParent ? parentOf(node) : node.expression.getText()];
      const [source, words] = node.arguments ?? [];
      if (known && source && words) kinds.push(...thrown(known[0], source, words, within));
    }
    ts.forEachChild(node, (child) => visit(child, within));
  };
  visit(read, '<operation>');
  return kinds;
}

/**
 * What is thrown at one place. Where the function around it takes the reason, `fail('rank', 'has 2 axes')`, its calls say
 * what there is. @param {string} code @param {ts.Expression} source @param {ts.Expression} words @param {string} layer @returns {Kind[]}
 */
function thrown(code, source, words, layer) {
  const helper = ts.isTemplateExpression(source) ? helperOf(source) : undefined;
  const own = sourceOf(source, layer);
  if (helper === undefined) {
    const operations = new Set(own === '<operation>' ? operationsOf(source) : []);
    return sourcesIn(own, source).map((each) => ({ ...kindOf(code, each, wordsOf(words)), operations }));
  }
  /** @type {Kind[]} */
  const kinds = [];
  /** @param {ts.Node} node @param {string} name */
  const visit = (node, name) => {
    if (ts.isCallExpression(node) && node.expression.getText() === name) {
      const reason = node.arguments[helper.reason];
      const text = helper.words === -1 ? '{...}' : wordsOf(/** @type {ts.Expression} */ (node.arguments[helper.words]));
      for (const each of reason ? literals(reason) : []) {
        const place = wordsOf(words, helper.wordsName, text);
        kinds.push(kindOf(code, `${source.getText().slice(1).split('/')[0]}/${each}`, place));
      }
    }
    ts.forEachChild(node, (child) => visit(child, name));
  };
  const file = source.getSourceFile();
  visit(file, helper.name);
  for (const other of importersOf(file.fileName, helper.name)) visit(other.file, other.name);
  return kinds;
}

/**
 * Whose errors a check throws that is told the operation, `checkAxis(operation, axis)`: what its calls give it, and where they
 * pass on what they were given, what theirs do. An empty name stands for calls that make one up.
 * @param {ts.Expression} source @param {Set<string>} [seen] @returns {string[]}
 */
function operationsOf(source, seen = new Set()) {
  const own = ts.findAncestor(source, (node) => ts.isFunctionDeclaration(node) && placeIn(node, source) >= 0);
  if (!own || !ts.isFunctionDeclaration(own) || !own.name) return [''];
  const [file, place] = [own.getSourceFile(), placeIn(own, source)];
  const key = `${file.fileName} ${own.name.text}`;
  if (seen.has(key)) return [];
  seen.add(key);
  const places = [{ file, name: own.name.text }, ...importersOf(file.fileName, own.name.text)];
  return places
    .flatMap(({ file: calling, name }) => callsOf(calling, name))
    .flatMap(({ arguments: { [place]: given } }) => {
      const texts = given === undefined ? [] : literals(given);
      return given === undefined || texts.length > 0 ? texts : operationsOf(given, seen);
    });
}

/** Which parameter of a function it is; -1 where it is none. @param {ts.FunctionDeclaration} own @param {ts.Expression} name */
function placeIn(own, name) {
  return own.parameters.findIndex((parameter) => parameter.name.getText() === name.getText());
}

/** @type {Map<ts.SourceFile, Map<string, ts.CallExpression[]>>} */
const calls = new Map();

/** The calls of a function by its name. @param {ts.SourceFile} file @param {string} name */
function callsOf(file, name) {
  const known = calls.get(file) ?? new Map();
  if (!calls.has(file)) {
    /** @param {ts.Node} node */
    const visit = (node) => {
      if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
        const { text } = node.expression;
        known.set(text, [...(known.get(text) ?? []), node]);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
    calls.set(file, known);
  }
  return known.get(name) ?? [];
}

/** @type {Map<string, ts.SourceFile>} */
const parsed = new Map();

/** A source, read and parsed once. @param {string} name */
function sourceFile(name) {
  const known = parsed.get(name) ?? ts.createSourceFile(name, readFileSync(name, 'utf8'), ts.ScriptTarget.ES2022, true);
  parsed.set(name, known);
  return known;
}

/** Who imports a name: the file, from where, and what it calls it. @type {Map<string, { file: string, from: string, as: string }[]> | undefined} */
let imports;

/** The files that import `name` of a file, by its path or its package, and what they call it. @param {string} file @param {string} name */
function importersOf(file, name) {
  imports ??= importsOfAll();
  const [, folder] = /packages\/([\w-]+)\/src\//.exec(file) ?? [];
  return (imports.get(name) ?? [])
    .filter(({ from, file: other }) => from === `@nn/${folder}` || join(dirname(other), from) === file)
    .map(({ file: other, as }) => ({ file: sourceFile(other), name: as }));
}

function importsOfAll() {
  /** @type {Map<string, { file: string, from: string, as: string }[]>} */
  const all = new Map();
  for (const file of sources()) {
    for (const [, names = '', from = ''] of sourceFile(file).text.matchAll(/import \{([^}]*)\} from '([^']+)'/g)) {
      for (const [, name = '', as = name] of names.matchAll(/(\w+)(?: as (\w+))?(?=\s*(?:,|$))/g)) {
        all.set(name, [...(all.get(name) ?? []), { file, from, as }]);
      }
    }
  }
  return all;
}

/** The function that takes the reason of a source `operation/${reason}`. @param {ts.TemplateExpression} source */
function helperOf(source) {
  const [span, ...others] = source.templateSpans;
  if (!source.head.text.endsWith('/') || !span || others.length > 0 || span.literal.text !== '') return undefined;
  const own = ts.findAncestor(source, (node) => ts.isFunctionDeclaration(node) || ts.isArrowFunction(node));
  if (!own || !(ts.isFunctionDeclaration(own) || ts.isArrowFunction(own))) return undefined;
  const named = ts.isFunctionDeclaration(own) ? own : own.parent;
  const name = ts.isFunctionDeclaration(named) || ts.isVariableDeclaration(named) ? named.name?.getText() : undefined;
  const parameters = own.parameters.map((parameter) => parameter.name.getText());
  const words = parameters.indexOf('what');
  if (name === undefined) return undefined;
  return { name, reason: parameters.indexOf(span.expression.getText()), words, wordsName: parameters[words] };
}

/** The texts that an expression may be. @param {ts.Expression} node @returns {string[]} */
function literals(node) {
  if (ts.isStringLiteralLike(node)) return [node.text];
  return ts.isConditionalExpression(node) ? [...literals(node.whenTrue), ...literals(node.whenFalse)] : [];
}

/** Both where a source is chosen. @param {string} own @param {ts.Expression} source @returns {string[]} */
function sourcesIn(own, source) {
  return ts.isConditionalExpression(source) ? literals(source) : [own];
}

/** The class that the class around it extends. @param {ts.Node} node @returns {string} */
function parentOf(node) {
  const own = ts.findAncestor(node, ts.isClassDeclaration);
  return own?.heritageClauses?.[0]?.types[0]?.expression.getText() ?? '';
}

/** Where an error says that it comes from; what only the call knows is <operation>. @param {ts.Expression} node @param {string} layer @returns {string} */
function sourceOf(node, layer) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return isItself(node) ? layer : '<operation>';
  const [span] = node.templateSpans;
  return `${node.head.text}${span && isItself(span.expression) ? layer : '<operation>'}${span?.literal.text}`;
}

/** Whether an expression is the name of the object whose method throws. @param {ts.Expression} node @returns {boolean} */
function isItself(node) {
  return /^(String\(this\)|this|this\.constructor\.name)$/.test(node.getText());
}

/**
 * The words as text, what is filled in as {...}, and `text` in the place of the parameter `name`.
 * @param {ts.Expression} node @param {string} [name] @param {string} [text] @returns {string}
 */
function wordsOf(node, name, text = '{...}') {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isBinaryExpression(node)) return wordsOf(node.left, name, text) + wordsOf(node.right, name, text);
  if (ts.isConditionalExpression(node)) return wordsOf(node.whenTrue, name, text);
  if (!ts.isTemplateExpression(node)) return node.getText() === name ? text : '{...}';
  const filled = node.templateSpans.map(
    ({ expression, literal }) => `${expression.getText() === name ? text : '{...}'}${literal.text}`,
  );
  return node.head.text + filled.join('');
}

/** As NNError puts them together. @param {string} code @param {string} source @param {string} words @returns {Kind} */
function kindOf(code, source, words) {
  const [, operation = '', reason = ''] = /^(.*?)(\/[\w-]+)?$/s.exec(source) ?? [];
  const message = `${operation && `${operation}: `}${words}`
    .replace(/\s+/g, ' ')
    .replace(/[*_`|]/g, '\\$&')
    .replaceAll('<', '&lt;');
  const name = operation.replace(/[(:].*/s, '');
  return { code, kind: code + (name && `/${name}`) + reason, message };
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--update')) {
  writeFileSync(page, errorsPage());
}
