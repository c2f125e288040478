/** Where contenders run: each in a process of its own, or all in one page of a browser. */
import type { Description } from './contender-process.ts';
import type { ContenderName } from './contenders.ts';
import type { Timing } from './peers-report.ts';
import type { Protocol } from './rounds.ts';
import type { Workload } from './workloads.ts';

/** A contender that takes part, with its description of itself. */
export interface Participating extends Description {
  readonly name: ContenderName;
}

export interface Place {
  /** The browser's name and version, if the contenders run in a page. */
  readonly browser?: string;
  readonly contenders: readonly Participating[];
  /** Compares the contenders' results and times those that agree, with nothing left over from other workloads. */
  readonly measure: (workload: Workload, protocol: Protocol) => Promise<readonly Timing[]>;
  readonly close: () => Promise<void>;
}
