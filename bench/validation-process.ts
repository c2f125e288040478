/** The process that `validation.ts` starts. It answers each request with a reply. */
import type { FloatArray } from '../kernels/kernel.ts';
import type { Device } from '../src/tensor/device/device.ts';
import { type FormName, openForm } from './forms.ts';
import { subjects } from './cases/subjects.ts';
import { DisagreesError, validate } from './validate.ts';
import type { Reply, Request } from './validation.ts';

const devices = new Map<FormName, Device>();

/** The expected results of the latest subject, kept because its other forms are requested next. */
let latest: { readonly subject: number; readonly expected: readonly FloatArray[] } | null = null;

async function answer({ form, subject }: Request): Promise<Reply> {
  try {
    const device = devices.get(form) ?? openForm(form);
    devices.set(form, device);
    if (latest?.subject !== subject) latest = { subject, expected: subjects[subject].expected() };
    await validate(subjects[subject], device, latest.expected);
    return { problem: null };
  } catch (error) {
    if (error instanceof DisagreesError) return { problem: error.message };
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('SIGINT', () => undefined); // Ctrl-C reaches both processes; the parent ends this one
process.on('message', (request: Request) => {
  void answer(request).then((reply) => process.send?.(reply));
});
