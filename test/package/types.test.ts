/** The types of the package, as they are published: they show no internal member, and user programs compile. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getLibFiles, ts as oldest } from '@ts-morph/common';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { files, root } from '../structure/source-files.ts';
import { installPacked } from './bundles.ts';

let folder = '';
/** The folder of an app in which the package is installed. */
let app = '';
let types = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gammabeta-types-'));
  app = installPacked(folder);
  types = join(app, 'node_modules/gammabeta/dist');
});
afterAll(() => rmSync(folder, { recursive: true }));

const settings = {
  types: [],
  strict: true,
  noImplicitOverride: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
};

/** A program that imports the package, with the types of the browser and no others. */
function compile(source: string): ts.Program {
  const file = join(app, 'program.mts');
  writeFileSync(file, source);
  return ts.createProgram([file], {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    noEmit: true,
    ...settings,
  });
}

function errorsOf(source: string): string[] {
  const diagnostics = ts.getPreEmitDiagnostics(compile(source));
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

/** The members of the classes that the package exports, private ones left out: `Tensor.shape`. */
function publicMembers(): { readonly owner: string; readonly name: string }[] {
  const program = compile("export * from 'gammabeta';");
  const checker = program.getTypeChecker();
  const [source] = program.getRootFileNames().map((file) => program.getSourceFile(file));
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error('the program exports nothing');
  return checker.getExportsOfModule(module).flatMap((alias) => {
    const symbol = alias.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(alias) : alias;
    if (!(symbol.flags & ts.SymbolFlags.Class)) return [];
    const members = [
      ...checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)),
      ...checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol)),
    ];
    return members
      .filter(({ valueDeclaration }) => !valueDeclaration || !isPrivate(valueDeclaration))
      .map(({ name }) => ({ owner: alias.name, name }));
  });
}

function exportsOf(program: ts.Program): ReadonlySet<string> {
  const [file] = program.getRootFileNames().map((name) => program.getSourceFile(name));
  const module = file && program.getTypeChecker().getSymbolAtLocation(file);
  if (module === undefined) throw new Error('the program exports nothing');
  return new Set(
    program
      .getTypeChecker()
      .getExportsOfModule(module)
      .map(({ name }) => name),
  );
}

/** The types of the package that its exports mention: `fit → FitOptions`. */
function mentioned(program: ts.Program): readonly { readonly by: string; readonly type: string }[] {
  const checker = program.getTypeChecker();
  const [file] = program.getRootFileNames().map((name) => program.getSourceFile(name));
  const module = file && checker.getSymbolAtLocation(file);
  if (module === undefined) throw new Error('the program exports nothing');
  const target = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const exported = checker.getExportsOfModule(module);
  return exported.flatMap((each) => {
    const found: { by: string; type: string }[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isClassElement(node) && isPrivate(node)) return;
      if (ts.isConstructorDeclaration(node) && isProtected(node)) return; // programs cannot call it
      const name = ts.isTypeReferenceNode(node) ? node.typeName : null;
      const symbol = name && checker.getSymbolAtLocation(name);
      const declared = symbol && target(symbol);
      const isOurs = declared?.declarations?.some((d) =>
        d.getSourceFile().fileName.includes('gammabeta/dist'),
      );
      if (declared && isOurs && !(declared.flags & ts.SymbolFlags.TypeParameter)) {
        found.push({ by: each.name, type: declared.name });
      }
      ts.forEachChild(node, visit);
    };
    target(each).declarations?.forEach(visit);
    return found;
  });
}

