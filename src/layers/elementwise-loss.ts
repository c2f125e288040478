/** What the losses of single values share (`mse`, `huber`, `bceWithLogits`): their targets and their reduction. */
import type { NumericArray, Shape } from '../../kernels/kernel.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { type NestedArray, numbersOf, shapeOf } from '../tensor/nested.ts';
import { expectNumber, expectOneOf, expectTensor, type Range, ShapeError, shown } from '../tensor/errors.ts';
import { constant } from '../tensor/op.ts';
import { Tensor } from '../tensor/tensor.ts';
import { counted } from './counted.ts';
import { elementsOf, reductions } from './losses.ts';
import type { Reduction } from './layer-options.ts';

/**
 * One target for each value of a prediction: a flat array in the order of the values, nested arrays of the prediction's
 * shape, or a tensor of that shape.
 */
export type Targets = ArrayLike<number> | NestedArray | readonly NumericArray[] | Tensor;

/**
 * The targets as a tensor of the prediction's shape. Numbers in arrays must be finite, and in the range if one is given.
 * Targets in a tensor are read only to check the range.
 *
 * @throws {ValueError} The prediction is not a tensor, or a target is not a number of that range.
 * @throws {ShapeError} The targets do not have the shape of the prediction.
 */
export function targetsOf(op: string, prediction: Tensor, targets: Targets, range?: Range): Tensor {
  const { extents: shape, size } = expectTensor(op, 'prediction', prediction);
  if (targets instanceof Tensor) {
    if (!sameShape(targets.extents, shape)) throw misfit(op, shape, formatShape(targets.extents));
    if (range !== undefined) expectNumbers(op, 'target', targets.dataSync(), range);
    return targets;
  }
  const given = elementsOf(targets);
  const isFlat = given?.length === size && typeof given[0] !== 'object';
  if (!isFlat && !sameShape(shapeOf(targets), shape)) throw misfit(op, shape, shown(targets));
  const values = isFlat ? given : numbersOf(op, targets);
  expectNumbers(op, 'target', values, range);
  return constant(prediction, values, shape);
}

/** The mean over all values, their sum, or the losses themselves. A mean reports what it divides by, a sum that it is one. */
export function reduceLosses(op: string, losses: Tensor, reduction: Reduction = 'mean'): Tensor {
  expectOneOf(op, 'reduction', reduction, reductions);
  if (reduction === 'none') return losses;
  if (reduction === 'sum') return counted(losses.sum(), 'sum');
  if (losses.size === 0) {
    const hint = "a mean needs at least one value: use reduction: 'sum' or 'none'";
    throw new ShapeError(op, `no values: shape ${formatShape(losses.shape)}`, hint);
  }
  return counted(losses.sum().mul(1 / losses.size), losses.size);
}

/** Checks that all values are finite numbers in the range. `name` is that of their array, for the error message. */
export function expectNumbers(op: string, name: string, values: ArrayLike<number>, range: Range = {}): void {
  const { from = -Infinity, to = Infinity } = range;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isFinite(value) && value >= from && value <= to) continue;
    expectNumber(op, `${name}[${i}]`, value, range);
  }
}

function misfit(op: string, shape: Shape, target: string): ShapeError {
  return new ShapeError(
    op,
    `prediction ${formatShape(shape)}, target ${target}`,
    'the target has the shape of the prediction, or is a flat array of its values',
  );
}
