/** Part 7: two networks in training, with and without normalization. */
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { activations, kinds, norms } from '../../experiments/lab/nets.ts';
import { show } from '../page/format.ts';
import type { PartProps } from '../page/page.tsx';
import { readInteger, readNumber } from '../page/state.ts';
import { Curve } from '../training/curve.ts';
import type { Answers, FromWorker, SideState, ToWorker } from '../training/protocol.ts';
import {
  activationNames,
  bounds,
  defaultTraining,
  placeNames,
  type Side,
  sides,
  type TrainingSettings,
  within,
} from '../training/settings.ts';
import TrainingWorker from '../training/worker.ts?worker&inline';
import { Curves } from '../ui/curves.tsx';
import { NumberField, Problem, SmallField } from '../ui/fields.tsx';
import { Part } from '../ui/part.tsx';
import { Digit } from './digit.tsx';
import { Insides } from './insides.tsx';

interface Props {
  readonly training: TrainingSettings;
  readonly set: PartProps['set'];
}

export const LivePart: (props: Props) => JSX.Element = memo(Live);

/** What the worker has said, and the curves so far. */
interface Seen {
  readonly training: boolean;
  readonly data: string;
  readonly sides: Readonly<Record<Side, SideState>> | null;
  readonly version: number;
}

type SideCurves = Readonly<Record<Side, { readonly loss: Curve; readonly accuracy: Curve }>>;

/** The number of batches whose mean loss is one point of a curve. */
const SMOOTH = 5;

const newCurves = (): SideCurves => ({
  plain: { loss: new Curve(SMOOTH), accuracy: new Curve() },
  normalized: { loss: new Curve(SMOOTH), accuracy: new Curve() },
});

const colours: Readonly<Record<Side, string>> = { plain: '--plain', normalized: '--bn' };
const names: Readonly<Record<Side, string>> = { plain: 'without', normalized: 'with' };

