/** The messages between the page and the worker that trains. */
import type { GivenFile } from './data.ts';
import type { Side, TrainingSettings } from './settings.ts';

/** One hidden layer, measured on a fixed batch. */
export interface LayerInside {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
  /** The share of outputs that are exactly 0. */
  readonly zeros: number;
  /** The root mean square of the gradient of the loss with respect to its outputs. */
  readonly gradient: number;
}

export interface Inside {
  readonly layers: readonly LayerInside[];
  /** For each normalization, the least value, the quartiles and the greatest value of γ, and of β. */
  readonly gamma: readonly (readonly number[])[];
  readonly beta: readonly (readonly number[])[];
}

export interface SideState {
  readonly step: number;
  /** The loss of the last batch; null before the first step. */
  readonly loss: number | null;
  /** On the test images; null before the first step, when the running statistics have seen no batch. */
  readonly accuracy: number | null;
  readonly failure: string | null;
  /** The losses of the steps since the last report. */
  readonly losses: readonly number[];
  readonly accuracies: readonly { readonly step: number; readonly accuracy: number }[];
  readonly inside: Inside;
}

/** The probabilities of the ten digits; null from networks that were not trained yet. */
export type Answers = Readonly<Record<Side, readonly number[]>> | null;

export type ToWorker =
  | { readonly kind: 'train' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'step' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'settings'; readonly settings: TrainingSettings }
  | { readonly kind: 'files'; readonly files: readonly GivenFile[] }
  | { readonly kind: 'image'; readonly image: Float32Array }
  | { readonly kind: 'example'; readonly k: number };

export type FromWorker =
  | {
      readonly kind: 'report';
      /** Counts the restarts: curves of an earlier run end. */
      readonly run: number;
      readonly training: boolean;
      readonly data: string;
      readonly sides: Readonly<Record<Side, SideState>>;
    }
  | { readonly kind: 'answers'; readonly answers: Answers }
  | { readonly kind: 'example'; readonly image: Float32Array; readonly label: number }
  | { readonly kind: 'problem'; readonly where: 'files' | 'training'; readonly message: string };
