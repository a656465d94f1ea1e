/**
 * The public names of a package and the file in which each is declared, from the exports of its entries. Syntax only: nothing
 * is type checked, because every declaration of the packages says its types itself (`isolatedDeclarations`).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { root } from '../places.ts';

/** What `package.json` exports: `@nn/train/node` and its source. */
export interface Entry {
  readonly specifier: string;
  /** `train` */
  readonly name: string;
  /** `node`, or nothing for the entry of the package itself. */
  readonly path: string;
  readonly file: string;
}

export interface PublicName {
  readonly name: string;
  /** Its name in the file. */
  readonly local: string;
  readonly file: string;
}

/** The entries of all packages. */
export function entries(): readonly Entry[] {
  return readdirSync(join(root, 'packages'))
    .sort()
    .flatMap((name) => {
      const folder = join(root, 'packages', name);
      if (!existsSync(join(folder, 'package.json'))) return [];
      const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        exports: Record<string, string | Record<string, unknown>>;
      };
      return Object.entries(exports).flatMap(([path, target]) => {
        const source = typeof target === 'string' ? undefined : target['@nn/source'];
        if (typeof source !== 'string') return [];
        const below = path.slice(2);
        return [
          {
            specifier: below === '' ? `@nn/${name}` : `@nn/${name}/${below}`,
            name,
            path: below,
            file: join(folder, source),
          },
        ];
      });
    });
}

/** The names that an entry exports, in the order of its files. */
export function publicNames(entry: Entry): readonly PublicName[] {
  return exportsOf(entry.file).flatMap(({ name, local, from }) => {
    const found = declared(from, local);
    return found === undefined ? [] : [{ name, ...found }];
  });
}

interface Exported {
  readonly name: string;
  readonly local: string;
  readonly from: string;
}

const read = new Map<string, ts.SourceFile>();

export function sourceOf(file: string): ts.SourceFile {
  const known = read.get(file);
  if (known !== undefined) return known;
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  read.set(file, source);
  return source;
}

/** What a file exports: its own declarations, and what it takes from others of its package. */
function exportsOf(file: string): readonly Exported[] {
  return sourceOf(file).statements.flatMap((statement): Exported[] => {
    if (ts.isExportDeclaration(statement)) return passedOn(file, statement);
    const isExported =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    return isExported ? namesOf(statement).map((name) => ({ name, local: name, from: file })) : [];
  });
}

function passedOn(file: string, { exportClause, moduleSpecifier }: ts.ExportDeclaration): Exported[] {
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return [];
  const from = moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : undefined;
  return exportClause.elements.flatMap(({ name, propertyName }) => {
    const local = (propertyName ?? name).text;
    if (from === undefined) return [{ name: name.text, ...(imported(file, local) ?? { local, from: file }) }];
    return from.startsWith('.') ? [{ name: name.text, local, from: join(dirname(file), from) }] : [];
  });
}

/** Where a name comes from that a file imports and exports. */
function imported(file: string, name: string): { readonly local: string; readonly from: string } | undefined {
  for (const statement of sourceOf(file).statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    const element = bindings.elements.find((each) => each.name.text === name);
    const from = statement.moduleSpecifier.text;
    if (element !== undefined && from.startsWith('.')) {
      return { local: (element.propertyName ?? element.name).text, from: join(dirname(file), from) };
    }
  }
  return undefined;
}

/** The file that declares a name, which may only pass it on. */
function declared(file: string, local: string): Omit<PublicName, 'name'> | undefined {
  if (sourceOf(file).statements.some((statement) => namesOf(statement).includes(local))) return { local, file };
  const next = exportsOf(file).find(({ name }) => name === local);
  return next === undefined ? undefined : declared(next.from, next.local);
}

/** The names that a statement declares. */
export function namesOf(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  }
  const isNamed =
    ts.isClassDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return isNamed && statement.name !== undefined ? [statement.name.text] : [];
}
