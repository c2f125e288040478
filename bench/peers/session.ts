/** One workload in all contenders: started, given the same inputs, and checked against each other. */
import { join } from 'node:path';
import { GammaBetaError } from '../../src/index.ts';
import { disagreement } from './agreement.ts';
import { ContenderProcess, type Description, type Verified } from './contender-process.ts';
import { type ContenderName, type Launch, launchOf, newerThanBuilt } from './contenders.ts';
import { writeTensors } from './contenders/tensor-file.js';
import type { Prepared, Workload } from './workloads.ts';

/** Says in a line what became of a contender; the others go on. */
export type OnProblem = (line: string) => void;

/** What is the same in all of a comparison. */
export interface Run {
  /** For the files between the processes; it is removed at the end. */
  readonly folder: string;
  readonly onProblem: OnProblem;
  readonly signal?: AbortSignal;
}

export interface Contender extends Description {
  readonly name: ContenderName;
  readonly launch: Launch;
}

/** Those that are there, as they describe themselves. */
export async function lineUp(
  names: readonly ContenderName[],
  device: string | undefined,
  onProblem: OnProblem,
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const name of names) {
    try {
      const launch = launchOf(name, device);
      const process = new ContenderProcess(name, launch);
      const { warning, ...description } = await process.describe().finally(() => process.close());
      contenders.push({ name, launch, ...description });
      if (typeof warning === 'string') onProblem(warning);
    } catch (error) {
      onProblem(messageOf(error));
    }
  }
  const newer = contenders.some(({ name }) => name === 'gammabeta') ? newerThanBuilt() : undefined;
  if (newer !== undefined) {
    onProblem(
      `gammabeta: what is timed is older than its source: ${newer} is newer than dist. Hint: npm run build`,
    );
  }
  return contenders;
}

export type Session = ReadonlyMap<ContenderName, ContenderProcess>;

/** Runs `work` with a process of each contender that could prepare, and ends the processes. */
export async function withSession<T>(
  contenders: readonly Contender[],
  { request, inputs }: Prepared,
  { folder, onProblem, signal }: Run,
  work: (session: Map<ContenderName, ContenderProcess>) => Promise<T>,
): Promise<T> {
  const list = writeTensors(join(folder, 'inputs'), inputs);
  const started = contenders.map(({ name, launch }) => [name, new ContenderProcess(name, launch)] as const);
  const close = () => {
    for (const [, process] of started) process.close();
  };
  signal?.addEventListener('abort', close);
  try {
    const session = new Map<ContenderName, ContenderProcess>();
    for (const [name, process] of started) {
      try {
        await process.prepare(request, list);
        session.set(name, process);
      } catch (error) {
        onProblem(messageOf(error));
      }
    }
    return await work(session);
  } finally {
    signal?.removeEventListener('abort', close);
    close();
  }
}

/**
 * Takes out of the session whoever computes something else than the reference.
 * @returns The reference; null where nobody is left, or nobody to compare with.
 */
export async function expectAgreement(
  session: Map<ContenderName, ContenderProcess>,
  { references, tolerance }: Workload,
  prepared: Prepared,
  { folder, onProblem }: Run,
): Promise<ContenderName | null> {
  const verified = new Map<ContenderName, Verified>();
  for (const [name, process] of session) {
    try {
      verified.set(name, await process.verify(join(folder, name)));
    } catch (error) {
      session.delete(name);
      onProblem(messageOf(error));
    }
  }
  const names = [...verified.keys()];
  const reference = references.find((name) => verified.has(name)) ?? names[0];
  const expected = verified.get(reference);
  if (expected === undefined || names.length === 1) return null;
  for (const [name, found] of verified) {
    const difference = name === reference ? null : disagreement(found, expected, prepared, tolerance);
    if (difference === null) continue;
    session.delete(name);
    const problem = `not what ${reference} computes: ${difference}`;
    onProblem(new GammaBetaError(name, problem, 'it is not timed here; see bench/peers/contenders').message);
  }
  return reference;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
