/** One unit: a picture of its own answer, framed by its state. Pointing at it shows the answer large; pressing keeps it. */
import { type Signal, signal, useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { t } from '../i18n/language.ts';
import { built, frame, isDiscrete, type Selection, selection } from '../state/store.ts';
import { unit as walkUnit } from '../state/walk.ts';
import type { UnitState } from '../worker/protocol.ts';
import { MapCanvas } from './canvas.tsx';
import { magnitude } from './colors.ts';
import { percent } from './format.ts';
import { nodeSize } from './geometry.ts';

/** The unit under the pointer or with the focus. */
export const hovered: Signal<Selection | null> = signal(null);

export function unitName({ block, unit }: Selection): string {
  const last = built.value?.spec.layers.length ?? 0;
  if (block < last) return t('unit', { layer: block + 1, unit: unit + 1 });
  return t('unitOutput', {
    unit: built.value?.goal === 'classes' ? (built.value.classNames[unit] ?? unit) : '',
  }).trim();
}

/** The map of a unit in the last frame, with what to divide it by. */
export function mapOf({
  block,
  unit,
}: Selection): { values: Float32Array; width: number; height: number; scale: number } | null {
  const found = frame.value?.blocks[block];
  if (found === undefined) return null;
  const [height, width] = found.mapShape;
  const places = height * width;
  const values = found.maps.subarray(unit * places, (unit + 1) * places);
  if (values.length < places) return null;
  const isAnswer = found.kind === 'output' && built.value?.goal === 'binary';
  if (isDiscrete.value && places > 1) return { values: values.map(Math.sign), width, height, scale: 1 };
  if (isAnswer) return { values: values.map((z) => Math.tanh(z / 2)), width, height, scale: 1 };
  // the maps of a layer share a scale where one number a unit would otherwise always be full
  return { values, width, height, scale: places === 1 ? magnitude(found.maps) : magnitude(values, 0.5) };
}

/** The map of an answer of two classes is tanh(z / 2) = 2 p - 1. */
const shareOf = (value: number): string => percent((value + 1) / 2);

interface UnitNodeProps extends Selection {
  readonly x: number;
  readonly y: number;
  readonly nameWidth: number;
}

export function UnitNode({ block, unit, x, y, nameWidth }: UnitNodeProps): JSX.Element {
  const state: UnitState = useComputed(() => frame.value?.blocks[block]?.units[unit] ?? 'alive').value;
  const name = unitName({ block, unit });
  const isChosen = selection.value?.block === block && selection.value.unit === unit;
  const isLast = block === (built.value?.spec.layers.length ?? 0);
  const isShare = isLast && built.value?.goal === 'binary' && !isDiscrete.value;
  const label = state === 'alive' ? name : `${name}, ${t(`state.${state}`)}`;
  const enter = (): void => {
    hovered.value = { block, unit };
  };
  const leave = (): void => {
    hovered.value = null;
  };
  return (
    <button
      type="button"
      class={`node ${state}${isChosen ? ' chosen' : ''}`}
      style={{ left: `${x - nodeSize / 2}px`, top: `${y - nodeSize / 2}px` }}
      title={label}
      aria-label={label}
      aria-pressed={isChosen}
      onMouseEnter={enter}
      onMouseLeave={leave}
      onFocus={enter}
      onBlur={leave}
      onClick={() => {
        selection.value = isChosen ? null : { block, unit };
        walkUnit.value = unit;
      }}
    >
      <MapCanvas read={() => mapOf({ block, unit })} size={nodeSize - 4} {...(isShare && { tell: shareOf })} />
      {isLast && built.value?.goal === 'classes' && (
        <span class="class-name" style={{ maxWidth: `${nameWidth}px` }}>
          {built.value.classNames[unit]}
        </span>
      )}
      {state !== 'alive' && <span class="state" aria-hidden="true" />}
    </button>
  );
}
