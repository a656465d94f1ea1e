/**
 * Rewrites an example so that it reports what its comments promise. `// => value` behind a statement promises the value
 * of the expression, of the declared constant, or what `console.log` prints; `// throws text` promises an error whose
 * message contains the text. Lines keep their numbers. The promises are judged by compare.mjs.
 */
import typescript from 'typescript';

/** @typedef {{ line: number, kind: 'value' | 'throws', text: string }} Promised line: within the example, from 1 */

/** @param {string} code @returns {{ code: string, promises: Promised[], problems: string[] }} */
export function instrument(code) {
  const source = typescript.createSourceFile('example.ts', code, typescript.ScriptTarget.ESNext, true);
  const statements = statementsByLastLine(source);
  const lines = code.split('\n');
  /** @type {Promised[]} */
  const promises = [];
  /** @type {string[]} */
  const problems = [];
  /** @type {{ start: number, end: number, text: string }[]} */
  const edits = [];
  for (const found of promisesOf(lines)) {
    const statement = statements.get(found.statementLine);
    const edit = statement && rewrite(statement, promises.length, found.kind);
    if (edit) {
      promises.push({ line: found.statementLine, kind: found.kind, text: found.text });
      edits.push(edit);
    } else {
      problems.push(
        `line ${found.statementLine}: "// ${found.kind === 'value' ? '=>' : 'throws'}" stands behind no expression, constant or console.log.`,
      );
    }
  }
  let result = code;
  for (const { start, end, text } of edits.sort((a, b) => b.start - a.start))
    result = result.slice(0, start) + text + result.slice(end);
  return { code: result, promises, problems };
}

/** The comments that promise something; a promise goes on over comment lines while its brackets are open. @param {string[]} lines */
function* promisesOf(lines) {
  let code = 0;
  for (let at = 0; at < lines.length; at++) {
    const [, before = '', mark, rest = ''] = /^(.*?)\/\/ (=>|throws\b) ?(.*)$/.exec(lines[at] ?? '') ?? [];
    if (mark === undefined) {
      if (!/^\s*(\/\/.*)?$/.test(lines[at] ?? '')) code = at + 1;
      continue;
    }
    if (before.trim() !== '') code = at + 1;
    let text = rest;
    while (openBrackets(text) > 0 && /^\s*\/\//.test(lines[at + 1] ?? ''))
      text += ` ${(lines[++at] ?? '').replace(/^\s*\/\/\s*/, '')}`;
    yield {
      statementLine: code,
      kind: /** @type {'value' | 'throws'} */ (mark === '=>' ? 'value' : 'throws'),
      text: text.trim(),
    };
  }
}

const openBrackets = (/** @type {string} */ text) =>
  (text.match(/[[{(]/g)?.length ?? 0) - (text.match(/[\]})]/g)?.length ?? 0);

/** The innermost expression or declaration that ends on each line. @param {typescript.SourceFile} source */
function statementsByLastLine(source) {
  /** @type {Map<number, typescript.ExpressionStatement | typescript.VariableStatement>} */
  const found = new Map();
  /** @param {typescript.Node} node */
  const visit = (node) => {
    if (typescript.isExpressionStatement(node) || typescript.isVariableStatement(node)) {
      found.set(source.getLineAndCharacterOfPosition(node.getEnd()).line + 1, node);
    }
    typescript.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** @param {typescript.ExpressionStatement | typescript.VariableStatement} statement @param {number} id @param {'value' | 'throws'} kind */
function rewrite(statement, id, kind) {
  const [declaration] = typescript.isVariableStatement(statement) ? statement.declarationList.declarations : [];
  const expression = typescript.isExpressionStatement(statement) ? statement.expression : declaration?.initializer;
  if (!expression) return undefined;
  const start = statement.getStart();
  const end = statement.getEnd();
  const text = expression.getText();
  if (kind === 'throws') return { start, end, text: `await __throws(${id}, async () => (${text}));` };
  if (declaration) {
    if (!typescript.isIdentifier(declaration.name)) return undefined;
    return { start: end, end, text: ` __value(${id}, ${declaration.name.text});` };
  }
  const log = typescript.isCallExpression(expression) && expression.expression.getText() === 'console.log';
  if (log)
    return {
      start,
      end,
      text: `__printed(${id}, ${expression.arguments.map((argument) => argument.getText()).join(', ')});`,
    };
  return { start, end, text: `__value(${id}, ${text});` };
}
