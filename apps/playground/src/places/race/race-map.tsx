/** The surface from above, darker where it is lower, with the trails of the optimizers. A click puts the start. */
import { computed, type ReadonlySignal, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { optimizers } from '../../model/spec.ts';
import { isDark } from '../../state/theme.ts';
import { prepare, stretch } from '../../views/canvas.tsx';
import { classColor, mapImage } from '../../views/colors.ts';
import { short } from '../../views/format.ts';
import { cellAt, hideTip, showTip } from '../../views/tip.tsx';
import { say } from '../words.ts';
import { type Path, raceGrid } from './protocol.ts';
import { begin, heights, paths, settings, shownStep } from './state.ts';
import { surfaces } from './surfaces.ts';

/** Lines of equal loss. */
const levels = 9;
const bands: ReadonlySignal<Float32Array | null> = computed(() =>
  heights.value === null ? null : banded(heights.value),
);

export function RaceMap(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const side = useSignal(420);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      side.value = Math.max(160, element.clientWidth);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [side]);
  useSignalEffect(() => {
    const size = side.value;
    const [dark, ground, all, step] = [isDark.value, bands.value, paths.value, shownStep.value];
    const context = prepare(canvas.current, size, size);
    if (context === null || ground === null) return;
    stretch(context, mapImage(ground, raceGrid, raceGrid, 1, dark), [0, 0, size, size]);
    for (const path of all) paintTrail(context, size, path, step, dark);
  });
  const { surface } = settings.value;
  return (
    // the fields beside it put the start, too
    <canvas
      ref={canvas}
      class="race-map"
      role="img"
      aria-label={say('race.map', { surface: say(`race.surface.${surface}`) })}
      data-paths={paths.value.length}
      onClick={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const [left, right, bottom, top] = surfaces[settings.peek().surface].bounds;
        const x = left + ((event.clientX - box.left) / box.width) * (right - left);
        const y = top - ((event.clientY - box.top) / box.height) * (top - bottom);
        begin({ start: [x, y] });
      }}
      onPointerMove={(event) => {
        const height = heights.peek()?.[cellAt(event, raceGrid, raceGrid)];
        showTip(height === undefined ? '' : short(height), event);
      }}
      onPointerLeave={hideTip}
    />
  );
}

/** Heights from -1 (the lowest) to 1 by their logarithm, in steps, so that low places have as many lines as high ones. */
function banded(ground: Float32Array): Float32Array {
  const least = ground.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const logs = ground.map((value) => Math.log(value - least + 0.05));
  const low = logs.reduce((one, other) => Math.min(one, other));
  const high = logs.reduce((one, other) => Math.max(one, other));
  return logs.map((value) => {
    const share = (value - low) / (high - low || 1);
    return 1 - 2 * (Math.floor(share * levels) / levels);
  });
}

function paintTrail(
  context: CanvasRenderingContext2D,
  size: number,
  { optimizer, places }: Path,
  step: number,
  dark: boolean,
): void {
  const [left, right, bottom, top] = surfaces[settings.peek().surface].bounds;
  const last = Math.min(step, places.length / 3 - 1);
  const at = (k: number): readonly [number, number] => [
    (((places[3 * k] ?? 0) - left) / (right - left)) * size,
    (1 - ((places[3 * k + 1] ?? 0) - bottom) / (top - bottom)) * size,
  ];
  const trace = (): void => {
    context.beginPath();
    for (let k = 0; k <= last; k++) context.lineTo(...at(k));
    context.stroke();
  };
  context.lineJoin = 'round';
  context.strokeStyle = dark ? 'rgba(10, 12, 16, 0.85)' : 'rgba(255, 255, 255, 0.9)';
  context.lineWidth = 4.5;
  trace();
  context.strokeStyle = classColor(optimizers.indexOf(optimizer));
  context.lineWidth = 2.2;
  trace();
  if (last < 0) return;
  context.fillStyle = classColor(optimizers.indexOf(optimizer));
  context.strokeStyle = dark ? '#0a0c10' : '#ffffff';
  context.lineWidth = 2;
  context.beginPath();
  context.arc(...at(last), 6, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}
