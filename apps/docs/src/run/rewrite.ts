/**
 * An example as a module that reports what it comes to. Types are taken out, imports of packages become addresses, and a
 * statement with `// =>` behind it shows its value, one with `// throws` its error. Lines keep their numbers.
 */
import { type Comment, type Node, parse } from 'acorn';
import { transform } from 'sucrase';

/** The names under which a module finds what it reports to. */
export const probes = '__nn_example__';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Throws a SyntaxError with `line` and the message of the parser. */
export function toModule(code: string, addressOf: (specifier: string) => string): string {
  try {
    const script = transform(code, { transforms: ['typescript'], disableESTransforms: true }).code;
    const comments: Comment[] = [];
    const tree = parse(script, { ecmaVersion: 'latest', sourceType: 'module', locations: true, onComment: comments });
    const edits = [...imports(tree, addressOf), ...promises(tree, script, comments)];
    return edits
      .sort((a, b) => b.start - a.start)
      .reduce((text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end), script);
  } catch (error) {
    throw asSyntaxError(error);
  }
}

/** Both parsers end their message with the place: `(3:14)`. */
function asSyntaxError(error: unknown): SyntaxError & { line?: number } {
  const message = error instanceof Error ? error.message : String(error);
  const line = /\((\d+):\d+\)$/.exec(message)?.[1];
  const text = message.replace(/^Error transforming [^:]*: /, '').replace(/ ?\(\d+:\d+\)$/, '');
  return Object.assign(new SyntaxError(text), line === undefined ? {} : { line: Number(line) });
}

/** Every node of a tree, parents first. */
function* nodes(tree: Node): Generator<Node> {
  yield tree;
  for (const part of Object.values(tree)) {
    for (const child of Array.isArray(part) ? part : [part]) {
      if (isNode(child)) yield* nodes(child);
    }
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value;

/** A part of a node, where it is a node itself. */
function partOf(node: Node, name: string): Node | undefined {
  const part: unknown = Reflect.get(node, name);
  return isNode(part) ? part : undefined;
}

function* imports(tree: Node, addressOf: (specifier: string) => string): Generator<Edit> {
  for (const node of nodes(tree)) {
    if (!/^(Import|ExportNamed|ExportAll)(Declaration|Expression)$/.test(node.type)) continue;
    const source = partOf(node, 'source');
    const specifier: unknown = source && Reflect.get(source, 'value');
    if (source === undefined || typeof specifier !== 'string') continue;
    yield { start: source.start, end: source.end, text: JSON.stringify(addressOf(specifier)) };
  }
}

/** `// =>` and `// throws` stand behind a statement, or on the line below it. */
function* promises(tree: Node, script: string, comments: readonly Comment[]): Generator<Edit> {
  const statements = new Map<number, Node>();
  for (const node of nodes(tree)) {
    if (!['ExpressionStatement', 'VariableDeclaration'].includes(node.type)) continue;
    const line = node.loc?.end.line ?? 0;
    // The first inside of a line would be the head of a loop.
    if (!isHead(node, script)) statements.set(line, node);
  }
  const lines = script.split('\n');
  for (const { value, loc } of comments) {
    const kind = /^ (=>|throws\b)/.exec(value)?.[1];
    if (kind === undefined || loc === undefined) continue;
    let line = loc.start.line;
    const standsAlone = (lines[line - 1] ?? '').slice(0, loc.start.column).trim() === '';
    if (standsAlone)
      do line--;
      while (line > 0 && /^\s*(\/\/.*)?$/.test(lines[line - 1] ?? ''));
    const statement = statements.get(line);
    if (statement === undefined) continue;
    const edit = kind === '=>' ? showing(statement, script) : catching(statement, script);
    statements.delete(line);
    if (edit !== undefined) yield edit;
  }
}

const isHead = (node: Node, script: string): boolean => /(for|await)\s*\(\s*$/.test(script.slice(0, node.start));

function showing(statement: Node, script: string): Edit | undefined {
  const expression = partOf(statement, 'expression');
  if (expression === undefined) {
    const name = nameOf(statement);
    return name === undefined
      ? undefined
      : { start: statement.end, end: statement.end, text: ` ${probes}.value(${name});` };
  }
  const text = script.slice(expression.start, expression.end);
  // What prints is shown as it prints.
  if (/^console\.\w+\(/.test(text)) return undefined;
  return { start: expression.start, end: expression.end, text: `${probes}.value(${text})` };
}

function catching(statement: Node, script: string): Edit | undefined {
  const expression = partOf(statement, 'expression') ?? initialOf(statement);
  if (expression === undefined) return undefined;
  const text = script.slice(expression.start, expression.end);
  return { start: statement.start, end: statement.end, text: `await ${probes}.throws(async () => (${text}));` };
}

function firstDeclarator(statement: Node): Node | undefined {
  const all: unknown = Reflect.get(statement, 'declarations');
  const [first] = Array.isArray(all) ? all : [];
  return isNode(first) ? first : undefined;
}

function nameOf(statement: Node): string | undefined {
  const declarator = firstDeclarator(statement);
  const id = declarator && partOf(declarator, 'id');
  const name: unknown = id && Reflect.get(id, 'name');
  return typeof name === 'string' ? name : undefined;
}

function initialOf(statement: Node): Node | undefined {
  const declarator = firstDeclarator(statement);
  return declarator && partOf(declarator, 'init');
}
