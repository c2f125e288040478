/** The machine that a benchmark runs on. */
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  readonly node: string;
  /** What Node was started with, but for what loads TypeScript. */
  readonly flags: readonly string[];
  /** Processes that wanted to run in the last minute, before the benchmarks began: what else ran. */
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

/** `--import tsx`, `--require …`: how a run under tsx is started. */
function flagsOf(args: readonly string[]): string[] {
  const loaders = ['--import', '--require', '-r', '--loader'];
  return args.filter(
    (arg, i) => !loaders.includes(arg.split('=')[0]) && !(i > 0 && loaders.includes(args[i - 1])),
  );
}
