/** The state of the page, and the link that holds it. */
import type { Inputs } from '../column/column.ts';
import { show } from './format.ts';
import { BATCHES, type Convention, conventions } from '../column/stream.ts';
import { allPaths, type Paths } from '../column/gradient.ts';
import { defaultTraining, readTraining, type TrainingSettings, writeTraining } from '../training/settings.ts';

export interface State extends Inputs {
  /** Part 2: the paths of the gradient that are switched on. */
  readonly paths: Paths;
  /** Part 3: the direction of view in degrees, and the number of values. */
  readonly turn: readonly [yaw: number, pitch: number];
  readonly axes: 2 | 3;
  /** Part 4: the index of the step. */
  readonly step: number;
  /** Part 6: the number of batches seen, and the seed of the neighbours. */
  readonly seen: number;
  readonly neighbours: number;
  readonly convention: Convention;
  /** Part 7. */
  readonly training: TrainingSettings;
  /** Part 8: the name of the claim that is shown; null for the first one. */
  readonly claim: string | null;
}

export const defaults: State = {
  x: [1, 2, 4, 9],
  g: [1, 0, 0, 0],
  gamma: 1,
  beta: 0,
  eps: 1e-5,
  paths: allPaths,
  turn: [35, 20],
  axes: 3,
  step: 0,
  seen: 10,
  neighbours: 1,
  convention: 'PyTorch',
  training: defaultTraining,
  claim: null,
};

/** What the page accepts. */
export const limits = {
  least: 2,
  most: 12,
  value: 1e9,
  eps: [1e-12, 1e3],
} as const;

export interface Reading {
  readonly state: State;
  /** One sentence for each part of the link that could not be read. */
  readonly problems: readonly string[];
}

/** Reads a list of numbers with commas. Throws a {@link RangeError} with a sentence for the reader. */
export function readNumbers(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.every((part) => part === '')) throw new RangeError('There are no numbers here.');
  return parts.map((part) => readNumber(part));
}

export function readNumber(text: string): number {
  const value = readAnyNumber(text);
  if (Math.abs(value) <= limits.value) return value;
  throw new RangeError(`${text.trim().slice(0, 40)} is too large: use numbers from −10⁹ to 10⁹.`);
}

function readAnyNumber(text: string): number {
  const trimmed = text.trim().replace('−', '-');
  const value = Number(trimmed);
  if (trimmed === '') throw new RangeError('A number is missing.');
  if (Number.isNaN(value)) throw new RangeError(`“${trimmed.slice(0, 40)}” is not a number.`);
  return value;
}

/** Reads the values of a batch. */
export function readBatch(text: string): number[] {
  const values = readNumbers(text);
  if (values.length < limits.least) {
    throw new RangeError('One value has no variance: batch normalization needs at least 2.');
  }
  if (values.length > limits.most) {
    throw new RangeError(
      `${values.length} values are too many for the pictures: use at most ${limits.most}.`,
    );
  }
  return values;
}

export function readEps(text: string): number {
  const value = readNumber(text);
  const [least, most] = limits.eps;
  if (value >= least && value <= most) return value;
  throw new RangeError(`ε is ${text.trim()}: use a number from 10⁻¹² to 1000.`);
}

