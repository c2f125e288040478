/** Times kernels and fusions in all forms, and measures the ceilings before and after. */
import { openCeilings } from './ceilings.ts';
import type { Form } from './forms.ts';
import { type KernelTiming, rated, timeKernel } from './kernel-timing.ts';
import type { Report } from './suite-report.ts';
import { subjects } from './cases/subjects.ts';
import type { TimerOptions } from './timer.ts';
import { DisagreesError, labelOf } from './validate.ts';
import { Validation } from './validation.ts';

export type KernelResults = Pick<Report, 'ceilings' | 'kernels' | 'refused'>;

/**
 * @param chosen Indices in `subjects`.
 * @param next Called before each measurement with a line that describes it.
 */
export async function timeKernels(
  chosen: readonly number[],
  forms: readonly Form[],
  next: (line: string) => void,
  options: TimerOptions,
): Promise<KernelResults> {
  const measures = forms.flatMap(({ form }) =>
    form === 'reference' ? [] : [{ form, measure: openCeilings(form) }],
  );
  const measureCeilings = async () => {
    next('ceilings');
    const rates = [];
    for (const { form, measure } of measures) rates.push({ form, rates: await measure(options) });
    return rates;
  };
  const before = await measureCeilings();
  const timings: KernelTiming[] = [];
  const refused: string[] = [];
  const validation = new Validation();
  try {
    for (const k of chosen) {
      for (const form of forms.filter((each) => each.form === 'reference' || subjects[k].simd)) {
        next(`${labelOf(subjects[k])}, ${form.form}`);
        try {
          const validated = () => validation.validate({ form: form.form, subject: k });
          timings.push(await timeKernel(subjects[k], form, validated, options));
        } catch (error) {
          if (!(error instanceof DisagreesError)) throw error;
          refused.push(`${form.form}: ${error.message}`);
        }
      }
    }
  } finally {
    validation.close();
  }
  const after = await measureCeilings();
  const ceilings = before.map(({ form, rates }, i) => ({ form, before: rates, after: after[i].rates }));
  return { ceilings, kernels: rated(timings, ceilings), refused };
}
