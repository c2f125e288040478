/** The gradients on their way through a graph, and the memory that the way back takes. */
import { add } from '../../kernels/elementwise.ts';
import type { Storage } from './device.ts';
import { run } from './op.ts';
import { free } from './ownership.ts';
import type { Node } from './tape.ts';
import type { Tensor } from './tensor.ts';

/** A gradient, and the leaf that it is for. */
export interface Arrival {
  readonly leaf: Tensor;
  readonly g: Tensor;
}

export class Gradients {
  /** Results of ops are known by their op, leaves by themselves. */
  private readonly arrived = new Map<Node | Tensor, Tensor>();
  /** How many of these are made of a piece of memory: a gradient may be that of two values, or a view. */
  private readonly uses = new Map<Storage, number>();
  /** What this backward pass has allocated and not freed. */
  private readonly own = new Set<Storage>();
  /** Gradients that were passed on or added up: of no more use, unless another is made of the same memory. */
  private readonly spent: Tensor[] = [];

  /** Adds a gradient to those of a value. */
  arrive(value: Tensor, g: Tensor): void {
    const place = value.node ?? value;
    const before = this.arrived.get(place);
    const sum = before === undefined ? g : run(add, [before, g]);
    this.arrived.set(place, sum);
    this.uses.set(sum.storage, (this.uses.get(sum.storage) ?? 0) + 1);
    if (before !== undefined) this.spend(before);
  }

  /** All that has arrived for the result of an op; nothing, if that does not reach y. */
  take(node: Node): Tensor | undefined {
    const g = this.arrived.get(node);
    if (g === undefined) return undefined;
    this.arrived.delete(node);
    this.spend(g);
    return g;
  }

  /** Frees what is of no more use, also of what was allocated since. */
  sweep(allocations: Tensor[]): void {
    for (const x of this.spent) if (!this.uses.has(x.storage) && this.own.delete(x.storage)) free(x);
    for (const x of allocations) {
      if (this.uses.has(x.storage)) this.own.add(x.storage);
      else free(x);
    }
    this.spent.length = 0;
    allocations.length = 0;
  }

  /** What has arrived at the leaves. */
  leaves(): readonly Arrival[] {
    const leaves: Arrival[] = [];
    for (const [leaf, g] of this.arrived) if ('gradient' in leaf) leaves.push({ leaf, g });
    return leaves;
  }

  /** Whether the memory is of this pass, and no other leaf has asked for it. */
  claim(storage: Storage): boolean {
    return this.own.delete(storage) && this.uses.get(storage) === 1;
  }

  private spend(g: Tensor): void {
    const uses = (this.uses.get(g.storage) ?? 0) - 1;
    if (uses > 0) this.uses.set(g.storage, uses);
    else this.uses.delete(g.storage);
    this.spent.push(g);
  }
}