/** A whole number within bounds. */
export function readInteger(text: string, least: number, most: number): number {
  const value = readAnyNumber(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${text.trim()} is not a whole number from ${show(least)} to ${show(most, 10)}.`);
}

/**
 * Reads the part of the link after `#`. What cannot be read keeps its default.
 *
 * @param claims The names of the claims of part 8.
 */
export function readHash(hash: string, claims: readonly string[]): Reading {
  const given = new Map<string, string>();
  const problems: string[] = [];
  for (const part of hash.replace(/^#/, '').split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    try {
      given.set(
        decodeURIComponent(at < 0 ? part : part.slice(0, at)),
        decodeURIComponent(at < 0 ? '' : part.slice(at + 1)),
      );
    } catch {
      problems.push(`“${part.slice(0, 40)}” is not a part of a link.`);
    }
  }
  const read = <T>(key: string, fallback: T, parse: (text: string) => T): T => {
    const text = given.get(key);
    given.delete(key);
    if (text === undefined) return fallback;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(`${key}: ${error.message}`);
      return fallback;
    }
  };
  const x = read('x', defaults.x, readBatch);
  const resting = x.map((_, i) => (i === 0 ? 1 : 0));
  const g = read('g', resting, (text) => {
    const values = readNumbers(text);
    if (values.length === x.length) return values;
    throw new RangeError(
      `its length is ${values.length}, and x has length ${x.length}: give one g for each x.`,
    );
  });
  const state: State = {
    x,
    g,
    gamma: read('gamma', defaults.gamma, readNumber),
    beta: read('beta', defaults.beta, readNumber),
    eps: read('eps', defaults.eps, readEps),
    paths: read('paths', defaults.paths, readPaths),
    turn: read('turn', defaults.turn, (text) => {
      const angles = readNumbers(text);
      if (angles.length !== 2) throw new RangeError('a direction has two angles.');
      return [angles[0], angles[1]] as const;
    }),
    axes: read('axes', defaults.axes, (text) => (readInteger(text, 2, 3) === 2 ? 2 : 3)),
    step: read('step', defaults.step + 1, (text) => readInteger(text, 1, 8)) - 1,
    seen: read('seen', defaults.seen, (text) => readInteger(text, 0, BATCHES)),
    neighbours: read('neighbours', defaults.neighbours, (text) => readInteger(text, 1, 999)),
    convention: read('convention', defaults.convention, (text) => {
      const found = conventions.find((name) => name.toLowerCase() === text.toLowerCase());
      if (found === undefined)
        throw new RangeError(`“${text.slice(0, 40)}” is not one of ${conventions.join(', ')}.`);
      return found;
    }),
    training: readTraining(read),
    claim: read('claim', defaults.claim, (text) => {
      if (claims.includes(text)) return text;
      throw new RangeError(`“${text.slice(0, 40)}” is not one of ${claims.join(', ')}.`);
    }),
  };
  for (const key of given.keys()) problems.push(`“${key.slice(0, 40)}” is not a setting of this page.`);
  return { state, problems };
}

function readPaths(text: string): Paths {
  const names = text.split(',').filter((name) => name !== '' && name !== 'none');
  const unknown = names.find((name) => !Object.hasOwn(allPaths, name));
  if (unknown !== undefined) throw new RangeError(`“${unknown.slice(0, 40)}” is not a path.`);
  return {
    direct: names.includes('direct'),
    mean: names.includes('mean'),
    variance: names.includes('variance'),
  };
}

/** The link of a state: x and g always, the rest where it differs from the defaults. */
export function writeHash(state: State): string {
  const pairs: [string, string][] = [
    ['x', state.x.map(plainNumber).join(',')],
    ['g', state.g.map(plainNumber).join(',')],
    ['gamma', plainNumber(state.gamma)],
    ['beta', plainNumber(state.beta)],
    ['eps', plainNumber(state.eps)],
  ];
  const add = (key: string, value: string, fallback: string): void => {
    if (value !== fallback) pairs.push([key, value]);
  };
  add('paths', pathNames(state.paths), pathNames(defaults.paths));
  add('turn', state.turn.join(','), defaults.turn.join(','));
  add('axes', String(state.axes), String(defaults.axes));
  add('step', String(state.step + 1), String(defaults.step + 1));
  add('seen', String(state.seen), String(defaults.seen));
  add('neighbours', String(state.neighbours), String(defaults.neighbours));
  add('convention', state.convention, defaults.convention);
  writeTraining(state.training, add);
  if (state.claim !== null) pairs.push(['claim', state.claim]);
  return `#${pairs.map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll('%2C', ',')}`).join('&')}`;
}

const plainNumber = (value: number): string => String(value);

function pathNames(paths: Paths): string {
  const names = (['direct', 'mean', 'variance'] as const).filter((name) => paths[name]);
  return names.length === 0 ? 'none' : names.join(',');
}
