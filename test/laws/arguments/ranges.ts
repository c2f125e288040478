/** The documented range of each number among the arguments. */

export interface NumberRange {
  readonly integer?: boolean;
  /** Only these numbers. */
  readonly only?: readonly number[];
  readonly above?: number;
  readonly from?: number;
  readonly below?: number;
  readonly to?: number;
}

const any = 'any';
const finite: NumberRange = {};
const positive: NumberRange = { above: 0 };
const notNegative: NumberRange = { from: 0 };
const share: NumberRange = { from: 0, below: 1 };
const count: NumberRange = { integer: true, from: 1 };
const natural: NumberRange = { integer: true, from: 0 };
const uint32: NumberRange = { integer: true, from: 0, to: 2 ** 32 - 1 };
/** An axis or an index of a tensor of shape [2, 2]. Negative ones count from the end. */
const ofTwo: NumberRange = { integer: true, from: -2, to: 1 };
const upToTwo: NumberRange = { integer: true, from: -2, to: 2 };

/**
 * By the name of the slot; or, for several functions, the part of it from the parenthesis or the last point on, without
 * the closing parenthesis in the latter case.
 */
export const ranges: Readonly<Record<string, NumberRange | 'any'>> = {
  '(a)': any,
  '(a[0])': any,
  '(b)': any,
  '(b[0])': any,
  'Tensor.matmul(b)': { only: [] },
  '(shape[0])': natural,
  '(axis)': ofTwo,
  '(axis[0])': ofTwo,
  'useDevice(options.threads)': { integer: true, from: 1, to: 64 },
  'arange(start)': finite,
  'arange(stop)': { from: -1, to: 2 ** 31 },
  'arange(step)': finite,
  'eye(n)': natural,
  'tensor(data)': any,
  'tensor(data[0])': any,
  'tensor(options.shape[0])': { only: [2] },
  'full(value)': any,
  'dataset(rows[0])': finite,
  'dataset(rows[0][0])': finite,
  'dataset(labels[0])': finite,
  'dataset(labels[0][0])': finite,
  '(options.shape[0])': count,
  '(options.targetShape[0])': count,
  'linspace(start)': finite,
  'linspace(stop)': finite,
  'linspace(count)': natural,
  'oneHot(labels[0])': { integer: true, from: 0, to: 1 },
  'oneHot(classes)': count,
  'clamp(min)': any,
  'clamp(max)': any,
  'permute(axes[0])': ofTwo,
  'Embedding(count)': count,
  'Embedding(features)': count,
  '(count.share)': { above: 0, below: 1 },
  '(count.seed)': natural,
  'uniform(low)': { to: 1 },
  'uniform(high)': { from: 0 },
  'Tensor.pow(power)': finite,
  '(slope)': finite,
  'Tensor.reshape(shape[0])': { only: [-1, 4] },
  'Tensor.slice(begin)': upToTwo,
  'Tensor.slice(begin[0])': upToTwo,
  'Tensor.slice(end)': upToTwo,
  'Tensor.slice(end[0])': upToTwo,
  'Tensor.gather(rows[0])': { integer: true, from: 0, to: 1 },
  'gradcheck(options.eps)': positive,
  'gradcheck(options.rtol)': notNegative,
  'gradcheck(options.atol)': notNegative,
  '(seed)': natural,
  '(options.seed)': natural,
  'Dense(inFeatures)': count,
  'Dense(outFeatures)': count,
  'Dropout(p)': share,
  'BatchNorm1d(features)': count,
  'BatchNorm1d(options.eps)': positive,
  'BatchNorm1d(options.momentum)': { from: 0, to: 1 },
  'LayerNorm(features)': count,
  'LayerNorm(options.eps)': positive,
  'GroupNorm(groups)': { integer: true, from: 1, to: 2 },
  'GroupNorm(channels)': count,
  'GroupNorm(options.eps)': positive,
  'crossEntropy(labels[0])': { integer: true, from: 0, to: 1 },
  'crossEntropy(options.labelSmoothing)': { from: 0, to: 1 },
  'crossEntropy(options.weight[0])': notNegative,
  'bceWithLogits(y[0])': { from: 0, to: 1 },
  'bceWithLogits(options.weight)': notNegative,
  'bceWithLogits(options.weight[0])': notNegative,
  'bceWithLogits(options.posWeight)': notNegative,
  'bceWithLogits(options.posWeight[0])': notNegative,
  '(target[0])': finite,
  'huber(options.delta)': positive,
  'accuracy(labels[0])': { integer: true, from: 0, to: 1 },
  '(options.ignoreIndex)': { integer: true },
  'binaryAccuracy(labels[0])': { from: 0, to: 1 },
  'binaryAccuracy(options.threshold)': finite,
  'Optimizer.lr =(value)': notNegative,
  '(options.lr)': positive,
  '(options.eps)': positive,
  '(options.momentum)': share,
  '(options.dampening)': { from: 0, to: 1 },
  '(options.weightDecay)': notNegative,
  '(options.alpha)': share,
  '(options.betas[0])': share,
  '(options.betas[1])': share,
  '(params[0].lr)': positive,
  '(params[0].eps)': positive,
  '(params[0].momentum)': share,
  '(params[0].dampening)': { from: 0, to: 1 },
  '(params[0].weightDecay)': notNegative,
  '(params[0].alpha)': share,
  '(params[0].betas[0])': share,
  '(params[0].betas[1])': share,
  'Optimizer.loadStateDict(state.groups[0].params[0])': natural,
  'Optimizer.loadStateDict(state.slots[0].key)': finite,
  '(lr)': positive,
  'cosineDecay(options.steps)': count,
  'cosineDecay(options.minimum)': { from: 0, to: 0.1 },
  'stepDecay(options.every)': count,
  'stepDecay(options.factor)': { above: 0, to: 1 },
  'warmup(then)': positive,
  'warmup(options.steps)': count,
  'warmup(options.start)': { above: 0, to: 1 },
  '(step)': notNegative,
  'clipGradNorm(max)': positive,
  '.shape[0]': count,
  '.targetShape[0]': count,
  '.divisor': positive,
  '.mean': finite,
  '.mean[0]': finite,
  '.deviation': positive,
  '.deviation[0]': positive,
  '(count)': count,
  '(options.count)': { integer: true, from: 1, to: 1e6 },
  'DataLoader(options.batchSize)': count,
  'DataLoader.epoch =(value)': uint32,
  'permutation(n)': uint32,
  'permutation(epoch)': uint32,
  'exportPyTorch(options.validation)': natural,
  'fit(options.epochs)': natural,
  'fit(options.initialEpoch)': natural,
  'fit(options.earlyStopping.patience)': natural,
  'fit(options.earlyStopping.minDelta)': notNegative,
  '(options.clipGradNorm)': positive,
  'trainStep(batch.targetShape[0])': { only: [2] },
  'trainStep(batch.shape[0])': { only: [2] },
  'predict(data[0])': any,
  'predict(options.batchSize)': count,
  'summary(inputShape[0])': { only: [2] },
  'toOnnx(options.input[0])': { only: [2] },
  'toOnnx(options.opset)': { integer: true, from: 13, to: 21 },
  'encodeSafetensors(tensors.key.shape[0])': { only: [1] },
  '(contents.epoch)': natural,
  '(contents.extra)': finite,
  '(contents.extra[0])': finite,
  '(contents.extra.key)': finite,
};

const used = new Set<string>();
/** The names in the table that were looked up. */
export const usedRanges: ReadonlySet<string> = used;

/** The range of a slot: `Dense(inFeatures)` has its own, `zeros(shape[0])` has that of `(shape[0])`. */
export function rangeOf(slot: string): NumberRange | 'any' | undefined {
  const argument = slot.slice(slot.lastIndexOf('('));
  const property = slot.slice(slot.lastIndexOf('.'), -1);
  const found = [slot, argument, property].find((name) => Object.hasOwn(ranges, name));
  if (found === undefined) return undefined;
  used.add(found);
  return ranges[found];
}

export function isIn(range: NumberRange | 'any', value: number): boolean {
  if (range === 'any') return true;
  if (range.only !== undefined) return range.only.includes(value);
  const { integer = false, above = -Infinity, from = -Infinity, below = Infinity, to = Infinity } = range;
  const isKind = integer ? Number.isSafeInteger(value) : Number.isFinite(value);
  return isKind && value > above && value >= from && value < below && value <= to;
}
