/** The weights and the bias of the pinned neuron, to be changed by hand: as numbers, and by sliders while one looks at the answer. */
import { type Signal, signal, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { editWeight } from '../state/actions.ts';
import { built, frame, selection } from '../state/store.ts';
import { shownUnits } from '../worker/protocol.ts';
import { short } from './format.ts';
import { readNumber } from './read-number.ts';
import { unitName } from './unit-node.tsx';

/** Weights of a neuron that have a field; others can only be looked at. */
const most = 24;
const limit = 1000;

/** The weight whose field is to have the focus: an input of the pinned neuron, -1 for its bias. */
export const wanted: Signal<number | null> = signal(null);

/** What stands before a neuron, by name. */
export function inputName(block: number, input: number): string {
  const known = built.value;
  const shape = frame.value?.blocks[block]?.shape ?? [];
  if (shape.length === 4) {
    const [, , height = 1, width = 1] = shape;
    const place = input % (height * width);
    const at = `${Math.floor(place / width) + 1}, ${(place % width) + 1}`;
    return (shape[1] ?? 1) > 1 ? `${Math.floor(input / (height * width)) + 1}: ${at}` : at;
  }
  if (block === 0) return known?.inputNames[input] ?? String(input + 1);
  return unitName({ block: block - 1, unit: input });
}

export function WeightEditor(): JSX.Element {
  const chosen = selection.value;
  const found = chosen === null ? undefined : frame.value?.blocks[chosen.block];
  if (chosen === null || found === undefined) return <p class="small of-weights">{t('editHint')}</p>;
  const { block, unit } = chosen;
  const row = found.weights.length / Math.min(found.biases.length, shownUnits);
  const weights = found.weights.subarray(unit * row, (unit + 1) * row);
  if (weights.length === 0) return <p class="small of-weights">{t('editHint')}</p>;
  return (
    <fieldset class="weight-editor" data-unit={`${block}.${unit}`}>
      <legend class="field-label">{t('editOf', { name: unitName(chosen) })}</legend>
      <WeightField
        key={`${block}.${unit}.bias`}
        of={[block, unit, -1]}
        label={t('bias')}
        value={found.biases[unit] ?? 0}
      />
      {Array.from(weights.subarray(0, most), (value, input) => (
        <WeightField
          key={`${block}.${unit}.${input}`}
          of={[block, unit, input]}
          label={t('weightOf', { input: inputName(block, input) })}
          value={value}
        />
      ))}
      {row > most && <p class="small">{t('others', { count: row - most })}</p>}
    </fieldset>
  );
}

interface WeightFieldProps {
  readonly of: readonly [block: number, unit: number, input: number];
  readonly label: string;
  readonly value: number;
}

/** A number and a slider. While one is held it shows what is asked for; the network's own number follows a frame later. */
function WeightField({ of: [block, unit, input], label, value }: WeightFieldProps): JSX.Element {
  const draft = useSignal<number | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useSignalEffect(() => {
    if (wanted.value !== input) return;
    field.current?.focus();
    wanted.value = null;
  });
  useEffect(() => {
    // the frame has caught up
    if (draft.peek() !== null && Math.abs((draft.peek() ?? 0) - value) < 1e-6) draft.value = null;
  }, [value]);
  const put = (next: number): void => {
    draft.value = next;
    editWeight(block, unit, input, next);
  };
  const shown = draft.value ?? value;
  const range = Math.max(3, Math.ceil(Math.abs(shown)));
  return (
    <div class="weight-field" data-name="weights">
      <label>
        <span class="small">{label}</span>
        <input
          ref={field}
          type="number"
          step={0.1}
          value={Number(shown.toFixed(3))}
          onChange={(event) => put(readNumber(event.currentTarget.value, value, -limit, limit))}
        />
      </label>
      <input
        type="range"
        min={-range}
        max={range}
        step={0.01}
        value={shown}
        aria-label={t('slideWeight', { name: label })}
        aria-valuetext={short(shown)}
        onInput={(event) => put(Number(event.currentTarget.value))}
        onBlur={() => {
          draft.value = null;
        }}
      />
    </div>
  );
}
