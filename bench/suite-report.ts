/** The report of `npm run bench`, and the lines that it starts with. */
import type { DeviceInfo } from '../src/index.ts';
import type { Ceilings } from './ceilings.ts';
import type { FormName, PassedOver } from './forms.ts';
import type { RatedTiming } from './kernel-timing.ts';
import { type Machine, machineText } from './machine.ts';
import type { ScalingTiming } from './scaling.ts';
import type { StepTiming } from './step-timing.ts';

/** What `--json` writes. The arrays of suites that did not run are empty. */
export interface Report {
  readonly benchmark: 'gammabeta';
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  /** The device on which training was timed. */
  readonly device: DeviceInfo;
  /** The forms in which kernels were timed. */
  readonly forms: readonly { readonly form: FormName; readonly adapter: string }[];
  readonly passedOver: readonly PassedOver[];
  readonly ceilings: readonly Ceilings[];
  readonly kernels: readonly RatedTiming[];
  readonly steps: readonly StepTiming[];
  readonly scaling: readonly ScalingTiming[];
  /** Messages about kernels that were not timed because their results are wrong. */
  readonly refused: readonly string[];
}

/** The machine, the device and the forms, with the reasons why other devices and forms were not chosen. */
export function header({
  machine,
  device,
  forms,
  passedOver,
}: Pick<Report, 'machine' | 'device' | 'forms' | 'passedOver'>): string {
  const names = forms.map(({ form, adapter }) => `${form} (${adapter})`);
  return [
    `machine  ${machineText(machine)}`,
    `device   ${device.device} (${device.adapter})`,
    ...device.passedOver.map((skipped) => `         ${skipped.device} passed over: ${skipped.reason}`),
    ...(names.length === 0 ? [] : [`kernels  ${names.join(', ')}`]),
    ...passedOver.map(({ form, reason }) => `         ${form} passed over: ${reason}`),
  ].join('\n');
}
