/** What the wasm device needs for more than one thread. It is loaded when threads are first asked for. */
import { patience } from './count.ts';
import { type Forms, Pool, type Shared } from './pool.ts';
import { type Split, splitsOf } from './splits.ts';
import { startWorker, type StartWorker } from './start-worker.ts';

export { threadsOf } from './count.ts';

/** The threads of a device, and the kernels that they can divide. */
export interface Team {
  readonly pool: Pool;
  readonly splits: ReadonlyMap<string, Split>;
}

/** Makes a team for an instance of the kernels. */
export type MakeTeam = (exports: Forms, resources: Omit<Shared, 'patience'>, count: number) => Team;

export const teamWith =
  (start: StartWorker): MakeTeam =>
  (exports, resources, count) => {
    const pool = new Pool(exports, { ...resources, patience: patience(count) }, count, start);
    return { pool, splits: splitsOf(pool) };
  };

export const makeTeam: MakeTeam = teamWith(startWorker);
