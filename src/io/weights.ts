/**
 * Weights of a model as safetensors, in this library's layout or in PyTorch's. The keys are the same in both; in PyTorch's
 * layout the weight of a `Dense` is [out, in], and the number of batches of a `BatchNorm1d` is an int64.
 */
import type { FloatArray, Shape } from '../../kernels/kernel.ts';
import { sameShape } from '../../kernels/shape.ts';
import { BatchNorm1d } from '../layers/batchnorm1d.ts';
import { Dense } from '../layers/dense.ts';
import { expectLayer } from '../layers/expect-layer.ts';
import type { Layer } from '../layers/layer.ts';
import { expectFit, prepareState } from '../layers/load-state-dict.ts';
import type { StateDict } from '../layers/state-dict.ts';
import { inPlace } from '../tensor/assign.ts';
import { tensor } from '../tensor/create.ts';
import { cpu } from '../tensor/device/cpu.ts';
import { DeviceError, expectBoolean, expectOneOf, expectOptions } from '../tensor/errors.ts';
import { tensorOf } from '../tensor/misfits.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { ElementValues } from './element-type.ts';
import {
  type Header,
  joined,
  partsOf,
  plainSource,
  readBytes,
  type Safetensors,
  type SafetensorsTensor,
  type Source,
} from './safetensors.ts';

/** How a `Dense` weight is stored: [in, out] as in this library, or [out, in] as in PyTorch's `Linear`. */
export type WeightLayout = 'gammabeta' | 'pytorch';

export interface EncodeWeightsOptions {
  /** Default `gammabeta`. */
  readonly layout?: WeightLayout;
}

export interface LoadWeightsOptions {
  /**
   * The layout of the file. By default it is the one that the file states, or, for files of other programs, the one whose
   * shapes fit the model. If both fit, because all dense weights are square, it must be given.
   */
  readonly layout?: WeightLayout;
  /** Whether missing and unexpected tensors are errors; otherwise they are ignored. Default true. */
  readonly strict?: boolean;
}

/** The tensors that were ignored; both are empty unless `strict` is false. */
export interface LoadedWeights {
  /** The entries of the model's state dict that the file does not have. They keep their values. */
  readonly missing: readonly string[];
  /** The tensors of the file that the model does not have. */
  readonly unexpected: readonly string[];
}

const layouts = ['gammabeta', 'pytorch'] as const;
/** The key of the layout in the metadata. */
const LAYOUT = 'gammabeta.layout';

/**
 * Returns the parameters and buffers of a model as the bytes of a safetensors file, by the keys of its state dict. With
 * `layout: 'pytorch'`, `load_state_dict` of the same model in PyTorch loads them with `strict=True`.
 *
 * A warning counts the values that are NaN, if there are any.
 *
 * @throws {ValueError} The model is not a layer, or an option is unknown.
 * @throws {DeviceError} The model is on `webgpu`, which cannot be read synchronously.
 * @see https://github.com/huggingface/safetensors
 * @example
 * ```ts
 * import { BatchNorm1d, Dense, decodeSafetensors, encodeWeights, Sequential } from 'gammabeta';
 *
 * const model = new Sequential(new Dense(3, 2), new BatchNorm1d(2));
 * const { tensors } = decodeSafetensors(encodeWeights(model, { layout: 'pytorch' }));
 * console.log(tensors['0.weight'].shape); // [ 2, 3 ]
 * console.log(tensors['1.num_batches_tracked']); // { dtype: 'I64', shape: [], data: BigInt64Array(1) [ 0n ] }
 * ```
 */
export function encodeWeights(model: Layer, options: EncodeWeightsOptions = {}): Uint8Array<ArrayBuffer> {
  const state = stateToSave('encodeWeights', model, options);
  const values = Object.values(state).map(readNow);
  const source = plainSource('encodeWeights');
  return joined(source, weightParts('encodeWeights', source, model, state, values, options.layout));
}

/**
 * Loads the parameters and buffers of a model from the bytes of a safetensors file, of this library or of another program
 * such as PyTorch. Other element types are converted. If an error is thrown, nothing is changed.
 *
 * A warning counts the values that are NaN, if there are any.
 *
 * @param bytes The whole file. For a path, use `loadWeights` of `gammabeta/node`.
 * @returns The names that were ignored with `strict: false`.
 * @throws {FormatError} The bytes are not safetensors, are cut short or damaged, or are in another layout.
 * @throws {StateDictError} The tensors do not fit the model; the message lists all that do not. Or one has a value that
 *   the model cannot have: a float64 or int64 value that is out of range, or a negative running variance.
 * @throws {ValueError} The model is not a layer, or an option is unknown.
 * @example
 * ```ts
 * import { Dense, encodeWeights, loadWeights } from 'gammabeta';
 *
 * const [a, b] = [new Dense(3, 2), new Dense(3, 2)];
 * loadWeights(b, encodeWeights(a, { layout: 'pytorch' }));
 * console.log(String(b.weight.toArray()) === String(a.weight.toArray())); // true
 * ```
 */
