/** The page: eight questions, and the state that they share. */
import type { JSX } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import claims from 'virtual:claims';
import { column } from '../column/column.ts';
import { BatchPart } from '../parts/batch.tsx';
import { ClaimsPart } from '../parts/claims.tsx';
import { CodePart } from '../parts/code.tsx';
import { ExercisePart } from '../parts/exercise.tsx';
import { GradientPart } from '../parts/gradient.tsx';
import { LivePart } from '../parts/live.tsx';
import { ModesPart } from '../parts/modes.tsx';
import { SpacePart } from '../parts/space.tsx';
import { intro, title } from './intro.ts';
import { readHash, type Reading, type State, writeHash } from './state.ts';

/** What each part gets. */
export interface PartProps {
  readonly state: State;
  readonly set: (changes: Partial<State>) => void;
}

const questions = [
  ['batch', 'What does it do to a batch?'],
  ['gradient', 'Why does every dx change when I touch one g?'],
  ['space', 'Where is the third dimension?'],
  ['code', 'Which line of code is that?'],
  ['exercise', 'Did I get it right?'],
  ['modes', 'Why does the same batch give different answers in training and in evaluation?'],
  ['live', 'Is it true that it trains faster?'],
  ['claims', 'What holds up?'],
] as const;

export function Page(): JSX.Element {
  const [{ state, problems }, read] = useState(readLink);
  const set = useCallback((changes: Partial<State>) => {
    read(({ state: before }) => ({ state: { ...before, ...changes }, problems: [] }));
  }, []);

  useEffect(() => {
    if (isPlace(location.hash)) document.querySelector(location.hash)?.scrollIntoView();
    const follow = () => {
      if (location.hash !== '' && !isPlace(location.hash)) read(readLink());
    };
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('hashchange', follow);
    };
  }, []);
  useEffect(() => {
    const later = setTimeout(() => {
      const hash = writeHash(state);
      if (problems.length === 0 && hash !== location.hash) history.replaceState(null, '', hash);
    }, 200);
    return () => {
      clearTimeout(later);
    };
  }, [state, problems]);

  const { x, g, gamma, beta, eps } = state;
  const numbers = useMemo(() => column({ x, g, gamma, beta, eps }), [x, g, gamma, beta, eps]);
  const props = { state, set };
  return (
    <>
      <header>
        <h1>{title}</h1>
        <p>{intro}</p>
        {problems.length > 0 && (
          <div class="problem" role="alert">
            <p>This link could not be read completely. The defaults are shown instead.</p>
            <ul>
              {problems.map((problem) => (
                <li key={problem}>{problem}</li>
              ))}
            </ul>
          </div>
        )}
        <nav aria-label="Questions">
          <ol>
            {questions.map(([id, question]) => (
              <li key={id}>
                <a href={`#${id}`} onClick={(event) => jump(event, id)}>
                  {question}
                </a>
              </li>
            ))}
          </ol>
        </nav>
      </header>
      <main>
        <BatchPart {...props} column={numbers} />
        <GradientPart {...props} column={numbers} />
        <SpacePart {...props} column={numbers} />
        <CodePart {...props} column={numbers} />
        <ExercisePart />
        <ModesPart seen={state.seen} neighbours={state.neighbours} convention={state.convention} set={set} />
        <LivePart training={state.training} set={set} />
        <ClaimsPart claim={state.claim} set={set} />
      </main>
      <footer>
        <p class="note">
          The link in the address bar holds the state of this page: copy it, and others see the same numbers
          and train the same losses. The page is one file and needs no network.
        </p>
      </footer>
    </>
  );
}

/** Whether a link leads to a part of the page, and holds no state. */
const isPlace = (hash: string): boolean => questions.some(([id]) => hash === `#${id}`);

function readLink(): Reading {
  const hash = isPlace(location.hash) ? '' : location.hash;
  return readHash(
    hash,
    claims.cards.map(({ name }) => name),
  );
}

/** Scrolls to a part without replacing the state in the link. */
function jump(event: Event, id: string): void {
  event.preventDefault();
  const part = document.getElementById(id);
  part?.scrollIntoView();
  part?.focus({ preventScroll: true });
}
