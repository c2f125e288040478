/** The settings of a training run as Python code: `settings.py`. */
import type { DataLoader } from '../../data/loader.ts';
import type { Layer } from '../../layers/layer.ts';
import { pythonValue, type PythonValue } from './python-code.ts';
import type { TorchOptimizer } from './torch-optimizer.ts';

export interface Settings {
  readonly model: Layer;
  readonly optimizer: Pick<TorchOptimizer, 'name' | 'groups'>;
  readonly loader: DataLoader;
  /** The number of examples at the front of the file that are for validation. */
  readonly validation: number;
}

/** The text of `settings.py`. */
export function settingsCode({ model, optimizer, loader, validation }: Settings): string {
  const { batchSize, shuffle, seed, epoch, dropLast, dataset } = loader;
  const { shape, divisor = 1, mean = 0, deviation = 1 } = dataset;
  const line = (name: string, value: PythonValue): string => `${name} = ${pythonValue(value)}\n`;
  return `"""The settings of the training run."""

# The batches.
${line('BATCH_SIZE', batchSize)}${line('SHUFFLE', shuffle)}${line('SEED', seed)}\
EPOCH = ${epoch}  # the number of epochs that are over
DROP_LAST = ${pythonValue(dropLast)}  # whether a last batch that is shorter is left out
VALIDATION = ${validation}  # the number of examples at the front of the file that are for validation

# The images, which are bytes: (x / DIVISOR - MEAN) / DEVIATION, in this shape.
${line('SHAPE', shape)}${line('DIVISOR', divisor)}${line('MEAN', mean)}${line('DEVIATION', deviation)}
# The optimizer: a class of torch.optim, and the options of its groups of parameters.
${line('OPTIMIZER', optimizer.name)}GROUPS = [
${optimizer.groups.map(groupCode).join('')}]

# Parts of the network that are not trained.
${line('FROZEN_PARAMETERS', frozenParameters(model))}${line('LAYERS_IN_EVALUATION', layersInEvaluation(model))}`;
}

/** A group, with one option in each line. */
function groupCode(group: Readonly<Record<string, PythonValue>>): string {
  const lines = Object.entries(group).map(([name, value]) => `        "${name}": ${pythonValue(value)},\n`);
  return `    {\n${lines.join('')}    },\n`;
}

function frozenParameters(model: Layer): string[] {
  return model.namedParameters().flatMap(([name, w]) => (w.requiresGrad ? [] : [name]));
}

/** The layers that `fit` leaves in evaluation: frozen ones, and those that the user has put in it in a training model. */
function layersInEvaluation(model: Layer): string[] {
  const stays = ({ frozen, training }: Layer): boolean => frozen !== null || (model.training && !training);
  return model.namedModules().flatMap(([name, layer]) => (stays(layer) ? [name] : []));
}
