/** The plane of the generator and the discriminator: real and made points, what is believed where, and where points are pulled. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { isDark } from '../../state/theme.ts';
import { prepare, stretch } from '../../views/canvas.tsx';
import { mapImage } from '../../views/colors.ts';
import { percent } from '../../views/format.ts';
import { say } from '../words.ts';
import { mapSide, reach } from './protocol.ts';
import { generators } from './state.ts';

const side = 440;
const arrow = 18;

export function GanPlane(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    const frame = generators.frame.value;
    const dark = isDark.value;
    const context = prepare(canvas.current, side, side);
    if (context === null || frame?.kind !== 'gan') return;
    const belief = frame.belief.map((share) => 1.2 * (share - 0.5));
    stretch(context, mapImage(belief, mapSide, mapSide, 1, dark), [0, 0, side, side]);
    const at = (points: Float32Array, i: number): [number, number] => [
      ((points[2 * i] as number) / reach + 1) * (side / 2),
      (1 - (points[2 * i + 1] as number) / reach) * (side / 2),
    ];
    const ink = dark ? '#e8e8e5' : '#22262c';
    const { real, made, pulls } = frame;
    const longest = Math.max(1e-9, ...Array.from({ length: pulls.length / 2 }, (_, i) => lengthOf(pulls, i)));
    for (let i = 0; i < real.length / 2; i++) {
      const [x, y] = at(real, i);
      context.beginPath();
      context.arc(x, y, 2.6, 0, 2 * Math.PI);
      context.strokeStyle = dark ? '#9cc6f5' : '#1d4f8a';
      context.lineWidth = 1.2;
      context.stroke();
    }
    context.fillStyle = ink;
    context.strokeStyle = ink;
    for (let i = 0; i < made.length / 2; i++) {
      const [x, y] = at(made, i);
      context.beginPath();
      context.arc(x, y, 2.6, 0, 2 * Math.PI);
      context.fill();
      if (i % 4 !== 0) continue;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(
        x + (arrow * (pulls[2 * i] as number)) / longest,
        y - (arrow * (pulls[2 * i + 1] as number)) / longest,
      );
      context.lineWidth = 1;
      context.stroke();
    }
  });
  const now = generators.frame.value;
  const coverage = now?.kind === 'gan' ? percent(now.coverage) : '–';
  return (
    <canvas
      ref={canvas}
      class="surface generator-plane"
      role="img"
      aria-label={`${say('generators.plane')}: ${say('generators.coverage')} ${coverage}`}
    />
  );
}

const lengthOf = (points: Float32Array, i: number): number =>
  Math.hypot(points[2 * i] as number, points[2 * i + 1] as number);
