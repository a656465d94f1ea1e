/** The form fields of the page: a labelled choice, number and slider. Native elements, so keyboards and readers know them. */
import type { JSX } from 'preact';
import { isFixed } from '../state/classroom.ts';
import type { ControlName } from './names.ts';
import { readNumber } from './read-number.ts';

interface Named {
  readonly label: string;
  /** What help and lessons know it by; a link may fix the setting of that name. */
  readonly name?: ControlName;
}

interface ChoiceProps<Name extends string> extends Named {
  readonly value: Name;
  readonly options: readonly Name[];
  readonly text: (name: Name) => string;
  readonly onChange: (name: Name) => void;
  readonly disabled?: (name: Name) => boolean;
  readonly hidden?: boolean;
}

export function Choice<Name extends string>(props: ChoiceProps<Name>): JSX.Element {
  const { label, name, value, options, text, onChange, disabled, hidden } = props;
  return (
    <label class="field" data-name={name}>
      <span class={hidden ? 'for-readers' : 'field-label'}>{label}</span>
      <select
        value={value}
        disabled={isFixed(name)}
        onChange={(event) => {
          const chosen = options.find((option) => option === event.currentTarget.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      >
        {options.map((option) => (
          <option key={option} value={option} disabled={disabled?.(option) ?? false}>
            {text(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

interface SliderProps extends Named {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly show?: (value: number) => string;
  readonly onChange: (value: number) => void;
}

export function Slider({ label, name, value, low, high, step, show = String, onChange }: SliderProps): JSX.Element {
  return (
    <label class="field slider" data-name={name}>
      <span class="field-label">
        {label} <b>{show(value)}</b>
      </span>
      <input
        type="range"
        min={low}
        max={high}
        step={step}
        value={value}
        disabled={isFixed(name)}
        aria-valuetext={show(value)}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
    </label>
  );
}

interface NumberProps extends Named {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly onChange: (value: number) => void;
  readonly hint?: string;
}

/** Takes any number within its limits, when it is left or Enter is pressed. */
export function NumberField({ label, name, value, low, high, onChange, hint }: NumberProps): JSX.Element {
  return (
    <label class="field" data-name={name}>
      <span class="field-label">
        {label} {hint !== undefined && <b>{hint}</b>}
      </span>
      <input
        type="number"
        min={low}
        max={high}
        step="any"
        value={value}
        disabled={isFixed(name)}
        onChange={(event) => {
          const next = readNumber(event.currentTarget.value, value, low, high);
          event.currentTarget.value = String(next);
          if (next !== value) onChange(next);
        }}
      />
    </label>
  );
}
