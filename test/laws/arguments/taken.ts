/**
 * Arguments that are taken although their types do not allow them, and arguments that are refused although JavaScript
 * ignores them.
 */
import type { ValueName } from './values.ts';

interface Taken {
  /** As in `predict(data.targetShape)`; also for the slots inside it. */
  readonly slot: string;
  /** The values that are taken; all, if left out. */
  readonly values?: readonly (ValueName | 'an unknown option')[];
  /** What the documentation says. */
  readonly because: string;
}

/** Calls with these arguments must succeed. */
export const taken: readonly Taken[] = [
  { slot: 'predict(data.targetShape', because: 'predict uses the examples only' },
  ...['fit', 'trainStep', 'evaluate'].map((name): Taken => {
    return { slot: `${name}(options.metrics)`, values: ['{}'], because: '{} is for no metrics' };
  }),
];

/** Functions that refuse one more argument, because another library gives it a meaning. All others ignore it. */
export const refusesMore: Readonly<Record<string, string>> = {
  'Tensor.transpose': "NumPy's axes",
  'Tensor.flatten': "PyTorch's start_dim",
  'Tensor.reshape': 'the extents one by one, as in NumPy',
  'Tensor.slice': 'the step of Python slices',
  'Tensor.matmul': "TensorFlow.js' transposeA",
  'Tensor.argmax': "PyTorch's keepdim",
  'Tensor.gather': "TensorFlow.js' axis",
  'Tensor.backward': "PyTorch's retain_graph",
  Identity: 'it has no options',
  ReLU: "PyTorch's inplace",
  Sigmoid: 'it has no options',
  Tanh: 'it has no options',
  Softmax: "PyTorch's dim",
  Flatten: "PyTorch's start_dim",
  'Optimizer.step': "PyTorch's closure",
  clipGradNorm: "PyTorch's norm_type",
};
