import type { JSX } from 'preact';
import type { Sample, Samples } from './model.ts';
import { dataUri } from './png.ts';

export function SamplesView({ samples: { caption, images } }: { readonly samples: Samples }): JSX.Element {
  return (
    <figure class="wide-card">
      <ul class="samples">
        {images.map((sample) => (
          <SampleView sample={sample} />
        ))}
      </ul>
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

/** `7 → plain 1 ✗, bn 7 ✓` */
function SampleView({ sample }: { readonly sample: Sample }): JSX.Element {
  const { label, predictions } = sample;
  return (
    <li>
      <img
        src={dataUri(sample)}
        alt={`An image of class ${label}`}
        width={sample.width}
        height={sample.height}
      />
      <p>
        <strong>{label}</strong> <span aria-hidden="true">→</span>
      </p>
      {predictions.map(({ net, label: taken }) => (
        <p>
          {net} {taken === label ? taken : <span class="wrong">{taken}</span>}{' '}
          <span role="img" aria-label={taken === label ? 'right' : 'wrong'}>
            {taken === label ? '✓' : '✗'}
          </span>
        </p>
      ))}
    </li>
  );
}
