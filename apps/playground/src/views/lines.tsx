/** The lines of the diagram on one canvas: the wider, the larger. One that is pointed at tells its weight; a click takes it to the fields. */
import { type Signal, signal, useSignalEffect } from '@preact/signals';
import type { JSX, TargetedMouseEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { frame, lines, selection } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import { isWalking } from '../state/walk.ts';
import { prepare } from './canvas.tsx';
import { divergingColor } from './colors.ts';
import { short } from './format.ts';
import { type Column, curveBetween, distanceTo, type Layout, linesInto } from './geometry.ts';
import { hideTip, showTip } from './tip.tsx';
import { unitName } from './unit-node.tsx';
import { strokeCurve } from './walk-overlay.tsx';
import { inputName, wanted } from './weight-editor.tsx';

/** How near the pointer must be, in pixels. */
const reach = 7;

interface Place {
  readonly block: number;
  readonly from: number;
  readonly to: number;
}

const pointed: Signal<Place | null> = signal(null);

export function Lines({ layout }: { readonly layout: Layout }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const draw = (): void => {
    const now = frame.value;
    const what = lines.value;
    const dark = isDark.value;
    const mark = pointed.value;
    // the walk has lines of its own in front
    const strengthOfLines = isWalking.value ? 0.35 : 1;
    const context = prepare(canvas.current, layout.width, layout.height);
    if (context === null || now === null || now.blocks.length !== layout.columns.length - 1) return;
    context.lineCap = 'round';
    layout.columns.slice(1).forEach((after, k) => {
      const before = layout.columns[k] as Column;
      const found = linesInto(now, k, before, after, what).sort((a, b) => Math.abs(a.strength) - Math.abs(b.strength));
      for (const { from, to, strength } of found) {
        const size = Math.abs(strength);
        const isMarked = mark?.block === k && mark.from === from && mark.to === to;
        context.strokeStyle = divergingColor(Math.sign(strength) * (0.25 + 0.75 * size), dark);
        context.globalAlpha = isMarked ? 1 : (0.35 + 0.65 * size) * strengthOfLines;
        context.lineWidth = (isMarked ? 3 : 0.5) + 3.5 * size;
        strokeCurve(context, curveBetween(before, after, from, to));
      }
      context.globalAlpha = 1;
    });
  };
  useSignalEffect(draw);
  useEffect(draw);
  const find = (event: TargetedMouseEvent<HTMLCanvasElement>): Place | null => {
    const box = event.currentTarget.getBoundingClientRect();
    return nearestLine(layout, event.clientX - box.left, event.clientY - box.top);
  };
  return (
    // the fields below the diagram change the same weights by keyboard
    <canvas
      ref={canvas}
      class="lines"
      style={{ width: `${layout.width}px`, height: `${layout.height}px` }}
      onPointerMove={(event) => {
        const found = find(event);
        pointed.value = found;
        event.currentTarget.style.cursor = found === null ? '' : 'pointer';
        showTip(found === null ? '' : tell(layout, found), event);
      }}
      onPointerLeave={() => {
        pointed.value = null;
        hideTip();
      }}
      onClick={(event) => {
        const found = find(event);
        if (found === null) return;
        selection.value = { block: found.block, unit: found.to };
        wanted.value = groupOf(layout, found) === 1 ? found.from : -1;
      }}
    />
  );
}

function nearestLine({ columns }: Layout, x: number, y: number): Place | null {
  let best: Place | null = null;
  let least = reach;
  columns.slice(1).forEach((after, block) => {
    const before = columns[block] as Column;
    for (let from = 0; from < before.shown; from++) {
      for (let to = 0; to < after.shown; to++) {
        const distance = distanceTo(curveBetween(before, after, from, to), x, y);
        if (distance < least) [least, best] = [distance, { block, from, to }];
      }
    }
  });
  return best;
}

/** How many weights stand behind one line. */
function groupOf({ columns }: Layout, { block }: Place): number {
  const row = frame.value?.blocks[block]?.shape.slice(1).reduce((product, size) => product * size, 1) ?? 1;
  return row / (columns[block]?.units ?? 1);
}

/** The weight of a line and its gradient, or how many weights it stands for. */
function tell(layout: Layout, place: Place): string {
  const found = frame.value?.blocks[place.block];
  if (found === undefined) return '';
  const to = unitName({ block: place.block, unit: place.to });
  const group = groupOf(layout, place);
  if (group !== 1) return t('lineOfMany', { to, count: Math.round(group) });
  const at = place.to * (layout.columns[place.block]?.units ?? 1) + place.from;
  return t('lineOf', {
    from: inputName(place.block, place.from),
    to,
    weight: short(found.weights[at] ?? 0),
    gradient: short(found.gradients[at] ?? 0),
  });
}