function Live({ training: settings, set }: Props): JSX.Element {
  const worker = useRef<Worker | null>(null);
  const part = useRef<HTMLDivElement>(null);
  const curves = useRef(newCurves());
  const lastRun = useRef(0);
  const [seen, setSeen] = useState<Seen>({ training: false, data: '', sides: null, version: 0 });
  const [problem, setProblem] = useState<{ where: 'files' | 'training'; message: string } | null>(null);
  const [answers, setAnswers] = useState<Answers>(null);
  const [example, setExample] = useState<{ image: Float32Array; label: number } | null>(null);
  const given = useRef(settings);
  given.current = settings;

  const hear = useCallback((message: FromWorker) => {
    switch (message.kind) {
      case 'report': {
        const { run, training, data, sides: now } = message;
        if (run !== lastRun.current) curves.current = newCurves();
        lastRun.current = run;
        for (const side of sides) {
          const { loss, accuracy } = curves.current[side];
          const { step, losses, accuracies } = now[side];
          losses.forEach((value, i) => loss.add(step - losses.length + 1 + i, value));
          for (const each of accuracies) accuracy.add(each.step, each.accuracy);
        }
        setSeen(({ version }) => ({ training, data, sides: now, version: version + 1 }));
        return;
      }
      case 'answers':
        setAnswers(message.answers);
        return;
      case 'example':
        setExample({ image: message.image, label: message.label });
        return;
      case 'problem':
        setProblem(message);
    }
  }, []);
  /** Starts the worker when it is first needed. */
  const tell = useCallback(
    (message: ToWorker | null) => {
      if (worker.current === null) {
        const made = new TrainingWorker();
        made.onmessage = ({ data }: MessageEvent<FromWorker>) => hear(data);
        made.onerror = (event) => {
          event.preventDefault();
          setProblem({ where: 'training', message: `The training cannot run here: ${event.message}` });
        };
        made.postMessage({ kind: 'settings', settings: given.current } satisfies ToWorker);
        worker.current = made;
      }
      if (message !== null) worker.current.postMessage(message);
    },
    [hear],
  );
  useEffect(() => {
    if (part.current === null) return;
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        near.disconnect();
        tell(null);
      },
      { rootMargin: '400px' },
    );
    near.observe(part.current);
    return () => {
      near.disconnect();
      worker.current?.terminate();
      worker.current = null;
    };
  }, [tell]);
  useEffect(() => {
    if (worker.current === null) return;
    setProblem(null);
    tell({ kind: 'settings', settings });
  }, [settings, tell]);

  const change = (changes: Partial<TrainingSettings>) => set({ training: { ...settings, ...changes } });
  const open = async (files: Iterable<File>) => {
    setProblem(null);
    try {
      const read = await Promise.all(
        Array.from(files, async (file) => ({ name: file.name, bytes: await bytesOf(file) })),
      );
      tell({ kind: 'files', files: read });
    } catch (error) {
      setProblem({ where: 'files', message: error instanceof Error ? error.message : String(error) });
    }
  };
  /** Files may be dropped anywhere on the page; without this, the browser would leave the page for them. */
  const data = useRef<HTMLDetailsElement>(null);
  const opener = useRef(open);
  opener.current = open;
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
    const over = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (data.current !== null) {
        data.current.open = true;
        data.current.scrollIntoView({ block: 'nearest' });
      }
      void opener.current(event.dataTransfer?.files ?? []);
    };
    addEventListener('dragover', over);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('drop', drop);
    };
  }, []);
  const curvesOf = (what: 'loss' | 'accuracy') =>
    sides.map((side) => ({
      name: names[side],
      colour: colours[side],
      ...(side === 'plain' && { dash: [6, 3] }),
      curve: curves.current[side][what],
    }));
  const latest = (what: 'loss' | 'accuracy') =>
    sides
      .map((side) => {
        const value = seen.sides?.[side][what] ?? null;
        return `${names[side]}: ${value === null ? 'no step yet' : show(value)}`;
      })
      .join(', ');
  const failures = sides.flatMap((side) => {
    const failure = seen.sides?.[side].failure;
    return failure ? [`The network ${names[side]} normalization stopped. ${failure}`] : [];
  });
  const begin = (kind: 'train' | 'step' | 'restart') => {
    setProblem(null);
    tell({ kind });
  };
  return (
    <Part id="live" number={7} question="Is it true that it trains faster?">
      <p>
        Two networks learn digits here, one <b class="plain">without</b> and one <b class="bn">with</b>{' '}
        {settings.norm} normalization, from the same weights and the same batches. Change settings while they
        run.
      </p>
      <div class="figure-and-controls with-run" ref={part}>
        <div class="failures">
          {failures.map((failure) => (
            <p class="problem" role="alert" key={failure}>
              {failure}
            </p>
          ))}
          <Problem text={problem?.where === 'training' ? problem.message : null} />
        </div>
        <div class="controls run">
          <div class="buttons">
            <button type="button" class="primary" disabled={seen.training} onClick={() => begin('train')}>
              Train
            </button>
            <button type="button" onClick={() => tell({ kind: 'pause' })}>
              Pause
            </button>
            <button type="button" onClick={() => begin('step')}>
              One step
            </button>
            <button type="button" onClick={() => begin('restart')}>
              Restart
            </button>
          </div>
          <Results sides={seen.sides} />
        </div>
        <div class="figures">
          <div class="pair">
            <Curves
              title={`Loss, mean of ${SMOOTH} batches`}
              description={`Loss by steps. ${latest('loss')}`}
              logarithmic
              curves={curvesOf('loss')}
              version={seen.version}
            />
            <Curves
              title="Accuracy on 400 test images"
              description={`Accuracy by steps. ${latest('accuracy')}`}
              curves={curvesOf('accuracy')}
              version={seen.version}
            />
          </div>
          {seen.sides !== null && (
            <Insides plain={seen.sides.plain.inside} normalized={seen.sides.normalized.inside} />
          )}
          <Digit
            answers={answers}
            example={example}
            onImage={(image) => tell({ kind: 'image', image })}
            onExample={(k) => tell({ kind: 'example', k })}
          />
        </div>
        <div class="controls settings">
          <NumberField
            name="Learning rate"
            label="learning rate"
            value={settings.lr}
            standard={defaultTraining.lr}
            least={0.001}
            most={10}
            step={0.01}
            logarithmic
            parse={(text) => within('lr', readNumber(text))}
            onChange={(lr) => change({ lr })}
          />
          <NumberField
            name="Initial weights"
            label="weight scale"
            unit="× their usual size"
            value={settings.scale}
            standard={defaultTraining.scale}
            least={0.01}
            most={10}
            step={0.1}
            logarithmic
            parse={(text) => within('scale', readNumber(text))}
            onChange={(scale) => change({ scale })}
          />
          <div class="choices">
            <Choice
              label="Normalization"
              value={settings.norm}
              options={kinds.map((name) => [name, name])}
              onChange={(norm) => change({ norm })}
            />
            <Choice
              label="Its place"
              value={settings.place}
              options={norms.map((name) => [name, placeNames[name]])}
              onChange={(place) => change({ place })}
            />
            <Choice
              label="Activation"
              value={settings.activation}
              options={activations.map((name) => [name, activationNames[name]])}
              onChange={(activation) => change({ activation })}
            />
            <Choice
              label="Hidden layers"
              value={String(settings.layers)}
              options={Array.from({ length: bounds.layers[1] }, (_, k) => [String(k + 1), String(k + 1)])}
              onChange={(layers) => change({ layers: Number(layers) })}
            />
            <SmallField
              label="Batch size"
              value={settings.batchSize}
              parse={(text) => readInteger(text, ...bounds.batchSize)}
              onChange={(batchSize) => change({ batchSize })}
            />
            <SmallField
              label="Seed"
              value={settings.seed}
              parse={(text) => readInteger(text, ...bounds.seed)}
              onChange={(seed) => change({ seed })}
            />
            <div class="choice">
              <button
                type="button"
                disabled={Object.entries(settings).every(
                  ([key, value]) => defaultTraining[key as keyof TrainingSettings] === value,
                )}
                onClick={() => set({ training: defaultTraining })}
              >
                ↺ All settings
              </button>
            </div>
          </div>
          <details class="files" ref={data}>
            <summary>Data: {seen.data || 'built-in digits'}</summary>
            <label class="file">
              <span>
                Choose MNIST files, or drop them onto the page: images and labels, gzipped or not. They stay
                on your machine.
              </span>
              <input
                type="file"
                multiple
                onChange={(event) => {
                  const files = Array.from(event.currentTarget.files ?? []);
                  event.currentTarget.value = ''; // so that the same file can be chosen again
                  if (files.length > 0) void open(files);
                }}
              />
            </label>
            <Problem text={problem?.where === 'files' ? problem.message : null} />
          </details>
        </div>
      </div>
    </Part>
  );
}

