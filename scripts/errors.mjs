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
};

/** @typedef {{ kind: string, code: string, message: string }} Kind */

/** The page, from the sources as they are. @returns {string} */
export function errorsPage() {
  /** @type {Map<string, Map<string, Set<string>>>} code to kind to messages */
  const found = new Map(Object.values(classes).map(([code]) => [code, new Map()]));
  for (const file of sources()) {
    for (const { code, kind, message } of kindsOf(file)) {
      const kinds = found.get(code);
      kinds?.set(kind, (kinds.get(kind) ?? new Set()).add(message));
    }
  }
  const sections = Object.entries(classes).map(([name, [code, meaning]]) => {
    const kinds = [...(found.get(code) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = kinds.map(([kind, messages]) =>
      [`- \`${kind}\``, ...[...messages].sort().map((message) => `  - ${message}`)].join('\n'),
    );
    return `## ${name}\n\n\`error.code === '${code}'\`. ${meaning}\n\n${lines.join('\n')}`;
  });
  return `${head}\n\n${sections.join('\n\n')}\n`;
}

const head = `# Errors

Written by \`npm run api:update\` from the sources. Every error is an \`NNError\` (\`isNNError(error)\`): \`error.code\` tells its class,
\`error.kind\` the class, the operation or layer that throws it, and a reason where there is one, \`error.data\` the facts. Messages
may change, kinds do not without a note in the changelog. Here \`<operation>\` stands for the name of the operation, layer or
function that was called, and \`{...}\` for what is filled in. What to do about the classes: [debug](guides/debug.md).`;

/** @returns {string[]} */
function sources() {
  return readdirSync(join(root, 'packages'))
    .filter((name) => name !== 'conformance')
    .sort()
    .flatMap((name) =>
      readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('testing.ts'))
        .sort()
        .map((file) => join(root, 'packages', name, 'src', file)),
    );
}

/** The errors that a file throws. @param {string} file @returns {Kind[]} */
function kindsOf(file) {
  const text = readFileSync(file, 'utf8');
  if (!Object.keys(classes).some((name) => text.includes(`new ${name}(`) || text.includes(`extends ${name} `)))
    return [];
  /** @type {Kind[]} */
  const kinds = [];
  /** @param {ts.Node} node @param {string} layer */
  const visit = (node, layer) => {
    const isOfClass = ts.isClassDeclaration(node) && node.name !== undefined;
    const isAbstract = isOfClass && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword);
    const within = isOfClass ? (isAbstract ? '<operation>' : (node.name?.text ?? layer)) : layer;
    const isOfParent = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword;
    if (ts.isNewExpression(node) || isOfParent) {
      const known = classes[isOfParent ? parentOf(node) : node.expression.getText()];
      const [source, words] = node.arguments ?? [];
      if (known && source && words) kinds.push(kindOf(known[0], sourceOf(source, within), wordsOf(words)));
    }
    ts.forEachChild(node, (child) => visit(child, within));
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true), '<operation>');
  return kinds;
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

/** The words as text, what is filled in as {...}. @param {ts.Expression} node @returns {string} */
function wordsOf(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isBinaryExpression(node)) return wordsOf(node.left) + wordsOf(node.right);
  if (ts.isConditionalExpression(node)) return wordsOf(node.whenTrue);
  if (!ts.isTemplateExpression(node)) return '{...}';
  return node.head.text + node.templateSpans.map(({ literal }) => `{...}${literal.text}`).join('');
}

/** As NNError puts them together. @param {string} code @param {string} source @param {string} words @returns {Kind} */
function kindOf(code, source, words) {
  const operation = source.replace(/\/[a-z-]+$/i, '');
  const message = `${operation && `${operation}: `}${words}`
    .replace(/\s+/g, ' ')
    .replace(/[*_`|]/g, '\\$&')
    .replaceAll('<', '&lt;');
  return { code, kind: code + `/${source}`.replace(/\(.*\)|^\/(?=\/|$)/gs, ''), message };
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--update')) {
  writeFileSync(page, errorsPage());
}
