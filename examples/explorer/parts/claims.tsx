/** Part 8: the lab's claims with their verdicts, each with settings for part 7. */
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import claims from 'virtual:claims';
import type { ClaimCard } from '../build-claims.ts';
import { show } from '../page/format.ts';
import type { PartProps } from '../page/page.tsx';
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

export const ClaimsPart: (props: Pick<PartProps, 'set'>) => JSX.Element = memo(Claims);

function Claims({ set }: Pick<PartProps, 'set'>): JSX.Element {
  const count = (verdict: ClaimCard['verdict']) =>
    claims.cards.filter((card) => card.verdict === verdict).length;
  return (
    <Part id="claims" number={8} question="What holds up?">
      <p>
        What textbooks say about batch normalization was tested on {claims.data}, with several seeds each:{' '}
        {count('supported')} claims are supported, {count('mixed')} are mixed, and {count('not supported')}{' '}
        are not supported. “It” is batch normalization.
      </p>
      <ul class="cards">
        {claims.cards.map((card) => (
          <Card
            key={card.name}
            card={card}
            onTry={(settings) => {
              set({ training: { ...defaultTraining, ...settings } });
              document.getElementById('live')?.scrollIntoView();
              document.getElementById('live')?.focus({ preventScroll: true });
            }}
          />
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

const NBSP = '\u00a0';

function Card({
  card,
  onTry,
}: {
  readonly card: ClaimCard;
  readonly onTry: (settings: Partial<TrainingSettings>) => void;
}): JSX.Element {
  const { name, statement, verdict, why, tests, chart } = card;
  const [settings, words] = trials[name] ?? [{}, 'the usual settings'];
  return (
    <li class="card">
      <h3>{statement}</h3>
      <p class={`claim-verdict ${verdict.replace(' ', '-')}`}>
        <span aria-hidden="true">{marks[verdict]}</span> {verdict}
      </p>
      {tests.slice(0, 1).map((test) => (
        <p class="note" key={test.statement}>
          {test.quantity}: {show(test.mean, 3)}, 95{NBSP}% interval {show(test.interval[0], 3)}
          {NBSP}…{NBSP}
          {show(test.interval[1], 3)}; the claim expects {test.expected}
          {NBSP}
          {show(test.threshold, 3)}.
        </p>
      ))}
      <p class="why">{why}</p>
      <details>
        <summary>
          Chart and all parts<span class="hidden"> of the claim: {statement}</span>
        </summary>
        {chart !== null && (
          <figure>
            <figcaption id={`claim-${name}-chart`}>
              <b>{chart.title}.</b> {chart.caption}
            </figcaption>
            <div class="claim-chart" dangerouslySetInnerHTML={{ __html: chart.svg }} />
          </figure>
        )}
        <ul class="tests">
          {tests.map((test) => (
            <li key={test.statement}>
              {test.statement}: {test.quantity} {show(test.mean, 3)} ({show(test.interval[0], 3)} …{' '}
              {show(test.interval[1], 3)}), {test.verdict}.
            </li>
          ))}
        </ul>
      </details>
      <button type="button" onClick={() => onTry(settings)}>
        Try it above: {words}
        <span class="hidden"> ({name.replace('-', ' ')})</span>
      </button>
    </li>
  );
}