const isPrivate = (node: ts.Declaration) =>
  (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0;

const isProtected = (node: ts.Declaration) =>
  (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Protected) !== 0;

/** The names of the members of `src` that are marked internal. */
function internalNames(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const file of files.filter((each) => each.startsWith('src/'))) {
    const text = readFileSync(join(root, file), 'utf8');
    const visit = (node: ts.Node): void => {
      const isInternal = ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');
      if (isInternal && ts.isClassElement(node) && node.name) names.add(node.name.getText());
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  }
  return names;
}

/**
 * The oldest version of TypeScript that the types work with. `@ts-morph/common` 0.26 contains it. An alias of the package
 * `typescript` would replace the command `tsc` of the project.
 */
const LEAST = '5.7';

/** A program that uses and extends the public API. */
const program = `
  import {
    type Batch, BatchNorm1d, DataLoader, type Dataset, defineOp, Dense, type Device, type DeviceName, evaluate, fit, type FitOptions, type FloatArray, gradcheck,
    type History, type Kept, Layer, type LearningRate, type Metric, mse, noGrad, type Op, type OpDefinition, Optimizer,
    randn, ReLU, scope, Sequential, SGD, type SGDOptions, Tensor, tensor, type Thunk, useDevice,
  } from 'gammabeta';

  class Residual extends Layer {
    readonly f: Dense;
    readonly scale: Tensor;
    constructor(features: number) {
      super();
      this.f = this.addLayer('f', new Dense(features, features));
      this.scale = this.addParameter('scale', tensor([1], { requiresGrad: true }));
    }
    override forward(x: Tensor): Tensor {
      return this.training ? x.add(this.f.forward(x).relu().mul(this.scale)) : x;
    }
  }

  class SignDescent extends Optimizer<LearningRate> {
    protected override kind(): string {
      return 'SignDescent';
    }
    protected override check({ lr }: LearningRate): void {
      if (lr <= 0) throw new Error('lr');
    }
    protected override update(w: Tensor, g: Tensor, slots: Record<string, Tensor | number>, { lr }: LearningRate): void {
      slots['steps'] = Number(slots['steps'] ?? 0) + 1;
      void w.sub(g.div(g.abs()).mul(lr));
    }
  }

  class Careful extends SGD {
    protected override update(w: Tensor, g: Tensor, slots: Record<string, Tensor | number>, { lr }: SGDOptions): void {
      console.log(w.shape, g.shape, Object.keys(slots), lr);
    }
  }

  const definition: OpDefinition<[x: Tensor, factor: number], Kept & { readonly slope: Tensor }> = {
    name: 'scaled',
    forward: (x, factor) => ({ y: x.mul(factor), slope: tensor(factor) }),
    backward: (g, { slope }): readonly Thunk[] => [() => g.mul(slope)],
  };
  const scaled: Op<[x: Tensor, factor: number]> = defineOp(definition);
  const softplus = defineOp({
    name: 'softplus',
    forward: (x: Tensor) => x.exp().add(1).log(),
    backward: (g, y, x) => [() => g.mul(x.sigmoid()).add(y.mul(0))],
  });

  await useDevice('cpu');
  const x: Tensor = scaled(softplus(randn([2, 3])), 2);
  const { shape, size, dtype, device, requiresGrad, grad } = x;
  const rows: number[][] = x.toArray(2);
  const place: DeviceName | Device = x.device;
  const values: FloatArray = await tensor(rows, { device: place }).add([1, 2, 3]).data();
  const ok: boolean = gradcheck(softplus, [x]);
  const model = new Sequential(new Residual(3), new BatchNorm1d(3), new ReLU(), new Dense(3, 2));
  const data: Dataset = { x: new Float32Array(6), shape: [3], labels: new Uint8Array(2) };
  const near: Metric = (output, labels) => output.argmax(1).sub(tensor(labels)).abs().mean().item();
  const options: FitOptions = {
    train: new DataLoader(data, { batchSize: 2 }),
    validation: data,
    optimizer: new SignDescent(model.parameters(), { lr: 0.1 }),
    loss: (output, labels) => mse(output, output.detach()),
    metrics: { near },
    epochs: 1,
    signal: new AbortController().signal,
    onBatch: ({ loss, batch }) => console.log(loss, batch),
  };
  const history: History = await fit(model, options);
  const { loss } = await evaluate(model, data);
  const kept = scope(() => noGrad(() => ({ y: x.matmul(x.transpose()).slice(0, 1) })));
  for (const batch of new DataLoader(data, { batchSize: 1 })) console.log((batch satisfies Batch).x);
  console.log(shape, size, dtype, device, requiresGrad, grad, ok, values, history.loss, loss, kept.y.item(), Careful);
`;

describe('the published types', () => {
  it('show no member that is internal, or that overrides an internal one', () => {
    const internal = internalNames();
    expect([...internal]).toEqual(
      expect.arrayContaining(['storage', 'home', 'like', 'tensors', 'applyRule']),
    );
    const members = publicMembers();
    expect(members).toContainEqual({ owner: 'SGD', name: 'step' });
    expect(members).toContainEqual({ owner: 'Tensor', name: 'shape' });
    expect(members.filter(({ name }) => internal.has(name))).toEqual([]);
  });

  it('mention only types that a program can import', () => {
    const entries = Object.keys(packageJson.exports).filter((path) => !path.endsWith('.json'));
    expect(entries).toEqual(expect.arrayContaining(['.', './node']));
    for (const entry of entries.map((path) => path.replace('.', 'gammabeta'))) {
      const program = compile(`export * from 'gammabeta';\nexport * from '${entry}';`);
      const all = mentioned(program);
      expect(all).toContainEqual({ by: 'fit', type: 'FitOptions' });
      const importable = exportsOf(program);
      const missing = all.filter(({ type }) => !importable.has(type));
      expect([...new Set(missing.map(({ by, type }) => `${by} → ${type}`))]).toEqual([]);
    }
  });

  it('have no comment that is internal', () => {
    const declarations = readdirSync(types, { recursive: true, encoding: 'utf8' });
    const texts = declarations
      .filter((file) => file.endsWith('.d.ts'))
      .map((file) => readFileSync(join(types, file), 'utf8'));
    expect(texts.length).toBeGreaterThan(60);
    expect(texts.filter((text) => text.includes('@internal'))).toEqual([]);
  });

  it('are enough for a program that uses and extends the public API', () => {
    expect(errorsOf(program)).toEqual([]);
  });

  it(`work with TypeScript ${LEAST}, the oldest version that the README names`, () => {
    expect(oldest.version).toMatch(new RegExp(`^${LEAST}\\.`));
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`TypeScript ${LEAST} or newer`);
    writeFileSync(join(app, 'program.mts'), program);
    const { options } = oldest.convertCompilerOptionsFromJson(
      { ...settings, lib: ['es2022', 'dom'], module: 'nodenext', noEmit: true },
      app,
    );
    const base = oldest.createCompilerHost(options);
    // Its declarations of the language are strings, not files.
    const library = new Map(getLibFiles().map(({ fileName, text }) => [`/lib/${fileName}`, text]));
    const host: oldest.CompilerHost = {
      ...base,
      getDefaultLibLocation: () => '/lib',
      fileExists: (name) => library.has(name) || base.fileExists(name),
      readFile: (name) => library.get(name) ?? base.readFile(name),
      getSourceFile: (name, target) => {
        const text = library.get(name);
        return text === undefined
          ? base.getSourceFile(name, target)
          : oldest.createSourceFile(name, text, target);
      },
    };
    const compiled = oldest.createProgram([join(app, 'program.mts')], options, host);
    const errors = oldest.getPreEmitDiagnostics(compiled);
    expect(errors.map(({ messageText }) => oldest.flattenDiagnosticMessageText(messageText, ' '))).toEqual(
      [],
    );
  });

  it('do not let a program make tensors by new, or use what is internal', () => {
    const uses = [
      'new Tensor()',
      'Tensor.leaf',
      'tensor(1).storage',
      'tensor(1).node',
      'new Dense(1, 1).tensors()',
      'new BatchNorm1d(1).usesBatch',
      'new DataLoader(digits({ count: 1, seed: 1 }), { batchSize: 1 }).passing()',
      'new DataLoader(digits({ count: 1, seed: 1 }), { batchSize: 1 }).peek()',
    ];
    const imports = "import { BatchNorm1d, DataLoader, Dense, digits, Tensor, tensor } from 'gammabeta';";
    const errors = errorsOf(`${imports}\nvoid [\n${uses.join(',\n')}\n];`);
    expect(errors[0]).toMatch(/^Constructor of class 'Value' is protected/);
    const missing = errors.slice(1).map((error) => /^Property '(\w+)' does not exist/.exec(error)?.[1]);
    expect(missing).toEqual(['leaf', 'storage', 'node', 'tensors', 'usesBatch', 'passing', 'peek']);
  });
});
