/**
 * Every kind of error as docs/errors.md: from the sources, each `new ShapeError(...)` and its like with its message. A kind
 * is `code/operation`, what the property `kind` of a thrown error says.
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

/** @typedef {{ code: string, operation: string, message: string }} Kind */

/** The page, from the sources as they are. @returns {string} */
export function errorsPage() {
  /** @type {Map<string, Map<string, Set<string>>>} code to operation to messages */
  const found = new Map(Object.values(classes).map(([code]) => [code, new Map()]));
  for (const file of sources()) {
    for (const { code, operation, message } of kindsOf(file)) {
      const operations = found.get(code);
      operations?.set(operation, (operations.get(operation) ?? new Set()).add(message));
    }
  }
  const sections = Object.entries(classes).map(([name, [code, meaning]]) => {
    const operations = [...(found.get(code) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = operations.map(([operation, messages]) => {
      const kind = operation === '' ? code : `${code}/${operation}`;
      return [`- \`${kind}\``, ...[...messages].sort().map((message) => `  - ${message}`)].join('\n');
    });
    return `## ${name}\n\n\`error.code === '${code}'\`. ${meaning}\n\n${lines.join('\n')}`;
  });
  return `${head}\n\n${sections.join('\n\n')}\n`;
}

const head = `# Errors

Written by \`npm run api:update\` from the sources. Every error is an \`NNError\` (\`isNNError(error)\`): \`error.code\` tells its class,
\`error.kind\` the class and the operation or layer that throws it, \`error.data\` the facts. Messages may change, kinds do not
without a note in the changelog. Here \`<operation>\` stands for the name of the operation, layer or function that was called, and
\`{...}\` for what is filled in. What to do about the classes: [debug](guides/debug.md).`;

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
  if (!Object.keys(classes).some((name) => text.includes(`new ${name}(`))) return [];
  /** @type {Kind[]} */
  const kinds = [];
  /** @param {ts.Node} node @param {string} layer */
  const visit = (node, layer) => {
    const isOfClass = ts.isClassDeclaration(node) && node.name !== undefined;
    const isAbstract = isOfClass && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword);
    const within = isOfClass ? (isAbstract ? '<operation>' : (node.name?.text ?? layer)) : layer;
    if (ts.isNewExpression(node)) {
      const known = classes[node.expression.getText()];
      const [argument] = node.arguments ?? [];
      if (known && argument) kinds.push({ code: known[0], ...kindOf(messageOf(argument, within)) });
    }
    ts.forEachChild(node, (child) => visit(child, within));
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true), '<operation>');
  return kinds;
}

/** A message as text, what is filled in as {...}. @param {ts.Expression} node @param {string} layer @returns {string} */
function messageOf(node, layer) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isBinaryExpression(node)) return messageOf(node.left, layer) + messageOf(node.right, layer);
  if (ts.isConditionalExpression(node)) return messageOf(node.whenTrue, layer);
  if (!ts.isTemplateExpression(node)) return '{...}';
  const parts = node.templateSpans.map(({ expression, literal }, k) => {
    const isOwn =
      k === 0 && node.head.text === '' && /^(String\(this\)|this\.constructor\.name)$/.test(expression.getText());
    const isFirst = k === 0 && node.head.text === '' && literal.text.startsWith(':');
    return `${isOwn ? layer : isFirst ? '<operation>' : '{...}'}${literal.text}`;
  });
  return node.head.text + parts.join('');
}

/** As NNError finds it at run time. @param {string} message @returns {{ operation: string, message: string }} */
function kindOf(message) {
  const operation = /^(<operation>|[A-Za-z][\w.]*)(?:\([^:]*\))?:/.exec(message)?.[1] ?? '';
  return {
    operation,
    message: message
      .replace(/\s+/g, ' ')
      .replace(/[*_`|]/g, '\\$&')
      .replaceAll('<', '&lt;'),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--update')) {
  writeFileSync(page, errorsPage());
}
