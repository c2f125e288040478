/** Part 8: the lab's claims with their verdicts, intervals and charts, each with settings for part 7. */
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import claims from 'virtual:claims';
import type { ClaimCard } from '../build-claims.ts';
import { show } from '../page/format.ts';
import type { PartProps } from '../page/page.tsx';
import type { State } from '../page/state.ts';
import { defaultTraining, type TrainingSettings } from '../training/settings.ts';
import { Part } from '../ui/part.tsx';

/** The settings that show a claim best, and what they are in words. */
const trials: Readonly<Record<string, readonly [settings: Partial<TrainingSettings>, words: string]>> = {
  speed: [{ lr: 0.01 }, 'learning rate 0.01'],
  'learning-rate': [{ lr: 1 }, 'learning rate 1'],
  initialization: [{ scale: 0.1 }, 'weights × 0.1'],
  activations: [{ activation: 'sigmoid', lr: 0.1 }, 'sigmoids'],
  gradients: [{ activation: 'sigmoid', layers: 6, lr: 0.1 }, 'six layers of sigmoids'],
  'small-batches': [{ batchSize: 2 }, 'batches of 2'],
  'small-batch-remedies': [{ batchSize: 2, norm: 'layer' }, 'batches of 2, layer normalization'],
  'batch-size': [{ batchSize: 256 }, 'batches of 256'],
  regularization: [{ lr: 0.1 }, 'learning rate 0.1'],
  'covariate-shift': [{ activation: 'sigmoid', lr: 0.1 }, 'sigmoids'],
  tuning: [{ lr: 0.3, scale: 0.3 }, 'learning rate 0.3, weights × 0.3'],
  cost: [{ batchSize: 256 }, 'batches of 256'],
};

interface Props {
  readonly claim: State['claim'];
  readonly set: PartProps['set'];
}

export const ClaimsPart: (props: Props) => JSX.Element = memo(Claims);

/** A list of the claims, and beside it the one that is chosen. */
function Claims({ claim, set }: Props): JSX.Element {
  const count = (verdict: ClaimCard['verdict']) =>
    claims.cards.filter((card) => card.verdict === verdict).length;
  const chosen = claim ?? claims.cards[0].name;
  return (
    <Part id="claims" number={8} question="What holds up?">
      <p>
        What textbooks say of batch normalization, “it”, tested on {claims.data} with several seeds each:{' '}
        {count('supported')} claims are supported, {count('mixed')} mixed, {count('not supported')} not
        supported.
      </p>
      <ul class="claims" style={`--count: ${claims.cards.length}`}>
        {claims.cards.map((card) => (
          <li key={card.name}>
            <a
              class="claim"
              href={`#claim=${card.name}`}
              aria-current={card.name === chosen}
              onClick={(event) => {
                event.preventDefault();
                set({ claim: card.name });
              }}
            >
              <Mark verdict={card.verdict} />
              <span>{card.statement}</span>
              <span class="hidden"> {card.verdict}</span>
            </a>
            {card.name === chosen && <Card card={card} set={set} />}
          </li>
        ))}
      </ul>
    </Part>
  );
}

const marks: Readonly<Record<ClaimCard['verdict'], string>> = {
  supported: '✓',
  mixed: '≈',
  'not supported': '✗',
};

function Mark({ verdict }: Pick<ClaimCard, 'verdict'>): JSX.Element {
  return (
    <span class={`mark ${verdict.replace(' ', '-')}`} aria-hidden="true">
      {marks[verdict]}
    </span>
  );
}

const NBSP = '\u00a0';

function Card({ card, set }: { readonly card: ClaimCard; readonly set: Props['set'] }): JSX.Element {
  const { name, statement, verdict, why, tests, chart } = card;
  const [settings, words] = trials[name] ?? [{}, 'the usual settings'];
  const [first] = tests;
  const tryIt = () => {
    set({ training: { ...defaultTraining, ...settings } });
    document.getElementById('live')?.scrollIntoView();
    document.getElementById('live')?.focus({ preventScroll: true });
  };
  return (
    <div class="card" id="claim">
      <h3>{statement}</h3>
      <p>
        <b class={verdict.replace(' ', '-')}>{verdict}</b>, by {first.quantity}: {show(first.mean, 3)}, 95
        {NBSP}% interval {show(first.interval[0], 3)}
        {NBSP}…{NBSP}
        {show(first.interval[1], 3)}; the claim expects {first.expected}
        {NBSP}
        {show(first.threshold, 3)}.
      </p>
      <p>{why}</p>
      {chart !== null && (
        <figure>
          <figcaption id={`claim-${name}-chart`}>
            <b>{chart.title}.</b> {chart.caption}
          </figcaption>
          <div class="claim-chart" dangerouslySetInnerHTML={{ __html: chart.svg }} />
        </figure>
      )}
      <div class="after-chart">
        <button type="button" onClick={tryIt}>
          Try it above: {words}
          <span class="hidden"> ({name.replace('-', ' ')})</span>
        </button>
        {tests.length > 1 && (
          <details>
            <summary>All {tests.length} parts</summary>
            <ul class="tests">
              {tests.map((test) => (
                <li key={test.statement}>
                  {test.statement}: {test.quantity} {show(test.mean, 3)} ({show(test.interval[0], 3)} …{' '}
                  {show(test.interval[1], 3)}), {test.verdict}.
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  );
}
