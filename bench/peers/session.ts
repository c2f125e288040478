/** One workload in all contenders: starts their processes, sends the inputs, and compares the results. */
import { join } from 'node:path';
import { GammaBetaError } from '../../src/index.ts';
import { disagreement, type Results } from './agreement.ts';
import { ContenderProcess, type Description } from './contender-process.ts';
import { type ContenderName, type Launch, launchOf, newerThanBuilt, type Running } from './contenders.ts';
import { readTensors, writeTensors } from './contenders/tensor-file.js';
import type { Prepared, Workload } from './workloads.ts';

/** Called with one line per problem. The contender it concerns is left out, and the others continue. */
export type OnProblem = (line: string) => void;

/** What all workloads of a comparison share. */
export interface Run {
  /** For the files that the processes exchange; removed at the end. */
  readonly folder: string;
  readonly onProblem: OnProblem;
  readonly signal?: AbortSignal;
}

/** A program to start, and its name in the tables. */
export interface Participant<Name extends string = ContenderName> {
  readonly name: Name;
  readonly launch: Launch;
}

export type Contender = Participant & Description;

/** Starts each contender once and returns those that are installed, with their descriptions of themselves. */
export async function lineUp(
  names: readonly ContenderName[],
  running: Running,
  onProblem: OnProblem,
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const name of names) {
    try {
      const launch = launchOf(name, running);
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
    onProblem(`gammabeta: dist is timed, but ${newer} is newer than dist. Hint: npm run build`);
  }
  return contenders;
}

/** Calls `work` with a process of each participant that could prepare the workload, then ends the processes. */
export async function withSession<T, Name extends string>(
  participants: readonly Participant<Name>[],
  { request, inputs }: Prepared,
  { folder, onProblem, signal }: Run,
  work: (session: Map<Name, ContenderProcess>) => Promise<T>,
): Promise<T> {
  const list = writeTensors(join(folder, 'inputs'), inputs);
  const started = participants.map(({ name, launch }) => [name, new ContenderProcess(name, launch)] as const);
  const close = () => {
    for (const [, process] of started) process.close();
  };
  signal?.addEventListener('abort', close);
  try {
    const session = new Map<Name, ContenderProcess>();
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
 * Removes every contender from the session whose results differ from those of the reference.
 *
 * @returns The reference; null if fewer than two contenders have results.
 */
export async function expectAgreement(
  session: Map<ContenderName, ContenderProcess>,
  { references, tolerance }: Workload,
  prepared: Prepared,
  { folder, onProblem }: Run,
): Promise<ContenderName | null> {
  const verified = new Map<ContenderName, Results>();
  for (const [name, process] of session) {
    try {
      const { losses, outputs } = await process.verify(join(folder, name));
      verified.set(name, { losses: losses ?? null, tensors: readTensors(outputs) });
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
    const problem = `differs from ${reference}: ${difference}`;
    onProblem(
      new GammaBetaError(name, problem, 'this workload is not timed; see bench/peers/contenders').message,
    );
  }
  return reference;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
