/**
 * What a file declares, as a reader wants it: the declaration without bodies and comments, and the comments as Markdown, those
 * of members beside them. TypeScript makes the declarations of one file alone; private and `@internal` members are left out.
 */
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { namesOf } from './exports.ts';

export interface Comment {
  /** Markdown, without examples. */
  readonly prose: string;
  readonly examples: readonly string[];
}

export interface Member {
  readonly name: string;
  readonly code: string;
  readonly comment: Comment;
}

export interface Declaration {
  readonly kind: 'class' | 'function' | 'interface' | 'type' | 'value';
  /** TypeScript. */
  readonly code: string;
  readonly comment: Comment;
  /** The members with a comment. */
  readonly members: readonly Member[];
}

const printer = ts.createPrinter({ removeComments: true });
const files = new Map<string, ts.SourceFile>();

/** The declaration of a name in a file, under the name by which it is public. */
export function declarationOf(file: string, local: string, name: string): Declaration {
  const source = declarationsOf(file);
  const found = source.statements.filter((statement) => namesOf(statement).includes(local));
  const [first] = found;
  if (first === undefined) throw new Error(`${file} declares no ${local}.`);
  const code = found
    .map((statement) => tidy(printer.printNode(ts.EmitHint.Unspecified, publicPart(statement), source)))
    .join('\n');
  const comments = found.map((statement) => commentOf(statement, source));
  return {
    kind: kindOf(first),
    code: local === name ? code : code.replace(new RegExp(`\\b${local}\\b`), name),
    comment: {
      prose: comments
        .map(({ prose }) => prose)
        .filter((prose) => prose !== '')
        .join('\n\n'),
      examples: comments.flatMap(({ examples }) => examples),
    },
    members: found.flatMap((statement) => membersOf(statement, source)),
  };
}

function declarationsOf(file: string): ts.SourceFile {
  const known = files.get(file);
  if (known !== undefined) return known;
  const { outputText } = ts.transpileDeclaration(readFileSync(file, 'utf8'), {
    fileName: file,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, stripInternal: true },
  });
  const source = ts.createSourceFile(file, outputText, ts.ScriptTarget.ES2022, true);
  files.set(file, source);
  return source;
}

function kindOf(statement: ts.Statement): Declaration['kind'] {
  if (ts.isClassDeclaration(statement)) return 'class';
  if (ts.isFunctionDeclaration(statement)) return 'function';
  if (ts.isInterfaceDeclaration(statement)) return 'interface';
  return ts.isTypeAliasDeclaration(statement) ? 'type' : 'value';
}

const tidy = (code: string): string =>
  code.replace(/^(export )?(declare )?/gm, '').replace(/^( {4})+/gm, (spaces) => ' '.repeat(spaces.length / 2));

/** A class without what is private, and without its name as a string, which errors say. */
function publicPart(statement: ts.Statement): ts.Statement {
  if (!ts.isClassDeclaration(statement)) return statement;
  const { modifiers, name, typeParameters, heritageClauses, members } = statement;
  const shown = members.filter(isPublic);
  return ts.factory.updateClassDeclaration(statement, modifiers, name, typeParameters, heritageClauses, shown);
}

function isPublic(member: ts.ClassElement): boolean {
  const flags = ts.getCombinedModifierFlags(member);
  if (flags & ts.ModifierFlags.Private || (member.name && ts.isPrivateIdentifier(member.name))) return false;
  return !(flags & ts.ModifierFlags.Static && member.name?.getText() === 'name');
}

function membersOf(statement: ts.Statement, source: ts.SourceFile): Member[] {
  const members: readonly (ts.ClassElement | ts.TypeElement)[] = ts.isClassDeclaration(statement)
    ? statement.members.filter(isPublic)
    : ts.isInterfaceDeclaration(statement)
      ? statement.members
      : ts.isTypeAliasDeclaration(statement) && ts.isTypeLiteralNode(statement.type)
        ? statement.type.members
        : [];
  return members.flatMap((member) => {
    const comment = commentOf(member, source);
    if (comment.prose === '' && comment.examples.length === 0) return [];
    const name = ts.isConstructorDeclaration(member) ? 'constructor' : (member.name?.getText(source) ?? '');
    const code = tidy(printer.printNode(ts.EmitHint.Unspecified, member, source)).replace(/;$/, '');
    return [{ name, code, comment }];
  });
}

/** The last doc comment in front of a node. */
function commentOf(node: ts.Node, source: ts.SourceFile): Comment {
  const ranges = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
  const text = ranges.map(({ pos, end }) => source.text.slice(pos, end)).findLast((each) => each.startsWith('/**'));
  return text === undefined ? { prose: '', examples: [] } : parseComment(text);
}

/** A doc comment as Markdown. Only `@example` and `@param` mean something; other tags are for tools. */
export function parseComment(comment: string): Comment {
  const lines = comment
    .replace(/\s*\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\/?\*+ ?/, ''));
  const prose: string[] = [];
  const examples: string[] = [];
  let part: string[] = prose;
  const close = (): void => {
    if (part !== prose && part.some((line) => line.trim() !== '')) examples.push(part.join('\n').trim());
  };
  for (const line of lines) {
    const [, tag = '', rest = ''] = /^@(\w+)\s*(.*)$/.exec(line) ?? [];
    if (tag === '') {
      part.push(line);
      continue;
    }
    close();
    part = tag === 'example' ? [] : prose;
    if (tag === 'param') prose.push(`- ${rest.replace(/^(\w+)\s*-?/, '`$1`:')}`);
  }
  close();
  return { prose: prose.join('\n').trim(), examples };
}
