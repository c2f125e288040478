/**
 * `gammabeta`: tensors, automatic differentiation, layers, optimizers and training. It runs in browsers and in Node.
 * Functions that read or write files are in `gammabeta/node`.
 */

export type { FloatArray, NumericArray, Shape } from '../kernels/kernel.ts';
export { GammaBetaError, ShapeError } from '../kernels/errors.ts';

export type { Device, DeviceName, DType, ProductForm, Products } from './tensor/device/device.ts';
export { type DeviceInfo, deviceInfo, type DeviceOptions, useDevice } from './tensor/device/registry.ts';
export type { ThreadsOption } from './tensor/device/wasm/threads/count.ts';
export { BusyError } from './tensor/device/hold.ts';
export type { PassedOver, StepTime } from './tensor/device/choice.ts';
export type { TimedModel } from './tensor/device/time-model.ts';
export { arange, eye, randn, tensor, uniform } from './tensor/create.ts';
export type { NestedArray, TensorData } from './tensor/nested.ts';
export { full, ones, zeros } from './tensor/fill.ts';
export type { Operand, TensorJson, TensorOptions, VarianceOptions } from './tensor/tensor-types.ts';
export { argmin, min, norm, prod, type Reduce, std } from './tensor/functions/aggregates.ts';
export { permute, squeeze, stack, unsqueeze } from './tensor/functions/axes.ts';
export { bmm } from './tensor/functions/bmm.ts';
export { concat } from './tensor/functions/concat.ts';
export {
  type Comparison,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  notEqual,
} from './tensor/functions/comparisons.ts';
export { linspace } from './tensor/functions/linspace.ts';
export { oneHot } from './tensor/functions/one-hot.ts';
export { clamp, minimum, where } from './tensor/functions/selection.ts';
export { gelu, softplus } from './tensor/functions/smooth-activations.ts';
export { Tensor } from './tensor/tensor.ts';
export type { Axes } from './tensor/reduction.ts';
export type { Kept, Op, OpDefinition } from './tensor/op-definition.ts';
export { defineOp, type Thunk } from './tensor/define-op.ts';
export { assign } from './tensor/assign.ts';
export { scope } from './tensor/memory.ts';
export { noGrad } from './tensor/tape.ts';
export { gradcheck, type GradcheckOptions, GradientError } from './tensor/gradcheck.ts';
export type { StreamName, StreamState } from './tensor/random.ts';
export { manualSeed } from './tensor/seed.ts';
export type { Value } from './tensor/value.ts';
export { DeviceError, DeviceLostError, DTypeError, GraphError, ValueError } from './tensor/errors.ts';

export { Layer } from './layers/layer.ts';
export { StateDictError } from './layers/load-state-dict.ts';
export type { LoadStateOptions, Slot, StateDict } from './layers/state-dict.ts';
export { Sequential } from './layers/sequential.ts';
export { freeze, unfreeze } from './layers/freeze.ts';
export { onBackward, onForward } from './layers/hooks.ts';
export { Dense } from './layers/dense.ts';
export type {
  BatchNorm1dOptions,
  BceWithLogitsOptions,
  CrossEntropyOptions,
  DenseOptions,
  EmbeddingOptions,
  HuberOptions,
  Labels,
  LayerNormOptions,
  Reduction,
} from './layers/layer-options.ts';
export { LeakyReLU, ReLU } from './layers/activation.ts';
export { Sigmoid, Softmax, Tanh } from './layers/bounded-activations.ts';
export { Embedding } from './layers/embedding.ts';
export { Flatten } from './layers/flatten.ts';
export { Identity } from './layers/identity.ts';
export { Dropout } from './layers/dropout.ts';
export { BatchNorm1d } from './layers/batchnorm1d.ts';
export { LayerNorm } from './layers/layernorm.ts';
export { GroupNorm, type GroupNormOptions } from './layers/groupnorm.ts';
export { crossEntropy } from './layers/losses.ts';
export type { Targets } from './layers/elementwise-loss.ts';
export { mse } from './layers/mse.ts';
export { huber } from './layers/huber.ts';
export { bceWithLogits } from './layers/bce-with-logits.ts';
export {
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  kaimingUniform,
} from './layers/init.ts';

export { Optimizer } from './optim/optimizer.ts';
export type {
  AdamOptions,
  LearningRate,
  ParameterGroup,
  RMSpropOptions,
  SGDOptions,
} from './optim/optimizer-options.ts';
export { OptimizerStateError } from './optim/load-optimizer-state.ts';
export type { OptimizerState, Slots } from './optim/optimizer-state.ts';
export { SGD } from './optim/sgd.ts';
export { Adam, AdamW } from './optim/adam.ts';
export { RMSprop } from './optim/rmsprop.ts';
export { cosineDecay, type Schedule, stepDecay, warmup } from './optim/schedules.ts';
export { clipGradNorm } from './optim/clip-grad-norm.ts';

export { FormatError } from './io/format-error.ts';
export {
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
  type SafetensorsInput,
  type SafetensorsTensor,
} from './io/safetensors.ts';
export type { ElementType, ElementValues } from './io/element-type.ts';
export {
  encodeWeights,
  type EncodeWeightsOptions,
  type LoadedWeights,
  loadWeights,
  type LoadWeightsOptions,
  type WeightLayout,
} from './io/weights.ts';

export { DataError } from './data/data-error.ts';
export type { Dataset } from './data/dataset.ts';
export { dataset, type Row, type Rows, type RowsOptions } from './data/rows.ts';
export { split, type SplitOptions, take } from './data/split.ts';
export { normalize, type NormalizedDataset, type ColumnStatistics } from './data/normalize.ts';
export { type Batch, DataLoader, type DataLoaderOptions } from './data/loader.ts';
export { permutation } from './data/shuffle.ts';
export { cifar10Classes, type Cifar10Images, parseCifar10 } from './data/cifar10.ts';
export { digits, type DigitsOptions } from './data/digits.ts';
export { type IdxArray, parseIdx } from './data/idx.ts';

export {
  type BatchProgress,
  type EpochProgress,
  fit,
  type FitOptions,
  type FitSchedule,
} from './training/fit.ts';
export { trainStep, type TrainStepOptions } from './training/step.ts';
export type { EarlyStopping } from './training/early-stopping.ts';
export { Recovery, type RecoveryParts } from './training/safety/recovery.ts';
export { evaluate, type EvaluateOptions } from './training/evaluate.ts';
export { type Examples, predict, type PredictOptions } from './training/predict.ts';
export { summary } from './training/summary.ts';
export type { Columns, History, Results, Values } from './training/history.ts';
export type { BatchSource, Loss } from './training/batches.ts';
export {
  accuracy,
  binaryAccuracy,
  type DefaultMetric,
  type Metric,
  type Metrics,
} from './training/metrics.ts';
export { NonFiniteLossError } from './training/safety/non-finite.ts';
export {
  type Checkpoint,
  type CheckpointContents,
  CheckpointError,
  type CheckpointParts,
  decodeCheckpoint,
  encodeCheckpoint,
  type Json,
  type LoaderState,
  restoreCheckpoint,
  type Restored,
} from './training/checkpoint/checkpoint.ts';
