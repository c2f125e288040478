/** The forms in which kernels are timed: the reference and the two WebAssembly builds. */
import { cpu } from '../src/tensor/device/cpu.ts';
import type { Device } from '../src/tensor/device/device.ts';
import { DeviceError } from '../src/tensor/errors.ts';
import { openWasm } from '../src/tensor/device/wasm/open-wasm.ts';

export const formNames = ['reference', 'simd', 'relaxed'] as const;

export type FormName = (typeof formNames)[number];
export type BuildName = Exclude<FormName, 'reference'>;

export interface Form {
  readonly form: FormName;
  readonly device: Device;
}

/** The forms that this engine supports, and the reasons why it does not support the others. */
export interface Forms {
  readonly opened: readonly Form[];
  readonly passedOver: readonly PassedOver[];
}

export interface PassedOver {
  readonly form: FormName;
  readonly reason: string;
}

export function openForms(names: readonly FormName[]): Forms {
  const opened: Form[] = [];
  const passedOver: PassedOver[] = [];
  for (const form of names) {
    try {
      opened.push({ form, device: openForm(form) });
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      passedOver.push({ form, reason: reasonOf(form, error) });
    }
  }
  return { opened, passedOver };
}

/**
 * Opens a form with new memory, so that earlier measurements leave nothing in it.
 *
 * @throws {DeviceError} This engine does not support it.
 */
export function openForm(form: FormName): Device {
  return form === 'reference' ? cpu : openWasm([form]);
}

function reasonOf(form: FormName, { problem }: DeviceError): string {
  if (form !== 'relaxed') return problem;
  return 'this engine does not accept relaxed SIMD (Node 20 does with --experimental-wasm-relaxed-simd)';
}
