/** Draw a digit, and see what both networks think of it. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answers } from '../training/protocol.ts';

interface Props {
  readonly answers: Answers;
  readonly example: { readonly image: Float32Array; readonly label: number } | null;
  readonly onImage: (image: Float32Array) => void;
  readonly onExample: (k: number) => void;
}

const SIDE = 28;
const PIXEL = 6;

export function Digit({ answers, example, onImage, onExample }: Props): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = useRef(new Float32Array(SIDE * SIDE));
  const pen = useRef<readonly [number, number] | null>(null);
  const [k, setK] = useState(0);
  const [label, setLabel] = useState<number | null>(null);
  const [asked, setAsked] = useState(false);
  const draw = () => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    for (let i = 0; i < image.current.length; i++) {
      const gray = Math.round(255 * (1 - image.current[i]));
      context.fillStyle = `rgb(${gray} ${gray} ${gray})`;
      context.fillRect((i % SIDE) * PIXEL, Math.floor(i / SIDE) * PIXEL, PIXEL, PIXEL);
    }
  };
  useEffect(draw, []);
  useEffect(() => {
    if (example === null) return;
    image.current = example.image.slice();
    setLabel(example.label);
    draw();
  }, [example]);
  /** A soft round brush of about two pixels. */
  const ink = (x: number, y: number) => {
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        const value = Math.max(0, Math.min(1, 1.9 - distance));
        const at = row * SIDE + column;
        image.current[at] = Math.max(image.current[at], value);
      }
    }
  };
  const stroke = (event: PointerEvent & { readonly currentTarget: HTMLCanvasElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const to = [
      ((event.clientX - box.left) / box.width) * SIDE,
      ((event.clientY - box.top) / box.height) * SIDE,
    ] as const;
    const from = pen.current ?? to;
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
    for (let s = 1; s <= steps; s++) {
      ink(from[0] + ((to[0] - from[0]) * s) / steps, from[1] + ((to[1] - from[1]) * s) / steps);
    }
    pen.current = to;
    setLabel(null);
    draw();
  };
  return (
    <div class="digit">
      <h3>{label === null ? 'Draw a digit' : `A test image of the digit ${label}`}</h3>
      <div class="digit-row">
        <canvas
          ref={canvas}
          width={SIDE * PIXEL}
          height={SIDE * PIXEL}
          role="img"
          aria-label={
            label === null ? 'Your digit: draw with the pointer' : `A test image of the digit ${label}`
          }
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            pen.current = null;
            stroke(event);
          }}
          onPointerMove={(event) => {
            if (event.buttons === 1) stroke(event);
          }}
          onPointerUp={() => {
            pen.current = null;
            onImage(image.current.slice());
            setAsked(true);
          }}
        />
        <div class="answers">
          <Answer name="without" of="plain" probabilities={answers?.plain ?? null} />
          <Answer name="with" of="bn" probabilities={answers?.normalized ?? null} />
        </div>
        <div class="digit-buttons">
          <button
            type="button"
            onClick={() => {
              image.current.fill(0);
              setLabel(null);
              draw();
            }}
          >
            Clear
          </button>
          <button
            type="button"
            onClick={() => {
              onExample(k);
              setK(k + 1);
              setAsked(true);
            }}
          >
            Take a test image
          </button>
        </div>
      </div>
      {asked && answers === null && <p class="note">The networks are not trained yet: press Train first.</p>}
    </div>
  );
}

function Answer({
  name,
  of,
  probabilities,
}: {
  name: string;
  of: string;
  probabilities: readonly number[] | null;
}): JSX.Element {
  const best = probabilities === null ? -1 : probabilities.indexOf(Math.max(...probabilities));
  const percent = (digit: number) => Math.round(100 * (probabilities?.[digit] ?? 0));
  return (
    <div class="answer-bars">
      <p class={of} aria-live="polite">
        {name}: {probabilities === null ? '–' : best < 0 ? 'not finite' : `${best}, ${percent(best)} %`}
      </p>
      <div class="bars" aria-hidden="true">
        {Array.from({ length: 10 }, (_, digit) => (
          <span key={digit}>
            <span
              class={`bar fill-${of}`}
              style={{ height: `${Math.round(44 * (probabilities?.[digit] ?? 0))}px` }}
            />
            {digit}
          </span>
        ))}
      </div>
    </div>
  );
}
