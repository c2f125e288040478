/** The processes of the contenders in one workload. */
import { join } from 'node:path';
import { ContenderProcess } from './contender-process.ts';
import type { ContenderName, Launch } from './contenders.ts';
import { writeTensors } from './contenders/tensor-file.js';
import { messageOf, type OnProblem } from './measure.ts';
import type { Prepared } from './workloads.ts';

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
