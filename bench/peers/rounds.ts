/** Times contenders in turns, A B C, A B C, …, so that a slow moment of the machine affects all of them. */

/** Runs the iterations and returns their total seconds. */
export type TimeBlock = (iterations: number) => Promise<number>;

export interface Protocol {
  readonly rounds: number;
  /** The intended duration of a block. */
  readonly blockSeconds: number;
  /** The duration of the untimed warm-up, in which engines optimize and allocators settle. */
  readonly warmupSeconds: number;
}

export interface Times {
  /** The number of iterations in a block. */
  readonly iterations: number;
  /** The seconds of one iteration, round by round. */
  readonly seconds: number[];
}

/** @param onFailure Called when a contender fails; it is left out from then on. */
export async function takeTurns<Name extends string>(
  contenders: ReadonlyMap<Name, TimeBlock>,
  protocol: Protocol,
  onFailure: (name: Name, error: unknown) => void,
): Promise<Map<Name, Times>> {
  const times = new Map<Name, Times>();
  const guarded = async (name: Name, work: (block: TimeBlock) => Promise<void>) => {
    const block = contenders.get(name);
    try {
      if (block !== undefined) await work(block);
    } catch (error) {
      times.delete(name);
      onFailure(name, error);
    }
  };
  for (const name of contenders.keys()) {
    await guarded(name, async (block) => {
      times.set(name, { iterations: await warmUp(block, protocol), seconds: [] });
    });
  }
  for (let round = 0; round < protocol.rounds; round++) {
    for (const [name, { iterations, seconds }] of [...times]) {
      await guarded(name, async (block) => {
        seconds.push((await block(iterations)) / iterations);
      });
    }
  }
  return times;
}

/** Runs longer and longer blocks until the warm-up is over. Returns the number of iterations that fill a block. */
async function warmUp(block: TimeBlock, { blockSeconds, warmupSeconds }: Protocol): Promise<number> {
  let iterations = 1;
  let spent = 0;
  for (;;) {
    const seconds = await block(iterations);
    spent += seconds;
    const filling = Math.max(1, Math.round((blockSeconds * iterations) / Math.max(seconds, 1e-9)));
    if (spent >= warmupSeconds) return filling;
    iterations = Math.min(filling, 10 * iterations); // the first call is not representative
  }
}
