/**
 * The public functions, constructors, methods and settable properties, and what their types allow, as the TypeScript
 * compiler sees them.
 */
import { join, relative } from 'node:path';
import ts from 'typescript';
import { root } from '../../structure/source-files.ts';
import type { ValueName } from './values.ts';

/** A step from the list of arguments to a value inside it: the index of an argument or an element, or a property. */
export type Step = number | string | typeof anyKey;
/** The first property that a valid value has, in a record with any keys. */
export const anyKey: unique symbol = Symbol('any key');

/** A place for a value: an argument, an option, an element of an array. */
export interface Slot {
  /** As in `options.betas[0]`. */
  readonly name: string;
  readonly path: readonly Step[];
  /** The values that the type does not allow. */
  readonly wrong: readonly ValueName[];
  /** Whether the type allows any number. */
  readonly numeric: boolean;
  /** Whether the type is an object with known properties, so that all others are unknown options. */
  readonly options: boolean;
  /** The results that the type does not allow, if the value is a function. */
  readonly wrongResults: readonly ValueName[];
}

export interface Callable {
  /**
   * As in `tensor`, `Dense`, `Tensor.add`, `Optimizer.lr =`, and `stepDecay()` for the function that it returns;
   * `node.loadWeights` if `gammabeta` has a function of the same name.
   */
  readonly name: string;
  readonly kind: 'function' | 'constructor' | 'method' | 'setter';
  /** The number of parameters. Infinity if the last one is a rest parameter. */
  readonly count: number;
  readonly slots: readonly Slot[];
}

const entries = ['index', 'node', 'networks', 'onnx'].map((name) => join(root, `src/${name}.ts`));
const valuesFile = join(root, 'test/laws/arguments/values.ts');

const program = ts.createProgram([...entries, valuesFile], optionsOf(join(root, 'tsconfig.json')));
const checker = program.getTypeChecker();
const typesOfValues = readValues();

/** All of them. */
export function publicApi(): readonly Callable[] {
  const [index, node, networks, onnx] = entries.map(exportsOf);
  const main = [...index, ...networks, ...onnx];
  const names = new Set(main.map(({ name }) => name));
  return [
    ...main.flatMap((symbol) => callablesOf(symbol.name, symbol)),
    ...node.flatMap((symbol) =>
      callablesOf(names.has(symbol.name) ? `node.${symbol.name}` : symbol.name, symbol),
    ),
  ];
}

function optionsOf(path: string): ts.CompilerOptions {
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: unknown };
  return ts.parseJsonConfigFileContent(config, ts.sys, root).options;
}

