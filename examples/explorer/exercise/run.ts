/** Runs the reader's function in a worker, with a time limit. */
import type { Task } from './cases.ts';

export type Outcome =
  | { readonly kind: 'answers'; readonly answers: readonly unknown[] }
  | { readonly kind: 'error'; readonly message: string };

const LIMIT = 2000;

/**
 * The worker's program is the reader's code and a few lines that call it. The policy of the page allows workers from
 * blobs, but no `eval`.
 */
const programOf = (code: string): string => `'use strict';
${code}
;onmessage = ({ data }) => {
  try {
    const copy = (values) => Array.from(values);
    const answers = data.map(({ g, x, gamma, mean, rstd }) => {
      const answer = backward(g.slice(), x.slice(), gamma, mean, rstd);
      return answer && typeof answer === 'object'
        ? { ...answer, dx: ArrayBuffer.isView(answer.dx) ? copy(answer.dx) : answer.dx }
        : answer;
    });
    postMessage({ kind: 'answers', answers: JSON.parse(JSON.stringify(answers, (_, value) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value)) });
  } catch (error) {
    postMessage({ kind: 'error', message: String(error) });
  }
};`;

export function runCode(code: string, tasks: readonly Task[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const address = URL.createObjectURL(new Blob([programOf(code)], { type: 'text/javascript' }));
    const worker = new Worker(address);
    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      worker.terminate();
      URL.revokeObjectURL(address);
      resolve(outcome);
    };
    const timer = setTimeout(() => {
      end({
        kind: 'error',
        message: `it did not end within ${LIMIT / 1000} seconds. Is there an endless loop?`,
      });
    }, LIMIT);
    worker.onmessage = ({ data }: MessageEvent<unknown>) => {
      const outcome = outcomeOf(data);
      if (outcome !== null) end(outcome);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end({ kind: 'error', message: event.message.replace(/^Uncaught /, '') });
    };
    worker.postMessage(tasks);
  });
}

/** The outcome in a message; null for messages that the reader's code posts itself. */
function outcomeOf(data: unknown): Outcome | null {
  if (typeof data !== 'object' || data === null) return null;
  const { answers, message } = data as Readonly<Record<string, unknown>>;
  if (Array.isArray(answers)) return { kind: 'answers', answers: answers.map(withNumbers) };
  return typeof message === 'string' ? { kind: 'error', message } : null;
}

/** JSON has no NaN and no infinity: they arrive as text. */
function withNumbers(answer: unknown): unknown {
  const number = (value: unknown) =>
    value === 'NaN' || /^-?Infinity$/.test(String(value)) ? Number(value) : value;
  if (typeof answer !== 'object' || answer === null) return answer;
  const { dx, dgamma, dbeta } = answer as Readonly<Record<string, unknown>>;
  return { dx: Array.isArray(dx) ? dx.map(number) : dx, dgamma: number(dgamma), dbeta: number(dbeta) };
}
