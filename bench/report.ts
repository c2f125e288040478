/** What a run of the benchmarks writes, and how it introduces itself. */
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';
import type { DeviceInfo } from '../src/index.ts';
import type { Ceilings } from './ceilings.ts';
import type { FormName, PassedOver } from './forms.ts';
import type { RatedTiming } from './kernels.ts';
import type { ScalingTiming } from './scaling.ts';
import type { StepTiming } from './steps.ts';

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

/** What `--json` writes; empty is what was not asked for. */
export interface Report {
  readonly benchmark: 'gammabeta';
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  /** On which training was timed. */
  readonly device: DeviceInfo;
  /** In which kernels were timed. */
  readonly forms: readonly { readonly form: FormName; readonly adapter: string }[];
  readonly passedOver: readonly PassedOver[];
  readonly ceilings: readonly Ceilings[];
  readonly kernels: readonly RatedTiming[];
  readonly steps: readonly StepTiming[];
  readonly scaling: readonly ScalingTiming[];
  /** Why kernels were not timed: they disagree with their definition. */
  readonly refused: readonly string[];
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

/** `--import tsx`, `--require …`: how a run under tsx is started. */
function flagsOf(args: readonly string[]): string[] {
  const loaders = ['--import', '--require', '-r', '--loader'];
  return args.filter(
    (arg, i) => !loaders.includes(arg.split('=')[0]) && !(i > 0 && loaders.includes(args[i - 1])),
  );
}

/** The machine, the device and the forms, with why others were passed over. */
export function header({
  machine,
  device,
  forms,
  passedOver,
}: Pick<Report, 'machine' | 'device' | 'forms' | 'passedOver'>): string {
  const { cpu, cores, os, node, flags, load } = machine;
  const names = forms.map(({ form, adapter }) => `${form} (${adapter})`);
  return [
    `machine  ${cpu}, ${cores} cores, ${os}, ${['Node', node, ...flags].join(' ')}, load ${load.toFixed(1)}`,
    `device   ${device.device} (${device.adapter})`,
    ...device.passedOver.map((skipped) => `         ${skipped.device} passed over: ${skipped.reason}`),
    ...(names.length === 0 ? [] : [`kernels  ${names.join(', ')}`]),
    ...passedOver.map(({ form, reason }) => `         ${form} passed over: ${reason}`),
  ].join('\n');
}
