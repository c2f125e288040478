/** The machine that a benchmark runs on. */
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  readonly node: string;
  /** The flags of Node, without those that load TypeScript. */
  readonly flags: readonly string[];
  /** The load average of the minute before the benchmarks started: other programs that ran. */
  readonly load: number;
}

export function describeMachine(): Machine {
  const [cpu] = cpus();
  return {
    cpu: cpu.model,
    cores: availableParallelism(),
    os: `${type()} ${release()}`,
    node: process.version,
    flags: flagsOf(process.execArgv),
    load: loadavg()[0],
  };
}

/** The machine in one line. */
export function machineText({ cpu, cores, os, node, flags, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${os}, ${['Node', node, ...flags].join(' ')}, load ${load.toFixed(1)}`;
}

/** Removes the flags with which tsx starts Node: `--import …` and `--require …`. */
function flagsOf(args: readonly string[]): string[] {
  const loaders = ['--import', '--require', '-r', '--loader'];
  return args.filter(
    (arg, i) => !loaders.includes(arg.split('=')[0]) && !(i > 0 && loaders.includes(args[i - 1])),
  );
}
