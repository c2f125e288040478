/** A contender for tests: gammabeta in a page, with losses that are 1 % too large. */
import type { Workloads } from '../peers/contenders/gammabeta-workloads.js';
import { open as openGammabeta } from '../peers/gammabeta-page.ts';
import type { PageContender } from '../peers/page.ts';

export async function open(threads: number): Promise<PageContender> {
  const contender = await openGammabeta(threads);
  const step: Workloads[string] = async (request, inputs) => {
    const task = await contender.workloads.step(request, inputs);
    const verify = async () => {
      const { losses = [], tensors } = await task.verify();
      return { losses: losses.map((loss) => 1.01 * loss), tensors };
    };
    return { ...task, verify };
  };
  return { ...contender, workloads: { ...contender.workloads, step } };
}
