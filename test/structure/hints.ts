/** The hints of the error messages, as the source has them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { files, root } from './source-files.ts';

/** A string literal or template that is, or is part of, a hint. */
export interface Hint {
  readonly file: string;
  /** Expressions in templates are `…`. */
  readonly text: string;
}

/** All hints in `src` and `kernels`. */
export function hintsInSource(): readonly Hint[] {
  const sources = files
    .filter((file) => /^(?:src|kernels)\//.test(file) && !/^kernels\/simd\/|\.generated\.ts$/.test(file))
    .map((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    });
  const positions = new Map(sources.flatMap(hintParameters));
  return sources.flatMap((source) => {
    const constants = constantsOf(source);
    return hintArguments(source, positions)
      .flatMap((argument) => textsOf(argument, constants, new Set()))
      .map((text): Hint => ({ file: source.fileName, text }));
  });
}

/** The functions with a parameter `hint`, and its position: `refused(op, problem, hint)`. */
function hintParameters(source: ts.SourceFile): [name: string, position: number][] {
  const found: [string, number][] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) {
      const position = node.parameters.findIndex(({ name }) => name.getText() === 'hint');
      const { parent } = node; // of a function expression: the constant or the property that holds it
      const isHeld = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent);
      const name = isHeld ? parent.name : ts.getNameOfDeclaration(node);
      if (position >= 0 && name !== undefined) found.push([name.getText(), position]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The expressions that are passed as hints: to errors, whose third argument it is, and to functions that make them. */
function hintArguments(source: ts.SourceFile, positions: ReadonlyMap<string, number>): ts.Expression[] {
  const found: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText().endsWith('Error')) {
      found.push(...(node.arguments?.slice(2, 3) ?? []));
    }
    if (ts.isCallExpression(node)) {
      const name = ts.isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
      const position = positions.get(name.getText());
      if (position !== undefined) found.push(...node.arguments.slice(position, position + 1));
    }
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'hint') found.push(node.initializer);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The values of all constants in a file, by name. */
function constantsOf(source: ts.SourceFile): ReadonlyMap<string, readonly ts.Expression[]> {
  const found = new Map<string, ts.Expression[]>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer !== undefined) {
      const name = node.name.getText();
      found.set(name, [...(found.get(name) ?? []), node.initializer]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The texts in an expression: literals, templates, their concatenations, and the constants that it names. */
function textsOf(
  node: ts.Expression,
  constants: ReadonlyMap<string, readonly ts.Expression[]>,
  seen: ReadonlySet<ts.Node>,
): string[] {
  if (seen.has(node)) return [];
  const inside = (part: ts.Expression) => textsOf(part, constants, new Set([...seen, node]));
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) {
    return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  }
  if (ts.isParenthesizedExpression(node)) return inside(node.expression);
  if (ts.isConditionalExpression(node)) return [...inside(node.whenTrue), ...inside(node.whenFalse)];
  if (ts.isBinaryExpression(node)) {
    const [left, right] = [inside(node.left), inside(node.right)];
    return left.length === 1 && right.length === 1 ? [left[0] + right[0]] : [...left, ...right];
  }
  if (ts.isIdentifier(node)) return (constants.get(node.text) ?? []).flatMap(inside);
  return [];
}
