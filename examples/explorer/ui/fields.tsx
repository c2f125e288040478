/** Fields for numbers. Arrow keys change a number by a step, with Shift by ten steps. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { plain } from '../page/format.ts';

interface NumberProps {
  readonly name: ComponentChildren;
  /** The name in words, for screen readers. */
  readonly label: string;
  readonly unit?: string;
  readonly value: number;
  readonly standard: number;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  /** The slider moves the exponent. */
  readonly logarithmic?: boolean;
  /** Throws a RangeError with a sentence for what is not accepted. */
  readonly parse: (text: string) => number;
  readonly onChange: (value: number) => void;
}

/** A slider, a text field and a reset button for one number. */
export function NumberField(props: NumberProps): JSX.Element {
  const { name, label, unit, value, standard, least, most, step, logarithmic = false, onChange } = props;
  const id = useId();
  const field = useText(plain(value), value, props.parse, onChange);
  const position = (number: number) => (logarithmic ? Math.log10(Math.max(number, least)) : number);
  const slide = (raw: number) => {
    onChange(logarithmic ? Number((10 ** raw).toPrecision(2)) : tidy(raw));
  };
  const sliderStep = logarithmic ? 0.1 : step;
  const move = (event: KeyboardEvent) => {
    const direction = directionOf(event);
    if (direction === 0) return;
    event.preventDefault();
    const size = direction * (event.shiftKey ? 10 : 1);
    const next = logarithmic
      ? Number((value * 10 ** (0.1 * size)).toPrecision(2))
      : tidy(value + size * step);
    onChange(Math.min(Math.max(next, Math.min(least, value)), Math.max(most, value)));
  };
  return (
    <div class="field">
      <label for={id}>
        {name} {unit !== undefined && <span class="unit">{unit}</span>}
      </label>
      <input
        type="range"
        aria-label={`${label}, slider`}
        min={position(least)}
        max={position(most)}
        step={sliderStep}
        value={position(value)}
        onInput={(event) => slide(event.currentTarget.valueAsNumber)}
        onKeyDown={move}
      />
      <input
        id={id}
        class="value"
        type="text"
        inputMode="decimal"
        aria-label={label}
        aria-invalid={field.problem !== null}
        aria-describedby={field.problem === null ? undefined : `${id}-problem`}
        value={field.text}
        onInput={(event) => field.type(event.currentTarget.value)}
        onBlur={field.leave}
        onKeyDown={(event) => {
          if (event.key === 'ArrowUp' || event.key === 'ArrowDown') move(event);
        }}
      />
      <Reset
        label={`Reset ${label}`}
        idle={value === standard && field.problem === null}
        onClick={() => {
          field.clear();
          onChange(standard);
        }}
      />
      <Problem id={`${id}-problem`} text={field.problem} />
    </div>
  );
}

interface ListProps {
  readonly name: ComponentChildren;
  readonly label: string;
  readonly values: readonly number[];
  readonly parse: (text: string) => number[];
  readonly onChange: (values: number[]) => void;
  readonly children?: ComponentChildren;
}

/** A text field for several numbers with commas. */
export function ListField({ name, label, values, parse, onChange, children }: ListProps): JSX.Element {
  const id = useId();
  const field = useText(values.map(plain).join(', '), values, parse, onChange);
  return (
    <div class="field list">
      <label for={id}>{name}</label>
      <input
        id={id}
        type="text"
        aria-label={label}
        aria-invalid={field.problem !== null}
        aria-describedby={field.problem === null ? undefined : `${id}-problem`}
        spellcheck={false}
        autocomplete="off"
        value={field.text}
        onInput={(event) => field.type(event.currentTarget.value)}
        onBlur={field.leave}
      />
      {children}
      <Problem id={`${id}-problem`} text={field.problem} />
    </div>
  );
}

interface SmallProps {
  readonly label: string;
  readonly value: number;
  readonly parse: (text: string) => number;
  readonly onChange: (value: number) => void;
}

/** A small field for a whole number, which is read when the reader leaves the field or presses Enter. */
export function SmallField({ label, value, parse, onChange }: SmallProps): JSX.Element {
  const id = useId();
  const field = useText(plain(value), value, parse, onChange);
  return (
    <div class="choice">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        inputMode="numeric"
        value={field.text}
        aria-invalid={field.problem !== null}
        aria-describedby={field.problem === null ? undefined : `${id}-problem`}
        onChange={(event) => field.type(event.currentTarget.value)}
        onBlur={field.leave}
        onKeyDown={(event) => {
          const direction = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
          if (direction === 0) return;
          event.preventDefault();
          field.type(plain(value + direction * (event.shiftKey ? 10 : 1)));
        }}
      />
      <Problem id={`${id}-problem`} text={field.problem} />
    </div>
  );
}

interface Text {
  readonly text: string;
  readonly problem: string | null;
  readonly type: (text: string) => void;
  readonly leave: () => void;
  readonly clear: () => void;
}

/**
 * Text that is a value once it can be read; until then, the problem is shown and the value stays.
 *
 * @param value What the text stands for. When it changes while a problem is shown, something other than the text has
 *   changed it, and the problem is over.
 */
function useText<T>(
  shown: string,
  value: unknown,
  parse: (text: string) => T,
  onChange: (value: T) => void,
): Text {
  const [draft, setDraft] = useState<{ text: string; problem: string | null } | null>(null);
  useEffect(() => {
    setDraft((before) => (typeof before?.problem === 'string' ? null : before));
  }, [value]);
  return {
    text: draft?.text ?? shown,
    problem: draft?.problem ?? null,
    type: (text) => {
      try {
        const value = parse(text);
        setDraft({ text, problem: null });
        onChange(value);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        setDraft({ text, problem: error.message });
      }
    },
    leave: () => setDraft((before) => (before?.problem === null ? null : before)),
    clear: () => setDraft(null),
  };
}

export function Problem({ id, text }: { readonly id?: string; readonly text: string | null }): JSX.Element {
  return (
    <p id={id} class="problem" role="alert" hidden={text === null}>
      {text}
    </p>
  );
}

export function Reset({
  label,
  idle,
  onClick,
}: {
  readonly label: string;
  readonly idle: boolean;
  readonly onClick: () => void;
}): JSX.Element {
  return (
    <button type="button" class="reset" aria-label={label} title={label} disabled={idle} onClick={onClick}>
      ↺
    </button>
  );
}

/** +1 for keys that increase a number, −1 for those that decrease it, else 0. */
export function directionOf({ key, altKey, ctrlKey, metaKey }: KeyboardEvent): -1 | 0 | 1 {
  if (altKey || ctrlKey || metaKey) return 0;
  if (key === 'ArrowUp' || key === 'ArrowRight') return 1;
  return key === 'ArrowDown' || key === 'ArrowLeft' ? -1 : 0;
}

/** Without the digits that adding steps leaves over: 0.1 + 0.2 → 0.3. */
export function tidy(value: number): number {
  return Number(value.toPrecision(10));
}