export function loadWeights(
  model: Layer,
  bytes: Uint8Array | ArrayBuffer,
  options: LoadWeightsOptions = {},
): LoadedWeights {
  expectLoading(model, options);
  const source = plainSource('loadWeights');
  const contents = readBytes(source, bytes, (header) => expectFitting(source, model, header, options));
  return load(source, model, contents, options);
}

// ── saving ─────────────────────────────────────────────────────────────────────────────────────────────

/** @internal Checks the arguments, and returns a copy of the state. */
export function stateToSave(op: string, model: Layer, options: EncodeWeightsOptions): StateDict {
  expectLayer(op, model);
  expectOptions(op, options, ['layout']);
  const { layout = 'gammabeta' } = options;
  expectOneOf(op, 'layout', layout, layouts);
  return model.stateDict();
}

/** @internal The file in parts. `values` are those of the tensors of the state, in order. */
export function weightParts(
  op: string,
  source: Source,
  model: Layer,
  state: StateDict,
  values: readonly FloatArray[],
  layout: WeightLayout = 'gammabeta',
): Uint8Array[] {
  const inPyTorch = layout === 'pytorch' ? pytorchEntries(model) : null;
  const tensors = Object.entries(state).map(([name, { shape }], i): [string, SafetensorsTensor] => {
    const { [i]: data } = values;
    const kind = inPyTorch?.get(name);
    if (kind === 'count') return [name, { dtype: 'I64', shape, data: BigInt64Array.of(BigInt(data[0])) }];
    const saved = kind === 'transposed' ? transposed({ shape, data }) : { shape, data };
    return [name, { dtype: data instanceof Float64Array ? 'F64' : 'F32', ...saved }];
  });
  warnOfNaN(op, Object.keys(state), values);
  const metadata = { ...(inPyTorch && { format: 'pt' }), [LAYOUT]: layout };
  return partsOf(source, { tensors: Object.fromEntries(tensors), metadata }, true);
}

function readNow(x: Tensor): FloatArray {
  try {
    return x.dataSync();
  } catch (cause) {
    if (!(cause instanceof DeviceError)) throw cause;
    const hint =
      'in Node, use saveWeights; in a browser, copy the model to wasm first: ' +
      'restoreCheckpoint(await encodeCheckpoint({ model }), { model: copy })';
    throw new DeviceError('encodeWeights', cause.problem, hint, { cause });
  }
}

// ── loading ────────────────────────────────────────────────────────────────────────────────────────────

/** @internal Checks the arguments. */
export function expectLoading(model: Layer, options: LoadWeightsOptions): void {
  expectLayer('loadWeights', model);
  expectOptions('loadWeights', options, ['layout', 'strict']);
  const { layout, strict = true } = options;
  if (layout !== undefined) expectOneOf('loadWeights', 'layout', layout, layouts);
  expectBoolean('loadWeights', 'strict', strict);
}

/** @internal Checks that the tensors of a file have the names and shapes of the model's. */
export function expectFitting(
  source: Source,
  model: Layer,
  { entries, metadata }: Header,
  { layout, strict = true }: LoadWeightsOptions,
): void {
  if (Object.hasOwn(metadata, 'gammabeta')) {
    const hint =
      'use restoreCheckpoint or loadCheckpoint, which restore the model alone if only that is given';
    throw source.failure(`${source.name} is a checkpoint, not a file of weights`, hint);
  }
  const tensors = Object.fromEntries(entries.map((entry) => [entry.name, entry]));
  const isPyTorch = layoutOf(source, model, { tensors, metadata }, layout) === 'pytorch';
  const kinds = pytorchEntries(model);
  const forms = entries.map(({ name, shape }): [string, string] => {
    const isTransposed = isPyTorch && shape.length === 2 && kinds.get(name) === 'transposed';
    return [name, tensorOf(isTransposed ? shape.toReversed() : shape)];
  });
  expectFit('loadWeights', model, new Map(forms), strict);
}

/** @internal Loads the contents of a file whose header is checked. */
export function load(
  source: Source,
  model: Layer,
  { tensors, metadata }: Safetensors,
  { layout, strict = true }: LoadWeightsOptions,
): LoadedWeights {
  const entries = pytorchEntries(model);
  const isPyTorch = layoutOf(source, model, { tensors, metadata }, layout) === 'pytorch';
  const own = model.stateDict();
  const state = Object.entries(tensors).map(([name, { shape, data }]): [string, Tensor] => {
    // Of tensors that the model does not have, only the names are needed.
    if (!Object.hasOwn(own, name)) return [name, onCpu({ shape: [0], data: new Float32Array(0) })];
    const floats = { shape, data: floatsOf(source, name, data) };
    return [name, onCpu(isPyTorch && entries.get(name) === 'transposed' ? transposed(floats) : floats)];
  });
  const loaded = state.filter(([name]) => Object.hasOwn(own, name));
  inPlace(() => prepareState('loadWeights', model, Object.fromEntries(state), { strict })());
  warnOfNaN(
    'loadWeights',
    loaded.map(([name]) => name),
    loaded.map(([, x]) => x.dataSync()),
  );
  return {
    missing: Object.keys(own).filter((name) => !Object.hasOwn(tensors, name)),
    unexpected: Object.keys(tensors).filter((name) => !Object.hasOwn(own, name)),
  };
}