function Results({ sides: states }: { readonly sides: Seen['sides'] }): JSX.Element {
  return (
    <table class="results">
      <caption>Results</caption>
      <thead>
        <tr>
          <th scope="col">network</th>
          <th scope="col">step</th>
          <th scope="col">loss</th>
          <th scope="col">accuracy</th>
        </tr>
      </thead>
      <tbody>
        {sides.map((side) => {
          const state = states?.[side];
          return (
            <tr key={side} data-network={side}>
              <th scope="row" class={side === 'plain' ? 'plain' : 'bn'}>
                {names[side]}
              </th>
              <td>{state?.step ?? 0}</td>
              {/* Nine digits identify a float32. */}
              <td>{state?.failure ? 'not finite' : (state?.loss?.toPrecision(9) ?? '–')}</td>
              <td>{state?.accuracy?.toFixed(4) ?? '–'}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, name: string])[];
  readonly onChange: (value: T) => void;
}

function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>): JSX.Element {
  return (
    <label class="choice">
      {label}
      <select
        value={value}
        onChange={(event) => {
          const chosen = options.find(([name]) => name === event.currentTarget.value);
          if (chosen !== undefined) onChange(chosen[0]);
        }}
      >
        {options.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The bytes of a file, gunzipped if it is gzipped. */
async function bytesOf(file: File): Promise<Uint8Array> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new RangeError(`${file.name} is a damaged gzip file.`);
  }
}
