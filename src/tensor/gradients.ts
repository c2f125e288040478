/** The gradients on their way through a graph, and the memory that the way back takes. */
import { add } from '../../kernels/elementwise.ts';
import type { Storage } from './device/device.ts';
import { run } from './op.ts';
import { free } from './memory.ts';
import type { Node } from './tape.ts';
import type { Tensor } from './tensor.ts';

/** A gradient, and the leaf that it is for. */
export interface Arrival {
  readonly leaf: Tensor;
  readonly g: Tensor;
  /** Of the gradient that the leaf has, and this one. */
  readonly sum: Tensor;
}

let passes = 0;

/** What is known of a piece of memory, it keeps itself, with the number of the pass: so there is nothing to clear. */
export class Gradients {
  private readonly pass = ++passes;
  /** Results of ops are known by their op, leaves by themselves. */
  private readonly arrived = new Map<Node | Tensor, Tensor>();
  /** Gradients that were passed on or added up: of no more use, unless another is made of the same memory. */
  private readonly spent: Tensor[] = [];

  /** Adds a gradient to those of a value. */
  arrive(value: Tensor, g: Tensor): void {
    const place = value.node ?? value;
    const before = this.arrived.get(place);
    const sum = before === undefined ? g : run(add, [before, g]);
    this.arrived.set(place, sum);
    this.marked(sum.storage).uses++;
    if (before !== undefined) this.spend(before);
  }

  /** All that has arrived for the result of an op, asked for once; nothing, if that does not reach y. */
  take(node: Node): Tensor | undefined {
    const g = this.arrived.get(node);
    if (g !== undefined) this.spend(g);
    return g;
  }

  /** Frees what is of no more use, also of what was allocated since. */
  sweep(allocations: Tensor[]): void {
    for (const x of this.spent) {
      const storage = this.marked(x.storage);
      if (storage.uses > 0 || !storage.own) continue;
      storage.own = false;
      free(x);
    }
    for (const x of allocations) {
      const storage = this.marked(x.storage);
      if (storage.uses > 0) storage.own = true;
      else free(x);
    }
    this.spent.length = 0;
    allocations.length = 0;
  }

  /** What has arrived at the leaves, and what it makes of the gradients that they have. */
  leaves(added: (before: Tensor, g: Tensor) => Tensor): readonly Arrival[] {
    const leaves: Arrival[] = [];
    this.arrived.forEach((g, leaf) => {
      if (!('gradient' in leaf)) return;
      leaves.push({ leaf, g, sum: leaf.gradient === null ? g : added(leaf.gradient, g) });
    });
    return leaves;
  }

  /** Whether the memory is of this pass, and no leaf has asked for it before. Now it is this leaf's. */
  claim(storage: Storage): boolean {
    const { own } = this.marked(storage);
    storage.own = false;
    return own;
  }

  /** Whether a gradient is made of the memory that is still of use: in the end, that of a leaf. */
  isOfUse(storage: Storage): boolean {
    return this.marked(storage).uses > 0;
  }

  /** The gradient is of no more use: the next sweep may free it. */
  spend(g: Tensor): void {
    this.marked(g.storage).uses--;
    this.spent.push(g);
  }

  /** Its notes, which are those of this pass from now on. */
  private marked(storage: Storage): Storage {
    if (storage.pass !== this.pass) {
      storage.pass = this.pass;
      storage.uses = 0;
      storage.own = false;
    }
    return storage;
  }
}
