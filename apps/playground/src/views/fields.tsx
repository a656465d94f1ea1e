/** The form fields of the page: a labelled choice, number and slider. Native elements, so keyboards and readers know them. */
import type { JSX } from 'preact';

interface ChoiceProps<Name extends string> {
  readonly label: string;
  readonly value: Name;
  readonly options: readonly Name[];
  readonly text: (name: Name) => string;
  readonly onChange: (name: Name) => void;
  readonly disabled?: (name: Name) => boolean;
  readonly hidden?: boolean;
  readonly hint?: string;
}

export function Choice<Name extends string>(props: ChoiceProps<Name>): JSX.Element {
  const { label, value, options, text, onChange, disabled, hidden, hint } = props;
  return (
    <label class="field" title={hint}>
      <span class={hidden ? 'for-readers' : 'field-label'}>{label}</span>
      <select
        value={value}
        onChange={(event) => {
          const chosen = options.find((name) => name === event.currentTarget.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      >
        {options.map((name) => (
          <option key={name} value={name} disabled={disabled?.(name) ?? false}>
            {text(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly show?: (value: number) => string;
  readonly onChange: (value: number) => void;
}

export function Slider({ label, value, low, high, step, show = String, onChange }: SliderProps): JSX.Element {
  return (
    <label class="field slider">
      <span class="field-label">
        {label} <b>{show(value)}</b>
      </span>
      <input
        type="range"
        min={low}
        max={high}
        step={step}
        value={value}
        aria-valuetext={show(value)}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
    </label>
  );
}

interface NumberProps {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly onChange: (value: number) => void;
  readonly hint?: string;
}

/** What a field says, within its limits; the number before where it is empty or says none. */
export function readNumber(text: string, before: number, low: number, high: number): number {
  const given = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(given) ? Math.min(high, Math.max(low, given)) : before;
}

/** Takes any number within its limits, when it is left or Enter is pressed. */
export function NumberField({ label, value, low, high, onChange, hint }: NumberProps): JSX.Element {
  return (
    <label class="field">
      <span class="field-label">
        {label} {hint !== undefined && <b>{hint}</b>}
      </span>
      <input
        type="number"
        min={low}
        max={high}
        step="any"
        value={value}
        onChange={(event) => {
          const next = readNumber(event.currentTarget.value, value, low, high);
          event.currentTarget.value = String(next);
          if (next !== value) onChange(next);
        }}
      />
    </label>
  );
}
