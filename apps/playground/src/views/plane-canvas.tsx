/** The picture of the plane: the answer as colours below the samples; of a network with one input, as a curve. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { built, frame, selection, showTest } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import { type Built, grid, type Points, type View } from '../worker/protocol.ts';
import { type Answer, answerOf, type Curves, curvesOf, inputIn, targetIn } from './answer.ts';
import { prepare, stretch } from './canvas.tsx';
import { classColor, classImage, divergingColor, magnitude, mapImage } from './colors.ts';
import { short } from './format.ts';
import { zeroLines } from './geometry.ts';
import { hovered } from './unit-node.tsx';

export function Plane(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSignal(320);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      size.value = Math.max(120, element.clientWidth);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [size]);
  useSignalEffect(() => {
    const side = size.value;
    const dark = isDark.value;
    const [known, now] = [built.value, frame.value];
    const chosen = hovered.value ?? selection.value;
    const context = prepare(canvas.current, side, side);
    if (context === null || known === null) return;
    const answer = now === null ? null : answerOf(known, now, chosen);
    if (known.inputNames.length === 1) {
      if (answer !== null) paintCurves(context, side, dark, known, answer);
      return;
    }
    if (answer !== null) paintColors(context, side, dark, known, answer);
    const view = now?.view ?? known.view;
    if (showTest.value) paintPoints(context, side, view, known, known.test, dark, true);
    paintPoints(context, side, view, known, known.train, dark, false);
  });
  const accuracy = frame.value?.testAccuracy;
  const label =
    accuracy == null ? t('planeLabel') : `${t('planeLabel')}. ${t('testAccuracy')}: ${(100 * accuracy).toFixed(0)} %`;
  return <canvas ref={canvas} class="surface" role="img" aria-label={label} />;
}

const line = (dark: boolean): string => (dark ? 'rgba(255, 255, 255, 0.75)' : 'rgba(30, 34, 40, 0.6)');

/** The colours below the points. */
function paintColors(
  context: CanvasRenderingContext2D,
  side: number,
  dark: boolean,
  known: Built,
  answer: Answer,
): void {
  const { kind, values, scale, strength } = answer;
  const box = [0, 0, side, side] as const;
  if (kind === 'classes') {
    stretch(context, classImage(values, known.classNames.length, grid, grid, dark), box);
    return;
  }
  // 2 sigmoid(z) - 1 = tanh(z / 2): the share of class 1, from -1 to 1
  const shown = kind === 'binary' ? values.map((z) => Math.tanh(z / 2)) : values;
  stretch(context, mapImage(shown, grid, grid, scale / strength, dark), box);
  if (kind !== 'binary') return;
  context.strokeStyle = line(dark);
  context.lineWidth = 1.25;
  context.beginPath();
  for (const [x0, y0, x1, y1] of zeroLines(values, grid)) {
    context.moveTo(((x0 + 0.5) / grid) * side, ((y0 + 0.5) / grid) * side);
    context.lineTo(((x1 + 0.5) / grid) * side, ((y1 + 0.5) / grid) * side);
  }
  context.stroke();
}

/** Training samples are discs, test samples rings. */
function paintPoints(
  context: CanvasRenderingContext2D,
  side: number,
  { axes, bounds }: View,
  known: Built,
  points: Points,
  dark: boolean,
  rings: boolean,
): void {
  const [left, right, bottom, top] = bounds;
  const scale = known.goal === 'quantity' ? magnitude(known.train.targets) : 1;
  const count = Math.min(points.targets.length, 800);
  for (let i = 0; i < count; i++) {
    const at = (axis: number): number => points.inputs[i * points.width + axis] as number;
    const x = ((at(axes[0]) - left) / (right - left)) * side;
    const y = (1 - (at(axes[1]) - bottom) / (top - bottom)) * side;
    const target = points.targets[i] as number;
    const color = known.goal === 'quantity' ? divergingColor(target / scale, dark) : classColor(target);
    paintPoint(context, x, y, count > 350 ? 2.4 : 3.2, color, dark, rings);
  }
}

