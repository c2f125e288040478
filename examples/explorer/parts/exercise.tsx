/** Part 5: the reader writes the backward pass, and it is compared with numerical gradients. */
import type { EditorView } from '@codemirror/view';
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Case, makeCases } from '../exercise/cases.ts';
import { makeEditor } from '../exercise/editor.ts';
import { judge, type Verdict, wrong } from '../exercise/judge.ts';
import { runCode } from '../exercise/run.ts';
import { hints, solution, start } from '../exercise/texts.ts';
import { Part } from '../ui/part.tsx';
import { Q } from '../ui/quantity.tsx';

export const ExercisePart: () => JSX.Element = memo(Exercise);

function Exercise(): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const cases = useRef<readonly Case[] | null>(null);
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [running, setRunning] = useState(false);
  const [shown, setShown] = useState(0);
  useEffect(() => {
    if (place.current === null) return;
    const view = makeEditor(place.current, start);
    editor.current = view;
    return () => {
      view.destroy();
    };
  }, []);
  const check = async () => {
    cases.current ??= makeCases();
    setRunning(true);
    setVerdict(null);
    const outcome = await runCode(
      editor.current?.state.doc.toString() ?? '',
      cases.current.map(({ task }) => task),
    );
    setVerdict(
      outcome.kind === 'answers'
        ? judge(cases.current, outcome.answers)
        : wrong([`The code could not be run: ${outcome.message}`]),
    );
    setRunning(false);
  };
  const replace = (text: string) => {
    const view = editor.current;
    view?.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  };
  return (
    <Part id="exercise" number={5} question="Did I get it right?">
      <p>
        Write the backward pass of one column yourself. Your <Q of="dx" />, <Q of="gamma">dγ</Q> and{' '}
        <Q of="beta">dβ</Q> are compared with numerical gradients, on 20 random batches.
      </p>
      <div class="figure-and-controls">
        <div class="figure" ref={place} />
        <div class="controls">
          <div class="buttons">
            <button type="button" class="primary" disabled={running} onClick={() => void check()}>
              Check
            </button>
            <button
              type="button"
              onClick={() => {
                replace(start);
                setVerdict(null);
              }}
            >
              Start again
            </button>
            {shown < hints.length && (
              <button type="button" onClick={() => setShown(shown + 1)}>
                Hint {shown + 1} of {hints.length}
              </button>
            )}
          </div>
          <div
            role="status"
            class={verdict === null ? 'verdict' : verdict.right ? 'verdict right' : 'verdict wrong'}
          >
            {verdict !== null && (
              <>
                <p>{verdict.sentence}</p>
                {verdict.reasons.length > 0 && (
                  <ul>
                    {verdict.reasons.map((reason) => (
                      <li key={reason}>{reason}</li>
                    ))}
                  </ul>
                )}
              </>
            )}
          </div>
          <ol class="hints">
            {hints.slice(0, shown).map((hint) => (
              <li key={hint}>{hint}</li>
            ))}
          </ol>
          {shown === hints.length && (
            <details>
              <summary>Solution</summary>
              <pre tabIndex={0} aria-label="Solution">
                <code>
                  {solution.split('\n').map((line, i) => (
                    <span key={i} class="code-line">
                      {line}
                      {'\n'}
                    </span>
                  ))}
                </code>
              </pre>
              <button type="button" onClick={() => replace(solution)}>
                Put it into the editor
              </button>
            </details>
          )}
        </div>
      </div>
    </Part>
  );
}
