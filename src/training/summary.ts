import type { Shape } from '../../kernels/kernel.ts';
import { formatShape, sizeOf } from '../../kernels/shape.ts';
import { Dense } from '../layers/dense.ts';
import { BatchNorm1d } from '../layers/batchnorm1d.ts';
import { expectLayer } from '../layers/expect-layer.ts';
import { onForward } from '../layers/hooks.ts';
import { expectOutput } from '../layers/expect-output.ts';
import type { Layer } from '../layers/layer.ts';
import { inSequence } from '../layers/sequential.ts';
import { expectShape } from '../tensor/indexing.ts';
import { noGrad } from '../tensor/tape.ts';
import { inputOf } from './batches.ts';
import { TrainingMode } from './mode.ts';
import { restoreBuffers } from './snapshot.ts';
import { streams } from '../tensor/random.ts';

/**
 * A table of the layers of a model, for `console.log`: names, output shapes and numbers of parameters, and their totals.
 * N is the number of examples in a batch. To find the shapes, it runs the model on two examples of zeros; that does not
 * change the model.
 *
 *     layer              output  parameters
 *     0  Dense(4 → 8)    [N, 8]          32
 *     1  BatchNorm1d(8)  [N, 8]          16
 *     2  ReLU            [N, 8]           0
 *     parameters                         48
 *     buffers                            16
 *
 * @param inputShape The shape of one example. Default: that of the first layer, if it is a `Dense` or a `BatchNorm1d`;
 *   otherwise the column of shapes is left out.
 * @throws {ValueError} The model is not a layer.
 * @throws {ShapeError} The model does not take examples of this shape.
 * @example
 * ```ts
 * import { BatchNorm1d, Dense, ReLU, Sequential, summary } from 'gammabeta';
 *
 * const model = new Sequential(new Dense(4, 8, { bias: false }), new BatchNorm1d(8), new ReLU());
 * console.log(summary(model).split('\n')[2]); // 1  BatchNorm1d(8)  [N, 8]          16
 * ```
 */
export function summary(model: Layer, inputShape?: Shape): string {
  expectLayer('summary', model);
  const parts = model.namedModules();
  const isLeaf = ([name]: [string, Layer]): boolean =>
    !parts.some(([other]) => other !== name && (name === '' || other.startsWith(`${name}.`)));
  const leaves = parts.filter(isLeaf);
  const example = inputShape === undefined ? exampleOf(leaves[0][1]) : expectShape('summary', inputShape);
  const outputs =
    example === null
      ? null
      : outputsOf(
          model,
          leaves.map(([, layer]) => layer),
          example,
        );

  const parameters = model.parameters();
  const inLeaves = new Set(leaves.flatMap(([, layer]) => layer.parameters()));
  const others = parameters.filter((p) => !inLeaves.has(p));
  const rows = leaves.map(([name, layer]) => [
    `${name}  ${layer.toString()}`.trim(),
    ...(outputs === null ? [] : [outputs.get(layer) ?? 'not called']),
    countOf(layer.parameters()),
  ]);
  const blank = outputs === null ? [] : [''];
  const total = (name: string, count: string): string[] => [name, ...blank, count];
  const fixed = parameters.filter((p) => !p.requiresGrad);
  const buffers = model.namedSlots().flatMap(([, { held }]) => held ?? []);
  return tableOf([
    ['layer', ...(outputs === null ? [] : ['output']), 'parameters'],
    ...rows,
    ...(others.length > 0 ? [total('of layers around them', countOf(others))] : []),
    total('parameters', countOf(parameters)),
    ...(fixed.length > 0 ? [total('of them frozen', countOf(fixed))] : []),
    total('buffers', countOf(buffers.filter((x) => !parameters.includes(x)))),
  ]);
}

/** The shape of an example that a layer takes; null if the layer does not tell. */
function exampleOf(layer: Layer): Shape | null {
  if (layer instanceof Dense) return [layer.weight.shape[0]];
  return layer instanceof BatchNorm1d ? [layer.features] : null;
}

/** The output shapes of layers, as text. */
function outputsOf(model: Layer, layers: readonly Layer[], example: Shape): Map<Layer, string> {
  const outputs = new Map<Layer, string>();
  const hooks = layers.map((layer) =>
    onForward(layer, (_, y) => {
      outputs.set(layer, formatShape(expectOutput(layer, y).shape).replace(/^\[2\b/, '[N'));
    }),
  );
  const buffers = model.bufferDict();
  const dropout = streams.dropout.state;
  const x = inputOf(model, { x: new Float32Array(2 * sizeOf(example)), shape: [2, ...example] });
  try {
    new TrainingMode(model).run(() => noGrad(() => inSequence([model], x)));
  } finally {
    for (const remove of hooks) remove();
    restoreBuffers(model, buffers);
    streams.dropout.state = dropout;
  }
  return outputs;
}

function countOf(tensors: readonly { readonly size: number }[]): string {
  return tensors.reduce((sum, { size }) => sum + size, 0).toLocaleString('en');
}

/** Rows of text in columns. The last column is aligned to the right. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, k) => Math.max(...rows.map((row) => row[k].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, k) => (k === row.length - 1 ? cell.padStart(widths[k]) : cell.padEnd(widths[k])))
      .join('  ');
  return rows.map(line).join('\n');
}