function paintPoint(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  color: string,
  dark: boolean,
  isRing: boolean,
): void {
  context.beginPath();
  context.arc(x, y, isRing ? radius - 0.4 : radius, 0, 2 * Math.PI);
  if (isRing) {
    context.fillStyle = dark ? 'rgba(20, 22, 26, 0.75)' : 'rgba(255, 255, 255, 0.8)';
    context.lineWidth = 1.6;
    context.strokeStyle = color;
  } else {
    context.fillStyle = color;
    context.lineWidth = 1;
    context.strokeStyle = dark ? 'rgba(10, 12, 16, 0.9)' : 'rgba(255, 255, 255, 0.95)';
  }
  context.fill();
  context.stroke();
}

/** One input: it goes from left to right, the answer from bottom to top, both in the units of the data. */
function paintCurves(
  context: CanvasRenderingContext2D,
  side: number,
  dark: boolean,
  known: Built,
  answer: Answer,
): void {
  const curves = curvesOf(known, answer);
  const { lines, range } = curves;
  const [low, high] = range;
  const [left, right] = (frame.peek()?.view ?? known.view).bounds;
  const xOf = (value: number): number => ((value - left) / (right - left)) * side;
  const yOf = (value: number): number => (1 - (value - low) / (high - low)) * side;
  paintAxes(context, side, dark, known, answer, curves);
  if (answer.kind !== 'unit') {
    for (const [points, rings] of [[known.test, true] as const, [known.train, false] as const]) {
      if (rings && !showTest.value) continue;
      points.targets.forEach((target, i) => {
        if (i >= 800) return;
        // of two classes at 0 and 1; of more, each at the top of its own share
        const y = answer.kind === 'classes' ? 1 : target;
        const color = known.goal === 'quantity' ? divergingColor(-0.9, dark) : classColor(target);
        paintPoint(context, xOf(points.inputs[i] as number), yOf(y), 3, color, dark, rings);
      });
    }
  }
  lines.forEach((values, k) => {
    context.beginPath();
    values.forEach((value, i) => {
      context.lineTo(((i + 0.5) / grid) * side, yOf(value));
    });
    context.lineWidth = 2.2;
    context.strokeStyle = answer.kind === 'classes' ? classColor(k) : divergingColor(1, dark);
    context.stroke();
  });
}

/** The ends of both axes, in real units. */
function paintAxes(
  context: CanvasRenderingContext2D,
  side: number,
  dark: boolean,
  known: Built,
  { kind }: Answer,
  { range: [low, high] }: Curves,
): void {
  const x = inputIn(known, 0);
  const y = kind === 'quantity' ? targetIn(known) : (value: number): number => value;
  const [left, right] = (frame.peek()?.view ?? known.view).bounds;
  const isShare = kind === 'binary' || kind === 'classes';
  context.font = '11px system-ui';
  context.fillStyle = dark ? '#9aa0aa' : '#686e77';
  const ticks = isShare ? [0, 0.5, 1] : [0.1, 0.5, 0.9].map((share) => low + share * (high - low));
  context.strokeStyle = dark ? '#3a3f49' : '#dcd7ce';
  context.lineWidth = 1;
  for (const value of ticks) {
    const at = (1 - (value - low) / (high - low)) * side;
    context.beginPath();
    context.moveTo(0, at);
    context.lineTo(side, at);
    context.stroke();
    context.textAlign = 'left';
    context.fillText(short(y(value), 2), 6, at - 4);
  }
  for (const share of [0.1, 0.5, 0.9]) {
    context.textAlign = share < 0.4 ? 'left' : share > 0.6 ? 'right' : 'center';
    context.fillText(short(x(left + share * (right - left)), 2), share * side, side - 6);
  }
}
