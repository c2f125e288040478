import { encode } from 'fast-png';
import type { JSX } from 'preact';
import type { Sample, Samples } from './model.ts';

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

/** An image with its label and the predictions: `7 → plain 1 ✗, bn 7 ✓`. */
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

/** The image as a `data:` URI of a PNG. */
function dataUri({ width, height, pixels }: Sample): string {
  const channels = pixels.length / (width * height);
  const png = encode({ width, height, data: pixels, channels, depth: 8 });
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}
