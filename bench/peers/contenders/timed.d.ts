/** The type of `timed.js`, for programs in TypeScript. */
import type { Task } from './gammabeta-workloads.js';

export function timed(task: Pick<Task, 'iterate' | 'settle'>, iterations: number): Promise<number>;