/** The values as floats, exactly. */
function floatsOf({ failure }: Source, name: string, data: ElementValues): FloatArray {
  if (data instanceof Float64Array || data instanceof Float32Array) return data;
  if (data instanceof Uint8Array) return Float32Array.from(data);
  if (data instanceof Int32Array) return Float64Array.from(data);
  const unsafe = data.find((n) => !Number.isSafeInteger(Number(n)));
  if (unsafe === undefined) return Float64Array.from(data, Number);
  throw failure(`${name} has the value ${unsafe}`, 'integers up to ±2⁵³ are read exactly');
}

/** What determines the layout of a file. */
interface Shapes {
  readonly tensors: Readonly<Record<string, { readonly shape: Shape }>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The layout that the file states, or that is given, or that fits. */
function layoutOf(
  source: Source,
  model: Layer,
  { tensors, metadata }: Shapes,
  given: WeightLayout | undefined,
): WeightLayout {
  const stated = layouts.find((layout) => layout === metadata[LAYOUT]);
  if (stated !== undefined && given !== undefined && given !== stated) {
    const problem = `${source.name} is in the layout ${stated}, not ${given}`;
    throw source.failure(problem, 'leave layout out: the file states it');
  }
  const known = given ?? stated;
  if (known !== undefined) return known;
  const weights = Object.entries(model.stateDict()).filter(
    ([name]) => pytorchEntries(model).get(name) === 'transposed' && Object.hasOwn(tensors, name),
  );
  const fits = (shapeOf: (shape: readonly number[]) => readonly number[]): boolean =>
    weights.every(([name, { shape }]) => sameShape(tensors[name].shape, shapeOf(shape)));
  const [fitsOurs, fitsTheirs] = [fits((shape) => shape), fits((shape) => shape.toReversed())];
  if (fitsOurs && fitsTheirs && weights.length > 0) {
    const problem = `${source.name} does not state its layout, and all dense weights are square`;
    throw source.failure(
      problem,
      "pass { layout: 'pytorch' } for a file of PyTorch, or { layout: 'gammabeta' }",
    );
  }
  return fitsOurs ? 'gammabeta' : 'pytorch';
}

// ── PyTorch's layout ───────────────────────────────────────────────────────────────────────────────────

/** @internal The entries of a state dict that PyTorch stores in another way. */
export function pytorchEntries(model: Layer): ReadonlyMap<string, 'transposed' | 'count'> {
  return new Map(
    model.namedModules().flatMap(([name, layer]): [string, 'transposed' | 'count'][] => {
      const prefix = name === '' ? '' : `${name}.`;
      if (layer instanceof Dense) return [[`${prefix}weight`, 'transposed']];
      return layer instanceof BatchNorm1d ? [[`${prefix}num_batches_tracked`, 'count']] : [];
    }),
  );
}

export interface Floats {
  readonly shape: readonly number[];
  readonly data: FloatArray;
}

/** @internal [m, n] → [n, m]. Other shapes stay as they are, and are found not to fit. */
export function transposed({ shape, data }: Floats): Floats {
  if (shape.length !== 2) return { shape, data };
  const [m, n] = shape;
  const y = data.slice();
  if (y.length === 0) return { shape: [n, m], data: y }; // an extent may be enormous if the other one is 0
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) y[j * m + i] = data[i * n + j];
  return { shape: [n, m], data: y };
}

/** A tensor on the cpu device, which is always available and has float64. */
function onCpu({ shape, data }: Floats): Tensor {
  return tensor(data, { shape, dtype: data instanceof Float64Array ? 'float64' : 'float32', device: cpu });
}

/** @internal Warns if values are NaN. `names` are those of the arrays. */
export function warnOfNaN(op: string, names: readonly string[], values: readonly FloatArray[]): void {
  const counts = values.map((array) => {
    let n = 0;
    for (const x of array) if (Number.isNaN(x)) n++;
    return n;
  });
  const count = counts.reduce((sum, n) => sum + n, 0);
  if (count === 0) return;
  const where = names.filter((_, i) => counts[i] > 0).join(', ');
  console.warn(
    `${op}: ${count} values are NaN: ${where}. Hint: the model was not trained well, or is damaged`,
  );
}
