/** A model as PyTorch code: `model.py`. */
import { LeakyReLU, ReLU } from '../../layers/activation.ts';
import { BatchNorm1d } from '../../layers/batchnorm1d.ts';
import { Sigmoid, Softmax, Tanh } from '../../layers/bounded-activations.ts';
import { Dense } from '../../layers/dense.ts';
import { Dropout } from '../../layers/dropout.ts';
import { Flatten } from '../../layers/flatten.ts';
import { GroupNorm } from '../../layers/groupnorm.ts';
import { computesAs } from '../../layers/hooks.ts';
import { Identity } from '../../layers/identity.ts';
import type { Layer } from '../../layers/layer.ts';
import { LayerNorm } from '../../layers/layernorm.ts';
import { Sequential } from '../../layers/sequential.ts';
import { ValueError } from '../../tensor/errors.ts';
import { pythonArguments, pythonValue } from './python-code.ts';

/**
 * The text of `model.py`, whose function `build` makes the model.
 *
 * @throws {ValueError} A layer has no form in PyTorch, or is in the model twice.
 */
export function modelCode(model: Layer): string {
  expectOnce(model);
  const code = moduleCode('', model, '    ');
  const imports = [
    ...(code.includes('torch.float64') ? ['import torch'] : []),
    'from torch import nn',
    ...(code.includes('biased=True') ? ['', 'from batchnorm import BatchNorm1d'] : []),
  ];
  return `"""The network."""\n\n${imports.join('\n')}\n\n\ndef build():\n    return ${code}\n`;
}

/** The expression that makes a layer. */
function moduleCode(name: string, layer: Layer, indent: string): string {
  if (computesAs(layer, Sequential)) {
    const inside = `${indent}    `;
    const lines = layer.layers.map(
      (inner, k) => `${inside}${moduleCode(name === '' ? String(k) : `${name}.${k}`, inner, inside)},\n`,
    );
    return lines.length === 0 ? 'nn.Sequential()' : `nn.Sequential(\n${lines.join('')}${indent})`;
  }
  for (const form of rules) {
    const code = form(layer);
    if (code !== null) return code;
  }
  const which = name === '' ? 'the model' : `layer ${name}`;
  const hint =
    'train.py takes Dense, BatchNorm1d, LayerNorm, GroupNorm, activations, Dropout, Flatten and Identity, in a Sequential';
  throw new ValueError('exportPyTorch', `${which}, ${layer.toString()}, has no form in PyTorch`, hint);
}

type Rule = (layer: Layer) => string | null;

/** The code of the layers of a class, and of subclasses that inherit `forward`. */
function rule<L extends Layer>(
  kind: (abstract new (...args: never[]) => L) & { readonly prototype: L },
  code: (layer: L) => string,
): Rule {
  return (layer) => (computesAs(layer, kind) ? code(layer) : null);
}

const rules: readonly Rule[] = [
  rule(Dense, denseCode),
  rule(BatchNorm1d, batchNormCode),
  rule(LayerNorm, (layer) => {
    return `nn.LayerNorm(${pythonArguments([layer.features], rowNormOptions(layer, 'elementwise_affine'))})`;
  }),
  rule(GroupNorm, (layer) => {
    return `nn.GroupNorm(${pythonArguments([layer.groups, layer.channels], rowNormOptions(layer, 'affine'))})`;
  }),
  rule(ReLU, () => 'nn.ReLU()'),
  rule(LeakyReLU, ({ slope }) => `nn.LeakyReLU(${slope})`),
  rule(Sigmoid, () => 'nn.Sigmoid()'),
  rule(Tanh, () => 'nn.Tanh()'),
  rule(Softmax, () => 'nn.Softmax(dim=-1)'),
  rule(Dropout, ({ p }) => `nn.Dropout(${p})`),
  rule(Flatten, () => 'nn.Flatten()'),
  rule(Identity, () => 'nn.Identity()'),
];

function denseCode({ weight, bias }: Dense): string {
  const options = {
    ...(bias === null && { bias: 'False' }),
    ...(weight.dtype === 'float64' && { dtype: 'torch.float64' }),
  };
  return `nn.Linear(${pythonArguments(weight.shape, options)})`;
}

/** PyTorch's running variance is unbiased, so for the biased one the layer is that of `batchnorm.py`. */
function batchNormCode(layer: BatchNorm1d): string {
  const { features, eps, momentum, gamma, runningMean, runningVariance } = layer;
  const isBiased = runningVariance === 'biased';
  const options = {
    eps: pythonValue(eps),
    momentum: pythonValue(momentum),
    ...(gamma === null && { affine: 'False' }),
    ...(runningMean === null && { track_running_stats: 'False' }),
    ...(layer.tensors()[0].dtype === 'float64' && { dtype: 'torch.float64' }),
    ...(isBiased && { biased: 'True' }),
  };
  return `${isBiased ? '' : 'nn.'}BatchNorm1d(${pythonArguments([features], options)})`;
}

/** The options of the layers that normalize each example by itself. PyTorch has two names for γ and β. */
function rowNormOptions({ eps, gamma }: LayerNorm | GroupNorm, affine: string): Record<string, string> {
  return {
    eps: pythonValue(eps),
    ...(gamma === null && { [affine]: 'False' }),
    ...(gamma?.dtype === 'float64' && { dtype: 'torch.float64' }),
  };
}

/** A layer that is used twice would be two layers there, which drift apart. */
function expectOnce(model: Layer): void {
  const names = new Map<Layer, string>();
  for (const [name, layer] of model.namedModules()) {
    const before = names.get(layer);
    if (before !== undefined) {
      const problem = `layer ${name}, ${layer.toString()}, is also layer ${before}`;
      throw new ValueError('exportPyTorch', problem, 'use a layer of its own in each place');
    }
    names.set(layer, name);
  }
}
