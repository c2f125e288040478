/** Parsers of option values. Their errors are printed by commander. */
import { InvalidArgumentError } from 'commander';

export function integerFrom(min: number, max?: number): (text: string) => number {
  const expected = max === undefined ? `≥ ${min}` : `from ${min} to ${max}`;
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= min && value <= (max ?? value))
      return value;
    throw new InvalidArgumentError(`Hint: expected an integer ${expected}.`);
  };
}

/** Parses a list such as `a,b,c`. */
export function listOf<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => text.split(',').map((part) => parse(part.trim()));
}

export function oneOf<T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((name) => name === text);
    if (choice !== undefined) return choice;
    throw new InvalidArgumentError(`Hint: '${text}' is not one of ${choices.join(', ')}.`);
  };
}
