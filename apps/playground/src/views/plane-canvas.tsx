/** The picture of the plane: the answer as colours below the samples. Of a network with one input it is curve-plot.ts. */
import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX, TargetedMouseEvent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/language.ts';
import { built, frame, isDiscrete, selection, showTest, threshold, view } from '../state/store.ts';
import { isDark } from '../state/theme.ts';
import { isWalking, sample, walkWith } from '../state/walk.ts';
import { type Built, grid, type Points, type View } from '../worker/protocol.ts';
import { type Answer, answerOf } from './answer.ts';
import { prepare, stretch } from './canvas.tsx';
import { classColor, classImage, divergingColor, magnitude, mapImage } from './colors.ts';
import { paintCurves } from './curve-plot.ts';
import { zeroLines } from './geometry.ts';
import { paintMark } from './mark.ts';
import { nearestSample, shareOf } from './places.ts';
import { paintScales, placeText } from './plane-scales.ts';
import { cellAt, hideTip, showTip } from './tip.tsx';
import { hovered } from './unit-node.tsx';

export function Plane(): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const samples = useRef<HTMLCanvasElement>(null);
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
    if (known.shownNames.length === 1) {
      if (answer !== null) paintCurves(context, side, dark, known, answer, now?.view ?? known.view, showTest.value);
      return;
    }
    if (answer !== null) paintColors(context, side, dark, known, answer, isDiscrete.value);
  });
  // hundreds of marks, which stay where they are while the network learns
  useSignalEffect(() => {
    const side = size.value;
    const dark = isDark.value;
    const [known, seen] = [built.value, view.value];
    const context = prepare(samples.current, side, side);
    if (context === null || known === null || seen === null || known.shownNames.length === 1) return;
    paintScales(context, side, dark, known, seen);
    if (showTest.value) paintPoints(context, side, seen, known, known.test, dark, true);
    paintPoints(context, side, seen, known, known.train, dark, false);
    if (isWalking.value) paintWalked(context, side, seen, known, sample.value, dark);
  });
  const accuracy = frame.value?.testAccuracy;
  const label =
    accuracy == null ? t('planeLabel') : `${t('planeLabel')}. ${t('testAccuracy')}: ${(100 * accuracy).toFixed(0)} %`;
  const pick = (event: TargetedMouseEvent<HTMLCanvasElement>): void => {
    const known = built.peek();
    if (known === null || known.shownNames.length === 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const place = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] as const;
    const found = nearestSample(known, frame.peek()?.view ?? known.view, place, reach / box.width, showTest.peek());
    if (found !== null) walkWith(found);
  };
  return (
    // the walk's own buttons reach every sample, too
    <>
      <canvas
        ref={canvas}
        class="surface"
        role="img"
        aria-label={label}
        onClick={pick}
        onPointerMove={(event) => showTip(tellPlace(cellAt(event, grid, grid)), event)}
        onPointerLeave={hideTip}
      />
      <canvas ref={samples} class="samples" />
    </>
  );
}

/** What is answered in a cell of the picture, and where that is. */
function tellPlace(cell: number): string {
  const [known, now] = [built.peek(), frame.peek()];
  if (known === null || now === null) return '';
  const answer = answerOf(known, now, hovered.peek() ?? selection.peek());
  return answer === null ? '' : placeText(known, now.view, answer, cell);
}

/** How far from a sample a click may be, in pixels. */
const reach = 14;

const line = (dark: boolean): string => (dark ? 'rgba(255, 255, 255, 0.75)' : 'rgba(30, 34, 40, 0.6)');

/** The colours below the points. */
function paintColors(
  context: CanvasRenderingContext2D,
  side: number,
  dark: boolean,
  known: Built,
  answer: Answer,
  discrete: boolean,
): void {
  const { kind, values, scale, strength } = answer;
  const box = [0, 0, side, side] as const;
  if (kind === 'classes') {
    stretch(context, classImage(values, known.classNames.length, grid, grid, dark, discrete), box, !discrete);
    return;
  }
  // 2 sigmoid(z) - 1 = tanh(z / 2): the share of class 1, from -1 to 1
  const shown = discrete
    ? values.map((value) => Math.sign(value) * scale)
    : kind === 'binary'
      ? values.map((z) => Math.tanh(z / 2))
      : values;
  stretch(context, mapImage(shown, grid, grid, scale / strength, dark), box, !discrete);
  if (kind !== 'binary') return;
  context.strokeStyle = line(dark);
  context.lineWidth = 1.25;
  context.beginPath();
  // the share of class 1 is the threshold where z = log(p / (1 - p))
  const edge = Math.log(threshold.value / (1 - threshold.value));
  for (const [x0, y0, x1, y1] of zeroLines(
    values.map((z) => z - edge),
    grid,
  )) {
    context.moveTo(((x0 + 0.5) / grid) * side, ((y0 + 0.5) / grid) * side);
    context.lineTo(((x1 + 0.5) / grid) * side, ((y1 + 0.5) / grid) * side);
  }
  context.stroke();
}

/** Training samples are discs, test samples rings. */
function paintPoints(
  context: CanvasRenderingContext2D,
  side: number,
  view: View,
  known: Built,
  points: Points,
  dark: boolean,
  rings: boolean,
): void {
  const scale = known.goal === 'quantity' ? magnitude(known.train.targets) : 1;
  const count = Math.min(points.targets.length, 800);
  for (let i = 0; i < count; i++) {
    const [across, down] = shareOf(view, points, i);
    const [x, y] = [across * side, down * side];
    const target = points.targets[i] as number;
    const color = known.goal === 'quantity' ? divergingColor(target / scale, dark) : classColor(target);
    paintMark(context, x, y, count > 350 ? 2.4 : 3.2, color, dark, rings);
  }
}

/** The sample that walks through the network, with a ring and a cross around it. */
function paintWalked(
  context: CanvasRenderingContext2D,
  side: number,
  view: View,
  known: Built,
  sample: number,
  dark: boolean,
): void {
  const isTrain = sample < known.trainSize;
  const [across, down] = shareOf(view, isTrain ? known.train : known.test, isTrain ? sample : sample - known.trainSize);
  const [x, y] = [across * side, down * side];
  context.strokeStyle = dark ? '#ffffff' : '#16181c';
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 9, 0, 2 * Math.PI);
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const) {
    context.moveTo(x + 9 * dx, y + 9 * dy);
    context.lineTo(x + 16 * dx, y + 16 * dy);
  }
  context.stroke();
}