function exportsOf(path: string): ts.Symbol[] {
  const source = program.getSourceFile(path);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${path} exports nothing`);
  return checker.getExportsOfModule(module).filter((symbol) => !(symbol.declarations ?? []).some(isTypeOnly));
}

/** Whether it is `export type { … }`: a class that is exported so cannot be constructed. */
function isTypeOnly(declaration: ts.Declaration): boolean {
  return (
    ts.isExportSpecifier(declaration) && (declaration.isTypeOnly || declaration.parent.parent.isTypeOnly)
  );
}

function readValues(): Map<ValueName, ts.Type> {
  const exported = exportsOf(valuesFile).find(({ name }) => name === 'values');
  if (exported === undefined) throw new Error('values.ts exports no values');
  const types = checker
    .getPropertiesOfType(checker.getTypeOfSymbol(exported))
    .map((value): [ValueName, ts.Type] => {
      const [signature] = checker.getTypeOfSymbol(value).getCallSignatures();
      return [value.name as ValueName, signature.getReturnType()];
    });
  return new Map(types);
}

// ── functions, classes and their members ───────────────────────────────────────────────────────────────

function callablesOf(name: string, exported: ts.Symbol): Callable[] {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  if (symbol.flags & ts.SymbolFlags.Class) return isError(symbol) ? [] : membersOf(name, symbol);
  if (!(symbol.flags & ts.SymbolFlags.Value)) return [];
  const type = checker.getTypeOfSymbol(symbol);
  if (type.getCallSignatures().length > 0) return functionsOf(name, 'function', type.getCallSignatures());
  if (checker.isArrayType(type)) return [];
  return checker
    .getPropertiesOfType(type)
    .flatMap((member) =>
      functionsOf(`${name}.${member.name}`, 'function', checker.getTypeOfSymbol(member).getCallSignatures()),
    );
}

/** The constructor, methods and settable properties that the class declares. Inherited ones belong to another class. */
function membersOf(name: string, symbol: ts.Symbol): Callable[] {
  const constructors = checker.getTypeOfSymbol(symbol).getConstructSignatures();
  const canConstruct =
    !has(symbol, ts.ModifierFlags.Abstract) &&
    constructors.every(({ declaration }) => !declaration || !isHidden(declaration));
  const inherited = new Set(
    baseTypes(symbol).flatMap((base) =>
      isExported(base.symbol) ? checker.getPropertiesOfType(base).map(declarationOf) : [],
    ),
  );
  const members = checker
    .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
    .filter((member) => !/^(?:__@|#)/.test(member.name) && !inherited.has(declarationOf(member)))
    .filter((member) => (member.declarations ?? []).every((declaration) => !isHidden(declaration)));
  return [
    ...(canConstruct ? functionsOf(name, 'constructor', constructors) : []),
    ...members.flatMap((member): Callable[] => {
      const type = checker.getTypeOfSymbol(member);
      if (member.flags & ts.SymbolFlags.Method) {
        if (has(member, ts.ModifierFlags.Abstract)) return [];
        return functionsOf(`${name}.${member.name}`, 'method', type.getCallSignatures());
      }
      const isSettable =
        member.flags & ts.SymbolFlags.Accessor
          ? member.flags & ts.SymbolFlags.SetAccessor
          : !has(member, ts.ModifierFlags.Readonly);
      if (!isSettable) return [];
      return [
        { name: `${name}.${member.name} =`, kind: 'setter', count: 1, slots: slotsOf('value', [0], [type]) },
      ];
    }),
  ];
}

/** The function and, if it returns a function, that one. */
function functionsOf(name: string, kind: Callable['kind'], signatures: readonly ts.Signature[]): Callable[] {
  if (signatures.length === 0) return [];
  // A rest parameter of type never[] is how a function that refuses more arguments declares them.
  const overloads = signatures.map((signature) =>
    signature.parameters.filter((parameter) => !typesOf(parameter).every(isNever)),
  );
  const parameters = overloads.reduce((longest, other) => (other.length > longest.length ? other : longest));
  const slots = parameters.flatMap(({ name: parameter }, i) => {
    const inOverloads = overloads.flatMap((each) => each.slice(i, i + 1));
    const mayBeLeftOut = inOverloads.length < overloads.length || inOverloads.some(isOptional);
    return slotsOf(parameter, [i], inOverloads.flatMap(typesOf), mayBeLeftOut);
  });
  const returned = kind === 'function' ? signatures[0].getReturnType().getCallSignatures() : [];
  return [
    { name, kind, count: parameters.some(isRestParameter) ? Infinity : parameters.length, slots },
    ...returned
      .filter(({ typeParameters }) => typeParameters === undefined)
      .flatMap((inner) => functionsOf(`${name}()`, 'function', [inner])),
  ];
}

/** The types that an argument may have; for a rest parameter, those of one argument. */
function typesOf(parameter: ts.Symbol): ts.Type[] {
  const type = checker.getTypeOfSymbol(parameter);
  return isRestParameter(parameter) ? membersOfUnion(type).flatMap(elementTypes) : [type];
}

const isNever = (type: ts.Type): boolean => (type.flags & ts.TypeFlags.Never) !== 0;

const isRestParameter = ({ valueDeclaration }: ts.Symbol): boolean =>
  valueDeclaration !== undefined &&
  ts.isParameter(valueDeclaration) &&
  valueDeclaration.dotDotDotToken !== undefined;

const isOptional = ({ valueDeclaration: declaration }: ts.Symbol): boolean =>
  declaration !== undefined &&
  ts.isParameter(declaration) &&
  (declaration.questionToken !== undefined || declaration.initializer !== undefined);

const has = ({ declarations = [] }: ts.Symbol, flag: ts.ModifierFlags): boolean =>
  declarations.some((declaration) => (ts.getCombinedModifierFlags(declaration) & flag) !== 0);

/** Whether a member is private, protected or internal. */
function isHidden(declaration: ts.Declaration): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return (
    (ts.getCombinedModifierFlags(declaration) & hidden) !== 0 ||
    ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal')
  );
}

const declarationOf = ({ declarations = [] }: ts.Symbol): ts.Declaration | undefined => declarations[0];

function baseTypes(symbol: ts.Symbol): ts.BaseType[] {
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const bases = type.isClassOrInterface() ? checker.getBaseTypes(type) : [];
  return bases.flatMap((base) => [base, ...baseTypes(base.symbol)]);
}

const isError = (symbol: ts.Symbol): boolean =>
  baseTypes(symbol).some((base) => base.symbol.name === 'Error');

const isExported = (symbol: ts.Symbol): boolean =>
  entries.some((entry) =>
    exportsOf(entry).some(
      (each) => (each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each) === symbol,
    ),
  );

// ── the places for values in the arguments ─────────────────────────────────────────────────────────────

/** The slot of these types, of which the value may have any, and the slots inside it. */
function slotsOf(
  name: string,
  path: readonly Step[],
  types: readonly ts.Type[],
  mayBeUndefined = false,
  inside: readonly ts.Type[] = [],
): Slot[] {
  const members = types.flatMap(membersOfUnion);
  const bounds = types.map((type) => checker.getBaseConstraintOfType(type) ?? type);
  const isAllowed = (type: ts.Type) => bounds.some((bound) => checker.isTypeAssignableTo(type, bound));
  const wrongOf = (isRight: (type: ts.Type) => boolean) =>
    [...typesOfValues].filter(([, type]) => !isRight(type)).map(([value]) => value);

  const functions = members.flatMap((member) => member.getCallSignatures());
  const results = functions.map((signature) => signature.getReturnType()).flatMap(membersOfUnion);
  const records = members.filter(isRecord);
  const isNumberType = (type: ts.Type) => (type.flags & ts.TypeFlags.Number) !== 0;
  const wrong = wrongOf((type) => isAllowed(type) || (functions.length > 0 && isFunction(type)));
  const slot: Slot = {
    name,
    path,
    wrong: wrong.filter(
      (value) =>
        !(mayBeUndefined && value === 'undefined') && !(value === '{}' && records.some(isDictionary)),
    ),
    numeric: members.some(isNumberType),
    options: records.length > 0 && !records.some(isOpen),
    wrongResults: results.some(isAnything)
      ? []
      : functions.length === 0
        ? []
        : wrongOf((type) => results.some((result) => checker.isTypeAssignableTo(type, result))),
  };
  const outer = [...inside, ...members];
  const deeper = members.filter((member) => !inside.includes(member));
  const tuple = deeper.find((member) => checker.isTupleType(member));
  const positions = tuple === undefined ? [] : checker.getTypeArguments(tuple as ts.TypeReference);
  const elements = deeper.filter((member) => member !== tuple).flatMap(elementTypes);
  const properties = new Map<string, ts.Symbol[]>();
  for (const record of deeper.filter(isRecord)) {
    for (const property of checker.getPropertiesOfType(record)) {
      properties.set(property.name, [...(properties.get(property.name) ?? []), property]);
    }
  }
  const indexed = deeper
    .filter(isRecord)
    .flatMap((record) => checker.getIndexInfosOfType(record).map(({ type }) => type));
  return [
    slot,
    ...positions.flatMap((type, i) => slotsOf(`${name}[${i}]`, [...path, i], [type], false, outer)),
    ...(elements.length > 0 ? slotsOf(`${name}[0]`, [...path, 0], elements, false, outer) : []),
    ...(indexed.length > 0 ? slotsOf(`${name}.key`, [...path, anyKey], indexed, false, outer) : []),
    ...[...properties].flatMap(([property, symbols]) =>
      slotsOf(
        `${name}.${property}`,
        [...path, property],
        symbols.map((symbol) => checker.getTypeOfSymbol(symbol)),
        symbols.some((symbol) => (symbol.flags & ts.SymbolFlags.Optional) !== 0),
        outer,
      ),
    ),
  ];
}

function membersOfUnion(type: ts.Type): ts.Type[] {
  const constraint = checker.getBaseConstraintOfType(type) ?? type;
  return constraint.isUnion() ? constraint.types : [constraint];
}

const isFunction = (type: ts.Type): boolean => type.getCallSignatures().length > 0;

const anything = ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.Void | ts.TypeFlags.TypeParameter;

const isAnything = (type: ts.Type): boolean => (type.flags & anything) !== 0;

/** The types of the elements, for arrays, tuples and array-likes. */
function elementTypes(type: ts.Type): ts.Type[] {
  if (!(type.flags & ts.TypeFlags.Object)) return [];
  if (checker.isTupleType(type)) return [...checker.getTypeArguments(type as ts.TypeReference)].slice(0, 1);
  if (/^(?:(?:Big)?U?[Ii]nt|Float)\d+(?:Clamped)?Array$/.test(symbolOf(type)?.name ?? '')) return [];
  const element = checker.getIndexInfoOfType(type, ts.IndexKind.Number)?.type;
  return element === undefined || checker.getIndexInfoOfType(type, ts.IndexKind.String) ? [] : [element];
}

/** Handles that programs get from the library and pass on. */
const opaque = ['Device', 'TimedModel'];
/** Objects with these properties may have more than the library reads: datasets, batches, statistics and states. */
const openSigns = ['x', 'deviation', 'data', 'slots', 'params'];

/** Whether the type is that of an object which programs write themselves: options, a dataset, parts, a record. */
function isRecord(type: ts.Type): boolean {
  if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))) return false;
  if (isClassInstance(type) || isFunction(type) || type.getConstructSignatures().length > 0) {
    return false;
  }
  if (checker.isArrayType(type) || checker.isTupleType(type)) return false;
  if (opaque.includes(symbolOf(type)?.name ?? '')) return false;
  if (checker.getIndexInfoOfType(type, ts.IndexKind.String) !== undefined) return true;
  const properties = checker.getPropertiesOfType(type);
  return properties.length > 0 && properties.every(({ declarations = [] }) => declarations.every(isOwn));
}

// An intersection of types has no symbol, against what its declaration says.
const symbolOf = ({ symbol }: { readonly symbol?: ts.Symbol }): ts.Symbol | undefined => symbol;

/** Whether the names of the properties are free, so that there may be none. */
const isDictionary = (record: ts.Type): boolean => checker.getIndexInfosOfType(record).length > 0;

const isOpen = (record: ts.Type): boolean =>
  isDictionary(record) || checker.getPropertiesOfType(record).some(({ name }) => openSigns.includes(name));

const isClassInstance = (type: ts.Type): boolean =>
  ((symbolOf(type)?.flags ?? 0) & ts.SymbolFlags.Class) !== 0;

/** Whether it is declared in this library. */
const isOwn = (declaration: ts.Declaration): boolean =>
  /^(?:src|kernels)[\\/]/.test(relative(root, declaration.getSourceFile().fileName));
