/** What the wasm device needs for more than one thread. It is loaded when the first large array comes. */
import { patience } from './count.ts';
import { type Forms, Pool, type Shared } from './pool.ts';
import { type Split, splitsOf } from './splits.ts';
import { startWorker, type StartWorker } from './start-worker.ts';

/** The threads of a device, and the kernels that they can divide. */
export interface Team {
  readonly pool: Pool;
  readonly splits: ReadonlyMap<string, Split>;
}

/** What a team shares. */
export type Resources = Omit<Shared, 'patience'>;

/** Makes a team for an instance of the kernels. */
export type MakeTeam = (exports: Forms, resources: Resources, count: number) => Team;

export const teamWith =
  (start: StartWorker): MakeTeam =>
  (exports, resources, count) => {
    const pool = new Pool(exports, { ...resources, patience: patience(count) }, count, start);
    return { pool, splits: splitsOf(pool) };
  };

export const makeTeam: MakeTeam = teamWith(startWorker);
