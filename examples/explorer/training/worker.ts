/** The worker that trains. Between two steps it answers the page. */
import { useDevice } from '../../../src/index.ts';
import { builtInDigits, dataFromFiles, type TrainingData } from './data.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import { defaultTraining } from './settings.ts';
import { Trainer } from './trainer.ts';

/** The number of steps per second at first, so that a reader can follow them, and the number of reports per second. */
const STEPS = 100;
const REPORTS = 6;

let data: TrainingData | null = null;
let trainer: Trainer | null = null;
let training = false;
let run = 0;
/** The settings that the page sent last. */
let settings = defaultTraining;

/** Messages are handled one after the other, and never during a step. */
let last: Promise<void> = useDevice('wasm')
  .catch(() => useDevice('cpu')) // the same, slower, where there is no SIMD
  .then(() => {
    data = builtInDigits();
  });

const send = (message: FromWorker): void => postMessage(message);

function inTurn(task: () => Promise<void> | void): void {
  last = last.then(task).catch((error: unknown) => {
    training = false;
    send({
      kind: 'problem',
      where: 'training',
      message: error instanceof Error ? error.message : String(error),
    });
  });
}

function current(): Trainer {
  trainer ??= new Trainer(settings, (data ??= builtInDigits()));
  return trainer;
}

async function report(): Promise<void> {
  const sides = await current().report();
  send({ kind: 'report', run, training, data: data?.name ?? '', sides });
}

let begun = 0;
let done = 0;
let reported = 0;

/** Trains for a moment, and comes back after messages were heard. */
function goOn(): void {
  inTurn(async () => {
    if (!training) return;
    const now = performance.now();
    const due = Math.min(done + 8, Math.ceil(((now - begun) / 1000) * STEPS));
    for (; done < due && !current().over; done++) await current().step();
    if (performance.now() - now > 500) [begun, done] = [performance.now(), 0]; // slow machines do not catch up
    if (current().over) training = false;
    if (!training || now - reported > 1000 / REPORTS) {
      reported = now;
      await report();
    }
    if (training) setTimeout(goOn, 4);
  });
}

async function handle(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'settings': {
      settings = message.settings;
      if (current().configure(settings)) run++;
      return report();
    }
    case 'train':
      if (training) return;
      training = true;
      [begun, done] = [performance.now(), 0];
      goOn();
      return;
    case 'pause':
      training = false;
      return report();
    case 'step':
      training = false;
      await current().step();
      return report();
    case 'restart':
      current().restart();
      run++;
      return report();
    case 'files':
      try {
        data = dataFromFiles(message.files);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        send({ kind: 'problem', where: 'files', message: error.message });
        return;
      }
      trainer = new Trainer(current().settings, data);
      run++;
      return report();
    case 'image':
      send({ kind: 'answers', answers: await current().answers(message.image) });
      return;
    case 'example': {
      const { image, label } = current().example(message.k);
      send({ kind: 'example', image, label });
      send({ kind: 'answers', answers: await current().answers(image) });
    }
  }
}

onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
  inTurn(() => handle(message));
};
