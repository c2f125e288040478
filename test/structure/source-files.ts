/** The source files of the project, and their imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

export const root: string = join(import.meta.dirname, '../..');

export interface Import {
  readonly from: string;
  /** The path of a file of the project, or the name of a package. */
  readonly to: string;
  /** The import is erased when the file is compiled. */
  readonly typeOnly: boolean;
  /** Whether it is `import('…')`. */
  readonly dynamic: boolean;
}

export const files: readonly string[] = ['kernels', 'src', 'examples', 'bench', 'test'].flatMap(
  (folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.[jt]sx?$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      .filter((file) => !/^bench\/peers\/contenders\/|\/node_modules\//.test(file)), // separate programs
);

export const imports: readonly Import[] = files.flatMap((from) => importsOf(from));

function importsOf(from: string): Import[] {
  const source = parse(from);
  const found: Import[] = [];
  const add = (specifier: ts.Expression, typeOnly: boolean, dynamic: boolean): void => {
    if (!ts.isStringLiteral(specifier)) return;
    const { text } = specifier;
    found.push({ from, to: text.startsWith('.') ? join(dirname(from), text) : text, typeOnly, dynamic });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isErased(node.importClause), false);
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      add(node.moduleSpecifier, node.isTypeOnly, false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true, false);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Whether an import names only types. */
function isErased(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { namedBindings } = clause;
  if (clause.name || !namedBindings || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly);
}

/** The given files and all files that they import, directly or not, through the imports that `follow` accepts. */
export function reachedFrom(
  entries: readonly string[],
  follow: (to: Import) => boolean = () => true,
): ReadonlySet<string> {
  const reached = new Set(entries);
  for (const file of reached) {
    for (const each of imports)
      if (each.from === file && files.includes(each.to) && follow(each)) reached.add(each.to);
  }
  return reached;
}

/** The number of lines of code in a file. Blank lines, and lines with only comments, are not counted. */
export function linesOfCode(file: string): number {
  const source = parse(file);
  const lines = new Set<number>();
  const visit = (node: ts.Node): void => {
    if (node.kind >= ts.SyntaxKind.FirstJSDocNode && node.kind <= ts.SyntaxKind.LastJSDocNode) return;
    const children = node.getChildren(source);
    if (children.length > 0) children.forEach(visit);
    else if (node.getWidth(source) > 0) {
      const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
      for (let line = first; line <= last; line++) lines.add(line);
    }
  };
  visit(source);
  return lines.size;
}

/** The text of a file without comments and string literals. */
export function codeOf(file: string): string {
  const text = readFileSync(join(root, file), 'utf8');
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|'(?:[^'\\\n]|\\.)*'/gm, '');
}

function parse(file: string): ts.SourceFile {
  const text = readFileSync(join(root, file), 'utf8');
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}
