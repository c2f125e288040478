/** Runs the suites kernels, step and scaling; prints and writes the results. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { deviceInfo, type DeviceName, GammaBetaError, useDevice } from '../src/index.ts';
import { progress } from './command-line.ts';
import { type Form, type FormName, formNames, openForms } from './forms.ts';
import { type KernelResults, timeKernels } from './kernel-suite.ts';
import { header, type Report } from './suite-report.ts';
import { describeMachine } from './machine.ts';
import { type ScalingTiming, type Series, series, seriesName, timeSeries } from './scaling.ts';
import { type StepCase, stepCases, stepName, type StepTiming, timeStep } from './step-timing.ts';
import { subjects } from './cases/subjects.ts';
import { ceilingTable, kernelTable, scalingTables, stepTable } from './tables.ts';
import type { TimerOptions } from './timer.ts';
import { labelOf } from './validate.ts';
import { writeJson } from './write-json.ts';

export type SuiteName = 'kernels' | 'step' | 'scaling';

export interface SuiteOptions {
  readonly json?: string;
  readonly filter: string;
  readonly quick: boolean;
  readonly device: string;
  readonly threads?: number;
}

/** Called before each measurement with a line that describes it. */
type Next = (line: string) => void;

/** @throws {GammaBetaError} An option is wrong. @throws The signal's reason, once it is aborted. */
export async function runSuites(
  names: readonly SuiteName[],
  options: SuiteOptions,
  signal: AbortSignal,
): Promise<void> {
  const machine = describeMachine(); // before this command adds to the load
  const { device, threads } = options;
  await useDevice(device as DeviceName | 'auto', threads === undefined ? {} : { threads });
  const work = selected(names, options.filter);
  const { opened, passedOver } = openForms(work.subjects.length === 0 ? [] : formsFor(options.device));
  const introduction = {
    machine,
    device: deviceInfo(),
    forms: opened.map(({ form, device }) => ({ form, adapter: device.adapter })),
    passedOver,
  };
  console.log(header(introduction));
  const { json, quick } = options;
  if (json !== undefined) await mkdir(dirname(json), { recursive: true }); // fails now instead of at the end
  const next: Next = (line) => {
    signal.throwIfAborted();
    progress(line);
  };
  const report: Report = {
    benchmark: 'gammabeta',
    date: new Date().toISOString(),
    quick,
    ...introduction,
    ...(await runKernels(work.subjects, opened, next, options)),
    steps: await runSteps(work.steps, next, options),
    scaling: await runScaling(work.series, next, options),
  };
  if (report.refused.length > 0) process.exitCode = 1;
  if (json !== undefined) await writeJson(json, report);
}

async function runKernels(
  chosen: readonly number[],
  forms: readonly Form[],
  next: Next,
  options: TimerOptions,
): Promise<KernelResults> {
  if (chosen.length === 0) return { ceilings: [], kernels: [], refused: [] };
  const results = await timeKernels(chosen, forms, next, options);
  progress('');
  const { ceilings, kernels, refused } = results;
  const names = forms.map(({ form }) => form);
  if (ceilings.length > 0) console.log(ceilingTable(ceilings));
  if (kernels.length > 0) console.log(kernelTable(kernels, names));
  for (const line of refused) console.error(`not timed, because the result is wrong: ${line}`);
  return results;
}

async function runSteps(
  chosen: readonly StepCase[],
  next: Next,
  options: TimerOptions,
): Promise<readonly StepTiming[]> {
  const timings: StepTiming[] = [];
  for (const stepCase of chosen) {
    next(stepName(stepCase));
    timings.push(await timeStep(stepCase, options));
  }
  progress('');
  if (timings.length > 0) console.log(stepTable(timings));
  return timings;
}

async function runScaling(
  chosen: readonly Series[],
  next: Next,
  options: TimerOptions,
): Promise<readonly ScalingTiming[]> {
  const timings: ScalingTiming[] = [];
  for (const each of chosen) {
    const onPoint = (value: number) => next(`${seriesName(each)} ${value}`);
    timings.push(await timeSeries(each, onPoint, options));
  }
  progress('');
  if (timings.length > 0) console.log(scalingTables(timings));
  return timings;
}

/** The work that the filter selects; kernels are given by their index in `subjects`. */
function selected(names: readonly SuiteName[], filter: string) {
  const text = filter.replaceAll(/(\d)x(?=\d)/g, '$1×'); // so that × can be typed as x
  const left = <T>(suite: SuiteName, all: readonly T[], lineOf: (each: T) => string): readonly T[] =>
    names.includes(suite) ? all.filter((each) => lineOf(each).includes(text)) : [];
  const work = {
    subjects: left('kernels', [...subjects.keys()], (k) => labelOf(subjects[k])),
    steps: left('step', stepCases, stepName),
    series: left('scaling', series, seriesName),
  };
  if (work.subjects.length + work.steps.length + work.series.length > 0) return work;
  throw new GammaBetaError('--filter', `no line contains '${filter}'`, 'leave it out to run everything');
}

/** On `cpu` only the reference. */
function formsFor(device: string): readonly FormName[] {
  return device === 'cpu' ? ['reference'] : formNames;
}
